"""What goes wrong in starting or controlling an authority, told to the person who does so."""

from __future__ import annotations

from host_tools.errors import StoaError


class AuthorityError(StoaError):
    """The authority cannot run: the port is taken, or the database is not ours or cannot be written."""


class InvalidSetting(AuthorityError):
    """A value that a control does not take. `field` is its name."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field} {message}")
        self.field = field


class NotNow(AuthorityError):
    """What was asked makes sense, but not to this authority as it runs; the message names the remedy."""
