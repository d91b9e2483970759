"""What protected resources keep beside the authority's own records, by the same rules (records.py)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class SessionFactor:
    """When a second factor was last given in a login session: what a resource asks that wants it lately."""

    key: str  # of session and factor, see session_factors.py
    sid: str
    user_id: str
    factor: str  # Factor
    given_at: int


@dataclass(frozen=True)
class SpentToken:
    """An access token that was good for one use (seeds/002: "discards it"). Kept until it would have expired."""

    jti_hash: str
    expires_at: int
    request_hash: str  # the request that used it, where a server in front says which; else empty


@dataclass(frozen=True)
class BankAccount:
    """Of the bank that the gateway has for an example."""

    user_id: str
    cents: int
