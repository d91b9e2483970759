"""What Okta answers to what it refuses, by two tables: API errors with their E-codes, OAuth errors with its sentences.

Codes, statuses and summaries are those of the vendor's own lists (error-codes.json and oauth2-error-codes.json beside
its documentation); [I] marks where it is inferred that this one is answered here. OAuth errors have RFC 6749's shape.
"""

from __future__ import annotations

import secrets
from typing import Any

from starlette.responses import JSONResponse

from host_tools.authority.core import authn_errors, errors
from host_tools.authority.core.authn_errors import AuthnRefused
from host_tools.authority.core.authorization_codes import InvalidCode, WrongVerifier
from host_tools.authority.core.fault_kinds import StatusReply
from host_tools.authority.core.faults import RateLimit
from host_tools.authority.dialects import oauth
from host_tools.authority.parameters import BodyTooLarge, MissingParameter, RepeatedParameter

_NOT_NOW = "This operation is not allowed in the current authentication state."
_FORMS = "Bad request.  Accept and/or Content-Type headers likely do not match supported values."
_TOO_MANY = "API call exceeded rate limit due to too many requests."
_BURST = 600  # [I] what X-Rate-Limit-Limit tells: of /api/v1/authn, each minute
RATE_LIMITED = "E0000047"

# Code, status, summary: `{name}` and the like are the refusal's own.
API: dict[type[AuthnRefused], tuple[str, int, str]] = {
    authn_errors.InvalidMember: ("E0000001", 400, "Api validation failed: {name}"),
    authn_errors.NotWellFormed: ("E0000003", 400, "The request body was not well-formed."),
    authn_errors.BodyTooLong: ("E0000003", 413, "The request body was not well-formed."),  # [I]
    authn_errors.AuthenticationFailed: ("E0000004", 401, "Authentication failed"),
    authn_errors.UnknownFactor: ("E0000007", 404, "Not found: Resource not found: {factor_id} (UserFactor)"),  # [I]
    authn_errors.UnknownAddress: ("E0000008", 404, "The requested path was not found"),
    authn_errors.InvalidStateToken: ("E0000011", 401, "Invalid token provided"),
    authn_errors.MediaTypeRefused: ("E0000021", 400, _FORMS),
    authn_errors.WrongMethod: ("E0000022", 405, "The endpoint does not support the provided HTTP method"),
    authn_errors.UnlockNotAllowed: ("E0000032", 403, "Unlock is not allowed for this user."),
    authn_errors.WrongParameterType: ("E0000037", 400, "Type mismatch exception.  {causes[0]}"),  # [I] the rest of it
    authn_errors.TooManyChallenges: (RATE_LIMITED, 429, _TOO_MANY),  # [I]
    authn_errors.InvalidPasscode: ("E0000068", 403, "Invalid Passcode/Answer"),
    authn_errors.UserLocked: ("E0000069", 403, "User Locked"),
    authn_errors.StateNotAllowed: ("E0000079", 403, _NOT_NOW),
    authn_errors.PasscodeReplayed: (
        "E0000082",
        403,
        "Each code can only be used once. Please wait for a new code and try again.",
    ),
    authn_errors.InvalidPhoneNumber: ("E0000098", 400, "This phone number is invalid."),
    authn_errors.SmsTooSoon: (
        "E0000109",
        429,
        "An SMS message was recently sent. Please wait 30 seconds before trying again.",
    ),
    authn_errors.EmailTooSoon: (
        "E0000118",
        429,
        "An email was recently sent. Please wait 5 seconds before trying again.",
    ),
    authn_errors.TooManySms: ("E0000150", 403, "You have reached the limit of sms requests, please try again later."),
}


class NoCredentials(errors.InvalidClient):
    """RFC 6749 5.2: no client authentication included."""


class UnsupportedResource(errors.InvalidTarget):
    """Okta's name of RFC 8707's invalid_target."""

    error = "unsupported_api_resource"


# A device's refusals are 400, as RFC 8628 has them.
OAUTH: oauth.Replies = {
    errors.AuthorizationPending: (400, "The device authorization is pending. Please try again later."),
    errors.SlowDown: (400, "Slow down the polling frequency. Please try again later."),
    errors.ExpiredToken: (400, "The device code has expired."),
    # [I] the status: Okta's list has 403, for no endpoint in particular.
    errors.AccessDenied: (400, "The resource owner or authorization server denied the request."),
    errors.DeniedByScript: (400, None),  # the script's own words
    errors.InvalidGrant: (400, "The device code is invalid or has expired."),
    InvalidCode: (400, "The authorization code is invalid or has expired."),
    WrongVerifier: (400, "PKCE verification failed."),
    errors.InvalidRefreshToken: (400, "The refresh token is invalid or expired."),
    # [I] that a refresh hears it: Okta's policies ask for factors where somebody signs in.
    errors.MfaRequired: (403, "Verify with an additional authenticator to complete the sign-in process."),
    errors.InvalidRequest: (400, None),
    MissingParameter: (400, "The required parameter '{name}' is missing."),
    RepeatedParameter: (400, "The request contained multiple parameters with the same name."),
    BodyTooLarge: (413, None),
    errors.InvalidScope: (400, "The requested scope is invalid, unknown, or malformed."),
    UnsupportedResource: (400, "The api resource is not supported by the authorization server."),
    errors.UnsupportedGrantType: (400, "The authorization grant type is not supported by the authorization server."),
    errors.UnauthorizedClient: (400, "The client is not authorized to use the provided grant type."),
    errors.InvalidClient: (
        401,
        "Client authentication failed. Either the client or the client credentials are invalid.",
    ),
    NoCredentials: (401, "No client credentials found."),
    errors.InvalidToken: (401, "The access token is invalid."),  # [I] the sentence
    errors.InsufficientScope: (403, "The access token provided does not contain the required scopes."),
    errors.LimitReached: (429, _TOO_MANY),
}


# Of a status that a fault answers: Okta's "Error codes".
_OF_A_STATUS = {401: "E0000011", 403: "E0000006", 404: "E0000007", 405: "E0000022", 429: RATE_LIMITED, 503: "E0000010"}


def refusal(error: errors.OAuthError) -> JSONResponse:
    """Okta's reply for a core refusal at its OAuth endpoints."""
    if isinstance(error, MissingParameter) and error.name == "client_id":
        error = NoCredentials()
    elif isinstance(error, MissingParameter) and error.name == "token":
        error = errors.InvalidRequest("The 'token' parameter is required.")
    elif isinstance(error, errors.InvalidTarget):
        error = UnsupportedResource()
    return oauth.refused(error, OAUTH)


def api_refusal(error: AuthnRefused) -> JSONResponse:
    """Okta's reply for a refusal of its API."""
    kind = next(each for each in type(error).__mro__ if each in API)
    code, status, summary = API[kind]
    causes = error.causes
    if kind is authn_errors.StateNotAllowed:
        causes = (_NOT_NOW,)  # as its documentation shows it
    return JSONResponse(api_error(code, summary.format_map(vars(error)), causes), status, oauth.NO_STORE)


def api_error(code: str, summary: str, causes: tuple[str, ...] = ()) -> dict[str, Any]:
    return {
        "errorCode": code,
        "errorSummary": summary,
        "errorLink": code,
        "errorId": f"oae{secrets.token_urlsafe(16)}",
        "errorCauses": [{"errorSummary": each} for each in causes],
    }


def too_many_requests(limit: RateLimit, now: int) -> JSONResponse:
    """Okta's reply past its rate limit; `now` in seconds since 1970. Its headers have a hyphen more than others'."""
    headers = oauth.retry_headers(limit, now, _BURST)
    named = {name.replace("X-RateLimit", "X-Rate-Limit"): value for name, value in headers.items()}
    return JSONResponse(api_error(RATE_LIMITED, _TOO_MANY), 429, named)


def fault_body(fault: StatusReply, sentence: str) -> dict[str, Any] | None:
    """Its API's, for a fault there; at its OAuth endpoints the body is OAuth's."""
    if fault.endpoint != "mfa":
        return None
    code = _OF_A_STATUS.get(fault.status, "E0000009" if fault.status >= 500 else "E0000001")
    return api_error(fault.error or code, fault.error_description or sentence)
