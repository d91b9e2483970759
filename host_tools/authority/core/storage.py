"""The narrow interface the authority asks of whoever keeps its records."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Protocol, TypeVar

from host_tools.authority.core.authn_records import AuthnTransaction, DeviceChoice, SessionToken
from host_tools.authority.core.records import (
    Attempts,
    Authenticator,
    AuthorizationCode,
    AuthorizationRequest,
    Client,
    Consent,
    DeviceGrant,
    Event,
    KnownBrowser,
    LoginSession,
    Message,
    MfaTransaction,
    OobChallenge,
    RefreshToken,
    SigningKey,
    TokenFamily,
    User,
)
from host_tools.authority.core.resource_records import BankAccount, SessionFactor, SpentToken
from host_tools.authority.core.user_mfa_records import PasswordTries, PresenceToken, UserMfa

Record = (
    User
    | Authenticator
    | Client
    | DeviceGrant
    | AuthorizationRequest
    | AuthorizationCode
    | Consent
    | TokenFamily
    | RefreshToken
    | LoginSession
    | SessionFactor
    | SpentToken
    | BankAccount
    | KnownBrowser
    | MfaTransaction
    | OobChallenge
    | AuthnTransaction
    | SessionToken
    | DeviceChoice
    | Message
    | Event
    | Attempts
    | SigningKey
    | UserMfa
    | PresenceToken
    | PasswordTries
)
R = TypeVar(
    "R",
    User,
    Authenticator,
    Client,
    DeviceGrant,
    AuthorizationRequest,
    AuthorizationCode,
    Consent,
    TokenFamily,
    RefreshToken,
    LoginSession,
    SessionFactor,
    SpentToken,
    BankAccount,
    KnownBrowser,
    MfaTransaction,
    OobChallenge,
    AuthnTransaction,
    SessionToken,
    DeviceChoice,
    Message,
    Event,
    Attempts,
    SigningKey,
    UserMfa,
    PresenceToken,
    PasswordTries,
)


class Store(Protocol):
    """Keeps records. Every call is safe from any thread; a transaction is alone while it lasts."""

    def transaction(self, durable: bool = True) -> AbstractContextManager[None]:
        """All or nothing. One inside another is part of the outer.

        durable: nobody outside is told of it before it survives a power cut. What is not survives the end of this
        process all the same, and is for what a server may forget: a device code, what is in the log.
        """
        ...

    def get(self, kind: type[R], key: str) -> R | None:
        """The record whose first field is `key`."""
        ...

    def find(self, kind: type[R], **equal: str | int | None) -> list[R]:
        """The records whose fields equal all of these."""
        ...

    def newest(self, kind: type[R], field: str, most: int) -> list[R]:
        """The `most` records with the greatest `field`, the greatest first; of equal ones the greatest key first."""
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
        """The records whose `field` is a number before this."""
        ...

    def delete(self, kind: type[R], **equal: str | int | None) -> None:
        """Forget the records whose fields equal all of these."""
        ...

    def prune(self, kind: type[R], field: str, before: int) -> None:
        """Forget the records whose `field` is a number before this."""
        ...
