"""Images as CircuitPython's build makes them: bootloader, partition table and application joined into one file."""

from __future__ import annotations

import hashlib
import random
import struct
from collections.abc import Sequence

CHIP_IDS = {"ESP32": 0, "ESP32-S2": 2, "ESP32-S3": 9}
# Where each sees its flash as data (esptool, DROM_MAP_START).
DATA_AT = {"ESP32": 0x3F400000, "ESP32-S2": 0x3F000000, "ESP32-S3": 0x3C000000}
BOOTLOADER_AT = {"ESP32": 0x1000, "ESP32-S2": 0x1000, "ESP32-S3": 0}
UF2_FAMILIES = {"ESP32-S2": 0xBFDD4EEE, "ESP32-S3": 0xC47E5767}
TABLE_AT, APPLICATION_AT = 0x8000, 0x10000
# name, type, subtype, address, KiB. CircuitPython 10's partitions-4MB-no-ota.csv, 9's with two applications, and one of
# a board without UF2.
TABLE_4MB = (
    ("nvs", 1, 2, 0x9000, 20),
    ("otadata", 1, 0, 0xE000, 8),
    ("ota_0", 0, 0x10, 0x10000, 2816),
    ("uf2", 0, 0, 0x2D0000, 256),
    ("user_fs", 1, 0x81, 0x310000, 960),
)
TABLE_4MB_OLD = (
    *TABLE_4MB[:2],
    ("ota_0", 0, 0x10, 0x10000, 1408),
    ("ota_1", 0, 0x11, 0x170000, 1408),
    *TABLE_4MB[3:],
)
TABLE_NO_UF2 = (*TABLE_4MB[:2], ("ota_0", 0, 0x10, 0x10000, 2048), ("user_fs", 1, 0x81, 0x210000, 1984))


def partition_table(rows: Sequence[tuple[str, int, int, int, int]] = TABLE_4MB) -> bytes:
    table = b"".join(
        struct.pack("<HBBII16sI", 0x50AA, kind, subkind, at, kib * 1024, name.encode(), 0)
        for name, kind, subkind, at, kib in rows
    )
    table += b"\xeb\xeb" + b"\xff" * 14 + hashlib.md5(table).digest()
    return table.ljust(0xC00, b"\xff")


def esp_image(chip: str, content: bytes, digest: bool = True) -> bytes:
    """One segment of `content`, with checksum and digest."""
    content = content.ljust(-(-len(content) // 4) * 4, b"\0")
    header = struct.pack(
        "<BBBBIBBBBHBHH4xB", 0xE9, 1, 2, 0x2F, 0x40080000, 0xEE, 0, 0, 0, CHIP_IDS[chip], 0, 0, 0xFFFF, digest
    )
    image = header + struct.pack("<II", DATA_AT[chip] + 0x20, len(content)) + content
    checksum = 0xEF
    for byte in content:
        checksum ^= byte
    image = image.ljust(len(image) + 15 - len(image) % 16, b"\0") + bytes((checksum,))
    return image + (hashlib.sha256(image).digest() if digest else b"")


def application(
    chip: str, board_id: str, name: str = "Adafruit MagTag", version: str = "10.3.1", size: int = 150_000
) -> bytes:
    """With the strings that main.c prints to boot_out.txt; half of it can be compressed."""
    described = struct.pack("<II8x32s32s80x64x", 0xABCD5432, 0, version.encode(), b"circuitpython")
    banner = f"Adafruit CircuitPython {version} on 2026-08-20; {name} with {chip.replace('-', '')}\0".encode()
    noise = random.Random(board_id + version).randbytes(size // 2)
    return esp_image(
        chip, described + banner + b"%s\nBoard ID:%s\n\0" + board_id.encode() + b"\0" + noise + bytes(size // 2)
    )


def merged(
    chip: str, application: bytes, rows: Sequence[tuple[str, int, int, int, int]] = TABLE_4MB, other: str | None = None
) -> bytes:
    """tools/join_bins.py: filled with ones between. other: the chip that its bootloader is for, if it is another."""
    loader = esp_image(other or chip, random.Random(chip).randbytes(16_000))
    image = b"\xff" * BOOTLOADER_AT[chip] + loader
    image = image.ljust(TABLE_AT, b"\xff") + partition_table(rows)
    return image.ljust(APPLICATION_AT, b"\xff") + application


def uf2(content: bytes, family: int, begins_at: int = 0) -> bytes:
    """As uf2conv.py makes it: 256 bytes a block."""
    content = content.ljust(-(-len(content) // 256) * 256, b"\0")
    count = len(content) // 256
    return b"".join(
        struct.pack("<IIIIIIII", 0x0A324655, 0x9E5D5157, 0x2000, begins_at + n * 256, 256, n, count, family)
        + content[n * 256 : n * 256 + 256].ljust(476, b"\0")
        + struct.pack("<I", 0x0AB16F30)
        for n in range(count)
    )
