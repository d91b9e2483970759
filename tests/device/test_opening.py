"""Opening a port: which lines are moved in which order, and what is said when it cannot be opened."""

from __future__ import annotations

import errno
import os
import pty
import termios

import pytest
import serial
from mpremote.transport import TransportError

from host_tools.device.console.board_reset import pull_reset_line
from host_tools.device.console.raw_repl import RawRepl
from host_tools.device.errors import NoBoard, PortInUse
from host_tools.device.opening import close_port, how_to_be_permitted, open_port, why_not_open


@pytest.fixture
def port():
    master, slave = pty.openpty()
    yield os.ttyname(slave)
    os.close(master)
    os.close(slave)


class Lines:
    """A port whose lines are seen to move. Up and up, as the kernel leaves them at opening."""

    def __init__(self):
        self.__dict__.update(states=[(True, True)], dtr=True, rts=True, closed=False)

    def __setattr__(self, name, value):
        self.__dict__[name] = value
        self.states.append((self.dtr, self.rts))

    def close(self):
        self.__dict__["closed"] = True


RESET, STARTS_BOOTLOADER = (False, True), (True, False)


def test_closing_does_not_reset_the_board():
    lines = Lines()
    close_port(lines)
    assert lines.closed
    assert lines.states[-1] == (False, False)
    assert RESET not in lines.states


def test_a_reset_holds_the_line_and_does_not_let_go_into_the_bootloader():
    lines, held = Lines(), []
    pull_reset_line(lines, lambda seconds: held.append(lines.states[-1]))
    assert held == [RESET]
    after = lines.states[lines.states.index(RESET) :]
    assert STARTS_BOOTLOADER not in after and after[-1] == (False, False)


def test_a_port_without_such_lines(port):
    opened = open_port(port, timeout=0)
    pull_reset_line(opened, lambda seconds: None)
    close_port(opened)
    # A second time is no matter, nor is it after it was pulled out.
    close_port(opened)


def test_a_port_in_use(port):
    opened = open_port(port)
    for open_it in (open_port, RawRepl):
        with pytest.raises(PortInUse, match="is in use by another program: close its serial monitor"):
            open_it(port)
    close_port(opened)
    close_port(open_port(port))


@pytest.mark.parametrize("open_it", [open_port, RawRepl])
@pytest.mark.parametrize(
    ("name", "says"),
    [("/dev/ttyNONE7", "there is no /dev/ttyNONE7: plug the board in"), ("/dev/null", "/dev/null is no serial port")],
)
def test_a_port_that_is_none(open_it, name, says):
    with pytest.raises(NoBoard, match=says):
        open_it(name)


@pytest.mark.parametrize(
    ("error", "kind", "says"),
    [
        (serial.SerialException(errno.EACCES, "could not open port"), PortInUse, "may not be opened by you: `sudo"),
        (serial.SerialException(errno.EBUSY, "Device or resource busy"), PortInUse, "in use"),
        (
            serial.SerialException("could not open port 'COM3': PermissionError(13, 'Access is denied.')"),
            PortInUse,
            "in use",
        ),
        (
            serial.SerialException(
                "could not open port 'COM3': FileNotFoundError(2, 'The system cannot find the file specified.')"
            ),
            NoBoard,
            "there is no",
        ),
        # A port that goes while it is being opened.
        (termios.error(errno.EIO, "Input/output error"), NoBoard, "there is no"),
        (serial.SerialException("Could not configure port: (5, 'Input/output error')"), NoBoard, "there is no"),
        (serial.SerialException("Could not configure port: (25, 'Inappropriate')"), NoBoard, "is no serial port"),
        (serial.SerialException(errno.EISDIR, "Is a directory"), NoBoard, "is no serial port"),
        (serial.SerialException("something new"), NoBoard, "cannot be opened: something new"),
        # mpremote does not say why.
        (TransportError("failed to access"), NoBoard, "there is no"),
    ],
)
def test_each_reason_has_its_remedy(error, kind, says):
    told = why_not_open("/dev/ttyNONE7", error)
    assert type(told) is kind and says in str(told)


@pytest.mark.parametrize("open_it", [open_port, RawRepl])
def test_a_port_that_goes_while_pyserial_sets_it_up(port, open_it, monkeypatch):
    def gone(*arguments):
        raise termios.error(errno.EIO, "Input/output error")

    monkeypatch.setattr(termios, "tcflush", gone)
    with pytest.raises(NoBoard, match="there is no"):
        open_it(port)
    monkeypatch.undo()
    close_port(open_port(port))


def test_who_may_open_a_port_is_who_is_in_its_group(tmp_path):
    file = tmp_path / "ttyACM0"
    file.touch()
    assert how_to_be_permitted(str(file)).startswith("`sudo ")
    assert how_to_be_permitted("/dev/ttyNONE7") == "`sudo usermod -aG dialout $USER`, then log out and in again"
