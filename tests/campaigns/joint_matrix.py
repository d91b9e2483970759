"""Two things go wrong at once: the device's power and the server's reply, by the server's grace and its next answer.

A cell is: cut (a flash operation, and how), lost (the reply to a refresh: before it was processed, or after), grace
(seconds in which the token before the newest is still taken), answer (what the request after that one meets: tokens,
mfa_required, or 429), and which of the two comes first. Whatever it is, the display must end with a token that works,
having asked a person once at most since its power came back; and not at all where `may_ask` says so.

    python -m tests.campaigns.joint_matrix                                     all cells, on two cores
    python -m tests.campaigns.joint_matrix --replay cut-first/flash:3:torn/after/10/429
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from itertools import product
from pathlib import Path

if __name__ == "__main__":
    sys.path.append(str(Path(__file__).resolve().parents[2] / "firmware"))

from host_tools.authority import LoseReply, RateLimit, start_authority
from host_tools.authority.listening import NO_ANSWER
from host_tools.clock import NS, VirtualClock
from host_tools.virtual_board.power import Cut
from host_tools.virtual_board.wake import DEEP_SLEEP, POWER_LOST
from tests.campaigns.cut_bench import Bench
from tests.campaigns.power_cuts import CORES, cuts
from tests.home import MONDAY_MORNING_NS
from tests.stories import ACCESS_TOKEN_S

CUT_FIRST, REPLY_FIRST = "cut-first", "reply-first"
LOST = ("none", "before", "after")
GRACES_S = (0, 10, 60)
ANSWERS = ("token", "mfa_required", "429")
NEVER = "never"
# From power to the first request, the network being slow: what a token must be good for still.
BOOT_TAKES_NS = 10 * NS
# A rate limit's Retry-After, and a wake for what follows it.
MOST_WAKES = 3


@dataclass(frozen=True)
class Cell:
    """first: CUT_FIRST (a rotation is cut, and the server fails after the reboot) or REPLY_FIRST (in one wake)."""

    first: str
    cut: Cut | None
    lost: str
    grace_s: int
    answer: str

    def __str__(self) -> str:
        return f"{self.first}/{self.cut or NEVER}/{self.lost}/{self.grace_s}/{self.answer}"

    @classmethod
    def parse(cls, text: str) -> Cell:
        first, cut, lost, grace, answer = text.split("/")
        return cls(first, None if cut == NEVER else Cut.parse(cut), lost, int(grace), answer)


# By itself: no person was needed since the power came back. Asked: one was, once, and that could not be helped.
OUTCOMES = ("by itself", "asked", "failed")


@dataclass
class Figures:
    """How many cells ended how; failures: tokens and what was wrong."""

    outcomes: dict[str, int] = field(default_factory=lambda: dict.fromkeys(OUTCOMES, 0))
    failures: list[str] = field(default_factory=list)


class Matrix:
    """One bench for all cells."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.control = bench.authority.control
        self._mfa_follows = False

    def on_request(self, method: str, path: str, status: int) -> None:
        """The reply is lost; whoever asks again meets the rule."""
        if self._mfa_follows and status == NO_ANSWER:
            self.control.set_mfa("rule")

    def run(self, cell: Cell) -> tuple[str, str]:
        """(an outcome of Figures, what was wrong or "")."""
        bench = self.bench
        with bench.codes():
            self._begin(cell)
            to_come = cell.first == CUT_FIRST or cell.cut is None
            asked, may_ask = bench.asked(), self.may_ask(cell, to_come)
            ending = self._wakes_until_cut(cell.cut)
            if ending != (POWER_LOST if cell.cut else DEEP_SLEEP):
                return "failed", f"the wake to be cut ended in {ending}"
            if cell.cut:
                bench.let_power_return()
                if cell.first == CUT_FIRST:
                    self._break_server(cell)
                asked, may_ask = bench.asked(), self.may_ask(cell, to_come)
                wake = bench.wake()
                if wake.failure() is not None:
                    return "failed", str(wake.failure())
            wrong = self._recover()
            asked = bench.asked() - asked
        if not wrong and bench.damaged():
            wrong = f"damaged on the drive: {', '.join(bench.damaged())}"
        if not wrong and asked > 1:
            wrong = f"asked a person {asked} times"
        if not wrong and asked and not may_ask:
            wrong = "asked a person, and no perfect device would"
        return ("failed", wrong) if wrong else ("asked" if asked else "by itself", "")

    def operations(self, cell: Cell) -> int:
        """How many flash operations the cell has where nothing is cut."""
        bench = self.bench
        with bench.codes():
            self._begin(cell)
            count = 0
            for _ in range(MOST_WAKES):
                count += len(bench.wake().supply.flash)
                if bench.home.reason() == "daily":
                    break
                bench.board.sleep()
        return count

    def may_ask(self, cell: Cell, to_come: bool) -> bool:
        """Whether any device might have to ask a person from now on. to_come: the server has yet to fail.

        None needs to that has, in flash, the newest token, or the one before and time enough to present it: unless MFA
        is asked of everything, or the server is still to lose the reply to a rotation and its grace does not reach to
        the repetition. That comes at once, but after 429 when the server says.
        """
        if cell.answer == "mfa_required":
            return True
        now = self.bench.clock.now_ns()
        best = ""
        for token in self.bench.held | self.bench.tokens_in_flash():
            found = self.control.examine(token)
            if found is None:
                continue
            ends = found.family.rotated_at + cell.grace_s * NS
            if found.standing == "newest":
                best = "newest"
            elif found.standing == "within leeway" and now + BOOT_TAKES_NS < ends and not best:
                best = "within leeway"
        if not best:
            return True
        if to_come and cell.answer == "429" and (best == "within leeway" or cell.lost == "after"):
            return True
        return to_come and cell.lost == "after" and cell.grace_s == 0

    def _begin(self, cell: Cell) -> None:
        self.bench.begin()
        self._mfa_follows = False
        self.control.set_refresh_leeway(self.bench.authority.tenant.client_id, cell.grace_s)
        if cell.first == REPLY_FIRST:
            self._break_server(cell)

    def _break_server(self, cell: Cell) -> None:
        if cell.lost != "none":
            self.control.set_fault(LoseReply("token", cell.lost, times=1))  # type: ignore[arg-type]
        if cell.answer == "429":
            self.control.set_fault(RateLimit("token", times=1))
        if cell.answer == "mfa_required":
            self._mfa_follows = cell.lost != "none"
            if not self._mfa_follows:
                self.control.set_mfa("rule")

    def _wakes_until_cut(self, cut: Cut | None) -> str:
        """Wake by wake until `cut`, which counts over all of them, or the quote; the last wake's ending."""
        done = 0
        for _ in range(MOST_WAKES):
            if cut is not None:
                self.bench.board.cut_power(Cut(cut.of, cut.at - done, cut.how))
            wake = self.bench.wake()
            done += len(wake.supply.flash)
            if wake.ending != DEEP_SLEEP or self.bench.home.reason() == "daily":
                break
            self.bench.board.sleep()
        return wake.ending

    def _recover(self) -> str:
        """The faults stop: today's quote within two wakes, and a token that works. What is wrong, or ""."""
        bench = self.bench
        self._mfa_follows = False
        self.control.lift_faults()
        self.control.set_mfa("never")
        for _ in range(2):
            bench.board.sleep()
            wake = self.bench.wake()
            if wake.failure() is not None:
                return str(wake.failure())
            if bench.home.reason() == "daily":
                break
        else:
            return f"no quote within two wakes: {bench.home.reason()}, {bench.home.onlooker.obstacle()}"
        token = bench.home.token()
        standing = self.control.examine(token) if token else None
        if standing is None or standing.standing != "newest":
            return f"its token is {standing and standing.standing}"
        return ""


@contextmanager
def matrix(seed: int = 1) -> Iterator[Matrix]:
    clock = VirtualClock(MONDAY_MORNING_NS)
    made: list[Matrix] = []

    def on_request(method: str, path: str, status: int) -> None:
        for each in made:
            each.on_request(method, path, status)

    with start_authority(clock, access_token_ttl=ACCESS_TOKEN_S, on_request=on_request) as authority:
        made.append(Matrix(Bench("rotate", authority, clock, seed)))
        yield made[0]


def cells(made: Matrix) -> Iterator[Cell]:
    """All of them. What is cut where the reply comes first is what such a wake has to cut."""
    for first, lost, grace_s, answer in product((CUT_FIRST, REPLY_FIRST), LOST, GRACES_S, ANSWERS):
        uncut = Cell(first, None, lost, grace_s, answer)
        if first == REPLY_FIRST:
            yield uncut
        for cut in cuts(0, made.operations(uncut)):
            yield Cell(first, cut, lost, grace_s, answer)


def part(share: int, shares: int, every: int = 1) -> Figures:
    """Every `shares`-th of every `every`-th cell, from the `share`-th on."""
    figures = Figures()
    with matrix() as made:
        for cell in list(cells(made))[share * every :: shares * every]:
            outcome, wrong = made.run(cell)
            figures.outcomes[outcome] += 1
            if wrong:
                figures.failures.append(f"{cell}: {wrong}")
    return figures


def _part(work: tuple[int, int, int]) -> Figures:
    return part(*work)


def campaign(every: int = 1) -> Figures:
    """The matrix, worked out on two cores."""
    whole = Figures()
    with ProcessPoolExecutor(CORES, multiprocessing.get_context("spawn")) as cores:
        for figures in cores.map(_part, [(share, CORES, every) for share in range(CORES)]):
            whole.outcomes = {name: count + figures.outcomes[name] for name, count in whole.outcomes.items()}
            whole.failures += figures.failures
    return whole


def replay(token: str) -> tuple[str, str]:
    """The one run that `token`, a cell as it prints, names."""
    with matrix() as made:
        return made.run(Cell.parse(token))


def main() -> int:
    parser = argparse.ArgumentParser(description="The device's power and the server's reply, lost together")
    parser.add_argument("--every", type=int, default=1, help="only every so-manieth cell")
    parser.add_argument("--json", action="store_true", help="one line of JSON")
    parser.add_argument("--replay", metavar="TOKEN", help="the run a failure printed")
    options = parser.parse_args()
    if options.replay:
        outcome, wrong = replay(options.replay)
        print(outcome, wrong)
        return outcome == "failed"
    began = time.perf_counter()
    done = campaign(options.every)
    if options.json:
        print(json.dumps(asdict(done)))
    else:
        print(", ".join(f"{count} {outcome}" for outcome, count in done.outcomes.items()))
        print(*(f"    {failure}\n" for failure in done.failures), sep="", end="")
        print(f"{time.perf_counter() - began:.0f} s")
    return bool(done.failures)


if __name__ == "__main__":
    sys.exit(main())
