"""What somebody has asked to go wrong, and whether the next request is the one it strikes.

Faults strike in the order they were set, one a request, until they have struck `times` times (None: until lifted). One
that names a client strikes only its requests. fault_kinds.py has what can go wrong.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass, replace

from host_tools.authority.core.fault_kinds import ENDPOINTS, FAULTS, Endpoint, Fault, LoseReply, RateLimit, SlowDown
from host_tools.authority.errors import InvalidSetting

__all__ = [
    "ENDPOINTS",
    "FAULTS",
    "ActiveFault",
    "Endpoint",
    "Fault",
    "Faults",
    "LoseReply",
    "RateLimit",
    "SlowDown",
]


@dataclass(frozen=True)
class ActiveFault:
    """A fault that is set: its number, and how often it has struck."""

    number: int
    fault: Fault
    struck: int = 0


class Faults:
    """All that is set. Safe from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._active: tuple[ActiveFault, ...] = ()
        self._last_number = 0
        self._endpoints = ENDPOINTS

    def reach(self, endpoints: Iterable[Endpoint]) -> None:
        """These are the endpoints there are: a fault of another would never strike, and is refused from now on."""
        there = set(endpoints)
        self._endpoints = tuple(each for each in ENDPOINTS if each in there)

    def active(self) -> tuple[ActiveFault, ...]:
        return self._active

    def put_back(self, active: tuple[ActiveFault, ...]) -> None:
        """Set what `active` returned once. Numbers are never used again, so an old one lifts nothing new."""
        with self._lock:
            self._active = active

    def set(self, fault: Fault) -> ActiveFault:
        """Raises InvalidSetting for an endpoint that is not there."""
        if fault.endpoint not in self._endpoints:
            there = ", ".join(self._endpoints)
            raise InvalidSetting("endpoint", f"is {fault.endpoint!r}, which this dialect has not; it has {there}")
        with self._lock:
            self._last_number += 1
            added = ActiveFault(self._last_number, fault)
            self._active += (added,)
        return added

    def lift(self, number: int | None = None) -> int:
        """Take away the fault of this number, or all. How many that were."""
        with self._lock:
            kept = () if number is None else tuple(each for each in self._active if each.number != number)
            lifted = len(self._active) - len(kept)
            self._active = kept
        return lifted

    def name_clients(self, endpoint: Endpoint, *kinds: type[Fault]) -> bool:
        """Whether it depends on the client if one of these kinds strikes a request to this endpoint."""
        return any(each.fault.client_id is not None and _is_of(each.fault, endpoint, kinds) for each in self._active)

    def strike(self, endpoint: Endpoint, *kinds: type[Fault], client_id: str | None = None) -> Fault | None:
        """The fault of one of these kinds that strikes this client's request to this endpoint, now counted.

        client_id: None where the request does not say, or nobody has looked.
        """
        if not self._active:
            return None
        with self._lock:
            for at, each in enumerate(self._active):
                fault = each.fault
                if _is_of(fault, endpoint, kinds) and fault.client_id in (None, client_id):
                    struck = each.struck + 1
                    spent = fault.times is not None and struck >= fault.times
                    left = () if spent else (replace(each, struck=struck),)
                    self._active = (*self._active[:at], *left, *self._active[at + 1 :])
                    return fault
        return None


def _is_of(fault: Fault, endpoint: Endpoint, kinds: tuple[type[Fault], ...]) -> bool:
    return isinstance(fault, kinds) and fault.endpoint == endpoint
