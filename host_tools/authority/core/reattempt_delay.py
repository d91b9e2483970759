"""How long a user has to wait for the next code, after so many wrong ones in a row.

seeds/001: "After each attempt the wait period increases exponentially (e.g. first attempt 1 second delay, 5th attempt 5
seconds, 10th attempt 30 seconds and so on)". The curve through these three is inferred [I], and so is its end.
"""

from __future__ import annotations

from host_tools.clock import NS

GROWTH = 1.46
LONGEST_S = 86_400  # [I]: who was attacked for weeks gets in again the day after
_STEEPEST = 40  # beyond it the power is longer than LONGEST_S whatever it is, and at some time no float any more
_NS_PER_MS = 1_000_000


def delay_s(failures: int) -> int:
    """After so many wrong codes in a row: 1, 1, 2, 3, 5, 7, 10, 14, 21, 30 and so on."""
    if failures < 1:
        return 0
    return min(round(GROWTH ** min(failures - 1, _STEEPEST)), LONGEST_S)


def remaining_ms(failures: int, failed_at: int | None, now: int) -> int:
    """What is left of it, rounded up, so that who waits that long is not too early."""
    if failed_at is None:
        return 0
    left = failed_at + delay_s(failures) * NS - now
    return max(0, -(-left // _NS_PER_MS))
