"""The protected resource: today's quote, for whoever holds a token with the right scope (RFC 6750)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Protocol

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from host_tools.authority.core.access_tokens import TokenVerifier
from host_tools.authority.core.errors import InsufficientScope, InvalidRequest, InvalidToken, OAuthError
from host_tools.authority.core.faults import Endpoint
from host_tools.authority.parameters import authorization
from host_tools.clock import Clock, now_s

ENDPOINTS: dict[str, Endpoint] = {"/api/quotes/today": "api"}
_DAY_S = 86_400
_REALM = 'Bearer realm="api"'
_STATUS: dict[type[OAuthError], int] = {InvalidRequest: 400, InvalidToken: 401, InsufficientScope: 403}


class Quote(Protocol):
    """What the API tells of a quote."""

    @property
    def text(self) -> str: ...
    @property
    def author(self) -> str: ...
    @property
    def work(self) -> str: ...
    @property
    def locus(self) -> str: ...


QuoteOfDay = Callable[[int], Quote]  # of a day number: whole UTC days since 1970-01-01


def routes(verifier: TokenVerifier, scope: str, quote_of_day: QuoteOfDay, clock: Clock) -> list[Route]:
    """GET /api/quotes/today, behind `scope`."""

    async def today(request: Request) -> Response:
        try:
            granted = await run_in_threadpool(_authorized, request, verifier, scope)
        except OAuthError as refused:
            return _refused(refused)
        if not granted:
            # RFC 6750 3.1: without credentials, no error code.
            return JSONResponse({"message": "Unauthorized"}, 401, {"WWW-Authenticate": _REALM})
        return _quote(request, quote_of_day, now_s(clock) // _DAY_S)

    return [Route("/api/quotes/today", today, methods=["GET"])]


def _authorized(request: Request, verifier: TokenVerifier, scope: str) -> bool:
    """False when no bearer token was sent. Raises InvalidRequest, InvalidToken, InsufficientScope."""
    scheme, token = authorization(request.headers)
    if scheme != "bearer":
        return False
    if not token or " " in token:
        raise InvalidRequest("The Authorization header is not `Bearer` and one token.")
    claims = verifier.claims(token)
    if scope not in str(claims.get("scope", "")).split():
        raise InsufficientScope(scope)
    return True


def _refused(error: OAuthError) -> Response:
    challenge = f'{_REALM}, error="{error.error}", error_description="{error.description}"'
    if isinstance(error, InsufficientScope):
        challenge += f', scope="{error.scope}"'
    body = {"error": error.error, "error_description": error.description}
    return JSONResponse(body, _STATUS[type(error)], {"WWW-Authenticate": challenge, "Cache-Control": "no-store"})


def _quote(request: Request, quote_of_day: QuoteOfDay, day: int) -> Response:
    quote = quote_of_day(day)
    body = json.dumps(
        {
            "date": datetime.fromtimestamp(day * _DAY_S, UTC).date().isoformat(),
            "text": quote.text,
            "author": quote.author,
            "work": quote.work,
            "locus": quote.locus,
        },
        ensure_ascii=False,
    ).encode()
    etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    # `private` because the request is authorised, `no-cache` so that midnight is noticed: a 304 costs little.
    headers = {"ETag": etag, "Cache-Control": "private, no-cache"}
    if _matches(request.headers.getlist("if-none-match"), etag):
        return Response(status_code=304, headers=headers)
    return Response(body, media_type="application/json", headers=headers)


def _matches(if_none_match: list[str], etag: str) -> bool:
    """RFC 9110 13.1.2: any of a list, or `*`, compared weakly. Our tags hold no comma."""
    tags = [tag.strip().removeprefix("W/") for line in if_none_match for tag in line.split(",")]
    return "*" in tags or etag in tags
