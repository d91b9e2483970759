"""The power goes at every step of flash there is: the old token or the new, never neither."""

from __future__ import annotations

import pytest

from tests.unit.flash import HOWS, PowerCut
from tests.unit.media import Board, all_cuts

OLD = "v1.old-token-" + "o" * 300
NEW = "v1.new-token-" + "n" * 300


@pytest.mark.parametrize("base", [0, 1536])
@pytest.mark.parametrize("generations", [1, 2, 5])
def test_a_cut_at_any_step_leaves_the_old_token_or_the_new(base, generations):
    def prepared():
        board = Board(base=base)
        for n in range(generations - 1):
            board.vault().store(f"token {n}")
        board.vault().store(OLD)
        return board

    seen = set()
    for board, where in all_cuts(prepared, lambda v: v.store(NEW)):
        found = board.vault().load()
        assert found in (OLD, NEW), where
        assert board.drive.outside() == board.drive.neighbours, where
        seen.add(found)
        assert board.vault().store(NEW) == ("file", "nvm"), where
        assert board.vault().load() == NEW, where
    assert seen == {OLD, NEW}


def test_two_cuts_in_a_row_leave_the_old_token_or_the_new():
    # Over and above, the campaign does this from thousands of states (tests/campaigns/vault.py).
    def prepared():
        board = Board()
        board.vault().store(OLD)
        return board

    pairs = 0
    for board, first in all_cuts(prepared, lambda v: v.store(NEW)):
        left = board.snapshot()
        at, how = 1, HOWS[0]
        while board.cut(at, how, lambda v: v.store(NEW)):
            assert board.vault().load() in (OLD, NEW), f"{first}, then {how} operation {at}"
            board.go_back(left)
            at, how = at + (how == HOWS[-1]), HOWS[(HOWS.index(how) + 1) % len(HOWS)]
            pairs += 1
    assert pairs > 100


def test_without_nvm_the_two_slots_alone_survive_any_cut():
    def prepared():
        board = Board(nvm=False)
        board.vault().store(OLD)
        return board

    for board, where in all_cuts(prepared, lambda v: v.store(NEW)):
        assert board.vault().load() in (OLD, NEW), where
        # Where the cut took a directory the other slot is all there is, and yet the old token is of no use any more.
        assert board.vault().store(NEW) == ("file",), where
        assert board.vault().load() == NEW


@pytest.mark.parametrize("behind", ["none", "file", "nvm"])
def test_a_cut_while_clearing_never_brings_back_an_older_token(behind):
    def prepared():
        board = Board()
        board.vault().store("older")
        board.vault().store(OLD)
        if behind == "file":
            board.drive.read_only = True
            board.vault().store(NEW)
            board.drive.read_only = False
        if behind == "nvm":
            board.power.restore(2, "before")
            with pytest.raises(PowerCut):
                board.vault().store(NEW)
            board.power.restore()
        assert board.vault().load() == (OLD if behind == "none" else NEW)
        return board

    newest = OLD if behind == "none" else NEW
    for board, where in all_cuts(prepared, lambda v: v.clear()):
        found = board.vault().load()
        assert found in (newest, None), where
        assert board.vault().clear() == ()
        assert board.vault().load() is None
