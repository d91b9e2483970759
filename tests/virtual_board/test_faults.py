"""Each fault as the firmware meets it, and how faults are named."""

import dataclasses

import pytest

from host_tools.clock import NS
from host_tools.virtual_board.faults import KINDS, FaultError, Faults, help_lines
from host_tools.virtual_board.power import CutSyntaxError
from host_tools.virtual_board.wake import DEEP_SLEEP, POWER_LOST, STALLED, WATCHDOG
from tests.virtual_board.bare import JOIN, bare_board
from tests.virtual_board.hostile import JSON, HostileServer

BODY = b'{"quote": "' + b"x" * 500 + b'"}'
ASK = """
import time
s = pool.socket()
s.settimeout(7)
before = time.monotonic_ns()
got = b""
try:
    s.connect(pool.getaddrinfo("{host}", {port})[0][4])
    s.send(b"GET /q HTTP/1.0\\r\\nHost: x\\r\\n\\r\\n")
    buffer = bytearray(4000)
    while True:
        n = s.recv_into(buffer)
        if not n:
            break
        got += bytes(buffer[:n])
except OSError as error:
    print(type(error).__name__, error.args)
print((time.monotonic_ns() - before) // 1000000000, len(got), got[:15], b"text/html" in got, b"Accept our" in got)
"""


def asking(server, *faults):
    """A board that asks the server once, and the wake that did."""
    host, _, port = server.url.removeprefix("http://").partition(":")
    board = bare_board(JOIN + ASK.format(host=host, port=port))
    for fault in faults:
        board.faults.set(fault)
    return board, board.wake()


@pytest.fixture
def server():
    with HostileServer(lambda heard: (200, JSON, BODY)) as running:
        yield running


def test_without_a_fault_it_answers(server):
    _, wake = asking(server)
    assert wake.console == [f"0 {whole_size(server)} b'HTTP/1.0 200 OK' False False"]


def whole_size(server):
    """Bytes of a whole reply."""
    said = asking(server)[1].console[0]
    return int(said.split()[1])


@pytest.mark.parametrize(
    ("fault", "error", "seconds", "heard"),
    [
        ("dns", "gaierror (-2, 'Name or service not known')", 0, 0),
        ("refused", "ConnectionRefusedError (111, 'ECONNREFUSED')", 0, 0),
        ("tls", "OSError (-9984, 'certificate refused: self-signed certificate')", 0, 0),
        ("stall", "OSError (116, 'ETIMEDOUT')", 7, None),
        ("lost-reply", "OSError (104, 'ECONNRESET')", 0, 1),
    ],
)
def test_exchanges_that_bring_no_reply(server, fault, error, seconds, heard):
    _, wake = asking(server, fault)
    assert wake.console == [error.replace("OSError (104", "ConnectionResetError (104"), f"{seconds} 0 b'' False False"]
    if heard is not None:
        assert len(server.heard) == heard


def test_one_reply_is_lost_and_the_next_arrives(server):
    board, first = asking(server, "lost-reply:2")
    second, third = board.wake(), board.wake()
    assert [len(wake.console) for wake in (first, second, third)] == [1, 2, 1]
    assert len(server.heard) == 3, "what was lost had been processed"
    assert board.faults.lost_reply == 0


def test_a_reply_cut_short(server):
    _, wake = asking(server, "truncate:20")
    assert wake.console == ["0 20 b'HTTP/1.0 200 OK' False False"]
    assert asking(server, "truncate:0")[1].console == ["0 0 b'' False False"]


def test_a_reply_that_drips_takes_its_time_on_the_boards_clock(server):
    size = whole_size(server)
    _, wake = asking(server, "drip:100")
    assert wake.console == [f"{size // 100} {size} b'HTTP/1.0 200 OK' False False"]


def test_another_content_type_and_nothing_else(server):
    _, wake = asking(server, "content-type")
    size = whole_size(server) + len("text/html") - len("application/json")
    assert wake.console == [f"0 {size} b'HTTP/1.0 200 OK' True False"]


def test_a_huge_body_is_as_long_as_it_says(server):
    _, wake = asking(server, "huge-body:300000")
    assert int(wake.console[0].split()[1]) == pytest.approx(300000, abs=300)


def test_a_captive_portal_answers_for_everyone(server):
    _, wake = asking(server, "portal")
    assert wake.console[0].endswith("b'HTTP/1.1 200 OK' True True")
    assert server.heard == []
    assert [(exchange.path, exchange.status) for exchange in wake.exchanges] == [("/q", 200)]


def test_a_captive_portal_has_nobodys_certificate(server):
    port = server.url.rpartition(":")[2]
    code = (
        JOIN + "import ssl\ns = ssl.create_default_context().wrap_socket(pool.socket(), server_hostname='localhost')\n"
    )
    board = bare_board(
        code + f"try:\n    s.connect(('localhost', {port}))\nexcept OSError as error:\n    print(error.args[0])"
    )
    board.faults.set("portal")
    assert board.wake().console == ["-9984"]


@pytest.mark.parametrize(
    ("fault", "connect", "said"),
    [
        (None, "'home', 'password'", "True 2500"),
        (None, "'home', 'password', channel=6, bssid=b'\\x02stoa\\x01'", "True 1000"),
        (None, "'home', 'password', channel=11, bssid=b'\\x02stoa\\x01'", "True 2500"),
        (None, "'home', 'password', channel=6, bssid=b'\\x02other'", "No network with that ssid 2500"),
        (None, "'home', 'password', bssid=b'short'", "Invalid BSSID 0"),
        ("wifi-absent", "'home', 'password'", "No network with that ssid 2500"),
        ("wifi-password", "'home', 'password'", "Authentication failure 2500"),
        ("wifi-password:15", "'home', 'password'", "Unknown failure 15 15000"),
    ],
)
def test_joining(fault, connect, said):
    code = f"""
import time, wifi
before = time.monotonic_ns()
try:
    wifi.radio.connect({connect})
    said = wifi.radio.connected
except (OSError, ValueError) as error:
    said = error
print(said, (time.monotonic_ns() - before) // 1000000)
"""
    board = bare_board(code)
    if fault:
        board.faults.set(fault)
    assert board.wake().console == [said]


def test_what_the_access_point_tells_makes_the_next_join_quick():
    code = (
        JOIN + "import time\nap = wifi.radio.ap_info\nprint(ap.ssid, ap.bssid, ap.channel)\nwifi.radio.stop_station()\n"
    )
    code += "before = time.monotonic_ns()\nwifi.radio.connect('home', 'password', channel=ap.channel, bssid=ap.bssid)\n"
    code += "print((time.monotonic_ns() - before) // 1000000)\n"
    assert bare_board(code).wake().console == [r"home b'\x02stoa\x01' 6", "1000"]


NTP = (
    JOIN
    + """
import adafruit_ntp
try:
    print(tuple(adafruit_ntp.NTP(pool, server='pool.ntp.org', socket_timeout=3).datetime)[:5])
except OSError as error:
    print(error.args)
"""
)


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("ntp-absent", "(116, 'ETIMEDOUT')"),
        ("ntp-wrong:-86400", "(2026, 3, 1, 9, 0)"),
        ("ntp-wrong:600", "(2026, 3, 2, 9, 10)"),
    ],
)
def test_the_time_server(fault, said):
    board = bare_board(NTP, libraries=True)
    board.faults.set(fault)
    assert board.wake().console == [said]


BATTERY = "import board, analogio\npin = analogio.AnalogIn(board.VOLTAGE_MONITOR)\n"


@pytest.mark.parametrize(("millivolts", "read"), [(4200, 4199), (3300, 3299), (0, 0), (6000, 5999)])
def test_the_batterys_voltage_is_read_through_its_divider(millivolts, read):
    board = bare_board(BATTERY + "print(pin.value * 6600 // 65536, round(pin.reference_voltage, 1))")
    board.faults.set(f"battery:{millivolts}")
    said, reference = board.wake().console[0].split()
    assert abs(int(said) - read) <= 1
    assert reference == "3.3"


def test_an_analog_input_belongs_to_one_object_and_not_every_pin_is_one():
    code = BATTERY + "try:\n        analogio.AnalogIn(board.VOLTAGE_MONITOR)\n"
    code += "except ValueError as error:\n    print(error)\n"
    code += "pin.deinit()\ntry:\n    pin.value\nexcept ValueError as error:\n    print(str(error)[:29])\n"
    code += "try:\n    analogio.AnalogIn(board.EPD_BUSY)\nexcept ValueError as error:\n    print(error)\n"
    assert bare_board(code).wake().console == ["VOLTAGE_MONITOR in use", "Object has been deinitialized", "Invalid pin"]


SLEEPER = """
import alarm, board, time
print(time.time())
alarm.exit_and_deep_sleep_until_alarms(
    alarm.time.TimeAlarm(monotonic_time=time.monotonic() + 100000),
    alarm.pin.PinAlarm(board.BUTTON_A, value=False, pull=True),
)
"""


@pytest.mark.parametrize(("ppm", "slept_s"), [(0, 100000), (10000, 99009), (-10000, 101010)])
def test_the_clock_of_deep_sleep_drifts_and_the_board_does_not_know(ppm, slept_s):
    board = bare_board(SLEEPER)
    board.faults.set(f"sleep-clock:{ppm}")
    first = board.wake()
    board.sleep()
    second = board.wake()
    assert (second.began_ns - first.ended_ns) // NS == slept_s
    assert int(second.console[0]) - int(first.console[0]) in (100002, 100003), "the sleep, and a boot"


@pytest.mark.parametrize("fault", ["button-stuck:BUTTON_A", "button-floating:BUTTON_A"])
def test_a_pin_that_will_not_let_it_sleep(fault):
    board = bare_board(SLEEPER)
    board.wake()
    board.faults.set(fault)
    for _ in range(3):
        board.sleep()
        again = board.wake()
        assert (again.woken_by, again.ending) == ("BUTTON_A", DEEP_SLEEP)
    board.faults.clear()
    board.sleep()
    assert board.wake().woken_by == "alarm"


def test_a_stuck_button_reads_as_held_down_and_a_floating_one_does_not():
    code = "import board, digitalio\np = digitalio.DigitalInOut(board.BUTTON_A)\n"
    code += "p.pull = digitalio.Pull.UP\nprint(p.value)"
    board = bare_board(code)
    said = board.wake().console
    for fault in ("button-floating:BUTTON_A", "button-stuck:BUTTON_A"):
        board.faults.set(fault)
        said += board.wake().console
    assert said == ["True", "True", "False"]


def test_a_stuck_busy_is_busy_for_ever():
    code = "import board, digitalio, displayio\ndisplayio.release_displays()\n"
    code += "p = digitalio.DigitalInOut(board.EPD_BUSY)\nprint(p.value)"
    board = bare_board(code)
    board.faults.set("busy-stuck")
    assert board.wake().console == ["True"]


@pytest.mark.parametrize("board_id", ["adafruit_magtag_2.9_grayscale", "adafruit_feather_esp32s3_4mbflash_2mbpsram"])
def test_a_computer_that_has_the_drive(board_id):
    code = "import storage, supervisor\nprint(storage.getmount('/').readonly, supervisor.runtime.usb_connected)\n"
    code += "try:\n    storage.remount('/', readonly=False)\nexcept RuntimeError as error:\n    print(error)\n"
    board = bare_board(code, board_id=board_id)
    board.faults.set("drive-read-only")
    assert board.wake().console == ["True True", "Cannot remount path when visible via USB."]
    board.faults.clear()
    assert board.wake().console == ["True False"]


def test_a_full_drive_can_be_written_in_place_alone():
    code = (
        "import storage\nstorage.remount('/', readonly=False)\nwith open('/code.py', 'r+b') as f:\n    f.write(b'i')\n"
    )
    code += "try:\n    with open('/more', 'wb') as f:\n        f.write(bytes(4096))\n"
    code += "except OSError as error:\n    print(error.errno)\n"
    board = bare_board(code)
    board.faults.set("drive-full")
    assert board.wake().console == ["28"]
    board.faults.clear()
    assert board.wake().console == []


@pytest.mark.parametrize(
    ("armed", "ending"),
    [
        ("", STALLED),
        ("microcontroller.watchdog.timeout = 60\nmicrocontroller.watchdog.mode = WatchDogMode.RESET\n", WATCHDOG),
    ],
)
def test_a_call_that_never_returns(armed, ending):
    board = bare_board("import microcontroller\nfrom watchdog import WatchDogMode\n" + armed + JOIN)
    board.faults.set("hang")
    wake = board.wake()
    assert (wake.ending, wake.hung) == (ending, True)
    if armed:
        assert wake.awake_ns >= 60 * NS
        assert wake.failure() is None, "the fault's doing, and the watchdog did its own"


def test_power_fails_where_it_is_told_and_once():
    board = bare_board("import time\nprint(1)\ntime.sleep(1)\nprint(2)")
    whole = board.wake().calls
    board.faults.set(f"power:call:{whole - 1}:before")
    assert (board.wake().ending, board.faults.power) == (POWER_LOST, None)
    assert board.wake().console == ["1", "2"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("dsn", "unknown fault 'dsn' (did you mean dns?); faults: power, dns,"),
        ("lost-replies", "unknown fault 'lost-replies' (did you mean lost-reply?)"),
        ("", "unknown fault ''; faults: power"),
        ("dns:1", "fault dns: it takes no argument; write it as dns"),
        ("truncate", "fault truncate: it takes a whole number from 0 to 1000000000; write it as truncate:BYTES"),
        ("drip:0", "fault drip: it takes a whole number from 1"),
        ("battery:x", "fault battery: it takes a whole number"),
        ("wifi-password:16", "fault wifi-password: it takes no argument but 15"),
        ("button-stuck", "fault button-stuck: it needs an argument"),
        ("brown-out:0", "fault brown-out: it takes a whole number from 1"),
    ],
)
def test_what_is_no_fault_is_answered_with_what_would_do(text, said):
    with pytest.raises(FaultError) as caught:
        Faults().set(text)
    assert str(caught.value).startswith(said)


def test_a_cut_that_is_none_is_refused_when_it_is_set():
    with pytest.raises(CutSyntaxError):
        Faults().set("power:call:zero")


SOME = {"power": "flash:1:torn", "truncate": "1", "drip": "1", "ntp-wrong": "60", "battery": "3000", "sleep-clock": "9"}
SOME |= {"button-stuck": "BUTTON_A", "button-floating": "BUTTON_A"}


@pytest.mark.parametrize("name", KINDS)
def test_each_fault_changes_its_field_alone_and_is_cleared(name):
    faults = Faults()
    faults.set(f"{name}:{SOME[name]}" if name in SOME else name)
    changed = [f.name for f in dataclasses.fields(faults) if getattr(faults, f.name) != f.default]
    assert changed == [KINDS[name].field]
    faults.clear()
    assert faults == Faults()


def test_help_has_a_line_a_fault():
    lines = help_lines()
    assert [line.partition(":")[0].partition("[")[0] for line in lines] == list(KINDS)
    assert max(map(len, lines)) <= 100
