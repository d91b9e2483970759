"""How many losses of power a second the whole board's campaign makes, and what it and the joint matrix come to.

    python benchmarks/power_cuts.py [--every N] [--json]

docs/power-cuts.md has the figures of a whole run. littlefs, beside it: 28,741 power losses in 77.6 s on two cores, each
a mount of a file system (benchmarks/vault_cuts.py). Here each is a boot of the firmware against a real authority.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from dataclasses import asdict
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT)]
sys.path.append(str(ROOT / "firmware"))

from tests.campaigns import joint_matrix, power_cuts  # noqa: E402


def main() -> int:
    parser = argparse.ArgumentParser(description="The power-cut campaign of the whole board, timed")
    parser.add_argument("--every", type=int, default=1, help="only every so-manieth call and cell")
    parser.add_argument("--json", action="store_true", help="one line of JSON")
    arguments = parser.parse_args()
    began = time.perf_counter()
    stories = power_cuts.campaign(every=arguments.every)
    stories_s = time.perf_counter() - began
    read_only = power_cuts.campaign(every=arguments.every, read_only=True)
    began = time.perf_counter()
    matrix = joint_matrix.campaign(every=arguments.every)
    matrix_s = time.perf_counter() - began
    cuts = sum(each.cuts for each in stories)
    result = {
        "cores": power_cuts.CORES,
        "cuts": cuts,
        "failed": sum(each.outcomes["failed"] for each in [*stories, *read_only]) + matrix.outcomes["failed"],
        "seconds": round(stories_s, 1),
        "cuts_per_second": round(cuts / stories_s, 1),
        "stories": [asdict(each) for each in stories],
        "drive_read_only": [asdict(each) for each in read_only],
        "matrix_seconds": round(matrix_s, 1),
        "matrix": asdict(matrix),
    }
    if arguments.json:
        print(json.dumps(result))
        return int(result["failed"] > 0)
    print(*(power_cuts.told(each) for each in stories), sep="\n")
    print(f"{cuts:,} cuts in {stories_s:.0f} s on {power_cuts.CORES} cores, {cuts / stories_s:.1f} a second")
    print("With the drive held by a computer:", *(power_cuts.told(each) for each in read_only), sep="\n")
    print(
        f"Joint matrix in {matrix_s:.0f} s: {', '.join(f'{count} {name}' for name, count in matrix.outcomes.items())}"
    )
    print(*matrix.failures, sep="\n")
    return int(result["failed"] > 0)


if __name__ == "__main__":
    sys.exit(main())
