"""How long the raw REPL waits: for a port that is never silent, one that takes nothing, and a board at work."""

from __future__ import annotations

import threading

import pytest

from host_tools.device.console import raw_repl
from host_tools.device.console.raw_repl import NoRepl, RawRepl
from host_tools.device.errors import DeviceError, LinkLost
from host_tools.virtual_board.fat import mounted
from tests.device.deploy_bench import blank
from tests.device.serial_board import SerialBoard
from tests.device.talker import Talker


@pytest.fixture(params=[0.05, 0.0], ids=["each 50 ms", "a flood"])
def talker(request):
    with Talker(request.param) as talking:
        yield talking


def test_a_port_that_keeps_talking_is_no_repl(talker):
    repl = RawRepl(talker.port)
    with pytest.raises(NoRepl, match=r"something talks on .* it is no REPL of CircuitPython.*`stoa flash`"):
        repl.enter_raw_repl(timeout_overall=0.3)
    assert talker.talks
    repl.close()


def test_a_port_that_keeps_talking_is_left(talker, monkeypatch):
    monkeypatch.setattr(raw_repl, "LEAVE_S", 0.3)
    repl = RawRepl(talker.port)
    repl.leave()
    assert talker.talks
    repl.close()


def test_a_port_that_talks_and_takes_nothing(talker, monkeypatch):
    monkeypatch.setattr(raw_repl, "WRITE_S", 0.1)
    repl = RawRepl(talker.port)
    talker.fill()
    with pytest.raises(NoRepl):
        repl.enter_raw_repl(timeout_overall=0.3)
    with pytest.raises(LinkLost):
        repl.leave()
    assert talker.talks
    repl.close()


def test_what_of_silence_is_a_lost_board(monkeypatch):
    given_up = threading.Event()
    # mpremote's own would be ten seconds.
    with SerialBoard(blank(), on_change=lambda number: given_up.wait(5)) as board:
        repl = RawRepl(board.port)
        repl.enter_raw_repl()
        monkeypatch.setattr(raw_repl, "SILENCE_S", 0.3)
        with pytest.raises(LinkLost, match="does not answer any more"):
            repl.exec("open('/x', 'w').close()")
        given_up.set()
        repl.close()


def test_a_reset_that_was_interrupted_before_it_began_is_told():
    flash = blank()
    with mounted(flash) as drive:
        drive.write_file("/holiday.jpg", b"\xff")
    with SerialBoard(flash, compiles_s=30) as board:
        repl = RawRepl(board.port)
        repl.enter_raw_repl()
        repl.exec("import storage")
        with pytest.raises(DeviceError, match=r"the board did not reset \(interrupted\): do the same again"):
            repl.exec_and_reset("storage.erase_filesystem()", 30)
        with pytest.raises(DeviceError, match=r"did not reset \(NameError: .*\): do"):
            repl.exec_and_reset("nonsense()", 30)
        repl.close()
    with mounted(flash) as drive:
        assert "holiday.jpg" in drive.listdir("/")


def test_the_board_has_time_to_begin_its_reset():
    flash = blank()
    with mounted(flash) as drive:
        drive.write_file("/holiday.jpg", b"\xff")
    with SerialBoard(flash) as board:
        repl = RawRepl(board.port)
        repl.enter_raw_repl()
        repl.exec("import storage")
        repl.exec_and_reset("storage.erase_filesystem()", 30)
        assert repl.ask("1+1") == 2
        repl.close()
    assert board.boots > 1
    with mounted(flash) as drive:
        assert "holiday.jpg" not in drive.listdir("/")
