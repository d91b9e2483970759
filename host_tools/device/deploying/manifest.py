"""What a deploy leaves beside a program: that it is whole, what it is, and the hash of each file.

A line of JSON, then a line for each file: `sha256 size path`. It is written last and removed first, so that where it is
the program was whole and had been read back.
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
HEAD_SIZE = 512


@dataclass(frozen=True)
class Head:
    """board: its id. version: of Stoa. digest: see `digest`. bytecode: whether the modules are .mpy."""

    board: str
    version: str
    digest: str
    bytecode: bool = False


def digest(files: Mapping[str, Kept]) -> str:
    """The SHA-256 of a whole program, in hexadecimal: over a line `path size sha256` for each file, sorted by bytes."""
    whole = hashlib.sha256()
    for path in sorted(files, key=str.encode):
        whole.update(f"{path} {files[path].size} {files[path].sha256}\n".encode())
    return whole.hexdigest()


def written(head: Head, files: Mapping[str, Kept]) -> bytes:
    """The file's content."""
    lines = [json.dumps({"format": FORMAT, **asdict(head)})]
    lines += [f"{files[path].sha256} {files[path].size} {path}" for path in sorted(files)]
    return ("\n".join(lines) + "\n").encode()


def read_head(beginning: bytes) -> Head | None:
    """The Head in a manifest's first HEAD_SIZE bytes; None if it is none, or of another format."""
    try:
        found = json.loads(beginning.split(b"\n")[0])
        if found.pop("format") != FORMAT:
            return None
        return Head(**found)
    except (ValueError, TypeError, KeyError, AttributeError):
        return None
