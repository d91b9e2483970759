"""Whose request it is, by what it says of itself, before the application has seen it.

Nothing is verified: a fault is no secret, and to whoever names another client the application says what is due.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections import deque
from typing import Any
from urllib.parse import unquote_plus

from joserfc import jws
from joserfc.errors import JoseError
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import Message, Receive, Scope

from host_tools.authority import parameters
from host_tools.authority.core.errors import OAuthError
from host_tools.authority.parameters import FORM, JSON, LARGEST_BODY, authorization


class Overheard:
    """A request that is heard ahead of the application, which hears it all again by `replay`."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._heard: deque[Message] = deque()

    async def hear(self) -> Message:
        message = await self._receive()
        self._heard.append(message)
        return message

    async def hear_out(self) -> None:
        """To its end, or until it is larger than any that is taken."""
        size, more = 0, True
        while more and size <= LARGEST_BODY:
            message = await self.hear()
            size += len(message.get("body", b""))
            more = message.get("more_body", False)

    async def replay(self) -> Message:
        return self._heard.popleft() if self._heard else await self._receive()


async def client_of(scope: Scope, receive: Receive) -> str | None:
    """The client_id of HTTP Basic, of a Bearer token's claims, of the query (RFC 6749 4.1.1) or of the body; None where
    there is none, or what there is cannot be read."""
    request = Request(scope, receive)
    try:
        scheme, value = authorization(Headers(scope=scope))
        if scheme == "basic":
            return _of_basic(value)
        if scheme == "bearer" and (claimed := _of_token(value)) is not None:
            return claimed
        if request.method in ("GET", "HEAD"):
            return request.query_params.get("client_id")
        return (await parameters.read(request, (FORM, JSON))).get("client_id")
    except OAuthError:
        return None


def _of_basic(value: str) -> str | None:
    """RFC 6749 2.3.1: form-encoded before it is joined to the secret."""
    try:
        text = base64.b64decode(value, validate=True).decode()
    except (binascii.Error, ValueError):
        return None
    return unquote_plus(text.partition(":")[0])


def _of_token(value: str) -> str | None:
    """RFC 9068 2.2 has `client_id`, Auth0's own profile `azp`. An opaque token, such as an mfa_token, says nothing."""
    try:
        claims: Any = json.loads(jws.extract_compact(value.encode()).payload)
    except (JoseError, ValueError, TypeError, KeyError, RecursionError):
        return None
    if not isinstance(claims, dict):
        return None
    named = (claims.get(name) for name in ("client_id", "azp"))
    return next((each for each in named if isinstance(each, str)), None)
