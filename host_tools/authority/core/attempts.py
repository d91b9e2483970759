"""How often somebody may be wrong: a bucket of tries that refills with time.

A try is taken before it is judged and given back when it was right, so that many at once cannot slip through
between the judgement and the count.
"""

from __future__ import annotations

from dataclasses import dataclass

from host_tools.authority.core.errors import TooManyAttempts
from host_tools.authority.core.records import Attempts, fingerprint
from host_tools.authority.core.storage import Store
from host_tools.clock import NS, Clock


@dataclass(frozen=True)
class Limit:
    burst: int  # wrong tries at once
    refill_s: int  # seconds until one more


# RFC 8628 5.1 wants a guess to succeed with less than 2**-32: five tries at 20**8 codes. A session gets those five at
# once, and one more each three minutes: 9 in the 900 s a code lives, 2**-31.4. An address, which many people may share,
# gets ten and then one a minute: 24 in that time, 2**-30.0. So it is for each device that waits. With nine digits it is
# 2**-26.7 for a session and 2**-25.3 for an address: who chooses digits chooses that.
# One-time codes: Auth0's bucket of 10, one more every 6 minutes (wire-facts 1.4); passwords, recovery codes likewise.
# Text messages and e-mails: 10, one more an hour (1.4); each one sent is a try, so that nobody's phone is flooded.
LIMITS = {
    "user code, session": Limit(5, 180),
    "user code, address": Limit(10, 60),
    "password, user": Limit(10, 360),
    "one-time code, user": Limit(10, 360),
    "recovery code, user": Limit(10, 360),
    "message, user": Limit(10, 3600),
    "push, user": Limit(10, 360),
    # For a session that goes on, at the wish of whoever holds a token of it: not those of logins, which no token is to
    # use up.
    "message for a session, user": Limit(10, 3600),
    "one-time code for a session, user": Limit(10, 360),
}


class AttemptLimits:
    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def take(self, kind: str, subject: str) -> None:
        """Count one try. Raises TooManyAttempts, and counts nothing, when the bucket is empty."""
        limit = LIMITS[kind]
        refill = limit.refill_s * NS
        now = self._clock.now_ns()
        bucket = _bucket(kind, subject)
        with self._store.transaction():
            kept = self._store.get(Attempts, bucket)
            full_at = max(now, kept.full_at if kept else now)
            over = full_at + refill - (now + limit.burst * refill)
            if over > 0:
                raise TooManyAttempts(-(-over // NS))
            self._store.put(Attempts(bucket, full_at + refill))
            self._store.prune(Attempts, "full_at", now)

    def give_back(self, kind: str, subject: str) -> None:
        """The try was right after all."""
        with self._store.transaction():
            kept = self._store.get(Attempts, _bucket(kind, subject))
            if kept:
                self._store.put(Attempts(kept.bucket, kept.full_at - LIMITS[kind].refill_s * NS))


def _bucket(kind: str, subject: str) -> str:
    """A subject may be anything a stranger typed, of any length: its hash is kept."""
    return f"{kind}: {fingerprint(subject)}"
