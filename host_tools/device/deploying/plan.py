"""What a deploy has to do, from what is wanted and what lies on the board. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass

from host_tools.bundle import SECTOR
from host_tools.device.deploying.way import Differences, Kept

# A folder takes a sector of its own, and a file's entry in it a part of one.
_ENTRIES_IN_SECTOR = 8


@dataclass(frozen=True)
class Plan:
    """Paths in the program. copy: what the running program has as it is wanted. needed: free bytes it takes at most."""

    remove: tuple[str, ...]
    copy: tuple[str, ...]
    send: tuple[str, ...]
    needed: int


def make_plan(wanted: Mapping[str, Kept], found: Differences, running: Set[str]) -> Plan:
    """found: what the folder to be filled has otherwise; running: what of `wanted` the running program has."""
    missing = sorted(found.missing)
    return Plan(
        remove=tuple(sorted(found.unwanted)),
        copy=tuple(path for path in missing if path in running),
        send=tuple(path for path in missing if path not in running),
        needed=_bytes_needed(wanted, found),
    )


def _bytes_needed(wanted: Mapping[str, Kept], found: Differences) -> int:
    """What is replaced is freed before."""
    folders = {path.rpartition("/")[0] for path in found.missing}
    entries = len(folders) + -(-len(found.missing) // _ENTRIES_IN_SECTOR) if found.missing else 0
    new = sum(_sectors(wanted[path].size) for path in found.missing) + entries
    freed = sum(map(_sectors, (*found.missing.values(), *found.unwanted.values())))
    return SECTOR * max(0, new - freed)


def _sectors(size: int) -> int:
    return -(-size // SECTOR)
