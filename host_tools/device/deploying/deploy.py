"""Put a program on a board beside the one that runs, read it back, and only then let the board run it.

`deploy` goes by these steps; whatever breaks off between two of them, or in one, the board runs the old program or the
new one, and the same again goes on from there (docs/deploy.md).

    root files that a board needs before any program: guard, vault, cache, ACTIVE   (what is there stays)
    the folder that is not in use: manifest away, what is not wanted away, copy, send
    read back                                                                       (NotVerified)
    manifest
    code.py and safemode.py: an owner's own copied aside; each in one write, or by a file that gets its name; read back
                                                                                    (NotVerified)
    code.txt, which would run in their place, aside
    a block of ACTIVE, in place: from here on the board runs the new program
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from host_tools.bundle import (
    ACTIVE,
    ACTIVE_AT,
    SECTOR,
    SLOTS,
    active_block,
    first_files,
    root_files,
    sectors,
)
from host_tools.device.deploying import manifest
from host_tools.device.deploying.plan import Plan, make_plan
from host_tools.device.deploying.report import Report
from host_tools.device.deploying.root import RUN_BEFORE_CODE_PY, is_ours, make_root_files, sha256
from host_tools.device.deploying.way import Kept, Way
from host_tools.device.errors import DriveFull, NotVerified

# What the drive must keep free all the same: the directory of the root, a manifest, and the owner's settings.
RESERVE = 24 * 1024

OnProgress = Callable[[str, int, int], None]


def deploy(way: Way, head: manifest.Head, program: Mapping[str, bytes], on_progress: OnProgress) -> Report:
    """Make `program` (path in the program -> content) what the board runs. head: but for its digest, which is reckoned.

    on_progress: (step, bytes done, bytes in all), again and again. DeviceErrors of the way; DriveFull before anything
    is written, NotVerified before the board runs anything else.
    """
    wanted = {path: Kept(len(content), sha256(content)) for path, content in program.items()}
    size = sum(each.size for each in wanted.values())
    digest = manifest.digest(wanted)
    running = _active_slot(way)
    report = Report(slot=running, files=len(wanted))
    step = _Steps(on_progress)
    standing = manifest.read_head(way.read(f"{running}/{manifest.NAME}", 0, manifest.HEAD_SIZE))
    if standing is None or standing.digest != digest or way.digest(running, step.of("comparing", size)) != digest:
        # A new board runs neither. What has lost its manifest may be running all the same.
        is_new = standing is None and not is_ours(way, "code.py")
        report.slot = target = running if is_new else next(slot for slot in SLOTS if slot != running)
        plan = _plan(way, wanted, target, running if target != running else None, step)
        _check_room(way, plan, size if is_new else 0, report)
        _make_first_files(way, running, report)
        _fill(way, target, plan, program, report, step)
        if way.digest(target, step.of("reading back", size)) != digest:
            _mend(way, target, program, wanted, report, step)
        way.seal(target, manifest.first_line(replace(head, digest=digest)), wanted)
        way.settle()
        report.changed = True
    else:
        _make_first_files(way, running, report)
    step.end()
    make_root_files(way, report)
    if report.slot != running:
        way.overwrite(ACTIVE, ACTIVE_AT, active_block(report.slot))
        way.settle()
        if _active_slot(way) != report.slot:
            raise NotVerified(f"{way.name} did not keep which program is to run; deploy again")
    return report


class _Steps:
    """Progress as steps of so many bytes each. A board tells of its own only now and then."""

    def __init__(self, on_progress: OnProgress) -> None:
        self._on_progress = on_progress
        self._running: tuple[str, int] | None = None

    def of(self, name: str, total: int) -> Callable[[int], None]:
        self.end()
        done = 0

        def on_bytes(count: int) -> None:
            nonlocal done
            done += count
            self._on_progress(name, min(done, total), total)

        self._on_progress(name, 0, total)
        self._running = (name, total)
        return on_bytes

    def end(self) -> None:
        """The step has come to its end."""
        if self._running is not None:
            name, total = self._running
            self._on_progress(name, total, total)
            self._running = None


def _active_slot(way: Way) -> str:
    """As code.py finds it."""
    name = SLOTS[1].encode()
    return SLOTS[1] if way.read(ACTIVE, ACTIVE_AT, len(name)) == name else SLOTS[0]


def _plan(way: Way, wanted: Mapping[str, Kept], target: str, running: str | None, step: _Steps) -> Plan:
    size = sum(each.size for each in wanted.values())
    found = way.compare(target, wanted, step.of("comparing", size))
    if running is None or not found.missing:
        return make_plan(wanted, found, set())
    # Only now, for it takes time: what need not come over the link.
    others = way.compare(running, wanted, step.of("comparing", size))
    return make_plan(wanted, found, wanted.keys() - others.missing.keys())


def _check_room(way: Way, plan: Plan, for_updates: int, report: Report) -> None:
    """for_updates: bytes that the second program will take, where this is the first."""
    first = {**first_files(), **root_files()}
    present = way.sizes([*first, *RUN_BEFORE_CODE_PY])
    needed = plan.needed + sum(sectors(content) * SECTOR for path, content in first.items() if path not in present)
    # They are kept beside it, and are somebody's own unless they are as long as ours.
    needed += sum(size for path, size in present.items() if path in root_files() and size != len(first[path]))
    free = way.free()
    if needed + RESERVE + for_updates > free >= needed + RESERVE:
        report.notes.append(
            f"{(free - needed) // 1024} KiB stay free, and an update needs {(for_updates + RESERVE) // 1024}: remove"
            " files of your own before the next"
        )
    if needed and needed + RESERVE > free:
        raise DriveFull(
            f"{way.name} has {free // 1024} KiB free and {-(-(needed + RESERVE) // 1024)} are needed, for the old"
            " program stays until the new one is there. Nothing was changed. Remove files of your own and deploy again;"
            " if there are none the drive is damaged, and --erase-drive makes it anew"
        )


def _make_first_files(way: Way, running: str, report: Report) -> None:
    first = first_files(running)
    present = way.sizes(list(first))
    report.kept_token = all(present.get(path) == len(first[path]) for path in first if path.startswith("vault-"))
    for path, content in first.items():
        # In place is how the device writes them: with another size they are of no use to it.
        if present.get(path) != len(content):
            way.write(path, content, lambda _: None)


def _fill(way: Way, target: str, plan: Plan, program: Mapping[str, bytes], report: Report, step: _Steps) -> None:
    way.remove(f"{target}/{manifest.NAME}")
    for path in plan.remove:
        way.remove(f"{target}/{path}")
    way.prune(target)
    if plan.copy:
        running = next(slot for slot in SLOTS if slot != target)
        on_copied = step.of("copying on the board", sum(len(program[path]) for path in plan.copy))
        way.copy_all(running, target, plan.copy, on_copied)
    _send(way, target, plan.send, program, report, step)
    report.copied, report.removed = len(plan.copy), len(plan.remove)
    way.settle()


def _send(
    way: Way, target: str, paths: tuple[str, ...], program: Mapping[str, bytes], report: Report, step: _Steps
) -> None:
    if not paths:
        return
    on_sent = step.of("sending", sum(len(program[path]) for path in paths))
    for path in paths:
        way.write(f"{target}/{path}", program[path], on_sent)
        report.sent.append(path)
        report.sent_bytes += len(program[path])


def _mend(
    way: Way, target: str, program: Mapping[str, bytes], wanted: Mapping[str, Kept], report: Report, step: _Steps
) -> None:
    """Send once more what was read back otherwise."""
    size = sum(each.size for each in wanted.values())
    plan = make_plan(wanted, way.compare(target, wanted, step.of("reading back", size)), set())
    for path in plan.remove:
        way.remove(f"{target}/{path}")
    _send(way, target, plan.send, program, report, step)
    way.settle()
    if way.digest(target, step.of("reading back", size)) != manifest.digest(wanted):
        wrong = ", ".join((*plan.send, *plan.remove)[:3])
        raise NotVerified(
            f"{way.name} reads back something else than was written ({wrong}); the program before still runs. Check the"
            " cable, and the drive if it happens again: `import storage; storage.erase_filesystem()` in the REPL makes"
            " it anew, and costs all that is on it"
        )
