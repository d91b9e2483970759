"""The console of a board: real pyserial on a pseudo-terminal, whose other end is pulled out and plugged in."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import signal
import stat
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from host_tools.device.console.monitor import TRIES_BEFORE_TOLD, CannotOpen, Gone, Monitor, Opened, Said
from host_tools.device.errors import NoBoard, PortInUse
from host_tools.device.opening import close_port, open_port

ROOT = Path(__file__).resolve().parents[2]
START = datetime(2026, 3, 2, 9, 0, 0, tzinfo=UTC)


class Cable:
    """A port, while it is plugged in."""

    def __init__(self):
        self.master, self.slave = pty.openpty()
        self.port = os.ttyname(self.slave)

    def say(self, data):
        os.write(self.master, data if isinstance(data, bytes) else data.encode())

    def pull(self):
        for end in (self.master, self.slave):
            with contextlib.suppress(OSError):
                os.close(end)


class Desk:
    """Where the board is plugged in, under whatever name; a clock that each look moves by a second; waits that end."""

    def __init__(self):
        self.cable = Cable()
        self.at = START
        self.waits = 0
        self.on_wait = lambda: None
        self.opened = []

    def now(self):
        self.at += timedelta(seconds=1)
        return self.at

    def wait(self, seconds):
        self.waits += 1
        self.on_wait()

    def find(self):
        return self.cable.port if self.cable else None

    def open(self, port):
        self.opened.append(open_port(port, timeout=5))
        return self.opened[-1]

    def monitor(self, **options):
        return Monitor(
            self.cable.port if self.cable else "/dev/ttyACM0",
            **{
                "open_port": self.open,
                "close_port": close_port,
                "find": self.find,
                "now": self.now,
                "wait": self.wait,
                **options,
            },
        )


@pytest.fixture
def desk():
    made = Desk()
    yield made
    for port in made.opened:
        close_port(port)
    if made.cable:
        made.cable.pull()


def lines(events, count):
    """So many lines, as they come."""
    found = []
    while len(found) < count:
        event = next(events)
        assert isinstance(event, Said), event
        found.append(event.line)
    return found


def test_lines_with_the_time_they_came(desk):
    events = desk.monitor().events()
    assert next(events) == Opened(START + timedelta(seconds=1), desk.cable.port)
    desk.cable.say("\x1b]0;🐍code.py | 10.3.1\x1b\\stoa wake by=boot\r\nstoa sl")
    assert next(events) == Said(START + timedelta(seconds=2), "stoa wake by=boot")
    desk.cable.say("eep reason=daily until=1\r\n")
    assert next(events) == Said(START + timedelta(seconds=3), "stoa sleep reason=daily until=1")


def test_a_board_that_sleeps_comes_back_under_another_name(desk):
    events = desk.monitor().events()
    next(events)
    first = desk.cable
    first.say("stoa sleep reason=daily until=1\r\nbegun")
    assert lines(events, 1) == ["stoa sleep reason=daily until=1"]
    first.pull()
    desk.cable = None
    assert lines(events, 1) == ["begun"]
    gone = next(events)
    assert isinstance(gone, Gone) and gone.port == first.port

    def wake():
        if desk.waits == 3:
            # Its old name is another's now.
            desk.in_its_place = Cable()
            desk.cable = Cable()

    desk.on_wait = wake
    back = next(events)
    assert isinstance(back, Opened) and back.port == desk.cable.port != desk.in_its_place.port
    desk.cable.say("stoa wake by=alarm\r\n")
    assert lines(events, 1) == ["stoa wake by=alarm"]
    desk.in_its_place.pull()


def test_a_port_that_goes_at_once_again(desk):
    events = desk.monitor().events()
    next(events)
    for _ in range(5):
        desk.cable.pull()
        desk.cable = Cable()
        assert isinstance(next(events), Gone)
        assert isinstance(next(events), Opened)
    # It was not looked for without a pause.
    assert desk.waits == 5


def test_a_port_that_is_back_and_cannot_be_opened_yet(desk):
    events = desk.monitor().events()
    next(events)
    desk.cable.pull()
    desk.cable = Cable()
    other = open_port(desk.cable.port)
    assert isinstance(next(events), Gone)
    told = next(events)
    assert isinstance(told, CannotOpen) and "in use by another program" in told.why
    assert desk.waits == TRIES_BEFORE_TOLD
    desk.on_wait = lambda: close_port(other)
    assert isinstance(next(events), Opened)


def test_a_board_that_is_away_at_first(desk):
    plugged, desk.cable = desk.cable, None

    def come():
        desk.cable = plugged if desk.waits == 2 else None

    desk.on_wait = come
    assert isinstance(next(desk.monitor(is_away=True).events()), Opened)


def test_the_end_closes_the_port(desk):
    events = desk.monitor().events()
    next(events)
    with pytest.raises(PortInUse):
        open_port(desk.cable.port)
    events.close()
    close_port(open_port(desk.cable.port))


def test_a_ctrl_c_in_a_read_closes_the_port(desk):
    class Interrupted:
        in_waiting = 0

        def read(self, size=1, /):
            raise KeyboardInterrupt

    closed = []
    events = desk.monitor(open_port=lambda port: Interrupted(), close_port=closed.append).events()
    next(events)
    with pytest.raises(KeyboardInterrupt):
        next(events)
    assert len(closed) == 1


def test_a_port_that_is_not_there(desk):
    desk.cable.pull()
    with pytest.raises(NoBoard, match="there is no"):
        next(desk.monitor().events())
    desk.cable = None


def test_bytes_that_are_no_text(desk):
    events = desk.monitor().events()
    next(events)
    desk.cable.say(b"\x00\xff\xfe caf\xc3\xa9\r\n")
    assert lines(events, 1) == ["�� café"]


def test_the_real_console_of_a_wake_and_no_secret_that_was_put_into_it(desk, home):
    said = [*home.wake_now().console, *home.wake().console]
    token, password = home.token(), "correct horse battery"
    assert token
    leaks = [
        f"POST {json.dumps({'grant_type': 'refresh_token', 'refresh_token': token})}",
        f"grant_type=refresh_token&refresh_token={token}&client_id=display",
        f"KeyError: {token}",
        f"stoa vault held_by=file token={token}",
        f"Authorization: Bearer {token}",
        f'STOA_WIFI_PASSWORD = "{password}"',
        f'stoa obstacle detail="{{\\"password\\":\\"{password}\\"}}"',
    ]
    events = desk.monitor().events()
    next(events)
    data = "".join(f"{line}\r\n" for line in said + leaks).encode()
    shown = []
    for at in range(0, len(data), 100):
        piece = data[at : at + 100]
        desk.cable.say(piece)
        shown += lines(events, piece.count(b"\n"))
    assert shown[: len(said)] == said
    assert any("user_code=" in line and "verification_uri=http" in line for line in shown)
    secrets = (token, token[3:20], token[-20:], password, "horse")
    assert not [line for line in shown if any(secret in line for secret in secrets)]
    assert sum("***" in line for line in shown) == len(leaks)


@pytest.fixture
def plugged(tmp_path):
    """A port by a name that stays: (link, function that plugs in what it points at, and pulls what it pointed at)."""
    link, plugged_in = tmp_path / "board", []

    def plug_in():
        if plugged_in:
            plugged_in.pop().pull()
            link.unlink()
        plugged_in.append(Cable())
        link.symlink_to(plugged_in[0].port)
        return plugged_in[0]

    yield link, plug_in
    for cable in plugged_in:
        cable.pull()


@contextlib.contextmanager
def stoa_monitor(*arguments):
    command = [sys.executable, "-m", "host_tools.cli", "monitor", *map(str, arguments)]
    environment = {**os.environ, "NO_COLOR": "1", "TZ": "UTC"}
    pipe = subprocess.PIPE
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, text=True, encoding="utf-8", stdout=pipe, stderr=pipe
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def until(stream, words):
    before = []
    for line in stream:
        if words in line:
            return line
        before.append(line)
    raise AssertionError(f"no {words!r} in {before}")


def test_the_command_until_ctrl_c(plugged, tmp_path):
    link, plug_in = plugged
    cable, saved = plug_in(), tmp_path / "log.txt"
    with stoa_monitor(link, "--save", saved) as process:
        until(process.stderr, "is open; Ctrl-C ends it")
        cable.say("\x1b]0;title\x07stoa wake by=boot\r\nstoa x password=hunter22\r\n")
        assert until(process.stdout, "wake")[8:] == " stoa wake by=boot\n"
        assert until(process.stdout, "stoa x").endswith(" stoa x password=***\n")
        again = plug_in()
        until(process.stderr, "is gone: the board sleeps")
        until(process.stderr, "is open")
        again.say("stoa wake by=alarm\r\n")
        until(process.stdout, "stoa wake by=alarm")
        process.send_signal(signal.SIGINT)
        out, err = process.communicate()
        assert (process.returncode, out, err) == (0, "", "")
    close_port(open_port(again.port))
    assert stat.S_IMODE(saved.stat().st_mode) == 0o600
    times, told = zip(*(line.split(" ", 1) for line in saved.read_text().splitlines()), strict=True)
    assert told == ("stoa wake by=boot", "stoa x password=***", "stoa wake by=alarm")
    for time in times:
        assert datetime.fromisoformat(time).utcoffset() == timedelta(0) and time.endswith("Z")


def test_the_command_as_json_without_times(plugged):
    link, plug_in = plugged
    cable = plug_in()
    with stoa_monitor(link, "--json") as process:
        until(process.stderr, "is open")
        cable.say('stoa obstacle cause=offline title="No \\"net\\""\r\nTraceback (most recent call last):\r\n')
        first, second = (json.loads(process.stdout.readline()) for _ in range(2))
        process.send_signal(signal.SIGTERM)
        assert process.wait() == 0
    assert first.pop("time") <= second.pop("time")
    assert first == {
        "line": 'stoa obstacle cause=offline title="No \\"net\\""',
        "event": "obstacle",
        "fields": {"cause": "offline", "title": 'No "net"'},
    }
    assert second == {"line": "Traceback (most recent call last):", "event": None, "fields": None}


def test_a_saved_log_goes_on(plugged, tmp_path):
    link, plug_in = plugged
    cable, saved = plug_in(), tmp_path / "log.txt"
    saved.write_text("before\n")
    with stoa_monitor(link, "--save", saved, "--json") as process:
        until(process.stderr, "is open")
        cable.say("stoa wake by=boot\r\n")
        process.stdout.readline()
    assert [line.split(" ", 1)[-1] for line in saved.read_text().splitlines()] == ["before", "stoa wake by=boot"]


def test_the_command_without_time_stamps(plugged):
    link, plug_in = plugged
    cable = plug_in()
    with stoa_monitor(link, "--no-timestamps", "--no-color") as process:
        until(process.stderr, "is open")
        cable.say("stoa wake by=boot [bold]\r\n" + "long " * 60 + "\r\n")
        assert process.stdout.readline() == "stoa wake by=boot [bold]\n"
        # Not folded: it can be copied.
        assert process.stdout.readline() == "long " * 59 + "long\n"
        process.send_signal(signal.SIGINT)
        assert process.wait() == 0


@pytest.mark.parametrize("form", [[], ["--json"]])
def test_a_reader_that_has_enough_is_no_error(plugged, form):
    link, plug_in = plugged
    cable = plug_in()
    with stoa_monitor(link, *form) as process:
        until(process.stderr, "is open")
        process.stdout.close()
        cable.say("stoa wake by=boot\r\n")
        assert process.stderr.read() == ""
        process.wait()


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["/dev/ttyNONE7"], 3, "stoa: there is no /dev/ttyNONE7: plug the board in"),
        (["/dev/null"], 3, "stoa: /dev/null is no serial port"),
        (["/dev/null", "--save", "/nowhere/log.txt"], 1, "stoa: cannot write /nowhere/log.txt: No such file"),
    ],
)
def test_what_cannot_be_is_told_in_a_line(arguments, code, says):
    with stoa_monitor(*arguments) as process:
        out, err = process.communicate()
    assert process.returncode == code and out == ""
    assert err.startswith(says) and err.count("\n") == 1


def test_a_port_in_use(plugged):
    link, plug_in = plugged
    other = open_port(plug_in().port)
    with stoa_monitor(link) as process:
        _, err = process.communicate()
    assert process.returncode == 3 and "is in use by another program: close its serial monitor" in err
    close_port(other)
