"""What is in a merged image for an Espressif chip: which chip it is for, its partitions, and whether it is whole.

CircuitPython's .bin is bootloader, partition table and application, joined with ones between them
(ports/espressif/Makefile, tools/join_bins.py), so it is flashed at 0. The formats are ESP-IDF's: images in
bootloader_support/include/esp_app_format.h, tables in components/partition_table/gen_esp32part.py.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Sequence
from dataclasses import dataclass

from host_tools.device.errors import ImageRefused

MAGIC = 0xE9
# chip_id of the extended header: the chip, and where its ROM looks for the bootloader (esptool's targets/*.py).
CHIPS = {
    0: ("ESP32", 0x1000),
    2: ("ESP32-S2", 0x1000),
    5: ("ESP32-C3", 0),
    9: ("ESP32-S3", 0),
    12: ("ESP32-C2", 0),
    13: ("ESP32-C6", 0),
    16: ("ESP32-H2", 0),
    18: ("ESP32-P4", 0x2000),
    20: ("ESP32-C61", 0),
    23: ("ESP32-C5", 0x2000),
}
HEADER, CHIP_ID_AT, DIGEST_AT = 24, 12, 23
CHECKSUM_SEED = 0xEF
TABLE_AT, TABLE_SIZE = 0x8000, 0xC00
ENTRY, ENTRY_MAGIC, TABLE_DIGEST_MAGIC = 32, 0x50AA, 0xEBEB
SECTOR = 0x1000

# (type, subtype) of the partitions that matter here; CircuitPython calls them nvs, otadata, uf2, ota_0 and user_fs.
NVS, OTADATA, FACTORY, OTA_0, DRIVE = (1, 2), (1, 0), (0, 0), (0, 0x10), (1, 0x81)


@dataclass(frozen=True)
class Partition:
    """Addresses and sizes in bytes."""

    name: str
    kind: tuple[int, int]
    at: int
    size: int

    @property
    def end(self) -> int:
        return self.at + self.size


@dataclass(frozen=True)
class MergedImage:
    """What begins at address 0 of a flash. chip: as board files name it, "ESP32-S2"."""

    chip: str
    content: bytes
    partitions: tuple[Partition, ...]

    def partition(self, kind: tuple[int, int]) -> Partition | None:
        return find(self.partitions, kind)

    def erases(self, partition: Partition) -> bool:
        """Whether flashing it touches this; flash is erased by sectors."""
        return partition.at < -(-len(self.content) // SECTOR) * SECTOR


def find(partitions: Sequence[Partition], kind: tuple[int, int]) -> Partition | None:
    return next((each for each in partitions if each.kind == kind), None)


def read_image(content: bytes) -> MergedImage:
    """ImageRefused: the message goes on from the file's name."""
    chip = next((name for name, at in CHIPS.values() if chip_named(content, at) == name), None)
    if chip is None:
        if chip_named(content, 0):
            raise ImageRefused("holds an application alone, without bootloader: take the .bin from circuitpython.org")
        raise ImageRefused("is no image for an ESP32: no bootloader begins in it where a chip would look for one")
    partitions = read_table(content[TABLE_AT : TABLE_AT + TABLE_SIZE])
    if not partitions:
        raise ImageRefused("has no partition table: an application alone, or cut short; take circuitpython.org's .bin")
    image = MergedImage(chip, content, partitions)
    application = image.partition(OTA_0) or image.partition(FACTORY)
    if application is None or application.at >= len(content):
        raise ImageRefused("has no application where its partition table wants one: it is cut short, download it again")
    if (other := check_application(content[application.at :])) != chip:
        raise ImageRefused(f"has a bootloader for {chip} and an application for {other}: it can run on neither")
    return image


def chip_named(content: bytes, at: int) -> str | None:
    """The chip that the image which begins at `at` is for; None if none does, or for a chip that is not known."""
    if len(content) < at + HEADER or content[at] != MAGIC:
        return None
    chip = CHIPS.get(struct.unpack_from("<H", content, at + CHIP_ID_AT)[0])
    return chip[0] if chip else None


def check_application(content: bytes) -> str:
    """The chip an application is for. ImageRefused unless segments, checksum and digest are whole.

    The bootloader makes the same checks, and starts nothing that does not pass.
    """
    chip = chip_named(content, 0)
    if chip is None:
        raise ImageRefused("has no application for a chip that Stoa knows")
    at, checksum = HEADER, CHECKSUM_SEED
    for _ in range(content[1]):
        if at + 8 > len(content):
            raise _cut_short()
        size = struct.unpack_from("<I", content, at + 4)[0]
        segment = content[at + 8 : at + 8 + size]
        if len(segment) < size:
            raise _cut_short()
        checksum ^= _xor(segment)
        at += 8 + size
    # The checksum is the last byte of a row of 16.
    end = at // 16 * 16 + 16
    digest = content[end : end + 32]
    if len(content) < end or (content[DIGEST_AT] and len(digest) < 32):
        raise _cut_short()
    whole = content[end - 1] == checksum
    if not whole or (content[DIGEST_AT] and hashlib.sha256(content[:end]).digest() != digest):
        raise ImageRefused("is broken: its checksum does not fit; download it again")
    return chip


def read_table(content: bytes) -> tuple[Partition, ...]:
    """The partitions of a table; () if there is none. ImageRefused if its digest does not fit."""
    partitions = []
    for at in range(0, len(content) - ENTRY + 1, ENTRY):
        magic, kind, subkind, begins, size, name = struct.unpack_from("<HBBII16s", content, at)
        if magic == TABLE_DIGEST_MAGIC:
            if hashlib.md5(content[:at]).digest() != content[at + 16 : at + 32]:
                raise ImageRefused("has a broken partition table: download it again")
            break
        if magic != ENTRY_MAGIC:
            break
        partitions.append(Partition(name.rstrip(b"\0").decode("ascii", "replace"), (kind, subkind), begins, size))
    return tuple(partitions)


def _cut_short() -> ImageRefused:
    return ImageRefused("is cut short: download it again")


def _xor(data: bytes) -> int:
    """All bytes, XORed; by halves, for megabytes of them."""
    folded = int.from_bytes(data, "little")
    bits = len(data) * 8
    while bits > 8:
        bits = -(-bits // 16) * 8
        folded = (folded >> bits) ^ (folded & ((1 << bits) - 1))
    return folded
