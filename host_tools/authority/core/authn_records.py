"""What is kept for Okta's sign-in API, in the manner of records.py."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class AuthnTransaction:
    """What a state token of Okta's sign-in API stands for: a sign-in on its way."""

    state_hash: str
    user_id: str
    status: str  # authn_transactions.Status
    device: str  # hash of the deviceToken that it began with; empty without one
    relay_state: str  # what the application wants back at the end
    enrols_more: bool  # whether further factors are offered once the first is enrolled
    factor_id: str | None  # of the authenticator that is challenged, or to be activated
    factor_result: str  # what was told last of a push: WAITING, REJECTED, TIMEOUT; else empty
    qr_hash: str | None  # of the secret in the address of the QR code that enrols it
    enrolled: str  # the ids of the authenticators that were enrolled in it
    expires_at: int  # later with each request


@dataclass(frozen=True)
class SessionToken:
    """What a sign-in by that API ends in: good once for a session at the pages."""

    token_hash: str
    user_id: str
    amr: str
    factors: str
    expires_at: int


@dataclass(frozen=True)
class DeviceChoice:
    """What a user has chosen for a device: see device_choices.py."""

    key: str  # hash of the device and the user
    user_id: str
    remembered_at: int | None  # when a factor was last given there, by who wished not to be asked again; else None
    auto_push: bool
    verified_at: int
