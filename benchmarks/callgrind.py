"""Counting the instructions of a program by callgrind (Valgrind), in parts that the program itself begins.

A *marker* is a C library function that the program calls for nothing else. callgrind dumps its counts at each call of
one and writes down which, also where the program is stripped: the library's own symbols are enough.

Bookworm's Valgrind 3.19 cannot run what was built for trixie's C library (SIGILL in ld-linux.so.2 after 612
instructions), so that trixie's own is fetched, whatever is on PATH.
"""

from __future__ import annotations

import os
import signal
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from host_tools.debian_package import DebianPackage, unpacked
from host_tools.virtual_board.runtimes.process import SpawnedChild

VALGRIND = DebianPackage(
    "valgrind",
    "trixie",
    "amd64",
    "0359e30820ccee7ee5c8d4c951ca276e3978b18f157d71bd77981de05b344907",
    "run this on Debian, amd64",
)
# An object file and a function in it: by name, or by address where the program is stripped.
Function = tuple[str, str]


def command(cache: Path, out: Path, markers: Sequence[str] = ()) -> list[str]:
    """The words before those that start a program, to count its instructions into `out`."""
    root = unpacked(VALGRIND, cache)
    return [
        "/usr/bin/env",
        f"VALGRIND_LIB={root / 'usr/libexec/valgrind'}",
        str(root / "usr/bin/valgrind.bin"),
        "--tool=callgrind",
        "--vgdb=no",
        "--combine-dumps=yes",
        f"--callgrind-out-file={out}",
        # Not to the program's console.
        f"--log-file={out.with_suffix('.log')}",
        *(f"--dump-before={marker}" for marker in markers),
    ]


class CountedChild(SpawnedChild):
    """SpawnedChild whose counts are written when its power is cut: callgrind could not after SIGKILL."""

    def kill(self) -> int:
        os.kill(self.pid, signal.SIGTERM)
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


def parts(out: Path) -> Iterator[tuple[str, Counter[Function]]]:
    """(marker that ended it, function -> instructions) of each part in order; the last ends with the program, "".

    The format is callgrind's own (cl-format in Valgrind's manual): after `calls=` comes what the callee took.
    """
    names: dict[str, str] = {}
    objects: dict[str, str] = {}
    counts: Counter[Function] = Counter()
    here, function, ended_by, of_a_callee = "", ("", ""), "", False
    with out.open(encoding="utf-8", errors="replace") as lines:
        for line in lines:
            first = line[0]
            if first in "0123456789+-*":
                if not of_a_callee:
                    counts[function] += int(line.rsplit(" ", 1)[1])
                of_a_callee = False
            elif line.startswith("calls="):
                of_a_callee = True
            elif line.startswith("fn="):
                function = (here, _named(line, names))
            elif line.startswith("cfn="):
                _named(line, names)
            elif line.startswith("ob="):
                here = _named(line, objects)
            elif line.startswith("cob="):
                _named(line, objects)
            elif line.startswith("desc: Trigger:"):
                ended_by = line.partition("--dump-before=")[2].strip()
            elif line.startswith("totals:"):
                if sum(counts.values()) != int(line.split()[1]):
                    raise ValueError(f"{out.name}: a part does not add up")
                yield ended_by, counts
                counts = Counter()


def total(out: Path) -> int:
    return sum(count for _, counts in parts(out) for count in counts.values())


def _named(line: str, known: dict[str, str]) -> str:
    """What `fn=(12) name` names; `fn=(12)` is the same name once more."""
    number, _, name = line.partition("=")[2].strip().partition(" ")
    if name:
        known[number] = name
    return known[number]
