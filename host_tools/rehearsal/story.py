"""The story Stoa must get right, played: pair, show a quote, meet MFA on the next morning, recover.

One step a picture. Every step has the picture on the glass, the requests made since the step before, and what the
glass asked of a person; the story is over when all have happened in their order.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from host_tools.clock import NS, Clock, utc_text
from host_tools.errors import StoaError
from host_tools.rehearsal.onlooker import Onlooker
from host_tools.virtual_board.controllers.glass import Glass
from host_tools.virtual_board.esp32 import VirtualBoard

# A person finds the telephone, scans, and signs in.
PERSON_TAKES_NS = 25 * NS
# The API's quote changes at midnight UTC.
DAY_NS = 86_400 * NS
# Wakes the story may take: two, and one more for each code nobody answers.
MOST_WAKES = 12


class StoryError(StoaError):
    """The story did not come to its end; the message says which step is missing."""


@dataclass(frozen=True)
class Chapter:
    """What must come next: its file's name, the screen it is known by, and what it is called in the telling."""

    file: str
    screen: str
    title: str


CHAPTERS = (
    Chapter("01-pairing.png", "pairing", "the display asks to be paired"),
    Chapter("02-quote.png", "quote", "the first quote"),
    Chapter("03-mfa.png", "mfa", "MFA is on for everything: the display asks for a person"),
    Chapter("04-quote-again.png", "quote", "the next quote"),
)
# After this many steps the administrator turns MFA on for everything, as in seeds/000.
MFA_AFTER = 2


@dataclass(frozen=True)
class Step:
    chapter: Chapter
    at_ns: int
    png: bytes
    requests: list[dict[str, Any]]
    shown: dict[str, str]

    def time(self) -> str:
        return utc_text(self.at_ns // NS)

    def telling(self) -> dict[str, Any]:
        """For story.json: nothing in it is secret."""
        return {
            "file": self.chapter.file,
            "what": self.chapter.title,
            "virtual_time": self.time(),
            "screen": self.chapter.screen,
            "requests": self.requests,
            **self.shown,
        }


class Household(Protocol):
    """Who else takes part: the administrator, and perhaps a person who approves."""

    def turn_on_mfa(self) -> None: ...

    def approve(self, shown: dict[str, str]) -> None:
        """Approve what the glass shows; do nothing if a real person will."""
        ...


class Story:
    """Plays on a board that has just been unpacked. Give the `onlooker`'s two ends to the board.

    on_step is called with each step as it happens.
    """

    def __init__(self, clock: Clock, household: Household, on_step: Callable[[Step, Glass], None]) -> None:
        self.steps: list[Step] = []
        self.onlooker = Onlooker(self._see)
        self._clock = clock
        self._household = household
        self._on_step = on_step
        self._board: VirtualBoard | None = None
        self._requests_told = 0

    def _see(self, screen: str, shown: dict[str, str], glass: Glass) -> None:
        if len(self.steps) == len(CHAPTERS) or screen != CHAPTERS[len(self.steps)].screen:
            return
        step = Step(CHAPTERS[len(self.steps)], self._clock.now_ns(), glass.png(), self._new_requests(), shown)
        self.steps.append(step)
        self._on_step(step, glass)
        if shown:
            self._clock.schedule(PERSON_TAKES_NS, lambda: self._household.approve(shown))

    def play(self, board: VirtualBoard) -> list[Step]:
        """Until the last step. StoryError if it does not come."""
        self._board = board
        for _ in range(MOST_WAKES):
            self.onlooker.new_wake()
            wake = board.wake()
            if failure := wake.failure():
                raise StoryError(failure)
            if len(self.steps) == len(CHAPTERS):
                return self.steps
            if len(self.steps) == MFA_AFTER and self._wakes_on_another_day(board):
                self._household.turn_on_mfa()
            board.sleep()
        missing = CHAPTERS[len(self.steps)]
        obstacle = self.onlooker.obstacle()
        raise StoryError(f"'{missing.title}' never came" + (f"; the display says: {obstacle}" if obstacle else ""))

    def _wakes_on_another_day(self, board: VirtualBoard) -> bool:
        """Between midnight and the hour of the daily wake the next one would bring the same quote once more."""
        sleeping = board.state.sleeping
        if sleeping is None or sleeping.until_ns is None:
            return False
        return sleeping.until_ns // DAY_NS > self._clock.now_ns() // DAY_NS

    def _new_requests(self) -> list[dict[str, Any]]:
        assert self._board is not None
        made = self._board.exchanges[self._requests_told :]
        self._requests_told += len(made)
        return [{"method": exchange.method, "path": exchange.path, "status": exchange.status} for exchange in made]
