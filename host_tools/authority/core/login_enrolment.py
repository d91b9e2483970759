"""A first factor enrolled at the pages, by somebody who must give one and has none."""

from __future__ import annotations

from dataclasses import replace

from host_tools.authority.core.authenticators import Authenticators
from host_tools.authority.core.challenges import Challenges
from host_tools.authority.core.errors import InvalidRequest, Refusal, WayNotOpen, WrongEmailAddress, WrongPhoneNumber
from host_tools.authority.core.login_factors import LoginFactors, seed_of
from host_tools.authority.core.mfa_api import OUT_OF_BAND, recipient
from host_tools.authority.core.mfa_transactions import ENROLLABLE, MfaTransactions
from host_tools.authority.core.records import Authenticator, Factor, LoginSession, MfaTransaction, OobChallenge
from host_tools.authority.core.storage import Store
from host_tools.authority.core.users import Users


class LoginEnrolment:
    """As login_factors.py in all that it says of two forms at once."""

    def __init__(
        self,
        store: Store,
        users: Users,
        factors: LoginFactors,
        transactions: MfaTransactions,
        authenticators: Authenticators,
        challenges: Challenges,
    ) -> None:
        self._store = store
        self._users = users
        self._factors = factors
        self._transactions = transactions
        self._authenticators = authenticators
        self._challenges = challenges

    def kinds(self, session: LoginSession) -> list[Factor]:
        """Those that may be enrolled: none for who has a factor, for whoever knows the password could add one."""
        return self._kinds(self._factors.held(session))

    def begun(self, session: LoginSession, authenticator_id: str) -> Authenticator | None:
        """The one that waits to be confirmed, begun in this login: another's secret is known to whoever began that, and
        a link is all it takes to have somebody scan it."""
        held = self._factors.held(session)
        found = self._store.get(Authenticator, authenticator_id)
        if found is None or found.active or authenticator_id not in held.enrolling.split():
            return None
        return found if found.factor in self._kinds(held) else None

    def sent(self, session: LoginSession, authenticator: Authenticator) -> OobChallenge | None:
        """As login_factors.py."""
        return self._challenges.newest(self._factors.held(session), authenticator.authenticator_id)

    def begin(self, session: LoginSession, factor: Factor, name: str, secret: str) -> Authenticator | None:
        """One that its first use will confirm; None where that is not this login's turn any more.

        name: the phone number for sms, the address for email. secret: the session's own, of which the recovery code is
        made. Raises WayNotOpen, WrongPhoneNumber, WrongEmailAddress, TooManySent.
        """
        with self._factors.settling(session) as (_, held):
            user = self._users.get(session.user_id or "")
            if held is None or user is None:
                return None
            if factor not in self._kinds(held):
                raise WayNotOpen
            called = _recipient(factor, name, user.username)
            made = self._pending(held, factor, called)
            if made is None:
                seed = seed_of(held, secret)
                made = self._authenticators.enrol(held.user_id, factor, called, seed).authenticator
                before = [each for each in held.enrolling.split() if self._store.get(Authenticator, each)]
                self._store.put(replace(held, enrolling=" ".join([*before, made.authenticator_id])))
            refusal = self._factors.challenge(held, made, None) if factor in OUT_OF_BAND else None
        if refusal is not None:
            raise refusal
        return made

    def send(self, session: LoginSession, authenticator_id: str, instead_of: str | None) -> LoginSession:
        """The message or push that confirms it, once more. Raises WayNotOpen, TooManySent."""
        with self._factors.settling(session) as (kept, held):
            if held is None:
                return kept
            refusal: Refusal | None = WayNotOpen()
            made = self.begun(kept, authenticator_id)
            if made is not None and made.factor in OUT_OF_BAND:
                refusal = self._factors.challenge(held, made, instead_of)
        if refusal is not None:
            raise refusal
        return kept

    def confirm(self, session: LoginSession, authenticator_id: str, typed: str, secret: str) -> LoginSession:
        """Its first use: it counts from now on, and is given for this login. Raises as `give` of login_factors.py."""
        with self._factors.settling(session) as (kept, held):
            if held is None:
                return kept
            refusal: Refusal | None = WayNotOpen()
            made = self.begun(kept, authenticator_id)  # none for who has a factor by now, from another browser
            if made is not None:
                refusal = self._factors.judged(held, made, typed, secret, confirms=True)
                if refusal is None:
                    self._authenticators.confirm(self._store.get(Authenticator, authenticator_id) or made)
                    return self._factors.given(kept, held, made.factor, enrolled=True)
        raise refusal or WayNotOpen()

    def _kinds(self, held: MfaTransaction) -> list[Factor]:
        if self._authenticators.has_any(held.user_id):
            return []
        return [each for each in ENROLLABLE if self._transactions.allows(held, each)]

    def _pending(self, held: MfaTransaction, factor: Factor, called: str) -> Authenticator | None:
        """What the first click of a double click began: it has been sent to already, and may be answered."""
        for each in self._authenticators.of(held.user_id, factor, active=False):
            newest = self._challenges.newest(held, each.authenticator_id)
            if each.name == called and newest is not None and self._challenges.is_open(newest):
                return each
        return None


def _recipient(factor: Factor, name: str, username: str) -> str:
    try:
        return recipient(factor, name, username)
    except InvalidRequest as unfit:
        raise (WrongPhoneNumber if factor == "sms" else WrongEmailAddress) from unfit
