"""Merged images: what is read from them, and what is not let pass."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from host_tools.device.errors import ImageRefused
from host_tools.device.flashing.esp_image import DRIVE, FACTORY, NVS, OTA_0, check_application, read_image, read_table
from tests.device.firmware_image import (
    CHIP_IDS,
    TABLE_4MB,
    TABLE_AT,
    TABLE_NO_UF2,
    application,
    esp_image,
    merged,
    partition_table,
)


def made(chip: str = "ESP32-S2", **options: object) -> bytes:
    return merged(chip, application(chip, "a_board", size=20_000), **options)


@pytest.mark.parametrize("chip", CHIP_IDS)
def test_the_chip_and_its_partitions(chip: str) -> None:
    image = read_image(made(chip))
    assert image.chip == chip
    nvs, drive = image.partition(NVS), image.partition(DRIVE)
    assert nvs and (nvs.name, nvs.at, nvs.size, nvs.end) == ("nvs", 0x9000, 0x5000, 0xE000)
    assert drive and (drive.name, drive.at, drive.size) == ("user_fs", 0x310000, 960 * 1024)
    assert image.erases(nvs) and not image.erases(drive)


def test_a_table_without_uf2() -> None:
    image = read_image(made(rows=TABLE_NO_UF2))
    assert image.partition(FACTORY) is None and image.partition(OTA_0)


def test_an_image_as_the_real_esptool_sees_it(tmp_path: Path) -> None:
    """So that these tests are about images as there are."""
    path = tmp_path / "application.bin"
    path.write_bytes(application("ESP32-S3", "a_board"))
    said = subprocess.run(
        [sys.executable, "-m", "esptool", "--chip", "esp32s3", "image-info", path], capture_output=True, text=True
    ).stdout
    assert "Checksum: " in said and "(valid)" in said
    assert "Validation hash: " in said and said.count("(valid)") == 2
    assert "Project name: circuitpython" in said


def spoilt(at: int) -> bytes:
    image = bytearray(made())
    image[at] ^= 0xFF
    return bytes(image)


WRONG = [
    (b"", "is no image for an ESP32"),
    (b"\x7fELF" + bytes(200_000), "is no image for an ESP32"),
    # The magic and an unknown chip.
    (b"\xe9\x01\x02\x2f" + bytes(8) + b"\xee\x07" + bytes(100_000), "is no image for an ESP32"),
    (application("ESP32-S2", "a_board"), "an application alone, without bootloader"),
    (application("ESP32-S3", "a_board"), "no partition table"),
    (made()[:0x7000], "no partition table"),
    (made()[:0x10000], "no application where its partition table wants one"),
    (made()[:0x10010], "no application for a chip"),
    (made()[:0x11000], "is cut short"),
    (made()[:-1], "is cut short"),
    (made(other="ESP32"), "a bootloader for ESP32 and an application for ESP32-S2"),
    (spoilt(0x12000), "its checksum does not fit"),
    (spoilt(len(made()) - 1), "its checksum does not fit"),
    (spoilt(TABLE_AT + 5), "a broken partition table"),
]


@pytest.mark.parametrize(("content", "text"), WRONG, ids=[f"{n} {text}" for n, (_, text) in enumerate(WRONG)])
def test_what_is_not_let_pass(content: bytes, text: str) -> None:
    with pytest.raises(ImageRefused, match=text):
        read_image(content)


def test_cut_anywhere_it_is_refused() -> None:
    whole = made()
    for size in range(0, len(whole), 911):
        with pytest.raises(ImageRefused):
            read_image(whole[:size])
    assert read_image(whole)


def test_an_application_without_a_digest_has_its_checksum() -> None:
    image = bytearray(esp_image("ESP32", b"x" * 1001, digest=False))
    assert check_application(bytes(image)) == "ESP32"
    image[40] ^= 1
    with pytest.raises(ImageRefused, match="checksum"):
        check_application(bytes(image))


def test_a_blank_flash_has_no_partitions() -> None:
    assert read_table(b"\xff" * 0xC00) == ()
    assert read_table(bytes(0xC00)) == ()
    assert [each.name for each in read_table(partition_table())] == [row[0] for row in TABLE_4MB]
