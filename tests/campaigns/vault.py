"""The vault against every loss of power: random histories on flash full of noise, each operation cut in each way.

A history is a seed's: tokens of 1 to 4096 characters stored, cleared, stored for another account, with a computer
holding the drive for a while. Before each call the board is copied; then the call runs once to its end, and once for
each of its flash operations and each way to cut it, those on the directory's sector included. After a cut the board
boots and must hold what it held before the call or what it was to hold after it; the same call must then succeed. Pairs
of cuts are two of those in a row.

    python -m tests.campaigns.vault                       run it whole, with figures
    python -m tests.campaigns.vault --replay TOKEN        one failure again, by the token it printed
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

if __name__ == "__main__":
    sys.path.append(str(Path(__file__).resolve().parents[2] / "firmware"))

from stoa import vault
from tests.campaigns.vault_history import OWNERS, Call, Held, Kind, history, noisy_board
from tests.unit.flash import HOWS, PowerCut
from tests.unit.media import Board

# An operation of a call, from 1, and how it is cut.
Cut = tuple[int, str]
# In a token, for the number of a call.
ADDS_UP = "on-and-on"
# A board and what it holds, to go back to.
Moment = tuple[tuple, Held]


class VaultLost(AssertionError):
    """The vault holds neither what it held nor what it was to hold. The text has the token that replays it."""


@dataclass
class Figures:
    operations: int = 0
    cuts: int = 0
    pairs: int = 0
    # Cuts while a computer held the drive that left neither: one medium, which no order of writing can save.
    lost_read_only: int = 0
    # Times that cuts had taken the directories of both folders: nvm is alone until the next deploy.
    both_folders_gone: int = 0
    calls: Counter[str] = field(default_factory=Counter)


def held(board: Board, kind: Kind) -> Held:
    """What is there, without a boot's healing."""
    for owner in OWNERS:
        token = board.vault(owner, kind).load()
        if token is not None:
            return owner, token
    return None


class Run:
    """One seed's history; `board` and `holds` are as of the calls made so far."""

    def __init__(self, seed: int, kind: Kind = vault.Vault, adds_up: bool = False) -> None:
        self.seed = seed
        self.adds_up = adds_up
        self.kind = kind
        self.board = noisy_board(seed)
        self.calls = history(seed)
        self.number = 0
        self.holds: Held = None
        self.figures = Figures()

    def next_call(self) -> Call:
        self.number += 1
        return next(self.calls)

    def moment(self) -> Moment:
        return self.board.snapshot(), self.holds

    def go_back(self, moment: Moment) -> None:
        snapshot, self.holds = moment
        self.board.go_back(snapshot)

    def uncut(self, call: Call, cuts: tuple[Cut, ...] = ()) -> int:
        """The call to its end, after `cuts` of earlier ones; how many flash operations it took."""
        self.board.power.restore()
        call(self.board, self.kind)
        operations = self.board.power.operation
        after = call.leaves(self.holds)
        found = held(self.board, self.kind)
        if found != after:
            raise VaultLost(f"{self.token(cuts)}: uncut, {call.name} left {_short(found)}, not {_short(after)}")
        self._check_neighbours(call, cuts)
        self.holds = found
        return operations

    def cut(self, call: Call, cuts: tuple[Cut, ...]) -> bool:
        """The call with the power lost at the last of `cuts`, the others being past. False if it was over before."""
        self.board.power.restore(*cuts[-1])
        try:
            call(self.board, self.kind)
        except PowerCut:
            pass
        else:
            return False
        finally:
            self.board.power.restore()
        self._check_neighbours(call, cuts)
        after = call.leaves(self.holds)
        found = held(self.board, self.kind)
        if found not in (self.holds, after):
            if not self.board.drive.read_only:
                raise VaultLost(
                    f"{self.token(cuts)}: {call.name} left {_short(found)}, "
                    f"neither {_short(self.holds)} nor {_short(after)}"
                )
            self.figures.lost_read_only += 1
        self.holds = found
        return True

    def _check_neighbours(self, call: Call, cuts: tuple[Cut, ...]) -> None:
        if self.board.drive.outside() != self.board.drive.neighbours:
            raise VaultLost(f"{self.token(cuts)}: {call.name} wrote what is not the vault's")

    def token(self, cuts: tuple[Cut, ...]) -> str:
        """What `replay` takes: seed, number of the call, then the cuts of it and of the same after the boot.

        Where the damage adds up the seed says which cuts there are.
        """
        if self.adds_up:
            return f"{self.seed}:{ADDS_UP}:{self.number}"
        return ":".join([str(self.seed), str(self.number), *(f"{at}:{how}" for at, how in cuts)])


def cut_everything(seed: int, operations: int, kind: Kind = vault.Vault, every: int = 1) -> Figures:
    """A history of at least so many flash operations, each a cut point in each way; or each `every`-th of those."""
    run = Run(seed, kind)
    turn = seed
    while run.figures.operations < operations:
        call = run.next_call()
        before = run.moment()
        count = run.uncut(call)
        after = run.moment()
        run.figures.calls[call.name] += 1
        run.figures.operations += count
        for cut in _cuts(count):
            turn += 1
            if turn % every:
                continue
            run.go_back(before)
            assert run.cut(call, (cut,))
            run.figures.cuts += 1
            run.uncut(call.again(), (cut,))
        run.go_back(after)
    return run.figures


def cut_twice(seed: int, refreshes: int, kind: Kind = vault.Vault) -> Figures:
    """All pairs of cuts within one refresh: the store of the rotated token, and the same after the boot.

    The mark that a refresh is in flight is in sleep memory, and a loss of power takes that anyway. The refreshes are
    the first of the seed's history with the drive writable.
    """
    run = Run(seed, kind)
    done = 0
    while done < refreshes:
        call = run.next_call()
        before = run.moment()
        count = run.uncut(call)
        after = run.moment()
        run.figures.operations += count
        if call.name == "store" and not run.board.drive.read_only:
            done += 1
            for first in _cuts(count):
                run.go_back(before)
                assert run.cut(call, (first,))
                run.figures.pairs += _cut_after(run, call.again(), first)
        run.go_back(after)
    return run.figures


def _cut_after(run: Run, call: Call, first: Cut) -> int:
    """Each cut of `call`, as the board is after `first`; how many there are."""
    between = run.moment()
    count = run.uncut(call, (first,))
    for second in _cuts(count):
        run.go_back(between)
        assert run.cut(call, (first, second))
        run.uncut(call.again(), (first, second))
    return count * len(HOWS)


def cut_on_and_on(seed: int, cuts: int, kind: Kind = vault.Vault, calls: int | None = None) -> Figures:
    """The damage adds up: one history in which every other call is cut somewhere and not repeated.

    A folder whose directory was lost stays lost until a deploy. That comes when both are: by then nothing has been lost
    yet, but nvm is alone, as it is with a computer on the drive. Stops after that many cuts, or calls.
    """
    run = Run(seed, kind, adds_up=True)
    random = Random(f"cuts {seed}")
    while run.figures.cuts < cuts and run.number != calls:
        call = run.next_call()
        run.figures.calls[call.name] += 1
        # At a cut point that the call may not reach; then it was not cut.
        cut = random.randint(1, 6), random.choice(HOWS)
        if call.name.startswith("computer") or run.board.drive.read_only or random.random() < 0.5:
            run.figures.operations += run.uncut(call)
        elif run.cut(call, (cut,)):
            run.figures.cuts += 1
        else:
            run.holds = call.leaves(run.holds)
        if not any(folder.is_writable() for folder in run.board.drive.folders):
            run.figures.both_folders_gone += 1
            for folder in run.board.drive.folders:
                folder.deploy()
    return run.figures


def replay(token: str, kind: Kind = vault.Vault) -> None:
    """Make one run's calls up to the one of `token`, and cut that. Raises VaultLost as the campaign did."""
    seed, number, *rest = token.split(":")
    if number == ADDS_UP:
        calls = int(rest[0])
        cut_on_and_on(int(seed), calls, kind, calls)
        return
    run = Run(int(seed), kind)
    while run.number < int(number) - 1:
        run.uncut(run.next_call())
    call = run.next_call()
    cuts = tuple((int(at), how) for at, how in zip(rest[::2], rest[1::2], strict=True))
    for made in range(len(cuts)):
        run.cut(call, cuts[: made + 1])
        call = call.again()
    run.uncut(call, cuts)


def _cuts(operations: int) -> Iterator[Cut]:
    return ((at, how) for at in range(1, operations + 1) for how in HOWS)


def _short(held: Held) -> str:
    return "nothing" if held is None else f"{held[0].decode()}'s {held[1][:8]} ({len(held[1])} bytes)"


SEEDS = range(10)
OPERATIONS = 2000
# Refreshes of each seed of which all pairs are cut: enough for tokens of every size the history has.
REFRESHES = 40


def whole(seed: int) -> Figures:
    """One seed of the whole campaign; its figures added up."""
    total = cut_everything(seed, OPERATIONS)
    total.pairs = cut_twice(seed, REFRESHES).pairs
    on_and_on = cut_on_and_on(seed, 500)
    total.cuts += on_and_on.cuts
    total.both_folders_gone = on_and_on.both_folders_gone
    return total


def main() -> int:
    parser = argparse.ArgumentParser(description="The vault against every loss of power")
    parser.add_argument("--replay", metavar="TOKEN", help="one failure again")
    arguments = parser.parse_args()
    if arguments.replay:
        replay(arguments.replay)
        print("held")
        return 0
    for seed in SEEDS:
        began = time.perf_counter()
        print(seed, whole(seed), f"{time.perf_counter() - began:.1f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
