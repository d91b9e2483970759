"""/gateway/check: what a server in front asks before it lets a request through, as nginx's `auth_request` does.

nginx takes three kinds of answers: 2xx lets through, 401 and 403 refuse; "any other response code returned by the
subrequest is considered an error", and its client gets a 500. So a request that is malformed is refused with 401 here.
With a 401 nginx passes WWW-Authenticate on; of a 403 it tells nothing, unless its configuration says so.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import unquote

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from host_tools.authority.core.authority import Authority
from host_tools.authority.core.errors import InvalidRequest, InvalidToken, OAuthError
from host_tools.authority.core.resource_policy import ResourcePolicy, ResourceRule
from host_tools.authority.core.resources import Resource
from host_tools.authority.core.spent_tokens import SpentTokens
from host_tools.authority.gateway.bearer import access_token, refused

PATH = "/gateway/check"
_METHOD = "X-Original-Method"
_URI = "X-Original-URI"
_REQUEST_ID = "X-Request-ID"
# What two servers may read differently: escapes that hide a dot, a slash, a backslash or a control character.
_AMBIGUOUS = re.compile(r"%(2e|2f|5c|[01][0-9a-f]|7f)", re.IGNORECASE)
_PLAIN = re.compile(r"/[\x21\x24-\x5b\x5d-\x7e]*")  # RFC 3986's characters, and no backslash
_SHOWN = re.compile(r"[^\x20-\x7e]")


def check_route(authority: Authority, resources: Sequence[Resource]) -> Route:
    """resources: those of the longest prefixes first, for one API may lie below another."""

    async def endpoint(request: Request) -> Response:
        # Of two, nobody could tell which the server in front means and which somebody has slipped in.
        method, uri = (_only(request.headers.getlist(name)) for name in (_METHOD, _URI))
        found = _found(resources, method, uri)
        if isinstance(found, str):
            # nginx passes no body on; a header it can log.
            return JSONResponse({"message": found}, 403, {"Cache-Control": "no-store", "X-Gateway-Reason": found})
        resource, rule = found
        try:
            return await run_in_threadpool(_let_through, request, authority.spent_tokens, resource, rule)
        except OAuthError as error:
            return _refused(error, resource.policy)

    return Route(PATH, endpoint, methods=["GET"])


def _found(resources: Sequence[Resource], method: str | None, uri: str | None) -> tuple[Resource, ResourceRule] | str:
    """Whose request it is, by which rule; or why nobody's."""
    if not method or not uri:
        return f"{_METHOD} or {_URI} is missing"
    path = path_of(uri)
    if path is None:
        return "the path can be read in more than one way"
    for resource in resources:
        prefix = resource.policy.prefix
        if path == prefix or path.startswith(f"{prefix}/"):
            rule = resource.policy.rule(method, path[len(prefix) :])
            return (resource, rule) if rule else "no rule of its policy names this"
    return "no policy has this prefix"


def _only(sent: list[str]) -> str | None:
    return sent[0] if len(sent) == 1 else None


def path_of(uri: str) -> str | None:
    """The path of a request line, decoded; None where a server in front may take it for another.

    nginx resolves `..`, joins slashes and decodes escapes before it looks for a location, and tells `$request_uri` as
    it was sent: /dogs/..%2fcats/ is the cats' there, and would be a dog here.
    """
    path = uri.partition("?")[0]
    if not _PLAIN.fullmatch(path) or _AMBIGUOUS.search(path):
        return None
    try:
        decoded = unquote(path, errors="strict")
    except UnicodeDecodeError:
        return None
    if "%" in decoded or "//" in decoded:
        return None
    # Servlet containers cut a segment's parameters off before they resolve it: `..;a=b` is `..` there.
    segments = (each.partition(";")[0] for each in decoded.split("/"))
    return None if any(each in (".", "..") for each in segments) else decoded


def _let_through(request: Request, spent: SpentTokens, resource: Resource, rule: ResourceRule) -> Response:
    """200, and whose request it is, for the server in front to pass on."""
    # nginx asks anew for each step of a request that it leads on within itself, as from a folder to its index.
    request_id = request.headers.get(_REQUEST_ID, "")
    token = access_token(request.headers) if rule.require != "none" else None
    claims = resource.claims(rule, token, request_id)
    if rule.once:
        spent.spend(claims, request_id)
    told = {"X-Auth-Subject": claims.get("sub"), "X-Auth-Client": claims.get("client_id")}
    told["X-Auth-Scope"] = claims.get("scope")
    named = {name: _SHOWN.sub("?", str(value)) for name, value in told.items() if value}
    return Response(headers={"Cache-Control": "no-store", **named})


def _refused(error: OAuthError, policy: ResourcePolicy) -> Response:
    if isinstance(error, InvalidRequest):
        error = InvalidToken(error.description)
    return refused(error, policy)
