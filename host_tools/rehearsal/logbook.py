"""What is kept of a run of days: each wake in a few numbers, what the glass showed since when, the charge by day."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from host_tools.clock import NS
from host_tools.virtual_board.energy import MAH

DAY_NS = 86_400 * NS
# What a glass can show, beside the names of the firmware's screens.
BLANK = "blank"


@dataclass(frozen=True, slots=True)
class WakeEntry:
    """reason: why the board is to wake next, or how the wake ended where that was no sleep. asked: codes drawn."""

    began_ns: int
    ended_ns: int
    reason: str
    refreshes: int
    requests: int
    nvm_writes: int
    flash_erases: int
    asked: int


@dataclass(frozen=True, slots=True)
class Showing:
    """What the glass shows from `since_ns` on. quote_day: of a quote, the UTC day (since 1970) it was given out on."""

    since_ns: int
    screen: str
    quote_day: int | None = None


@dataclass
class Logbook:
    """start_ns: midnight UTC, when day 1 begins. `charge` (microamp-nanoseconds) at the end of each day.

    quotes: UTC day -> when the glass came to show the quote given out on it. failure: what ended the run before its
    time, if anything did; interrupted: somebody did. faults_missed: those that were to strike at a moment that
    no wake came to.
    """

    start_ns: int
    battery_mah: int
    sleep_ua: int
    wakes: list[WakeEntry] = field(default_factory=list)
    glass: list[Showing] = field(default_factory=list)
    quotes: dict[int, int] = field(default_factory=dict)
    charge: list[int] = field(default_factory=list)
    approvals: int = 0
    defects: int = 0
    panel_faults: int = 0
    faults_missed: list[str] = field(default_factory=list)
    failure: str | None = None
    interrupted: bool = False
    now_ns: int = 0
    charge_now: int = 0

    def __post_init__(self) -> None:
        self.now_ns = self.start_ns
        self.glass.append(Showing(self.start_ns, BLANK))

    @property
    def days(self) -> int:
        """Whole days that went by."""
        return len(self.charge)

    def shows(self, at_ns: int, screen: str, quote_day: int | None) -> None:
        """The glass shows this from now on. quote_day: the day the API gave out a quote on in this wake."""
        before = self.glass[-1]
        if screen == "quote":
            if quote_day is not None:
                self.quotes.setdefault(quote_day, at_ns)
            elif before.screen == "quote":
                quote_day = before.quote_day
        else:
            quote_day = None
        if (screen, quote_day) != (before.screen, before.quote_day):
            self.glass.append(Showing(at_ns, screen, quote_day))

    def end_day(self, now_ns: int, charge: int) -> None:
        self.charge.append(charge)
        self.stop(now_ns, charge)

    def stop(self, now_ns: int, charge: int) -> None:
        """Nothing comes after this."""
        self.now_ns, self.charge_now = now_ns, charge

    def day_of(self, at_ns: int) -> int:
        """0 is the first."""
        return (at_ns - self.start_ns) // DAY_NS

    def per_day(self, figure: str) -> list[int]:
        """A figure of WakeEntry ("wakes" counts them), summed by the day that each wake began on."""
        sums = [0] * max(self.days, 1 + (self.day_of(self.wakes[-1].began_ns) if self.wakes else 0))
        for wake in self.wakes:
            sums[self.day_of(wake.began_ns)] += 1 if figure == "wakes" else getattr(wake, figure)
        return sums

    def charge_per_day(self) -> list[float]:
        """mAh of each whole day."""
        return [(after - before) / MAH for before, after in zip([0, *self.charge], self.charge, strict=False)]

    def max_wakes_per_day(self) -> int:
        """The most in any 24 hours: of [t, t + 24 h), wherever it begins."""
        most, first = 0, 0
        for last, wake in enumerate(self.wakes):
            while self.wakes[first].began_ns <= wake.began_ns - DAY_NS:
                first += 1
            most = max(most, last - first + 1)
        return most

    def days_with_todays_quote(self) -> int:
        """Of the whole days."""
        first = self.day_of_utc(0)
        return sum(first <= day < first + self.days for day in self.quotes)

    def day_of_utc(self, day: int) -> int:
        """The UTC day (since 1970) of a day of the run, 0 the first."""
        return self.start_ns // DAY_NS + day

    def figures(self) -> dict[str, Any]:
        """What `stoa simulate --days --json` prints of the run itself."""
        elapsed_ns = self.now_ns - self.start_ns
        awake_ns = sum(wake.ended_ns - wake.began_ns for wake in self.wakes)
        passed = elapsed_ns / DAY_NS
        mah_per_day = self.charge_now / MAH / passed if passed else 0.0
        sleep_mah = self.sleep_ua * (elapsed_ns - awake_ns) / MAH
        return {
            "days": self.days,
            "wakes": len(self.wakes),
            "max_wakes_per_day": self.max_wakes_per_day(),
            "panel_refreshes": self._sum("refreshes"),
            "http_requests": self._sum("requests"),
            "nvm_writes": self._sum("nvm_writes"),
            "flash_erases": self._sum("flash_erases"),
            "days_with_todays_quote": self.days_with_todays_quote(),
            "codes_shown": self._sum("asked"),
            "approvals": self.approvals,
            "awake_s_per_day": round(awake_ns / NS / passed, 2) if passed else 0.0,
            "charge_mah_per_day": round(mah_per_day, 4),
            "charge_mah_per_day_asleep": round(sleep_mah / passed, 4) if passed else 0.0,
            "battery_mah": self.battery_mah,
            "battery_days": round(self.battery_mah / mah_per_day, 1) if mah_per_day else None,
            "wakes_by_reason": dict(sorted(Counter(wake.reason for wake in self.wakes).items())),
            "defects": self.defects,
            "panel_faults": self.panel_faults,
            "faults_missed": self.faults_missed,
            "complete": self.failure is None and not self.interrupted,
            "failure": self.failure,
        }

    def _sum(self, figure: str) -> int:
        return sum(getattr(wake, figure) for wake in self.wakes)
