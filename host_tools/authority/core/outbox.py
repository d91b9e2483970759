"""Text messages and e-mails of the tenant: nobody sends them, the outbox shows them, and subscribers are told.

The seed's author had a broadcaster for SMS codes, so that a household could read them on any phone (seeds/000): so
there may be any number of subscribers.
"""

from __future__ import annotations

import itertools
import secrets
from collections.abc import Callable
from typing import Literal

from host_tools.authority.core.records import Message
from host_tools.authority.core.storage import Store
from host_tools.clock import NS, Clock

Channel = Literal["sms", "email"]
Subscriber = Callable[[Message], None]  # must return at once: it is called while a request is answered
KEPT_S = 86_400


class Outbox:
    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._subscribers: list[Subscriber] = []
        self._numbers = itertools.count(1)

    def subscribe(self, subscriber: Subscriber) -> None:
        self._subscribers.append(subscriber)

    def send(self, user_id: str, channel: Channel, recipient: str, text: str) -> Message:
        """Put a message in. What is older than a day is forgotten."""
        now = self._clock.now_ns()
        # Counted, so that those of one moment of a clock that stands still keep their order.
        message_id = f"{next(self._numbers):06d}-{secrets.token_hex(6)}"
        message = Message(message_id, user_id, channel, recipient, text, now)
        with self._store.transaction(durable=False):
            self._store.prune(Message, "sent_at", now - KEPT_S * NS)
            self._store.put(message)
        for subscriber in self._subscribers:
            subscriber(message)
        return message

    def newest(self, most: int = 100) -> list[Message]:
        """Those of the last day, the newest first."""
        since = self._clock.now_ns() - KEPT_S * NS
        return [each for each in self._store.newest(Message, "sent_at", most) if each.sent_at > since]
