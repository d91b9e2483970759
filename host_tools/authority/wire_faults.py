"""Carries out what only the connection can show: a reply that never comes, a refusal before anything is looked at."""

from __future__ import annotations

from collections.abc import Callable

from starlette.routing import compile_path
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from host_tools.authority import gateway
from host_tools.authority.core.faults import Endpoint, Faults, LoseReply, RateLimit
from host_tools.authority.dialects.oauth import Dialect
from host_tools.clock import Clock, now_s

HangUp = Callable[[Scope], None]


class WireFaults:
    """Between the server and the application. `hang_up` ends the connection of a request."""

    def __init__(self, app: ASGIApp, dialect: Dialect, faults: Faults, clock: Clock, hang_up: HangUp) -> None:
        self._app = app
        endpoints = {**dialect.endpoints, **gateway.ENDPOINTS}
        self._endpoints = {path: endpoint for path, endpoint in endpoints.items() if "{" not in path}
        self._templates = [(compile_path(path)[0], each) for path, each in endpoints.items() if "{" in path]
        self._too_many_requests = dialect.too_many_requests
        self._faults = faults
        self._clock = clock
        self._hang_up = hang_up

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        endpoint = self._endpoint(scope["path"]) if scope["type"] == "http" else None
        struck = endpoint and self._faults.strike(endpoint, LoseReply, RateLimit)
        if isinstance(struck, LoseReply):
            await self._lose(struck, scope, receive)
        elif isinstance(struck, RateLimit):
            await self._too_many_requests(struck, now_s(self._clock))(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    def _endpoint(self, path: str) -> Endpoint | None:
        templates = (endpoint for template, endpoint in self._templates if template.match(path))
        return self._endpoints.get(path) or next(templates, None)

    async def _lose(self, struck: LoseReply, scope: Scope, receive: Receive) -> None:
        if struck.moment == "after":
            await self._app(scope, receive, _to_nobody)
        else:
            await _read_to_the_end(receive)  # closing on unread bytes would reset the connection instead of ending it
        self._hang_up(scope)
        # A server that is returned to while the connection lives answers 500 for us.
        while (await receive())["type"] != "http.disconnect":
            pass


async def _to_nobody(message: Message) -> None:
    pass


async def _read_to_the_end(receive: Receive) -> None:
    while (await receive()).get("more_body"):
        pass
