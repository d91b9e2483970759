"""A board's flash as CircuitPython uses it: erased by the sector or whole, and cut short at any step."""

from __future__ import annotations

import io

from stoa import vault
from stoa.vault import PATH, Vault

SECTOR = 4096
HOWS = ("before", "torn", "after")


class PowerCut(BaseException):
    """Not an Exception: nothing in the firmware may survive it."""


class Power:
    """Counts the steps of flash; at step `cut_at` the power goes before it, half way through, or after it."""

    def __init__(self):
        self.step = 0
        self.cut_at = None
        self.how = None

    def take(self, change):
        """`change(part)` does the step, the whole of it for part 1 and half for part 2."""
        self.step += 1
        if self.step != self.cut_at:
            change(1)
            return
        if self.how != "before":
            change(1 if self.how == "after" else 2)
        raise PowerCut


class Drive:
    """One file on flash, out of step with the sectors, with neighbours before and behind."""

    def __init__(self, power, content, base=1536, read_only=False):
        self.power = power
        self.base = base
        self.size = len(content)
        self.read_only = read_only
        end = (base + self.size + 700 + SECTOR) // SECTOR * SECTOR
        self.flash = bytearray(b"\xa5" * end)
        self.flash[base : base + self.size] = content
        self.neighbours = self.outside()
        self.writes = 0

    def outside(self):
        return bytes(self.flash[: self.base]), bytes(self.flash[self.base + self.size :])

    def open(self, path, mode):
        if path != PATH:
            raise FileNotFoundError(2, "No such file/directory")
        if mode == "r+b" and self.read_only:
            raise OSError(30, "Read-only filesystem")
        assert mode in ("rb", "r+b"), "a wake only reads and overwrites"
        return File(self, mode)

    def program(self, at, data):
        """What CircuitPython's flash layer does with a block: erase its sector, write the sector back changed."""
        self.writes += 1
        for sector in range(at // SECTOR, (at + len(data) - 1) // SECTOR + 1):
            low = sector * SECTOR
            wanted = bytearray(self.flash[low : low + SECTOR])
            for i in range(max(at, low), min(at + len(data), low + SECTOR)):
                wanted[i - low] = data[i - at]

            def erase(part, low=low):
                self.flash[low : low + SECTOR // part] = b"\xff" * (SECTOR // part)

            def write(part, low=low, wanted=wanted):
                self.flash[low : low + SECTOR // part] = wanted[: SECTOR // part]

            self.power.take(erase)
            self.power.take(write)


class File(io.BytesIO):
    def __init__(self, drive, mode):
        super().__init__(bytes(drive.flash[drive.base : drive.base + drive.size]))
        self.drive = drive
        self.mode = mode

    def write(self, data):
        assert self.mode == "r+b"
        assert self.tell() + len(data) <= self.drive.size, "the file must not grow"
        self.drive.program(self.drive.base + self.tell(), bytes(data))
        return super().write(data)


class Nvm:
    """Espressif's: any assignment erases all and writes all."""

    def __init__(self, power, size=8192):
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

        def erase(part):
            self.data[: len(wanted) // part] = b"\xff" * (len(wanted) // part)

        def write(part):
            self.data[: 100 if part == 2 else len(wanted)] = wanted[: 100 if part == 2 else None]

        self.power.take(erase)
        self.power.take(write)


class Board:
    def __init__(self, content=None, base=1536, read_only=False, nvm=True):
        self.power = Power()
        self.drive = Drive(self.power, vault.initial_file() if content is None else content, base, read_only)
        self.nvm = Nvm(self.power) if nvm else None

    def vault(self):
        return Vault(self.nvm, self.drive.open, b"home")

    def cut(self, at, how, action):
        """Run `action(vault)` with the power going at step `at`. False when it was over before."""
        self.power.step, self.power.cut_at, self.power.how = 0, at, how
        try:
            action(self.vault())
        except PowerCut:
            return True
        finally:
            self.power.cut_at = None
        return False


def all_cuts(board_factory, action):
    """A board for every step of `action(vault)` and every way to cut it, with the words to say which."""
    at = 0
    while True:
        at += 1
        for how in HOWS:
            board = board_factory()
            if not board.cut(at, how, action):
                assert at > 2, "no cut was ever made"
                return
            yield board, f"cut {how} step {at}"
