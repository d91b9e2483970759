"""The factors of Okta's sign-in API, challenged and verified by a state token as the pages do it (login_factors.py)."""

from __future__ import annotations

from dataclasses import replace

from host_tools.authority.core.authenticators import Authenticators
from host_tools.authority.core.authn_errors import (
    AuthnRefused,
    EmailTooSoon,
    InvalidPasscode,
    PasscodeReplayed,
    SmsTooSoon,
    StateNotAllowed,
    TooManyChallenges,
    TooManySms,
    UnknownFactor,
    UserLocked,
)
from host_tools.authority.core.authn_records import AuthnTransaction
from host_tools.authority.core.authn_sign_in import CLIENT_ID, AuthnSignIn
from host_tools.authority.core.authn_transactions import AuthnTransactions, Standing, chooses, held_key
from host_tools.authority.core.challenges import Challenges
from host_tools.authority.core.device_choices import DeviceChoices
from host_tools.authority.core.errors import PushExpired, PushRefused, PushUnanswered, Refusal, TooManyAttempts
from host_tools.authority.core.login_factors import LoginFactors
from host_tools.authority.core.mfa_transactions import MfaTransactions
from host_tools.authority.core.records import Authenticator, MfaTransaction
from host_tools.authority.core.storage import Store
from host_tools.clock import NS, Clock

# "The current rate limit is one SMS challenge per device every 30 seconds"; E0000118 has the five seconds.
_WAITS_S = {"sms": 30, "email": 5}
_TOO_SOON: dict[str, type[AuthnRefused]] = {"sms": SmsTooSoon, "email": EmailTooSoon}
MISMATCH = "Your passcode doesn't match our records. Please try again."  # Okta's sentence
# What a push comes to, in Okta's words.
_RESULTS: dict[type[Refusal], str] = {PushUnanswered: "WAITING", PushRefused: "REJECTED", PushExpired: "TIMEOUT"}


class AuthnFactors:
    def __init__(
        self,
        store: Store,
        clock: Clock,
        sign_in: AuthnSignIn,
        transactions: AuthnTransactions,
        held: MfaTransactions,
        factors: LoginFactors,
        authenticators: Authenticators,
        challenges: Challenges,
        devices: DeviceChoices,
    ) -> None:
        self._store = store
        self._clock = clock
        self._sign_in = sign_in
        self._transactions = transactions
        self._held = held
        self._factors = factors
        self._authenticators = authenticators
        self._challenges = challenges
        self._devices = devices

    def verify(
        self,
        state_token: str,
        factor_id: str,
        passcode: str | None,
        remember: bool = False,
        auto_push: bool | None = None,
    ) -> Standing:
        """Give this factor, or have its challenge sent; ask what a push has come to.

        remember, auto_push: what the user wishes from now on, for this device. Raises InvalidStateToken,
        StateNotAllowed, UnknownFactor, InvalidPasscode, PasscodeReplayed, UserLocked, and as `send`.
        """
        found = self._transactions.find(state_token, "verify", factor_id)
        with self._store.transaction():
            held = self.held(found)
            factor = self._open(held, factor_id)
            outcome = self._verified(state_token, found, held, factor, passcode, remember, auto_push)
        if isinstance(outcome, AuthnRefused):
            raise outcome
        return outcome

    def resend(self, state_token: str, factor_id: str) -> Standing:
        """The message or the push of the factor that is challenged, once more. Raises as `verify`."""
        found = self._transactions.find(state_token, "verify resend", factor_id)
        with self._store.transaction():
            held = self.held(found)
            outcome = self._challenged(state_token, found, held, self._open(held, factor_id))
        if isinstance(outcome, AuthnRefused):
            raise outcome
        return outcome

    # What enrolling needs as well: authn_enrolment.py.

    def held(self, transaction: AuthnTransaction) -> MfaTransaction:
        """What the factors of this sign-in are kept in: as it is, or as it begins. Within a transaction."""
        key = held_key(transaction)
        kept = self._store.get(MfaTransaction, key)
        if kept is not None:
            return kept
        begun = self._held.request("oauth2-password", CLIENT_ID, transaction.user_id, "", "", "pwd")
        begun = replace(begun, token_hash=key)
        self._held.prune()
        self._store.put(begun)
        return begun

    def send(self, held: MfaTransaction, factor: Authenticator) -> AuthnRefused | None:
        """A message or a push, in place of the last. Returned, not raised: what it has cost must be kept."""
        newest = self._challenges.newest(held, factor.authenticator_id)
        wait_s = _WAITS_S.get(factor.factor, 0)
        if newest is not None and self._clock.now_ns() < newest.created_at + wait_s * NS:
            return _TOO_SOON[factor.factor]()
        refusal = self._factors.challenge(held, factor, newest.challenge_id if newest else None)
        if refusal is None:
            return None
        return TooManySms() if factor.factor == "sms" else TooManyChallenges()

    def judged(self, held: MfaTransaction, factor: Authenticator, passcode: str) -> AuthnRefused | None:
        """Whether that is the passcode of this factor, and no other's. Returned, not raised: as of `send`."""
        replayed = factor.factor == "otp" and self._authenticators.was_spent(factor, passcode)
        refusal = self._factors.judged(held, factor, passcode, "", confirms=True)
        if refusal is None:
            return None
        if isinstance(refusal, TooManyAttempts):
            return UserLocked()
        return PasscodeReplayed() if replayed else InvalidPasscode(MISMATCH)

    def push_result(self, held: MfaTransaction, factor: Authenticator) -> str:
        """Of a push that was sent: empty once it is approved, which it is once."""
        refusal = self._factors.judged(held, factor, "", "", confirms=True)
        return "" if refusal is None else _RESULTS.get(type(refusal), "TIMEOUT")

    def given(self, transaction: AuthnTransaction, held: MfaTransaction, factor: str) -> tuple[MfaTransaction, bool]:
        """The factor counts: what the sign-in is held in after it, and whether one more is due."""
        after = self._held.spent(held, factor)
        another = self._held.wants_another(after)
        self._store.put(after)
        return after, another

    def _open(self, held: MfaTransaction, factor_id: str) -> Authenticator:
        """Raises UnknownFactor for what the user has not; StateNotAllowed for what was given already."""
        for each in self._authenticators.of(held.user_id):
            if each.authenticator_id == factor_id and each.factor != "recovery-code":
                if each.factor in held.factors_given.split():
                    raise StateNotAllowed
                return each
        raise UnknownFactor(factor_id)

    def _verified(
        self,
        state_token: str,
        transaction: AuthnTransaction,
        held: MfaTransaction,
        factor: Authenticator,
        passcode: str | None,
        remember: bool,
        auto_push: bool | None,
    ) -> Standing | AuthnRefused:
        if factor.factor == "push":
            if transaction.factor_result != "WAITING":  # none was sent, or it was told what became of the last
                return self._challenged(state_token, transaction, held, factor)
            result = self.push_result(held, factor)
            if result:
                told = replace(transaction, factor_result=result)
                return self._sign_in.standing(state_token, self._transactions.keep(told))
        elif passcode is None and factor.factor != "otp":
            return self._challenged(state_token, transaction, held, factor)
        elif passcode is None:
            return InvalidPasscode(MISMATCH)  # which is no try
        else:
            refusal = self.judged(held, factor, passcode)
            if refusal is not None:
                return refusal
        after, another = self.given(transaction, held, factor.factor)
        pushes = auto_push if factor.factor == "push" else None
        # While one more is due nothing is remembered yet, or the first would spare its user the second.
        self._devices.verified(transaction.user_id, transaction.device, None if another else remember, pushes)
        if another:
            return self._sign_in.standing(state_token, self._transactions.keep(chooses(transaction, "MFA_REQUIRED")))
        return self._sign_in.complete(transaction, after)

    def _challenged(
        self, state_token: str, transaction: AuthnTransaction, held: MfaTransaction, factor: Authenticator
    ) -> Standing | AuthnRefused:
        if factor.factor == "otp":  # nothing is sent
            return StateNotAllowed()
        refusal = self.send(held, factor)
        if refusal is not None:
            return refusal
        result = "WAITING" if factor.factor == "push" else ""
        changed = replace(transaction, status="MFA_CHALLENGE", factor_id=factor.authenticator_id, factor_result=result)
        return self._sign_in.standing(state_token, self._transactions.keep(changed))
