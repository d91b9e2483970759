"""What a USB vendor and product id tell of a board: data, and one look-up.

An id names the program that runs or the chip in between, never both: the same MagTag is 239A:80E6 with CircuitPython,
239A:00E5 in its UF2 bootloader and 303A:0002 in its ROM, and an ESP32 behind a CP210x is always the CP210x.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from host_tools.boards import Board

# usb-serial-jtag: the serial port that an S3, C3, C6 or H2 has in hardware; bootloader and CircuitPython share it.
Kind = Literal["circuitpython", "bootloader", "uf2-bootloader", "usb-serial-jtag", "uart-bridge", "unknown"]
Id = tuple[int, int]

_ESPRESSIF = 0x303A
# With USB-OTG the ROM's product id is the chip's number in an image's header (esptool, ESPLoader.uses_usb_otg).
ROM_BOOTLOADERS: Mapping[Id, str] = {
    (_ESPRESSIF, 0x0002): "ESP32-S2",
    (_ESPRESSIF, 0x0009): "ESP32-S3",
}
USB_SERIAL_JTAG: Id = (_ESPRESSIF, 0x1001)
UART_BRIDGES: Mapping[Id, str] = {
    (0x10C4, 0xEA60): "CP210x",
    (0x10C4, 0xEA63): "CP210x",
    (0x10C4, 0xEA70): "CP2105",
    (0x10C4, 0xEA71): "CP2108",
    (0x1A86, 0x5523): "CH341",
    (0x1A86, 0x7522): "CH340",
    (0x1A86, 0x7523): "CH340",
    (0x1A86, 0x55D3): "CH343",
    (0x1A86, 0x55D4): "CH9102",
    (0x0403, 0x6001): "FT232R",
    (0x0403, 0x6010): "FT2232",
    (0x0403, 0x6011): "FT4232",
    (0x0403, 0x6014): "FT232H",
    (0x0403, 0x6015): "FT231X",
    (0x067B, 0x2303): "PL2303",
    (0x067B, 0x23A3): "PL2303",
}


@dataclass(frozen=True)
class TinyUf2:
    """A board's UF2 bootloader: `usb` while it runs, its drive's label, what INFO_UF2.TXT calls the board, our id."""

    usb: Id
    label: str
    uf2_board: str
    board_id: str


# tinyuf2's ports/espressif/boards/*/board.h.
TINYUF2 = (
    TinyUf2((0x239A, 0x00E5), "MAGTAGBOOT", "ESP32S2-MagTag_29gray-revC", "adafruit_magtag_2.9_grayscale"),
    TinyUf2(
        (0x239A, 0x011B),
        "FTHRS3BOOT",
        "ESP32-S3-Feather-revC",
        "adafruit_feather_esp32s3_4mbflash_2mbpsram",
    ),
)


@dataclass(frozen=True)
class Meaning:
    """name: for people. board_id: of boards/, where the id belongs to one board."""

    kind: Kind
    name: str
    board_id: str | None = None


def meaning(usb: Id, boards: Sequence[Board]) -> Meaning | None:
    """What is known of an id; None for one that is in no table and no board file."""
    for board in boards:
        if board.usb is not None and (board.usb.vid, board.usb.pid) == usb:
            return Meaning("circuitpython", board.name, board.id)
    for bootloader in TINYUF2:
        if bootloader.usb == usb:
            names = [board.name for board in boards if board.id == bootloader.board_id]
            return Meaning("uf2-bootloader", names[0] if names else bootloader.uf2_board, bootloader.board_id)
    if usb in ROM_BOOTLOADERS:
        return Meaning("bootloader", ROM_BOOTLOADERS[usb])
    if usb == USB_SERIAL_JTAG:
        return Meaning("usb-serial-jtag", "ESP32-S3, C3, C6 or H2")
    if usb in UART_BRIDGES:
        return Meaning("uart-bridge", UART_BRIDGES[usb])
    return None
