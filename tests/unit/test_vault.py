"""The token's home, on a model of flash that is erased by the sector and can be cut at every step."""

from __future__ import annotations

import io
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stoa import slots, vault
from stoa.vault import MAGIC, NVM_SIZE, PATH, Vault

SECTOR = 4096
OLD = "v1.old-token-" + "o" * 300
NEW = "v1.new-token-" + "n" * 300
HOWS = ("before", "torn", "after")


class PowerCut(BaseException):
    """Not an Exception: nothing in the firmware may survive it."""


class Power:
    """Counts the steps of flash; at step `cut_at` the power goes before it, half way through, or after it."""

    def __init__(self):
        self.step = 0
        self.cut_at = None
        self.how = None

    def take(self, change):
        """`change(part)` does the step, the whole of it for part 1 and half for part 2."""
        self.step += 1
        if self.step != self.cut_at:
            change(1)
            return
        if self.how != "before":
            change(1 if self.how == "after" else 2)
        raise PowerCut


class Drive:
    """One file on flash, out of step with the sectors, with neighbours before and behind."""

    def __init__(self, power, content, base=1536, read_only=False):
        self.power = power
        self.base = base
        self.size = len(content)
        self.read_only = read_only
        end = (base + self.size + 700 + SECTOR) // SECTOR * SECTOR
        self.flash = bytearray(b"\xa5" * end)
        self.flash[base : base + self.size] = content
        self.neighbours = self.outside()
        self.writes = 0

    def outside(self):
        return bytes(self.flash[: self.base]), bytes(self.flash[self.base + self.size :])

    def open(self, path, mode):
        if path != PATH:
            raise FileNotFoundError(2, "No such file/directory")
        if mode == "r+b" and self.read_only:
            raise OSError(30, "Read-only filesystem")
        assert mode in ("rb", "r+b"), "a wake only reads and overwrites"
        return File(self, mode)

    def program(self, at, data):
        """What CircuitPython's flash layer does with a block: erase its sector, write the sector back changed."""
        self.writes += 1
        for sector in range(at // SECTOR, (at + len(data) - 1) // SECTOR + 1):
            low = sector * SECTOR
            wanted = bytearray(self.flash[low : low + SECTOR])
            for i in range(max(at, low), min(at + len(data), low + SECTOR)):
                wanted[i - low] = data[i - at]

            def erase(part, low=low):
                self.flash[low : low + SECTOR // part] = b"\xff" * (SECTOR // part)

            def write(part, low=low, wanted=wanted):
                self.flash[low : low + SECTOR // part] = wanted[: SECTOR // part]

            self.power.take(erase)
            self.power.take(write)


class File(io.BytesIO):
    def __init__(self, drive, mode):
        super().__init__(bytes(drive.flash[drive.base : drive.base + drive.size]))
        self.drive = drive
        self.mode = mode

    def write(self, data):
        assert self.mode == "r+b"
        assert self.tell() + len(data) <= self.drive.size, "the file must not grow"
        self.drive.program(self.drive.base + self.tell(), bytes(data))
        return super().write(data)


class Nvm:
    """Espressif's: any assignment erases all and writes all."""

    def __init__(self, power, size=8192):
        self.power = power
        self.data = bytearray(b"\xff" * size)
        self.writes = 0

    def __len__(self):
        return len(self.data)

    def __getitem__(self, key):
        return self.data[key]

    def __setitem__(self, key, value):
        assert isinstance(key, slice), "one assignment a save"
        self.writes += 1
        wanted = bytearray(self.data)
        wanted[key] = value
        assert len(wanted) == len(self.data)

        def erase(part):
            self.data[: len(wanted) // part] = b"\xff" * (len(wanted) // part)

        def write(part):
            self.data[: 100 if part == 2 else len(wanted)] = wanted[: 100 if part == 2 else None]

        self.power.take(erase)
        self.power.take(write)


class Board:
    def __init__(self, content=None, base=1536, read_only=False, nvm=True):
        self.power = Power()
        self.drive = Drive(self.power, vault.initial_file() if content is None else content, base, read_only)
        self.nvm = Nvm(self.power) if nvm else None

    def vault(self):
        return Vault(self.nvm, self.drive.open)

    def cut(self, at, how, action):
        """Run `action(vault)` with the power going at step `at`. False when it was over before."""
        self.power.step, self.power.cut_at, self.power.how = 0, at, how
        try:
            action(self.vault())
        except PowerCut:
            return True
        finally:
            self.power.cut_at = None
        return False


def test_sizes_are_pinned():
    # Another layout would orphan the tokens of every board in the field.
    assert (PATH, MAGIC, NVM_SIZE) == ("/vault/token.bin", b"StoT", 4112)
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


def all_cuts(board_factory, action):
    at = 0
    while True:
        at += 1
        for how in HOWS:
            board = board_factory()
            if not board.cut(at, how, action):
                assert at > 2, "no cut was ever made"
                return
            yield board, f"cut {how} step {at}"


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
    nowhere = Vault(Nvm(board.power, size=100), board.drive.open, path="/gone.bin")
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


@given(st.integers(0, 2**32 - 1), st.integers(1, 2**31 - 1))
def test_sequence_numbers_compare_round_the_clock(a, ahead):
    b = (a + ahead) & 0xFFFFFFFF
    assert slots.is_newer(b, a)
    assert not slots.is_newer(a, b)
    assert not slots.is_newer(a, a)
    assert slots.is_newer(slots.following(a), a)


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


@settings(max_examples=100)
@given(st.binary(max_size=60), st.integers(0, 2**32 - 1), st.data())
def test_a_record_with_any_bit_flipped_is_no_record(payload, sequence, data):
    record = bytearray(slots.pack(MAGIC, sequence, payload))
    assert slots.unpack(MAGIC, record) == (sequence, payload)
    bit = data.draw(st.integers(0, len(record) * 8 - 1))
    record[bit // 8] ^= 1 << bit % 8
    assert slots.unpack(MAGIC, record) is None
    cut = data.draw(st.integers(0, len(record) - 1))
    assert slots.unpack(MAGIC, slots.pack(MAGIC, sequence, payload)[:cut]) is None


def test_a_medium_that_does_not_keep_what_is_written_is_not_counted_on():
    board = Board()
    board.drive.program = lambda at, data: None
    assert board.vault().store(OLD) == ("nvm",)
    broken = type("Broken", (Nvm,), {"__setitem__": lambda self, key, value: None})
    board = Board()
    board.nvm = broken(board.power)
    assert board.vault().store(OLD) == ("file",)
