"""Somebody who watches the display: hears what the console says of a screen, and sees the picture that follows."""

from __future__ import annotations

import queue
from collections.abc import Callable, Mapping
from typing import Any

from host_tools.console_log import LogLine, parse
from host_tools.virtual_board.controllers.glass import Glass
from host_tools.virtual_board.wake import DEEP_SLEEP, Wake

# Real seconds for a line to come through the console's pipe; it was written before the picture was drawn.
LINE_TAKES_S = 10
SHOWN = ("user_code", "verification_uri", "verification_uri_complete")


class Onlooker:
    """Give `on_console` and `on_picture` to a board.

    on_screen is called with the name of each new screen, what it asks of a person (keys of SHOWN, or nothing) and the
    glass, from the board's own thread: time stands still meanwhile. on_line gets all the console says. `lines` are the
    log lines of the present wake.
    """

    def __init__(
        self,
        on_screen: Callable[[str, dict[str, str], Glass], None],
        on_line: Callable[[str], None] | None = None,
    ) -> None:
        self._on_screen = on_screen
        self._on_line = on_line
        self._drawn: queue.Queue[LogLine] = queue.Queue()
        self.lines: list[LogLine] = []

    def new_wake(self) -> None:
        self.lines.clear()
        self._drawn = queue.Queue()

    def on_console(self, line: str) -> None:
        if self._on_line is not None:
            self._on_line(line)
        logged = parse(line)
        if logged is None:
            return
        self.lines.append(logged)
        if logged.event == "screen" and logged.fields.get("refreshed") == "yes":
            self._drawn.put(logged)

    def on_picture(self, glass: Glass) -> None:
        try:
            fields: Mapping[str, Any] = self._drawn.get(timeout=LINE_TAKES_S).fields
        except queue.Empty:
            # Not Stoa's firmware, or one that draws without a word.
            return
        self._on_screen(fields["name"], {key: fields[key] for key in SHOWN if key in fields}, glass)

    def last(self, event: str) -> Mapping[str, str] | None:
        """The fields of the last line of this event in the present wake."""
        return next((line.fields for line in reversed(self.lines) if line.event == event), None)

    def reason(self, wake: Wake) -> str:
        """Why the board wakes next, or how the wake ended where that was no sleep ("power lost")."""
        if wake.ending != DEEP_SLEEP:
            return wake.ending
        # A wake that a defect ended says nothing of its sleep.
        return (self.last("sleep") or {}).get("reason", "defect")

    def obstacle(self) -> str | None:
        """What kept this wake from its quote, in words, if anything did."""
        met = self.last("obstacle") or self.last("defect")
        return None if met is None else ": ".join(met[key] for key in ("title", "detail", "kind") if key in met)
