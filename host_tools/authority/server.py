"""An authority on a port of this machine, in a thread of its own."""

from __future__ import annotations

import asyncio
import secrets
import socket
import sqlite3
import threading
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import uvicorn

from host_tools.authority import snapshot as snapshots
from host_tools.authority.app import create_app
from host_tools.authority.checks import check_choice
from host_tools.authority.control import Controls
from host_tools.authority.control import routes as control_api
from host_tools.authority.core.authority import Authority
from host_tools.authority.core.policies import MFA_MODES, MfaMode
from host_tools.authority.dialects import DIALECT_NAMES, DIALECTS, DialectName
from host_tools.authority.durable_answers import DurableAnswers
from host_tools.authority.errors import AuthorityError, NotNow
from host_tools.authority.example_names import EXAMPLE_NAMES, NEEDS, ExampleName
from host_tools.authority.gateway import Quote, QuoteOfDay
from host_tools.authority.listening import OnRequest, hang_up, listen, server_of, settled, watched
from host_tools.authority.local_ca import NAMES, LocalCA, local_ca
from host_tools.authority.scripts import Engine, ScriptsInForce
from host_tools.authority.snapshot import Snapshot
from host_tools.authority.store import SqliteStore
from host_tools.authority.tenant import ListedTenant, provision, put_in_force
from host_tools.authority.tenant_settings import DEMO_CLIENTS, DEMO_USERS, TenantSettings, demo_settings
from host_tools.authority.webhooks import Webhooks
from host_tools.clock import Clock

_START_TIMEOUT_S = 20
_STOP_TIMEOUT_S = 5
_SETTLE_TIMEOUT_S = 5


class RunningAuthority:
    """A server that answers. `stop` it, or use it as a context manager."""

    def __init__(
        self,
        authority: Authority,
        listed_tenant: ListedTenant,
        control: Controls,
        control_token: str,
        server: uvicorn.Server,
        ca: LocalCA | None,
        opened: ExitStack,
    ) -> None:
        """opened: what it works with, and closes when it stops."""
        self.issuer = authority.issuer
        # What clients must trust, where it has TLS: PEM.
        self.ca_file = None if ca is None else ca.ca_file
        self.listed_tenant = listed_tenant
        self.tenant = listed_tenant.tenant
        self.control = control
        self.control_url = f"{authority.issuer.rstrip('/')}{control_api.PREFIX}"
        self.control_token = control_token
        self._authority = authority
        self._server = server
        self._opened = opened
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = threading.Thread(target=self._serve, name="stoa-authority", daemon=True)
        self._ended = threading.Event()
        self._failure: BaseException | None = None

    def start(self, listening: socket.socket) -> None:
        """Returns when the server answers."""
        self._listening = listening
        self._thread.start()
        deadline = time.monotonic() + _START_TIMEOUT_S
        while not self._server.started:
            if not self._thread.is_alive() or time.monotonic() > deadline:
                self.stop()
                raise AuthorityError(f"the authority did not start: {self._failure or 'no answer'}; try again")
            time.sleep(0.005)

    def set_mfa(self, mode: MfaMode) -> None:
        """Turn the tenant's second factor off, on by rule, or on by policy; it holds from the next request."""
        self.control.set_mfa(mode)

    def snapshot(self) -> Snapshot:
        """Everything it knows and every switch, once the requests under way are answered."""
        self.settle()
        return snapshots.take(self._authority)

    def restore(self, snapshot: Snapshot) -> None:
        """Be as it was then. The clock is the caller's: put it back to `snapshot.taken_at` for the same run again."""
        self.settle()
        snapshots.put_back(self._authority, snapshot)

    def settle(self) -> None:
        """Return once every request that has reached this machine is answered.

        A board that lost its power may have left one behind, and it must not arrive in the run after.
        """
        if self._loop is None or not self._thread.is_alive():
            raise NotNow("the authority has stopped; start another")
        try:
            asyncio.run_coroutine_threadsafe(settled(self._server), self._loop).result(_SETTLE_TIMEOUT_S)
        except TimeoutError as busy:
            raise NotNow("a request is still under way; end what sends it first") from busy

    def wait(self) -> None:
        """Until it ends. Ctrl-C comes through."""
        # Not by Thread.join: interrupted, CPython 3.11's takes the thread for ended, and `stop` would wait for nothing.
        while not self._ended.wait(0.2):
            pass

    def stop(self) -> None:
        """End it, close its database, and remove the file of a CA that ends with it. Doing so twice does no harm."""
        self._server.should_exit = True
        if self._thread.is_alive():
            self._thread.join(_STOP_TIMEOUT_S)
        self._opened.close()

    def __enter__(self) -> RunningAuthority:
        return self

    def __exit__(self, *exception: object) -> None:
        self.stop()

    def _serve(self) -> None:
        try:
            with asyncio.Runner(loop_factory=self._server.config.get_loop_factory()) as runner:
                runner.run(self._serve_until_told())
        except BaseException as failure:  # told by `start`, on the thread that can do something about it
            self._failure = failure
        finally:
            self._ended.set()

    async def _serve_until_told(self) -> None:
        self._loop = asyncio.get_running_loop()
        await self._server.serve(sockets=[self._listening])


def start_authority(
    clock: Clock,
    port: int = 0,
    database: Path | str | None = None,
    mfa: MfaMode | None = None,
    access_token_ttl: int | None = None,
    *,
    dialect: DialectName = "auth0",
    config: Path | str | None = None,
    example: ExampleName | None = None,
    tls: bool = False,
    refresh_leeway: int = 0,
    quote_of_day: QuoteOfDay | None = None,
    person_clock: Clock | None = None,
    on_request: OnRequest | None = None,
    webhooks: Sequence[str] = (),
) -> RunningAuthority:
    """Start an authority with its demo tenant, or with that of a tenant file; it answers when this returns.

    Args:
        clock: the only time it knows.
        port: 0 picks a free one.
        database: a file that keeps users, clients, key and tokens over a restart; None keeps them in memory.
        mfa: never, always, adaptive or rule; see core/policies.py. None: what `config` says, or never.
        access_token_ttl: seconds. None: what `config` says, or a day.
        dialect: whose wire it speaks: auth0, okta, extrahorizon, or rfc for the RFCs' alone. Each has its demo tenant.
        config: a tenant file, docs/tenant-file.md. `database` then has its users and clients, and no others.
        example: a tenant ready made, in place of a file: bank, catsdogs or quotes.
        tls: answer over https, as 127.0.0.1 and as localhost, by a CA of its own that lasts as long as the database.
        refresh_leeway: seconds in which the demo display's refresh token before the newest is still taken; Auth0's
            default is none.
        quote_of_day: what the API tells, by day number; None takes the packaged quotes.
        person_clock: the time people's authenticators run by, where `clock` has left the real one behind.
        on_request: called with method, path (no query) and status of each answer; listening.NO_ANSWER for a
            reply that is lost.
        webhooks: URLs that are told of each text message and e-mail, beside those of `config`; see webhooks.py.

    Raises:
        TenantFileError: the tenant file cannot be read, or something is wrong in it.
        AuthorityError: the port is taken, the database or its CA is not ours or cannot be written, or a value makes no
            sense.
    """
    check_choice("dialect", dialect, DIALECT_NAMES)
    usual = _usual(dialect, refresh_leeway)
    if example is not None:
        check_choice("example", example, EXAMPLE_NAMES)
        if NEEDS[example] not in DIALECTS[dialect].endpoints.values():
            raise AuthorityError(
                f"the example {example} needs {NEEDS[example].replace('_', ' ')}, which the dialect {dialect} has not;"
                " name another dialect"
            )
        if config is not None:
            raise AuthorityError("an example is a tenant file of its own; name one of the two, or copy the example's")
    else:
        settings = _settings(_tenant(config, dialect, usual), mfa, access_token_ttl)
    new_user_id = DIALECTS[dialect].new_user_id
    quotes = quote_of_day or _packaged_quotes()
    kept_in = Path(database) if database is not None else None
    listening = listen(port)
    with ExitStack() as opened:
        opened.callback(listening.close)
        issuer = f"{'https' if tls else 'http'}://{NAMES[0]}:{listening.getsockname()[1]}/"
        if example is not None:
            from host_tools.authority import examples  # and the parser of tenant files

            settings = _settings(examples.settings(example, issuer, usual), mfa, access_token_ttl)
        try:
            store = SqliteStore(kept_in)
            opened.callback(store.close)
            authority = Authority(store, clock, issuer, person_clock=person_clock, user_codes=settings.user_codes)
            put_in_force(authority, settings)
            engine = Engine()
            opened.callback(engine.close)
            scripts = ScriptsInForce(engine, authority.post_login, issuer)
            scripts.put(settings.scripts)
            only = config is not None or example is not None
            provided = provision(store, issuer, settings, only, new_user_id)
        except sqlite3.Error as damaged:
            raise AuthorityError(f"{database} is damaged ({damaged}); name another database file") from damaged
        if told := (*webhooks, *settings.webhooks):
            add = authority.events.add
            subscribers = Webhooks(told, lambda sent, why: add("delivery_failed", None, sent.user_id, why))
            subscribers.start()
            opened.callback(subscribers.stop)
            authority.outbox.subscribe(subscribers.send)
        if store.log is not None:
            store.log.at_once()  # of the client and the key, which are told before anybody asks
        # The store's lock is on both by now.
        ca = opened.enter_context(local_ca(datetime.now(UTC), kept_in)) if tls else None
        controls, control_token = Controls(authority, scripts), secrets.token_urlsafe(32)
        control = control_api.route(controls, issuer, control_token)
        app = create_app(authority, quotes, lambda scope: hang_up(server, scope), control, dialect, settings.apis)
        durable = app if store.log is None else DurableAnswers(app, store.log)
        server = server_of(watched(durable, on_request), None if ca is None else ca.context)
        running = RunningAuthority(authority, provided, controls, control_token, server, ca, opened.pop_all())
    running.start(listening)
    return running


def _tenant(config: Path | str | None, dialect: DialectName, usual: TenantSettings) -> TenantSettings:
    """The dialect's demo's, or those of a file, in which what is left out is the demo's."""
    demo = DIALECTS[dialect].demo(usual)
    if config is None:
        return demo
    from host_tools.authority import tenant_file  # and its parser, for who has a file alone

    settings = tenant_file.load(Path(config), usual)
    if settings.users is DEMO_USERS:
        settings = replace(settings, users=demo.users)
    if settings.clients is DEMO_CLIENTS:
        settings = replace(settings, clients=demo.clients)
    return settings


def _usual(dialect: DialectName, refresh_leeway: int) -> TenantSettings:
    """What holds where nobody says otherwise."""
    flow = DIALECTS[dialect].device_flow
    return replace(demo_settings(refresh_leeway), user_codes=flow.user_codes, device_code_lifetime_s=flow.lifetime_s)


def _settings(settings: TenantSettings, mfa: MfaMode | None, access_token_ttl: int | None) -> TenantSettings:
    """The tenant's, with what was asked for by name before what its file says."""
    if mfa is not None:
        check_choice("mfa", mfa, MFA_MODES)
        settings = replace(settings, mfa=replace(settings.mfa, mode=mfa))
    if access_token_ttl is not None:
        if access_token_ttl < 1:
            raise AuthorityError(f"an access token lifetime of {access_token_ttl} s is none; give 1 or more")
        settings = replace(settings, access_token_lifetime_s=access_token_ttl)
    return settings


def _packaged_quotes() -> QuoteOfDay:
    from host_tools import quote_packs

    pack = quote_packs.load_pack(Path(quote_packs.__file__).parent / "stoics.toml")

    def of_day(day: int) -> Quote:
        return quote_packs.quote_of_day(pack, day)

    return of_day
