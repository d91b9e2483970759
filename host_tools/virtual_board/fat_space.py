"""How much room a FAT volume has, read from its allocation table: FatFs' f_getfree is not in its Python binding."""

from __future__ import annotations

import struct
from mmap import mmap

# BPB: bytes a sector, sectors a cluster, reserved sectors, FATs, root entries, sectors, media, sectors a FAT.
_BPB = struct.Struct("<HBHBHHBH")
# Fewer clusters are FAT12 (Microsoft's FAT specification, "FAT Type Determination").
_FAT12_BELOW = 4085


def space(volume: bytearray | mmap) -> tuple[int, int, int]:
    """(bytes a cluster, clusters, free clusters) of a FAT12 or FAT16 volume without a partition table."""
    sector, per_cluster, reserved, fats, root_entries, total, _, per_fat = _BPB.unpack_from(volume, 11)
    total = total or struct.unpack_from("<I", volume, 32)[0]
    data_from = reserved + fats * per_fat + -(-root_entries * 32 // sector)
    clusters = (total - data_from) // per_cluster
    table = bytes(volume[reserved * sector : (reserved + per_fat) * sector])
    entry = _entry_12 if clusters < _FAT12_BELOW else _entry_16
    free = sum(entry(table, number) == 0 for number in range(2, clusters + 2))
    return sector * per_cluster, clusters, free


def _entry_12(table: bytes, number: int) -> int:
    pair = table[number * 3 // 2] | table[number * 3 // 2 + 1] << 8
    return pair >> 4 if number % 2 else pair & 0xFFF


def _entry_16(table: bytes, number: int) -> int:
    return table[number * 2] | table[number * 2 + 1] << 8
