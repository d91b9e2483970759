"""The files that CircuitPython looks for in the drive's root: Stoa's code.py and safemode.py, and an owner's own.

There is a program to run all the while, and none of the owner's is lost.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from host_tools.bundle import ROOT_FILE_MARK, root_files
from host_tools.device.deploying.report import Report
from host_tools.device.deploying.way import Way, replace_file, take_up
from host_tools.device.errors import DeviceError, NotVerified
from host_tools.settings_toml import NAME as SETTINGS

# CircuitPython runs these rather than code.py (main.c, supported_filenames).
RUN_BEFORE_CODE_PY = ("code.txt",)
# What it runs where there is no code.py: the new code.py is made under this name, so that there is a program meanwhile.
RUN_WITHOUT_CODE_PY = "main.py"
KEPT_BESIDE = "before-stoa-"


def make_root_files(way: Way, report: Report) -> None:
    """Have Stoa's there, and an owner's own beside. DeviceErrors of the way; NotVerified."""
    wanted = root_files()
    take_up(way, SETTINGS)
    present = way.sizes([*wanted, *RUN_BEFORE_CODE_PY, "boot.py", SETTINGS])
    hashes = way.hashes([name for name, content in wanted.items() if present.get(name) == len(content)])
    others = {name: content for name, content in wanted.items() if hashes.get(name) != sha256(content)}
    for name, content in others.items():
        if present.get(name) and not is_ours(way, name):
            _set_aside(way, name, report)
        if present.get(name) == len(content):
            way.overwrite(name, 0, content)
        else:
            _put_root_file(way, name, content)
        report.changed = True
    way.settle()
    if others:
        _read_back(way, others)
    for name in RUN_BEFORE_CODE_PY:
        if name in present:
            # From here on the board runs code.py.
            _set_aside(way, name, report)
            way.remove(name)
            way.settle()
            report.changed = True
    if "boot.py" in present:
        report.notes.append("boot.py is your own and runs before Stoa at every boot")
    if SETTINGS not in present:
        report.notes.append("there is no settings.toml yet: run `stoa config`")


def _put_root_file(way: Way, name: str, content: bytes) -> None:
    other = RUN_WITHOUT_CODE_PY
    # Somebody's own stays; an empty one is where a deploy was cut off.
    stands_in = name == "code.py" and (not way.sizes([other]).get(other) or is_ours(way, other))
    replace_file(way, name, content, other if stands_in else "")


def is_ours(way: Way, name: str) -> bool:
    return way.read(name, 0, len(ROOT_FILE_MARK)) == ROOT_FILE_MARK


def _read_back(way: Way, wanted: Mapping[str, bytes]) -> None:
    for again in (True, False):
        hashes = way.hashes(list(wanted))
        wrong = [name for name, content in wanted.items() if hashes.get(name) != sha256(content)]
        if not wrong:
            return
        if not again:
            break
        for name in wrong:
            # Not in place: where it lies may be worn.
            _put_root_file(way, name, wanted[name])
        way.settle()
    raise NotVerified(
        f"{way.name} reads back another {wrong[0]} than was written: check the cable and deploy again, before the board"
        " is reset: without that file it runs nothing"
    )


def _set_aside(way: Way, name: str, report: Report) -> None:
    names = [f"{KEPT_BESIDE}{number}{name}" for number in ("", *(f"{n}-" for n in range(2, 10)))]
    hashes = way.hashes([name, *names])
    # Where a deploy was cut off it is kept already.
    kept = next((kept for kept in names if hashes.get(kept) in (None, hashes.get(name))), None)
    if kept is None:
        raise DeviceError(
            f"{way.name}: your own {name} cannot be kept, for {names[0]} to {names[-1]} are there already: remove some"
            " of them and deploy again"
        )
    if kept not in hashes:
        way.copy(name, kept)
        way.settle()
        if way.hashes([kept]).get(kept) != hashes[name]:
            raise NotVerified(
                f"{way.name}: {kept}, the copy of your own {name}, reads back otherwise; {name} is as it was. Deploy"
                " again"
            )
    report.notes.append(f"your {name} is kept as {kept}")


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
