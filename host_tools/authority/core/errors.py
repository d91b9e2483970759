"""One class for each OAuth error code. The docstring is the specification's sentence; `description` is what we say.

A dialect may replace status and sentence with its vendor's own; the class is what the core means.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Requirements:
    """What would satisfy an mfa_required: factors to challenge, or, where the user has none, to enrol."""

    challenge: tuple[str, ...]
    enroll: tuple[str, ...]


class OAuthError(Exception):
    """A refusal a client can read: RFC 6749 section 5.2."""

    error = ""
    description = ""

    def __init__(self, description: str | None = None) -> None:
        if description is not None:
            self.description = description
        super().__init__(f"{self.error}: {self.description}")


class InvalidRequest(OAuthError):
    """RFC 6749 5.2: The request is missing a required parameter, includes an unsupported parameter value,
    repeats a parameter, or is otherwise malformed."""

    error = "invalid_request"
    description = "The request is malformed."


class InvalidClient(OAuthError):
    """RFC 6749 5.2: Client authentication failed (e.g., unknown client, no client authentication included)."""

    error = "invalid_client"
    description = "Unknown client."


class InvalidGrant(OAuthError):
    """RFC 6749 5.2: The provided authorization grant or refresh token is invalid, expired, revoked, or was issued
    to another client."""

    error = "invalid_grant"
    description = "The grant is invalid, expired, revoked or was issued to another client."


class InvalidRefreshToken(InvalidGrant):
    """RFC 6749 6 and 5.2: invalid, expired, revoked, or issued to another client."""

    description = "The refresh token is invalid, expired, revoked or was issued to another client."


class WrongCredentials(InvalidGrant):
    """RFC 6749 4.3.2 and 5.2: the resource owner's credentials are invalid."""

    description = "Wrong e-mail address or password."


class LimitReached(OAuthError):
    """Auth0: a bucket of tries is empty, or of messages."""

    error = "too_many_attempts"
    description = "Too many attempts. Wait and try again."

    def __init__(self, retry_after_s: int) -> None:
        super().__init__()
        self.retry_after_s = retry_after_s


class UnsupportedGrantType(OAuthError):
    """RFC 6749 5.2: The authorization grant type is not supported by the authorization server."""

    error = "unsupported_grant_type"
    description = "The grant type is not supported."


class UnauthorizedClient(OAuthError):
    """RFC 6749 5.2: The authenticated client is not authorized to use this authorization grant type."""

    error = "unauthorized_client"
    description = "The grant type is not allowed for the client."


class InvalidScope(OAuthError):
    """RFC 6749 5.2: The requested scope is invalid, unknown, malformed, or exceeds the scope granted by the
    resource owner."""

    error = "invalid_scope"
    description = "The scope exceeds what was granted."


class InvalidTarget(OAuthError):
    """RFC 8707 2: The requested resource is invalid, missing, unknown, or malformed."""

    error = "invalid_target"
    description = "The audience is unknown."


class AuthorizationPending(OAuthError):
    """RFC 8628 3.5: The authorization request is still pending as the end user hasn't yet completed the
    user-interaction steps."""

    error = "authorization_pending"
    description = "The person has not answered yet."


class SlowDown(OAuthError):
    """RFC 8628 3.5: A variant of "authorization_pending"; the interval MUST be increased by 5 seconds for this and
    all subsequent requests."""

    error = "slow_down"
    description = "Polling faster than the interval."

    def __init__(self, interval_s: int) -> None:
        super().__init__()
        self.interval_s = interval_s  # the interval that was not kept


class ExpiredToken(OAuthError):
    """RFC 8628 3.5: The "device_code" has expired, and the device authorization session has concluded."""

    error = "expired_token"
    description = "The device code has expired."


class AccessDenied(OAuthError):
    """RFC 8628 3.5: The authorization request was denied."""

    error = "access_denied"
    description = "The person refused."


class DeniedByScript(AccessDenied):
    """Auth0: a rule called back with an error, or an Action called api.access.deny. It says why."""

    description = "Access denied."


class MfaRequired(OAuthError):
    """Auth0: the tenant challenges this exchange, and a grant that has no person in it cannot answer."""

    error = "mfa_required"
    description = "Multifactor authentication required"

    def __init__(self, mfa_token: str, requirements: Requirements | None = None) -> None:
        super().__init__()
        self.mfa_token = mfa_token
        self.requirements = requirements  # None: they are not told


class InvalidToken(OAuthError):
    """RFC 6750 3.1: The access token provided is expired, revoked, malformed, or invalid for other reasons."""

    error = "invalid_token"
    description = "The access token is expired, malformed or not for this API."


class InsufficientScope(OAuthError):
    """RFC 6750 3.1: The request requires higher privileges than provided by the access token."""

    error = "insufficient_scope"
    description = "The access token lacks a scope."

    def __init__(self, scope: str) -> None:
        super().__init__()
        self.scope = scope  # what the resource asks for


class Refusal(Exception):
    """A refusal a person reads on a page. The message is a sentence for them."""


class WrongPassword(Refusal):
    """Unknown user and wrong password look the same, so that nobody learns who has an account."""

    def __init__(self) -> None:
        super().__init__("The e-mail address or the password is not right.")


class WrongOneTimeCode(Refusal):
    """Wrong, too old, or used before (RFC 6238 5.2: a code is accepted once)."""

    def __init__(self) -> None:
        super().__init__("This code is not right or was used before. Wait for the next one and try again.")


class WrongMessageCode(Refusal):
    """Not the code that the newest message has."""

    def __init__(self) -> None:
        super().__init__("This code is not right. Type the code of the newest message.")


class MessageCodeExpired(Refusal):
    """Its five minutes are over."""

    def __init__(self) -> None:
        super().__init__("This code is too old. Have a new one sent.")


class PushUnanswered(Refusal):
    """The phone may still answer: nothing has gone wrong."""

    def __init__(self) -> None:
        super().__init__("The phone has not answered yet.")


class PushRefused(Refusal):
    def __init__(self) -> None:
        super().__init__("The request was refused on the phone. If you did not do so, somebody else has your phone.")


class PushExpired(Refusal):
    def __init__(self) -> None:
        super().__init__("The phone did not answer in time. Send the request again.")


class NothingSent(Refusal):
    """There is nothing to answer yet."""

    def __init__(self) -> None:
        super().__init__("Nothing has been sent yet, or it is too long ago. Have it sent first.")


class WayNotOpen(Refusal):
    """Not the user's, removed meanwhile, or not one that a script lets count."""

    def __init__(self) -> None:
        super().__init__("This way is not open to you here. Use another one.")


class WrongPhoneNumber(Refusal):
    def __init__(self) -> None:
        super().__init__("This is no phone number as it is dialled from abroad: + and 6 to 15 digits.")


class WrongEmailAddress(Refusal):
    def __init__(self) -> None:
        super().__init__("This is no e-mail address. It has a name, an @ and a domain.")


class WrongRecoveryCode(Refusal):
    """Wrong or spent: each is good once."""

    def __init__(self) -> None:
        super().__init__("This recovery code is not right or was used before.")


class NothingAsked(Refusal):
    """What somebody is signing in for is gone."""


class RequestGone(NothingAsked):
    """An application's request: too old, or another was taken up meanwhile."""

    def __init__(self) -> None:
        super().__init__("This took too long. Go back to the application and begin again.")


class UnknownUserCode(NothingAsked):
    """Never issued, answered already, or expired: told alike, because a guess must not learn which."""

    def __init__(self) -> None:
        super().__init__("No device is waiting with this code. Check it against your device and type it again.")


class TooManyAttempts(Refusal):
    """RFC 8628 5.1: the server should rate-limit user code attempts; the same for passwords and one-time codes."""

    what = "Too many wrong tries"

    def __init__(self, retry_after_s: int) -> None:
        minutes = -(-retry_after_s // 60)
        super().__init__(f"{self.what}. Wait {minutes} minute{'s' if minutes > 1 else ''} and try again.")
        self.retry_after_s = retry_after_s


class TooManySent(TooManyAttempts):
    """Each message and each push is a try, so that nobody's phone is flooded."""

    what = "Too much was sent to you already"
