"""The panels that can be fitted to a virtual board: what is behind the connector, whatever the firmware believes.

Figures are the glass makers' and those GxEPD2's driver headers measured (docs/architecture.md names the sources).
"""

from __future__ import annotations

from dataclasses import dataclass

from host_tools.errors import StoaError


class UnknownPanel(StoaError):
    """No such panel in the catalogue."""


@dataclass(frozen=True)
class Panel:
    """One kind of glass on its controller.

    width, height: pixels as the controller scans them (sources x gates), portrait.
    first_source: the source line wired to the glass' first column (CircuitPython calls it colstart).
    rotation: how the glass is mounted: the quarter turn, in adafruit_framebuf's meaning, that makes it upright.
    refresh_ms: how long a full refresh keeps BUSY up.
    """

    name: str
    controller: str
    width: int
    height: int
    first_source: int
    rotation: int
    refresh_ms: int


PANELS = {
    panel.name: panel
    for panel in (
        Panel("magtag-2.9-ssd1680-colstart8", "ssd1680", 128, 296, 8, 3, 3200),
        Panel("magtag-2.9-ssd1680-colstart0", "ssd1680", 128, 296, 0, 3, 3200),
        Panel("breakout-2.13-ssd1680", "ssd1680", 122, 250, 0, 1, 1700),
    )
}


def find_panel(name: str) -> Panel:
    """The panel of this name; UnknownPanel lists the ones there are."""
    try:
        return PANELS[name]
    except KeyError:
        raise UnknownPanel(f"unknown panel '{name}'; panels: {', '.join(PANELS)}") from None
