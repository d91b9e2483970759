"""Auth0's wire: its paths, its statuses, its sentences (reference/wire-facts.md section 1).

Where RFC 8628 answers 400, Auth0 answers 403 and, for slow_down, 429; devices are built against what it does.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from email.utils import formatdate
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from host_tools.authority import parameters
from host_tools.authority.core import errors
from host_tools.authority.core.authority import Authority
from host_tools.authority.core.faults import Endpoint, RateLimit
from host_tools.authority.core.token_endpoint import Tokens
from host_tools.authority.parameters import FORM, JSON, BodyTooLarge, Parameters

ENDPOINTS: dict[str, Endpoint] = {
    "/oauth/device/code": "device_authorization",
    "/oauth/token": "token",
    "/oauth/revoke": "revocation",
    "/.well-known/openid-configuration": "discovery",
    "/.well-known/oauth-authorization-server": "discovery",
    "/.well-known/jwks.json": "jwks",
}
DEVICE_CODE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"
REFRESH_GRANT = "refresh_token"

# Status and sentence for each refusal; None keeps the core's sentence, which names the parameter at fault.
# [I] marks what wire-facts.md infers rather than quotes.
REPLIES: dict[type[errors.OAuthError], tuple[int, str | None]] = {
    errors.AuthorizationPending: (403, "User has yet to authorize device code."),
    errors.SlowDown: (429, "You are polling faster than the specified interval of {interval_s} seconds."),
    errors.ExpiredToken: (403, "The device code has expired."),
    errors.AccessDenied: (403, "User cancelled the confirmation prompt."),
    errors.InvalidGrant: (403, "Invalid or expired device code."),  # [I]
    errors.MfaRequired: (403, "Multifactor authentication required"),
    errors.InvalidRequest: (400, None),
    BodyTooLarge: (413, None),
    errors.InvalidScope: (400, None),
    errors.InvalidTarget: (400, None),  # [I]
    errors.UnsupportedGrantType: (400, None),  # [I]
    errors.InvalidClient: (401, "Unknown client."),  # [I] the sentence
}
_INVALID_REFRESH_TOKEN = "Unknown or invalid refresh token."  # the refresh grant's sentence for invalid_grant
# wire-facts 1.7 has the sentence; [I] the error's code.
_TOO_MANY = {
    "error": "too_many_requests",
    "error_description": "Too many requests. Check the X-RateLimit-Limit, X-RateLimit-Remaining and X-RateLimit-Reset "
    "headers.",
}
_BURST = 30  # wire-facts 1.7: the free tier's for POST /oauth/token
_NO_STORE = {"Cache-Control": "no-store", "Pragma": "no-cache"}  # RFC 6749 5.1

Handler = Callable[[Parameters], Response]


def refusal(error: errors.OAuthError, sentence: str | None = None) -> JSONResponse:
    """Auth0's reply for a core refusal."""
    status, usual = REPLIES[type(error)]
    description = sentence or (usual.format_map(vars(error)) if usual else error.description)
    body = {"error": error.error, "error_description": description}
    if isinstance(error, errors.MfaRequired):
        body["mfa_token"] = error.mfa_token
    return JSONResponse(body, status, _NO_STORE)


def too_many_requests(limit: RateLimit, now: int) -> JSONResponse:
    """Auth0's reply past its rate limit; `now` in seconds since 1970."""
    headers = dict(_NO_STORE)
    if limit.x_ratelimit:
        back_at = str(now + limit.wait_s)
        headers |= {"X-RateLimit-Limit": str(_BURST), "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": back_at}
    if limit.retry_after == "seconds":
        headers["Retry-After"] = str(limit.wait_s)
    elif limit.retry_after == "date":
        headers["Retry-After"] = formatdate(now + limit.wait_s, usegmt=True)
    return JSONResponse(_TOO_MANY, 429, headers)


def routes(authority: Authority) -> list[Route]:
    """Auth0's endpoints over this authority."""
    wire = _Auth0(authority)
    form_or_json = (FORM, JSON)
    return [
        _post("/oauth/device/code", wire.device_code, (FORM,)),
        _post("/oauth/token", wire.token, form_or_json),
        _post("/oauth/revoke", wire.revoke, form_or_json),
        Route("/.well-known/openid-configuration", wire.discovery, methods=["GET"]),
        Route("/.well-known/oauth-authorization-server", wire.discovery, methods=["GET"]),
        Route("/.well-known/jwks.json", wire.jwks, methods=["GET"]),
    ]


def _post(path: str, handler: Handler, media_types: tuple[str, ...]) -> Route:
    """An OAuth endpoint: every refusal, of the core or of the body itself, leaves as an OAuth error."""

    async def endpoint(request: Request) -> Response:
        if request.method != "POST":
            reply = refusal(errors.InvalidRequest("The method must be POST."))
            reply.status_code = 405
            reply.headers["Allow"] = "POST"
            return reply
        try:
            sent = await parameters.read(request, media_types)
            return await run_in_threadpool(handler, sent)
        except errors.OAuthError as refused:
            return refusal(refused)

    return Route(path, endpoint, methods=["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])


class _Auth0:
    def __init__(self, authority: Authority) -> None:
        self._authority = authority
        self._grants: dict[str, Handler] = {
            DEVICE_CODE_GRANT: self._device_code_grant,
            REFRESH_GRANT: self._refresh_grant,
        }
        self.discovery = _document(self._metadata())
        self.jwks = _document(authority.access_tokens.public_keys())

    def device_code(self, sent: Parameters) -> Response:
        begun = self._authority.tokens.authorize_device(
            sent.required("client_id"),
            sent.get("scope"),
            sent.get("audience") or sent.get("resource"),  # the tenant's Resource Parameter Compatibility Profile
        )
        verification_uri = f"{self._authority.issuer}activate"
        body = {
            "device_code": begun.device_code,
            "user_code": begun.user_code,
            "verification_uri": verification_uri,
            "verification_uri_complete": f"{verification_uri}?user_code={begun.user_code}",
            "expires_in": begun.expires_in,
            "interval": begun.interval,
        }
        return JSONResponse(body, headers=_NO_STORE)

    def token(self, sent: Parameters) -> Response:
        grant = self._grants.get(sent.required("grant_type"))
        if grant is None:
            raise errors.UnsupportedGrantType
        return grant(sent)

    def revoke(self, sent: Parameters) -> Response:
        self._authority.tokens.revoke(sent.required("client_id"), sent.required("token"))
        return Response(headers=_NO_STORE)

    def _device_code_grant(self, sent: Parameters) -> Response:
        client_id, device_code = sent.required("client_id"), sent.required("device_code")
        return _granted(self._authority.tokens.redeem_device_code(client_id, device_code))

    def _refresh_grant(self, sent: Parameters) -> Response:
        client_id, refresh_token = sent.required("client_id"), sent.required("refresh_token")
        try:
            return _granted(self._authority.tokens.refresh(client_id, refresh_token, sent.get("scope")))
        except errors.InvalidGrant as refused:
            return refusal(refused, _INVALID_REFRESH_TOKEN)

    def _metadata(self) -> dict[str, Any]:
        issuer = self._authority.issuer
        return {
            "issuer": issuer,
            "token_endpoint": f"{issuer}oauth/token",
            "device_authorization_endpoint": f"{issuer}oauth/device/code",
            "revocation_endpoint": f"{issuer}oauth/revoke",
            "jwks_uri": f"{issuer}.well-known/jwks.json",
            "scopes_supported": ["offline_access"],
            "response_types_supported": [],  # required by RFC 8414, and there is no authorization endpoint here
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "token_endpoint_auth_methods_supported": ["none"],
            # No grant_types_supported: Auth0 publishes none, and a device must not miss it.
        }


def _granted(tokens: Tokens) -> Response:
    body: dict[str, Any] = {"access_token": tokens.access_token}
    if tokens.refresh_token is not None:
        body["refresh_token"] = tokens.refresh_token
    body |= {"scope": tokens.scope, "expires_in": tokens.expires_in, "token_type": "Bearer"}
    return JSONResponse(body, headers=_NO_STORE)


def _document(content: Any) -> Callable[[Request], Awaitable[Response]]:
    """A public document that does not change while the server runs."""

    async def endpoint(request: Request) -> Response:
        return JSONResponse(content, headers={"Cache-Control": "public, max-age=15"})

    return endpoint
