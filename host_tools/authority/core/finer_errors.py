"""Refusals that vendors tell alike, for a dialect that tells them apart."""

from __future__ import annotations

from host_tools.authority.core.errors import InvalidClient, InvalidRefreshToken, InvalidToken


class WrongClientSecret(InvalidClient):
    """RFC 6749 5.2: the client is known, and has not authenticated."""


class ExpiredRefreshToken(InvalidRefreshToken):
    """RFC 6749 6 and 5.2: its time is over; nobody has revoked it."""


class ExpiredAccessToken(InvalidToken):
    """RFC 6750 3.1: issued here, and its time is over."""
