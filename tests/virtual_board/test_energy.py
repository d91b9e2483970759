"""What a wake draws, against one computed by hand from the MagTag's figures (boards/, reference/field-notes.md D.1)."""

import pytest

from host_tools.boards import load_board
from host_tools.clock import VirtualClock
from host_tools.virtual_board.energy import BOOT, IDLE, JOINING, MAH, RADIO, SLEEP, Meter
from tests.virtual_board.bare import JOIN, bare_board
from tests.virtual_board.hostile import JSON, HostileServer

MAGTAG = "adafruit_magtag_2.9_grayscale"
SLEEP_A_DAY = """
import alarm, time
alarm.exit_and_deep_sleep_until_alarms(alarm.time.TimeAlarm(monotonic_time=time.monotonic() + 86400))
"""
MA_S = 1_000 * 1_000_000_000  # a milliamp-second in microamp-nanoseconds


def test_a_wake_and_its_night_computed_by_hand():
    with HostileServer(lambda heard: (200, JSON, b"{}")) as server:
        host, _, port = server.url.removeprefix("http://").partition(":")
        ask = f"s = pool.socket()\ns.connect(('{host}', {port}))\ns.send(b'GET / HTTP/1.0\\r\\n\\r\\n')\n"
        ask += "s.recv_into(bytearray(2000))\n"
        code = (
            "import time\ntime.sleep(2)\n"
            + JOIN
            + "time.sleep(3)\n"
            + ask
            + "wifi.radio.enabled = False\ntime.sleep(5)\n"
        )
        board = bare_board(code + SLEEP_A_DAY)
        wake = board.wake()
    by_hand = {
        "boot": 2.38 * 39,
        "idle": 2 * 28,
        "joining": 2.5 * (28 + 50 + 14.5),
        "radio": 3 * (28 + 50),
        "request": 2.56 * (28 + 50),
        "idle again": 5 * 28,
    }
    assert wake.awake_ns == 14_880_000_000
    assert board.meter.charge() == pytest.approx(sum(by_hand.values()) * MA_S, rel=1e-12)
    board.sleep()
    night = board.meter.mah() - sum(by_hand.values()) / 3600
    assert night == pytest.approx(24 * 0.25, rel=1e-9), "a day at 250 microamps is 6 mAh"


def test_a_refresh_costs_what_the_panel_draws_while_it_is_busy():
    draw = """
import board, busio, digitalio, displayio
from adafruit_epd.ssd1680 import Adafruit_SSD1680
displayio.release_displays()
spi = busio.SPI(board.EPD_SCK, MOSI=board.EPD_MOSI)
cs, dc, reset, busy = [
    digitalio.DigitalInOut(p) for p in (board.EPD_CS, board.EPD_DC, board.EPD_RESET, board.EPD_BUSY)
]
Adafruit_SSD1680(128, 296, spi, cs_pin=cs, dc_pin=dc, sramcs_pin=None, rst_pin=reset, busy_pin=busy).display()
"""
    board = bare_board(draw, libraries=True)
    wake = board.wake()
    assert wake.refreshes == 1
    awake_ns = wake.awake_ns - 2_380_000_000
    by_hand = 39_000 * 2_380_000_000 + 28_000 * awake_ns + 7_000 * 3_200_000_000
    assert board.meter.charge() == by_hand


def test_without_power_nothing_is_drawn():
    board = bare_board(SLEEP_A_DAY)
    board.wake()
    board.power_off()
    drawn = board.meter.mah()
    board.clock.sleep_ns(10**15)
    assert board.meter.mah() == drawn > 0


def test_a_year_adds_up_exactly():
    clock = VirtualClock(0)
    power = load_board(MAGTAG).power
    meter = Meter(power, clock)
    day = (
        (BOOT, 39_000, 2_380),
        (IDLE, 28_000, 1),
        (JOINING, 92_500, 2_501),
        (RADIO, 78_000, 333),
        (SLEEP, 250, 86_394_785),
    )
    for _ in range(365):
        for state, _, milliseconds in day:
            meter.change(state)
            clock.sleep_ns(milliseconds * 1_000_000)
        meter.refresh(3_200)
        meter.request()
    by_hand = sum(current * milliseconds for _, current, milliseconds in day) + 7_000 * 3_200 + 78_000 * 2_560
    assert meter.mah() == 365 * by_hand * 1_000_000 / MAH
    assert meter.charge() == 365 * by_hand * 1_000_000


@pytest.mark.parametrize("board_id", [MAGTAG, "adafruit_feather_esp32s3_4mbflash_2mbpsram"])
def test_a_daily_wake_costs_what_the_field_notes_derive(board_id):
    """reference/field-notes.md D.1: about 0.26 mAh for boot, join, two requests and the panel."""
    power = load_board(board_id).power
    clock = VirtualClock(0)
    meter = Meter(power, clock)
    meter.change(BOOT)
    clock.sleep_ns(power.boot_ms * 1_000_000)
    meter.change(JOINING)
    clock.sleep_ns(3_360_000_000)
    meter.change(IDLE)
    meter.request()
    meter.request()
    clock.sleep_ns(2_370_000_000)
    meter.refresh(2_370)
    assert meter.mah() == pytest.approx(0.26, rel=0.1)


def test_what_a_wake_wears_is_counted():
    code = "import storage, microcontroller\nstorage.remount('/', readonly=False)\n"
    code += "microcontroller.nvm[0:4] = b'stoa'\nwith open('/code.py', 'r+b') as f:\n    f.write(b'i')\n"
    wake = bare_board(code).wake()
    assert wake.nvm_writes == 1
    assert wake.flash_erases >= 2, "nvm, and a sector of the drive"
    assert bare_board("pass").wake().flash_erases == 0
