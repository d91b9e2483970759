"""Where a wake's power is cut, and the supply that counts up to there.

Two things are counted from the start of a wake, each from 1: the hardware calls of the firmware, and the flash
operations. A flash operation is the rewrite of one erase sector of the drive, or one nvm assignment: on Espressif that
erases the whole nvm too (nvs_erase_all, then nvs_set_blob; ports/espressif/common-hal/nvm/ByteArray.c).

A cut of a call strikes "before" it is carried out, or "after", when its reply never arrives. A cut of a flash operation
strikes "before" it, "between" erase and program, in the midst of the programming ("torn"), or "after" it, its caller
not yet told.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from host_tools.errors import StoaError

WAYS = {"call": ("before", "after"), "flash": ("before", "torn", "between", "after")}


class CutSyntaxError(StoaError):
    """A text that names no power cut."""


class PowerLost(Exception):
    """The supply has failed: the wake is over."""


@dataclass(frozen=True)
class Cut:
    """of: a key of WAYS, how: one of its ways. at: the how-manieth call or flash operation of the wake, from 1."""

    of: str
    at: int
    how: str

    def __post_init__(self) -> None:
        if self.of not in WAYS or self.how not in WAYS[self.of] or self.at < 1:
            raise CutSyntaxError(f"no such power cut: {self}; write call:N:before or flash:N:torn, N from 1")

    def __str__(self) -> str:
        return f"{self.of}:{self.at}:{self.how}"

    @classmethod
    def parse(cls, text: str) -> Cut:
        """The cut that prints as `text`, "call:1234:before". CutSyntaxError for any other."""
        of, _, rest = text.partition(":")
        at, _, how = rest.partition(":")
        if not (at.isascii() and at.isdigit()):
            raise CutSyntaxError(f"no such power cut: {text}; write call:N:before or flash:N:torn, N from 1")
        return cls(of, int(at), how)


class FlashOperation(NamedTuple):
    """medium: "drive" or "nvm". at: the first byte that is erased."""

    medium: str
    at: int


class Cells(Protocol):
    """What flash is made of: bytes that are erased to 0xFF and programmed."""

    def __getitem__(self, index: slice, /) -> bytes | bytearray: ...

    def __setitem__(self, index: slice, value: bytes, /) -> None: ...


class Supply:
    """The power of one wake: fails at `cut`, and counts with or without one.

    calls: each call's name, and its first argument where that is text. flash: each flash operation. Both in order, so
    that the N-th of an uncut run says what a cut at N would meet. on_failure is called at the instant of the cut.
    """

    def __init__(self, cut: Cut | None = None, on_failure: Callable[[], None] | None = None) -> None:
        self.calls: list[tuple[str, str]] = []
        self.flash: list[FlashOperation] = []
        self.failed = False
        self._on_failure = on_failure
        # 0 is no call's and no operation's number.
        self._at_call = cut.at if cut and cut.of == "call" else 0
        self._at_flash = cut.at if cut and cut.of == "flash" else 0
        self._how = cut.how if cut else ""

    def begin_call(self, operation: str, arguments: list[object]) -> None:
        """Count a call; PowerLost if it is never carried out."""
        self.calls.append((operation, arguments[0] if arguments and type(arguments[0]) is str else ""))
        if len(self.calls) == self._at_call and self._how == "before":
            self._fail()
            raise PowerLost

    def end_call(self) -> None:
        """PowerLost if its reply never arrives."""
        if len(self.calls) == self._at_call:
            self._fail()
        if self.failed:
            raise PowerLost

    def rewrite(self, cells: Cells, medium: str, erased: slice, at: int, data: bytes) -> None:
        """One flash operation: erase the cells of `erased`, then program `data` from `at`, as far as power goes.

        Raises nothing: what follows within the same call does nothing, and `end_call` ends the wake. A file system in
        between need not know.
        """
        if self.failed:
            return
        self.flash.append(FlashOperation(medium, erased.start))
        how = self._how if len(self.flash) == self._at_flash else ""
        if how != "before":
            old = bytes(cells[at : at + len(data)]) if how == "torn" else b""
            cells[erased] = b"\xff" * (erased.stop - erased.start)
            if how == "torn":
                data = torn(old, data)
            if how != "between":
                cells[at : at + len(data)] = data
        if how:
            self._fail()

    def _fail(self) -> None:
        self.failed = True
        if self._on_failure is not None:
            self._on_failure()


def torn(old: bytes, new: bytes) -> bytes:
    """What of `new` a cut leaves in erased cells: up to the middle of what changes, and one byte half programmed.

    The middle of the change and not of the data: half a sector often holds the whole of a short record.
    """
    changed = [index for index, (before, after) in enumerate(zip(old, new, strict=True)) if before != after]
    middle = (changed[0] + changed[-1]) // 2 if changed else len(new) // 2
    # Programming clears bits; these have not all gone yet.
    return new[:middle] + bytes([new[middle] | 0x55]) if new else new
