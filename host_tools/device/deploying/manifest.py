"""What a deploy leaves beside a program: that it is whole, what it is, and the hash of each file.

A line of JSON, then a line for each file, `path size sha256`; the digest in the first is over these. It is written last
and removed first, so that where it is the program was whole and had been read back.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from host_tools.device.deploying.way import Kept

NAME = "manifest.txt"
FORMAT = 1
# The first line has no more bytes.
HEAD_SIZE = 256


@dataclass(frozen=True)
class Head:
    """board: its id. version: of Stoa. digest: see `digest`. bytecode: whether the modules are .mpy."""

    board: str
    version: str
    digest: str
    bytecode: bool = False


def digest(files: Mapping[str, Kept]) -> str:
    """The SHA-256 of a whole program, in hexadecimal."""
    return hashlib.sha256(lines(files).encode()).hexdigest()


def lines(files: Mapping[str, Kept]) -> str:
    """A line for each file, sorted by the bytes of its path."""
    return "".join(f"{path} {files[path].size} {files[path].sha256}\n" for path in sorted(files, key=str.encode))


def first_line(head: Head) -> str:
    """ValueError if it would not be read whole again."""
    line = json.dumps({"format": FORMAT, **asdict(head)}) + "\n"
    if len(line) > HEAD_SIZE:
        raise ValueError(f"{line!r} has {len(line)} bytes, and {HEAD_SIZE} are read")
    return line


def read_head(beginning: bytes) -> Head | None:
    """The Head in a manifest's first HEAD_SIZE bytes; None if it is none, or of another format."""
    try:
        found = json.loads(beginning.split(b"\n")[0])
        if found.pop("format") != FORMAT:
            return None
        return Head(**found)
    except (ValueError, TypeError, KeyError, AttributeError):
        return None
