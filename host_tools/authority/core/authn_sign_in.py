"""Okta's sign-in API, from the password to the session token; the factors in between are in authn_factors.py and
authn_enrolment.py."""

from __future__ import annotations

from host_tools.authority.core.authenticators import Authenticators
from host_tools.authority.core.authn_errors import AuthenticationFailed, InvalidStateToken, LockedOut
from host_tools.authority.core.authn_records import AuthnTransaction
from host_tools.authority.core.authn_transactions import (
    AuthnTransactions,
    Standing,
    Status,
    held_key,
    listed,
    qr_secret,
)
from host_tools.authority.core.challenges import Challenges
from host_tools.authority.core.device_choices import DeviceChoices
from host_tools.authority.core.errors import TooManyAttempts, WrongPassword
from host_tools.authority.core.events import EventLog
from host_tools.authority.core.factor_due import FactorDue
from host_tools.authority.core.known_browsers import KnownBrowsers
from host_tools.authority.core.records import Authenticator, MfaTransaction, User, fingerprint
from host_tools.authority.core.session_tokens import SessionTokens
from host_tools.authority.core.storage import Store
from host_tools.authority.core.users import Users

CLIENT_ID = "sign-in api"  # in the log, and on the phone: no client may be called so


class AuthnSignIn:
    def __init__(
        self,
        store: Store,
        users: Users,
        transactions: AuthnTransactions,
        authenticators: Authenticators,
        challenges: Challenges,
        factor_due: FactorDue,
        devices: DeviceChoices,
        browsers: KnownBrowsers,
        session_tokens: SessionTokens,
        events: EventLog,
    ) -> None:
        self._store = store
        self._users = users
        self._transactions = transactions
        self._authenticators = authenticators
        self._challenges = challenges
        self._factor_due = factor_due
        self._devices = devices
        self._browsers = browsers
        self._session_tokens = session_tokens
        self._events = events

    def begin(
        self,
        username: str,
        password: str,
        device_token: str = "",
        relay_state: str = "",
        enrols_more: bool = False,
        address: str = "",
    ) -> Standing:
        """A password: SUCCESS, or the factor that is due. Slow (argon2). Raises AuthenticationFailed, LockedOut."""
        try:
            user = self._users.check_password(username, password, address)
        except WrongPassword as wrong:
            raise AuthenticationFailed from wrong
        except TooManyAttempts as limited:
            raise LockedOut from limited
        self._events.add("login_succeeded", CLIENT_ID, user.user_id)
        device = fingerprint(device_token) if device_token else ""
        known = self._browsers.knows(user.user_id, device)
        if not self._factor_due.at_sign_in(user.user_id, address, known, device):
            return self.succeeded(user, device, relay_state)
        self._events.add("mfa_required", CLIENT_ID, user.user_id, "authn")
        status: Status = "MFA_REQUIRED" if self._authenticators.has_any(user.user_id) else "MFA_ENROLL"
        state_token, begun = self._transactions.begin(user.user_id, status, device, relay_state, enrols_more)
        return self.standing(state_token, begun)

    def look(self, state_token: str) -> Standing:
        """Where it stands. Raises InvalidStateToken."""
        return self.standing(state_token, self._transactions.find(state_token))

    def back(self, state_token: str) -> Standing:
        """To the choice of a factor. Raises InvalidStateToken, StateNotAllowed."""
        return self.standing(state_token, self._transactions.back(state_token))

    def cancel(self, state_token: str) -> str:
        """The relay state of a sign-in that is over. Raises InvalidStateToken."""
        return self._transactions.cancel(state_token)

    def complete(self, transaction: AuthnTransaction, given: MfaTransaction) -> Standing:
        """The session token of a transaction whose factors are all given: it is done with."""
        with self._store.transaction():
            self._transactions.end(transaction)
            return self.succeeded(
                self.user_of(transaction), transaction.device, transaction.relay_state, given.amr, given.factors_given
            )

    def succeeded(self, user: User, device: str, relay_state: str, amr: str = "pwd", factors: str = "") -> Standing:
        if device:
            self._browsers.remember(user.user_id, device)
        token, expires_at = self._session_tokens.issue(user.user_id, amr, factors)
        return Standing("SUCCESS", user, expires_at, relay_state, session_token=token)

    def standing(self, state_token: str, transaction: AuthnTransaction) -> Standing:
        factor = self._store.get(Authenticator, transaction.factor_id) if transaction.factor_id else None
        held = self._store.get(MfaTransaction, held_key(transaction)) if factor else None
        sent = self._challenges.newest(held, factor.authenticator_id) if held and factor else None
        return Standing(
            transaction.status,  # type: ignore[arg-type]  # a record has it as text
            self.user_of(transaction),
            transaction.expires_at,
            transaction.relay_state,
            state_token=state_token,
            factors=listed(self._authenticators.of(transaction.user_id)),
            factor=factor,
            factor_result=transaction.factor_result,
            challenge_expires_at=sent.expires_at if sent else None,
            may_skip=transaction.status == "MFA_ENROLL" and bool(transaction.enrolled),
            device=transaction.device,
            qr=qr_secret(state_token, factor.authenticator_id) if factor and transaction.qr_hash else "",
        )

    def user_of(self, transaction: AuthnTransaction) -> User:
        """Raises InvalidStateToken for one who is gone."""
        user = self._users.get(transaction.user_id)
        if user is None:
            raise InvalidStateToken
        return user
