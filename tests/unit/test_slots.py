"""Records and their sequence numbers."""

from __future__ import annotations

import struct
import zlib

from hypothesis import given, settings
from hypothesis import strategies as st

from stoa import slots, vault
from stoa.vault import MAGIC
from tests.unit.flash import SECTOR
from tests.unit.media import Board


@given(st.integers(0, 2**32 - 1), st.integers(1, 2**31 - 1))
def test_sequence_numbers_compare_round_the_clock(a, ahead):
    b = (a + ahead) & 0xFFFFFFFF
    assert slots.is_newer(b, a)
    assert not slots.is_newer(a, b)
    assert not slots.is_newer(a, a)
    assert slots.is_newer(slots.following(a), a)


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


def resealed(record):
    """A record with its CRC made right again, as another version of the firmware might have written it."""
    return record[:12] + struct.pack("<I", zlib.crc32(record[:12] + record[16:])) + record[16:]


def test_records_of_another_kind_version_or_size_are_none_of_ours():
    record = slots.pack(MAGIC, 7, b"token")
    assert resealed(record) == record
    assert slots.unpack(b"StoQ", record) is None
    assert slots.unpack(MAGIC, resealed(record[:4] + b"\x02" + record[5:])) is None
    board = Board()
    folder = board.drive.folders[0]
    at = folder.base + SECTOR
    record = slots.pack(MAGIC, 7, b"x" * (vault.CAPACITY + 1))
    folder.flash[at : at + len(record)] = record
    assert board.vault().load() is None
