"""Two slots for one small record: the newer one survives whatever happens to the other.

Each slot is a preallocated file in a folder of its own. A write goes to the slot that does not hold the newest record,
so that a torn write costs the write and nothing else. The files are made at deploy and afterwards only overwritten in
place: creating, extending or renaming touches the FAT and the root directory, and a cut there makes CircuitPython
reformat the drive.

    folder a: padding | slot | padding        folder b: padding | slot | padding        each padding one erase sector

Flash is erased in sectors of 4 KB and a file may begin anywhere in one: the padding keeps slots and neighbours apart.
FatFs brings the directory entry of a file up to date when it is closed after a write, and a cut there loses what shares
the sector with that entry. Hence a folder each, or it would be both slots; and hence a written file stays open until
`close`, when its record may be elsewhere too. Whole blocks go to flash at once (ff.c, f_write), close or no close.
"""

import binascii
import struct

SECTOR = 4096
BLOCK = 512
# Magic, version, zero, length of the payload, sequence number; then the CRC-32 of those and the payload.
HEADER = "<4sBBHI"
HEADER_SIZE = 16
VERSION = 1


def pack(magic, sequence, payload):
    """The bytes of a record."""
    head = struct.pack(HEADER, magic, VERSION, 0, len(payload), sequence)
    return head + struct.pack("<I", binascii.crc32(payload, binascii.crc32(head)) & 0xFFFFFFFF) + payload


def payload_length(magic, head):
    """The length of the payload of the record that `head`, HEADER_SIZE bytes, begins, or None where it begins none."""
    if len(head) < HEADER_SIZE or bytes(head[:4]) != magic:
        return None
    return struct.unpack(HEADER, bytes(head[:12]))[3]


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


class Slots:
    """A record of up to `capacity` bytes in two files.

    `open_file` is the built-in open or a stand-in; paths: of the two files. A file that is absent, of the wrong size or
    not readable holds nothing; a write to it, or to a read-only drive, fails. No method raises OSError.
    """

    def __init__(self, open_file, paths, magic, capacity):
        self._open = open_file
        self.paths = paths
        self.magic = magic
        self.capacity = capacity
        self._slot = (HEADER_SIZE + capacity + BLOCK - 1) // BLOCK * BLOCK
        self.size = 2 * SECTOR + self._slot
        self._written = None

    def initial_file(self):
        """What the deploy puts at each path: erased flash, so that the first write clears bits and sets none."""
        return b"\xff" * self.size

    def read(self):
        """(sequence, payload, slot) of the newest record, or None."""
        newest = None
        for slot in (0, 1):
            record = self._read_slot(slot)
            if record is not None and (newest is None or is_newer(record[0], newest[0])):
                newest = record[0], record[1], slot
        return newest

    def write(self, sequence, payload, newest, risk_the_newest=False):
        """Put a record into the slot that does not hold the newest, and read it back. True when it is there.

        Call `close` afterwards. `newest`: the slot that has it, or None. `risk_the_newest`: where the other slot is
        gone for good, overwrite the newest itself; for when it is elsewhere too.
        """
        slot = 0 if newest is None else 1 - newest
        record = pack(self.magic, sequence, payload)
        record += b"\xff" * (-len(record) % BLOCK)
        if self._put(slot, record):
            return True
        return (newest is None or risk_the_newest) and self._put(1 - slot, record)

    def close(self):
        """Let go of what was written: from here on its directory entry is at risk for a moment."""
        file, self._written = self._written, None
        if file is not None:
            try:
                file.close()
            except OSError:
                pass

    def can_be_cleared(self):
        """Whether every slot that holds a record can be written now."""
        for slot in (0, 1):
            if self._read_slot(slot) is not None:
                if not self._is_ours(slot):
                    return False
                try:
                    self._open(self.paths[slot], "r+b").close()
                except OSError:
                    return False
        return True

    def clear(self):
        """Blank both slots, the older first: a cut in between must not leave a token that was rotated away.

        True when neither holds anything any more.
        """
        newest = self.read()
        first = 0 if newest is None else 1 - newest[2]
        cleared = [self._blank(slot) or self._read_slot(slot) is None for slot in (first, 1 - first)]
        return cleared[0] and cleared[1]

    def _blank(self, slot):
        # Erased flash is all ones; the payload goes, not its header alone.
        try:
            with self._open(self.paths[slot], "rb") as file:
                file.seek(SECTOR)
                used = 0
                for start in range(0, self._slot, BLOCK):
                    written = file.read(BLOCK).rstrip(b"\xff")
                    used = start + len(written) if written else used
        except OSError:
            return False
        cleared = not used or self._overwrite(slot, b"\xff" * used)
        self.close()
        return cleared

    def _put(self, slot, record):
        return self._overwrite(slot, record) and unpack(self.magic, record) == self._read_back(len(record))

    def _read_back(self, size):
        try:
            self._written.seek(SECTOR)
            return unpack(self.magic, self._written.read(size))
        except OSError:
            return None

    def _read_slot(self, slot):
        try:
            with self._open(self.paths[slot], "rb") as file:
                file.seek(SECTOR)
                head = file.read(HEADER_SIZE)
                length = payload_length(self.magic, head)
                if length is None or length > self.capacity:
                    return None
                return unpack(self.magic, head + file.read(length))
        except OSError:
            return None

    def _overwrite(self, slot, data):
        self.close()
        if not self._is_ours(slot):
            return False
        try:
            file = self._written = self._open(self.paths[slot], "r+b")
            file.seek(SECTOR)
            file.write(data)
            return True
        except OSError:
            return False

    def _is_ours(self, slot):
        """Whether a file is as it was deployed. A directory entry that was half erased may say another size, or lead to
        another file's clusters.

        Looked at through a handle for reading: in one for writing FatFs' seek past a chain's end makes the chain longer
        (ff.c, f_lseek), and with it rewrites the FAT.
        """
        try:
            with self._open(self.paths[slot], "rb") as file:
                file.seek(0, 2)
                if file.tell() != self.size:
                    return False
                file.seek(0)
                return file.read(64) == b"\xff" * 64
        except OSError:
            return False
