"""What lies where on a FAT volume, read from its bytes and not by FatFs (Microsoft's FAT specification of 2000)."""

from __future__ import annotations

import struct
from collections import defaultdict
from collections.abc import Iterator

from host_tools.virtual_board.flash import ERASE_SECTOR

LONG_NAME, VOLUME, FOLDER = 0x0F, 0x08, 0x10


class Layout:
    """`names[at]`: what lies in the erase sector at byte `at`: paths, and folders' own entries as "path/".

    `clusters[name]`: where each piece of a file, or of a folder's own entries, begins, in bytes.
    """

    def __init__(self, image: bytes) -> None:
        self._image = image
        block, per_cluster, reserved, fats, entries, small = struct.unpack_from("<HBHBHH", image, 11)
        fat_blocks = struct.unpack_from("<H", image, 22)[0]
        blocks = small or struct.unpack_from("<I", image, 32)[0]
        self._fat = reserved * block
        root = self._fat + fats * fat_blocks * block
        self.data = root + entries * 32
        self._cluster = per_cluster * block
        self._is_fat12 = (blocks - self.data // block) // per_cluster < 4085
        self.names: dict[int, set[str]] = defaultdict(set)
        self.clusters: dict[str, list[int]] = {}
        self._put("<boot sector>", 0, self._fat)
        self._put("<FAT>", self._fat, root - self._fat)
        self._put("/", root, entries * 32)
        self._folder("/", image[root : self.data])

    def _put(self, name: str, at: int, size: int) -> None:
        for sector in range(at - at % ERASE_SECTOR, at + size, ERASE_SECTOR):
            self.names[sector].add(name)

    def _clusters(self, cluster: int) -> Iterator[int]:
        """Where each cluster of a chain begins, in bytes."""
        while 2 <= cluster < (0xFF0 if self._is_fat12 else 0xFFF0):
            yield self.data + (cluster - 2) * self._cluster
            if self._is_fat12:
                pair = struct.unpack_from("<H", self._image, self._fat + cluster * 3 // 2)[0]
                cluster = pair >> 4 if cluster & 1 else pair & 0xFFF
            else:
                cluster = struct.unpack_from("<H", self._image, self._fat + 2 * cluster)[0]

    def _folder(self, path: str, content: bytes) -> None:
        long_name = ""
        for at in range(0, len(content), 32):
            entry = content[at : at + 32]
            if entry[0] == 0:
                return
            if entry[0] == 0xE5:
                continue
            if entry[11] == LONG_NAME:
                part = (entry[1:11] + entry[14:26] + entry[28:32]).decode("utf-16-le")
                long_name = part.partition("\0")[0] + long_name
                continue
            short = entry[:8].decode("ascii").rstrip() + ("." + entry[8:11].decode("ascii")).rstrip(". ")
            name, long_name = path + (long_name or short.lower()), ""
            if entry[11] & VOLUME or short.startswith("."):
                continue
            places = list(self._clusters(struct.unpack_from("<H", entry, 26)[0]))
            if entry[11] & FOLDER:
                name += "/"
            self.clusters[name] = places
            for place in places:
                self._put(name, place, self._cluster)
            if entry[11] & FOLDER:
                self._folder(name, b"".join(self._image[place : place + self._cluster] for place in places))
