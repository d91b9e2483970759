"""How long a year of the display takes, and how much memory.

    python benchmarks/year.py [--days N] [--runtime cpython|micropython] [--json]

The target is a year in under a minute on two cores, and memory that does not grow with the days.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT)]

from host_tools.boards import load_board  # noqa: E402
from host_tools.rehearsal.days import live, read_plan  # noqa: E402
from host_tools.rehearsal.household import find_runtime  # noqa: E402

TARGET_S = 60
PAGE = resource.getpagesize()


def memory_mib() -> float:
    """Resident now, not at the most: growth must show."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * PAGE / 2**20


def main() -> int:
    parser = argparse.ArgumentParser(description="A year of the display, timed")
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--runtime", choices=("cpython", "micropython"), default="cpython")
    parser.add_argument("--json", action="store_true", help="one line of JSON")
    arguments = parser.parse_args()
    plan = read_plan(
        load_board("adafruit_magtag_2.9_grayscale"), find_runtime(arguments.runtime), arguments.days, "2027-01-01"
    )
    memory: dict[int, float] = {}

    def on_day(day: int) -> None:
        if day in (plan.days // 10, plan.days):
            memory[day] = memory_mib()

    began = time.perf_counter()
    figures = live(plan, on_day).figures()
    seconds = time.perf_counter() - began
    result = {
        "runtime": arguments.runtime,
        "days": figures["days"],
        "wakes": figures["wakes"],
        "seconds": round(seconds, 1),
        "ms_per_wake": round(1000 * seconds / figures["wakes"], 1),
        "mib_after_a_tenth": round(min(memory.values()), 1),
        "mib_at_the_end": round(memory[plan.days], 1),
        "target_s": TARGET_S,
    }
    if arguments.json:
        print(json.dumps(result))
    else:
        print(
            f"{result['days']} days, {result['wakes']} wakes in {seconds:.1f} s on {arguments.runtime}, "
            f"{result['ms_per_wake']} ms a wake (target: a year in {TARGET_S} s)"
        )
        print(
            f"memory {result['mib_after_a_tenth']} MiB after a tenth of it, {result['mib_at_the_end']} MiB at the end"
        )
    return 0 if figures["complete"] and seconds * 365 / plan.days <= TARGET_S else 1


if __name__ == "__main__":
    sys.exit(main())
