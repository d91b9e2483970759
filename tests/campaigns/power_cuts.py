"""The whole board against every loss of power: each hardware call and each flash operation of a wake, cut in each way.

A story is prepared once. For each cut the board, the authority and the clock go back to that moment, the wake runs
until its power fails, and two seconds later the board boots, with somebody at home who answers a code. Then it must
show today's quote; `judge` has what else must hold. docs/power-cuts.md tells it whole, and what came of it.

    python -m tests.campaigns.power_cuts                       all stories, every cut, on two cores
    python -m tests.campaigns.power_cuts --story mfa --every 20 --read-only --broken nvm-alone --json
    python -m tests.campaigns.power_cuts --replay rotate/flash:3:torn/1
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path

if __name__ == "__main__":
    sys.path.append(str(Path(__file__).resolve().parents[2] / "firmware"))

from host_tools.virtual_board.power import WAYS, Cut
from tests.campaigns import broken_boards
from tests.campaigns.cut_bench import OUTCOMES, STORIES, bench

CORES = 2
# Of a story, each with a bench of its own.
SHARES = 4
READ_ONLY = "read-only"


@dataclass
class Figures:
    """What a run came to.

    calls, flash: of the uncut wake; where shares differ the fewest calls, for a reply comes in one piece or in two.
    kinds: its distinct operations; sites: its distinct calls, told apart by their first argument too where that is text
    (a path, a pin). gap: see `calls_to_first_write`. outcomes: how many cuts ended how, by OUTCOMES. slots_lost: after
    how many of them one of the two files of the token, or of the quote, was gone from its folder for good. failures:
    tokens and what was wrong. processor_s: processor time of the bench.
    """

    story: str
    calls: int = 0
    sites: int = 0
    kinds: int = 0
    gap: list[str] = field(default_factory=list)
    flash: list[str] = field(default_factory=list)
    cuts: int = 0
    outcomes: dict[str, int] = field(default_factory=lambda: dict.fromkeys(OUTCOMES, 0))
    slots_lost: int = 0
    failures: list[str] = field(default_factory=list)
    processor_s: float = 0.0

    def __iadd__(self, other: Figures) -> Figures:
        self.calls = min(self.calls, other.calls)
        self.cuts += other.cuts
        self.outcomes = {name: count + other.outcomes[name] for name, count in self.outcomes.items()}
        self.slots_lost += other.slots_lost
        self.failures += other.failures
        self.processor_s += other.processor_s
        return self


def cuts(calls: int, flash: int, every: int = 1) -> list[Cut]:
    """Every flash operation in each way, and every `every`-th call in each way."""
    return [Cut("flash", at, how) for at in range(1, flash + 1) for how in WAYS["flash"]] + [
        Cut("call", at, how) for at in range(1, calls + 1, every) for how in WAYS["call"]
    ]


def calls_to_first_write(calls: Sequence[str]) -> Sequence[str]:
    """What a wake does between the last byte of the reply that brings a refresh token and the write of the first copy.

    A cut there loses a token that had arrived. The vault's is the last assignment to nvm, and the write before it.
    """
    last = len(calls) - 1 - calls[::-1].index("nvm.write")
    first = max((at for at in range(last) if calls[at] == "fs.write"), default=last)
    return calls[max(at for at in range(first) if calls[at] == "net.recv") + 1 : first]


def part(
    story: str,
    seed: int = 1,
    every: int = 1,
    broken: str = "",
    read_only: bool = False,
    share: int = 0,
    shares: int = 1,
) -> Figures:
    """Every `shares`-th of the cuts, from the `share`-th on."""
    began = _processor_s()
    with bench(story, seed, broken, read_only) as made:
        figures = Figures(story, made.calls, len(set(made.uncut.supply.calls)))
        figures.kinds = len({name for name, _ in made.uncut.supply.calls})
        figures.gap = list(calls_to_first_write([name for name, _ in made.uncut.supply.calls]))
        figures.flash = [f"{medium} {at:#x}" for medium, at in made.flash]
        for cut in cuts(made.calls, len(made.flash), every)[share::shares]:
            outcome, wrong = made.run(cut)
            figures.cuts += 1
            figures.slots_lost += len(made.slots_lost()) > 0
            figures.outcomes[outcome] += 1
            if wrong:
                options = "".join(f"/{each}" for each in (broken, READ_ONLY if read_only else "") if each)
                figures.failures.append(f"{story}/{cut}/{seed}{options}: {wrong}")
    figures.processor_s = _processor_s() - began
    return figures


def _processor_s() -> float:
    """Seconds of processor time, this process and its children."""
    used = os.times()
    return used.user + used.system + used.children_user + used.children_system


def campaign(
    stories: Sequence[str] = tuple(STORIES),
    every: int = 1,
    seed: int = 1,
    broken: str = "",
    read_only: bool = False,
    shares: int = SHARES,
    on_share: Callable[[Figures], None] | None = None,
) -> list[Figures]:
    """Each story's figures, worked out on two cores. on_share is called with those of each share as it is done."""
    work = [(story, share) for story in stories for share in range(shares)]
    found: dict[str, Figures] = {}
    with ProcessPoolExecutor(CORES, multiprocessing.get_context("spawn")) as cores:
        for figures in cores.map(partial(_part, seed, every, broken, read_only, shares), work):
            if on_share is not None:
                on_share(figures)
            if figures.story in found:
                found[figures.story] += figures
            else:
                found[figures.story] = figures
    return list(found.values())


def _part(seed: int, every: int, broken: str, read_only: bool, shares: int, work: tuple[str, int]) -> Figures:
    return part(work[0], seed, every, broken, read_only, work[1], shares)


def replay(token: str) -> tuple[str, str]:
    """The one run a token names, STORY/CUT/SEED and what else there was: (one of OUTCOMES, what was wrong)."""
    story, cut, seed, *options = token.split("/")
    broken = next((each for each in options if each != READ_ONLY), "")
    with bench(story, int(seed), broken, READ_ONLY in options) as made:
        return made.run(Cut.parse(cut))


def told(figures: Figures) -> str:
    """A few lines for people."""
    outcomes = ", ".join(f"{count} {name}" for name, count in figures.outcomes.items() if count or name != "lost")
    return "\n    ".join(
        [
            f"{figures.story}: {figures.calls} calls of {figures.kinds} kinds at {figures.sites} sites, "
            f"{len(figures.flash)} flash operations; {figures.cuts} cuts: {outcomes}",
            *figures.failures,
        ]
    )


def main() -> int:
    parser = argparse.ArgumentParser(description="The whole board against every loss of power")
    parser.add_argument("--story", action="append", choices=list(STORIES), help="only this one; may come again")
    parser.add_argument("--every", type=int, default=1, help="cut only every so-manieth call")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--broken", default="", choices=["", *broken_boards.KINDS], help="with a vault that is broken")
    parser.add_argument("--read-only", action="store_true", help="a computer holds the drive")
    parser.add_argument("--json", action="store_true", help="one line of JSON")
    parser.add_argument("--replay", metavar="TOKEN", help="the run a failure printed")
    options = parser.parse_args()
    if options.replay:
        outcome, wrong = replay(options.replay)
        print(outcome, wrong)
        return outcome == "failed"
    began = time.perf_counter()

    def tell(share: Figures) -> None:
        done = f"{share.story}: {share.cuts} cuts, {share.outcomes['failed']} failed"
        print(
            f"{time.perf_counter() - began:5.0f} s  {done}", *share.failures, sep="\n    ", file=sys.stderr, flush=True
        )

    stories = options.story or tuple(STORIES)
    done = campaign(stories, options.every, options.seed, options.broken, options.read_only, on_share=tell)
    if options.json:
        print(json.dumps([asdict(each) for each in done]))
    else:
        print(*(told(each) for each in done), f"{time.perf_counter() - began:.0f} s", sep="\n")
    return any(each.outcomes["failed"] for each in done)


if __name__ == "__main__":
    sys.exit(main())
