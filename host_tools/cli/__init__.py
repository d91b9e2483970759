"""The `stoa` command: parses, prints and exits; decides nothing.

One file a command. A command is a function with Typer's annotations whose docstring is its help; `_COMMANDS` gives it
its name. It imports what it runs inside itself, so that `stoa boards` does not load a web server. A StoaError that
reaches `main` becomes one line on stderr and the error's exit code; any other exception is a defect and shows itself.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable
from importlib.metadata import version
from typing import Annotated, Any

import typer

from host_tools.cli import boards, config, demo, deploy, flash, monitor, ports, rule, serve, simulate
from host_tools.errors import StoaError

_COMMANDS: dict[str, Callable[..., None]] = {
    "boards": boards.list_boards,
    "config": config.config,
    "demo": demo.demo,
    "deploy": deploy.deploy,
    "flash": flash.flash,
    "monitor": monitor.monitor,
    "ports": ports.list_ports,
    "serve": serve.serve,
    "simulate": simulate.simulate,
}

app = typer.Typer(
    name="stoa",
    help="One quote a day on an e-paper display, behind real OAuth; and the tools to rehearse it without hardware.",
    no_args_is_help=True,
    # Docstrings are wrapped for the source; Markdown wraps them anew for the terminal.
    rich_markup_mode="markdown",
    # A traceback that shows local variables would show tokens and passwords.
    pretty_exceptions_enable=False,
    pretty_exceptions_show_locals=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for _name, _command in _COMMANDS.items():
    app.command(_name)(_command)
app.add_typer(rule.app, name="rule")


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"stoa {version('stoa')}")
        raise typer.Exit


@app.callback()
def _options(
    _version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    pass


def main(arguments: list[str] | None = None) -> None:
    """Run the command line (of the process if no arguments are given) and exit."""
    options: dict[str, Any] = {} if arguments is None else {"args": arguments}
    # What `timeout` and service managers send ends a command as Ctrl-C does.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        app(prog_name="stoa", **options)
    except StoaError as error:
        print("stoa:", " ".join(str(error).split()), file=sys.stderr)
        sys.exit(error.exit_code)
