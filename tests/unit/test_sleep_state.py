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
    length = sleep_state.HEADER_SIZE + int.from_bytes(memory[4:6], "little")
    at = data.draw(st.integers(0, length * 8 - 1))
    memory[at // 8] ^= 1 << at % 8
    assert sleep_state.load(memory) == {}


def test_what_can_be_had_again_is_left_out_first(memory):
    small = memory[:512]
    assert sleep_state.save(small, STATE) == ("access",)
    assert sleep_state.load(small) == {key: STATE[key] for key in ("endpoints", "failures", "glass")}
    assert "access" in STATE, "the wake goes on with its own"


def test_one_write_however_much():
    class Counting(bytearray):
        writes = 0

        def __setitem__(self, index, value):
            self.writes += 1
            super().__setitem__(index, value)

    memory = Counting(4096)
    sleep_state.save(memory, STATE)
    assert memory.writes == 1
