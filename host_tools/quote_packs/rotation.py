"""Which quote belongs to which day: a function of the pack and the date alone, so that all who ask see the same.

Days fall into cycles as long as the pack. Each cycle shows every quote once, in an order of its own, and never opens
with the quote the cycle before it closed with.

The order comes from SHA-256 and not from `random`, whose shuffle Python may change between versions: a server that is
upgraded at noon still shows the morning's quote.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from host_tools.quote_packs.pack import Quote


def quote_of_day(pack: Sequence[Quote], day_number: int) -> Quote:
    """The quote of the day that is `day_number` days after 1970-01-01 UTC (negative: before it).

    A pack of one can only repeat itself. Raises ValueError for an empty pack.
    """
    if not pack:
        raise ValueError("an empty pack has no quote of the day")
    cycle, position = divmod(day_number, len(pack))
    return pack[_order(cycle, len(pack))[position]]


def _order(cycle: int, count: int) -> list[int]:
    # Two quotes leave no choice: they alternate.
    if count < 3:
        return list(range(count))
    order = _shuffled(cycle, count)
    # With three or more the exchange leaves the last place alone, so the cycle before this one needs no exchange of its
    # own to be known here.
    if order[0] == _shuffled(cycle - 1, count)[-1]:
        order[0], order[1] = order[1], order[0]
    return order


def _shuffled(cycle: int, count: int) -> list[int]:
    return sorted(range(count), key=lambda index: hashlib.sha256(f"{cycle} {index}".encode()).digest())
