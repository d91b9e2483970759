"""What a display did over weeks, wake by wake, and what must hold of every stretch of it."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass

from host_tools.clock import NS, utc_text
from host_tools.virtual_board.wake import Wake
from tests.home import Home

DAY_NS = 86_400 * NS
HOUR_NS = 3_600 * NS
TOKEN, CODE = "/oauth/token", "/oauth/device/code"
WAKES_A_DAY = 24
# In any 24 hours. A failed wake makes 4 at most: discovery, a refresh, the one repetition of it, the quote.
REQUESTS_A_DAY = 4 * WAKES_A_DAY
# 1, 2, 4, 8 h after one another, and one that could not be answered for a fault of the server's. Each is polled for
# until it expires: 15 min at 5 s.
CODES_A_DAY = 6
POLLS_A_CODE = 180
# Each code and what stands there after it, a quote, an error: far from what wears a panel, and from flicker.
REFRESHES_A_DAY = 2 * CODES_A_DAY + 2


@dataclass
class Entry:
    """One wake. screens: what was drawn, in order; ending: "daily", "needs_human" or a cause of backoff.CAUSES."""

    wake: Wake
    screens: list[str]
    ending: str

    @property
    def began_ns(self) -> int:
        return self.wake.began_ns

    @property
    def day(self) -> int:
        """The day since 1970 (UTC); a second or two before midnight is the next one's."""
        return (self.began_ns + 5 * NS) // DAY_NS

    @property
    def codes(self) -> int:
        """Device codes the server gave."""
        return sum(each.path == CODE and each.status == 200 for each in self.wake.exchanges)

    @property
    def polls(self) -> int:
        paths = [each.path for each in self.wake.exchanges]
        return paths[paths.index(CODE) :].count(TOKEN) if CODE in paths else 0

    @property
    def requests(self) -> int:
        """HTTP requests that are no polls."""
        return len(self.wake.exchanges) - self.polls

    @property
    def tokens(self) -> int:
        """Answers of the token endpoint that brought tokens."""
        return sum(each.path == TOKEN and each.status == 200 for each in self.wake.exchanges)


class Diary:
    """Every wake of a home's display is had through this, and checked."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self.entries: list[Entry] = []
        # The name of the screen that is on the glass.
        self.on_glass: str | None = None

    @classmethod
    def of_a_paired(cls, home: Home) -> Diary:
        """One that begins with the pairing, and three mornings as they should be."""
        diary = cls(home)
        diary.wake()
        diary.live(3)
        assert [each.ending for each in diary.entries] == ["daily"] * 4
        return diary

    def live(self, days: float) -> list[Entry]:
        """Let so many days pass, with the wakes that fall into them; gives those."""
        end_ns = self.home.clock.now_ns() + int(days * DAY_NS)
        first = len(self.entries)
        while True:
            sleeping = self.home.board.state.sleeping
            if sleeping is not None and sleeping.until_ns > end_ns and not self.home.board.faults.button_floating:
                break
            self.wake()
        self.home.clock.skip_ns(end_ns - self.home.clock.now_ns())
        return self.entries[first:]

    def wake(self, how: Callable[[], Wake] | None = None) -> Entry:
        """The next wake, when it is due, or as `how` brings it about (home.press_button)."""
        nvm = bytes(self.home.board.state.nvm)
        entry = Entry((how or self.home.wake)(), self.home.names(), "")
        entry.ending = self.home.reason()
        self.entries.append(entry)
        self.on_glass = (entry.screens or [self.on_glass])[-1]
        self._check(entry, nvm)
        return entry

    def _check(self, entry: Entry, nvm_before: bytes) -> None:
        home, wake = self.home, entry.wake
        sleeping = home.board.state.sleeping
        assert sleeping is not None and sleeping.until_ns is not None, "a wake with no alarm set"
        assert home.onlooker.last("defect") is None, wake.console
        assert wake.awake_ns < 35 * 60 * NS
        assert home.board.panel_faults == []
        assert wake.ended_ns >= home.board.controller._busy_until, "it slept while the panel was BUSY"
        nvm = bytes(home.board.state.nvm)
        died = (home.onlooker.last("refresh") or {}).get("error") == "invalid_grant"
        assert wake.nvm_writes <= entry.tokens + died, "nvm is written for a new token, or to delete a dead one"
        assert died or (nvm != nvm_before) <= entry.tokens
        assert self._of_the_last_day(lambda each: 1) <= WAKES_A_DAY
        assert self._of_the_last_day(lambda each: each.requests) <= REQUESTS_A_DAY
        assert self._of_the_last_day(lambda each: each.codes) <= CODES_A_DAY
        assert entry.polls <= POLLS_A_CODE * entry.codes
        assert self._of_the_last_day(lambda each: each.wake.refreshes) <= REFRESHES_A_DAY

    def nothing_is_lost(self) -> bool:
        """Whether both media hold the one token that the authority takes."""
        examined = self.home.authority.control.examine(self.home.token() or "")
        return self.home.token_held_by() == ("file", "nvm") and examined is not None and examined.standing == "newest"

    def _of_the_last_day(self, count: Callable[[Entry], int]) -> int:
        since_ns = self.entries[-1].began_ns - DAY_NS
        return sum(count(each) for each in self.entries if each.began_ns > since_ns)

    def is_well_within_two_wakes(self) -> bool:
        """Whether the glass comes to show the quote of the day by itself, in this wake or the next."""
        return any(self.wake() and self.shows_todays_quote() for _ in range(2))

    def shows_todays_quote(self) -> bool:
        kept = self.home.kept_quote()
        today = utc_text(self.home.clock.now_ns() // NS)[:10]
        return self.on_glass == "quote" and kept is not None and kept["date"] == today


def most_in_a_day(entries: list[Entry], count: Callable[[Entry], int] = lambda each: 1) -> int:
    """The most of something in any 24 hours."""
    return max(
        (
            sum(count(other) for other in entries if each.began_ns - DAY_NS < other.began_ns <= each.began_ns)
            for each in entries
        ),
        default=0,
    )


def days_with_codes(entries: list[Entry]) -> list[int]:
    """On which days, counted from the first of these wakes', a code was asked for."""
    return [each.day - entries[0].day for each in entries if each.codes]


def gaps_h(entries: list[Entry]) -> list[float]:
    """Hours of sleep before each wake but the first."""
    return [(later.began_ns - earlier.wake.ended_ns) / HOUR_NS for earlier, later in itertools.pairwise(entries)]
