"""A factor enrolled in Okta's sign-in API, by somebody who must give one and has none.

What one sign-in has begun no other may confirm, and once the user has a factor that was not enrolled in this very
sign-in, whoever knows no more than the password adds none to it (as login_enrolment.py).
"""

from __future__ import annotations

from dataclasses import replace

from host_tools.authority.core.authenticators import Authenticators
from host_tools.authority.core.authn_errors import AuthnRefused, InvalidPhoneNumber, StateNotAllowed, UnknownFactor
from host_tools.authority.core.authn_factors import AuthnFactors
from host_tools.authority.core.authn_records import AuthnTransaction
from host_tools.authority.core.authn_sign_in import AuthnSignIn
from host_tools.authority.core.authn_transactions import AuthnTransactions, Standing, chooses, qr_secret
from host_tools.authority.core.errors import InvalidRequest
from host_tools.authority.core.mfa_api import OUT_OF_BAND, recipient
from host_tools.authority.core.mfa_transactions import ENROLLABLE
from host_tools.authority.core.records import Authenticator, Factor, MfaTransaction, fingerprint
from host_tools.authority.core.storage import Store


class AuthnEnrolment:
    def __init__(
        self,
        store: Store,
        sign_in: AuthnSignIn,
        transactions: AuthnTransactions,
        factors: AuthnFactors,
        authenticators: Authenticators,
    ) -> None:
        self._store = store
        self._sign_in = sign_in
        self._transactions = transactions
        self._factors = factors
        self._authenticators = authenticators

    def begin(self, state_token: str, factor: Factor, name: str) -> Standing:
        """One that its first use will activate.

        name: the phone number for sms; of the others what they are called. Raises InvalidStateToken, StateNotAllowed,
        InvalidPhoneNumber, and as AuthnFactors.send.
        """
        found = self._transactions.find(state_token, "enrol")
        user = self._sign_in.user_of(found)
        try:
            called = name if factor == "otp" else recipient(factor, name, user.username)
        except InvalidRequest as unfit:
            raise InvalidPhoneNumber from unfit
        with self._store.transaction():
            self._check_turn(found)
            # Enrolled in this sign-in already; the codes that a phone for push shows are another factor than an app's.
            if any(
                each.factor == factor and (factor == "push" or each.twin_id is None)
                for each in self._authenticators.of(user.user_id)
            ):
                raise StateNotAllowed
            made = self._authenticators.enrol(user.user_id, factor, called).authenticator
            # Okta has no recovery codes: nobody is told this one.
            self._store.delete(Authenticator, twin_id=made.authenticator_id, factor="recovery-code")
            outcome = self._activating(state_token, found, made)
        if isinstance(outcome, AuthnRefused):
            raise outcome
        return outcome

    def activate(self, state_token: str, factor_id: str, passcode: str) -> Standing:
        """Its first passcode; for a push what has become of it. Raises as AuthnFactors.verify."""
        found, made = self._pending(state_token, "activate", factor_id)
        with self._store.transaction():
            self._check_turn(found)  # again: a page answers in a thread of its own
            held = self._factors.held(found)
            outcome = self._activated(state_token, found, held, made, passcode)
        if isinstance(outcome, AuthnRefused):
            raise outcome
        return outcome

    def resend(self, state_token: str, factor_id: str) -> Standing:
        """The message that activates it, once more. Raises as `activate`."""
        found, made = self._pending(state_token, "activate resend", factor_id)
        if made.factor not in OUT_OF_BAND:
            raise StateNotAllowed
        with self._store.transaction():
            outcome = self._activating(state_token, found, made)
        if isinstance(outcome, AuthnRefused):
            raise outcome
        return outcome

    def skip(self, state_token: str) -> Standing:
        """No further factor is wanted: the session token. Raises InvalidStateToken, StateNotAllowed."""
        found = self._transactions.find(state_token, "skip")
        if not found.enrolled:
            raise StateNotAllowed
        with self._store.transaction():
            return self._sign_in.complete(found, self._factors.held(found))

    def scanned(self, factor_id: str, qr: str) -> tuple[str, Authenticator] | None:
        """Whose QR code this is, and of which authenticator; None for what is no enrolment under way."""
        found = self._transactions.by_qr(qr)
        if found is None or found.factor_id != factor_id:
            return None
        made = self._store.get(Authenticator, factor_id)
        return None if made is None or made.active else (self._sign_in.user_of(found).username, made)

    def _pending(self, state_token: str, request: str, factor_id: str) -> tuple[AuthnTransaction, Authenticator]:
        found = self._transactions.find(state_token, request, factor_id)  # type: ignore[arg-type]
        made = self._store.get(Authenticator, factor_id)
        if made is None or made.active:  # another sign-in of theirs was faster
            raise UnknownFactor(factor_id)
        self._check_turn(found)
        return found, made

    def _check_turn(self, transaction: AuthnTransaction) -> None:
        """Raises StateNotAllowed for a user who has got a factor in another way meanwhile."""
        ours = transaction.enrolled.split()
        for each in self._authenticators.of(transaction.user_id):
            if each.factor != "recovery-code" and not {each.authenticator_id, each.twin_id} & {*ours}:
                raise StateNotAllowed

    def _activating(
        self, state_token: str, transaction: AuthnTransaction, made: Authenticator
    ) -> Standing | AuthnRefused:
        if made.factor in OUT_OF_BAND:
            refusal = self._factors.send(self._factors.held(transaction), made)
            if refusal is not None:
                return refusal
        scans = made.factor in ("otp", "push")
        changed = replace(
            transaction,
            status="MFA_ENROLL_ACTIVATE",
            factor_id=made.authenticator_id,
            factor_result="WAITING" if made.factor == "push" else "",
            qr_hash=fingerprint(qr_secret(state_token, made.authenticator_id)) if scans else None,
        )
        return self._sign_in.standing(state_token, self._transactions.keep(changed))

    def _activated(
        self,
        state_token: str,
        transaction: AuthnTransaction,
        held: MfaTransaction,
        made: Authenticator,
        passcode: str,
    ) -> Standing | AuthnRefused:
        if made.factor == "push":
            if transaction.factor_result != "WAITING":
                return self._activating(state_token, transaction, made)
            result = self._factors.push_result(held, made)
            if result:
                told = replace(transaction, factor_result=result)
                return self._sign_in.standing(state_token, self._transactions.keep(told))
        else:
            refusal = self._factors.judged(held, made, passcode)
            if refusal is not None:
                return refusal
        self._authenticators.confirm(self._store.get(Authenticator, made.authenticator_id) or made)
        after, _ = self._factors.given(transaction, held, made.factor)
        enrolled = f"{transaction.enrolled} {made.authenticator_id}".strip()
        changed = chooses(replace(transaction, enrolled=enrolled), "MFA_ENROLL")
        if transaction.enrols_more and self._left(transaction.user_id):
            return self._sign_in.standing(state_token, self._transactions.keep(changed))
        return self._sign_in.complete(transaction, after)

    def _left(self, user_id: str) -> bool:
        """Whether there is a factor that the user has not enrolled."""
        return {*ENROLLABLE} > {each.factor for each in self._authenticators.of(user_id)} - {"recovery-code"}
