"""A reset from the REPL: what a real VM executes."""

from __future__ import annotations

import threading

import pytest
import serial

from host_tools.boards import load_board
from host_tools.device.console import raw_repl
from host_tools.device.console.board_reset import has_reset_line, reset_from_the_repl
from host_tools.device.console.raw_repl import RawRepl
from host_tools.device.errors import NoBoard
from host_tools.device.finding.ports import Found
from host_tools.device.opening import close_port, open_port
from host_tools.virtual_board.flash import Flash
from host_tools.virtual_board.link import Link
from tests.device.serial_board import SerialBoard
from tests.home import MAGTAG


def test_a_board_without_a_reset_line_is_reset_by_its_own_python(micropython, monkeypatch):
    resets, receive = threading.Event(), Link.receive

    def received(self, *arguments):
        while True:
            operation, values = receive(self, *arguments)
            if operation != "nvm.size":
                break
            # `import microcontroller` asks, and the double's board has no nvm.
            self.reply(8192)
        if operation == "cpu.reset":
            resets.set()
        return operation, values

    monkeypatch.setattr(Link, "receive", received)
    with SerialBoard(Flash.blank(load_board(MAGTAG).memory.drive_kib * 1024)) as board:
        reset_from_the_repl(board.port)
        assert resets.wait(30)
        close_port(open_port(board.port))


def test_ctrl_c_before_the_reset_leaves_the_repl(monkeypatch):
    def interrupt(repl, command):
        raise KeyboardInterrupt

    monkeypatch.setattr(RawRepl, "exec_raw_no_follow", interrupt)
    with SerialBoard(Flash.blank(64 * 1024)) as board:
        with pytest.raises(KeyboardInterrupt):
            reset_from_the_repl(board.port)
        assert board.reloaded.wait(10)
        close_port(open_port(board.port))


def test_a_port_that_goes_with_the_reset(monkeypatch):
    def gone(repl, command):
        raise serial.SerialException("device reports readiness to read but returned no data")

    monkeypatch.setattr(RawRepl, "exec_raw_no_follow", gone)
    with SerialBoard(Flash.blank(64 * 1024)) as board:
        reset_from_the_repl(board.port)
        close_port(open_port(board.port))


def test_a_board_that_does_not_answer_says_so(monkeypatch):
    def silent(repl):
        raise NoBoard("nothing answers")

    monkeypatch.setattr(RawRepl, "enter_raw_repl", silent)
    monkeypatch.setattr(raw_repl, "LEAVE_S", 0.3)
    with SerialBoard(Flash.blank(64 * 1024), asleep=True) as board:
        with pytest.raises(NoBoard, match="press its RESET button, without --reset"):
            reset_from_the_repl(board.port)
        close_port(open_port(board.port))


@pytest.mark.parametrize(
    ("found", "has"),
    [
        (Found("uart-bridge", "CP210x", "/dev/ttyUSB0"), True),
        (Found("usb-serial-jtag", "ESP32-C3", "/dev/ttyACM0"), True),
        (Found("circuitpython", "Adafruit MagTag", "/dev/ttyACM0"), False),
        (None, False),
    ],
)
def test_who_has_a_reset_line(found, has):
    assert has_reset_line(found) == has
