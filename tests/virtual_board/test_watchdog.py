"""The watchdog, as Espressif's task watchdog does it: what it ends, when, and what is left for the next boot."""

import pytest

from host_tools.clock import NS
from host_tools.virtual_board.wake import DEEP_SLEEP, STALLED, WATCHDOG
from tests.virtual_board.bare import JOIN, bare_board, console

ARMED = """
import time, alarm, microcontroller
from watchdog import WatchDogMode, WatchDogTimeout
print(microcontroller.cpu.reset_reason, bytes(alarm.sleep_memory[:1]))
alarm.sleep_memory[0:1] = b"k"
dog = microcontroller.watchdog
print(dog.mode, dog.timeout)
dog.timeout = 10
dog.mode = WatchDogMode.{mode}
"""
SLEEP = "alarm.exit_and_deep_sleep_until_alarms(alarm.time.TimeAlarm(monotonic_time=time.monotonic() + 3600))\n"


def armed(mode="RESET"):
    return ARMED.format(mode=mode)


def test_unfed_it_resets_the_board_at_its_deadline_and_sleep_memory_is_kept():
    board = bare_board(
        armed() + "print(dog.mode)\ntime.sleep(9)\ndog.feed()\ntime.sleep(9)\ntime.sleep(9)\nprint('never')"
    )
    first = board.wake()
    assert first.ending == WATCHDOG
    assert "watchdog" in first.failure()
    assert first.console == [
        "microcontroller.ResetReason.POWER_ON b'\\x00'",
        "None 0",
        "watchdog.WatchDogMode.RESET",
    ]
    assert first.awake_ns == board.board.power.boot_ms * 1_000_000 + 19 * NS
    second = board.wake()
    assert (second.woken_by, second.safe_mode) == ("reset", "")
    assert second.console[0] == "microcontroller.ResetReason.WATCHDOG b'k'"


def test_in_raise_mode_it_raises_once_at_its_deadline_and_is_off():
    code = armed("RAISE") + "before = time.monotonic_ns()\ntry:\n    time.sleep(60)\nexcept WatchDogTimeout:\n"
    code += "    print((time.monotonic_ns() - before) // 1000000000, dog.mode)\ntime.sleep(60)\nprint('goes on')"
    assert console(code)[2:] == ["10 None", "goes on"]


@pytest.mark.parametrize(
    "let_be", ["dog.mode = None\n", "for _ in range(6):\n    dog.feed()\n    time.sleep(5)\ndog.mode = None\n"]
)
def test_fed_or_stopped_it_does_nothing(let_be):
    wake = bare_board(armed() + let_be + "time.sleep(60)\n" + SLEEP).wake()
    assert wake.ending == DEEP_SLEEP


def test_it_ends_with_the_program_and_does_not_wake_a_sleeper():
    board = bare_board(armed() + SLEEP)
    first = board.wake()
    assert first.ending == DEEP_SLEEP
    board.sleep()
    assert board.wake().woken_by == "alarm"


@pytest.mark.parametrize(("armed_or_not", "ending"), [(armed(), WATCHDOG), ("", STALLED)])
def test_firmware_that_hangs_in_a_loop_is_reset(monkeypatch, armed_or_not, ending):
    monkeypatch.setattr("host_tools.virtual_board.boot.STALL_S", 0.2)
    wake = bare_board(armed_or_not + "while True:\n    pass").wake()
    assert wake.ending == ending


def test_a_socket_without_a_timeout_waits_until_the_watchdog_bites():
    wake = bare_board(JOIN + armed() + "pool.socket(type=pool.SOCK_DGRAM).recv_into(bytearray(9))").wake()
    assert wake.ending == WATCHDOG


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("dog.timeout = -1", "ValueError timeout must be >= 0"),
        ("dog.timeout = 5000000", "ValueError timeout must be <= 4294967"),
        ("dog.mode = WatchDogMode.RESET", "ValueError timeout must be >= 1"),
    ],
)
def test_what_it_does_not_take(code, said):
    start = "from microcontroller import watchdog as dog\nfrom watchdog import WatchDogMode\n"
    assert console(start + f"try:\n    {code}\nexcept Exception as error:\n    print(type(error).__name__, error)") == [
        said
    ]
