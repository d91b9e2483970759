"""A drive that is made anew over a serial port: the owner's settings outlive it, whatever breaks off."""

from __future__ import annotations

import tempfile

import pytest

from host_tools.bundle import SLOTS, build_program
from host_tools.device.console.raw_repl import BoardRaised, RawRepl
from host_tools.device.deploying.deploy import deploy
from host_tools.device.deploying.serial_way import SerialWay
from host_tools.device.errors import CutShort, DeviceError, DriveDamaged, DriveReadOnly, LinkLost
from host_tools.virtual_board.fat import mounted
from tests.device import deploy_bench
from tests.device.deploy_bench import BOARD, HEAD, blank
from tests.device.serial_board import SerialBoard

pytestmark = pytest.mark.usefixtures("micropython")

SETTINGS = b'STOA_API = "https://quotes.example"\n'


@pytest.fixture
def flash():
    made = blank()
    with mounted(made) as drive:
        drive.write_file("/settings.toml", SETTINGS)
        drive.write_file("/holiday.jpg", b"\xff" * 1000)
    return made


@pytest.fixture(autouse=True)
def saved(monkeypatch, tmp_path):
    """The folder in which the settings lie meanwhile."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def files(flash):
    with mounted(flash) as drive:
        return {name: drive.read_file(f"/{name}") for name in drive.listdir("/") if "." in name}


def erase(flash, lose_settings=False, then=lambda way: None, **board):
    with SerialBoard(flash, **board) as double:
        repl = RawRepl(double.port)
        try:
            repl.enter_raw_repl()
            with SerialWay(repl) as way:
                way.erase_drive(lose_settings)
                then(way)
        finally:
            repl.close()


def test_settings_are_kept_and_all_else_goes(flash, saved):
    whole = build_program(BOARD)
    few = {path: whole[path] for path in sorted(whole)[:6]}
    erase(flash, then=lambda way: deploy(way, HEAD, few, lambda *progress: None))
    with mounted(flash) as drive:
        assert deploy_bench.running(drive) == (SLOTS[0], few)
    assert files(flash)["settings.toml"] == SETTINGS and "holiday.jpg" not in files(flash)
    assert not list(saved.iterdir())


def test_a_drive_is_not_made_anew_where_the_settings_could_not_be_put_back(flash):
    before = bytes(flash.content)
    with pytest.raises(DriveReadOnly, match=r"save it from the drive, make the drive anew in the REPL"):
        erase(flash, usb_attached=True)
    assert bytes(flash.content) == before


def _short(self, path, at, size):
    return b"STOA"


def _damaged(self, path, at, size):
    raise DriveDamaged("the drive is damaged")


@pytest.mark.parametrize("reads", [_short, _damaged])
def test_settings_that_cannot_be_read_are_lost_only_if_that_is_wanted(flash, monkeypatch, reads):
    before = bytes(flash.content)
    monkeypatch.setattr(SerialWay, "_read", reads)
    with pytest.raises(DriveDamaged, match="add --lose-settings"):
        erase(flash)
    assert bytes(flash.content) == before
    erase(flash, lose_settings=True)
    assert files(flash) == {}


def test_a_cable_that_is_pulled_is_no_reason_to_lose_settings(flash, monkeypatch):
    before = bytes(flash.content)

    def pulled(self, path, at, size):
        raise LinkLost("pulled out")

    monkeypatch.setattr(SerialWay, "_read", pulled)
    with pytest.raises(LinkLost):
        erase(flash, lose_settings=True)
    assert bytes(flash.content) == before


def test_a_file_that_cannot_be_looked_at_is_not_one_that_is_not_there(flash, monkeypatch):
    before = bytes(flash.content)
    give_agent = SerialWay._give_agent

    def damaged(self):
        give_agent(self)
        # What FatFs answers to a directory that cannot be read.
        self._exec("def stat(path):\n raise OSError(5)\nos=type('os',(),{'stat':stat})")

    monkeypatch.setattr(SerialWay, "_give_agent", damaged)
    with pytest.raises(DriveDamaged):
        erase(flash)
    assert bytes(flash.content) == before


def test_settings_that_had_not_got_their_name_yet_are_kept(flash):
    with mounted(flash) as drive:
        drive.rename("/settings.toml", "/settings.toml.new")
    erase(flash)
    assert files(flash) == {"settings.toml": SETTINGS}


def _no_memory(self):
    raise BoardRaised("MemoryError", None)


def _noise(self):
    raise ZeroDivisionError("a defect of ours")


def _unplugged(self):
    raise LinkLost("the board runs what it ran before")


def _interrupted(self, *arguments):
    raise KeyboardInterrupt


def _is_there(saved, error):
    (file,) = saved.iterdir()
    assert file.read_bytes() == SETTINGS and file.stat().st_mode & 0o777 == 0o600
    assert f"What was in settings.toml is in {file} on this computer" in str(error)


def test_settings_that_did_not_get_back_are_in_a_file(flash, monkeypatch, saved):
    monkeypatch.setattr(SerialWay, "write", lambda self, path, content, on_bytes: None)
    with pytest.raises(DeviceError, match=r"settings\.toml reads back otherwise") as told:
        erase(flash)
    _is_there(saved, told.value)


@pytest.mark.parametrize(
    ("goes_wrong", "error", "said"),
    [
        (_no_memory, DeviceError, r"and it may be empty: deploy again \(MemoryError\)\. What was in"),
        (
            _unplugged,
            LinkLost,
            r"the link broke off as the drive was made anew, and it may be empty: deploy again\. What",
        ),
        (_noise, DeviceError, r"\(a defect of ours\)\. What was in"),
    ],
)
def test_so_they_are_whatever_goes_wrong_then(flash, monkeypatch, saved, goes_wrong, error, said):
    exec_and_reset = RawRepl.exec_and_reset

    def then(self, *arguments):
        exec_and_reset(self, *arguments)
        monkeypatch.setattr(SerialWay, "_give_agent", goes_wrong)

    monkeypatch.setattr(RawRepl, "exec_and_reset", then)
    with pytest.raises(error, match=said) as told:
        erase(flash)
    _is_there(saved, told.value)


@pytest.mark.parametrize("again", [False, True])
def test_so_they_are_after_ctrl_c(flash, monkeypatch, saved, again):
    if again:
        monkeypatch.setattr(RawRepl, "leave", _interrupted)
    monkeypatch.setattr(RawRepl, "exec_and_reset", _interrupted)
    with pytest.raises(CutShort, match=r"as the drive was made anew, and it may be empty: deploy again\. What") as told:
        erase(flash)
    _is_there(saved, told.value)


def test_where_there_are_no_settings_there_is_no_file_of_them(flash, monkeypatch, saved):
    with mounted(flash) as drive:
        drive.remove("/settings.toml")
    monkeypatch.setattr(RawRepl, "exec_and_reset", _interrupted)
    with pytest.raises(CutShort, match=r"deploy again$"):
        erase(flash)
    assert not list(saved.iterdir())
