"""The whole authority as one ASGI application, made from its parts without starting anything."""

from __future__ import annotations

from collections.abc import Sequence
from email.utils import formatdate
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from host_tools.authority import gateway, openapi, pages
from host_tools.authority.core.authority import Authority
from host_tools.authority.core.device_grants import device_code
from host_tools.authority.cross_origin import CrossOrigin
from host_tools.authority.dialects import DIALECTS, DialectName
from host_tools.authority.dialects.dialect import Dialect
from host_tools.authority.errors import AuthorityError
from host_tools.authority.gateway import QuoteOfDay
from host_tools.authority.tenant_settings import QUOTES_API, ApiSettings
from host_tools.authority.wire_faults import HangUp, WireFaults, endpoints_of
from host_tools.clock import Clock, now_s


def create_app(
    authority: Authority,
    quote_of_day: QuoteOfDay,
    hang_up: HangUp | None = None,
    control: BaseRoute | None = None,
    dialect: DialectName = "auth0",
    apis: Sequence[ApiSettings] = (QUOTES_API,),
) -> Starlette:
    """A dialect's endpoints, the pages and the APIs over one authority; its control API, where it has one.

    hang_up: ends a request's connection, where there is one; without it no fault strikes on the wire.

    Raises AuthorityError for an API below a path of the authority's own.
    """
    spoken = DIALECTS[dialect]
    authority.faults.reach(endpoints_of(spoken, apis).values())
    authority.requests.message_mode = spoken.authorize.message_mode
    authority.device_choices.in_force = spoken.signs_on_by_policy
    authority.device_grants.make_device_code = spoken.device_flow.make_device_code or device_code
    # A foreign name that resolves to this machine (DNS rebinding) must not reach the pages.
    hosts = [urlsplit(authority.issuer).hostname or "", "127.0.0.1", "localhost"]
    middleware = [
        Middleware(TrustedHostMiddleware, allowed_hosts=hosts),
        Middleware(_DateOfClock, clock=authority.clock),
    ]
    # Outside of the faults, or no script could read what they answer.
    middleware.append(
        Middleware(
            CrossOrigin,
            store=authority.store,
            paths=_open_to_scripts(spoken, apis),
            headers=spoken.script_headers,
            cookies=spoken.scripts_send_cookies,
        )
    )
    if hang_up is not None:
        faults = Middleware(
            WireFaults,
            dialect=spoken,
            apis=apis,
            faults=authority.faults,
            clock=authority.clock,
            hang_up=hang_up,
        )
        middleware.append(faults)
    own = [
        *spoken.routes(authority),
        *pages.routes(authority, spoken.logout, spoken.authorize),
        openapi.route(authority.issuer, spoken, control is not None, apis),
        *([control] if control else []),
    ]
    _check_prefixes(apis, [*(getattr(route, "path", "") for route in own), *gateway.PATHS])
    app = Starlette(
        routes=[*own, *gateway.routes(authority, apis, quote_of_day)],
        middleware=middleware,
        exception_handlers=pages.exception_handlers(),
    )
    # POST /oauth/token/ is no address of Auth0's: a client that has a slash too many is to find out here.
    app.router.redirect_slashes = False
    return app


def _open_to_scripts(dialect: Dialect, apis: Sequence[ApiSettings]) -> list[str]:
    """A dialect's addresses but for the one that is a page, the APIs', and where a session's factor is renewed."""
    open_paths = [path for path, endpoint in endpoints_of(dialect, apis).items() if endpoint != "authorization"]
    return [*open_paths, *gateway.RENEWAL]


def _check_prefixes(apis: Sequence[ApiSettings], own: Sequence[str]) -> None:
    """Raises AuthorityError."""
    for api in apis:
        prefix = api.policy.prefix
        if api.serves is not None and any(_overlap(prefix, path) for path in own):
            raise AuthorityError(
                f"the policy's prefix {prefix} lies among the authority's own addresses; name another, as /{api.serves}"
            )


def _overlap(prefix: str, path: str) -> bool:
    """Whether one lies below the other, or is it. A path ends where it takes parameters."""
    one, other = f"{prefix}/", f"{path.partition('{')[0].rstrip('/')}/"
    return other != "/" and (one.startswith(other) or other.startswith(one))


class _DateOfClock:
    """RFC 9110 6.6.1: an origin server with a clock sends Date. Ours is the injected one; the server's own is off."""

    def __init__(self, app: ASGIApp, clock: Clock) -> None:
        self._app = app
        self._clock = clock
        self._told = (-1, b"")  # the last second and its text: writing it anew took a tenth of a poll's time

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def dated(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], (b"date", self._date())]
            await send(message)

        await self._app(scope, receive, dated if scope["type"] == "http" else send)

    def _date(self) -> bytes:
        now = now_s(self._clock)
        if now != self._told[0]:
            self._told = (now, formatdate(now, usegmt=True).encode())
        return self._told[1]
