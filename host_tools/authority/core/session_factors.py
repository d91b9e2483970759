"""When a second factor was last given in a login session, for resources that want it lately (seeds/004).

A token says how its person had signed in when they signed in, and says the same until it expires (RFC 9068 2.2.1). What
is given later in the same session is kept here, by the `sid` of its tokens.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from host_tools.authority.core.resource_records import SessionFactor
from host_tools.authority.core.storage import Store
from host_tools.clock import NS, Clock

KEPT_S = 366 * 86_400  # as long as the longest refresh token lives, and any policy asks back


class SessionFactors:
    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def given(self, sid: str, user_id: str, factors: Iterable[str], at: int | None = None) -> None:
        """These factors were right: just now, or then."""
        if not sid:  # a session of before there were any
            return
        now = self._clock.now_ns()
        with self._store.transaction():
            self._store.prune(SessionFactor, "given_at", now - KEPT_S * NS)
            for factor in factors:
                self._store.put(SessionFactor(f"{sid} {factor}", sid, user_id, factor, now if at is None else at))

    def last(self, sid: str, factors: Collection[str] = ()) -> int | None:
        """When one of these was last given, or any where none is named; None for never. Nanoseconds since 1970."""
        found = self._store.find(SessionFactor, sid=sid) if sid else []
        return max((each.given_at for each in found if not factors or each.factor in factors), default=None)
