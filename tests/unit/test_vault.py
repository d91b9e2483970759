"""The token's home: what it keeps, where, and what it refuses."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stoa import slots, vault
from stoa.vault import MAGIC, NVM_SIZE, PATHS, Vault
from tests.unit.drive import ENTRY_AT, READ_ONLY, Folder
from tests.unit.flash import SECTOR, Nvm
from tests.unit.media import Board

OLD = "v1.old-token-" + "o" * 300
NEW = "v1.new-token-" + "n" * 300


def test_sizes_are_pinned():
    # Another layout would orphan the tokens of every board in the field.
    assert (MAGIC, NVM_SIZE) == (b"StoT", 4116)
    assert PATHS == ("/vault-a/token.bin", "/vault-b/token.bin")
    assert vault.initial_file() == b"\xff" * (2 * SECTOR + 4608)
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
def test_a_slot_shares_no_sector_with_a_neighbour_and_two_tokens_share_no_file(base):
    board = Board(base=base)
    for token, folder in zip((OLD * 13, NEW * 13), board.drive.folders, strict=True):
        before, other = bytes(folder.flash), [bytes(f.flash) for f in board.drive.folders if f is not folder]
        board.vault().store(token)
        touched = {i // SECTOR for i in range(len(before)) if before[i] != folder.flash[i]}
        edges = {folder.base // SECTOR, (folder.base + folder.size - 1) // SECTOR} if folder.base else set()
        assert touched and not touched & edges
        assert other == [bytes(f.flash) for f in board.drive.folders if f is not folder]


def test_a_slot_that_is_gone_for_good_leaves_the_other_and_nvm():
    board = Board()
    board.vault().store(OLD)
    board.vault().store(NEW)
    lost, left = board.drive.folders
    lost.directory[:] = b"\xff" * SECTOR
    # The one that is left holds the newest, and so does nvm: it may be overwritten.
    assert board.vault().store(OLD) == ("file", "nvm")
    assert (lost.writes, left.writes) == (1, 2)
    board.nvm.data[:] = b"\xff" * len(board.nvm)
    assert board.vault().load() == OLD
    # Now it is all there is: nvm first, and nothing is risked.
    assert board.vault().store(NEW) == ("nvm",)
    assert left.writes == 2
    assert board.vault().store(NEW) == ("file", "nvm")


@pytest.mark.parametrize("folder", [0, 1])
def test_a_file_that_can_only_be_read_does_not_bring_its_token_back_after_a_clear(folder):
    # An erase cut short sets bits: here the attribute that makes a file read-only.
    board = Board()
    board.vault().store("older")
    board.vault().store(OLD)
    board.drive.folders[folder].directory[ENTRY_AT + 11] |= READ_ONLY
    assert board.vault().clear() == ("file",)
    assert board.vault().load() is None
    assert b"token-" not in board.nvm.data
    assert b"token-" not in board.drive.folders[1 - folder].flash


@pytest.mark.parametrize("bit", [bit for bit in range(16) if not Folder.CLUSTER >> bit & 1])
def test_an_entry_that_leads_elsewhere_is_not_written_through(bit):
    board = Board()
    board.vault().store(OLD)
    for folder in board.drive.folders:
        folder.directory[ENTRY_AT + 26 + bit // 8] |= 1 << bit % 8
    assert board.vault().store(NEW) == ("nvm",)
    assert board.vault().clear() == ()
    assert board.drive.outside() == board.drive.neighbours


@pytest.mark.parametrize("bit", range(14, 32))
def test_an_entry_that_says_more_than_the_file_has_adds_nothing_to_the_file(bit):
    board = Board()
    board.vault().store(OLD)
    for folder in board.drive.folders:
        folder.directory[ENTRY_AT + 28 + bit // 8] |= 1 << bit % 8
    assert board.vault().store(NEW) == ("nvm",)
    assert board.vault().load() == NEW
    assert board.vault().clear() == ("file",)
    assert board.vault().load() is None
    assert board.drive.outside() == board.drive.neighbours


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
    board.drive.paths = "/gone-a.bin", "/gone-b.bin"
    nowhere = Vault(Nvm(board.power, size=100), board.drive.open, b"home")
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
    card = slots.Slots(board.drive.open, PATHS, MAGIC, vault.CAPACITY)
    assert card.write(start, b"t0", None)
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
    assert b"token-" not in board.drive.content()
    assert b"token-" not in board.nvm.data
    writes = board.drive.writes, board.nvm.writes
    assert board.vault().clear() == ()
    assert (board.drive.writes, board.nvm.writes) == writes


def test_clear_tells_what_it_could_not_wipe():
    board = Board()
    board.vault().store(OLD)
    board.drive.read_only = True
    assert board.vault().clear() == ("file",)
    assert board.vault().load() is None
    assert b"token-" not in board.nvm.data


def test_what_a_computers_drive_keeps_of_a_cleared_token_does_not_come_back():
    board = Board()
    board.vault().store(OLD)
    board.drive.read_only = True
    board.vault().store(NEW)
    assert board.vault().clear() == ("file",)
    board.drive.read_only = False
    assert board.vault().load() is None, "least of all the one before the last"
    assert board.vault().store("newest") == ("file", "nvm")
    assert board.vault().load() == "newest"
    assert board.vault().clear() == ()


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
    board = Board()
    for folder in board.drive.folders:
        # The padding is the deploy's; nothing else is taken for granted.
        folder.flash[folder.base + SECTOR : folder.base + SECTOR + 4608] = random.randbytes(4608)
    board.nvm.data[:] = random.randbytes(len(board.nvm))
    if with_magic:
        board.nvm.data[:6] = b"StoT\x01\x00"
        for slot in (0, 1):
            folder = board.drive.folders[slot]
            at = folder.base + SECTOR
            folder.flash[at : at + 6] = b"StoT\x01\x00"
    assert board.vault().load() is None
    assert board.vault().store(NEW) == ("file", "nvm")
    assert board.vault().load() == NEW


def test_a_medium_that_does_not_keep_what_is_written_is_not_counted_on():
    board = Board()
    for folder in board.drive.folders:
        folder.rewrite = lambda memory, at, data: None
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
