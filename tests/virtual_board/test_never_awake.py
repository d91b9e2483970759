"""Defects, broken panels and long outages: every wake ends in deep sleep, and the sleeps grow."""

import pytest

from host_tools.clock import NS
from tests.home import is_whole


def test_an_outage_is_waited_out_ever_more_patiently(home):
    home.settle(issuer="http://127.0.0.1:9/")
    home.wake_now()
    ended, gaps = home.board.clock.now_ns(), []
    for _ in range(8):
        wake = home.wake()
        gaps.append(round((wake.began_ns - ended) / NS / 60))
        ended = wake.ended_ns
    for gap, least in zip(gaps, [5, 10, 20, 40, 80, 160, 320, 360], strict=True):
        assert least <= gap <= least * 9 / 8 + 1, gaps
    assert is_whole(home)


def test_a_defect_of_the_firmware_ends_in_deep_sleep_too(home):
    home.board.install({"program-a/stoa/quotes.py": b"raise RuntimeError('broken')\n"})
    home.wake_now()
    assert home.onlooker.last("defect")["kind"] == "RuntimeError"
    assert home.board.state.sleeping.until_ns - home.clock.now_ns() == pytest.approx(6 * 3600 * NS, abs=2 * NS)


def test_a_stuck_panel_does_not_keep_the_board_awake(home):
    home.board.faults.set("busy-stuck")
    wake = home.wake_now()
    assert 'stoa panel fault="BUSY stuck"' in wake.console
    assert wake.refreshes == 0
    home.board.faults.clear()
    home.wake()
    assert home.screens != [], "what the glass shows is unknown: it is drawn anew"


@pytest.mark.parametrize(
    "broken", [b"def (:\n", b"raise MemoryError\n", b"import nothing_here\n", b"def run():\n    raise KeyError\n"]
)
def test_a_program_that_is_not_whole_sleeps_too(home, broken):
    home.board.install({"program-a/stoa/wake.py": broken})
    wake = home.wake_now()
    assert wake.console[-1].startswith("stoa defect ")
    slept = home.board.state.sleeping.until_ns - wake.ended_ns
    assert slept == pytest.approx(6 * 3600 * NS, abs=NS)


def test_a_button_that_cannot_wake_the_board_does_not_keep_it_awake(home):
    profile = home.board.board.buttons["refresh"].encode()
    with_profile = home.drive_file("program-a/board_profile.py")
    home.board.install({"program-a/board_profile.py": with_profile.replace(profile, b"NO_SUCH_PIN")})
    home.wake_now()
    assert home.names() == ["pairing", "quote"]
    assert home.board.state.sleeping.pins == []


def test_what_sleep_memory_holds_cannot_poison_every_wake(home):
    from stoa import sleep_state

    home.wake_now()
    memory = home.board.state.sleep_memory
    sleep_state.save(memory, {**sleep_state.load(memory), "access": 7})
    home.wake()
    assert home.onlooker.last("defect")["kind"] == "TypeError"
    home.wake()
    assert home.onlooker.last("defect") is None
    assert home.reason() == "daily"
