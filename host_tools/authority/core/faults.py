"""What somebody has asked to go wrong, and whether the next request is the one it strikes.

Faults strike in the order they were set, one a request, until they have struck `times` times (None: until lifted).
What a struck request looks like is for whoever carries it out: a dialect, or the wire.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import ClassVar, Literal, get_args

from host_tools.authority.checks import check_choice, check_count, check_flag

Endpoint = Literal["token", "device_authorization", "revocation", "introspection", "mfa", "discovery", "jwks", "api"]
Moment = Literal["before", "after"]
RetryAfter = Literal["seconds", "date", "none"]

ENDPOINTS: tuple[str, ...] = get_args(Endpoint)
_MOST_TIMES = 1_000_000
_LONGEST_WAIT_S = 31 * 86_400


@dataclass(frozen=True)
class LoseReply:
    """The connection ends without a byte, before the request is processed or after it."""

    kind: ClassVar[str] = "lose_reply"
    endpoint: Endpoint
    moment: Moment
    times: int | None = None

    def __post_init__(self) -> None:
        check_choice("endpoint", self.endpoint, ENDPOINTS)
        check_choice("moment", self.moment, get_args(Moment))
        _check_times(self.times)


@dataclass(frozen=True)
class RateLimit:
    """Refused unprocessed for being too many; the client is told to come back in `wait_s`, or is not told."""

    kind: ClassVar[str] = "rate_limit"
    endpoint: Endpoint
    times: int | None = None
    wait_s: int = 60
    retry_after: RetryAfter = "seconds"
    x_ratelimit: bool = True

    def __post_init__(self) -> None:
        check_choice("endpoint", self.endpoint, ENDPOINTS)
        _check_times(self.times)
        check_count("wait_s", self.wait_s, 0, _LONGEST_WAIT_S)
        check_choice("retry_after", self.retry_after, get_args(RetryAfter))
        check_flag("x_ratelimit", self.x_ratelimit)


@dataclass(frozen=True)
class SlowDown:
    """Every device poll of a known device code is answered slow_down, whatever a person has decided."""

    kind: ClassVar[str] = "slow_down"
    endpoint: ClassVar[Endpoint] = "token"
    times: int | None = None

    def __post_init__(self) -> None:
        _check_times(self.times)


Fault = LoseReply | RateLimit | SlowDown
FAULTS: dict[str, Callable[..., Fault]] = {kind.kind: kind for kind in (LoseReply, RateLimit, SlowDown)}


def _check_times(times: int | None) -> None:
    if times is not None:
        check_count("times", times, 1, _MOST_TIMES)


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

    def active(self) -> tuple[ActiveFault, ...]:
        return self._active

    def put_back(self, active: tuple[ActiveFault, ...]) -> None:
        """Set what `active` returned once. Numbers are never used again, so an old one lifts nothing new."""
        with self._lock:
            self._active = active

    def set(self, fault: Fault) -> ActiveFault:
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

    def strike(self, endpoint: Endpoint, *kinds: type[Fault]) -> Fault | None:
        """The fault of one of these kinds that strikes a request to this endpoint, now counted."""
        if not self._active:
            return None
        with self._lock:
            for at, each in enumerate(self._active):
                fault = each.fault
                if isinstance(fault, kinds) and fault.endpoint == endpoint:
                    struck = each.struck + 1
                    spent = fault.times is not None and struck >= fault.times
                    left = () if spent else (replace(each, struck=struck),)
                    self._active = (*self._active[:at], *left, *self._active[at + 1 :])
                    return fault
        return None
