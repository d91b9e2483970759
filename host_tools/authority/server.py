"""An authority on a port of this machine, in a thread of its own."""

from __future__ import annotations

import asyncio
import errno
import secrets
import socket
import sqlite3
import threading
import time
from collections.abc import Callable
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from host_tools.authority import snapshot as snapshots
from host_tools.authority.app import create_app
from host_tools.authority.checks import check_choice
from host_tools.authority.control import Controls
from host_tools.authority.control import routes as control_api
from host_tools.authority.core.authority import Authority
from host_tools.authority.core.policies import MFA_MODES, MfaMode
from host_tools.authority.errors import AuthorityError, NotNow
from host_tools.authority.gateway import Quote, QuoteOfDay
from host_tools.authority.snapshot import Snapshot
from host_tools.authority.store import SqliteStore
from host_tools.authority.tenant import Tenant, demo_tenant
from host_tools.clock import Clock

ADDRESS = "127.0.0.1"  # a demo's passwords go over plain HTTP: no other machine may see it
_START_TIMEOUT_S = 20
OnRequest = Callable[[str, str, int], None]
NO_ANSWER = 0
_STOP_TIMEOUT_S = 5
_SETTLE_TIMEOUT_S = 5
_TURNS_TO_BEGIN = 8  # of the event loop, from a connection in the backlog to its request's task: four are enough


class RunningAuthority:
    """A server that answers. `stop` it, or use it as a context manager."""

    def __init__(
        self,
        authority: Authority,
        tenant: Tenant,
        control: Controls,
        control_token: str,
        store: SqliteStore,
        server: uvicorn.Server,
    ) -> None:
        self.issuer = authority.issuer
        self.tenant = tenant
        self.control = control
        self.control_url = f"{authority.issuer.rstrip('/')}{control_api.PREFIX}"
        self.control_token = control_token
        self._authority = authority
        self._store = store
        self._server = server
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
            asyncio.run_coroutine_threadsafe(_settled(self._server), self._loop).result(_SETTLE_TIMEOUT_S)
        except TimeoutError as busy:
            raise NotNow("a request is still under way; end what sends it first") from busy

    def wait(self) -> None:
        """Until it ends. Ctrl-C comes through."""
        # Not by Thread.join: interrupted, CPython 3.11's takes the thread for ended, and `stop` would wait for nothing.
        while not self._ended.wait(0.2):
            pass

    def stop(self) -> None:
        """End it, and close its database. Doing so twice does no harm."""
        self._server.should_exit = True
        if self._thread.is_alive():
            self._thread.join(_STOP_TIMEOUT_S)
        self._listening.close()
        self._store.close()

    def __enter__(self) -> RunningAuthority:
        return self

    def __exit__(self, *exception: object) -> None:
        self.stop()

    def _serve(self) -> None:
        try:
            asyncio.run(self._serve_until_told())
        except BaseException as failure:  # told by `start`, on the thread that can do something about it
            self._failure = failure
        finally:
            self._ended.set()

    async def _serve_until_told(self) -> None:
        self._loop = asyncio.get_running_loop()
        await self._server.serve(sockets=[self._listening])


async def _settled(server: uvicorn.Server) -> None:
    """Each turn of the loop takes what the sockets hold one step on: accepted, registered, read, begun."""
    quiet = 0
    while quiet < _TURNS_TO_BEGIN:
        quiet = 0 if server.server_state.tasks else quiet + 1
        await asyncio.sleep(0 if quiet else 0.0005)


def start_authority(
    clock: Clock,
    port: int = 0,
    database: Path | str | None = None,
    mfa: MfaMode = "off",
    access_token_ttl: int = 86400,
    *,
    refresh_leeway: int = 0,
    quote_of_day: QuoteOfDay | None = None,
    person_clock: Clock | None = None,
    on_request: OnRequest | None = None,
) -> RunningAuthority:
    """Start an authority with its demo tenant; it answers when this returns.

    Args:
        clock: the only time it knows.
        port: 0 picks a free one.
        database: a file that keeps users, clients, key and tokens over a restart; None keeps them in memory.
        mfa: off, rule or policy; see core/policies.py.
        access_token_ttl: seconds.
        refresh_leeway: seconds in which the refresh token before the newest is still taken; Auth0's default is none.
        quote_of_day: what the API tells, by day number; None takes the packaged quotes.
        person_clock: the time people's authenticators run by, where `clock` has left the real one behind.
        on_request: called with method, path (no query) and status of each answer; NO_ANSWER for a reply that is lost.

    Raises:
        AuthorityError: the port is taken, the database is not ours or cannot be written, or a value makes no sense.
    """
    check_choice("mfa", mfa, MFA_MODES)
    if access_token_ttl < 1:
        raise AuthorityError(f"an access token lifetime of {access_token_ttl} s is none; give 1 or more")
    quotes = quote_of_day or _packaged_quotes()
    listening = _listen(port)
    issuer = f"http://{ADDRESS}:{listening.getsockname()[1]}/"
    try:
        store = SqliteStore(Path(database) if database is not None else None)
        authority = Authority(store, clock, issuer, mfa, access_token_ttl, person_clock)
        tenant = demo_tenant(store, issuer, refresh_leeway)
    except AuthorityError:
        listening.close()
        raise
    except sqlite3.Error as damaged:
        listening.close()
        raise AuthorityError(f"{database} is damaged ({damaged}); name another database file") from damaged

    def hang_up(scope: Scope) -> None:
        for connection in server.server_state.connections:
            if isinstance(connection, H11Protocol) and connection.client == scope["client"]:
                connection.transport.close()

    controls, control_token = Controls(authority), secrets.token_urlsafe(32)
    app = create_app(authority, quotes, hang_up, control_api.route(controls, issuer, control_token))
    config = uvicorn.Config(
        _watched(app, on_request),
        http="h11",
        ws="none",
        log_level="warning",
        access_log=False,  # a request line may hold a user code
        lifespan="off",
        server_header=False,
        date_header=False,  # the application sends the injected clock's
        proxy_headers=False,  # no proxy stands before it, so whoever sends X-Forwarded-For makes an address up
        timeout_graceful_shutdown=2,
    )
    server = uvicorn.Server(config)
    running = RunningAuthority(authority, tenant, controls, control_token, store, server)
    running.start(listening)
    return running


def _watched(app: ASGIApp, on_request: OnRequest | None) -> ASGIApp:
    """Tells of each answer what may be told: a query can hold a user code, and headers and bodies hold secrets."""
    if on_request is None:
        return app

    async def watched(scope: Scope, receive: Receive, send: Send) -> None:
        answered = False

        async def tell(message: Message) -> None:
            nonlocal answered
            if message["type"] == "http.response.start":
                answered = True
                on_request(scope["method"], scope["path"], message["status"])
            await send(message)

        await app(scope, receive, tell)
        if not answered:
            on_request(scope["method"], scope["path"], NO_ANSWER)

    return watched


def _listen(port: int) -> socket.socket:
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a port just left is free at once
    try:
        listening.bind((ADDRESS, port))
        listening.listen(128)
    except (OSError, OverflowError) as refused:
        listening.close()
        taken = isinstance(refused, OSError) and refused.errno == errno.EADDRINUSE
        why = "is taken" if taken else f"cannot be used ({refused})"
        remedy = "choose another with --port, or --port 0 for any free one"
        raise AuthorityError(f"port {port} {why}; {remedy}") from refused
    return listening


def _packaged_quotes() -> QuoteOfDay:
    from host_tools import quote_packs

    pack = quote_packs.load_pack(Path(quote_packs.__file__).parent / "stoics.toml")

    def of_day(day: int) -> Quote:
        return quote_packs.quote_of_day(pack, day)

    return of_day
