"""A deploy over a serial line of 115,200 baud, beside what `mpremote fs cp -r` takes for the same tree.

    python benchmarks/deploy.py [--baud N] [--json]

Both talk to the serial double of the tests, a real MicroPython VM behind a pseudo-terminal whose bytes are paced. For
mpremote it is a MicroPython, where its copying works; it skips files whose SHA-256 is the same. Flash takes no time
here, on either side: on a board each sector of 4 KB takes some 50 ms (estimate) to erase and program.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT)]
sys.path.append(str(ROOT / "firmware"))

from host_tools.bundle import build_program  # noqa: E402
from host_tools.virtual_board.flash import Flash  # noqa: E402
from tests.device.deploy_bench import BOARD, blank, put  # noqa: E402
from tests.device.serial_board import SerialBoard  # noqa: E402

# Job -> how many times quicker than mpremote it is to be, at least.
TARGETS = {"first": 1, "unchanged": 20, "one file": 5}


def ours(flash: Flash, program: Mapping[str, bytes], baud: int) -> dict[str, Any]:
    began = time.perf_counter()
    _, board = put(flash, program, baud=baud)
    return _figures(began, board)


def mpremote(flash: Flash, folder: Path, baud: int) -> dict[str, Any]:
    began = time.perf_counter()
    with SerialBoard(flash, baud=baud, micropython=True, heap="1M") as board:
        # `resume`: not after a soft reset, which would run the program.
        command = [
            sys.executable,
            "-m",
            "mpremote",
            "connect",
            board.port,
            "resume",
            "fs",
            "cp",
            "-r",
            f"{folder}/",
            ":",
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=1200)
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
    """Job -> figures of ours and of mpremote, and their ratio."""
    program = build_program(BOARD)
    changed = {**program, "stoa/log.py": program["stoa/log.py"] + b"# more\n"}
    jobs = {"first": program, "unchanged": program, "one file": changed}
    result = {}
    our_flash, their_flash = blank(), blank()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch, "program")
        for job, files in jobs.items():
            for path, content in files.items():
                target = folder / path
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(content)
            figures = {"stoa": ours(our_flash, files, baud), "mpremote": mpremote(their_flash, folder, baud)}
            result[job] = {
                **figures,
                "times_quicker": round(figures["mpremote"]["seconds"] / figures["stoa"]["seconds"], 1),
            }
    return result


def main() -> int:
    parser = argparse.ArgumentParser(description="A deploy by serial beside mpremote's")
    parser.add_argument("--baud", type=int, default=115_200)
    parser.add_argument("--json", action="store_true", help="one line of JSON")
    arguments = parser.parse_args()
    result = measure(arguments.baud)
    if arguments.json:
        print(json.dumps(result))
        return 0
    print(f"{'':10}{'':9}{'seconds':>8}{'to board':>10}{'from it':>9}{'erases':>8}")
    for job, figures in result.items():
        for who in ("stoa", "mpremote"):
            each = figures[who]
            print(
                f"{job if who == 'stoa' else '':10}{who:9}{each['seconds']:8.1f}{each['bytes_to_board']:10,}"
                f"{each['bytes_from_board']:9,}{each['drive_erases']:8,}"
            )
        target = TARGETS[job]
        met = "met" if figures["times_quicker"] >= target else "MISSED"
        print(f"{'':10}{figures['times_quicker']} times as quick; target {target}: {met}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
