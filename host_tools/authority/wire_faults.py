"""Carries out what only the connection can show: a reply that never comes, or comes late, cut off or damaged; a refusal
before anything is looked at."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from starlette.datastructures import Headers
from starlette.routing import compile_path
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from host_tools.authority import gateway
from host_tools.authority.core.fault_kinds import (
    DelayReply,
    Endpoint,
    Fault,
    LoseReply,
    MalformedReply,
    Moment,
    RateLimit,
    StatusReply,
    TruncateReply,
)
from host_tools.authority.core.faults import Faults
from host_tools.authority.dialects.dialect import Dialect
from host_tools.authority.tenant_settings import ApiSettings
from host_tools.authority.wire_clients import Overheard, client_of
from host_tools.authority.wire_delays import hung_up, let_pass
from host_tools.authority.wire_replies import malformed, reply_of, status_reply
from host_tools.clock import Clock, now_s

HangUp = Callable[[Scope], None]
_KINDS = (LoseReply, RateLimit, StatusReply, DelayReply, TruncateReply, MalformedReply)


def endpoints_of(dialect: Dialect, apis: Sequence[ApiSettings]) -> Mapping[str, Endpoint]:
    """What faults may strike, by the path as its route has it."""
    return {**dialect.endpoints, **gateway.endpoints_of(apis)}


class WireFaults:
    """Between the server and the application. `hang_up` ends the connection of a request."""

    def __init__(
        self,
        app: ASGIApp,
        dialect: Dialect,
        apis: Sequence[ApiSettings],
        faults: Faults,
        clock: Clock,
        hang_up: HangUp,
    ) -> None:
        self._app = app
        endpoints = endpoints_of(dialect, apis)
        self._endpoints = {path: endpoint for path, endpoint in endpoints.items() if "{" not in path}
        self._templates = [(compile_path(path)[0], each) for path, each in endpoints.items() if "{" in path]
        self._too_many_requests = dialect.too_many_requests
        self._in_words = dialect.fault_body
        self._faults = faults
        self._clock = clock
        self._hang_up = hang_up

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        endpoint = self._endpoint(scope["path"]) if scope["type"] == "http" and self._faults.active() else None
        struck: Fault | None = None
        if endpoint is not None and not _is_preflight(scope):
            client_id = None
            if self._faults.name_clients(endpoint, *_KINDS):
                overheard = Overheard(receive)
                client_id = await client_of(scope, overheard.hear)
                receive = overheard.replay
            struck = self._faults.strike(endpoint, *_KINDS, client_id=client_id)
        if struck is None:
            await self._app(scope, receive, send)
        else:
            await self._carry_out(struck, scope, receive, send)

    def _endpoint(self, path: str) -> Endpoint | None:
        templates = (endpoint for template, endpoint in self._templates if template.match(path))
        return self._endpoints.get(path) or next(templates, None)

    async def _carry_out(self, struck: Fault, scope: Scope, receive: Receive, send: Send) -> None:
        match struck:
            case LoseReply():
                await self._dispose(struck.moment, scope, receive)
                await self._end(scope, receive)
            case RateLimit():
                await self._too_many_requests(struck, now_s(self._clock))(scope, receive, send)
            case StatusReply():
                await self._dispose(struck.moment, scope, receive)
                await status_reply(struck, self._in_words)(scope, receive, send)
            case DelayReply():
                await self._delay(struck, scope, receive, send)
            case TruncateReply():
                await self._truncate(struck, scope, receive, send)
            case MalformedReply():
                reply = await reply_of(self._app, scope, receive)
                await malformed(reply, struck.how).send(send)

    async def _delay(self, struck: DelayReply, scope: Scope, receive: Receive, send: Send) -> None:
        if struck.moment == "after":
            reply = await reply_of(self._app, scope, receive)
            if await let_pass(struck.delay_ms, self._clock, scope, receive):
                await reply.send(send)
            return
        overheard = Overheard(receive)
        await overheard.hear_out()
        if await let_pass(struck.delay_ms, self._clock, scope, receive):
            await self._app(scope, overheard.replay, send)

    async def _truncate(self, struck: TruncateReply, scope: Scope, receive: Receive, send: Send) -> None:
        reply = await reply_of(self._app, scope, receive)
        if whole := len(reply.body or b""):
            kept = whole // 2 if struck.keep_bytes is None else min(struck.keep_bytes, whole - 1)
            await reply.send(send, kept)
        await self._end(scope, receive)

    async def _dispose(self, moment: Moment, scope: Scope, receive: Receive) -> None:
        """Of a request that the application does not answer itself."""
        if moment == "after":
            await self._app(scope, receive, _to_nobody)
        else:
            await _read_to_the_end(receive)  # closing on unread bytes would reset the connection instead of ending it

    async def _end(self, scope: Scope, receive: Receive) -> None:
        self._hang_up(scope)
        await hung_up(receive)  # a server that is returned to while the connection lives answers 500 for us


def _is_preflight(scope: Scope) -> bool:
    """What a browser asks of its own accord before the request that a fault is meant for (Fetch 3.3.1)."""
    return scope["method"] == "OPTIONS" and "access-control-request-method" in Headers(scope=scope)


async def _to_nobody(message: Message) -> None:
    pass


async def _read_to_the_end(receive: Receive) -> None:
    while (await receive()).get("more_body"):
        pass
