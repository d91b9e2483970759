"""What a shell offers for a word that is being typed. Where something is wrong it offers nothing, and says nothing:
that would land in the person's command line.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

Offers = list[tuple[str, str]]


def _offers(look: Callable[[], Iterable[tuple[str, str]]]) -> Callable[[str], Offers]:
    """A callback for Typer: (word, what it is) of all that `look` finds and the word begins."""

    def offered(incomplete: str) -> Offers:
        try:
            return [(word, told) for word, told in look() if word.startswith(incomplete)]
        except Exception:
            return []

    return offered


@_offers
def board_ids() -> Iterable[tuple[str, str]]:
    from host_tools.boards import available

    return [(board.id, board.name) for board in available()]


@_offers
def ports() -> Iterable[tuple[str, str]]:
    from host_tools.device.finding.ports import find_boards

    return [(board.port, board.name) for board in find_boards() if board.port]


@_offers
def places() -> Iterable[tuple[str, str]]:
    """Drives and ports."""
    from host_tools.device.finding.ports import find_boards

    places = [(place, board.name) for board in find_boards() for place in (board.drive, board.port) if place]
    return [(str(place), name) for place, name in places]
