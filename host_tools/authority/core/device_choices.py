"""What people have chosen for a device that they sign in on: not to be challenged there, and to have a push sent.

A device is known by what it sends of itself: Okta's deviceToken, or the cookie of a browser at our pages. It is nothing
without the user's password, and one user's device says nothing of another user's.
"""

from __future__ import annotations

from dataclasses import replace

from host_tools.authority.core.authn_records import DeviceChoice
from host_tools.authority.core.events import EventLog
from host_tools.authority.core.records import fingerprint
from host_tools.authority.core.sign_on_policy import SignOnPolicy
from host_tools.authority.core.storage import Store
from host_tools.clock import NS, Clock

MOST_DEVICES = 100  # [I] of each user: the one that was used longest ago makes room


class DeviceChoices:
    """in_force: whether the dialect has a sign-on policy; without one nobody is offered a choice."""

    def __init__(self, store: Store, clock: Clock, events: EventLog) -> None:
        self._store = store
        self._clock = clock
        self._events = events
        self.policy = SignOnPolicy()
        self.in_force = False

    def remembers(self, user_id: str, device: str) -> bool:
        """Whether a factor that this user has given on this device still counts."""
        chosen = self._of(user_id, device)
        if not self.in_force or chosen is None or chosen.remembered_at is None:
            return False
        return self.policy.still_counts((self._clock.now_ns() - chosen.remembered_at) // NS)

    def by_default(self, user_id: str, device: str) -> bool:
        """Whether the box is ticked to begin with: by the policy, or as the user had it last on this device."""
        if not self.policy.may_remember:
            return False
        chosen = self._of(user_id, device)
        return self.policy.remember_device_by_default or (chosen is not None and chosen.remembered_at is not None)

    def sends_push(self, user_id: str, device: str) -> bool:
        chosen = self._of(user_id, device)
        return chosen is not None and bool(chosen.auto_push)

    def verified(self, user_id: str, device: str, remember: bool | None, auto_push: bool | None = None) -> None:
        """A factor was given on this device, and this is what the user wishes from now on; None: nothing was said.

        device: empty for one that does not say which it is, of which nothing is kept.
        """
        if not device:
            return
        with self._store.transaction():
            before = self._of(user_id, device) or DeviceChoice(_key(user_id, device), user_id, None, False, 0)
            now = self._clock.now_ns()
            wished = remember and self.policy.may_remember
            remembered_at = before.remembered_at if remember is None else now if wished else None
            pushes = before.auto_push if auto_push is None else auto_push
            self._store.put(replace(before, remembered_at=remembered_at, auto_push=pushes, verified_at=now))
            devices = sorted(self._store.find(DeviceChoice, user_id=user_id), key=lambda each: each.verified_at)
            for oldest in devices[:-MOST_DEVICES]:
                self._store.delete(DeviceChoice, key=oldest.key)
            if wished:
                self._events.add("device_remembered", user_id=user_id, detail=self.policy.factor_prompt_mode.lower())

    def _of(self, user_id: str, device: str) -> DeviceChoice | None:
        return self._store.get(DeviceChoice, _key(user_id, device)) if device else None


def _key(user_id: str, device: str) -> str:
    return fingerprint(f"{device} {user_id}")
