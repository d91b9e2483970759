"""CircuitPython's names and behaviours, as the firmware meets them on the board."""

import pytest

from host_tools.virtual_board.wake import CRASHED, DEEP_SLEEP, FINISHED, RESET, STALLED
from tests.virtual_board.bare import bare_board, console

CAUGHT = "try:\n    {}\nexcept Exception as error:\n    print(type(error).__name__, error)\n"


@pytest.mark.parametrize(
    "missing", ["dataclasses", "enum", "typing", "functools", "pathlib", "logging", "datetime", "threading", "socket"]
)
def test_what_circuitpython_lacks_is_missing(missing):
    assert console(CAUGHT.format(f"import {missing}")) == [f"ModuleNotFoundError No module named '{missing}'"]


def test_the_hosts_files_and_environment_are_out_of_reach():
    code = "import os\nprint(os.getenv('PATH'), os.listdir('/'))\n" + CAUGHT.format("open('/etc/passwd')")
    assert console(code) == ["None ['code.py']", "FileNotFoundError [Errno 2] ENOENT"]


def test_clocks_start_as_after_power_on_and_the_rtc_can_be_set():
    code = """
import time, rtc
print(time.time(), time.monotonic_ns(), tuple(time.localtime()))
time.sleep(1.5)
print(time.monotonic_ns())
rtc.RTC().datetime = time.struct_time((2028, 2, 29, 23, 59, 59, 0, 0, -1))
time.sleep(1)
print(time.time(), tuple(time.localtime()))
"""
    assert console(code) == [
        "946684800 0 (2000, 1, 1, 0, 0, 0, 5, 1, -1)",
        "1500000000",
        "1835481600 (2028, 3, 1, 0, 0, 0, 2, 61, -1)",
    ]


def test_localtime_agrees_with_the_standard_library_over_four_centuries():
    import calendar
    import time

    moments = [day * 86400 * 97 + 4321 for day in range(0, 1400, 7)]
    code = f"import time\nfor m in {moments}:\n    t = time.localtime(m)\n    print(*t, time.mktime(t) == m)\n"
    expected = []
    for moment in moments:
        t = time.gmtime(moment)
        assert calendar.timegm(t) == moment
        expected.append(" ".join(map(str, (*t[:6], t.tm_wday, t.tm_yday, -1, True))))
    assert console(code) == expected


def test_a_pin_belongs_to_one_object_and_a_builtin_panels_pins_to_displayio():
    code = (
        "import board, digitalio, displayio\n"
        + CAUGHT.format("digitalio.DigitalInOut(board.EPD_CS)")
        + "displayio.release_displays()\npin = digitalio.DigitalInOut(board.EPD_CS)\n"
        + CAUGHT.format("digitalio.DigitalInOut(board.EPD_CS)")
        + "pin.deinit()\ndigitalio.DigitalInOut(board.EPD_CS)\nprint('free')\n"
    )
    assert console(code) == ["ValueError EPD_CS in use", "ValueError EPD_CS in use", "free"]


def test_nvm_and_sleep_memory_by_index_and_slice():
    code = """
import alarm, microcontroller
for store in (microcontroller.nvm, alarm.sleep_memory):
    store[10:14] = b"stoa"
    store[0] = 7
    store[-1] = 9
    print(len(store), bytes(store[9:15]), store[0], store[len(store) - 1])
"""
    board = bare_board(code + CAUGHT.format("microcontroller.nvm[0:2] = b'abc'"))
    wake = board.wake()
    assert wake.console == [
        "8192 b'\\x00stoa\\x00' 7 9",
        "4096 b'\\x00stoa\\x00' 7 9",
        "ValueError Slice and value different lengths.",
    ]
    assert wake.nvm_writes == 3
    assert board.state.nvm[10:14] == board.state.sleep_memory[10:14] == b"stoa"


SLEEPER = """
import alarm, time, board, microcontroller
print(alarm.wake_alarm.__class__.__name__, microcontroller.cpu.reset_reason, bytes(alarm.sleep_memory[:1]), time.time())
alarm.sleep_memory[0:1] = b"z"
alarm.exit_and_deep_sleep_until_alarms(
    alarm.time.TimeAlarm(epoch_time=time.time() + 3600),
    alarm.pin.PinAlarm(board.BUTTON_A, value=False, pull=True),
)
print("never")
"""


def test_deep_sleep_is_an_exit_and_the_next_wake_a_boot():
    board = bare_board(SLEEPER)
    first = board.wake()
    assert first.ending == DEEP_SLEEP
    assert first.console == ["NoneType microcontroller.ResetReason.POWER_ON b'\\x00' 946684800"]
    board.sleep()
    second = board.wake()
    assert second.began_ns - first.ended_ns == 3600 * 10**9
    assert second.woken_by == "alarm"
    assert second.console == ["TimeAlarm microcontroller.ResetReason.DEEP_SLEEP_ALARM b'z' 946688402"]


def test_a_button_ends_deep_sleep_at_once_and_no_other_pin_does():
    board = bare_board(SLEEPER)
    first = board.wake()
    board.press("EPD_BUSY")
    board.press("BUTTON_A")
    board.sleep()
    second = board.wake()
    assert second.began_ns == first.ended_ns
    assert second.woken_by == "BUTTON_A"
    assert second.console[0].startswith("PinAlarm ")


def test_power_off_forgets_the_clock_and_sleep_memory_but_not_nvm_or_glass():
    board = bare_board(SLEEPER + "\n")
    board.state.nvm[:1] = b"n"
    board.wake()
    board.power_off()
    again = board.wake()
    assert again.woken_by == "power on"
    assert again.console == ["NoneType microcontroller.ResetReason.POWER_ON b'\\x00' 946684800"]
    assert board.state.nvm[:1] == b"n"


def test_an_alarm_in_the_past_is_an_error():
    code = "import alarm, time\n" + CAUGHT.format("alarm.time.TimeAlarm(epoch_time=time.time() - 1)")
    assert console(code) == ["ValueError Time is in the past."]


def test_sleep_without_an_alarm_would_never_end():
    board = bare_board("import alarm\nalarm.exit_and_deep_sleep_until_alarms()\n")
    assert board.wake().ending == DEEP_SLEEP
    with pytest.raises(ValueError, match="only a button can wake it"):
        board.sleep()


def test_light_sleep_goes_on_where_it_stopped():
    code = """
import alarm, time
alarm.light_sleep_until_alarms(alarm.time.TimeAlarm(monotonic_time=time.monotonic() + 10))
print(time.monotonic_ns())
"""
    assert console(code) == ["10000000000"]


@pytest.mark.parametrize(
    ("code", "ending", "last"),
    [
        ("print('done')", FINISHED, "done"),
        ("import microcontroller\nmicrocontroller.reset()", RESET, None),
        ("1 / 0", CRASHED, "ZeroDivisionError: division by zero"),
        ("import sys\nsys.exit()", FINISHED, None),
        ("import array\narray.array('b').__class__.__base__.__subclasses__()[0]\nthis is no Python", CRASHED, None),
    ],
)
def test_how_a_wake_can_end(code, ending, last):
    wake = bare_board(code).wake()
    assert wake.ending == ending
    if last is not None:
        assert [line for line in wake.console if line][-1] == last


def test_firmware_that_hangs_is_noticed(monkeypatch):
    monkeypatch.setattr("host_tools.virtual_board.boot.STALL_S", 0.2)
    assert bare_board("while True:\n    pass").wake().ending == STALLED


def test_boot_py_runs_first():
    board = bare_board("print('code')")
    board.install({"boot.py": b"print('boot')"})
    assert board.wake().console == ["boot", "code"]


def test_native_usb_keeps_the_drive_read_only_until_code_remounts_it():
    code = (
        "import storage\nprint(storage.getmount('/').readonly)\n"
        + CAUGHT.format("open('/x', 'w')")
        + CAUGHT.format("storage.remount('/', readonly=False)")
        + CAUGHT.format("open('/code.py', 'r+b').close(); print('written')")
    )
    refused = "OSError [Errno 30] Read-only filesystem"
    assert console(code) == ["True", refused, "written"]
    held = ["True", refused, "RuntimeError Cannot remount path when visible via USB.", refused]
    assert console(code, usb_attached=True) == held


def test_files_and_folders():
    code = """
import os, storage
storage.remount("/", readonly=False)
os.mkdir("/d")
with open("/d/a.txt", "w") as f:
    f.write("one\\ntwo\\n")
with open("/d/a.txt") as f:
    print(f.read().split())
with open("/d/a.txt", "rb") as f:
    f.seek(4)
    buffer = bytearray(3)
    print(f.readinto(buffer), buffer, f.tell(), f.read())
os.rename("/d/a.txt", "/d/b.txt")
print(os.listdir("/d"), os.stat("/d/b.txt")[6])
os.remove("/d/b.txt")
os.rmdir("/d")
print(os.listdir("/"))
"""
    expected = ["['one', 'two']", "3 bytearray(b'two') 7 b'\\n'", "['b.txt'] 8", "['code.py']"]
    assert console(code) == expected


def test_modules_of_the_core_and_of_the_drive_are_told_apart():
    board = bare_board("import stoa_here, adafruit_bus_device.spi_device\nprint(stoa_here.X, stoa_here.__file__)")
    board.install({"lib/stoa_here/__init__.py": b"X = 1"})
    assert board.wake().console == ["1 /lib/stoa_here/__init__.py"]


def test_annotations_are_not_evaluated_as_on_the_board():
    assert console("def f(x: Nowhere) -> Nothing:\n    return x\nprint(f(1))") == ["1"]


def test_spi_wants_its_lock():
    code = "import board, busio, displayio\ndisplayio.release_displays()\n"
    code += "spi = busio.SPI(board.EPD_SCK, MOSI=board.EPD_MOSI)\n"
    code += CAUGHT.format("spi.write(b'x')") + "print(spi.try_lock(), spi.try_lock())\n"
    assert console(code) == ["RuntimeError Function requires lock", "True False"]
