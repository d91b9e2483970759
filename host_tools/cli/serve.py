"""`stoa serve`: the authority alone."""

from __future__ import annotations

import contextlib
import json
import shlex
import sys
from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import quote

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
    config: Annotated[
        Path | None,
        typer.Option(
            "--config",
            help="Tenant file, TOML: users, clients, policy, code masks. With --database it decides who is there.",
            dir_okay=False,
            show_default="a demo tenant",
        ),
    ] = None,
    example: Annotated[
        Literal["bank", "catsdogs", "quotes"] | None,
        typer.Option(
            "--example",
            help="A tenant ready made instead: a bank whose transfers step up, cats behind a factor of the last minute,"
            " quotes behind one of the last seven days.",
            show_default="none",
        ),
    ] = None,
    dialect: Annotated[
        Literal["auth0", "okta", "rfc", "extrahorizon"],
        typer.Option(
            "--dialect", help="Whose wire it speaks: Auth0's, Okta's, that of the RFCs alone, or Extra Horizon's."
        ),
    ] = "auth0",
    mfa: Annotated[
        Literal["never", "rule", "always", "adaptive"] | None,
        typer.Option(
            "--mfa",
            help="rule challenges everything, each refresh too; always challenges logins only; adaptive those that look"
            " risky. It goes before the tenant file.",
            show_default="never",
        ),
    ] = None,
    access_token_ttl: Annotated[
        int | None,
        typer.Option(
            "--access-token-ttl",
            help="Life of an access token. It goes before the tenant file.",
            metavar="SECONDS",
            min=1,
            show_default="86400",
        ),
    ] = None,
    tls: Annotated[
        bool,
        typer.Option(
            "--tls",
            help="Answer over https, by a CA made here. Clients must trust the file it prints as ca_file; with"
            " --database the CA is kept beside it.",
        ),
    ] = False,
    clock: Annotated[
        Literal["real", "virtual"],
        typer.Option("--clock", help="virtual stands still until the control API moves it."),
    ] = "real",
    as_json: Annotated[bool, typer.Option("--json", help="Say what a client needs as one line of JSON.")] = False,
) -> None:
    """Run the simulated authorization server and its quote API on this machine, until Ctrl-C.

    It answers from the moment it prints its address. The tenant is a demo, made for this run: its password and TOTP
    secret are printed because they are good for nothing else. Of a tenant file's, only what the file leaves open is
    made and printed.
    """
    from host_tools.authority import start_authority
    from host_tools.authority.dialects import DIALECTS
    from host_tools.clock import RealClock, VirtualClock

    def tell(method: str, path: str, status: int) -> None:
        # Whoever sends a request chooses its path: no line break and no terminal sequence of theirs is printed.
        print(f"{datetime.now():%H:%M:%S} {method} {quote(path)} {status or 'lost'}", file=sys.stderr, flush=True)

    time = RealClock() if clock == "real" else VirtualClock.starting_now()
    # Ctrl-C may come as soon as the address is out.
    with (
        _each_problem_told(),
        start_authority(
            time,
            port,
            database,
            mfa,
            access_token_ttl,
            dialect=dialect,
            config=config,
            example=example,
            tls=tls,
            on_request=tell,
        ) as authority,
        contextlib.suppress(KeyboardInterrupt),
    ):
        control = {"control_url": authority.control_url, "control_token": authority.control_token}
        trust = {} if authority.ca_file is None else {"ca_file": str(authority.ca_file)}
        tenant = asdict(authority.tenant) | control | trust
        listed = authority.listed_tenant.listed()
        if as_json:
            print(json.dumps(tenant | listed), flush=True)
        else:
            title = "A demo tenant, made for this run:"
            if config or example:
                title = f"{authority.listed_tenant.name}, of {config or f'the example {example}'}:"
            print(title, flush=True)
            for name, value in tenant.items():
                if value:
                    print(f"  {name:14} {value}", flush=True)
            if config or example:
                for name, value in (*_lines("user", listed["users"]), *_lines("client", listed["clients"])):
                    print(f"  {name:14} {value}", flush=True)
            # A display pairs by the device grant, and the tenant's client_id is of the first client that may.
            pairs = "device_authorization" in DIALECTS[dialect].endpoints.values()
            by_device = pairs and any("device_code" in client.grants for client in authority.listed_tenant.clients)
            if by_device and authority.tenant.quotes_url:
                options = f"--issuer {tenant['issuer']} --client-id {tenant['client_id']}"
                if trust:
                    options += f" --ca {shlex.quote(trust['ca_file'])}"
                print(f"A display for it: stoa simulate {options} --state board --panel-png panel.png", flush=True)
            if example:
                from host_tools.authority.examples import next_steps

                print(next_steps(example, authority.issuer), flush=True)
            print("Requests are told below. Ctrl-C ends it.", flush=True)
        authority.wait()


@contextlib.contextmanager
def _each_problem_told() -> Iterator[None]:
    """A tenant file may have many: a line each."""
    from host_tools.authority.tenant_settings import TenantFileError

    try:
        yield
    except TenantFileError as wrong:
        for problem in wrong.problems:
            print(f"stoa: {problem}", file=sys.stderr)
        raise typer.Exit(wrong.exit_code) from None


def _lines(name: str, records: list[dict[str, Any]]) -> Iterator[tuple[str, str]]:
    """`user anna@stoa.example, password ..., totp_secret ...`: who is there, and what was made for them."""
    for record in records:
        made = [record, *record.get("authenticators", [])]
        told = [f"{key} {each[key]}" for each in made for key in ("password", "factor", "totp_secret") if key in each]
        yield name, ", ".join([*(record[key] for key in ("username", "client_id", "name") if key in record), *told])
