"""Which web pages' scripts may ask the authority: CORS (fetch.spec.whatwg.org, "CORS protocol").

A browser application exchanges its code by a script of its own origin. Those are the origins that clients list. No
endpoint here looks at a cookie, though Okta's SDK sends some. The pages and the control API are for no other site.
"""

from __future__ import annotations

from collections.abc import Collection

from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.routing import compile_path
from starlette.types import ASGIApp, Receive, Scope, Send

from host_tools.authority.core.records import Client
from host_tools.authority.core.storage import Store

# Auth0's SDKs tell their name and version in a header of their own, and so does Extra Horizon's.
_HEADERS = ("Authorization", "Content-Type", "Auth0-Client", "X-User-Agent")
_LIMITS = [f"{limit}-{part}" for limit in ("X-RateLimit", "X-Rate-Limit") for part in ("Limit", "Remaining", "Reset")]
_EXPOSED = ("Retry-After", "WWW-Authenticate", *_LIMITS)
_KEPT_S = 600


class CrossOrigin:
    """paths: those that scripts may ask, by an origin that a client lists, as their routes have them. headers: those
    that they may send beside what all may. cookies: whether browsers may send any along."""

    def __init__(
        self, app: ASGIApp, store: Store, paths: Collection[str], headers: tuple[str, ...] = (), cookies: bool = False
    ) -> None:
        self._app = app
        self._paths = frozenset(path for path in paths if "{" not in path)
        self._templates = [compile_path(path)[0] for path in paths if "{" in path]
        self._cors = _OfClients(app, store, headers, cookies)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        asked = scope["type"] == "http" and self._is_open(scope["path"])
        # A reply to who names no origin says too that it depends on it (Vary), where a cache may keep it for who does:
        # not one to a POST, such as a poll.
        asked = asked and (scope["method"] != "POST" or "origin" in Headers(scope=scope))
        await (self._cors if asked else self._app)(scope, receive, send)

    def _is_open(self, path: str) -> bool:
        return path in self._paths or any(template.match(path) for template in self._templates)


class _OfClients(CORSMiddleware):
    def __init__(self, app: ASGIApp, store: Store, headers: tuple[str, ...], cookies: bool) -> None:
        super().__init__(
            app,
            allow_methods=("GET", "POST"),
            allow_headers=(*_HEADERS, *headers),
            allow_credentials=cookies,
            expose_headers=_EXPOSED,
            max_age=_KEPT_S,
        )
        self._store = store

    def is_allowed_origin(self, origin: str) -> bool:
        return any(origin in client.web_origins.split() for client in self._store.find(Client))
