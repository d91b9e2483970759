"""The OpenAPI document of what an authority answers to programs, at `/openapi.json`.

The pages are for people and are not in it. It holds no secret: what it says is the same for every tenant of a dialect.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import cache
from importlib.metadata import version
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from host_tools.authority import gateway
from host_tools.authority.control import operations as control_operations
from host_tools.authority.core.faults import RateLimit
from host_tools.authority.dialects.dialect import Dialect
from host_tools.authority.gateway import operations as gateway_operations
from host_tools.authority.openapi_operation import Operation, Reply, Schema, api_error, exactly, together
from host_tools.authority.parameters import JSON
from host_tools.authority.tenant_settings import QUOTES_API, ApiSettings

PATH = "/openapi.json"
_SAYS = """What this authority answers. Anything may also go wrong by a fault that was set by the control API: \
`rate_limit` answers 429, `status` any status from 400 to 599, `malformed` another body; `lose_reply` ends the \
connection before an answer, and `truncate` within one. Another method than those named is answered 405, with \
`Allow`; another Host than the issuer's, 400 in plain text; an address that is not here, 404 with a page for people."""
# A parameter that holds a slash or a line feed makes the path another, which nothing answers.
_NOT_HERE = Reply("There is nothing at this address", headers={"cache-control": True}, page=True)
_OPERATION = Operation(
    "OpenAPI",
    "GET",
    PATH,
    "This document",
    {200: Reply("OpenAPI 3.1", ({"type": "object"},), {"cache-control": True})},
)


def operations(
    dialect: Dialect, controlled: bool, apis: Sequence[ApiSettings] = (QUOTES_API,)
) -> tuple[Operation, ...]:
    """All of an authority's. controlled: whether it has a control API."""
    control = control_operations.OPERATIONS if controlled else ()
    return (*_limited(dialect, apis), *control, _OPERATION)


def document(issuer: str, answered: Iterable[Operation]) -> dict[str, Any]:
    """OpenAPI 3.1 of these operations."""
    paths: dict[str, dict[str, Any]] = {}
    schemes: dict[str, Schema] = {}
    for each in answered:
        paths.setdefault(each.path, {})[each.method.lower()] = _described(each)
        schemes |= {security.name: security.scheme for security in each.security}
    return {
        "openapi": "3.1.1",
        "info": {"title": "Stoa's authority", "version": version("stoa"), "description": _SAYS},
        "servers": [{"url": issuer.rstrip("/")}],
        "paths": paths,
        "components": {"securitySchemes": schemes},
    }


def route(issuer: str, dialect: Dialect, controlled: bool, apis: Sequence[ApiSettings]) -> Route:
    """GET /openapi.json, for anybody."""

    @cache
    def content() -> bytes:  # made when it is first asked for: it would take 10 ms of each start
        return json.dumps(document(issuer, operations(dialect, controlled, apis))).encode()

    async def endpoint(request: Request) -> Response:
        return Response(content(), media_type=JSON, headers={"Cache-Control": "public, max-age=15"})

    return Route(PATH, endpoint, methods=["GET"])


def _limited(dialect: Dialect, apis: Sequence[ApiSettings]) -> list[Operation]:
    """The operations that a rate limit may strike, with what the dialect then answers."""
    most = dialect.too_many_requests(RateLimit("token"), 0)
    least = dialect.too_many_requests(RateLimit("token", retry_after="none", x_ratelimit=False), 0)
    told = json.loads(bytes(most.body))
    headers = {name: name in least.headers for name in most.headers if not name.startswith("content-")}
    # Okta's has an id of its own each time.
    shape = api_error([told["errorCode"]]) if "errorCode" in told else exactly(told)
    limited = Reply(f"- `{next(iter(told.values()))}`: A rate limit that was set.", (shape,), headers)
    struck = {**dialect.endpoints, **gateway.endpoints_of(apis)}
    return [
        replace(each, replies={**each.replies, 429: together(each.replies.get(429), limited)})
        if each.path in struck
        else each
        for each in (*dialect.operations(), *gateway_operations.operations(apis))
    ]


def _described(operation: Operation) -> dict[str, Any]:
    words = re.findall(r"\w+", operation.path)
    replies = dict(operation.replies)
    if "{" in operation.path:
        replies[404] = together(replies.get(404), _NOT_HERE)
    told: dict[str, Any] = {
        "operationId": "_".join([operation.method.lower(), *words]),
        "tags": [operation.tag],
        "summary": operation.summary,
        "responses": {str(status): _reply(each) for status, each in sorted(replies.items())},
    }
    if operation.parameters:
        told["parameters"] = list(operation.parameters)
    if operation.body:
        content = {media_type: {"schema": schema} for media_type, schema in operation.body.items()}
        told["requestBody"] = {"required": operation.needs_body, "content": content}
    if operation.security:
        anonymous: list[dict[str, list[str]]] = [{}] if operation.anonymous else []
        told["security"] = [*anonymous, *({each.name: []} for each in operation.security)]
    return told


def _reply(reply: Reply) -> dict[str, Any]:
    told: dict[str, Any] = {"description": reply.description}
    if reply.headers:
        told["headers"] = {
            name: {"required": always, "schema": {"type": "string"}} for name, always in reply.headers.items()
        }
    content: dict[str, Any] = {}
    if reply.shapes:
        content[JSON] = {"schema": reply.shapes[0] if len(reply.shapes) == 1 else {"anyOf": list(reply.shapes)}}
    if reply.page:
        content["text/html"] = {"schema": {"type": "string"}}
    return {**told, "content": content} if content else told
