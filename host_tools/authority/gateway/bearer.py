"""The bearer's side of the wire: an access token as it is sent, and what refuses it (RFC 6750, RFC 9470)."""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.responses import JSONResponse, Response

from host_tools.authority.core.errors import InsufficientScope, InvalidRequest, InvalidToken, OAuthError
from host_tools.authority.core.resource_errors import InsufficientUserAuthentication, MissingToken
from host_tools.authority.core.resource_policy import ResourcePolicy
from host_tools.authority.parameters import BodyTooLarge, authorization

_NO_STORE = {"Cache-Control": "no-store"}
_STATUS: dict[type[OAuthError], int] = {
    BodyTooLarge: 413,
    InvalidRequest: 400,
    MissingToken: 401,
    InvalidToken: 401,
    InsufficientUserAuthentication: 401,
    InsufficientScope: 403,
}


def access_token(headers: Headers) -> str | None:
    """RFC 6750 2.1; None where none was sent. Raises InvalidRequest."""
    scheme, token = authorization(headers)
    if scheme != "bearer":
        return None
    if not token or " " in token:
        raise InvalidRequest("The Authorization header is not `Bearer` and one token.")
    return token


def refused(error: OAuthError, policy: ResourcePolicy) -> Response:
    """What the bearer is told."""
    if isinstance(error, MissingToken):
        # RFC 6750 3.1: without credentials, no error code.
        return JSONResponse({"message": error.description}, 401, {"WWW-Authenticate": challenge(error, policy)})
    if isinstance(error, InsufficientUserAuthentication) and policy.refusal == "bare":
        return JSONResponse({"message": "Forbidden"}, 403, _NO_STORE)
    status = next(_STATUS[kind] for kind in type(error).__mro__ if kind in _STATUS)
    body = {"error": error.error, "error_description": error.description}
    return JSONResponse(body, status, {"WWW-Authenticate": challenge(error, policy), **_NO_STORE})


def challenge(error: OAuthError, policy: ResourcePolicy) -> str:
    """RFC 6750 3, RFC 9470 3. No value has anything in it that would have to be escaped."""
    words = [f'realm="{policy.realm}"']
    if error.error:
        words += [f'error="{error.error}"', f'error_description="{error.description}"']
    if isinstance(error, InsufficientScope):
        words.append(f'scope="{error.scope}"')
    if isinstance(error, InsufficientUserAuthentication):
        words.append(f'acr_values="{error.acr_values}"')
        if error.max_age_s is not None:
            words.append(f'max_age="{error.max_age_s}"')
    return f"Bearer {', '.join(words)}"
