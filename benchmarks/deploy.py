"""`stoa deploy` over a serial line of 115,200 baud, beside what `mpremote fs cp -r` takes for the same tree.

    python benchmarks/deploy.py [--baud N] [--json]

Both are commands, from start to end, and talk to the serial double of the tests, a real MicroPython VM behind
a pseudo-terminal whose bytes are paced. For mpremote it is a MicroPython, where its copying works. It skips files whose
SHA-256 is the same, since 1.24; with -f, or before, it copies them all. Flash takes no time here, on either side: on a
board each sector of 4 KB takes some 50 ms (estimate) to erase and program.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT)]
sys.path.append(str(ROOT / "firmware"))

from host_tools.bundle import build_program  # noqa: E402
from host_tools.virtual_board.flash import Flash  # noqa: E402
from tests.device.deploy_bench import BOARD, blank  # noqa: E402
from tests.device.serial_board import SerialBoard  # noqa: E402

# Job -> how many times quicker than mpremote it is to be, at least.
TARGETS = {"first": 1, "unchanged": 20, "one file": 5, "another": 5}
RIVALS = {"mpremote": (), "mpremote -f": ("-f",)}
# `stoa`, with what lies in a folder over the program as it is built.
STOA = """
import sys
from pathlib import Path
from host_tools.cli import main
from host_tools.device.deploying import programs
folder, build = Path(sys.argv.pop(1)), programs.build_program
programs.build_program = lambda board, mpy_cross: {
    path: (folder / path).read_bytes() for path in build(board, mpy_cross)
}
main(sys.argv[1:])
"""


def ours(flash: Flash, folder: Path, baud: int) -> dict[str, Any]:
    with SerialBoard(flash, baud=baud) as board:
        return _timed([sys.executable, "-c", STOA, str(folder), "deploy", board.port], board)


def mpremote(flash: Flash, folder: Path, baud: int, options: Sequence[str]) -> dict[str, Any]:
    with SerialBoard(flash, baud=baud, micropython=True, heap="1M") as board:
        # `resume`: not after a soft reset, which would run the program.
        command = [sys.executable, "-m", "mpremote", "connect", board.port, "resume", "fs", "cp", "-r", *options]
        return _timed([*command, f"{folder}/", ":"], board)


def _timed(command: Sequence[str], board: SerialBoard) -> dict[str, Any]:
    began = time.perf_counter()
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=1200)
    if done.returncode:
        raise RuntimeError(done.stdout + done.stderr)
    return _figures(began, board)


def _figures(began: float, board: SerialBoard) -> dict[str, Any]:
    return {
        "seconds": round(time.perf_counter() - began, 2),
        "bytes_to_board": board.received,
        "bytes_from_board": board.sent,
        "drive_erases": len(board.supply.flash),
    }


def measure(baud: int) -> dict[str, dict[str, Any]]:
    """Job -> figures of ours and of each of RIVALS, and how many times as long each of these took."""
    program = build_program(BOARD)
    changed = {**program, "stoa/log.py": program["stoa/log.py"] + b"# more\n"}
    # After the first update the other folder lacks little, and a board copies little.
    again = {**changed, "stoa/url.py": program["stoa/url.py"] + b"# more\n"}
    flashes = {name: blank() for name in ("stoa", *RIVALS)}
    result: dict[str, dict[str, Any]] = {}
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch, "program")
        for job, files in zip(TARGETS, (program, program, changed, again), strict=True):
            for path, content in files.items():
                target = folder / path
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(content)
            result[job] = {"stoa": ours(flashes["stoa"], folder, baud)}
            for name, options in RIVALS.items():
                figures = mpremote(flashes[name], folder, baud, options)
                figures["times_as_long"] = round(figures["seconds"] / result[job]["stoa"]["seconds"], 1)
                result[job][name] = figures
    return result


def _verdict(job: str, figures: Mapping[str, Any]) -> str:
    return f"target {TARGETS[job]} " + ("met" if figures["times_as_long"] >= TARGETS[job] else "MISSED")


def main() -> int:
    parser = argparse.ArgumentParser(description="A deploy by serial beside mpremote's")
    parser.add_argument("--baud", type=int, default=115_200)
    parser.add_argument("--json", action="store_true", help="one line of JSON")
    arguments = parser.parse_args()
    result = measure(arguments.baud)
    if arguments.json:
        print(json.dumps(result))
        return 0
    print(f"{'':10} {'':11} {'seconds':>8} {'to board':>9} {'from it':>8} {'erases':>7}")
    for job, figures in result.items():
        for who, each in figures.items():
            print(
                f"{job if who == 'stoa' else '':10} {who:11} {each['seconds']:8.1f} {each['bytes_to_board']:9,}"
                f" {each['bytes_from_board']:8,} {each['drive_erases']:7,}"
                + ("" if who == "stoa" else f"  {each['times_as_long']} times as long, {_verdict(job, each)}")
            )
    return 0


if __name__ == "__main__":
    sys.exit(main())
