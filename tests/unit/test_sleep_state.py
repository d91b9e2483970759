import pytest
from hypothesis import given
from hypothesis import strategies as st

from stoa import sleep_state

STATE = {"access": {"token": "t" * 900, "until": 5}, "endpoints": {"issuer": "x"}, "failures": {"wifi": 2}, "glass": 77}


@pytest.fixture
def memory():
    return bytearray(4096)


def test_what_is_saved_is_loaded(memory):
    assert sleep_state.save(memory, STATE) == ()
    assert sleep_state.load(memory) == STATE


def test_memory_after_power_on_holds_nothing(memory):
    assert sleep_state.load(memory) == {}


@given(st.binary(min_size=64, max_size=64))
def test_noise_is_no_state(noise):
    assert sleep_state.load(bytearray(noise)) == {}


@given(st.data())
def test_one_flipped_bit_is_noticed(data):
    memory = bytearray(2048)
    sleep_state.save(memory, STATE)
    length = sleep_state.HEADER_SIZE + int.from_bytes(memory[5:7], "little")
    at = data.draw(st.integers(0, length * 8 - 1))
    memory[at // 8] ^= 1 << at % 8
    assert sleep_state.load(memory) == {}


def test_what_can_be_had_again_is_left_out_first(memory):
    small = memory[:512]
    assert sleep_state.save(small, STATE) == ("access",)
    assert sleep_state.load(small) == {key: STATE[key] for key in ("endpoints", "failures", "glass")}
    assert "access" in STATE, "the wake goes on with its own"


@pytest.mark.parametrize("size", [64, 128, 256, 512])
def test_it_always_fits_and_keeps_when_to_leave_people_alone(size):
    state = {**STATE, "quote": ["\u6d41" * 700, None], "asked": 5, "ask_at": 1_800_000_000}
    memory = bytearray(size)
    sleep_state.save(memory, state)
    kept = sleep_state.load(memory)
    assert kept == ({} if size == 64 else {key: state[key] for key in kept})
    assert size == 64 or kept["ask_at"] == 1_800_000_000


def test_another_versions_record_is_no_state(memory):
    sleep_state.save(memory, STATE)
    memory[4] += 1
    assert sleep_state.load(memory) == {}


def test_the_essence_leaves_out_what_may_be_poisoned():
    assert sleep_state.essence({**STATE, "asked": 3}) == {"failures": {"wifi": 2}, "asked": 3}


def test_one_write_however_much():
    class Counting(bytearray):
        writes = 0

        def __setitem__(self, index, value):
            self.writes += 1
            super().__setitem__(index, value)

    memory = Counting(4096)
    sleep_state.save(memory, STATE)
    assert memory.writes == 1
