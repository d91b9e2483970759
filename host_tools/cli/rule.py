"""`stoa rule try`: what a tenant's Rule or Action decides, without a server."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from host_tools.errors import StoaError

if TYPE_CHECKING:
    from host_tools.authority.core.post_login import Verdict
    from host_tools.authority.core.records import Factor

_EXPORTS = re.compile(r"\bexports\s*\.\s*onExecutePostLogin\b")

app = typer.Typer(no_args_is_help=True, help="Rules and post-login Actions: Auth0's scripts, written by you.")


@app.callback()
def _group() -> None:
    pass


@app.command("try")
def try_rule(
    file: Annotated[Path, typer.Argument(help="A Rule, or a post-login Action, as JavaScript.", metavar="FILE")],
    protocol: Annotated[
        Literal["oauth2-device-code", "oauth2-refresh-token", "oauth2-password"],
        typer.Option("--protocol", help="What is asked: a device's first login, a refresh, or a password's exchange."),
    ] = "oauth2-device-code",
    client_metadata: Annotated[
        list[str] | None,
        typer.Option("--client-metadata", help="Of the client; may be given again.", metavar="NAME=VALUE"),
    ] = None,
    client: Annotated[str, typer.Option("--client", help="The client's name, and its client_id.")] = "Stoa display",
    scope: Annotated[
        str, typer.Option("--scope", help="What is asked for, with spaces between.")
    ] = "read:quotes offline_access",
    audience: Annotated[str, typer.Option("--audience", help="The API.")] = "https://stoa.example/quotes",
    user: Annotated[str, typer.Option("--user", help="The person's e-mail address.")] = "demo@stoa.example",
    factor: Annotated[
        list[str] | None,
        typer.Option(
            "--factor",
            help="A second factor the person has: otp, sms, email or push; may be given again.",
            metavar="FACTOR",
        ),
    ] = None,
    secret: Annotated[
        list[str] | None,
        typer.Option(
            "--secret",
            help="Of an Action's event.secrets, or a Rule's configuration; may be given again.",
            metavar="NAME=VALUE",
        ),
    ] = None,
    kind: Annotated[
        Literal["rule", "action"] | None,
        typer.Option(
            "--kind", help="What the file is.", show_default="an action where it sets exports.onExecutePostLogin"
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON object.")] = False,
) -> None:
    """Print what a script decides about a person and a client that are made up.

    Exit code 0 for a decision, whichever; 1 for a script that fails, which an authority answers with a denial.
    """
    from host_tools.authority.errors import InvalidSetting
    from host_tools.authority.scripts import Script
    from host_tools.authority.scripts.tried import Tried, try_script
    from host_tools.authority.tenant_scripts import read_script
    from host_tools.clock import RealClock

    try:
        text = read_script(str(file), file)
    except InvalidSetting as unreadable:
        raise StoaError(str(unreadable)) from unreadable
    script = Script(
        kind or ("action" if _EXPORTS.search(text) else "rule"), file.stem, text, _named("--secret", secret)
    )
    tried = Tried(
        protocol=protocol,
        now_ns=RealClock().now_ns(),
        username=user,
        client_id=client,
        client_name=client,
        metadata=_named("--client-metadata", client_metadata),
        scope=" ".join(scope.split()),
        audience=audience,
        factors=_factors(factor),
    )
    verdict, printed = try_script(script, tried)
    if as_json:
        print(json.dumps({"kind": script.kind, **_told(verdict), "printed": printed}))
    else:
        # A script writes what it likes: no terminal sequence of its own is printed.
        for line in (*(f"console: {each}" for each in printed), *_lines(script.kind, verdict)):
            print("".join(sign if sign.isprintable() else "?" for sign in line))
    if verdict.faults:
        raise typer.Exit(1)


def _factors(given: list[str] | None) -> tuple[Factor, ...]:
    from host_tools.authority.core.mfa_transactions import ENROLLABLE

    for each in given or ():
        if each not in ENROLLABLE:
            raise StoaError(f"--factor is one of {', '.join(ENROLLABLE)}, not {each!r:.60}")
    return tuple(each for each in ENROLLABLE if each in (given or ()))


def _named(option: str, given: list[str] | None) -> dict[str, str]:
    found: dict[str, str] = {}
    for each in given or ():
        name, equals, value = each.partition("=")
        if not name or not equals:
            raise StoaError(f"{option} takes NAME=VALUE, as device_type=display, not {each!r:.60}")
        if name in found:
            raise StoaError(f"{option} names {name!r:.60} twice; give it once")
        found[name] = value
    return found


def _told(verdict: Verdict) -> dict[str, Any]:
    mfa = verdict.mfa
    return {
        "decision": _decision(verdict),
        "mfa": mfa and {"challenges": mfa.challenges, "remembers": mfa.remembers, "factors": list(mfa.factors)},
        "denied": verdict.denied,
        "access_token_claims": dict(verdict.claims.access),
        "id_token_claims": dict(verdict.claims.id),
        "faults": list(verdict.faults),
    }


def _decision(verdict: Verdict) -> str:
    if verdict.faults:
        return "failed"
    if verdict.denied is not None:
        return "deny"
    if verdict.mfa is None:
        return "policy"
    return "challenge" if verdict.mfa.challenges else "let_in"


_SENTENCES = {
    "failed": "The script failed, and the login is denied.",
    "deny": "Denied.",
    "policy": "Says nothing of a second factor: the tenant's policy decides.",
    "let_in": "No second factor, whatever the tenant's policy says.",
    "challenge": "A second factor is asked for, whatever the tenant's policy says.",
}


def _lines(kind: str, verdict: Verdict) -> list[str]:
    lines = [f"{kind}: {_SENTENCES[_decision(verdict)]}"]
    lines += [f"  {fault}" for fault in verdict.faults]
    if verdict.denied is not None:
        lines.append(f"  told: {verdict.denied}")
    if verdict.mfa is not None and verdict.mfa.challenges:
        lines.append(f"  factors: {', '.join(verdict.mfa.factors) or 'any'}")
        lines.append(
            f"  a browser that has given one: {'is remembered' if verdict.mfa.remembers else 'is asked again'}"
        )
    for token, claims in (("access token", verdict.claims.access), ("ID token", verdict.claims.id)):
        lines += [f"  {token}: {json.dumps(name)} = {json.dumps(value)}" for name, value in claims.items()]
    return lines
