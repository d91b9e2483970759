"""What is kept where users switch their own second factor, as records.py has it for all else."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class UserMfa:
    """A user's own switch, and how often in a row their codes were wrong."""

    user_id: str
    enabled: bool
    failed_attempts: int
    failed_at: int | None  # the last of them
    updated_at: int | None  # None: as the tenant file has it


@dataclass(frozen=True)
class PresenceToken:
    """Somebody has just given this user's password again."""

    token_hash: str
    user_id: str
    created_at: int
    expires_at: int


@dataclass(frozen=True)
class PasswordTries:
    """How often in a row a password was wrong for this name, whether anybody has it or not."""

    name_hash: str
    user_id: str | None
    failed: int
    failed_at: int | None  # the last of them
    tried_at: int | None  # the last login, right or wrong
    forgotten_at: int | None  # of a name that nobody has
