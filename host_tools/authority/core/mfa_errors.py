"""What the MFA API refuses. The codes are Auth0's own, for no RFC has any (wire-facts 1.5)."""

from __future__ import annotations

from host_tools.authority.core.errors import OAuthError


class MalformedMfaToken(OAuthError):
    """No such mfa_token was given out. SDKs take it for a bad token, not for a wrong code."""

    error = "invalid_grant"
    description = "Malformed mfa_token"


class ExpiredMfaToken(OAuthError):
    """Ten minutes are over."""

    error = "expired_token"
    description = "mfa_token is expired"


class SpentMfaToken(OAuthError):
    """Tokens were given for it already."""

    error = "expired_token"
    description = "mfa_token is invalid"


class OtherClientsMfaToken(OAuthError):
    """It was given to another client."""

    error = "invalid_request"
    description = "mfa_token not issued to this client"


class InvalidOtp(OAuthError):
    """Wrong, too old, or used before."""

    error = "invalid_grant"
    description = "Invalid otp_code."


class InvalidBindingCode(OAuthError):
    """Not the code that the message had."""

    error = "invalid_grant"
    description = "Invalid binding_code."


class InvalidRecoveryCode(OAuthError):
    """Wrong or spent."""

    error = "invalid_grant"
    description = "Invalid recovery_code."


class ChallengeRejected(OAuthError):
    """The person refused the push. This is final."""

    error = "invalid_grant"
    description = "MFA Authorization rejected."


class ChallengePending(OAuthError):
    """The push has not been answered."""

    error = "authorization_pending"
    description = "Authorization pending: please repeat the request in a few seconds."


class MalformedOobCode(OAuthError):
    """No such oob_code was given out, or it has been used."""

    error = "invalid_grant"
    description = "Malformed oob_code"


class ExpiredOobCode(OAuthError):
    """Its five minutes are over."""

    error = "expired_token"
    description = "oob_code is expired"


class OtherOobCode(OAuthError):
    """It was given for another mfa_token."""

    error = "invalid_request"
    description = "The oob_code doesn't match the mfa_token"


class BindingCodeRequired(OAuthError):
    """A message's code has to come with its oob_code."""

    error = "invalid_request"
    description = "binding_code is required"


class UnsupportedChallengeType(OAuthError):
    """The user has none of what the client asks for, or the client asks for what there is none of."""

    error = "unsupported_challenge_type"
    description = "The user does not support the requested challenge type."


class NoOneTimeCodes(OAuthError):
    """The user has no authenticator that shows one-time codes, so that none could be right."""

    error = "unsupported_challenge_type"
    # The provider that Auth0 named its one-time codes after, whichever app shows them.
    description = "user is not enrolled with Google authenticator. Please enroll first."


class AssociationRequired(OAuthError):
    """The user has no authenticator yet."""

    error = "association_required"
    description = "User is not enrolled. You can use /mfa/associate endpoint to enroll the first authenticator."


class AlreadyEnrolled(OAuthError):
    """An mfa_token enrols the first authenticator only; more take an access token with scope `enroll`."""

    error = "access_denied"
    description = "User is already enrolled."


class UnknownAuthenticator(OAuthError):
    """The user has no authenticator of this id."""

    error = "not_found"
    description = "No such authenticator."
