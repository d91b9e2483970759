"""The wire of the RFCs alone: 8628, 6749, 7009, 7662, 8414, with their statuses and the core's own sentences."""

from __future__ import annotations

from functools import partial

from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from host_tools.authority.core import errors
from host_tools.authority.core.authority import Authority
from host_tools.authority.core.faults import Endpoint, RateLimit
from host_tools.authority.core.login_demands import ACR_VALUES
from host_tools.authority.dialects import browser_applications, oauth
from host_tools.authority.dialects.dialect import Dialect, LogoutPaths
from host_tools.authority.dialects.oauth import (
    CODE_GRANT,
    DEVICE_CODE_GRANT,
    REFRESH_GRANT,
    Call,
)
from host_tools.authority.dialects.rfc_operations import operations
from host_tools.authority.parameters import BodyTooLarge

ENDPOINTS: dict[str, Endpoint] = {
    "/device_authorization": "device_authorization",
    "/authorize": "authorization",
    "/userinfo": "userinfo",
    "/token": "token",
    "/revoke": "revocation",
    "/introspect": "introspection",
    "/.well-known/oauth-authorization-server": "discovery",
    "/.well-known/openid-configuration": "discovery",
    "/jwks": "jwks",
}
_GRANTS = {
    DEVICE_CODE_GRANT: oauth.device_code_grant,
    REFRESH_GRANT: oauth.refresh_grant,
    CODE_GRANT: browser_applications.code_grant,
}
_LOGOUT = LogoutPaths("/logout")

# RFC 6749 5.2: 400 for all, 401 for a client that is not known. RFC 8628 3.5 has the same for the device's polls.
REPLIES: oauth.Replies = {
    errors.OAuthError: (400, None),
    errors.InvalidClient: (401, None),
    errors.LimitReached: (429, None),
    BodyTooLarge: (413, None),
}
_BURST = 30


def refusal(error: errors.OAuthError) -> JSONResponse:
    if isinstance(error, errors.MfaRequired):
        # No RFC has mfa_required. OpenID Connect Core 3.1.2.6 has a code for "the End-User has to do something".
        error = _InteractionRequired()
    return oauth.refused(error, REPLIES)


def too_many_requests(limit: RateLimit, now: int) -> Response:
    """RFC 6585 4; `now` in seconds since 1970."""
    body = {"error": "temporarily_unavailable", "error_description": "Too many requests."}
    return JSONResponse(body, 429, oauth.retry_headers(limit, now, _BURST))


def routes(authority: Authority) -> list[Route]:
    def device_authorization(call: Call) -> Response:
        return oauth.device_authorization(authority, call)

    def revoke(call: Call) -> Response:
        return oauth.revocation(authority, call, refuses_access_tokens=True)

    def introspect(call: Call) -> Response:
        return oauth.introspection(authority, call)

    metadata = _metadata(authority)
    return [
        oauth.post("/device_authorization", device_authorization, refusal),
        oauth.post("/token", oauth.by_grant_type(_GRANTS, authority), refusal, is_slow=oauth.runs_scripts(authority)),
        oauth.post("/revoke", revoke, refusal),
        oauth.post("/introspect", introspect, refusal),
        browser_applications.userinfo_route(authority, "/userinfo", refusal),
        oauth.document("/.well-known/oauth-authorization-server", metadata),
        oauth.document("/.well-known/openid-configuration", metadata),
        oauth.document("/jwks", authority.access_tokens.public_keys()),
    ]


def _metadata(authority: Authority) -> dict[str, object]:
    """RFC 8414 2."""
    issuer = authority.issuer
    methods = ["none", "client_secret_basic", "client_secret_post"]
    return {
        "issuer": issuer,
        "authorization_endpoint": f"{issuer}authorize",
        "token_endpoint": f"{issuer}token",
        "userinfo_endpoint": f"{issuer}userinfo",
        "end_session_endpoint": f"{issuer}{_LOGOUT.standard[1:]}",
        "device_authorization_endpoint": f"{issuer}device_authorization",
        "revocation_endpoint": f"{issuer}revoke",
        "introspection_endpoint": f"{issuer}introspect",
        "jwks_uri": f"{issuer}jwks",
        "scopes_supported": ["openid", "offline_access", "profile", "email"],
        **browser_applications.METADATA,
        "grant_types_supported": [*_GRANTS, "implicit"],  # whose tokens come from /authorize
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "acr_values_supported": list(ACR_VALUES),  # RFC 9470 7
        "token_endpoint_auth_methods_supported": methods,
        "revocation_endpoint_auth_methods_supported": methods,
        "introspection_endpoint_auth_methods_supported": methods[1:],
    }


class _InteractionRequired(errors.OAuthError):
    error = "interaction_required"
    description = "The user has to authenticate with a second factor; begin a new grant."


DIALECT = Dialect(ENDPOINTS, routes, too_many_requests, partial(operations, _GRANTS, refusal), _LOGOUT)
