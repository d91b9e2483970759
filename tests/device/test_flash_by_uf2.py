"""A UF2 file through `stoa flash` to a bootloader's drive, which takes blocks and goes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from host_tools.device.flashing import flash as flashing
from host_tools.device.flashing import uf2_drive
from tests.device.command_line import stoa
from tests.device.firmware_image import UF2_FAMILIES, application, merged, uf2
from tests.device.uf2_bootloader import Uf2Bootloader
from tests.home import MAGTAG

FEATHER = "adafruit_feather_esp32s3_4mbflash_2mbpsram"


@pytest.fixture
def image(tmp_path: Path):
    """Makes the .uf2 of a board, and gives its path."""

    def make(chip: str = "ESP32-S2", board: str = MAGTAG, version: str = "10.3.1") -> Path:
        path = tmp_path / f"adafruit-circuitpython-{board}-en_US-{version}.uf2"
        path.write_bytes(uf2(application(chip, board, version=version), UF2_FAMILIES[chip]))
        return path

    return make


@pytest.fixture
def plug_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def make(**options: object) -> Uf2Bootloader:
        bootloader = Uf2Bootloader(tmp_path / "MAGTAGBOOT", **options)
        monkeypatch.setattr(uf2_drive.os, "fsync", bootloader.sync)
        monkeypatch.setattr(flashing, "DRIVE_GOES_WITHIN_S", 0.0)
        return bootloader

    return make


def test_every_block_is_taken_and_the_drive_goes(image, plug_in) -> None:
    bootloader, path = plug_in(), image()
    said = stoa("flash", bootloader.drive, "--image", path, "--json")
    assert said.code == 0, said.err
    written = application("ESP32-S2", MAGTAG)
    assert bootloader.application[: len(written)] == written
    assert bootloader.restarts == 1
    report = json.loads(said.out)
    assert report.pop("seconds") >= 0
    assert report == {
        "board": MAGTAG,
        "chip": "ESP32-S2",
        "way": "uf2",
        "image": path.name,
        "version": "10.3.1",
        "bytes": path.stat().st_size,
        "verified": False,
        "nvm": "kept",
        "drive": "kept",
        "restarts": True,
    }
    assert f"writing: {path.stat().st_size:,} of {path.stat().st_size:,} bytes" in said.err


def test_nothing_is_lost_so_nothing_is_asked(image, plug_in) -> None:
    bootloader = plug_in()
    said = stoa("flash", bootloader.drive, "--image", image())
    assert said.code == 0
    assert "TinyUF2 has taken all of it and its drive went; not read back." in said.out
    assert "`stoa deploy`" in said.out
    assert "Press RESET" not in said.out


def test_another_revision_of_the_board_is_the_board(image, plug_in) -> None:
    bootloader = plug_in(board_id="ESP32S2-MagTag_29gray-revD")
    assert stoa("flash", bootloader.drive, "--image", image()).code == 0


OLD = {"version": "0.18.2", "application_size": 0x160000}


def test_a_tinyuf2_too_old_for_circuitpython_10_is_refused_with_the_remedy(image, plug_in) -> None:
    bootloader = plug_in(**OLD)
    said = stoa("flash", bootloader.drive, "--image", image())
    assert said.code == 3
    assert "TinyUF2 0.18.2 of this board is too old for CircuitPython 10.3.1" in said.err
    assert f"flash adafruit-circuitpython-{MAGTAG}-en_US-10.3.1.bin" in said.err and "hold BOOT" in said.err
    assert bootloader.files() == ["INFO_UF2.TXT"]


def test_it_takes_circuitpython_9(image, plug_in) -> None:
    bootloader = plug_in(**OLD)
    assert stoa("flash", bootloader.drive, "--image", image(version="9.2.8")).code == 0
    assert bootloader.restarts == 1


def test_a_new_tinyuf2_on_an_old_partition_table_is_found_out_by_its_size(image, plug_in) -> None:
    bootloader = plug_in(application_size=0x20000)
    said = stoa("flash", bootloader.drive, "--image", image())
    assert said.code == 3
    assert "has 128 KiB for an application of 147 KiB" in said.err
    assert bootloader.files() == ["INFO_UF2.TXT"]


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"board_id": "ESP32S2-Funhouse-revC", "model": "Adafruit FunHouse"}, "is the drive of Adafruit FunHouse"),
        ({"board_id": "ESP32-S3-Feather-revC", "model": "Feather"}, f"not of {MAGTAG}"),
    ],
)
def test_the_drive_of_another_board_is_refused(image, plug_in, options: dict[str, str], text: str) -> None:
    bootloader = plug_in(**options)
    said = stoa("flash", bootloader.drive, "--image", image())
    assert said.code == 3
    assert text in said.err
    assert bootloader.files() == ["INFO_UF2.TXT"]


def test_a_bootloader_that_is_no_tinyuf2(image, plug_in) -> None:
    bootloader = plug_in()
    (bootloader.drive / "INFO_UF2.TXT").write_text(
        "UF2 Bootloader v3.0\r\nModel: Raspberry Pi RP2\r\nBoard-ID: RPI-RP2\r\n"
    )
    said = stoa("flash", bootloader.drive, "--image", image())
    assert said.code == 3 and "not TinyUF2" in said.err


def test_the_drive_of_a_circuitpython_that_runs(image, tmp_path: Path) -> None:
    (tmp_path / "CIRCUITPY").mkdir()
    said = stoa("flash", tmp_path / "CIRCUITPY", "--image", image())
    assert said.code == 3 and "double-tap RESET" in said.err


def test_an_image_of_the_other_way(image, plug_in, tmp_path: Path) -> None:
    bootloader = plug_in()
    path = tmp_path / f"adafruit-circuitpython-{MAGTAG}-en_US-10.3.1.bin"
    path.write_bytes(merged("ESP32-S2", application("ESP32-S2", MAGTAG)))
    said = stoa("flash", bootloader.drive, "--image", path, "--yes")
    assert said.code == 2 and f"take adafruit-circuitpython-{MAGTAG}-en_US-10.3.1.uf2" in said.err
    said = stoa("flash", "/dev/ttyACM9", "--image", image())
    assert said.code == 2 and f"take adafruit-circuitpython-{MAGTAG}-en_US-10.3.1.bin" in said.err


def test_a_file_for_another_chip(image, plug_in, tmp_path: Path) -> None:
    bootloader = plug_in()
    said = stoa("flash", bootloader.drive, "--image", image("ESP32-S3", FEATHER), "--board", MAGTAG)
    assert said.code == 2 and f"is for {FEATHER}, not for {MAGTAG}" in said.err
    assert bootloader.files() == ["INFO_UF2.TXT"]


def test_a_drive_pulled_half_way_and_the_same_again(image, plug_in) -> None:
    bootloader, path = plug_in(pull_after=300), image()
    said = stoa("flash", bootloader.drive, "--image", path)
    assert said.code == 3
    assert "went after 128 of 294 KiB" in said.err and "check the cable" in said.err
    bootloader.pull_after = None
    bootloader.plug_in()
    assert stoa("flash", bootloader.drive, "--image", path).code == 0
    written = application("ESP32-S2", MAGTAG)
    assert bootloader.application[: len(written)] == written


def test_a_full_disk(image, plug_in) -> None:
    said = stoa("flash", plug_in(full_after=300).drive, "--image", image())
    assert said.code == 3 and "is full" in said.err


def test_a_bootloader_that_does_not_take_the_file_stays(image, plug_in) -> None:
    bootloader = plug_in(chip="ESP32-S3")
    said = stoa("flash", bootloader.drive, "--image", image())
    assert said.code == 3 and "is still there" in said.err
    assert not bootloader.restarts


def test_without_an_image_the_file_to_download_is_named(plug_in) -> None:
    said = stoa("flash", plug_in().drive)
    assert said.code == 2
    named = f"adafruit-circuitpython-{MAGTAG}-en_US-10.3.1.uf2 (or newer) from circuitpython.org/board/{MAGTAG}"
    assert named in said.err
    said = stoa("flash", "--board", MAGTAG)
    assert said.code == 2 and f"adafruit-circuitpython-{MAGTAG}-en_US-10.3.1.bin" in said.err
    assert "--board ID" in stoa("flash").err


@pytest.mark.parametrize("options", [[], ["--image", "another.bin", "--yes"]])
@pytest.mark.parametrize("suffix", [".bin", ".uf2"])
def test_an_image_in_the_place_of_the_port(tmp_path: Path, suffix: str, options: list[str]) -> None:
    path = tmp_path / f"adafruit-circuitpython-{MAGTAG}-en_US-10.3.1{suffix}"
    path.write_bytes(b"")
    said = stoa("flash", path, *options)
    assert said.code == 2
    assert said.err == f"stoa: {path} is a file, neither a port nor a drive: give it with --image {path}\n"


def test_the_help_tells_what_is_read_back_and_the_exit_code_for_a_board_that_is_not_known() -> None:
    told = " ".join(stoa("flash", "--help").out.split())
    assert "It is not read back" in told and "by esptool, and is read back" in told
    assert stoa("flash", "--board", "nobodys").code == 1
    assert "1 if it was not wanted after all, or for a board that is not known;" in told
