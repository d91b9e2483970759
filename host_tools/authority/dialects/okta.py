"""Okta's wire: its sign-in API (okta_authn.py), and the OAuth endpoints of its two authorization servers.

The org server is at /oauth2/v1, and its issuer is the org's address, ours; the custom server that a new org has is
`default`, at /oauth2/default/v1. In life that one has an issuer and keys of its own; here both are one server under two
names: `default`'s discovery document names the endpoints there, and the org's issuer. A client that goes by the issuer
in the document (okta-auth-js, Stoa's display) finds its way from either.
"""

from __future__ import annotations

import secrets
import uuid
from functools import partial
from typing import Any, NamedTuple

from starlette.responses import Response
from starlette.routing import Route

from host_tools.authority.core.authority import Authority
from host_tools.authority.core.authorization_requests import OKTA_POST_MESSAGE, RESPONSE_MODES, WEB_MESSAGE
from host_tools.authority.core.faults import Endpoint
from host_tools.authority.core.user_code import UserCodes
from host_tools.authority.dialects import browser_applications, oauth, okta_authn
from host_tools.authority.dialects.dialect import AuthorizePage, DeviceFlow, Dialect, LogoutPaths
from host_tools.authority.dialects.oauth import (
    CODE_GRANT,
    DEVICE_CODE_GRANT,
    REFRESH_GRANT,
    Call,
)
from host_tools.authority.dialects.okta_operations import operations
from host_tools.authority.dialects.okta_refusals import fault_body, refusal, too_many_requests

_WELL_KNOWN = ("openid-configuration", "oauth-authorization-server")


class Server(NamedTuple):
    """Where an authorization server has its endpoints, and where its discovery documents."""

    endpoints: str
    documents: tuple[str, ...]


SERVERS = tuple(
    Server(f"{at}/v1", tuple(f"{documents}/.well-known/{name}" for name in _WELL_KNOWN))
    for at, documents in (("/oauth2", ""), ("/oauth2/default", "/oauth2/default"))
)
ENDPOINTS: dict[str, Endpoint] = {**okta_authn.ENDPOINTS}
for _server in SERVERS:
    ENDPOINTS |= {
        f"{_server.endpoints}/device/authorize": "device_authorization",
        f"{_server.endpoints}/authorize": "authorization",
        f"{_server.endpoints}/userinfo": "userinfo",
        f"{_server.endpoints}/token": "token",
        f"{_server.endpoints}/revoke": "revocation",
        f"{_server.endpoints}/introspect": "introspection",
        f"{_server.endpoints}/keys": "jwks",
        **dict.fromkeys(_server.documents, "discovery"),
    }
_GRANTS = {
    DEVICE_CODE_GRANT: oauth.device_code_grant,
    REFRESH_GRANT: oauth.refresh_grant,
    CODE_GRANT: browser_applications.code_grant,
}
_LOGOUT = LogoutPaths(f"{SERVERS[0].endpoints}/logout", also=(f"{SERVERS[1].endpoints}/logout",))
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"


def routes(authority: Authority) -> list[Route]:
    """Okta's endpoints over this authority."""

    def device_authorization(call: Call) -> Response:
        return oauth.device_authorization(authority, call)

    def revoke(call: Call) -> Response:
        return oauth.revocation(authority, call, refuses_access_tokens=False)

    def introspect(call: Call) -> Response:
        return oauth.introspection(authority, call)

    token, keys = oauth.by_grant_type(_GRANTS, authority), authority.access_tokens.public_keys()
    found = okta_authn.routes(authority)
    for server in SERVERS:
        at, metadata = server.endpoints, _metadata(authority, server)
        found += [
            oauth.post(f"{at}/device/authorize", device_authorization, refusal),
            oauth.post(f"{at}/token", token, refusal, is_slow=oauth.runs_scripts(authority)),
            oauth.post(f"{at}/revoke", revoke, refusal),
            oauth.post(f"{at}/introspect", introspect, refusal),
            browser_applications.userinfo_route(authority, f"{at}/userinfo", refusal),
            *(oauth.document(path, metadata) for path in server.documents),
            oauth.document(f"{at}/keys", keys),
        ]
    return found


def _metadata(authority: Authority, of: Server) -> dict[str, Any]:
    issuer = authority.issuer
    server = f"{issuer.rstrip('/')}{of.endpoints}"
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
        "response_modes_supported": [*(each for each in RESPONSE_MODES if each != WEB_MESSAGE), OKTA_POST_MESSAGE],
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
    authorize=AuthorizePage(tuple(f"{each.endpoints}/authorize" for each in SERVERS), True, OKTA_POST_MESSAGE),
    # Okta's: eight letters without a hyphen, ten minutes.
    device_flow=DeviceFlow(UserCodes(mask="********"), 600, _device_code),
    new_user_id=_user_id,
    signs_on_by_policy=True,
    # Its SDK tells its name and version, and a fingerprint where it is asked to, and sends its cookies along.
    script_headers=("X-Okta-User-Agent-Extended", "X-Device-Fingerprint"),
    scripts_send_cookies=True,
    fault_body=fault_body,
)
