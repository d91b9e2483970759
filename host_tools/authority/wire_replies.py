"""Replies that nobody would send on purpose: an answer with another body, and what a broken server answers."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from host_tools.authority.core.fault_kinds import Malformation, StatusReply
from host_tools.authority.dialects.oauth import NO_STORE
from host_tools.authority.parameters import JSON

_HTML = "text/html"
_DEPTH = 100_000  # past any parser that calls itself for each bracket
_LONG = 2_000_000  # bytes: more than a board without PSRAM has
# RFC 6749 5.2, and 4.1.2.1 for what is the server's own. Never invalid_grant: that is how devices lose their tokens.
_ERRORS = {401: "invalid_client", 403: "access_denied", 429: "temporarily_unavailable", 503: "temporarily_unavailable"}
_FOR_CLIENTS = ("token", "device_authorization", "revocation", "introspection")


@dataclass(frozen=True)
class Reply:
    """What the application answered, not yet sent. `body`: None where none goes over the wire (RFC 9110 6.4.1)."""

    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes | None

    async def send(self, send: Send, kept: int | None = None) -> None:
        """kept: end after so many bytes of the body, as if there were more to come."""
        await send({"type": "http.response.start", "status": self.status, "headers": list(self.headers)})
        await send({"type": "http.response.body", "body": (self.body or b"")[:kept], "more_body": kept is not None})


async def reply_of(app: ASGIApp, scope: Scope, receive: Receive) -> Reply:
    start: Message = {}
    body = bytearray()

    async def keep(message: Message) -> None:
        nonlocal start
        if message["type"] == "http.response.start":
            start = message
        else:
            body.extend(message.get("body", b""))

    await app(scope, receive, keep)
    bodiless = scope["method"] == "HEAD" or start["status"] in (204, 304)
    return Reply(start["status"], tuple(start["headers"]), None if bodiless else bytes(body))


def malformed(reply: Reply, how: Malformation) -> Reply:
    """This reply with another body. One that has no body stays as it is."""
    if reply.body is None:
        return reply
    body = _DAMAGE[how](reply.body)
    told = [each for each in reply.headers if each[0].lower() not in (b"content-length", b"content-type")]
    media_type = _HTML if how == "other_type" else JSON
    headers = (*told, (b"content-length", b"%d" % len(body)), (b"content-type", media_type.encode()))
    return Reply(reply.status, headers, body)


def status_reply(fault: StatusReply, in_words: Callable[[StatusReply, str], Mapping[str, Any] | None]) -> Response:
    """in_words: the body that a dialect has for it in place of OAuth's; None where that does."""
    headers = {} if fault.retry_after_s is None else {"Retry-After": str(fault.retry_after_s)}
    if fault.status == 401:
        # RFC 9110 15.5.2: MUST be sent, and some clients raise an error of their own without it.
        headers["WWW-Authenticate"] = f'{"Basic" if fault.endpoint in _FOR_CLIENTS else "Bearer"} realm="fault"'
    if fault.body == "html":
        return Response(_page(_title(fault.status)), fault.status, headers, _HTML)
    if fault.body == "empty":
        return Response(status_code=fault.status, headers=headers)
    usual = _ERRORS.get(fault.status, "server_error" if fault.status >= 500 else "invalid_request")
    told = {
        "error": fault.error or usual,
        "error_description": fault.error_description or f"A fault that was set: {_title(fault.status)}.",
    }
    return JSONResponse(in_words(fault, told["error_description"]) or told, fault.status, NO_STORE | headers)


def _title(status: int) -> str:
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return f"{status} Error"


def _page(title: str) -> bytes:
    """As bare as a reverse proxy's."""
    return f"<html>\n<head><title>{title}</title></head>\n<body><h1>{title}</h1><hr></body>\n</html>\n".encode()


def _each(change: Callable[[Any], Any]) -> Callable[[bytes], bytes]:
    """Every value of the object, or of the list, changed. A body that is no JSON is an object without any."""

    def damage(body: bytes) -> bytes:
        try:
            told = json.loads(body)
        except ValueError:
            told = {}
        if isinstance(told, list):
            return json.dumps([change(each) for each in told]).encode()
        return json.dumps({name: change(value) for name, value in told.items()}).encode()

    return damage


def _as_text(value: Any) -> Any:
    return str(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else value


_DAMAGE: dict[Malformation, Callable[[bytes], bytes]] = {
    "not_json": lambda body: _page("Sign in to this network"),  # under application/json: n8n-io/n8n#27089
    "cut_json": lambda body: body[: len(body) // 2],
    "empty": lambda body: b"",
    "not_utf8": lambda body: b'{"caf\xe9": true' + (b", " + body[1:] if body[:2] == b'{"' else b"}"),  # Latin-1
    "array": lambda body: b"[" + (body or b"{}") + b"]",
    "nulls": _each(lambda value: None),  # omnibear/omnibear#8 took "null" for an access token
    "wrong_types": _each(lambda value: [value]),
    "text_numbers": _each(_as_text),  # Azure AD's `"expires_in": "86399"`: ramosbugs/oauth2-rs#151
    "deep_json": lambda body: b"[" * _DEPTH + b"]" * _DEPTH,
    "long_json": lambda body: (body or b"{}") + b" " * (_LONG - len(body)),  # JSON allows blanks behind the value
    "other_type": lambda body: body,  # the JSON itself, as text/html
}
