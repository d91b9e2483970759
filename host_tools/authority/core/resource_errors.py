"""What a protected resource refuses beside errors.py's InvalidToken and InsufficientScope."""

from __future__ import annotations

from host_tools.authority.core.errors import InvalidToken, OAuthError


class MissingToken(OAuthError):
    """RFC 6750 3.1: a request that lacks any authentication information is told no error code."""

    description = "Unauthorized"


class UsedToken(InvalidToken):
    """RFC 6750 3.1: invalid for other reasons: it was good for one use (seeds/002)."""

    description = "The access token was good for one use, and has been used."


class InsufficientUserAuthentication(OAuthError):
    """RFC 9470 3: The authentication event associated with the access token presented with the request does not meet
    the authentication requirements of the protected resource."""

    error = "insufficient_user_authentication"

    def __init__(self, description: str, max_age_s: int | None, acr_values: str) -> None:
        super().__init__(description)
        self.max_age_s = max_age_s
        self.acr_values = acr_values
