"""What goes wrong in starting an authority, told to the person who started it."""

from __future__ import annotations

from host_tools.errors import StoaError


class AuthorityError(StoaError):
    """The authority cannot run: the port is taken, or the database is not ours or cannot be written."""
