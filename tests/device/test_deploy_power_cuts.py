"""Power lost in the midst of a deploy, at any flash operation: what the board can run then, and what mends it.

A write of FatFs erases a sector of 4 KB before it programs it, and a cut between loses all eight blocks of it. No order
of writes keeps the blocks of FAT and root directory from that: they are counted here, and docs/deploy.md has the count.
"""

from __future__ import annotations

from collections import Counter

import pytest

from host_tools.bundle import build_program, root_files
from host_tools.device.errors import DeviceError, DriveDamaged, DriveFull
from host_tools.virtual_board.fat import FatDrive, mounted
from host_tools.virtual_board.power import WAYS, Cut
from tests.campaign import extent
from tests.device.deploy_bench import BOARD, blank, put, running

ROOTS = root_files()


def what_runs(flash, old, new):
    """ "old" or "new"; or what of the drive is damaged: "drive", "root files" or "program"."""
    try:
        with FatDrive(flash) as drive:
            if any(drive.read_file("/" + name) != content for name, content in ROOTS.items()):
                return "root files"
            files = running(drive)[1]
    except OSError:
        return "drive"
    return "old" if files == old else "new" if files == new else "program"


def cuts_of(flash, begun, new, every):
    flash.content[:] = begun
    _, double = put(flash, new)
    total = len(double.supply.flash)
    return total, [Cut("flash", at, how) for at in range(1, total + 1) for how in WAYS["flash"]][::every]


@pytest.mark.timeout(extent(quick=120, deep=3600))
def test_every_cut_is_mended_by_doing_it_again(record_property):
    program = build_program(BOARD)
    old = {path: program[path] for path in sorted(program)[:8]}
    new = {**old, "stoa/new.py": b"NEW = 1\n" * 400, sorted(old)[3]: b"CHANGED = 1\n"}
    flash = blank()
    put(flash, old)
    put(flash, {**old, "stoa/else.py": b"x = 1\n"})
    put(flash, old)
    begun = bytes(flash.content)
    total, cuts = cuts_of(flash, begun, new, extent(quick=23, deep=1))
    # (how, what runs then, whether the drive had to be made anew) -> cuts
    seen: Counter[tuple[str, str, bool]] = Counter()
    for cut in cuts:
        flash.content[:] = begun
        with pytest.raises(DeviceError):
            put(flash, new, cut=cut)
        outcome = what_runs(flash, old, new)
        if cut.how in ("before", "after"):
            assert outcome in ("old", "new"), cut
        # CircuitPython formats a drive that does not mount, and that has no program then.
        with mounted(flash):
            pass
        anew = False
        try:
            put(flash, new)
        except (DriveDamaged, DriveFull):
            anew = True
            put(flash, new, erase_drive=True)
        seen[cut.how, outcome, anew] += 1
        assert what_runs(flash, old, new) == "new", cut
        assert cut.how not in ("before", "after") or not anew, cut
    print(f"{total} flash operations, {len(cuts)} cuts: {dict(sorted(seen.items()))}")
    assert sum(count for (_, outcome, _), count in seen.items() if outcome == "old") > len(cuts) // 2
