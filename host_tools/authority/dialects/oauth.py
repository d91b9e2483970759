"""What every dialect's OAuth endpoints share: reading a call, answering with tokens, refusing as JSON."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.utils import formatdate
from typing import Any
from urllib.parse import unquote_plus

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from host_tools.authority import parameters
from host_tools.authority.core import errors, login_demands
from host_tools.authority.core.authority import Authority
from host_tools.authority.core.faults import RateLimit
from host_tools.authority.core.token_endpoint import Credentials, Tokens
from host_tools.authority.parameters import FORM, Parameters, authorization

DEVICE_CODE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"
REFRESH_GRANT = "refresh_token"
PASSWORD_GRANT = "password"
CODE_GRANT = "authorization_code"
NO_STORE = {"Cache-Control": "no-store", "Pragma": "no-cache"}  # RFC 6749 5.1
_SCRIPTED_GRANTS = (REFRESH_GRANT, PASSWORD_GRANT)
_NOT_TOLD = re.compile(r"[^ !#-\[\]-~]")  # RFC 6749 5.2: what an error_description may not have in it
_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]


@dataclass(frozen=True)
class Call:
    """A request to an OAuth endpoint. `bearer`: the token of its Authorization header."""

    sent: Parameters
    address: str
    user_agent: str
    basic: Credentials | None
    bearer: str | None

    @property
    def credentials(self) -> Credentials:
        """RFC 6749 2.3.1: HTTP Basic, or client_id and client_secret in the body. Raises InvalidRequest."""
        if self.basic is None:
            return Credentials(self.sent.required("client_id"), self.sent.get("client_secret"))
        if self.sent.get("client_secret") or self.sent.get("client_id") not in (None, self.basic.client_id):
            raise errors.InvalidRequest("The client is authenticated in more than one way.")  # 2.3: MUST NOT
        return self.basic


class UnsupportedTokenType(errors.OAuthError):
    """RFC 7009 2.2.1: The authorization server does not support the revocation of the presented token type."""

    error = "unsupported_token_type"
    description = "An access token cannot be revoked alone; revoke the refresh token."


Handler = Callable[[Call], Response]
Replies = Mapping[type[errors.OAuthError], tuple[int, str | None]]
Refusal = Callable[[errors.OAuthError], JSONResponse]


def refused(error: errors.OAuthError, replies: Replies) -> JSONResponse:
    """The reply for a refusal by a dialect's table: status and sentence; None keeps the core's sentence."""
    kind = next(each for each in type(error).__mro__ if each in replies)
    status, usual = replies[kind]
    # Some sentences say what was sent, which may be anything.
    description = _NOT_TOLD.sub("?", usual.format_map(vars(error)) if usual else error.description)
    headers = dict(NO_STORE)
    if isinstance(error, errors.LimitReached):
        headers["Retry-After"] = str(error.retry_after_s)
    if isinstance(error, errors.InvalidClient):
        headers["WWW-Authenticate"] = 'Basic realm="token"'  # RFC 6749 5.2
    return JSONResponse({"error": error.error, "error_description": description}, status, headers)


def post(
    path: str,
    handler: Handler,
    refusal: Refusal,
    media_types: tuple[str, ...] = (FORM,),
    is_slow: Callable[[Parameters], bool] | None = None,
) -> Route:
    """An OAuth endpoint: every refusal, of the core or of the body itself, leaves as an OAuth error.

    is_slow: which requests hash a password or run a script. All others are answered on the loop: a poll takes less than
    the way to a thread and back would.
    """

    async def endpoint(request: Request) -> Response:
        if request.method != "POST":
            return _wrong_method(refusal, "POST")
        try:
            sent = await parameters.read(request, media_types)
            call = _call(request, sent)
            if is_slow and is_slow(sent):
                return await run_in_threadpool(handler, call)
            return handler(call)
        except errors.OAuthError as error:
            return refusal(error)

    return Route(path, endpoint, methods=_METHODS)


def bodyless(path: str, method: str, handler: Callable[[Call, Mapping[str, Any]], Response], refusal: Refusal) -> Route:
    """An endpoint of another method, which takes its parameters from the path."""

    async def endpoint(request: Request) -> Response:
        if request.method != method:
            return _wrong_method(refusal, method)
        try:
            return handler(_call(request, Parameters(())), request.path_params)
        except errors.OAuthError as error:
            return refusal(error)

    return Route(path, endpoint, methods=_METHODS)


def document(path: str, content: Any) -> Route:
    """A public document that does not change while the server runs."""

    async def endpoint(request: Request) -> Response:
        return JSONResponse(content, headers={"Cache-Control": "public, max-age=15"})

    return Route(path, endpoint, methods=["GET"])


def granted(tokens: Tokens) -> Response:
    """RFC 6749 5.1."""
    body: dict[str, Any] = {"access_token": tokens.access_token}
    for name in ("refresh_token", "id_token", "recovery_code"):
        value = getattr(tokens, name)
        if value is not None:
            body[name] = value
    body |= {"scope": tokens.scope, "expires_in": tokens.expires_in, "token_type": "Bearer"}
    return JSONResponse(body, headers=NO_STORE)


def device_authorization(authority: Authority, call: Call) -> Response:
    """RFC 8628 3.2."""
    begun = authority.tokens.authorize_device(
        call.credentials,
        call.sent.get("scope"),
        # RFC 8707's `resource`: Auth0 takes both, by the tenant's Resource Parameter Compatibility Profile.
        call.sent.get("audience") or call.sent.get("resource"),
        # Of no RFC for devices: what a resource has asked for by RFC 9470, said where an application says it (Core).
        login_demands.max_age_of(call.sent.get),
        login_demands.acr_values_of(call.sent.get),
    )
    verification_uri = f"{authority.issuer}activate"
    body = {
        "device_code": begun.device_code,
        "user_code": begun.user_code,
        "verification_uri": verification_uri,
        "verification_uri_complete": f"{verification_uri}?user_code={begun.user_code.replace(' ', '%20')}",
        "expires_in": begun.expires_in,
        "interval": begun.interval,
    }
    return JSONResponse(body, headers=NO_STORE)


def revocation(authority: Authority, call: Call, refuses_access_tokens: bool) -> Response:
    """RFC 7009 2.2: 200 and nothing, whether there was such a token or not. Raises UnsupportedTokenType."""
    supported = authority.issued_tokens.revoke(call.credentials, call.sent.required("token"))
    if refuses_access_tokens and not supported:
        raise UnsupportedTokenType
    return Response(headers=NO_STORE)


def introspection(authority: Authority, call: Call) -> Response:
    """RFC 7662 2.2."""
    told = authority.issued_tokens.introspect(call.credentials, call.sent.required("token"))
    return JSONResponse(dict(told), headers=NO_STORE)


def device_code_grant(authority: Authority, call: Call) -> Response:
    return granted(authority.tokens.redeem_device_code(call.credentials, call.sent.required("device_code")))


def refresh_grant(authority: Authority, call: Call) -> Response:
    refresh_token = call.sent.required("refresh_token")
    scope = call.sent.get("scope")
    return granted(authority.tokens.refresh(call.credentials, refresh_token, scope, call.address, call.user_agent))


def runs_scripts(authority: Authority) -> Callable[[Parameters], bool]:
    """Which requests to the token endpoint wait for the tenant's scripts."""
    return lambda sent: authority.post_login.judge is not None and sent.get("grant_type") in _SCRIPTED_GRANTS


def by_grant_type(grants: Mapping[str, Callable[[Authority, Call], Response]], authority: Authority) -> Handler:
    """The token endpoint. Raises UnsupportedGrantType."""

    def token(call: Call) -> Response:
        grant = grants.get(call.sent.required("grant_type"))
        if grant is None:
            raise errors.UnsupportedGrantType
        return grant(authority, call)

    return token


def retry_headers(limit: RateLimit, now: int, burst: int) -> dict[str, str]:
    """What a rate limit says of itself, as far as it is set to; `now` in seconds since 1970."""
    headers = dict(NO_STORE)
    if limit.x_ratelimit:
        back_at = str(now + limit.wait_s)
        headers |= {"X-RateLimit-Limit": str(burst), "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": back_at}
    if limit.retry_after == "seconds":
        headers["Retry-After"] = str(limit.wait_s)
    elif limit.retry_after == "date":
        headers["Retry-After"] = formatdate(now + limit.wait_s, usegmt=True)
    return headers


def _wrong_method(refusal: Refusal, method: str) -> Response:
    reply = refusal(errors.InvalidRequest(f"The method must be {method}."))
    reply.status_code = 405
    reply.headers["Allow"] = method
    return reply


def _call(request: Request, sent: Parameters) -> Call:
    scheme, value = authorization(request.headers)
    return Call(
        sent,
        request.client.host if request.client else "",
        parameters.user_agent(request.headers),
        basic_credentials(value) if scheme == "basic" else None,
        value if scheme == "bearer" and value else None,
    )


def basic_credentials(value: str) -> Credentials:
    """RFC 6749 2.3.1: id and secret are form-encoded before they are joined."""
    try:
        text = base64.b64decode(value, validate=True).decode()
    except (binascii.Error, ValueError) as malformed:
        raise errors.InvalidClient from malformed
    client_id, colon, secret = text.partition(":")
    if not colon or not client_id:
        raise errors.InvalidClient
    return Credentials(unquote_plus(client_id), unquote_plus(secret))
