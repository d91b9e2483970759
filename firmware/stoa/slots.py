"""Two slots in one preallocated file: the newer one survives whatever happens to the other.

A record is a header and a payload; a write goes to the slot that does not hold the newest record, so that a torn
write costs the write and nothing else. The file is made at deploy and afterwards only overwritten in place: creating,
extending or renaming a file touches the FAT and the directory, and a cut there makes CircuitPython reformat the drive.

    padding | slot 0 | padding | slot 1 | padding        each padding one erase sector

Flash is erased in sectors of 4 KB and the file may begin anywhere in one. A sector of padding all around keeps the
slots out of each other's sectors, and the neighbouring files out of both.
"""

import binascii
import struct

SECTOR = 4096
# Magic, version, zero, length of the payload, sequence number; then the CRC-32 of those and the payload.
HEADER = "<4sBBHI"
HEADER_SIZE = 16
VERSION = 1


def pack(magic, sequence, payload):
    """The bytes of a record."""
    head = struct.pack(HEADER, magic, VERSION, 0, len(payload), sequence)
    return head + struct.pack("<I", binascii.crc32(payload, binascii.crc32(head)) & 0xFFFFFFFF) + payload


def unpack(magic, data):
    """(sequence, payload) of the record `data` begins with, or None where there is no whole one."""
    if len(data) < HEADER_SIZE:
        return None
    head = bytes(data[:12])
    found, version, _, length, sequence = struct.unpack(HEADER, head)
    if found != magic or version != VERSION or length > len(data) - HEADER_SIZE:
        return None
    payload = bytes(data[HEADER_SIZE : HEADER_SIZE + length])
    crc = struct.unpack("<I", bytes(data[12:16]))[0]
    if binascii.crc32(payload, binascii.crc32(head)) & 0xFFFFFFFF != crc:
        return None
    return sequence, payload


def is_newer(a, b):
    """Whether sequence number `a` comes after `b`, counting round at 2**32 (serial numbers, RFC 1982)."""
    return a != b and (a - b) & 0xFFFFFFFF < 0x80000000


def following(sequence):
    """The next sequence number."""
    return (sequence + 1) & 0xFFFFFFFF


class SlotFile:
    """A preallocated file of two slots for payloads of up to `capacity` bytes.

    `open_file` is the built-in open or a stand-in. A file that is absent, of the wrong size or not readable holds
    nothing; a write to it, or to a read-only drive, returns False. No method raises OSError.
    """

    def __init__(self, open_file, path, magic, capacity):
        self._open = open_file
        self.path = path
        self.magic = magic
        self.capacity = capacity
        # Whole 512-byte blocks, as the drive counts.
        self._slot = (HEADER_SIZE + capacity + 511) // 512 * 512
        self.size = 3 * SECTOR + 2 * self._slot

    def initial_file(self):
        """What the deploy puts there: erased flash, so that the first write clears bits and sets none."""
        return b"\xff" * self.size

    def read(self):
        """(sequence, payload, slot) of the newest record, or None."""
        newest = None
        for slot in (0, 1):
            record = self._read_slot(slot)
            if record is not None and (newest is None or is_newer(record[0], newest[0])):
                newest = record[0], record[1], slot
        return newest

    def write(self, sequence, payload):
        """Put a record into the slot that does not hold the newest, and read it back. True when it is there."""
        newest = self.read()
        slot = 0 if newest is None else 1 - newest[2]
        if not self._overwrite(slot, pack(self.magic, sequence, payload)):
            return False
        return self._read_slot(slot) == (sequence, payload)

    def clear(self):
        """Overwrite both slots, the older first: a cut in between must not leave a token that was rotated away."""
        newest = self.read()
        order = (0, 1) if newest is None else (1 - newest[2], newest[2])
        return self._blank(order[0]) and self._blank(order[1])

    def _blank(self, slot):
        # Erased flash is all ones; the payload goes, not its header alone.
        try:
            with self._open(self.path, "rb") as file:
                file.seek(self._offset(slot))
                old = file.read(self._slot)
        except OSError:
            return False
        blank = b"\xff" * self._slot
        return old == blank or self._overwrite(slot, blank)

    def _offset(self, slot):
        return SECTOR + slot * (self._slot + SECTOR)

    def _read_slot(self, slot):
        try:
            with self._open(self.path, "rb") as file:
                file.seek(self._offset(slot))
                head = file.read(HEADER_SIZE)
                if len(head) < HEADER_SIZE or head[:4] != self.magic:
                    return None
                length = struct.unpack(HEADER, head[:12])[3]
                if length > self.capacity:
                    return None
                return unpack(self.magic, head + file.read(length))
        except OSError:
            return None

    def _overwrite(self, slot, data):
        try:
            with self._open(self.path, "r+b") as file:
                file.seek(0, 2)
                if file.tell() != self.size:
                    # Writing past the end would extend it.
                    return False
                file.seek(self._offset(slot))
                file.write(data)
                return True
        except OSError:
            return False
