"""Okta's wire: its sign-in API (okta_authn.py), and the OAuth endpoints of its authorization server `default`.

One server stands for the two that a new org has. Its issuer is the org's address, as that of Okta's org authorization
server is; its endpoints are those of `default`, whose own issuer in life is /oauth2/default. The discovery document is
at both issuers and names the first: a client that reads the issuer in it (okta-auth-js, Stoa's display) finds its
way from either.
"""

from __future__ import annotations

import secrets
import uuid
from functools import partial
from typing import Any

from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from host_tools.authority.core.authority import Authority
from host_tools.authority.core.faults import Endpoint
from host_tools.authority.core.user_code import UserCodes
from host_tools.authority.dialects import browser_applications, oauth, okta_authn
from host_tools.authority.dialects.oauth import (
    CODE_GRANT,
    DEVICE_CODE_GRANT,
    REFRESH_GRANT,
    AuthorizePage,
    Call,
    DeviceFlow,
    Dialect,
    LogoutPaths,
)
from host_tools.authority.dialects.okta_operations import operations
from host_tools.authority.dialects.okta_refusals import refusal, too_many_requests

SERVER = "/oauth2/default"
_V1 = f"{SERVER}/v1"
_DOCUMENTS = (
    "/.well-known/openid-configuration",
    "/.well-known/oauth-authorization-server",
    f"{SERVER}/.well-known/openid-configuration",
    f"{SERVER}/.well-known/oauth-authorization-server",
)
ENDPOINTS: dict[str, Endpoint] = {
    f"{_V1}/device/authorize": "device_authorization",
    f"{_V1}/authorize": "authorization",
    f"{_V1}/userinfo": "userinfo",
    f"{_V1}/token": "token",
    f"{_V1}/revoke": "revocation",
    f"{_V1}/introspect": "introspection",
    f"{_V1}/keys": "jwks",
    **dict.fromkeys(_DOCUMENTS, "discovery"),
    **okta_authn.ENDPOINTS,
}
_GRANTS = {
    DEVICE_CODE_GRANT: oauth.device_code_grant,
    REFRESH_GRANT: oauth.refresh_grant,
    CODE_GRANT: browser_applications.code_grant,
}
_LOGOUT = LogoutPaths(f"{_V1}/logout")
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"


def routes(authority: Authority) -> list[Route]:
    """Okta's endpoints over this authority."""

    def device_authorization(call: Call) -> Response:
        return oauth.device_authorization(authority, call)

    def revoke(call: Call) -> Response:
        return oauth.revocation(authority, call, refuses_access_tokens=False)

    def introspect(call: Call) -> Response:
        told = authority.issued_tokens.introspect(call.credentials, call.sent.required("token"))
        return JSONResponse(dict(told), headers=oauth.NO_STORE)

    token = oauth.by_grant_type(_GRANTS, authority)
    metadata = _metadata(authority)
    return [
        oauth.post(f"{_V1}/device/authorize", device_authorization, refusal),
        oauth.post(f"{_V1}/token", token, refusal, is_slow=oauth.runs_scripts(authority)),
        oauth.post(f"{_V1}/revoke", revoke, refusal),
        oauth.post(f"{_V1}/introspect", introspect, refusal),
        browser_applications.userinfo_route(authority, f"{_V1}/userinfo", refusal),
        *(oauth.document(path, metadata) for path in _DOCUMENTS),
        oauth.document(f"{_V1}/keys", authority.access_tokens.public_keys()),
        *okta_authn.routes(authority),
    ]


def _metadata(authority: Authority) -> dict[str, Any]:
    issuer = authority.issuer
    server = f"{issuer.rstrip('/')}{_V1}"
    methods = ["none", "client_secret_basic", "client_secret_post"]
    return {
        "issuer": issuer,
        "authorization_endpoint": f"{server}/authorize",
        "token_endpoint": f"{server}/token",
        "userinfo_endpoint": f"{server}/userinfo",
        "jwks_uri": f"{server}/keys",
        "end_session_endpoint": f"{server}/logout",
        "device_authorization_endpoint": f"{server}/device/authorize",
        "revocation_endpoint": f"{server}/revoke",
        "introspection_endpoint": f"{server}/introspect",
        "scopes_supported": ["openid", "offline_access", "profile", "email"],
        **browser_applications.METADATA,
        "grant_types_supported": [*_GRANTS, "implicit"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "token_endpoint_auth_methods_supported": methods,
        "revocation_endpoint_auth_methods_supported": methods,
        "introspection_endpoint_auth_methods_supported": methods[1:],
    }


def _user_id() -> str:
    """`00ub0oNGTSWTBKOLGLNR`."""
    return "00u" + "".join(secrets.choice(_LETTERS) for _ in range(17))


def _device_code() -> str:
    """A version 4 UUID: 122 random bits."""
    return str(uuid.UUID(bytes=secrets.token_bytes(16), version=4))


DIALECT = Dialect(
    ENDPOINTS,
    routes,
    too_many_requests,
    partial(operations, _GRANTS, ENDPOINTS),
    _LOGOUT,
    authorize=AuthorizePage(f"{_V1}/authorize", takes_session_tokens=True),
    # Okta's: eight letters without a hyphen, ten minutes.
    device_flow=DeviceFlow(UserCodes(mask="********"), 600, _device_code),
    new_user_id=_user_id,
    signs_on_by_policy=True,
    # Its SDK tells its name and version, and a fingerprint where it is asked to, and sends its cookies along.
    script_headers=("X-Okta-User-Agent-Extended", "X-Device-Fingerprint"),
    scripts_send_cookies=True,
)
