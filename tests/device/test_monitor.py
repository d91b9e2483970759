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

from host_tools.cli import monitor
from host_tools.device.console.monitor import SILENCE, TRIES_BEFORE_TOLD, CannotOpen, Gone, Monitor, Opened, Said
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


class Told:
    """A port that gives one piece at each read, or raises it; b"" is half a second in which nothing came."""

    in_waiting = 0

    def __init__(self, *pieces):
        self.pieces = list(pieces)
        self.at = START

    def now(self):
        return self.at

    def read(self, size=1, /):
        piece = self.pieces.pop(0)
        if not isinstance(piece, bytes):
            raise piece
        self.at += timedelta(seconds=0 if piece else 0.5)
        return piece

    def said(self):
        """What is said until the port is gone, or until Ctrl-C."""
        events = Monitor(
            "p", lambda port: self, lambda port: None, lambda: "p", self.now, lambda seconds: None
        ).events()
        said = []
        with contextlib.suppress(KeyboardInterrupt):
            for event in events:
                if isinstance(event, Gone):
                    break
                if isinstance(event, Said):
                    said.append(event)
        return said


# A port that is silent for longer than it takes.
SILENT = [b""] * (2 + int(SILENCE.total_seconds() / 0.5))
GONE = OSError("gone")


def test_a_line_that_a_board_has_begun_is_told_after_a_silence_and_once():
    told = Told(b"stoa wake by=boot\r\nx", *SILENT, *SILENT, GONE).said()
    assert [(said.line, said.is_whole) for said in told] == [("stoa wake by=boot", True), ("x…", False)]
    assert SILENCE <= told[1].time - START <= SILENCE + timedelta(seconds=1)


def test_a_line_that_goes_on_after_a_silence_comes_whole():
    told = Told(b"Connecting", *SILENT, b" to quotes", *SILENT, b": done\r\n", GONE).said()
    assert [said.line for said in told] == ["Connecting…", "Connecting to quotes…", "Connecting to quotes: done"]


def test_a_line_that_begins_as_the_one_before_it_is_told_too():
    told = Told(b"x", *SILENT, b"\r\nx", *SILENT, GONE).said()
    assert [said.line for said in told] == ["x…", "x", "x…"]


def test_a_line_that_goes_on_in_time_is_told_when_it_ends():
    told = Told(b"a", *[b"", b"b"] * 20, b"\n", GONE).said()
    assert [said.line for said in told] == ["a" + "b" * 20]


def test_a_title_in_a_silence_does_not_break_it():
    told = Told(b"x", *[b"", b"\x1b]0;title\x07"] * 6, GONE).said()
    assert [said.line for said in told] == ["x…"]


def test_a_prompt_and_an_empty_line_in_a_silence():
    told = Told(b"\r\n", *SILENT, b"  ", *SILENT, b"\r\n>>> ", *SILENT, GONE).said()
    assert [said.line for said in told] == [">>>…"]


@pytest.mark.parametrize("after", [[], SILENT])
@pytest.mark.parametrize("end", [KeyboardInterrupt(), GONE])
def test_a_line_that_was_begun_is_told_once_at_the_end(after, end):
    (told,) = Told(b"stoa x\r\nthen x", *after, end).said()[1:]
    assert told.line.removesuffix("…") == "then x" and not told.is_whole


def test_a_ctrl_c_between_two_lines_loses_none():
    port = Told(b"stoa a\r\nstoa b\r\nthen x")
    events = Monitor("p", lambda port_: port, lambda port_: None, lambda: "p", port.now).events()
    next(events)
    assert next(events).line == "stoa a"
    assert events.throw(KeyboardInterrupt).line == "stoa b"
    assert next(events).line == "then x…"
    with pytest.raises(KeyboardInterrupt):
        next(events)


TOKEN = "aB3-" * 15


@pytest.mark.parametrize("form", ["got {} x", "refresh_token={}", "refresh_token=\n{} x", "https://me:{}@id.example/"])
@pytest.mark.parametrize("end", [KeyboardInterrupt(), GONE])
def test_no_half_of_a_token_is_told(form, end):
    line = form.format(TOKEN).encode()
    for at in range(len(line)):
        for pieces in ([line[:at], *SILENT, line[at:], *SILENT, b"\n", end], [line[:at], end]):
            told = Told(*pieces).said()
            assert not [said for said in told if "aB" in said.line or "B3" in said.line], at


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
        f"refresh_token {token}",
        f"Setting STOA_WIFI_PASSWORD to {password.replace(' ', '')}",
        str(("STOA_WIFI_PASSWORD =", password)),
        f"password is: '{password}'",
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


@pytest.mark.parametrize("form", [[], ["--json"]])
def test_the_command_tells_what_the_board_has_begun(plugged, tmp_path, form):
    link, plug_in = plugged
    cable, saved = plug_in(), tmp_path / "log.txt"
    with stoa_monitor(link, "--save", saved, *form) as process:
        until(process.stderr, "is open")
        cable.say("stoa wake by=boot\r\nstoa hangs ")
        until(process.stdout, "stoa wake")
        process.send_signal(signal.SIGINT)
        out, err = process.communicate()
    assert (process.returncode, err) == (0, "")
    if form:
        told = json.loads(out)
        assert told["line"] == "stoa hangs…" and told["event"] is told["fields"] is None
    else:
        assert out.endswith(" stoa hangs…\n")
    assert [line.split(" ", 1)[-1] for line in saved.read_text().splitlines()] == ["stoa wake by=boot", "stoa hangs…"]


def test_a_ctrl_c_while_a_line_is_shown_tells_the_one_that_has_begun():
    port, shown = Told(b"stoa a\r\nthen x"), []

    def show(said):
        shown.append(said.line)
        if len(shown) == 1:
            raise KeyboardInterrupt

    events = Monitor("p", lambda port_: port, lambda port_: None, lambda: "p", port.now).events()
    with pytest.raises(KeyboardInterrupt):
        monitor._follow(events, show, lambda said: None)
    assert shown == ["stoa a", "then x…"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no disk that is full here")
def test_a_full_disk_is_told_in_a_line(plugged):
    link, plug_in = plugged
    cable = plug_in()
    with stoa_monitor(link, "--save", "/dev/full") as process:
        until(process.stderr, "is open")
        cable.say("stoa wake by=boot\r\n")
        _, err = process.communicate()
    assert err == "stoa: cannot write /dev/full: No space left on device; choose another --save file\n"
    assert process.returncode == 1


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


def test_the_help_has_the_exit_code_for_a_file_that_cannot_be_written():
    with stoa_monitor("--help") as process:
        out, _ = process.communicate()
    assert "1 for a --save file that cannot be written;" in " ".join(out.split())


def test_a_port_in_use(plugged):
    link, plug_in = plugged
    other = open_port(plug_in().port)
    with stoa_monitor(link) as process:
        _, err = process.communicate()
    assert process.returncode == 3 and "is in use by another program: close its serial monitor" in err
    close_port(other)
