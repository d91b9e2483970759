"""A second factor given anew in a session that goes on: "using our API force an update of the OTP" (seeds/004).

Whoever holds an access token has a code sent to its user, or asks the user for one of their app's, and brings it back.
The token stays as it is; the session has a factor of just now (session_factors.py). What a code costs and how often one
may be wrong are the challenges' own limits.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from host_tools.authority.core.authenticators import Authenticators, masked
from host_tools.authority.core.challenges import LIFETIME_S, SESSION_RENEWAL, Challenges, limit_of
from host_tools.authority.core.errors import InvalidToken, LimitReached, TooManyAttempts, WrongOneTimeCode
from host_tools.authority.core.events import EventLog
from host_tools.authority.core.issued_tokens import IssuedTokens
from host_tools.authority.core.mfa_errors import InvalidOtp, MalformedOobCode, UnsupportedChallengeType
from host_tools.authority.core.mfa_transactions import MfaTransactions
from host_tools.authority.core.records import Authenticator, MfaTransaction, OobChallenge, fingerprint
from host_tools.authority.core.session_factors import SessionFactors
from host_tools.authority.core.storage import Store
from host_tools.clock import NS, Clock

FACTORS = ("email", "sms", "otp")  # whose code is typed, in the order in which one is chosen for the client


@dataclass(frozen=True)
class Renewal:
    """What has to be typed now. sent_to: masked; None where the user's own app shows it."""

    factor: str
    sent_to: str | None
    expires_in: int | None


class SessionRenewal:
    def __init__(
        self,
        store: Store,
        clock: Clock,
        issued: IssuedTokens,
        transactions: MfaTransactions,
        authenticators: Authenticators,
        challenges: Challenges,
        factors: SessionFactors,
        events: EventLog,
    ) -> None:
        self._store = store
        self._clock = clock
        self._issued = issued
        self._transactions = transactions
        self._authenticators = authenticators
        self._challenges = challenges
        self._factors = factors
        self._events = events

    def begin(self, access_token: str, factor: str | None) -> Renewal:
        """Have a code sent by this factor, or by the first that the user has.

        Raises InvalidToken, UnsupportedChallengeType, LimitReached.
        """
        held = self._held(self._claims(access_token))
        chosen = self._chosen(held, FACTORS if factor is None else (factor,))
        if chosen.factor == "otp":
            return Renewal("otp", None, None)
        with self._store.transaction(durable=False):
            self._transactions.prune()
            self._store.put(held)
        self._challenges.send(held, chosen)
        return Renewal(chosen.factor, masked(chosen), LIFETIME_S)

    def finish(self, access_token: str, factor: str | None, code: str) -> int:
        """The code is right: when that was, in nanoseconds since 1970.

        Raises InvalidToken, UnsupportedChallengeType, MalformedOobCode where nothing was sent, InvalidOtp,
        mfa_errors.InvalidBindingCode or ExpiredOobCode, LimitReached.
        """
        claims = self._claims(access_token)
        held = self._held(claims)
        chosen = self._chosen(held, (factor,) if factor else self._sent_by(held) or FACTORS)
        if chosen.factor == "otp":
            self._check_one_time_code(held, code)
        # One transaction, and a refusal is returned from it: what a wrong code has cost is kept.
        with self._store.transaction():
            outcome = None
            if chosen.factor != "otp":
                newest = self._challenges.newest(held, chosen.authenticator_id)
                judged = MalformedOobCode() if newest is None else self._challenges.judged(held, newest, code)
                outcome = None if isinstance(judged, OobChallenge) else judged
            if outcome is None:
                self._store.put(held)
                self._transactions.spent(held, chosen.factor)
                # A code that was sent before this one is not to renew the session once more.
                self._store.delete(OobChallenge, token_hash=held.token_hash)
                self._factors.given(str(claims["sid"]), held.user_id, [chosen.factor])
        if outcome is not None:
            raise outcome
        return self._clock.now_ns()

    def _claims(self, access_token: str) -> Mapping[str, Any]:
        claims = self._issued.good(access_token)
        if not claims.get("sid"):
            raise InvalidToken("The access token is of no login session.")
        return claims

    def _held(self, claims: Mapping[str, Any]) -> MfaTransaction:
        """What the code is asked for: as it is kept, or as it begins."""
        # No mfa_token has a hash with a space in it, so that nobody finds this by sending one.
        key = f"session {fingerprint(str(claims['sid']))}"
        known = self._store.get(MfaTransaction, key)
        if known is not None and known.spent_at is None and self._clock.now_ns() < known.expires_at:
            return known
        begun = self._transactions.request(
            "oauth2-refresh-token", str(claims["client_id"]), str(claims["sub"]), "", str(claims["aud"][0]), ""
        )
        return replace(begun, token_hash=key, protocol=SESSION_RENEWAL, expires_at=int(claims["exp"]) * NS)

    def _chosen(self, held: MfaTransaction, wanted: Sequence[str]) -> Authenticator:
        having = self._authenticators.of(held.user_id)
        for each in wanted:
            for authenticator in having:
                if each in FACTORS and authenticator.factor == each:
                    return authenticator
        raise UnsupportedChallengeType(f"The user has no second factor of {', '.join(FACTORS)} that fits.")

    def _sent_by(self, held: MfaTransaction) -> tuple[str, ...]:
        """By what a code was sent last, if one was."""
        sent = [self._challenges.newest(held, each.authenticator_id) for each in self._authenticators.of(held.user_id)]
        newest = max(filter(None, sent), key=lambda each: (each.created_at, each.challenge_id), default=None)
        return (newest.factor,) if newest else ()

    def _check_one_time_code(self, held: MfaTransaction, code: str) -> None:
        try:
            self._authenticators.check_one_time_code(held.user_id, code, limit=limit_of(held, "one-time code"))
        except WrongOneTimeCode as wrong:
            self._events.add("mfa_failed", held.client_id, held.user_id, "otp")
            raise InvalidOtp from wrong
        except TooManyAttempts as limited:
            raise LimitReached(limited.retry_after_s) from limited
