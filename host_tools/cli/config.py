"""`stoa config`: the owner's settings.toml, asked for or taken from options, checked, and written."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from host_tools.cli import completions
from host_tools.errors import StoaError

if TYPE_CHECKING:
    from host_tools.device.configuring.issuer_check import Report


class NothingWritten(StoaError):
    """The settings were not written, for the reason that is told."""


def _zones(incomplete: str) -> list[str]:
    from host_tools.device.configuring.tz_rules import names

    return [name for name in sorted(names()) if name.startswith(incomplete)]


def config(
    context: typer.Context,
    target: Annotated[
        str | None,
        typer.Argument(
            help="A settings.toml, the folder of the board's drive, or its serial port; found by itself if only one"
            " board is there.",
            metavar="FILE|DRIVE|PORT",
            autocompletion=completions.places,
        ),
    ] = None,
    ssid: Annotated[str | None, typer.Option("--ssid", help="Name of the Wi-Fi network.", metavar="NAME")] = None,
    password_file: Annotated[
        Path | None,
        typer.Option("--password-file", help="File that holds the Wi-Fi password.", exists=True, dir_okay=False),
    ] = None,
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="Read the Wi-Fi password from the standard input.")
    ] = False,
    open_network: Annotated[bool, typer.Option("--open-network", help="The network has no password.")] = False,
    issuer: Annotated[
        str | None, typer.Option("--issuer", help="Authorization server, found by discovery.", metavar="URL")
    ] = None,
    client_id: Annotated[str | None, typer.Option("--client-id", help="The display's client there.")] = None,
    audience: Annotated[
        str | None, typer.Option("--audience", help="The API's identifier, where the issuer wants it; '' for none.")
    ] = None,
    scope: Annotated[
        str | None, typer.Option("--scope", help="Scopes to ask for; '' for openid offline_access read:quotes.")
    ] = None,
    api: Annotated[str | None, typer.Option("--api", help="URL of today's quote.", metavar="URL")] = None,
    wake_at: Annotated[
        str | None, typer.Option("--wake-at", help="When to wake, local time; '' for 06:00.", metavar="HH:MM")
    ] = None,
    time_zone: Annotated[
        str | None,
        typer.Option(
            "--time-zone",
            help="As Europe/Berlin, or a POSIX rule; '' for UTC.",
            metavar="ZONE",
            autocompletion=_zones,
        ),
    ] = None,
    quiet_hours: Annotated[
        str | None,
        typer.Option("--quiet-hours", help="When nobody is to be asked: 22:00-06:00, or off.", metavar="FROM-TO"),
    ] = None,
    push: Annotated[
        str | None,
        typer.Option("--push", help="Whether a person's phone may be asked first; '' for on.", metavar="on|off"),
    ] = None,
    ntp: Annotated[str | None, typer.Option("--ntp", help="Time server; '' for pool.ntp.org.", metavar="HOST")] = None,
    allow_http: Annotated[
        bool | None,
        typer.Option(
            "--allow-http/--no-allow-http", help="Plain http to other machines, for a laboratory.", show_default=False
        ),
    ] = None,
    no_check: Annotated[bool, typer.Option("--no-check", help="Do not ask the issuer.")] = False,
    save_root: Annotated[
        Path | None,
        typer.Option(
            "--save-root",
            help="Write the root certificate of the issuer's chain, as one PEM. CircuitPython has public roots built in"
            " and the program uses these: the file is for looking, or for a build of your own that lacks the root.",
            dir_okay=False,
            metavar="FILE",
        ),
    ] = None,
    check: Annotated[
        Path | None,
        typer.Option("--check", help="Only say what is wrong with this settings.toml; no network.", metavar="FILE"),
    ] = None,
    wait_s: Annotated[
        float, typer.Option("--wait", help="Seconds to wait for a board that sleeps.", metavar="SECONDS", min=0)
    ] = 60.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print what was done, or found, as JSON.")] = False,
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="Ask nothing: what is not given stays; write whatever the issuer says.")
    ] = False,
) -> None:
    """Write settings.toml: the network, the account, when to wake.

    In a terminal it asks for what no option gives, with what is there as the default. Comments, order and keys of
    others stay; a file that cannot be read is left alone. Every value is judged by the display's own rules.

    The Wi-Fi password is typed and not shown, or comes by --password-stdin, --password-file or STOA_WIFI_PASSWORD in
    the environment: an option's value would stay in the shell's history.

    Then the issuer is asked what the display will ask it: discovery, the device grant, its certificate. Where the
    display could not sign in, nothing is written unless you say so, there or by --yes.

    Exit codes: 0; 1 if settings are wrong or missing, or not written, or if the display could not sign in with those
    that are there already (not with --yes); 2 for an option; 3 for the board, its cable or its drive; 130 after Ctrl-C.
    """
    from host_tools.cli.config_dialogue import Dialogue, Outcome
    from host_tools.device.configuring.issuer_check import check_issuer
    from host_tools.device.configuring.settings_draft import PASSWORD, Draft
    from host_tools.device.configuring.settings_place import place_at

    if check is not None:
        _refuse_others_beside_check(context)
        _check(check, as_json)
        return
    if no_check and save_root is not None:
        raise NothingWritten("--save-root needs the issuer's answer: leave out --no-check")
    given = {
        "STOA_ALLOW_HTTP": None if allow_http is None else "1" if allow_http else "",
        "STOA_WIFI_SSID": ssid,
        PASSWORD: _password(password_file, password_stdin, open_network),
        "STOA_ISSUER": issuer,
        "STOA_CLIENT_ID": client_id,
        "STOA_AUDIENCE": audience,
        "STOA_SCOPE": scope,
        "STOA_API": api,
        "STOA_WAKE": wake_at,
        "STOA_TZ": time_zone,
        "STOA_QUIET": quiet_hours,
        "STOA_PUSH": push,
        "STOA_NTP": ntp,
    }
    dialogue = Dialogue(asks=sys.stdin.isatty() and not yes, as_json=as_json)
    with place_at(target, wait_s, dialogue.remark) as place:
        draft = Draft(place.read() or b"", place.name)
        for key, value in given.items():
            if value is not None:
                draft.give(key, value)
        dialogue.ask(draft, [key for key, value in given.items() if value is not None])
        outcome = Outcome(place.name, draft.check(int(time.time())), draft.changes(), draft.pairs_anew())
        if not no_check:
            dialogue.remark(f"Asking {draft.issuer()}")
            outcome.issuer = check_issuer(draft.issuer())
            dialogue.tell_findings(outcome.issuer)
            if outcome.issuer.failed and outcome.changes and not yes and not dialogue.is_willing():
                dialogue.tell(outcome)
                raise NothingWritten("the display could not sign in, see above; nothing was written (--yes writes it)")
            _save_root(outcome.issuer, save_root)
        if outcome.changes:
            place.write(draft.text())
            outcome.written = True
    dialogue.tell(outcome)
    if outcome.issuer and outcome.issuer.failed and not outcome.changes and not yes:
        raise NothingWritten("the display could not sign in with what is there, see above (--yes lets it pass)")


def _refuse_others_beside_check(context: typer.Context) -> None:
    """--check writes nothing and asks nobody: whoever gives more has something else in mind."""
    for parameter in context.command.params:
        source = context.get_parameter_source(parameter.name or "")
        if parameter.name not in ("check", "as_json") and source is not None and source.name == "COMMANDLINE":
            name = parameter.opts[0] if parameter.param_type_name == "option" else str(context.params[parameter.name])
            raise typer.BadParameter(f"{name} means nothing with --check")


def _check(path: Path, as_json: bool) -> None:
    from host_tools.cli.config_dialogue import tell_problems
    from host_tools.device.configuring.settings_check import check
    from host_tools.device.configuring.settings_place import FilePlace
    from host_tools.settings_toml import NAME

    # A Path would take the "./" away, by which a person sees whose folder is meant.
    file = os.path.join(path, NAME) if path.is_dir() else str(path)
    text = FilePlace(Path(file)).read()
    if text is None:
        raise NothingWritten(f"there is no {file}: `stoa config {path}` makes one")
    problems = check(text)
    tell_problems(file, problems, as_json)
    if any(problem.level == "error" for problem in problems):
        raise typer.Exit(1)


def _password(file: Path | None, stdin: bool, none: bool) -> str | None:
    """None where it is not given."""
    if (file is not None) + stdin + none > 1:
        raise NothingWritten("--password-file, --password-stdin, --open-network: only one of them")
    if none:
        return ""
    if file is None and not stdin:
        return os.environ.get("STOA_WIFI_PASSWORD")
    if stdin and sys.stdin.isatty():
        raise NothingWritten("--password-stdin reads a pipe, and here what you type is shown: leave it out to be asked")
    source = "the standard input" if file is None else str(file)
    try:
        content = sys.stdin.buffer.read() if file is None else file.read_bytes()
        return content.decode().removesuffix("\n").removesuffix("\r")
    except OSError as error:
        raise NothingWritten(f"cannot read {source}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise NothingWritten(f"{source} is not UTF-8: write the password anew") from None


def _save_root(report: Report, path: Path | None) -> None:
    if path is None:
        return
    if report.root is None:
        raise NothingWritten(
            "there is no root certificate to save: the issuer answers over plain http or not at all, or this system"
            " keeps it to itself (Linux tells it)"
        )
    try:
        path.write_text(report.root.pem, encoding="ascii")
    except OSError as error:
        raise NothingWritten(f"cannot write {path}: {error.strerror}; choose another --save-root file") from None
