"""UF2 files: the same as esptool's, and what is not let pass."""

from __future__ import annotations

import struct
import subprocess
import sys
from pathlib import Path

import pytest

from host_tools.device.errors import ImageRefused
from host_tools.device.flashing.uf2 import is_uf2, read_uf2
from tests.device.firmware_image import UF2_FAMILIES, application, uf2

S2 = UF2_FAMILIES["ESP32-S2"]
WHOLE = uf2(application("ESP32-S2", "a_board", size=4000), S2)


@pytest.mark.parametrize("chip", UF2_FAMILIES)
def test_chip_and_content(chip: str) -> None:
    content = application(chip, "a_board", size=4000)
    file = uf2(content, UF2_FAMILIES[chip])
    read = read_uf2(file)
    assert is_uf2(file) and not is_uf2(content)
    assert (read.chip, read.blocks) == (chip, len(file) // 512)
    assert read.content[: len(content)] == content
    assert not read.content[len(content) :].strip(b"\0")


@pytest.mark.parametrize("options", [["--chunk-size", "256", "--md5-disable"], []], ids=["as uf2conv", "with MD5"])
def test_a_file_of_the_real_esptool(options: list[str], tmp_path: Path) -> None:
    content = application("ESP32-S3", "a_board", size=4000)
    (tmp_path / "a.bin").write_bytes(content)
    command = [sys.executable, "-m", "esptool", "--chip", "esp32s3", "merge-bin", "--format", "uf2", *options]
    subprocess.run([*command, "-o", tmp_path / "a.uf2", "0", tmp_path / "a.bin"], check=True, capture_output=True)
    read = read_uf2((tmp_path / "a.uf2").read_bytes())
    assert read.chip == "ESP32-S3" and read.content[: len(content)] == content


def changed(block: int, field: int, value: int) -> bytes:
    """Field: which of the block's words."""
    file = bytearray(WHOLE)
    struct.pack_into("<I", file, block * 512 + field * 4, value)
    return bytes(file)


WRONG = [
    (b"", "no UF2 file, or cut short"),
    (WHOLE[:-100], "no UF2 file, or cut short"),
    (WHOLE[:-512], "download it again"),
    (WHOLE[512:], "download it again"),
    (WHOLE[:512] + WHOLE[1024:], "download it again"),
    (changed(3, 1, 0), "is broken at block 3"),
    (changed(3, 127, 0), "is broken at block 3"),
    (changed(3, 5, 9), "has block 9 of"),
    (changed(3, 3, 0x40000), "no UF2 file of CircuitPython for an ESP32"),
    (changed(3, 4, 477), "no UF2 file of CircuitPython for an ESP32"),
    (changed(3, 2, 0), "no UF2 file of CircuitPython for an ESP32"),
    (changed(3, 2, 0x2001), "no UF2 file of CircuitPython for an ESP32"),
    (changed(3, 7, UF2_FAMILIES["ESP32-S3"]), "is for another chip"),
    (uf2(b"RP2040" * 100, 0xE48BFF56), "family 0xe48bff56"),
    (uf2(b"x" * 512, S2, begins_at=0x10000000), "no UF2 file of CircuitPython for an ESP32"),
]


@pytest.mark.parametrize(("content", "text"), WRONG, ids=[f"{n} {text}" for n, (_, text) in enumerate(WRONG)])
def test_what_is_not_let_pass(content: bytes, text: str) -> None:
    with pytest.raises(ImageRefused, match=text):
        read_uf2(content)
