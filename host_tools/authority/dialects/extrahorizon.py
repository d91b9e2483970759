"""Extra Horizon's wire: its token endpoint, its users' own MFA, its refusals (reference/wire-facts.md section 3).

In life its access tokens are 40 hexadecimal digits that only itself can read. Here they are the JWTs that the quote API
verifies; a client cannot tell, for it is not to look into them. There is no device grant, no discovery, no scope, and
no page of its own: applications ask people for their passwords.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from host_tools.authority.core import errors
from host_tools.authority.core.authority import Authority
from host_tools.authority.core.faults import RateLimit
from host_tools.authority.core.object_ids import object_id
from host_tools.authority.core.records import User
from host_tools.authority.core.token_endpoint import Tokens
from host_tools.authority.dialects import extrahorizon_mfa, oauth
from host_tools.authority.dialects.dialect import Dialect, LogoutPaths
from host_tools.authority.dialects.extrahorizon_body import Body
from host_tools.authority.dialects.extrahorizon_endpoint import (
    Asked,
    health,
    moments,
    token_endpoint,
    told,
    users_endpoint,
)
from host_tools.authority.dialects.extrahorizon_operations import operations
from host_tools.authority.dialects.extrahorizon_paths import ENDPOINTS, HEALTH, ME, TOKENS
from host_tools.authority.dialects.extrahorizon_refusals import refusal, token_refusal
from host_tools.authority.dialects.oauth import (
    PASSWORD_GRANT,
    REFRESH_GRANT,
)
from host_tools.authority.tenant_settings import DEMO_USER, TenantSettings, UserSettings

_LOGOUT = LogoutPaths("/logout")  # of our pages: an application forgets its tokens, and asks nobody
# [I] the body: no refusal is public for too many requests that are not one user's.
_TOO_MANY = {"code": 429, "name": "TOO_MANY_REQUESTS_EXCEPTION", "message": "Too many requests"}
_BURST = 30
_ACCESS_TOKEN_LIFETIME_S = 300  # "A lifetime of 5 minutes", its page on authentication


def too_many_requests(limit: RateLimit, now: int) -> JSONResponse:
    """`now` in seconds since 1970."""
    return JSONResponse(_TOO_MANY, 429, oauth.retry_headers(limit, now, _BURST))


def routes(authority: Authority) -> list[Route]:
    def token(asked: Asked) -> Response:
        grant = _GRANTS.get(asked.body.text("grant_type"))
        if grant is None:
            raise errors.UnsupportedGrantType
        return _granted(grant(authority, asked))

    def is_slow(body: Body) -> bool:
        named = body.optional_text("grant_type")
        return named == PASSWORD_GRANT or (named == REFRESH_GRANT and authority.post_login.judge is not None)

    def me(_: Asked, user: User) -> Response:
        """As far as anything is known of a user here, in the snake case of the user service."""
        tries = authority.login_rate.of(user.username)
        body = {
            "id": object_id(user.user_id),
            "email": user.username,
            "activation": True,
            "failed_count": tries.failed,
            **moments(last_failed_timestamp=tries.failed_at),
        }
        return told(body)

    return [
        token_endpoint(TOKENS, token, token_refusal, is_slow),
        users_endpoint(authority, ME, "GET", me, refusal),
        *extrahorizon_mfa.routes(authority),
        *(health(path, refusal) for path in HEALTH),
    ]


def _password_grant(authority: Authority, asked: Asked) -> Tokens:
    username, password = asked.body.text("username"), asked.body.text("password")
    return authority.user_mfa_grants.password(asked.credentials, username, password, asked.address, asked.user_agent)


def _refresh_grant(authority: Authority, asked: Asked) -> Tokens:
    refresh_token = asked.body.text("refresh_token")
    return authority.user_mfa_grants.refresh(asked.credentials, refresh_token, asked.address, asked.user_agent)


def _mfa_grant(authority: Authority, asked: Asked) -> Tokens:
    token, method_id, code = (asked.body.text(name) for name in ("token", "method_id", "code"))
    return authority.user_mfa_grants.mfa(asked.credentials, token, method_id.lower(), code)


_GRANTS: dict[str, Callable[[Authority, Asked], Tokens]] = {
    PASSWORD_GRANT: _password_grant,
    REFRESH_GRANT: _refresh_grant,
    "mfa": _mfa_grant,
}


def _granted(tokens: Tokens) -> Response:
    body: dict[str, Any] = {
        "access_token": tokens.access_token,
        "token_type": "bearer",
        "expires_in": tokens.expires_in,
        "user_id": object_id(tokens.user_id),
        "application_id": object_id(tokens.client_id),
    }
    if tokens.refresh_token is not None:
        body["refresh_token"] = tokens.refresh_token
    return told(body)


def demo(settings: TenantSettings) -> TenantSettings:
    """The seed's user sets MFA up in its steps, so that there is none at first; and no client is a device."""
    users = (UserSettings(DEMO_USER, authenticators=()),)
    clients = tuple(
        replace(each, name="Stoa app", grants=("password", "refresh_token", "mfa"), metadata={})
        for each in settings.clients
    )
    return replace(settings, users=users, clients=clients, access_token_lifetime_s=_ACCESS_TOKEN_LIFETIME_S)


DIALECT = Dialect(ENDPOINTS, routes, too_many_requests, partial(operations, _GRANTS), _LOGOUT, demo)
