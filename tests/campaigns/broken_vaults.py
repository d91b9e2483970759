"""Vaults that people build, and that lose the token: the campaign must say so of each."""

from __future__ import annotations

import struct

from stoa import slots, vault
from tests.unit.drive import BLOCK
from tests.unit.flash import SECTOR, PowerCut


def _with(kind, nvm, open_file, owner):
    """A vault whose files are of another kind of Slots."""
    made = vault.Vault(nvm, open_file, owner)
    made._files = kind(open_file, vault.PATHS, vault.MAGIC, made._files.capacity)
    return made


def nvm_alone(nvm, open_file, owner):
    """One medium: nvm, which an assignment erases whole."""

    def no_drive(path, mode):
        raise OSError(19, "ENODEV")

    return vault.Vault(nvm, no_drive, owner)


class OneSlot(slots.Slots):
    def write(self, sequence, payload, newest, risk_the_newest=False):
        return self._put(0, slots.pack(self.magic, sequence, payload))


def one_slot_alone(nvm, open_file, owner):
    """One medium: a file, always overwritten in the same place."""
    return _with(OneSlot, None, open_file, owner)


class SameFolder(slots.Slots):
    def __init__(self, open_file, paths, magic, capacity):
        def open_in_the_folder(path, mode):
            for each in paths:
                open_file(each, "rb").close()
            return open_file(path, mode)

        super().__init__(open_in_the_folder, paths, magic, capacity)


def one_folder(nvm, open_file, owner):
    """Two slots and nvm, but one directory for both."""
    return _with(SameFolder, nvm, open_file, owner)


class NewestFirst(slots.Slots):
    def clear(self):
        newest = self.read()
        first = 0 if newest is None else newest[2]
        cleared = [self._blank(slot) or self._read_slot(slot) is None for slot in (first, 1 - first)]
        return cleared[0] and cleared[1]


def clears_the_newest_first(nvm, open_file, owner):
    """A cut in between brings back the token before."""
    return _with(NewestFirst, nvm, open_file, owner)


class Unchecked(slots.Slots):
    def _read_slot(self, slot):
        try:
            with self._open(self.paths[slot], "rb") as file:
                file.seek(slots.SECTOR)
                head = file.read(slots.HEADER_SIZE)
                if head[:4] != self.magic:
                    return None
                _, _, _, length, sequence = struct.unpack(slots.HEADER, head[:12])
                return sequence, file.read(length)
        except OSError:
            return None


class NoChecksum(vault.Vault):
    """Two slots whose records are believed by their headers."""

    def __init__(self, nvm, open_file, owner):
        super().__init__(None, open_file, owner)
        self._files = Unchecked(open_file, vault.PATHS, vault.MAGIC, self._files.capacity)

    def load(self):
        newest = self._newest()
        size = vault.OWNER_SIZE
        return None if newest is None or newest[1][:size] != self._owner else newest[1][size:].decode("latin-1")


class Renamed(slots.Slots):
    """A temporary file is written, then renamed over the token.

    That rewrites the sector of FAT and root directory: for the new entry, for its chain, for the rename and for the
    old chain (on a drive this small boot sector, FAT and root lie in one erase sector). Cut in one of these the drive
    does not mount, and CircuitPython formats it at the next boot (supervisor/shared/filesystem.c).
    """

    def write(self, sequence, payload, newest, risk_the_newest=False):
        try:
            with self._open(self.paths[0], "r+b") as file:
                folder = file.folder
        except OSError:
            return False
        record = slots.pack(self.magic, sequence, payload)
        root = bytearray(folder.directory)
        intact = bytes(root)
        try:
            folder.power.rewrite(root, 0, intact)
            for at in range(0, len(record), BLOCK):
                sector = bytearray(SECTOR)
                sector[: len(record) - at] = record[at : at + BLOCK]
                folder.power.rewrite(sector, 0, bytes(sector))
            for _ in range(3):
                folder.power.rewrite(root, 0, intact)
        except PowerCut:
            if root != intact:
                folder.directory[:] = b"\xff" * SECTOR
            raise
        at = folder.base + SECTOR
        folder.flash[at : at + len(record)] = record
        return True

    def read(self):
        record = self._read_slot(0)
        return None if record is None else (record[0], record[1], 0)


def temporary_and_rename(nvm, open_file, owner):
    """The habit of desktop programs, with nvm beside it."""
    return _with(Renamed, nvm, open_file, owner)
