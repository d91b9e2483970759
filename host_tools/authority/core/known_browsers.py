"""Browsers in which a user has been let in lately: what adaptive MFA calls known devices."""

from __future__ import annotations

from host_tools.authority.core.records import KnownBrowser, fingerprint
from host_tools.authority.core.storage import Store
from host_tools.clock import NS, Clock

KNOWN_FOR_S = 30 * 86_400  # Auth0's NewDevice: a device not seen for 30 days is a new one


class KnownBrowsers:
    """A browser goes by the secret of its long-lived cookie, which is not kept."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def knows(self, user_id: str, browser: str) -> bool:
        """Whether this user has been let in with this browser lately."""
        found = self._store.get(KnownBrowser, _key(user_id, browser))
        return found is not None and self._clock.now_ns() < found.seen_at + KNOWN_FOR_S * NS

    def remember(self, user_id: str, browser: str) -> None:
        """This user has been let in with this browser."""
        now = self._clock.now_ns()
        with self._store.transaction(durable=False):
            self._store.prune(KnownBrowser, "seen_at", now - KNOWN_FOR_S * NS)
            self._store.put(KnownBrowser(_key(user_id, browser), now))


def _key(user_id: str, browser: str) -> str:
    return fingerprint(f"{browser} {user_id}")
