"""Presence tokens: for a while whoever holds one counts as being there, for having given the password again.

seeds/001 uses one token for all the steps of setting MFA up, so that it is good more than once.
"""

from __future__ import annotations

import secrets

from host_tools.authority.core.records import fingerprint
from host_tools.authority.core.storage import Store
from host_tools.authority.core.user_mfa_errors import InvalidPresenceToken
from host_tools.authority.core.user_mfa_records import PresenceToken
from host_tools.clock import NS, Clock

LIFETIME_S = 900  # [I]: as long as the token of an mfa_required


class PresenceTokens:
    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def issue(self, user_id: str) -> tuple[str, int]:
        """A token, and when it was made."""
        token, now = secrets.token_hex(20), self._clock.now_ns()
        with self._store.transaction(durable=False):
            self._store.prune(PresenceToken, "expires_at", now)
            self._store.put(PresenceToken(fingerprint(token), user_id, now, now + LIFETIME_S * NS))
        return token, now

    def check(self, token: str, user_id: str) -> None:
        """Raises InvalidPresenceToken."""
        kept = self._store.get(PresenceToken, fingerprint(token))
        if kept is None or kept.user_id != user_id or self._clock.now_ns() >= kept.expires_at:
            raise InvalidPresenceToken
