"""UF2 files: blocks of 512 bytes, each with its address (github.com/microsoft/uf2).

CircuitPython's hold the application alone, with addresses from 0: TinyUF2 adds where its partition begins
(ports/espressif/Makefile; ports/espressif/README.md of adafruit/tinyuf2).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from host_tools.device.errors import ImageRefused

BLOCK = 512
MAGIC, MAGIC_2, MAGIC_END = 0x0A324655, 0x9E5D5157, 0x0AB16F30
NOT_MAIN_FLASH, FAMILY_PRESENT = 0x1, 0x2000
LARGEST_PAYLOAD = 476
# The chips that TinyUF2 runs on, by CircuitPython's UF2_FAMILY_ID_* (ports/espressif/Makefile).
FAMILIES = {0xBFDD4EEE: "ESP32-S2", 0xC47E5767: "ESP32-S3"}


@dataclass(frozen=True)
class Uf2:
    """chip: as board files name it. content: what is written, from address 0 on. blocks: how many there are."""

    chip: str
    content: bytes
    blocks: int


def is_uf2(content: bytes) -> bool:
    return content[:4] == struct.pack("<I", MAGIC)


def read_uf2(content: bytes) -> Uf2:
    """ImageRefused: the message goes on from the file's name."""
    count = len(content) // BLOCK
    if not count or len(content) % BLOCK:
        raise ImageRefused(
            f"is no UF2 file, or cut short: {len(content)} bytes are no whole number of blocks of {BLOCK}"
        )
    families, payloads, at = set(), [], 0
    for number in range(count):
        block = content[number * BLOCK : (number + 1) * BLOCK]
        first, second, flags, address, size, sequence, total, family = struct.unpack_from("<8I", block)
        if (first, second, struct.unpack_from("<I", block, BLOCK - 4)[0]) != (MAGIC, MAGIC_2, MAGIC_END):
            raise ImageRefused(f"is broken at block {number} of {count}: download it again")
        if (sequence, total) != (number, count):
            raise ImageRefused(f"has block {sequence} of {total} where {number} of {count} belongs: download it again")
        if flags & NOT_MAIN_FLASH or not flags & FAMILY_PRESENT or size > LARGEST_PAYLOAD or address != at:
            raise ImageRefused("is no UF2 file of CircuitPython for an ESP32: take the .uf2 from circuitpython.org")
        families.add(family)
        payloads.append(block[32 : 32 + size])
        at += size
    family = families.pop()
    if families or family not in FAMILIES:
        raise ImageRefused(f"is for another chip: UF2 family {family:#x} is none of Espressif's that Stoa knows")
    return Uf2(FAMILIES[family], b"".join(payloads), count)
