"""`stoa serve`: the authority alone."""

from __future__ import annotations

import contextlib
import json
import sys
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal

import typer

from host_tools.cli.options import Port


def serve(
    port: Port = 0,
    database: Annotated[
        Path | None,
        typer.Option(
            "--database", help="SQLite file that keeps users, clients and tokens over a restart.", dir_okay=False
        ),
    ] = None,
    mfa: Annotated[
        Literal["off", "rule", "policy"],
        typer.Option("--mfa", help="rule challenges everything, each refresh too; policy challenges logins only."),
    ] = "off",
    access_token_ttl: Annotated[
        int, typer.Option("--access-token-ttl", help="Life of an access token.", metavar="SECONDS", min=1)
    ] = 86400,
    clock: Annotated[
        Literal["real", "virtual"],
        typer.Option("--clock", help="virtual stands still until the control API moves it."),
    ] = "real",
    as_json: Annotated[bool, typer.Option("--json", help="Say what a client needs as one line of JSON.")] = False,
) -> None:
    """Run the simulated authorization server and its quote API on this machine, until Ctrl-C.

    It answers from the moment it prints its address. The tenant is a demo, made for this run: its password and TOTP
    secret are printed because they are good for nothing else.
    """
    from host_tools.authority import start_authority
    from host_tools.clock import RealClock, VirtualClock

    def tell(method: str, path: str, status: int) -> None:
        print(f"{datetime.now():%H:%M:%S} {method} {path} {status or 'lost'}", file=sys.stderr, flush=True)

    time = RealClock() if clock == "real" else VirtualClock.starting_now()
    # Ctrl-C may come as soon as the address is out.
    with (
        start_authority(time, port, database, mfa, access_token_ttl, on_request=tell) as authority,
        contextlib.suppress(KeyboardInterrupt),
    ):
        control = {"control_url": authority.control_url, "control_token": authority.control_token}
        tenant = asdict(authority.tenant) | control
        if as_json:
            print(json.dumps(tenant), flush=True)
        else:
            print("A demo tenant, made for this run:", flush=True)
            for name, value in tenant.items():
                print(f"  {name:14} {value}", flush=True)
            options = f"--issuer {tenant['issuer']} --client-id {tenant['client_id']}"
            print(f"A display for it: stoa simulate {options} --state board --panel-png panel.png", flush=True)
            print("Requests are told below. Ctrl-C ends it.", flush=True)
        authority.wait()
