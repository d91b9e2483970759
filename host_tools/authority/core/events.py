"""The tenant's log: what happened, when, to which client and user. No secret is ever in it."""

from __future__ import annotations

from typing import Literal, get_args

from host_tools.authority.core.records import Event
from host_tools.authority.core.storage import Store
from host_tools.clock import Clock

EventKind = Literal[
    "login_succeeded",
    "login_failed",
    "logout_succeeded",
    "device_authorization_failed",
    "device_activation_failed",
    "device_activation_cancelled",
    "device_code_exchanged",
    "device_code_exchange_failed",
    "code_exchanged",
    "code_exchange_failed",
    "code_reused",
    "consent_denied",
    "authorization_failed",
    "password_exchanged",
    "password_exchange_failed",
    "refresh_token_exchanged",
    "refresh_token_exchange_failed",
    "refresh_token_reused",
    "refresh_token_revoked",
    "mfa_required",
    "enrolment_started",
    "enrolment_completed",
    "authenticator_removed",
    "challenge_sent",
    "challenge_rejected",
    "mfa_succeeded",
    "mfa_failed",
    "one_time_code_limited",
    "message_limited",
    "recovery_succeeded",
    "recovery_failed",
    "recovery_limited",
    "login_limited",
    "mfa_delayed",
    "mfa_enabled",
    "mfa_disabled",
    "device_remembered",
    "authn_cancelled",
    "delivery_failed",
    "script_failed",
    "denied_by_script",
]
EVENT_KINDS: tuple[str, ...] = get_args(EventKind)
KEPT = 10_000
_SWEPT_EACH = 1_000


class EventLog:
    """The newest `KEPT` events at least, numbered from 1."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def add(self, kind: EventKind, client_id: str | None = None, user_id: str | None = None, detail: str = "") -> None:
        """Within a transaction the event happens only if the transaction does."""
        with self._store.transaction(durable=False):
            newest = self._store.newest(Event, "number", 1)
            number = newest[0].number + 1 if newest else 1
            self._store.put(Event(number, self._clock.now_ns(), kind, client_id, user_id, detail))
            if number % _SWEPT_EACH == 0:
                self._store.prune(Event, "number", number - KEPT)

    def newest(self, most: int) -> list[Event]:
        """The newest first."""
        return self._store.newest(Event, "number", most)
