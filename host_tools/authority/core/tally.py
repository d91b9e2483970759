"""How often each thing has happened: what a test or an operator asks an authority afterwards."""

from __future__ import annotations

import threading
from typing import Literal, get_args

Counted = Literal[
    "device_grants_asked",
    "device_grants_approved",
    "device_grants_denied",
    "device_grants_redeemed",
    "device_polls",
    "families_begun",
    "families_ended_by_reuse",
    "refreshes",  # answered with tokens
    "refreshes_within_leeway",  # of these, by the token before the newest
    "refreshes_challenged",  # mfa_required
    "refreshes_refused",  # invalid_grant
]
COUNTED: tuple[Counted, ...] = get_args(Counted)


class Tally:
    """Counts since the start. Safe from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: dict[str, int] = dict.fromkeys(COUNTED, 0)

    def add(self, what: Counted) -> None:
        with self._lock:
            self._counts[what] += 1

    def counts(self) -> dict[str, int]:
        with self._lock:
            return dict(self._counts)

    def put_back(self, counts: dict[str, int]) -> None:
        """Go on from what `counts` returned once."""
        with self._lock:
            self._counts = dict(counts)
