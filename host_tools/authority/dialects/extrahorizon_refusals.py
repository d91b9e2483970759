"""Extra Horizon's refusals: a number, a name, a status and a sentence for each (reference/wire-facts.md section 3).

They have two shapes. The token endpoint answers {error, description, exh_error}, any other {code, name, message}. The
numbers are those of its JavaScript SDK (`ErrorClassMap`), and so are the statuses, by the families of its classes.
Sentences and names that its documentation or the SDK's tests quote are theirs; [I] marks a name that is inferred from
the SDK's class, and a number that is inferred from what happens.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from starlette.responses import JSONResponse

from host_tools.authority.core import errors, finer_errors, mfa_errors, user_mfa_errors
from host_tools.authority.core.object_ids import object_id
from host_tools.authority.core.records import Authenticator
from host_tools.authority.dialects import oauth
from host_tools.authority.dialects.extrahorizon_body import BodyFormat, EmptyBody, FieldFormat, MissingFields
from host_tools.authority.parameters import BodyTooLarge

METHOD_TYPES = {"otp": "totp", "recovery-code": "recoveryCodes"}


class IdFormat(errors.InvalidRequest):
    """An id in the address is not of 24 hexadecimal digits."""

    description = "An id has 24 hexadecimal digits"


class NotAuthenticated(errors.InvalidToken):
    """No access token was sent."""

    description = "Send an access token as a Bearer token"


class NoPermission(errors.OAuthError):
    """Of another user: what is here is for one's own account."""

    error = "access_denied"
    description = "The user does not have the required permission to perform this action"


class MissingClientCredentials(errors.InvalidRequest):
    """The request does not say which application it comes from."""

    description = "The client credentials are missing"


@dataclass(frozen=True)
class Code:
    """status: outside of the token endpoint. sentence: None keeps the core's."""

    code: int
    name: str
    status: int
    sentence: str | None = None


REFUSALS: dict[type[errors.OAuthError], Code] = {
    NoPermission: Code(10, "NO_PERMISSION_EXCEPTION", 401),
    errors.AccessDenied: Code(10, "NO_PERMISSION_EXCEPTION", 401),  # [I]: a script of the tenant's has denied it
    IdFormat: Code(12, "ID_FORMAT_EXCEPTION", 400),
    EmptyBody: Code(13, "EMPTY_BODY_EXCEPTION", 400),
    MissingFields: Code(14, "MISSING_REQUIRED_FIELDS_EXCEPTION", 400),
    FieldFormat: Code(15, "FIELD_FORMAT_EXCEPTION", 400),
    mfa_errors.UnknownAuthenticator: Code(16, "RESOURCE_UNKNOWN_EXCEPTION", 404, "Requested resource is unknown"),
    BodyFormat: Code(22, "BODY_FORMAT_EXCEPTION", 400),
    BodyTooLarge: Code(22, "BODY_FORMAT_EXCEPTION", 413),  # [I]
    user_mfa_errors.NothingToConfirm: Code(26, "ILLEGAL_ARGUMENT_EXCEPTION", 400),
    user_mfa_errors.TooManyMethods: Code(26, "ILLEGAL_ARGUMENT_EXCEPTION", 400),  # [I]
    errors.InvalidRequest: Code(26, "ILLEGAL_ARGUMENT_EXCEPTION", 400),  # [I]
    errors.OAuthError: Code(26, "ILLEGAL_ARGUMENT_EXCEPTION", 400),  # [I]
    NotAuthenticated: Code(104, "USER_NOT_AUTHENTICATED_EXCEPTION", 401),
    errors.WrongCredentials: Code(106, "AUTHENTICATION_EXCEPTION", 401, "This password email combination is unknown"),
    errors.InvalidToken: Code(117, "ACCESS_TOKEN_UNKNOWN_EXCEPTION", 401, "The access token is unknown"),
    finer_errors.ExpiredAccessToken: Code(118, "ACCESS_TOKEN_EXPIRED_EXCEPTION", 401, "The access token is expired"),
    errors.InvalidRefreshToken: Code(119, "REFRESH_TOKEN_UNKNOWN_EXCEPTION", 400, "The refresh token is unknown"),
    finer_errors.ExpiredRefreshToken: Code(120, "REFRESH_TOKEN_EXPIRED_EXCEPTION", 400, "The refresh token is expired"),
    errors.UnsupportedGrantType: Code(121, "UNSUPPORTED_GRANT_EXCEPTION", 400),
    errors.UnauthorizedClient: Code(121, "UNSUPPORTED_GRANT_EXCEPTION", 400),  # [I]
    errors.InvalidClient: Code(123, "OAUTH2_CLIENT_ID_EXCEPTION", 401, "The client id is unknown"),
    finer_errors.WrongClientSecret: Code(124, "OAUTH2_CLIENT_SECRET_EXCEPTION", 401, "The client secret is wrong"),
    MissingClientCredentials: Code(126, "OAUTH2_MISSING_CLIENT_CREDENTIALS_EXCEPTION", 400),
    errors.MfaRequired: Code(
        129, "MFA_REQUIRED_EXCEPTION", 400, "Multifactor authentication is required for this user"
    ),
    # [I] the names of 130 to 133, of which the SDK has classes alone.
    mfa_errors.InvalidOtp: Code(130, "INVALID_MFA_CODE_EXCEPTION", 400, "The MFA code is invalid"),
    mfa_errors.InvalidRecoveryCode: Code(130, "INVALID_MFA_CODE_EXCEPTION", 400, "The MFA code is invalid"),
    **dict.fromkeys(
        (
            mfa_errors.MalformedMfaToken,
            mfa_errors.ExpiredMfaToken,
            mfa_errors.SpentMfaToken,
            mfa_errors.OtherClientsMfaToken,
        ),
        Code(131, "INVALID_MFA_TOKEN_EXCEPTION", 400, "The MFA token is invalid"),
    ),
    user_mfa_errors.InvalidPresenceToken: Code(132, "INVALID_PRESENCE_TOKEN_EXCEPTION", 400),
    user_mfa_errors.NotEnoughMethods: Code(133, "NOT_ENOUGH_MFA_METHODS_EXCEPTION", 400),
    user_mfa_errors.ReattemptDelay: Code(134, "MFA_REATTEMPT_DELAY_EXCEPTION", 400),
    user_mfa_errors.LoginTooSoon: Code(211, "LOGIN_TIMEOUT_EXCEPTION", 401),
    user_mfa_errors.LoginFrozen: Code(212, "LOGIN_FREEZE_EXCEPTION", 401),
    user_mfa_errors.LoginLocked: Code(213, "TOO_MANY_FAILED_ATTEMPTS_EXCEPTION", 401),
}
# The words of RFC 6749 5.2 that the SDK knows, where the core has another.
_WORDS: dict[type[errors.OAuthError], str] = {
    mfa_errors.MalformedMfaToken: "invalid_grant",
    mfa_errors.ExpiredMfaToken: "invalid_grant",
    mfa_errors.SpentMfaToken: "invalid_grant",
    mfa_errors.OtherClientsMfaToken: "invalid_grant",
    mfa_errors.UnknownAuthenticator: "invalid_request",
}


def code_of(error: errors.OAuthError) -> Code:
    """The line of the table that an error falls under."""
    return REFUSALS[next(each for each in type(error).__mro__ if each in REFUSALS)]


def refusal(error: errors.OAuthError) -> JSONResponse:
    """Anywhere but at the token endpoint."""
    code = code_of(error)
    body = {"code": code.code, "name": code.name, "message": code.sentence or error.description}
    return JSONResponse(body | _delay(error), code.status, oauth.NO_STORE)


def token_refusal(error: errors.OAuthError) -> JSONResponse:
    """At the token endpoint, which tells `description` where RFC 6749 has error_description."""
    code = code_of(error)
    description = code.sentence or error.description
    exh_error = {"code": code.code, "name": code.name, "description": description, **_delay(error)}
    word = _WORDS.get(type(error), error.error)
    body: dict[str, Any] = {"error": word, "description": description, "exh_error": exh_error, **_delay(error)}
    if isinstance(error, user_mfa_errors.MfaMethodRequired):
        body["mfa"] = {
            "token": error.mfa_token,
            "tokenExpiresIn": error.expires_in_ms,
            "methods": [{"id": object_id(each.authenticator_id), **described(each)} for each in error.methods],
        }
    status = code.status if isinstance(error, errors.InvalidClient | BodyTooLarge) else 400
    headers = dict(oauth.NO_STORE)
    if isinstance(error, errors.InvalidClient):
        headers["WWW-Authenticate"] = 'Basic realm="token"'  # RFC 6749 5.2
    return JSONResponse(body, status, headers)


def described(method: Authenticator) -> dict[str, Any]:
    """What a list of methods tells of one, wherever the list is."""
    return {
        "type": METHOD_TYPES[method.factor],
        "name": method.name,
        "tags": json.loads(method.tags) if method.tags else [],
    }


def _delay(error: errors.OAuthError) -> dict[str, int]:
    """[I]: in milliseconds, as tokenExpiresIn is, and in both places that a client could look at."""
    return {"remainingDelay": error.remaining_ms} if isinstance(error, user_mfa_errors.ReattemptDelay) else {}
