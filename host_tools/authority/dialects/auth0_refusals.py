"""Status and sentence of each refusal as Auth0 has them (reference/wire-facts.md 1.2 to 1.5).

[I] marks what wire-facts.md infers rather than quotes. None keeps the core's sentence: it names the parameter at fault,
or was written after Auth0's own.
"""

from __future__ import annotations

from typing import Any

from starlette.responses import JSONResponse

from host_tools.authority.core import errors, mfa_errors
from host_tools.authority.core.authorization_codes import InvalidCode, WrongVerifier
from host_tools.authority.core.errors import Requirements
from host_tools.authority.dialects import oauth
from host_tools.authority.parameters import BodyTooLarge

REPLIES: oauth.Replies = {
    errors.AuthorizationPending: (403, "User has yet to authorize device code."),
    errors.SlowDown: (429, "You are polling faster than the specified interval of {interval_s} seconds."),
    errors.ExpiredToken: (403, "The device code has expired."),
    errors.AccessDenied: (403, "User cancelled the confirmation prompt."),
    errors.DeniedByScript: (403, None),  # the script's own words
    errors.InvalidGrant: (403, "Invalid or expired device code."),  # [I]
    InvalidCode: (403, None),
    WrongVerifier: (403, None),
    errors.InvalidRefreshToken: (403, "Unknown or invalid refresh token."),  # [I] the sentence
    errors.WrongCredentials: (403, "Wrong email or password."),
    errors.MfaRequired: (403, "Multifactor authentication required"),
    errors.InvalidRequest: (400, None),
    BodyTooLarge: (413, None),
    errors.InvalidScope: (400, None),
    errors.InvalidTarget: (400, None),  # [I]
    errors.UnsupportedGrantType: (400, None),  # [I]
    errors.UnauthorizedClient: (403, "Grant type not allowed for the client."),  # [I]
    errors.InvalidClient: (401, "Unknown client."),  # [I] the sentence
    errors.InvalidToken: (401, None),
    errors.InsufficientScope: (403, None),
    errors.LimitReached: (429, None),
    mfa_errors.MalformedMfaToken: (403, None),  # [I] the status
    mfa_errors.ExpiredMfaToken: (403, None),
    mfa_errors.SpentMfaToken: (403, None),
    mfa_errors.OtherClientsMfaToken: (400, None),
    mfa_errors.InvalidOtp: (403, None),
    mfa_errors.InvalidBindingCode: (403, None),
    mfa_errors.InvalidRecoveryCode: (403, None),  # [I]
    mfa_errors.ChallengeRejected: (403, None),
    mfa_errors.ChallengePending: (403, None),  # [I] the status: that of a device's poll
    mfa_errors.MalformedOobCode: (403, None),  # [I]
    mfa_errors.ExpiredOobCode: (403, None),
    mfa_errors.OtherOobCode: (400, None),
    mfa_errors.BindingCodeRequired: (400, None),
    mfa_errors.UnsupportedChallengeType: (401, None),
    mfa_errors.NoOneTimeCodes: (400, None),
    mfa_errors.AssociationRequired: (403, None),  # [I]
    mfa_errors.AlreadyEnrolled: (403, None),  # [I]
    mfa_errors.UnknownAuthenticator: (404, None),
}
# The early-access list of what would do names the factors its own way (wire-facts 1.4).
REQUIREMENT_TYPES = {
    "otp": "otp",
    "sms": "phone",
    "email": "email",
    "push": "push-notification",
    "recovery-code": "recovery-code",
}


def refusal(error: errors.OAuthError) -> JSONResponse:
    """Auth0's reply for a core refusal."""
    reply = oauth.refused(error, REPLIES)
    if isinstance(error, errors.MfaRequired):
        body: dict[str, Any] = {
            "error": error.error,
            "error_description": REPLIES[errors.MfaRequired][1],
            "mfa_token": error.mfa_token,
        }
        if error.requirements is not None:
            body["mfa_requirements"] = _requirements(error.requirements)
        return JSONResponse(body, reply.status_code, oauth.NO_STORE)
    if isinstance(error, errors.InvalidToken):
        reply.headers["WWW-Authenticate"] = 'Bearer realm="mfa", error="invalid_token"'
    return reply


def bearer_refusal(error: errors.OAuthError) -> JSONResponse:
    """The same where the mfa_token came as a Bearer token: one that is not good is a 401 then (docs-v2, "Add an
    Authenticator": "Unauthorized, invalid access token or mfa_token")."""
    reply = refusal(error)
    if isinstance(error, (mfa_errors.MalformedMfaToken, mfa_errors.ExpiredMfaToken, mfa_errors.SpentMfaToken)):
        reply.status_code = 401
        reply.headers["WWW-Authenticate"] = 'Bearer realm="mfa", error="invalid_token"'
    return reply


def _requirements(needed: Requirements) -> dict[str, list[dict[str, str]]]:
    lists = {"challenge": needed.challenge, "enroll": needed.enroll}
    return {name: [{"type": REQUIREMENT_TYPES[each]} for each in factors] for name, factors in lists.items() if factors}
