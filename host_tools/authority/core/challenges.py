"""Out-of-band challenges: a push that a person approves on the phone, a code in a message that is typed back.

=========  =====================================  ==========================================
status     what a person did                      what the client hears to mfa-oob
=========  =====================================  ==========================================
pending    nothing yet (push)                     authorization_pending, slow_down
pending    typed the message's code               tokens, once; then it is spent
approved   approved the push                      tokens, once; then it is spent
rejected   refused it                             invalid_grant, for good
=========  =====================================  ==========================================

Past `expires_at` a pending one answers expired_token. No answer here says anything about a refresh token.
"""

from __future__ import annotations

import hmac
import itertools
import secrets
from dataclasses import dataclass, replace

from host_tools.authority.core import mfa_errors
from host_tools.authority.core.attempts import AttemptLimits
from host_tools.authority.core.errors import LimitReached, OAuthError, Refusal, SlowDown, TooManyAttempts
from host_tools.authority.core.events import EventLog
from host_tools.authority.core.outbox import Outbox
from host_tools.authority.core.pacing import INTERVAL_S, SLOW_DOWN_S, Pace, Paces, too_soon
from host_tools.authority.core.records import Authenticator, Client, MfaTransaction, OobChallenge, fingerprint
from host_tools.authority.core.storage import Store
from host_tools.clock import NS, Clock

LIFETIME_S = 300  # wire-facts 1.4: the window of a code in a message; [I] that of a push
_KEPT_AFTER_EXPIRY_S = 86_400
_CODE_DIGITS = 6
SESSION_RENEWAL = "session-renewal"  # the protocol of a request that no token comes of: session_renewal.py


@dataclass(frozen=True)
class Sent:
    """A challenge on its way. `prompt`: its code is to be typed back (Auth0's binding_method)."""

    oob_code: str
    prompt: bool


class UnknownChallenge(Refusal):
    def __init__(self) -> None:
        super().__init__("This request is no longer open. Nothing was approved.")


def waits_for_the_phone(challenge: OobChallenge, now: int) -> bool:
    """Whether it is a push that may still be answered, and has not been."""
    return challenge.binding_code_hash is None and challenge.status == "pending" and now < challenge.expires_at


def waited(pace: Pace, now: int) -> tuple[Pace, OAuthError]:
    """One mfa-oob request while a push waits for the phone: the pace after it, and the refusal."""
    heard = replace(pace, last_polled_at=now)
    if too_soon(pace.last_polled_at, pace.interval_s, now):
        return replace(heard, interval_s=pace.interval_s + SLOW_DOWN_S), SlowDown(pace.interval_s)
    return heard, mfa_errors.ChallengePending()


def answered(challenge: OobChallenge, binding_code: str | None, now: int) -> tuple[OobChallenge, OAuthError | None]:
    """Any other: the challenge after it, and the refusal, or None when the factor counts as given."""
    if challenge.status == "spent":
        return challenge, mfa_errors.MalformedOobCode()
    if challenge.status == "rejected":
        return challenge, mfa_errors.ChallengeRejected()
    if now >= challenge.expires_at:
        return challenge, mfa_errors.ExpiredOobCode()
    if challenge.status == "approved":
        return replace(challenge, status="spent"), None
    if challenge.binding_code_hash is None:
        return challenge, mfa_errors.ChallengePending()
    if binding_code is None:
        return challenge, mfa_errors.BindingCodeRequired()
    if hmac.compare_digest(fingerprint(binding_code), challenge.binding_code_hash):
        return replace(challenge, status="spent"), None
    return challenge, mfa_errors.InvalidBindingCode()


def limit_of(held: MfaTransaction, kind: str) -> str:
    """Which bucket of attempts.LIMITS a try is taken from."""
    return f"{kind} for a session, user" if held.protocol == SESSION_RENEWAL else f"{kind}, user"


class Challenges:
    def __init__(
        self,
        store: Store,
        clock: Clock,
        limits: AttemptLimits,
        outbox: Outbox,
        events: EventLog,
        paces: Paces,
    ) -> None:
        self._store = store
        self._clock = clock
        self._limits = limits
        self._outbox = outbox
        self._numbers = itertools.count(1)
        self._events = events
        self._paces = paces

    def send(self, held: MfaTransaction, authenticator: Authenticator) -> Sent:
        """Challenge the person who has this authenticator. Raises LimitReached for one too many."""
        push = authenticator.factor == "push"
        try:
            self._limits.take("push, user" if push else limit_of(held, "message"), held.user_id)
        except TooManyAttempts as limited:
            self._events.add("message_limited", held.client_id, held.user_id, authenticator.factor)
            raise LimitReached(limited.retry_after_s) from limited
        now = self._clock.now_ns()
        oob_code, code = secrets.token_urlsafe(48), f"{secrets.randbelow(10**_CODE_DIGITS):0{_CODE_DIGITS}}"
        challenge = OobChallenge(
            oob_code_hash=fingerprint(oob_code),
            # Counted, so that those of one moment of a clock that stands still keep their order.
            challenge_id=f"{next(self._numbers):06d}-{secrets.token_hex(6)}",
            token_hash=held.token_hash,
            user_id=held.user_id,
            client_id=held.client_id,
            authenticator_id=authenticator.authenticator_id,
            factor=authenticator.factor,
            binding_code_hash=None if push else fingerprint(code),
            status="pending",
            interval_s=INTERVAL_S,
            created_at=now,
            expires_at=now + LIFETIME_S * NS,
        )
        with self._store.transaction(durable=False):
            self._store.prune(OobChallenge, "expires_at", now - _KEPT_AFTER_EXPIRY_S * NS)
            self._store.put(challenge)
            self._events.add("challenge_sent", held.client_id, held.user_id, authenticator.factor)
        if authenticator.factor in ("sms", "email"):
            client = self._store.get(Client, held.client_id)
            text = f"{code} is your verification code{f' for {client.name}' if client else ''}."
            channel = "sms" if authenticator.factor == "sms" else "email"
            self._outbox.send(held.user_id, channel, authenticator.name, text)  # type: ignore[arg-type]
        return Sent(oob_code, not push)

    def heard(self, held: MfaTransaction, oob_code: str) -> OAuthError | None:
        """A request that changes nothing but the pace: its refusal. None where there is more to it, for `poll`.

        Most are such, until the person has found the phone, and they write nothing.
        """
        challenge = self._store.get(OobChallenge, fingerprint(oob_code))
        now = self._clock.now_ns()
        if challenge is None or challenge.token_hash != held.token_hash or not waits_for_the_phone(challenge, now):
            return None
        pace = self._paces.get(challenge.oob_code_hash, challenge.interval_s, challenge.expires_at)
        after, refusal = waited(pace, now)
        self._paces.keep(challenge.oob_code_hash, after, now)
        return refusal

    def poll(self, held: MfaTransaction, oob_code: str, binding_code: str | None) -> OobChallenge | OAuthError:
        """The challenge, now spent, or the refusal, after `heard` found more to it. Returned, not raised: what a wrong
        code has cost must be kept.
        """
        with self._store.transaction():
            challenge = self._store.get(OobChallenge, fingerprint(oob_code))
            if challenge is None:
                return mfa_errors.MalformedOobCode()
            if challenge.token_hash != held.token_hash:
                return mfa_errors.OtherOobCode()
            return self.judged(held, challenge, binding_code)

    def judged(
        self, held: MfaTransaction, challenge: OobChallenge, binding_code: str | None
    ) -> OobChallenge | OAuthError:
        """The same of a challenge of this request, within a transaction."""
        typed = "".join((binding_code or "").split()) or None
        if challenge.binding_code_hash is None:
            typed = None  # there is nothing to guess
        if typed is not None:
            try:
                self._limits.take(limit_of(held, "one-time code"), held.user_id)
            except TooManyAttempts as limited:
                self._events.add("one_time_code_limited", held.client_id, held.user_id, challenge.factor)
                return LimitReached(limited.retry_after_s)
        after, refusal = answered(challenge, typed, self._clock.now_ns())
        if refusal is None:
            self._store.put(after)
        if isinstance(refusal, mfa_errors.InvalidBindingCode):
            self._events.add("mfa_failed", held.client_id, held.user_id, challenge.factor)
        elif typed is not None:
            self._limits.give_back(limit_of(held, "one-time code"), held.user_id)
        return refusal or after

    def newest(self, held: MfaTransaction, authenticator_id: str) -> OobChallenge | None:
        """What was sent last for this request to this authenticator, and has not been spent."""
        sent = self._store.find(OobChallenge, token_hash=held.token_hash, authenticator_id=authenticator_id)
        unspent = [each for each in sent if each.status != "spent"]
        return max(unspent, key=lambda each: (each.created_at, each.challenge_id), default=None)

    def is_open(self, challenge: OobChallenge) -> bool:
        """Whether it may still be met: it has not been refused, and is not too old."""
        return challenge.status != "rejected" and self._clock.now_ns() < challenge.expires_at

    def pending(self, user_id: str | None = None) -> list[OobChallenge]:
        """The pushes that wait for an answer, the newest first; of this user, or of all."""
        now = self._clock.now_ns()
        waiting = self._store.find(OobChallenge, status="pending", factor="push")
        wanted = [each for each in waiting if now < each.expires_at and user_id in (None, each.user_id)]
        return sorted(wanted, key=lambda each: (each.created_at, each.challenge_id), reverse=True)

    def answer(self, challenge_id: str, approve: bool) -> OobChallenge:
        """The person's answer on the phone, once. Raises UnknownChallenge."""
        with self._store.transaction():
            for each in self.pending():
                if each.challenge_id == challenge_id:
                    answered = replace(each, status="approved" if approve else "rejected")
                    self._store.put(answered)
                    if not approve:
                        self._events.add("challenge_rejected", each.client_id, each.user_id, each.factor)
                    return answered
        raise UnknownChallenge
