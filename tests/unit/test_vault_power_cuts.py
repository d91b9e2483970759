"""The power goes at every step of flash there is: the old token or the new, never neither."""

from __future__ import annotations

import pytest

from tests.unit.flash import HOWS, Board, PowerCut, all_cuts

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
    def prepared():
        board = Board()
        board.vault().store(OLD)
        return board

    def first_cuts():
        return all_cuts(prepared, lambda v: v.store(NEW))

    pairs = 0
    for n in range(len(list(first_cuts()))):
        at, how = n // 3 + 1, HOWS[n % 3]

        def cut_once(at=at, how=how):
            board = prepared()
            assert board.cut(at, how, lambda v: v.store(NEW))
            return board

        second = 1
        while (board := cut_once()).cut(second, how, lambda v: v.store(NEW)):
            assert board.vault().load() in (OLD, NEW), f"{how} {at}, then {second}"
            second += 1
            pairs += 1
    assert pairs > 20


def test_without_nvm_the_two_slots_alone_survive_any_cut():
    def prepared():
        board = Board(nvm=False)
        board.vault().store(OLD)
        return board

    for board, where in all_cuts(prepared, lambda v: v.store(NEW)):
        assert board.vault().load() in (OLD, NEW), where
        assert board.vault().store(NEW) == ("file",)


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
            board.power.step, board.power.cut_at, board.power.how = 0, 3, "before"
            with pytest.raises(PowerCut):
                board.vault().store(NEW)
            board.power.cut_at = None
        assert board.vault().load() == (OLD if behind == "none" else NEW)
        return board

    newest = OLD if behind == "none" else NEW
    for board, where in all_cuts(prepared, lambda v: v.clear()):
        found = board.vault().load()
        assert found in (newest, None), where
        assert board.vault().clear() == ()
        assert board.vault().load() is None
