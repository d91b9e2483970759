"""What holds for some days of a run: `NAME[:ARGUMENT]@FROM-TO`, days counted from 1, both ends included."""

from __future__ import annotations

import re
from dataclasses import dataclass

from host_tools.errors import StoaError

_SPAN = re.compile(r"([0-9]{1,6})(?:-([0-9]{1,6})?)?")


class SpanError(StoaError):
    """Days that make no span. The message says how one is written."""


@dataclass(frozen=True)
class Span:
    """Days `first` to `last`, both included; last None: to the end."""

    first: int
    last: int | None

    def __contains__(self, day: int) -> bool:
        return self.first <= day and (self.last is None or day <= self.last)

    def meets(self, other: Span) -> bool:
        """Whether they have a day in common."""
        return self.first in other or other.first in self

    @classmethod
    def parse(cls, text: str, days: int, option: str) -> Span:
        """ "7", "7-9" or "7-" of a run of so many days. SpanError names `option`."""
        found = _SPAN.fullmatch(text)
        if found is None:
            raise SpanError(f"{option}: {text!r} is no span of days; write one as 7, 7-9 or 7- (day 1 is the first)")
        first = int(found[1])
        last = int(found[2]) if found[2] else (None if "-" in text else first)
        if first < 1 or (last is not None and last < first):
            raise SpanError(f"{option}: days {text} are none; they count from 1, the earlier first")
        if first > days:
            raise SpanError(f"{option}: day {first} is not in this run of {days} days; give --days more, or it less")
        return cls(first, last)


ALWAYS = Span(1, None)


@dataclass(frozen=True)
class Spell:
    """`what` holds on the days of `span`."""

    what: str
    span: Span

    @classmethod
    def parse(cls, text: str, days: int, option: str) -> Spell:
        """ "WHAT" or "WHAT@FROM-TO". SpanError where the days make no sense; WHAT is not looked at."""
        what, at, span = text.rpartition("@")
        if not at:
            return cls(text, ALWAYS)
        return cls(what, Span.parse(span, days, f"{option} {text}"))
