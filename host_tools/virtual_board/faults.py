"""What can go wrong around a board: one table, for tests and for `stoa simulate --fault NAME[:ARGUMENT]`.

A `Faults` belongs to a virtual board, which looks at it while it runs; it may change between wakes and within one.
Faults act at the board and its radio, so any server will do; content faults act on the plain bytes, for the virtual
radio ends TLS. A fault that is a moment (`power`, `brown-out`, `hard-fault`, `lost-reply:N`) strikes once, in the first
wake that comes to it; any other lasts until it is cleared.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any

from host_tools.errors import StoaError
from host_tools.virtual_board.power import Cut

# 802.11 reason 15 (4-way handshake timeout): how some access points say that the password is wrong
# (circuitpython#8059, #8086).
HANDSHAKE_TIMEOUT = "Unknown failure 15"
HUGE_BODY = 2_000_000
# The current is highest while the radio joins (670 mA on the MagTag), which is when a tired battery gives way.
JOIN = "wifi.connect"
# They wait for a call, or a flash operation.
AT_CALLS = ("power", "brown-out", "hard-fault", "hang")


class FaultError(StoaError):
    """No such fault, or an argument that it does not take. The message says what would do."""


@dataclass
class Faults:
    """What is wrong now; all at their defaults, nothing is.

    power: as power.Cut prints. lost_reply: the N-th exchange from now; 0 none, -1 each. truncate: how many bytes of a
    reply arrive. drip: bytes a second. wifi_refusal: what a join fails with, though the network is there. hang,
    brown_out, hard_fault: a link operation's name, or the number of a call (from 1) within a wake. button_stuck,
    button_floating: a name of the `board` module.
    """

    power: str | None = None
    dns: bool = False
    refused: bool = False
    tls: bool = False
    lost_reply: int = 0
    stall: bool = False
    truncate: int | None = None
    drip: int | None = None
    content_type: str | None = None
    huge_body: int = 0
    portal: bool = False
    wifi_absent: bool = False
    wifi_refusal: str | None = None
    ntp_absent: bool = False
    ntp_wrong_s: int = 0
    busy_stuck: bool = False
    brown_out: str | int | None = None
    hard_fault: str | int | None = None
    drive_read_only: bool = False
    drive_full: bool = False
    battery_mv: int | None = None
    sleep_clock_ppm: int = 0
    button_stuck: str | None = None
    button_floating: str | None = None
    hang: str | int | None = None

    def set(self, text: str) -> None:
        """Let "NAME" or "NAME:ARGUMENT" be so from now on. FaultError names what is near, or what is wrong with it."""
        name, colon, argument = text.partition(":")
        kind = KINDS.get(name)
        if kind is None:
            near = difflib.get_close_matches(name, KINDS, n=1, cutoff=0.4)
            meant = f" (did you mean {near[0]}?)" if near else ""
            raise FaultError(f"unknown fault {name!r}{meant}; faults: {', '.join(KINDS)}")
        try:
            value = kind.parse(argument if colon else None)
        except ValueError as error:
            raise FaultError(f"fault {name}: {error}; write it as {name}{kind.argument}") from None
        setattr(self, kind.field, value)

    def clear(self) -> None:
        """All is well again."""
        for each in fields(self):
            setattr(self, each.name, each.default)

    def waiting(self) -> frozenset[str]:
        """The names of those that strike at a moment and are set. One that has struck is not, but for `hang`."""
        moments = [name for name in AT_CALLS if getattr(self, KINDS[name].field) is not None]
        return frozenset(moments + ["lost-reply"] * (self.lost_reply > 0))


@dataclass(frozen=True)
class Kind:
    """One fault: the field of `Faults` it sets, its argument as help shows it, how that is read, and what it does."""

    field: str
    argument: str
    parse: Callable[[str | None], Any]
    help: str


def fault_name(text: str) -> str:
    """The key of KINDS in what `Faults.set` takes."""
    return text.partition(":")[0]


def help_lines() -> list[str]:
    """One line a fault, for --help."""
    return [f"{name}{kind.argument}: {kind.help}" for name, kind in KINDS.items()]


def _nothing(argument: str | None) -> bool:
    if argument is not None:
        raise ValueError("it takes no argument")
    return True


def _number(lowest: int, highest: int, default: int | None = None) -> Callable[[str | None], int]:
    def parse(argument: str | None) -> int:
        if argument is None and default is not None:
            return default
        try:
            value = int(argument or "")
        except ValueError:
            value = lowest - 1
        if not lowest <= value <= highest:
            raise ValueError(f"it takes a whole number from {lowest} to {highest}")
        return value

    return parse


def _text(default: str | None = None) -> Callable[[str | None], str]:
    def parse(argument: str | None) -> str:
        value = argument or default
        if not value:
            raise ValueError("it needs an argument")
        return value

    return parse


def _call(argument: str | None) -> str | int:
    """An operation's name, or the number of a call."""
    if argument is not None and argument.lstrip("-").isdigit():
        return _number(1, 1_000_000_000)(argument)
    return _text(JOIN)(argument)


def _cut(argument: str | None) -> str:
    """A power cut's text; CutSyntaxError where it is none."""
    return str(Cut.parse(argument or ""))


def _wifi_refusal(argument: str | None) -> str:
    said = {None: "Authentication failure", "15": HANDSHAKE_TIMEOUT}
    if argument not in said:
        raise ValueError("it takes no argument but 15")
    return said[argument]


KINDS: dict[str, Kind] = {
    "power": Kind(
        "power",
        ":call:N:HOW|flash:N:HOW",
        _cut,
        "power fails at the N-th (before, after; in flash also torn, between)",
    ),
    "dns": Kind("dns", "", _nothing, "no name has an address, the numbers that stand for names here included"),
    "refused": Kind("refused", "", _nothing, "every connection is refused"),
    "tls": Kind("tls", "", _nothing, "no certificate can be verified; a plain connection fails likewise"),
    "lost-reply": Kind(
        "lost_reply",
        "[:N]",
        _number(1, 1_000_000, -1),
        "requests arrive, replies do not; with N that of the N-th alone",
    ),
    "stall": Kind("stall", "", _nothing, "servers take the request and say nothing"),
    "truncate": Kind("truncate", ":BYTES", _number(0, 1_000_000_000), "replies end after so many bytes"),
    "drip": Kind("drip", ":BYTES", _number(1, 1_000_000_000), "replies come at so many bytes a second"),
    "content-type": Kind("content_type", "[:TYPE]", _text("text/html"), "replies say they are of another type"),
    "huge-body": Kind("huge_body", "[:BYTES]", _number(1, 1_000_000_000, HUGE_BODY), "replies are two megabytes long"),
    "portal": Kind("portal", "", _nothing, "a captive portal answers every request, and cannot prove to be anyone"),
    "wifi-absent": Kind("wifi_absent", "", _nothing, "the access point is off"),
    "wifi-password": Kind("wifi_refusal", "[:15]", _wifi_refusal, "the Wi-Fi password is wrong; 15: it times out"),
    "ntp-absent": Kind("ntp_absent", "", _nothing, "the time server does not answer"),
    "ntp-wrong": Kind("ntp_wrong_s", ":SECONDS", _number(-(10**9), 10**9), "the time server is off by so much"),
    "busy-stuck": Kind("busy_stuck", "", _nothing, "the panel's BUSY never falls"),
    "brown-out": Kind("brown_out", "[:CALL]", _call, "the voltage gives way, once; by default at the join"),
    "hard-fault": Kind("hard_fault", "[:CALL]", _call, "CircuitPython itself crashes, once; by default at the join"),
    "drive-read-only": Kind("drive_read_only", "", _nothing, "a computer has the drive"),
    "drive-full": Kind("drive_full", "", _nothing, "no room on the drive"),
    "battery": Kind("battery_mv", ":MILLIVOLTS", _number(0, 6000), "the battery's voltage"),
    "sleep-clock": Kind(
        "sleep_clock_ppm", ":PPM", _number(-200_000, 200_000), "the clock of deep sleep is so much fast"
    ),
    "button-stuck": Kind("button_stuck", ":PIN", _text(), "a button stays down"),
    "button-floating": Kind(
        "button_floating", ":PIN", _text(), "a pin ends each deep sleep at once, with nobody there"
    ),
    "hang": Kind("hang", "[:CALL]", _call, "a hardware call never returns; by default the join"),
}
