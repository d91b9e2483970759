"""Okta's sign-in API, as transactions: what a state token stands for, and which request is its turn.

===================  ==========================================================================================
status               requests that it takes, beside a look at it and `cancel`
===================  ==========================================================================================
MFA_REQUIRED         verify (of any of the user's factors)
MFA_CHALLENGE        verify, resend (of the factor that is challenged), previous
MFA_ENROLL           enrol; skip, once a factor is enrolled
MFA_ENROLL_ACTIVATE  activate, poll, resend (of the factor that is enrolled), previous
===================  ==========================================================================================

SUCCESS has no state token: it ends the transaction. A state token's life begins anew with each request ("a sliding
scale expiration algorithm that extends with every request").
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

from host_tools.authority.core.authn_errors import InvalidStateToken, StateNotAllowed
from host_tools.authority.core.authn_records import AuthnTransaction
from host_tools.authority.core.events import EventLog
from host_tools.authority.core.records import Authenticator, User, fingerprint
from host_tools.authority.core.storage import Store
from host_tools.clock import NS, Clock

Status = Literal["MFA_REQUIRED", "MFA_CHALLENGE", "MFA_ENROLL", "MFA_ENROLL_ACTIVATE", "SUCCESS"]
Request = Literal["verify", "verify resend", "enrol", "activate", "activate resend", "previous", "skip"]
LIFETIME_S = 300  # [I] Okta's pages say how it slides, not how long it is

TAKES: dict[Request, tuple[Status, ...]] = {
    "verify": ("MFA_REQUIRED", "MFA_CHALLENGE"),
    "verify resend": ("MFA_CHALLENGE",),
    "enrol": ("MFA_ENROLL",),
    "activate": ("MFA_ENROLL_ACTIVATE",),
    "activate resend": ("MFA_ENROLL_ACTIVATE",),
    "previous": ("MFA_CHALLENGE", "MFA_ENROLL_ACTIVATE"),
    "skip": ("MFA_ENROLL",),
}
BACK: dict[str, Status] = {"MFA_CHALLENGE": "MFA_REQUIRED", "MFA_ENROLL_ACTIVATE": "MFA_ENROLL"}


@dataclass(frozen=True)
class Standing:
    """Where a sign-in stands, as its client is told.

    expires_at: of the state token, or of the session token. factor: the one that is challenged or to be activated; of
    MFA_REQUIRED and MFA_ENROLL `factors` are all that the user has. device: of whoever signs in; empty where unknown.
    qr: the secret in the address of the QR code.
    """

    status: Status
    user: User
    expires_at: int
    relay_state: str = ""
    state_token: str = ""
    session_token: str = ""
    factors: tuple[Authenticator, ...] = ()
    factor: Authenticator | None = None
    factor_result: str = ""
    challenge_expires_at: int | None = None
    may_skip: bool = False
    device: str = ""
    qr: str = ""


class AuthnTransactions:
    def __init__(self, store: Store, clock: Clock, events: EventLog) -> None:
        self._store = store
        self._clock = clock
        self._events = events

    def begin(
        self, user_id: str, status: Status, device: str, relay_state: str, enrols_more: bool
    ) -> tuple[str, AuthnTransaction]:
        """A state token and its transaction."""
        state_token = f"00{secrets.token_urlsafe(30)}"  # as long as Okta's
        now = self._clock.now_ns()
        begun = AuthnTransaction(
            state_hash=fingerprint(state_token),
            user_id=user_id,
            status=status,
            device=device,
            relay_state=relay_state,
            enrols_more=enrols_more,
            factor_id=None,
            factor_result="",
            qr_hash=None,
            enrolled="",
            expires_at=now + LIFETIME_S * NS,
        )
        with self._store.transaction(durable=False):
            self._store.prune(AuthnTransaction, "expires_at", now)
            self._store.put(begun)
        return state_token, begun

    def find(self, state_token: str, request: Request | None = None, factor_id: str | None = None) -> AuthnTransaction:
        """The transaction, with a new life, for such a request of this factor. Raises InvalidStateToken,
        StateNotAllowed."""
        now = self._clock.now_ns()
        with self._store.transaction(durable=False):
            found = self._store.get(AuthnTransaction, fingerprint(state_token))
            if found is None or now >= found.expires_at:
                raise InvalidStateToken
            found = replace(found, expires_at=now + LIFETIME_S * NS)
            self._store.put(found)
        if request is not None and found.status not in TAKES[request]:
            raise StateNotAllowed
        if factor_id is not None and found.factor_id not in (None, factor_id):
            raise StateNotAllowed
        return found

    def by_qr(self, qr: str) -> AuthnTransaction | None:
        """The one whose QR code has this secret in its address. Looking at it gives it no new life."""
        found = self._store.find(AuthnTransaction, qr_hash=fingerprint(qr))
        return next((each for each in found if self._clock.now_ns() < each.expires_at), None)

    def keep(self, changed: AuthnTransaction) -> AuthnTransaction:
        self._store.put(changed)
        return changed

    def back(self, state_token: str) -> AuthnTransaction:
        """To the choice of a factor. Raises as `find`."""
        found = self.find(state_token, "previous")
        return self.keep(chooses(found, BACK[found.status]))

    def cancel(self, state_token: str) -> str:
        """Its relay state. Raises InvalidStateToken."""
        found = self.find(state_token)
        self.end(found)
        self._events.add("authn_cancelled", user_id=found.user_id, detail=found.status.lower())
        return found.relay_state

    def end(self, transaction: AuthnTransaction) -> None:
        self._store.delete(AuthnTransaction, state_hash=transaction.state_hash)


def chooses(transaction: AuthnTransaction, status: Status) -> AuthnTransaction:
    """The transaction with no factor chosen."""
    return replace(transaction, status=status, factor_id=None, factor_result="", qr_hash=None)


def held_key(transaction: AuthnTransaction) -> str:
    """Of the MfaTransaction that its factors are kept in. No mfa_token has a hash with a space in it, so that nobody
    finds it by sending one."""
    return f"authn {transaction.state_hash}"


def qr_secret(state_token: str, authenticator_id: str) -> str:
    """In the address of an enrolment's QR code: whoever has the state token is told it again, and nobody else."""
    return f"00{hmac.digest(state_token.encode(), f'qr {authenticator_id}'.encode(), 'sha256').hex()[:40]}"


def listed(authenticators: Iterable[Authenticator]) -> tuple[Authenticator, ...]:
    """Those that Okta knows: it has no recovery code."""
    return tuple(each for each in authenticators if each.factor != "recovery-code")
