"""Flash and what a loss of power leaves of it, at any operation.

An operation is what the Espressif port does in one go: the rewrite of one 4 KB sector of the drive (erase, program;
ports/espressif/supervisor/internal_flash.c, which caches nothing) or one assignment to nvm (nvs_erase_all, set_blob;
common-hal/nvm/ByteArray.c).
"""

from __future__ import annotations

from random import Random

SECTOR = 4096
# What the SPI flash programs at a time.
PAGE = 256
# Where in an operation the power goes. The erase and the program are cut in themselves, too.
HOWS = ("before", "half-erased", "between", "torn", "after")


class PowerCut(BaseException):
    """Not an Exception: nothing in the firmware may survive it."""


class Power:
    """Counts the operations of flash since `restore`; at number `cut_at`, from 1, the power goes as `how` says."""

    def __init__(self) -> None:
        self.cuts_seed = 0
        self.boots = 0
        self.restore()

    def restore(self, cut_at: int | None = None, how: str | None = None) -> None:
        assert cut_at is None or how in HOWS
        self.boots += 1
        self.operation = 0
        self.cut_at = cut_at
        self.how = how
        self.off = False

    def rewrite(self, memory: bytearray, at: int, wanted: bytes | bytearray) -> None:
        """One operation: `memory` from `at` on is erased and becomes `wanted`."""
        if self.off:
            raise PowerCut
        self.operation += 1
        if self.operation != self.cut_at:
            memory[at : at + len(wanted)] = wanted
            return
        self.off = True
        memory[at : at + len(wanted)] = self._left(bytes(memory[at : at + len(wanted)]), bytes(wanted))
        raise PowerCut

    def _left(self, old: bytes, wanted: bytes) -> bytes:
        # Seeded by what is cut and where, so that a replay tears the same bits.
        random = Random(f"{self.cuts_seed} {self.cut_at} {self.how}")
        if self.how == "before":
            return old
        if self.how == "half-erased":
            # An erase sets bits; one cut short has set some of them, at the very start of it next to none.
            share = random.randrange(1, 13)
            return _any(old, *(random.randbytes(len(old)) for _ in range(share)))
        if self.how == "between":
            return b"\xff" * len(old)
        if self.how == "torn":
            # Pages go in order; the one under way has some of its zeros.
            at = random.randrange(len(wanted)) // PAGE * PAGE
            page = wanted[at : at + PAGE]
            part = _any(page, random.randbytes(len(page)))
            return wanted[:at] + part + b"\xff" * (len(wanted) - at - len(part))
        return wanted


def _any(old: bytes, *masks: bytes) -> bytes:
    """`old` with the bits set that all of `masks` have."""
    to_set = -1
    for mask in masks:
        to_set &= int.from_bytes(mask)
    return (int.from_bytes(old) | to_set).to_bytes(len(old))


class Nvm:
    """Espressif's: any assignment erases all and writes all."""

    def __init__(self, power: Power, size: int = 8192) -> None:
        self.power = power
        self.data = bytearray(b"\xff" * size)
        self.writes = 0

    def __len__(self):
        return len(self.data)

    def __getitem__(self, key):
        return self.data[key]

    def __setitem__(self, key, value):
        assert isinstance(key, slice), "one assignment a save"
        self.writes += 1
        wanted = bytearray(self.data)
        wanted[key] = value
        assert len(wanted) == len(self.data)
        self.power.rewrite(self.data, 0, wanted)
