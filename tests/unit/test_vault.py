"""The token's home: what it keeps, where, and what it refuses."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stoa import slots, vault
from stoa.vault import MAGIC, NVM_SIZE, PATH, Vault
from tests.unit.flash import SECTOR, Board, Nvm

OLD = "v1.old-token-" + "o" * 300
NEW = "v1.new-token-" + "n" * 300


def test_sizes_are_pinned():
    # Another layout would orphan the tokens of every board in the field.
    assert (PATH, MAGIC, NVM_SIZE) == ("/vault/token.bin", b"StoT", 4116)
    assert len(vault.initial_file()) == 3 * SECTOR + 2 * 4608
    assert slots.pack(b"StoT", 7, b"abc").hex() == "53746f540100030007000000b19acb5a616263"


def test_empty_then_stored_then_loaded_by_another_boot():
    board = Board()
    fresh = board.vault()
    assert fresh.load() is None
    assert fresh.held_by == ()
    assert fresh.store(OLD) == ("file", "nvm")
    again = board.vault()
    assert again.load() == OLD
    assert again.held_by == ("file", "nvm")


def test_nothing_is_written_when_nothing_changes():
    board = Board()
    board.vault().store(OLD)
    writes = board.drive.writes, board.nvm.writes
    assert writes == (1, 1)
    assert board.vault().store(OLD) == ("file", "nvm")
    board.vault().load()
    assert (board.drive.writes, board.nvm.writes) == writes


@pytest.mark.parametrize("base", [0, 512, 1536, 3584])
def test_slots_share_no_sector_with_each_other_or_a_neighbour(base):
    board = Board(base=base)
    touched = []
    for token in (OLD * 13, NEW * 13):
        before = bytes(board.drive.flash)
        board.vault().store(token)
        touched.append({i // SECTOR for i in range(len(before)) if before[i] != board.drive.flash[i]})
    assert not touched[0] & touched[1]
    edges = {base // SECTOR, (base + board.drive.size - 1) // SECTOR} if base else set()
    assert not (touched[0] | touched[1]) & edges


def test_a_computer_holding_the_drive_leaves_nvm():
    board = Board(read_only=True)
    first = board.vault()
    assert first.store(OLD) == ("nvm",)
    assert board.vault().load() == OLD
    board.drive.read_only = False
    # The same token again: only the medium that lacks it is written.
    assert board.vault().store(OLD) == ("file", "nvm")
    assert board.nvm.writes == 1


def test_nvm_newer_than_a_read_only_file_wins_and_the_file_is_told_to_be_behind():
    board = Board()
    board.vault().store(OLD)
    board.drive.read_only = True
    assert board.vault().store(NEW) == ("nvm",)
    later = board.vault()
    assert later.load() == NEW
    assert later.held_by == ("nvm",)


@pytest.mark.parametrize("content", [b"", b"\xff" * 100, vault.initial_file()[:-1], vault.initial_file() + b"x"])
def test_a_file_of_another_size_is_not_written(content):
    board = Board(content=content)
    assert board.vault().store(OLD) == ("nvm",)
    assert board.drive.writes == 0
    assert board.vault().load() == OLD


def test_an_absent_file_and_a_small_nvm_hold_nothing():
    board = Board()
    nowhere = Vault(Nvm(board.power, size=100), board.drive.open, b"home", path="/gone.bin")
    assert nowhere.store(OLD) == ()
    assert nowhere.load() is None
    assert nowhere.clear() == ()


def test_the_longest_token_fits_and_a_longer_one_is_refused():
    board = Board()
    longest = "x" * 4096
    assert board.vault().store(longest) == ("file", "nvm")
    assert board.vault().load() == longest
    for wrong in ("x" * 4097, ""):
        with pytest.raises(ValueError, match="token of"):
            board.vault().store(wrong)
    assert board.vault().load() == longest


def test_the_sequence_number_goes_round():
    board = Board()
    start = 0xFFFFFFFE
    card = slots.SlotFile(board.drive.open, PATH, MAGIC, vault.CAPACITY)
    assert card.write(start, b"t0")
    for n in range(1, 5):
        board.vault().store(f"t{n}")
        assert board.vault().load() == f"t{n}"
    assert card.read()[0] == 2


def test_clear_wipes_every_byte_of_every_copy():
    board = Board()
    board.vault().store(OLD)
    board.vault().store(NEW)
    assert board.vault().clear() == ()
    assert board.vault().load() is None
    assert b"token-" not in board.drive.flash
    assert b"token-" not in board.nvm.data
    writes = board.drive.writes, board.nvm.writes
    assert board.vault().clear() == ()
    assert (board.drive.writes, board.nvm.writes) == writes


def test_clear_tells_what_it_could_not_wipe():
    board = Board()
    board.vault().store(OLD)
    board.drive.read_only = True
    assert board.vault().clear() == ("file",)
    assert board.vault().load() == OLD


def test_an_nvm_that_refuses_to_be_wiped_is_named():
    board = Board()
    board.nvm = Nvm(board.power, size=NVM_SIZE)
    assert board.vault().store(OLD) == ("file", "nvm")

    class Stuck(Nvm):
        def __setitem__(self, key, value):
            raise OSError(5, "Input/output error")

    board.nvm.__class__ = Stuck
    assert board.vault().clear() == ("nvm",)
    assert board.vault().load() == OLD


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**9), st.booleans())
def test_media_full_of_garbage_hold_nothing_and_take_a_token(seed, with_magic):
    random = Random(seed)
    board = Board(content=random.randbytes(len(vault.initial_file())))
    board.nvm.data[:] = random.randbytes(len(board.nvm))
    if with_magic:
        board.nvm.data[:6] = b"StoT\x01\x00"
        for slot in (0, 1):
            at = board.drive.base + SECTOR + slot * (4608 + SECTOR)
            board.drive.flash[at : at + 6] = b"StoT\x01\x00"
    assert board.vault().load() is None
    assert board.vault().store(NEW) == ("file", "nvm")
    assert board.vault().load() == NEW


def test_a_medium_that_does_not_keep_what_is_written_is_not_counted_on():
    board = Board()
    board.drive.program = lambda at, data: None
    assert board.vault().store(OLD) == ("nvm",)
    broken = type("Broken", (Nvm,), {"__setitem__": lambda self, key, value: None})
    board = Board()
    board.nvm = broken(board.power)
    assert board.vault().store(OLD) == ("file",)


def test_a_token_is_for_the_account_it_was_issued_to():
    board = Board()
    board.vault().store(OLD)
    elsewhere = Vault(board.nvm, board.drive.open, b"work")
    assert elsewhere.load() is None
    assert board.vault().load() == OLD, "looking for another account's token costs nothing"
    elsewhere.store(NEW)
    assert board.vault().load() is None
    assert elsewhere.load() == NEW


def test_an_account_is_an_issuer_and_a_client():
    home = vault.owner("https://id.example/", "display")
    assert home == vault.owner("https://id.example", "display")
    assert len({home, vault.owner("https://id.example", "other"), vault.owner("https://id2.example", "display")}) == 3
    assert len(home) == vault.OWNER_SIZE


class BrokenNvm(Nvm):
    """As CircuitPython says it: shared-bindings/nvm/ByteArray.c."""

    def __init__(self, power, reading=False):
        super().__init__(power)
        self.reading = reading

    def __setitem__(self, index, value):
        raise RuntimeError("Unable to write to nvm.")

    def __getitem__(self, index):
        if self.reading:
            raise RuntimeError("nvm")
        return super().__getitem__(index)


@pytest.mark.parametrize("reading", [False, True])
def test_nvm_that_fails_leaves_the_file(reading):
    board = Board()
    board.nvm = BrokenNvm(board.power, reading)
    assert board.vault().store(OLD) == ("file",)
    assert board.vault().load() == OLD
