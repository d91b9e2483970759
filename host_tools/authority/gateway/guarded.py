"""An API of the gateway's own behind its policy: who is let through, and then what it answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from host_tools.authority.core.authority import Authority
from host_tools.authority.core.errors import OAuthError
from host_tools.authority.core.resource_policy import ResourceRule
from host_tools.authority.core.resources import Resource
from host_tools.authority.gateway.bearer import access_token, refused
from host_tools.authority.parameters import whole_body

_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
Claims = Mapping[str, Any]
Act = Callable[[Claims], Response]  # what is done for the bearer of these, within a transaction
Prepare = Callable[[Request, bytes], Act]  # reads what was sent; raises InvalidRequest, which uses no token up


@dataclass(frozen=True)
class Served:
    """One operation of an API, at a path below the policy's prefix."""

    method: str
    path: str
    prepare: Prepare


class Undone(Exception):
    """What was asked cannot be done: nothing has changed, and the token is as good as before."""

    def __init__(self, reply: Response) -> None:
        super().__init__()
        self.reply = reply


def guarded(authority: Authority, resource: Resource, operations: tuple[Served, ...]) -> list[Route]:
    """Those operations that a rule of the policy's names. The others are not there."""
    policy = resource.policy
    return [
        _route(authority, resource, each, rule)
        for each in operations
        if (rule := policy.rule(each.method, each.path)) is not None
    ]


def _route(authority: Authority, resource: Resource, operation: Served, rule: ResourceRule) -> Route:
    allowed = ["GET", "HEAD"] if operation.method == "GET" else [operation.method]

    async def endpoint(request: Request) -> Response:
        if request.method not in allowed:
            return JSONResponse({"message": "Method Not Allowed"}, 405, {"Allow": ", ".join(allowed)})
        try:
            body = await whole_body(request) if operation.method == "POST" else b""
            return await run_in_threadpool(answered, request, body)
        except OAuthError as error:
            return refused(error, resource.policy)

    def answered(request: Request, body: bytes) -> Response:
        claims = resource.claims(rule, access_token(request.headers) if rule.require != "none" else None)
        act = operation.prepare(request, body)
        try:
            with authority.store.transaction():
                if rule.once:
                    authority.spent_tokens.spend(claims)
                return act(claims)
        except Undone as undone:
            return undone.reply

    return Route(f"{resource.policy.prefix}{operation.path}", endpoint, methods=_METHODS)
