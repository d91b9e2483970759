"""The second factor of somebody who signs in at the pages: given by what they have, or by a first one that they enrol.

What an MFA grant does with an mfa_token is done here with a session: one MfaTransaction for each session and what it is
answering for, one challenge after the other. The session's own secret takes the token's place.

A browser may send a form twice, by a double click or from two tabs. All that a form changes is changed in one
transaction on the session as it is kept: once the factor is given, or the session answers for something else, the form
changes nothing and costs nothing, and the session is returned as it is. Each raises NothingAsked where what is
answered for is gone, and SessionEnded where the session is.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from host_tools.authority.core import mfa_errors
from host_tools.authority.core.authenticators import Authenticators, masked
from host_tools.authority.core.challenges import Challenges
from host_tools.authority.core.errors import (
    LimitReached,
    MessageCodeExpired,
    NothingAsked,
    NothingSent,
    OAuthError,
    PushExpired,
    PushRefused,
    PushUnanswered,
    Refusal,
    TooManyAttempts,
    TooManySent,
    WayNotOpen,
    WrongMessageCode,
    WrongOneTimeCode,
    WrongRecoveryCode,
)
from host_tools.authority.core.events import EventLog
from host_tools.authority.core.mfa_transactions import MfaTransactions
from host_tools.authority.core.post_login import verdict_of
from host_tools.authority.core.records import Authenticator, LoginSession, MfaTransaction, OobChallenge, fingerprint
from host_tools.authority.core.sessions import LoginSessions
from host_tools.authority.core.storage import Store
from host_tools.clock import Clock

# What is tried first. The one-time codes that a phone for push shows come after its push, which is less to type.
_ORDER = ("otp", "push", "otp of a phone", "sms", "email", "recovery-code")
_MESSAGE_REFUSALS: dict[type[OAuthError], type[Refusal]] = {
    mfa_errors.InvalidBindingCode: WrongMessageCode,
    mfa_errors.BindingCodeRequired: WrongMessageCode,
    mfa_errors.ExpiredOobCode: MessageCodeExpired,
}
_PUSH_REFUSALS: dict[type[OAuthError], type[Refusal]] = {
    mfa_errors.ChallengePending: PushUnanswered,
    mfa_errors.ChallengeRejected: PushRefused,
    mfa_errors.ExpiredOobCode: PushExpired,
}


@dataclass(frozen=True)
class Way:
    """One that may be given now. key: the factor, where it does not matter which of the user's it is; else its id.

    hint: where its message goes, or what its phone is called.
    """

    key: str
    factor: str  # records.Factor
    hint: str


class LoginFactors:
    def __init__(
        self,
        store: Store,
        clock: Clock,
        sessions: LoginSessions,
        transactions: MfaTransactions,
        authenticators: Authenticators,
        challenges: Challenges,
        events: EventLog,
    ) -> None:
        self._store = store
        self._clock = clock
        self._sessions = sessions
        self._transactions = transactions
        self._authenticators = authenticators
        self._challenges = challenges
        self._events = events

    def ways(self, session: LoginSession) -> list[Way]:
        """The user's own that may be given now, the one to try first in front."""
        return list(self._open(self.held(session)))

    def sent(self, session: LoginSession, key: str) -> OobChallenge | None:
        """What was sent last by this way and may still be answered, or was refused, or was not answered in time."""
        held = self.held(session)
        return next(
            (
                self._challenges.newest(held, each.authenticator_id)
                for way, each in self._open(held).items()
                if way.key == key
            ),
            None,
        )

    def send(self, session: LoginSession, key: str, instead_of: str | None) -> LoginSession:
        """A message or a push by this way, unless one is open already, other than the one it is to take the place of.

        instead_of: that one's challenge_id. Raises WayNotOpen, TooManySent.
        """
        with self.settling(session) as (kept, held):
            if held is None:
                return kept
            refusal: Refusal | None = WayNotOpen()
            for way, authenticator in self._open(held).items():
                if way.key == key:
                    refusal = self.challenge(held, authenticator, instead_of)
        if refusal is not None:
            raise refusal
        return kept

    def give(self, session: LoginSession, key: str, typed: str, secret: str) -> LoginSession:
        """A factor is given this way: the session, from which no further one may be due.

        secret: the session's own, of which the next recovery code is made. Raises WayNotOpen and what errors.py has of
        refusals for each factor: a wrong code is counted, a right one is spent.
        """
        with self.settling(session) as (kept, held):
            # A second click on the first of two factors: it was right.
            if held is None or any(key in (given, way) for given, way in self._given(held)):
                return kept
            refusal: Refusal | None = WayNotOpen()
            for way, authenticator in self._open(held).items():
                if way.key == key:
                    refusal = self.judged(held, authenticator, typed, secret)
                    if refusal is None:
                        return self.given(kept, held, way.factor)
        raise refusal or WayNotOpen()

    def recovery_code(self, session: LoginSession, secret: str) -> str | None:
        """The one that was made in this login and that the person has not said they saved."""
        held = self._answered(session)
        return self._authenticators.recovery_code_of(held.user_id, seed_of(held, secret)) if held else None

    def recovery_code_saved(self, session: LoginSession) -> None:
        """It is shown no more."""
        with self._store.transaction(durable=False):
            held = self._answered(session)
            if held is not None:
                self._store.put(replace(held, expires_at=self._clock.now_ns()))

    # What enrolling needs as well: login_enrolment.py.

    def held(self, session: LoginSession) -> MfaTransaction:
        """What this login is held for: as it is kept, or as it begins. Raises NothingAsked."""
        asked = self._sessions.asked_for(session)
        known = self._store.get(MfaTransaction, self._key(session))
        if known is not None and known.spent_at is None:
            return known
        begun = self._transactions.request(
            asked.protocol,
            asked.client_id,
            session.user_id or "",
            asked.scope,
            asked.audience,
            session.amr.partition(" ")[0],  # without a factor that was given for another device
            verdict_of(session.verdict),
        )
        return replace(begun, token_hash=self._key(session), expires_at=session.expires_at)

    @contextmanager
    def settling(self, session: LoginSession) -> Iterator[tuple[LoginSession, MfaTransaction | None]]:
        """The session as it is now and what it is held for, in a transaction that may change both; None where the
        factors are given, or the session is answering for something else by now."""
        with self._sessions.kept(session, durable=True) as kept:
            # A session token may owe nothing to the policy without a factor; what else asks for one is to get it.
            given = kept.otp_at is not None and "mfa" in kept.amr.split()
            if given or self._sessions.asked_for(kept) != self._sessions.asked_for(session):
                yield kept, None
                return
            held = self.held(kept)
            self._transactions.prune()
            self._store.put(held)
            yield kept, held

    def challenge(self, held: MfaTransaction, authenticator: Authenticator, instead_of: str | None) -> Refusal | None:
        """Returned, not raised: what it has cost must be kept."""
        newest = self._challenges.newest(held, authenticator.authenticator_id)
        if newest is not None and self._challenges.is_open(newest) and newest.challenge_id != instead_of:
            return None  # the second click of a double click
        try:
            self._challenges.send(held, authenticator)
        except LimitReached as limited:
            return TooManySent(limited.retry_after_s)
        return None

    def judged(
        self, held: MfaTransaction, authenticator: Authenticator, typed: str, secret: str, confirms: bool = False
    ) -> Refusal | None:
        """Whether that is what this authenticator proves its owner by. Returned, not raised: as of `challenge`.

        confirms: it is this authenticator's first use, and no other's will do.
        """
        if authenticator.factor == "otp":
            only = authenticator.authenticator_id if confirms else None
            return self._judged_one_time_code(held, typed, None if confirms else True, only)
        if authenticator.factor == "recovery-code":
            return self._judged_recovery_code(held, typed, secret)
        newest = self._challenges.newest(held, authenticator.authenticator_id)
        if newest is None:
            return NothingSent()
        outcome = self._challenges.judged(held, newest, typed or None)
        if isinstance(outcome, OobChallenge):
            return None
        if isinstance(outcome, LimitReached):
            return TooManyAttempts(outcome.retry_after_s)
        refusals = _PUSH_REFUSALS if authenticator.factor == "push" else _MESSAGE_REFUSALS
        return refusals[type(outcome)]()

    def given(self, kept: LoginSession, held: MfaTransaction, factor: str, enrolled: bool = False) -> LoginSession:
        """The factor was right. enrolled: by enrolling it, so that the user had no other to give beside it."""
        after = self._transactions.spent(held, factor)
        if not enrolled and self._transactions.wants_another(after):
            self._store.put(after)
            return kept
        return self._sessions.factors_given(kept, after.amr, after.factors_given.split())

    def _judged_one_time_code(
        self, held: MfaTransaction, typed: str, active: bool | None, only: str | None
    ) -> Refusal | None:
        try:
            self._authenticators.check_one_time_code(held.user_id, typed, active, only)
        except WrongOneTimeCode as wrong:
            self._events.add("mfa_failed", held.client_id, held.user_id, "otp")
            return wrong
        except TooManyAttempts as limited:
            return limited
        return None

    def _judged_recovery_code(self, held: MfaTransaction, typed: str, secret: str) -> Refusal | None:
        try:
            self._authenticators.use_recovery_code(held.user_id, typed, seed_of(held, secret))
        except WrongRecoveryCode as wrong:
            self._events.add("recovery_failed", held.client_id, held.user_id)
            return wrong
        except TooManyAttempts as limited:
            return limited
        self._events.add("recovery_succeeded", held.client_id, held.user_id)
        return None

    def _open(self, held: MfaTransaction) -> dict[Way, Authenticator]:
        """In the order of `_ORDER`. Any app's one-time code does, so that they are one way; a recovery code is one."""
        found: dict[Way, Authenticator] = {}
        for each in sorted(self._transactions.open_factors(held), key=_place):
            alike = each.factor in ("otp", "recovery-code")
            found.setdefault(Way(each.factor if alike else each.authenticator_id, each.factor, masked(each)), each)
        return found

    def _given(self, held: MfaTransaction) -> list[tuple[str, str]]:
        """The factors given so far for this login, each with the authenticators that were good for it."""
        factors = held.factors_given.split()
        return [
            (each.factor, each.authenticator_id)
            for each in self._authenticators.of(held.user_id)
            if each.factor in factors
        ]

    def _answered(self, session: LoginSession) -> MfaTransaction | None:
        """What this login was held for, once the factors are given."""
        try:
            held = self._store.get(MfaTransaction, self._key(session))
        except NothingAsked:
            return None
        over = held is None or held.spent_at is None or self._clock.now_ns() >= held.expires_at
        return None if over else held

    def _key(self, session: LoginSession) -> str:
        """No mfa_token has a hash with a space in it, so that nobody finds this by sending one."""
        return f"login {fingerprint(f'{session.session_hash} {self._sessions.asked_for(session).name}')}"


def seed_of(held: MfaTransaction, secret: str) -> bytes:
    """Of which the recovery code is made that this login brings: who does not know the session's secret cannot."""
    return hmac.digest(secret.encode(), held.token_hash.encode(), "sha256")


def _place(authenticator: Authenticator) -> int:
    of_a_phone = authenticator.factor == "otp" and authenticator.twin_id is not None
    return _ORDER.index("otp of a phone" if of_a_phone else authenticator.factor)
