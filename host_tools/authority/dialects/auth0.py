"""Auth0's wire: its paths, its statuses, its sentences (reference/wire-facts.md section 1).

Where RFC 8628 answers 400, Auth0 answers 403 and, for slow_down, 429; devices are built against what it does. The MFA
API has a module of its own, auth0_mfa.py.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from host_tools.authority.core.authority import Authority
from host_tools.authority.core.faults import Endpoint, RateLimit
from host_tools.authority.dialects import auth0_mfa, browser_applications, oauth
from host_tools.authority.dialects.auth0_operations import operations
from host_tools.authority.dialects.auth0_refusals import refusal
from host_tools.authority.dialects.dialect import Dialect, LogoutPaths
from host_tools.authority.dialects.oauth import (
    CODE_GRANT,
    DEVICE_CODE_GRANT,
    PASSWORD_GRANT,
    REFRESH_GRANT,
    Call,
)
from host_tools.authority.parameters import FORM, JSON, Parameters

ENDPOINTS: dict[str, Endpoint] = {
    "/oauth/device/code": "device_authorization",
    "/authorize": "authorization",
    "/userinfo": "userinfo",
    "/oauth/token": "token",
    "/oauth/revoke": "revocation",
    **auth0_mfa.ENDPOINTS,
    "/mfa/authenticators/{authenticator_id}": "mfa",
    "/.well-known/openid-configuration": "discovery",
    "/.well-known/oauth-authorization-server": "discovery",
    "/.well-known/jwks.json": "jwks",
}
# Auth0's "Logout" and "OIDC Logout" in its Authentication API; who names no address goes to the first of the client's.
_LOGOUT = LogoutPaths("/oidc/logout", at_once="/v2/logout", leads_on=True)
# wire-facts 1.7 has the sentence; [I] the error's code.
_TOO_MANY = {
    "error": "too_many_requests",
    "error_description": "Too many requests. Check the X-RateLimit-Limit, X-RateLimit-Remaining and X-RateLimit-Reset "
    "headers.",
}
_BURST = 30  # wire-facts 1.7: the free tier's for POST /oauth/token


def too_many_requests(limit: RateLimit, now: int) -> JSONResponse:
    """Auth0's reply past its rate limit; `now` in seconds since 1970."""
    return JSONResponse(_TOO_MANY, 429, oauth.retry_headers(limit, now, _BURST))


def routes(authority: Authority) -> list[Route]:
    """Auth0's endpoints over this authority."""

    def device_code(call: Call) -> Response:
        return oauth.device_authorization(authority, call)

    def revoke(call: Call) -> Response:
        # wire-facts 1.3: 200 and an empty body, and no other reply to a client that is known.
        return oauth.revocation(authority, call, refuses_access_tokens=False)

    scripted = oauth.runs_scripts(authority)

    def is_slow(sent: Parameters) -> bool:
        return sent.get("grant_type") == PASSWORD_GRANT or scripted(sent)

    metadata = _metadata(authority)
    form_or_json = (FORM, JSON)
    return [
        oauth.post("/oauth/device/code", device_code, refusal),
        oauth.post("/oauth/token", oauth.by_grant_type(_GRANTS, authority), refusal, form_or_json, is_slow),
        oauth.post("/oauth/revoke", revoke, refusal, form_or_json),
        browser_applications.userinfo_route(authority, "/userinfo", refusal),
        *auth0_mfa.routes(authority),
        oauth.document("/.well-known/openid-configuration", metadata),
        oauth.document("/.well-known/oauth-authorization-server", metadata),
        oauth.document("/.well-known/jwks.json", authority.access_tokens.public_keys()),
    ]


def _password_grant(authority: Authority, call: Call) -> Response:
    sent = call.sent
    return oauth.granted(
        authority.password_grant.exchange(
            call.credentials,
            sent.required("username"),
            sent.required("password"),
            sent.get("scope"),
            sent.get("audience"),
            call.address,
            call.user_agent,
        )
    )


_GRANTS = {
    DEVICE_CODE_GRANT: oauth.device_code_grant,
    REFRESH_GRANT: oauth.refresh_grant,
    PASSWORD_GRANT: _password_grant,
    CODE_GRANT: browser_applications.code_grant,
    **auth0_mfa.GRANTS,
}


def _metadata(authority: Authority) -> dict[str, Any]:
    issuer = authority.issuer
    return {
        "issuer": issuer,
        "authorization_endpoint": f"{issuer}authorize",
        "token_endpoint": f"{issuer}oauth/token",
        "device_authorization_endpoint": f"{issuer}oauth/device/code",
        "revocation_endpoint": f"{issuer}oauth/revoke",
        "userinfo_endpoint": f"{issuer}userinfo",
        "end_session_endpoint": f"{issuer}{_LOGOUT.standard[1:]}",  # so in tenants made since November 2023
        "mfa_challenge_endpoint": f"{issuer}mfa/challenge",
        "jwks_uri": f"{issuer}.well-known/jwks.json",
        "scopes_supported": ["openid", "offline_access", "profile", "email"],
        **browser_applications.METADATA,
        "response_modes_supported": ["query", "fragment", "form_post"],  # web_message is there, and not told
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "token_endpoint_auth_methods_supported": ["none", "client_secret_basic", "client_secret_post"],
        # No grant_types_supported: Auth0 publishes none, and a device must not miss it.
    }


DIALECT = Dialect(ENDPOINTS, routes, too_many_requests, partial(operations, _GRANTS), _LOGOUT)
