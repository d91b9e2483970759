"""What dialects share for browser applications: the exchange of their codes, /userinfo, and what discovery says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from host_tools.authority.core import errors
from host_tools.authority.core.authority import Authority
from host_tools.authority.core.authorization_requests import RESPONSE_FORMS, RESPONSE_MODES
from host_tools.authority.dialects import oauth
from host_tools.authority.dialects.oauth import Call, Refusal

# What is said of /authorize: RFC 8414 2, OpenID Connect Discovery 3.
METADATA = {
    "response_types_supported": [" ".join(sorted(words)) for words in RESPONSE_FORMS],
    "response_modes_supported": list(RESPONSE_MODES),
    "code_challenge_methods_supported": ["S256"],
    "claims_supported": ["sub", "iss", "aud", "exp", "iat", "auth_time", "name", "nickname", "email", "email_verified"],
    "authorization_response_iss_parameter_supported": True,  # RFC 9207 3
    "request_parameter_supported": False,
    "request_uri_parameter_supported": False,
}


def code_grant(authority: Authority, call: Call) -> Response:
    """RFC 6749 4.1.3. The address is required there where it was told before, and here it always was."""
    sent = call.sent
    code, redirect_uri = sent.required("code"), sent.required("redirect_uri")
    return oauth.granted(authority.codes.redeem(call.credentials, code, redirect_uri, sent.get("code_verifier")))


def userinfo(authority: Authority, call: Call) -> Response:
    """OpenID Connect Core 5.3. Raises InvalidToken."""
    if call.bearer is None:
        raise errors.InvalidToken("Send an access token as a Bearer token.")
    return JSONResponse(dict(authority.issued_tokens.userinfo(call.bearer)), headers=oauth.NO_STORE)


def userinfo_route(authority: Authority, path: str, refusal: Refusal) -> Route:
    """By GET alone: a POST may carry the token in its body, which RFC 9700 4.3.1 advises against."""

    def answer(call: Call, _: Mapping[str, Any]) -> Response:
        return userinfo(authority, call)

    return oauth.bodyless(path, "GET", answer, userinfo_refusal(refusal))


def userinfo_refusal(refusal: Refusal) -> Refusal:
    """A dialect's refusals, where the client is a bearer (RFC 6750 3.1)."""

    def refused(error: errors.OAuthError) -> JSONResponse:
        reply = refusal(error)
        if isinstance(error, (errors.InvalidToken, errors.InsufficientScope)):
            reply.status_code = 401 if isinstance(error, errors.InvalidToken) else 403
            challenge = f'Bearer realm="userinfo", error="{error.error}"'
            if isinstance(error, errors.InsufficientScope):
                challenge += f', scope="{error.scope}"'
            reply.headers["WWW-Authenticate"] = challenge
        return reply

    return refused
