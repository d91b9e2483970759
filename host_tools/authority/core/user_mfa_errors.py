"""What is refused where users switch their own second factor. `error` is the token endpoint's word for it."""

from __future__ import annotations

from collections.abc import Sequence

from host_tools.authority.core.errors import MfaRequired, OAuthError
from host_tools.authority.core.records import Authenticator


class MfaMethodRequired(MfaRequired):
    """The user has turned MFA on, or the tenant's policy asks for it: the same request by one of these methods."""

    description = "Multifactor authentication is required for this user"

    def __init__(self, mfa_token: str, expires_in_ms: int, methods: Sequence[Authenticator]) -> None:
        super().__init__(mfa_token)
        self.expires_in_ms = expires_in_ms
        self.methods = tuple(methods)


class ReattemptDelay(OAuthError):
    """The last code was wrong, and the wait for the next one is not over. The code is not looked at."""

    error = "invalid_grant"
    description = "A code was wrong a moment ago; wait until the next attempt"

    def __init__(self, remaining_ms: int) -> None:
        super().__init__()
        self.remaining_ms = remaining_ms


class InvalidPresenceToken(OAuthError):
    """Never issued, another user's, or too old."""

    error = "invalid_grant"
    description = "The presence token is invalid"


class NotEnoughMethods(OAuthError):
    """MFA is on only with a confirmed TOTP method and recovery codes."""

    error = "invalid_request"
    description = "MFA needs a verified TOTP method and recovery codes"


class NothingToConfirm(OAuthError):
    """The method is verified already, or is of a type that needs no verification."""

    error = "invalid_request"
    description = "This method needs no verification"


class TooManyMethods(OAuthError):
    """A user has a bounded number of methods."""

    error = "invalid_request"
    description = "This user has as many methods as there may be"


class LoginTooSoon(OAuthError):
    """One login a second. The password is not looked at."""

    error = "invalid_grant"
    description = "Login attempt too fast"


class LoginFrozen(OAuthError):
    """Each tenth wrong password in a row is followed by a minute in which none is looked at."""

    error = "invalid_grant"
    description = "Login timeout in progress, too many failed login attempts"


class LoginLocked(OAuthError):
    """After fifty wrong passwords in a row none is looked at any more."""

    error = "invalid_grant"
    description = "Account is locked due to too many failed login attempts"
