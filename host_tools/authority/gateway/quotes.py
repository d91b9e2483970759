"""The API of the display: today's quote."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Protocol

from starlette.requests import Request
from starlette.responses import Response

from host_tools.authority.gateway.guarded import Act, Served
from host_tools.clock import Clock, now_s

_DAY_S = 86_400


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


def quotes(quote_of_day: QuoteOfDay, clock: Clock) -> tuple[Served, ...]:
    """GET /today."""

    def today(request: Request, body: bytes) -> Act:
        return lambda claims: _quote(request, quote_of_day, now_s(clock) // _DAY_S)

    return (Served("GET", "/today", today),)


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
