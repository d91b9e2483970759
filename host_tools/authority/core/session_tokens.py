"""Okta's session token: what a sign-in by its API ends in. Within five minutes it is good once, for a session at the
pages."""

from __future__ import annotations

import secrets

from host_tools.authority.core.authn_records import SessionToken
from host_tools.authority.core.records import LoginSession, User, fingerprint
from host_tools.authority.core.sessions import LoginSessions
from host_tools.authority.core.storage import Store
from host_tools.clock import NS, Clock

LIFETIME_S = 300  # Okta, "Session token"


class SessionTokens:
    def __init__(self, store: Store, clock: Clock, sessions: LoginSessions) -> None:
        self._store = store
        self._clock = clock
        self._sessions = sessions

    def issue(self, user_id: str, amr: str, factors: str) -> tuple[str, int]:
        """A new one, for who has done all that is asked of them, and when it expires. amr: RFC 8176, what they gave.

        factors: the same, as records.Factor has them.
        """
        now = self._clock.now_ns()
        token = f"20111{secrets.token_urlsafe(32)}"  # the prefix that Okta's have
        expires_at = now + LIFETIME_S * NS
        with self._store.transaction(durable=False):
            self._store.prune(SessionToken, "expires_at", now)
            self._store.put(SessionToken(fingerprint(token), user_id, amr, factors, expires_at))
        return token, expires_at

    def is_good(self, token: str, max_age_s: int | None = None) -> bool:
        """max_age_s: how long ago its user may have signed in at most."""
        found = self._good(token)
        if found is None or max_age_s is None:
            return found is not None
        # 0 asks for a sign-in of its own. Not by the time: see login_demands.
        return max_age_s > 0 and self._clock.now_ns() <= _issued_at(found) + max_age_s * NS

    def redeem(self, session: LoginSession, token: str) -> tuple[str, LoginSession] | None:
        """The session of a browser that brings one, signed in, with its new secret; None for one that is not good.

        What the tenant asked for when it was issued has been given: the session owes no factor for what it answers for
        now. Raises SessionEnded.
        """
        with self._store.transaction():
            found = self._good(token)
            self._store.delete(SessionToken, token_hash=fingerprint(token))
            user = self._store.get(User, found.user_id) if found else None
            if found is None or user is None:
                return None
            secret, renewed = self._sessions.sign_in(session, user)
            return secret, self._sessions.factors_given(renewed, found.amr, found.factors.split(), _issued_at(found))

    def _good(self, token: str) -> SessionToken | None:
        found = self._store.get(SessionToken, fingerprint(token))
        return found if found is not None and self._clock.now_ns() < found.expires_at else None


def _issued_at(token: SessionToken) -> int:
    """Which is when its user signed in, and gave the factors: not when it is brought."""
    return token.expires_at - LIFETIME_S * NS
