"""What a deploy has to do, from what is wanted and what lies on the board. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from host_tools.bundle import SECTOR
from host_tools.device.way import Kept

# A folder takes a sector of its own, and a file's entry in it a part of one.
_ENTRIES_IN_SECTOR = 8


@dataclass(frozen=True)
class Plan:
    """Paths are in the program. copy: path -> where the running program has the same content."""

    remove: tuple[str, ...]
    copy: Mapping[str, str]
    send: tuple[str, ...]

    @property
    def is_empty(self) -> bool:
        return not (self.remove or self.copy or self.send)


def make_plan(wanted: Mapping[str, Kept], there: Mapping[str, Kept], running: Mapping[str, Kept]) -> Plan:
    """`there`: the program that is to become `wanted`; `running`: the other one, {} if it is not to be relied on."""
    by_hash = {kept.sha256: path for path, kept in running.items()}
    missing = [path for path in sorted(wanted) if there.get(path) != wanted[path]]
    copy = {path: by_hash[wanted[path].sha256] for path in missing if wanted[path].sha256 in by_hash}
    return Plan(
        remove=tuple(sorted(there.keys() - wanted.keys())),
        copy=copy,
        send=tuple(path for path in missing if path not in copy),
    )


def bytes_needed(plan: Plan, wanted: Mapping[str, Kept], there: Mapping[str, Kept]) -> int:
    """Free bytes that the plan takes, at most: what is replaced is freed before."""
    new = [*plan.copy, *plan.send]
    freed = [path for path in (*plan.remove, *new) if path in there]
    folders = {path.rpartition("/")[0] for path in new} - {path.rpartition("/")[0] for path in there}
    entries = len(folders) + -(-len(new) // _ENTRIES_IN_SECTOR)
    sectors = sum(map(_sectors, (wanted[path].size for path in new))) + entries
    return SECTOR * max(0, sectors - sum(map(_sectors, (there[path].size for path in freed))))


def _sectors(size: int) -> int:
    return -(-size // SECTOR)
