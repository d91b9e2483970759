"""The heap of a MicroPython VM from outside: what the VM says of it, and the smallest that something passes in."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

# MicroPython's, of four words.
BLOCK = 16


@dataclass
class Sample:
    """A heap after a collection: bytes in use, and the largest block of them. Where it was asked for: address -> bytes
    of each block; pools of names, the names in them, and the bytes of their letters."""

    used: int
    block: int = 0
    blocks: dict[int, int] = field(default_factory=dict)
    pools: int = 0
    names: int = 0
    letters: int = 0
    names_bytes: int = 0


def samples(lines: list[str]) -> list[Sample]:
    """What micropython.mem_info and qstr_info printed, each time."""
    found: list[Sample] = []
    head = 0
    for line in lines:
        if match := re.match(r"GC: .* used: (\d+),", line):
            found.append(Sample(int(match[1])))
        elif match := re.search(r"max blk sz: (\d+)", line):
            found[-1].block = BLOCK * int(match[1])
        elif match := re.match(r"([0-9a-f]{8}): (.*)", line):
            for at, mark in enumerate(match[2]):
                if mark == "=":
                    found[-1].blocks[head] += BLOCK
                elif mark != ".":
                    head = int(match[1], 16) + BLOCK * at
                    found[-1].blocks[head] = BLOCK
        elif line.startswith("qstr pool:"):
            last = found[-1]
            last.pools, last.names, last.letters, last.names_bytes = map(int, re.findall(r"=(\d+)", line))
    return found


def smallest(passes: Callable[[int], bool], least: int, most: int, step: int) -> int | None:
    """The least size that passes and has two more steps above it that pass: by the holes in a heap, some fail again.

    None if not even `most` does.
    """
    if not passes(most):
        return None
    fails, found = least, most
    while found - fails > step:
        middle = (fails + found) // 2 // step * step
        if passes(middle):
            found = middle
        else:
            fails = middle
    size = found + step
    while size < min(found + 3 * step, most):
        if not passes(size):
            found = size + step
        size += step
    return found
