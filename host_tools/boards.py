"""The boards Stoa knows: one TOML file each in boards/, read into frozen records and refused if anything is off.

A board file is data. `fitted` names the panel in the virtual board's catalogue, everything else in `[panel]` is what
the firmware believes about it; keeping the two apart lets a test fit the wrong panel.
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from host_tools.errors import StoaError
from host_tools.shipped import shipped
from host_tools.toml_table import Table, TableError

LINKS = ("native-usb", "usb-serial-jtag", "uart")
CONTROLLERS = ("ssd1680",)
_PANEL_PINS = ("sck", "mosi", "cs", "dc", "reset", "busy")
# CircuitPython's full-scale reading on every Espressif chip (ports/espressif/common-hal/analogio/AnalogIn.c).
ANALOG_REFERENCE_MV = 3300
_POWER_STATES = ("boot", "awake", "radio", "joining", "refresh", "sleep")
# An SSD1680 drives 176 sources and 296 gates (its data sheet, section 1).
_PANEL_LIMITS = {"ssd1680": (176, 296)}
# The ESP32 has the highest-numbered pin of the family's first three chips at 48 (ESP32-S3).
_HIGHEST_GPIO = 48
_INPUT_ONLY_FROM = 34


class BoardError(StoaError):
    """A board that is not known, or a board file that cannot be used: the message names the file and the key."""


@dataclass(frozen=True)
class Usb:
    """Identity of the board's own USB device while CircuitPython runs."""

    vid: int
    pid: int


@dataclass(frozen=True)
class Memory:
    """Sizes: flash, PSRAM and the CIRCUITPY drive in KiB; sleep memory and nvm in bytes."""

    flash_kib: int
    psram_kib: int
    drive_kib: int
    sleep_memory: int
    nvm: int


@dataclass(frozen=True)
class PanelPins:
    """Names in CircuitPython's `board` module."""

    sck: str
    mosi: str
    cs: str
    dc: str
    reset: str
    busy: str


@dataclass(frozen=True)
class Panel:
    """The panel as the firmware is told to drive it. Width and height are native, in pixels.

    `rotation` has adafruit_framebuf's meaning. `colstart` is the first source line in use, a multiple of 8. `builtin`
    panels are started by CircuitPython itself, which holds their pins until `displayio.release_displays()`.
    """

    fitted: str
    controller: str
    width: int
    height: int
    rotation: int
    colstart: int
    builtin: bool
    pins: PanelPins


@dataclass(frozen=True)
class Monitor:
    """Where the battery's voltage can be read: an analog pin that sees it divided by `divider`."""

    pin: str
    divider: int


@dataclass(frozen=True)
class Power:
    """What the board draws from its battery, in microamps, and how long what is not on its clock takes.

    boot_ua and sleep_ua are the whole current of a boot and of deep sleep. awake_ua is drawn by code that runs;
    radio_ua, joining_ua and refresh_ua come on top while the radio is on, joins, and while the panel refreshes.
    boot_ms: from reset to the first line of code. request_ms: an HTTP request, for a virtual clock stands still then.
    """

    battery_mah: int
    boot_ms: int
    request_ms: int
    boot_ua: int
    awake_ua: int
    radio_ua: int
    joining_ua: int
    refresh_ua: int
    sleep_ua: int
    monitor: Monitor | None


@dataclass(frozen=True)
class Board:
    """One board with its panel. `pins` maps names of CircuitPython's `board` module to GPIO numbers."""

    id: str
    name: str
    chip: str
    link: str
    usb: Usb | None
    memory: Memory
    panel: Panel
    buttons: Mapping[str, str]
    power: Power
    pins: Mapping[str, int]

    @property
    def input_only_buttons(self) -> tuple[str, ...]:
        """Names of those on pins without a pull-up in the chip: GPIO34 to 39 of an ESP32. The board has resistors."""
        if self.chip != "ESP32":
            return ()
        return tuple(sorted({name for name in self.buttons.values() if self.pins[name] >= _INPUT_ONLY_FROM}))


def available() -> list[Board]:
    """Every board in boards/, by id. BoardError if one of the files is bad."""
    return [read_board(path) for path in sorted(_folder().glob("*.toml"))]


def load_board(board_id: str) -> Board:
    """The board with this id. BoardError names the known ones and the closest of them."""
    known = sorted(path.stem for path in _folder().glob("*.toml"))
    if board_id not in known:
        # "magtag" is far from "adafruit_magtag_2.9_grayscale" by edit distance, yet plainly meant.
        close = [name for name in known if board_id and board_id.lower() in name]
        close += difflib.get_close_matches(board_id, known, n=1)
        meant = f" (did you mean {close[0]}?)" if close else ""
        raise BoardError(f"unknown board {board_id!r}{meant}; known boards: {', '.join(known)}")
    return read_board(_folder() / f"{board_id}.toml")


def read_board(path: Path) -> Board:
    """The board a file describes. BoardError names the file and the key that is wrong."""
    try:
        top = Table(tomllib.loads(path.read_text(encoding="utf-8")))
        board = _board(top)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, TableError) as error:
        raise BoardError(f"board file {path.name}: {error}") from error
    if board.id != path.stem:
        raise BoardError(f"board file {path.name}: id: is {board.id!r}, but the file's name says {path.stem!r}")
    return board


def _folder() -> Path:
    return shipped("boards")


def _board(top: Table) -> Board:
    link = top.choice("link", LINKS)
    board = Board(
        id=top.text("id"),
        name=top.text("name"),
        chip=top.text("chip"),
        link=link,
        usb=_usb(top.table("usb")) if link == "native-usb" else None,
        memory=_memory(top.table("memory")),
        panel=_panel(top.table("panel")),
        buttons=top.table("buttons").texts(),
        power=_power(top.table("power")),
        pins=top.table("pins").integers(0, _HIGHEST_GPIO),
    )
    top.finish()
    named = {f"panel.pins.{role}": getattr(board.panel.pins, role) for role in _PANEL_PINS}
    named |= {f"buttons.{role}": pin for role, pin in board.buttons.items()}
    if board.power.monitor:
        named["power.monitor.pin"] = board.power.monitor.pin
    for key, pin in named.items():
        if pin not in board.pins:
            raise TableError(f"{key}: pin {pin!r} is not in [pins]")
    return board


def _usb(table: Table) -> Usb:
    usb = Usb(vid=table.integer("vid", 1, 0xFFFF), pid=table.integer("pid", 1, 0xFFFF))
    table.finish()
    return usb


def _memory(table: Table) -> Memory:
    memory = Memory(
        flash_kib=table.integer("flash_kib", 2048, 65536),
        psram_kib=table.integer("psram_kib", 0, 32768),
        drive_kib=table.integer("drive_kib", 128, 65536),
        sleep_memory=table.integer("sleep_memory", 0, 8192),
        nvm=table.integer("nvm", 0, 65536),
    )
    table.finish()
    if memory.drive_kib >= memory.flash_kib:
        raise TableError(f"memory.drive_kib: {memory.drive_kib} does not fit into {memory.flash_kib} KiB of flash")
    return memory


def _power(table: Table) -> Power:
    monitor = table.optional_table("monitor")
    power = Power(
        battery_mah=table.integer("battery_mah", 1, 100_000),
        boot_ms=table.integer("boot_ms", 0, 60_000),
        request_ms=table.integer("request_ms", 0, 60_000),
        **{f"{state}_ua": table.integer(f"{state}_ua", 0, 2_000_000) for state in _POWER_STATES},
        monitor=_monitor(monitor) if monitor else None,
    )
    table.finish()
    return power


def _monitor(table: Table) -> Monitor:
    monitor = Monitor(pin=table.text("pin"), divider=table.integer("divider", 1, 100))
    table.finish()
    return monitor


def _panel(table: Table) -> Panel:
    controller = table.choice("controller", CONTROLLERS)
    sources, gates = _PANEL_LIMITS[controller]
    panel = Panel(
        fitted=table.text("fitted"),
        controller=controller,
        width=table.integer("width", 1, sources),
        height=table.integer("height", 1, gates),
        rotation=table.integer("rotation", 0, 3),
        colstart=table.integer("colstart", 0, sources - 8),
        builtin=table.boolean("builtin"),
        pins=_panel_pins(table.table("pins")),
    )
    table.finish()
    if panel.colstart % 8:
        raise TableError(f"panel.colstart: {panel.colstart} is not a multiple of 8")
    if panel.colstart + panel.width > sources:
        raise TableError(f"panel.colstart: {panel.colstart} + width {panel.width} is past source line {sources}")
    return panel


def _panel_pins(table: Table) -> PanelPins:
    pins = PanelPins(**{role: table.text(role) for role in _PANEL_PINS})
    table.finish()
    return pins
