"""Brown-out and hard fault end in safe mode: code.py does not run, and only safemode.py can bring the board back."""

import pytest

from host_tools.virtual_board.wake import BOOTLOADER, BROWN_OUT, DEEP_SLEEP, HARD_FAULT, RESET, SAFE_MODE
from tests.virtual_board.bare import JOIN, bare_board

FEATHER = "adafruit_feather_esp32s3_4mbflash_2mbpsram"
CODE = "import alarm, microcontroller\nprint(bytes(alarm.sleep_memory[:1]))\nalarm.sleep_memory[0:1] = b'k'\n" + JOIN
TELL = (
    "import supervisor, microcontroller\nprint(supervisor.runtime.safe_mode_reason, microcontroller.cpu.reset_reason)\n"
)
SLEEP = """
import alarm, time
alarm.exit_and_deep_sleep_until_alarms(alarm.time.TimeAlarm(monotonic_time=time.monotonic() + 600))
"""


def broken(fault, safemode=None):
    """A board whose power, or CircuitPython itself, failed as it joined."""
    board = bare_board(CODE)
    if safemode is not None:
        board.install({"safemode.py": safemode.encode()})
    board.faults.set(fault)
    ended = board.wake()
    assert ended.failure() is None
    assert ended.ending == {"brown-out": BROWN_OUT, "hard-fault": HARD_FAULT}[fault]
    return board


@pytest.mark.parametrize(
    ("fault", "reasons", "kept"),
    [
        ("brown-out", "supervisor.SafeModeReason.BROWNOUT microcontroller.ResetReason.BROWNOUT", b"\0"),
        ("hard-fault", "supervisor.SafeModeReason.HARD_FAULT microcontroller.ResetReason.SOFTWARE", b"k"),
    ],
)
def test_safemode_py_may_reset_the_board_and_code_runs_again(fault, reasons, kept):
    board = broken(fault, TELL + "microcontroller.reset()\n")
    safe = board.wake()
    assert (safe.ending, safe.console) == (RESET, [reasons])
    assert safe.failure() is None
    again = board.wake()
    assert (again.safe_mode, again.reset_reason) == ("", "SOFTWARE")
    assert again.console == [str(kept)]


def test_safemode_py_may_sleep_and_code_runs_afterwards():
    board = broken("brown-out", SLEEP)
    assert board.wake().ending == DEEP_SLEEP
    board.sleep()
    assert board.wake().console == [r"b'\x00'"]


@pytest.mark.parametrize(("safemode", "said"), [(None, []), ("print('nothing to do')", ["nothing to do"])])
def test_otherwise_the_board_stays_awake_and_that_is_a_failure(safemode, said):
    safe = broken("brown-out", safemode).wake()
    assert (safe.ending, safe.safe_mode, safe.console) == (SAFE_MODE, "BROWNOUT", said)
    assert safe.failure().startswith("the board stayed awake in safe mode (BROWNOUT)")


def test_a_defect_in_safemode_py_leaves_it_awake_too():
    safe = broken("hard-fault", "1 / 0").wake()
    assert safe.ending == SAFE_MODE
    assert "ZeroDivisionError" in safe.failure()


def test_boot_py_does_not_run_in_safe_mode():
    board = broken("brown-out", "print('safe')")
    board.install({"boot.py": b"print('boot')"})
    assert board.wake().console == ["safe"]


def test_a_brown_out_strikes_once_and_at_the_call_it_is_told():
    board = bare_board("print(1)\nimport time\ntime.sleep(1)\nprint(2)\ntime.sleep(1)\nprint(3)")
    board.faults.set("brown-out:time.sleep_ns")
    assert board.wake().console == ["1"]
    board.power_off()
    whole = board.wake()
    assert whole.console == ["1", "2", "3"]
    board.faults.set(f"brown-out:{whole.calls}")
    assert board.wake().console == ["1", "2", "3"], "its last call ends the program"
    assert board.wake().ending == SAFE_MODE


def test_boot0_held_at_power_on_is_the_roms_business_and_at_the_end_of_deep_sleep_the_firmwares():
    code = "import board, digitalio, alarm, time\npin = digitalio.DigitalInOut(board.BOOT0)\n"
    code += "pin.pull = digitalio.Pull.UP\nprint(pin.value)\npin.deinit()\n"
    code += "alarm.exit_and_deep_sleep_until_alarms(alarm.pin.PinAlarm(board.BOOT0, value=False, pull=True))\n"
    board = bare_board(code, board_id=FEATHER)
    board.hold("BOOT0")
    stuck = board.wake()
    assert (stuck.ending, stuck.console) == (BOOTLOADER, [])
    assert "BOOT0" in stuck.failure()
    board.release("BOOT0")
    assert board.wake().console == ["True"]
    board.hold("BOOT0")
    board.sleep()
    held = board.wake()
    assert (held.woken_by, held.console) == ("BOOT0", ["False"])
    board.sleep()
    assert board.wake().woken_by == "BOOT0", "a pin that stays low ends the next sleep at once"
    board.release("BOOT0")
    with pytest.raises(ValueError, match="only a button"):
        board.sleep()
