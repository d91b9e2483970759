"""What the authority keeps, one plain record a kind, and the narrow interface it asks of whoever keeps them.

Times (`_at`) are nanoseconds since 1970 UTC; lists of words (scopes, methods) are one string with single spaces, as
on the wire; hashes are SHA-256 in hex.
"""

from __future__ import annotations

import hashlib
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol, TypeVar


def fingerprint(secret: str) -> str:
    """SHA-256 of a bearer secret. Unsalted on purpose: 256 random bits need no salt, and it is looked up by it."""
    return hashlib.sha256(secret.encode()).hexdigest()


@dataclass(frozen=True)
class User:
    user_id: str
    username: str  # lower case
    password_hash: str  # argon2id, encoded with its parameters
    totp_secret: str  # base32
    last_totp_step: int  # RFC 6238 5.2: this step and all before it are spent


@dataclass(frozen=True)
class Client:
    client_id: str
    name: str
    scopes: str  # what it may ask for
    audience: str  # the API it may ask for, and gets when it names none
    metadata: str  # JSON object of strings, Auth0's clientMetadata: {"device_type": "display"}
    refresh_lifetime_s: int  # absolute: rotation does not extend it (Auth0)
    refresh_leeway_s: int  # how long the previous token of a family is still taken after rotation; Auth0's default is 0


@dataclass(frozen=True)
class DeviceGrant:
    device_code_hash: str
    user_code: str  # normalised: eight letters, no hyphen
    client_id: str
    scope: str
    audience: str
    status: str  # pending, approved, denied, spent
    interval_s: int  # rises by 5 with each slow_down
    created_at: int
    expires_at: int
    last_polled_at: int | None
    expiry_told_at: int | None
    user_id: str | None  # who answered, and how they had signed in
    auth_time_at: int | None
    amr: str


@dataclass(frozen=True)
class TokenFamily:
    """The line of refresh tokens that began with one approval."""

    family_id: str
    client_id: str
    user_id: str
    scope: str
    audience: str
    auth_time_at: int
    amr: str
    generation: int  # of the newest token
    rotated_at: int  # when that generation began
    expires_at: int
    revoked_at: int | None


@dataclass(frozen=True)
class RefreshToken:
    token_hash: str
    family_id: str
    generation: int


@dataclass(frozen=True)
class LoginSession:
    """A browser at the pages, signed in or not, and the device it is answering for."""

    session_hash: str
    created_at: int
    expires_at: int
    user_id: str | None
    auth_time_at: int | None  # last active authentication (RFC 9068 auth_time)
    amr: str  # RFC 8176: "pwd" or "pwd otp mfa"
    user_code: str | None  # the device being answered for
    otp_at: int | None  # the one-time code given for this very device
    outcome: str | None  # allowed, denied: what the last answer was


@dataclass(frozen=True)
class Attempts:
    bucket: str  # kind and subject
    full_at: int  # when the bucket will have refilled entirely


@dataclass(frozen=True)
class SigningKey:
    kid: str
    private_jwk: str  # JSON
    created_at: int


Record = User | Client | DeviceGrant | TokenFamily | RefreshToken | LoginSession | Attempts | SigningKey
R = TypeVar("R", User, Client, DeviceGrant, TokenFamily, RefreshToken, LoginSession, Attempts, SigningKey)


class Store(Protocol):
    """Keeps records. Every call is safe from any thread; a transaction is alone while it lasts."""

    def transaction(self) -> AbstractContextManager[None]:
        """All or nothing. One inside another is part of the outer."""
        ...

    def get(self, kind: type[R], key: str) -> R | None:
        """The record whose first field is `key`."""
        ...

    def find(self, kind: type[R], **equal: str | int | None) -> list[R]:
        """The records whose fields equal all of these."""
        ...

    def put(self, record: Record) -> None:
        """Insert, or replace the one with the same first field."""
        ...

    def image(self) -> bytes:
        """All records, for `put_back`."""
        ...

    def put_back(self, image: bytes) -> None:
        """Have exactly the records of that image."""
        ...

    def before(self, kind: type[R], field: str, moment: int) -> list[R]:
        """The records whose `field` is a time before this."""
        ...

    def delete(self, kind: type[R], **equal: str | int | None) -> None:
        """Forget the records whose fields equal all of these."""
        ...

    def prune(self, kind: type[R], field: str, before: int) -> None:
        """Forget the records whose `field` is a time before this."""
        ...
