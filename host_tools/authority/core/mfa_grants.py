"""The MFA grants of the token endpoint: tokens for a request that was held, once its factor is given."""

from __future__ import annotations

from dataclasses import replace

from host_tools.authority.core.access_tokens import Subject
from host_tools.authority.core.authenticators import Authenticators
from host_tools.authority.core.challenges import Challenges
from host_tools.authority.core.claims import claims_of
from host_tools.authority.core.errors import (
    InvalidRefreshToken,
    LimitReached,
    MfaRequired,
    OAuthError,
    TooManyAttempts,
    WrongOneTimeCode,
    WrongRecoveryCode,
)
from host_tools.authority.core.events import EventLog
from host_tools.authority.core.mfa_errors import (
    AlreadyEnrolled,
    InvalidOtp,
    InvalidRecoveryCode,
    MalformedOobCode,
    NoOneTimeCodes,
    UnsupportedChallengeType,
)
from host_tools.authority.core.mfa_transactions import MfaTransactions
from host_tools.authority.core.records import Authenticator, Client, MfaTransaction, OobChallenge
from host_tools.authority.core.refresh_tokens import RefreshTokens
from host_tools.authority.core.session_factors import SessionFactors
from host_tools.authority.core.storage import Store
from host_tools.authority.core.token_endpoint import Credentials, TokenEndpoint, Tokens
from host_tools.clock import Clock


class MfaGrants:
    def __init__(
        self,
        store: Store,
        clock: Clock,
        tokens: TokenEndpoint,
        refresh: RefreshTokens,
        transactions: MfaTransactions,
        authenticators: Authenticators,
        challenges: Challenges,
        factors: SessionFactors,
        events: EventLog,
    ) -> None:
        self._store = store
        self._clock = clock
        self._tokens = tokens
        self._refresh = refresh
        self._transactions = transactions
        self._authenticators = authenticators
        self._challenges = challenges
        self._factors = factors
        self._events = events

    def otp(self, sent: Credentials, mfa_token: str, code: str) -> Tokens:
        """mfa-otp. Raises InvalidOtp, LimitReached, mfa_errors' for the mfa_token, MfaRequired for the next.

        Raises NoOneTimeCodes, which is no try, for a user who has nothing that shows any.
        """
        client, held = self._held(sent, mfa_token)
        if "otp" in held.factors_given.split():
            raise UnsupportedChallengeType("A one-time code was given already; give another factor.")
        if not self._transactions.allows(held, "otp"):
            raise UnsupportedChallengeType("A one-time code does not do here; give another factor.")
        active = None if self._transactions.may_confirm(held) else True
        if not self._authenticators.of(held.user_id, "otp", active):
            raise NoOneTimeCodes
        try:
            self._authenticators.check_one_time_code(held.user_id, code, active)
        except WrongOneTimeCode as wrong:
            self._events.add("mfa_failed", client.client_id, held.user_id, "otp")
            raise InvalidOtp from wrong
        except TooManyAttempts as limited:
            raise LimitReached(limited.retry_after_s) from limited
        with self._store.transaction():
            outcome = self.completed(client, held, "otp")
        return self.told(outcome)

    def oob(self, sent: Credentials, mfa_token: str, oob_code: str, binding_code: str | None) -> Tokens:
        """mfa-oob: asked again and again for a push, once for a message's code. Raises what challenges.py says."""
        client, held = self._held(sent, mfa_token)
        waiting = self._challenges.heard(held, oob_code)
        if waiting is not None:
            raise waiting
        with self._store.transaction():
            polled = self._challenges.poll(held, oob_code, binding_code)
            outcome = polled if isinstance(polled, OAuthError) else self._answered_by(client, held, polled)
        return self.told(outcome)

    def recovery_code(self, sent: Credentials, mfa_token: str, code: str) -> Tokens:
        """mfa-recovery-code; the answer has the code that takes its place."""
        client, held = self._held(sent, mfa_token)
        following = None
        outcome: OAuthError | tuple[Subject, str | None]
        # One transaction: a code that is spent for no answer would leave the user without the next one. What a wrong
        # code has cost is kept, so that it is not raised here.
        with self._store.transaction():
            try:
                following = self._authenticators.use_recovery_code(held.user_id, code)
            except WrongRecoveryCode:
                self._events.add("recovery_failed", client.client_id, held.user_id)
                outcome = InvalidRecoveryCode()
            except TooManyAttempts as limited:
                outcome = LimitReached(limited.retry_after_s)
            else:
                self._events.add("recovery_succeeded", client.client_id, held.user_id)
                outcome = self.completed(client, held, "recovery-code")
        return self.told(outcome, following)

    def _held(self, sent: Credentials, mfa_token: str) -> tuple[Client, MfaTransaction]:
        client = self._tokens.client(sent, "mfa")
        return client, self._transactions.find(mfa_token, client.client_id)

    def _answered_by(
        self, client: Client, held: MfaTransaction, challenge: OobChallenge
    ) -> OAuthError | tuple[Subject, str | None]:
        """What the held request comes to by a challenge that was met."""
        authenticator = self._store.get(Authenticator, challenge.authenticator_id)
        if authenticator is None:  # removed meanwhile, for being lost perhaps
            return MalformedOobCode()
        if not authenticator.active and not self._transactions.may_confirm(held):
            return AlreadyEnrolled()
        self._authenticators.confirm(authenticator)
        return self.completed(client, held, challenge.factor)

    def completed(self, client: Client, held: MfaTransaction, factor: str) -> MfaRequired | tuple[Subject, str | None]:
        """What the held request comes to; a further challenge is returned, for its mfa_token must be kept.

        Raises InvalidRefreshToken, and nothing has happened, where the refresh token was used or revoked meanwhile. It
        is not presented here, so this is no reuse of it. Within a transaction.
        """
        presented = None
        if held.family_id is not None and held.generation is not None:
            presented = self._refresh.again(held.family_id, held.generation, client)
            if presented is None or presented.standing in ("dead", "reused"):
                raise InvalidRefreshToken
        after = self._transactions.factor_given(held, factor)
        if isinstance(after, MfaRequired):
            return after
        subject = Subject(
            after.user_id,
            client.client_id,
            after.audience,
            after.scope,
            self._clock.now_ns(),
            after.amr,
            after.family_id,
            claims_of(after.claims),
        )
        if presented is None:
            subject, refresh_token = self._tokens.begun(client, subject)
        else:
            subject = replace(subject, sid=presented.family.sid)
            refresh_token = self._refresh.use(presented, client, subject)
        self._factors.given(subject.sid, subject.user_id, after.factors_given.split())
        return subject, refresh_token

    def told(self, outcome: OAuthError | tuple[Subject, str | None], recovery_code: str | None = None) -> Tokens:
        """Raises what was refused, after the transaction that keeps what it has cost."""
        if isinstance(outcome, OAuthError):
            raise outcome
        return self._tokens.issued(*outcome, recovery_code, after_login=True)
