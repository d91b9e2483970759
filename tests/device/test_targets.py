"""Which board a command means."""

from __future__ import annotations

import os
import pty
from dataclasses import replace
from pathlib import Path

import pytest

from host_tools.device.errors import NoBoard
from host_tools.device.finding import targets
from host_tools.device.finding.ports import Found, Usb
from host_tools.device.finding.targets import SeveralBoards, choose, choose_port

MAGTAG = Found(
    "circuitpython", "Adafruit MagTag", port="/dev/ttyACM0", drive=Path("/media/me/CIRCUITPY"), board_id="magtag"
)
BRIDGE = Found("uart-bridge", "CP210x", port="/dev/ttyUSB0")
JTAG = Found("usb-serial-jtag", "ESP32-C3", port="/dev/ttyACM1", usb=Usb(0x303A, 0x1001, None, None))
ROM = Found("bootloader", "ESP32-S2", port="/dev/ttyACM2", next_step="stoa flash /dev/ttyACM2")
UF2 = Found("uf2-bootloader", "Adafruit MagTag", drive=Path("/media/me/MAGTAGBOOT"), next_step="stoa flash /media/me")
OTHER = Found("unknown", "Arduino Uno", port="/dev/ttyACM9")
DRIVE = replace(MAGTAG, port=None)
UNMOUNTED = replace(MAGTAG, drive=None, mount_command="udisksctl mount -b /dev/sda1")


@pytest.mark.parametrize(
    ("there", "target", "port"),
    [
        ([MAGTAG], MAGTAG.drive, "/dev/ttyACM0"),
        ([OTHER, BRIDGE, ROM], "/dev/ttyUSB0", "/dev/ttyUSB0"),
        ([UF2, JTAG], "/dev/ttyACM1", "/dev/ttyACM1"),
    ],
)
def test_the_only_board_there(there, target, port):
    assert choose(None, there).target == target
    assert choose_port(None, there).target == port
    assert choose(None, there).small_steps == (target == JTAG.port)


def test_a_board_that_is_a_drive_alone():
    assert choose(None, [DRIVE]).target == DRIVE.drive
    with pytest.raises(NoBoard, match="no serial port of a board was found"):
        choose_port(None, [DRIVE])


@pytest.mark.parametrize("pick", [choose, choose_port])
def test_several_are_listed(pick):
    with pytest.raises(SeveralBoards, match=r"name one of them: \S+ \(Adafruit MagTag\), /dev/ttyUSB0 \(CP210x\)"):
        pick(None, [MAGTAG, OTHER, BRIDGE])


@pytest.mark.parametrize(
    ("there", "says"),
    [
        ([], r"no board was found: check that the cable carries data"),
        ([OTHER], r"no board was found: check"),
        ([ROM], r"/dev/ttyACM2 \(ESP32-S2\) is a bootloader: press RESET once.*`stoa flash /dev/ttyACM2`"),
        ([UF2], r"/media/me/MAGTAGBOOT \(Adafruit MagTag\) is a bootloader"),
        ([UNMOUNTED], r"the drive of Adafruit MagTag is not mounted: `udisksctl mount -b /dev/sda1`"),
    ],
)
def test_none_says_what_to_do(there, says):
    with pytest.raises(NoBoard, match=says):
        choose(None, there)


def test_a_console_needs_no_drive():
    assert choose_port(None, [UNMOUNTED]).target == "/dev/ttyACM0"


def test_what_was_given_is_taken_and_what_is_known_of_it_comes_with_it():
    assert choose("/dev/ttyACM1", [MAGTAG, JTAG]) == targets.Target("/dev/ttyACM1", JTAG)
    assert choose("/dev/ttyACM1", [MAGTAG, JTAG]).small_steps
    # A bootloader, or a port nobody has found: whoever names it means it.
    assert choose("/dev/ttyACM2", [MAGTAG, ROM]).found == ROM
    for port in ("/dev/ttyAMA0", "COM3", "socket://localhost:4000"):
        assert choose(port, [MAGTAG]) == targets.Target(port, None)


def test_a_link_to_a_port(tmp_path):
    master, slave = pty.openpty()
    try:
        (tmp_path / "magtag").symlink_to(os.ttyname(slave))
        found = replace(MAGTAG, port=os.ttyname(slave))
        assert choose(str(tmp_path / "magtag"), [found]) == targets.Target(str(tmp_path / "magtag"), found)
    finally:
        os.close(master)
        os.close(slave)


def test_a_folder(tmp_path):
    here = replace(MAGTAG, drive=tmp_path)
    assert choose(f"{tmp_path}/", [here, BRIDGE]) == targets.Target(Path(f"{tmp_path}/"), here)
    assert choose_port(str(tmp_path), [here, BRIDGE]) == targets.Target("/dev/ttyACM0", here)
    # Any folder will do, as a drive that no system tells of.
    assert choose(str(tmp_path), []) == targets.Target(tmp_path, None)
    with pytest.raises(NoBoard, match="has no serial port here"):
        choose_port(str(tmp_path), [])
    with pytest.raises(NoBoard, match="there is no folder or port"):
        choose(str(tmp_path / "CIRCUITPI"), [here])


def test_the_boards_are_looked_for_where_none_are_handed_in(monkeypatch):
    monkeypatch.setattr(targets, "find_boards", lambda: [MAGTAG])
    assert choose(None).found == choose_port(None).found == MAGTAG
