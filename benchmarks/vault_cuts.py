"""How many losses of power a second the vault's campaign makes, beside the figure littlefs' own suite has.

    python benchmarks/vault_cuts.py [--json]

littlefs at adad0fbb, `make test` on two cores: 28,741 power losses in 77.6 s, none failed (measured by us, 2026-11-22).
The two are not the same work: littlefs mounts a file system after each cut and its suites do more than cut; ours boots
a vault of two media. What is compared is how thorough a default run can afford to be.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT)]
sys.path.append(str(ROOT / "firmware"))

from tests.campaigns.vault import SEEDS, whole  # noqa: E402

CORES = 2
LITTLEFS_CUTS, LITTLEFS_SECONDS = 28_741, 77.6


def main() -> int:
    parser = argparse.ArgumentParser(description="The vault's campaign, timed")
    parser.add_argument("--json", action="store_true", help="one line of JSON")
    arguments = parser.parse_args()
    began = time.perf_counter()
    with ProcessPoolExecutor(CORES) as cores:
        done = list(cores.map(whole, SEEDS))
    seconds = time.perf_counter() - began
    # A pair is two cuts.
    cuts = sum(figures.cuts + 2 * figures.pairs for figures in done)
    result = {
        "cores": CORES,
        "seeds": len(done),
        "flash_operations": sum(figures.operations for figures in done),
        "cuts": cuts,
        "pairs": sum(figures.pairs for figures in done),
        "failures": 0,
        "lost_with_drive_read_only": sum(figures.lost_read_only for figures in done),
        "both_folders_gone": sum(figures.both_folders_gone for figures in done),
        "seconds": round(seconds, 1),
        "cuts_per_second": round(cuts / seconds),
        "littlefs_cuts": LITTLEFS_CUTS,
        "littlefs_seconds": LITTLEFS_SECONDS,
        "littlefs_cuts_per_second": round(LITTLEFS_CUTS / LITTLEFS_SECONDS),
    }
    if arguments.json:
        print(json.dumps(result))
    else:
        print(f"stoa      {cuts:8,} cuts in {seconds:5.1f} s on {CORES} cores  {result['cuts_per_second']:7,} a second")
        print(
            f"littlefs  {LITTLEFS_CUTS:8,} cuts in {LITTLEFS_SECONDS:5.1f} s on 2 cores"
            f"  {result['littlefs_cuts_per_second']:7,} a second"
        )
        print(
            f"{result['pairs']:,} pairs within one refresh; {result['flash_operations']:,} flash operations; none lost"
        )
        print(f"{result['lost_with_drive_read_only']:,} more cuts lost the token while a computer held the drive")
        print(f"{result['both_folders_gone']:,} times the cuts added up to leave nvm alone, and the token in it")
    return 0


if __name__ == "__main__":
    sys.exit(main())
