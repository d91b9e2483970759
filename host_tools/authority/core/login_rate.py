"""How fast passwords may be tried, as Extra Horizon's "Usage and Performance" has it: one login a second, a minute's
freeze at each tenth failure, and an end at the fiftieth.

A try counts as a failure before it is judged, and is taken back when it was right: of many at once the first alone is
judged. A name that nobody has is counted as well, so that what is refused tells nobody who has an account.
"""

from __future__ import annotations

from dataclasses import replace

from host_tools.authority.core.errors import OAuthError
from host_tools.authority.core.events import EventLog
from host_tools.authority.core.records import fingerprint
from host_tools.authority.core.storage import Store
from host_tools.authority.core.user_mfa_errors import LoginFrozen, LoginLocked, LoginTooSoon
from host_tools.authority.core.user_mfa_records import PasswordTries
from host_tools.authority.core.users import Users
from host_tools.clock import NS, Clock

PACE_S = 1
FREEZES_EACH = 10
FREEZE_S = 60
MOST_FAILURES = 50
_STRANGER_KEPT_S = 86_400


def refusal(tries: PasswordTries, now: int, is_login: bool) -> OAuthError | None:
    """Why no password is looked at now. Who is signed in already and confirms that they are present (not is_login) has
    made no login by that: only what was wrong holds them up [I]."""
    if tries.failed >= MOST_FAILURES:
        return LoginLocked()
    if tries.failed and tries.failed % FREEZES_EACH == 0 and _within(FREEZE_S, tries.failed_at, now):
        return LoginFrozen()
    if _within(PACE_S, tries.failed_at, now) or (is_login and _within(PACE_S, tries.tried_at, now)):
        return LoginTooSoon()
    return None


class LoginRate:
    def __init__(self, store: Store, clock: Clock, users: Users, events: EventLog) -> None:
        self._store = store
        self._clock = clock
        self._users = users
        self._events = events

    def take(self, username: str, is_login: bool) -> None:
        """Count one try. Raises LoginTooSoon, LoginFrozen, LoginLocked, and counts nothing."""
        now = self._clock.now_ns()
        user = self._users.named(username)
        user_id = user.user_id if user else None
        with self._store.transaction():
            tries = self.of(username)
            refused = refusal(tries, now, is_login)
            if refused is None:
                counted = replace(
                    tries,
                    user_id=user_id,
                    failed=tries.failed + 1,
                    failed_at=now,
                    tried_at=now if is_login else tries.tried_at,
                    forgotten_at=None if user else now + _STRANGER_KEPT_S * NS,
                )
                self._store.put(counted)
                self._store.prune(PasswordTries, "forgotten_at", now)
            else:
                self._events.add("login_limited", user_id=user_id, detail=refused.description)
        if refused is not None:
            raise refused

    def right(self, username: str) -> None:
        """The password was: the failures are over."""
        with self._store.transaction():
            self._store.put(replace(self.of(username), failed=0, failed_at=None))

    def of(self, username: str) -> PasswordTries:
        """What is counted for this name."""
        name_hash = _name_hash(username)
        return self._store.get(PasswordTries, name_hash) or PasswordTries(name_hash, None, 0, None, None, None)


def _within(seconds: int, since: int | None, now: int) -> bool:
    return since is not None and now < since + seconds * NS


def _name_hash(username: str) -> str:
    """It may be anything a stranger typed, of any length."""
    return fingerprint(username.strip().lower())
