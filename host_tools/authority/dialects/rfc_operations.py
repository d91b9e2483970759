"""What the RFCs' endpoints take and answer, for the OpenAPI document."""

from __future__ import annotations

from collections.abc import Iterable

from host_tools.authority.dialects.browser_applications import userinfo_refusal
from host_tools.authority.dialects.oauth import Refusal, UnsupportedTokenType
from host_tools.authority.dialects.oauth_operations import GRANTS, Endpoints
from host_tools.authority.openapi_operation import Operation


def operations(grant_types: Iterable[str], refusal: Refusal) -> tuple[Operation, ...]:
    """All of them. grant_types: those the token endpoint knows."""
    endpoints = Endpoints(refusal, {})
    return (
        endpoints.device_authorization("/device_authorization"),
        endpoints.token("/token", {each: GRANTS[each] for each in grant_types}),
        endpoints.revocation("/revoke", refuses=(UnsupportedTokenType,)),
        endpoints.introspection("/introspect"),
        Endpoints(userinfo_refusal(refusal), {}).userinfo("/userinfo"),
        endpoints.metadata("/.well-known/oauth-authorization-server"),
        endpoints.metadata("/.well-known/openid-configuration"),
        endpoints.keys("/jwks"),
    )
