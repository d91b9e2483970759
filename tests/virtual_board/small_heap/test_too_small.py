"""A heap too small, whatever its size: the display says so in its log, sleeps, tries again, and loses nothing."""

import pytest

from host_tools.clock import NS
from host_tools.virtual_board.runtimes.cpython import CPythonRuntime
from host_tools.virtual_board.wake import DEEP_SLEEP
from stoa import sleep_state
from tests.campaign import extent
from tests.stories import STORIES, found_no_room

HOUR_NS = 3600 * NS
HEAPS_KB = range(28, 96, extent(quick=4, deep=1))


def slept_ns(home, wake):
    return home.board.state.sleeping.until_ns - wake.ended_ns


def least_s(home):
    """How long it is to sleep after a shortage: an hour, or until somebody may have answered the code on the glass."""
    if (home.onlooker.last("sleep") or {}).get("reason") != "memory":
        return 300
    return 110 if "memory_soon" in sleep_state.load(home.board.state.sleep_memory) else 3000


@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", extent(quick=["daily", "pair"], deep=sorted(STORIES)))
def test_it_sleeps_and_the_token_is_there_when_there_is_room_again(make_home, authority, machine, name):
    failed = 0
    for heap in HEAPS_KB:
        authority.set_mfa("never")
        home = make_home()
        STORIES[name].prepare(home)
        token = home.token()
        home.board.runtime = machine(f"{heap}k")
        home.onlooker.new_wake()
        wake = home.board.wake()
        assert wake.ending == DEEP_SLEEP, (heap, wake.console)
        if (home.onlooker.last("sleep") or {}).get("reason") != "daily":
            failed += 1
            if name != "error":
                assert found_no_room(wake), (heap, wake.console)
                assert slept_ns(home, wake) >= least_s(home) * NS, (heap, wake.console)
        if token is not None and name != "re-pair":
            assert home.token() is not None, (heap, wake.console)
        home.board.faults.clear()
        home.board.runtime = CPythonRuntime()
        home.wake()
        if home.names() == ["waiting"]:
            # It does not know whether a person was asked lately.
            home.wake()
        assert home.names()[-1:] in (["quote"], []), (heap, home.names())
        if name in ("daily", "same", "error"):
            assert set(home.names()) <= {"quote"}, (heap, "nobody was needed")
    assert failed > len(HEAPS_KB) // 2


@pytest.mark.parametrize("heap", ["57k", "60k", "70k"])
def test_it_does_not_loop(home, machine, heap):
    home.wake_now()
    home.board.runtime = machine(heap)
    gaps = []
    for _ in range(8):
        wake = home.wake()
        assert found_no_room(wake)
        gap = slept_ns(home, wake) / HOUR_NS
        if any(line.startswith("stoa defect") for line in wake.console):
            # Nor was there room to put down what failed; it depends on the pieces that answers come in, and so on what
            # else this machine does.
            assert gap >= 5, wake.console
        else:
            gaps.append(gap)
    assert all(gap >= 0.9 for gap in gaps), gaps
    assert gaps == sorted(gaps) and (len(gaps) < 3 or gaps[0] < gaps[2]), f"ever more rarely: {gaps}"


def test_a_heap_in_which_not_even_the_program_loads_is_told_and_slept_off(home, machine):
    home.board.runtime = machine("30k")
    wake = home.board.wake()
    assert wake.ending == DEEP_SLEEP
    assert any(line.startswith("stoa defect MemoryError") for line in wake.console), wake.console
    assert slept_ns(home, wake) >= 5 * HOUR_NS
