"""A chip in its ROM's bootloader, on a pseudo-terminal: ESP32, ESP32-S2 or ESP32-S3, as the real esptool meets it.

It speaks the serial protocol of the ROM, takes esptool's stub into its memory and then speaks as the stub does
(the page "Serial Protocol" of esptool's documentation). Its flash is NOR: erasing makes ones of whole sectors, writing
only makes noughts, so that what was not erased shows.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import pty
import select
import struct
import threading
import tty
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import ClassVar

END, ESCAPE, ESCAPED_END, ESCAPED_ESCAPE = 0xC0, 0xDB, 0xDC, 0xDD
SECTOR, BLOCK = 0x1000, 0x10000
FLASH_BEGIN, FLASH_DATA, FLASH_END = 0x02, 0x03, 0x04
MEM_BEGIN, MEM_END, MEM_DATA = 0x05, 0x06, 0x07
SYNC, WRITE_REG, READ_REG = 0x08, 0x09, 0x0A
SPI_SET_PARAMS, SPI_ATTACH, READ_FLASH_SLOW, CHANGE_BAUDRATE = 0x0B, 0x0D, 0x0E, 0x0F
DEFL_BEGIN, DEFL_DATA, DEFL_END = 0x10, 0x11, 0x12
SPI_FLASH_MD5, GET_SECURITY_INFO = 0x13, 0x14
ERASE_FLASH, ERASE_REGION, READ_FLASH = 0xD0, 0xD1, 0xD2
# The ROM leaves there what it read last, the sync pattern; the stub answers nought.
ROM_VALUE = 0x55201207
INVALID_MESSAGE, BAD_CHECKSUM, NOT_IN_FLASH_MODE, INVALID_COMMAND = 0x0105, 0xC100, 0xC600, 0xC300
MAGIC_REGISTER = 0x40001000
# What a Winbond W25Q32 says to RDID (0x9F) is EF 40 16: the last byte is the size as a power of two.
WINBOND = 0x40EF


@dataclass(frozen=True)
class Chip:
    """magic: at MAGIC_REGISTER. chip_id: what GET_SECURITY_INFO tells, where it does. usr..w0: registers of SPI1."""

    name: str
    magic: int
    security_info: int
    chip_id: int
    spi: int
    usr2: int
    w0: int
    address_is_at_the_top: bool
    mac_registers: tuple[int, int]
    registers: tuple[tuple[int, int], ...] = ()


# esptool 5.6, targets/*.py; GET_SECURITY_INFO is unknown to the ESP32's ROM and short in the ESP32-S2's.
ESP32 = Chip(
    "ESP32", 0x00F01D83, 0, 0, 0x3FF42000, 0x24, 0x80, True, (0x3FF5A004, 0x3FF5A008),
    # The divider of the UART's clock: a crystal of 40 MHz at 115200 baud.
    ((0x3FF40014, 347),),
)  # fmt: skip
ESP32_S2 = Chip("ESP32-S2", 0x000007C6, 12, 2, 0x3F402000, 0x20, 0x58, False, (0x3F41A044, 0x3F41A048))
ESP32_S3 = Chip("ESP32-S3", 0x00000009, 20, 9, 0x60002000, 0x20, 0x58, False, (0x60007044, 0x60007048))
CHIPS = (ESP32, ESP32_S2, ESP32_S3)
Handlers = Mapping[int, Callable[["RomBootloader", int, bytes, int], None]]


@dataclass
class RomBootloader:
    """`port` is the pseudo-terminal's name while the context lasts. flash: its content, which outlives it.

    silent: no chip in its bootloader answers. says: what a board that runs CircuitPython answers instead. stuck_at: an
    address in flash where a bit stays nought. pull_after: so many bytes of flash data, then the cable goes.
    hangs_after: so many, then it answers no more, and `hangs` is set. pull_after_md5: at the command after a hash.
    erased and written: (address, bytes) as they happened. commands: operations in their order.
    """

    chip: Chip
    flash: bytearray = field(default_factory=lambda: bytearray(b"\xff" * 0x400000))
    silent: bool = False
    says: bytes = b""
    stuck_at: int | None = None
    pull_after: int | None = None
    hangs_after: int | None = None
    pull_after_md5: bool = False
    mac: bytes = bytes.fromhex("7cdfa1068ea8")
    erased: list[tuple[int, int]] = field(default_factory=list)
    written: list[tuple[int, int]] = field(default_factory=list)
    commands: list[int] = field(default_factory=list)

    def __enter__(self) -> RomBootloader:
        self._master, self._slave = pty.openpty()
        tty.setraw(self._slave)
        self.port = os.ttyname(self._slave)
        self._over = threading.Event()
        self.hangs = threading.Event()
        self._heard = bytearray()
        self._taken = 0
        self._boot()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._over.set()
        self._thread.join(10)
        assert not self._thread.is_alive(), "the double hangs"
        self._unplug()

    def _boot(self) -> None:
        """The ROM runs, and nothing is in memory."""
        self._in_stub = False
        self._memory: dict[int, bytearray] = {}
        self._loading = (0, 0)
        self._writing: _Writing | None = None
        self._registers = dict(self.chip.registers)
        self._registers[MAGIC_REGISTER] = self.chip.magic
        low, high = self.chip.mac_registers
        self._registers[low] = int.from_bytes(self.mac[2:], "big")
        self._registers[high] = int.from_bytes(self.mac[:2], "big")

    def _unplug(self) -> None:
        self._over.set()
        for end in (self._slave, self._master):
            with contextlib.suppress(OSError):
                os.close(end)

    def _serve(self) -> None:
        while not self._over.is_set():
            packet = self._hear()
            if packet is None or self.silent:
                continue
            if self.says:
                self._send_raw(self.says)
                continue
            if len(packet) < 8 or packet[0] != 0:
                continue
            operation, size, checksum = struct.unpack_from("<BHI", packet, 1)
            data = packet[8:]
            if len(data) != size:
                continue
            if self.pull_after_md5 and self.commands[-1:] == [SPI_FLASH_MD5]:
                self._unplug()
                return
            self.commands.append(operation)
            self._handle(operation, data, checksum)

    def _handle(self, operation: int, data: bytes, checksum: int) -> None:
        rom, stub = self.ROM.get(operation), self.STUB.get(operation)
        handler = (stub or rom) if self._in_stub else rom
        if handler is None:
            if self._in_stub:
                self._answer(operation, status=INVALID_COMMAND)
            else:
                # Of another operation, and eight times.
                for _ in range(8):
                    self._answer(0, status=INVALID_MESSAGE)
            return
        try:
            handler(self, operation, data, checksum)
        except _Refused as refused:
            self._answer(operation, status=refused.status)

    # SLIP, and the form of an answer

    def _hear(self) -> bytes | None:
        """A packet; None if none came for a moment."""
        while True:
            begins = self._heard.find(END)
            ends = self._heard.find(END, begins + 1) if begins >= 0 else -1
            if ends == begins + 1 and ends > 0:
                del self._heard[:ends]
                continue
            if ends > 0:
                packet = bytes(self._heard[begins + 1 : ends])
                del self._heard[: ends + 1]
                return packet.replace(bytes((ESCAPE, ESCAPED_END)), bytes((END,))).replace(
                    bytes((ESCAPE, ESCAPED_ESCAPE)), bytes((ESCAPE,))
                )
            if not select.select([self._master], [], [], 0.05)[0]:
                return None
            try:
                self._heard += os.read(self._master, 65536)
            except OSError:
                self._over.set()
                return None

    def _send(self, packet: bytes) -> None:
        escaped = packet.replace(bytes((ESCAPE,)), bytes((ESCAPE, ESCAPED_ESCAPE))).replace(
            bytes((END,)), bytes((ESCAPE, ESCAPED_END))
        )
        self._send_raw(bytes((END,)) + escaped + bytes((END,)))

    def _send_raw(self, data: bytes) -> None:
        try:
            while data and not self._over.is_set():
                data = data[os.write(self._master, data) :]
        except OSError:
            self._over.set()

    def _answer(self, operation: int, value: int | None = None, data: bytes = b"", status: int = 0) -> None:
        if value is None:
            value = 0 if self._in_stub else ROM_VALUE
        # The ROM sends two bytes more.
        data += status.to_bytes(2, "big") + (b"" if self._in_stub else b"\0\0")
        self._send(struct.pack("<BBHI", 1, operation, len(data), value) + data)

    # what the ROM knows

    def _sync(self, operation: int, data: bytes, checksum: int) -> None:
        if data == b"\x07\x07\x12\x20" + b"\x55" * 32:
            for _ in range(8):
                self._answer(operation)

    def _read_reg(self, operation: int, data: bytes, checksum: int) -> None:
        self._answer(operation, self._registers.get(struct.unpack("<I", data)[0], 0))

    def _write_reg(self, operation: int, data: bytes, checksum: int) -> None:
        for address, value, mask, _ in struct.iter_unpack("<IIII", data):
            self._registers[address] = self._registers.get(address, 0) & ~mask | value & mask
            if address == self.chip.spi and value & 1 << 18:
                self._registers[address] = 0
                self._registers[self.chip.spi + self.chip.w0] = self._spi_command()
        self._answer(operation)

    def _spi_command(self) -> int:
        """The flash chip's answer to the command that lies in the registers."""
        command = self._registers.get(self.chip.spi + self.chip.usr2, 0) & 0xFF
        if command == 0x9F:
            return (len(self.flash).bit_length() - 1) << 16 | WINBOND
        if command == 0x5A:
            address = self._registers.get(self.chip.spi + 4, 0) >> (8 if self.chip.address_is_at_the_top else 0)
            return int.from_bytes((b"SFDP".ljust(16, b"\0") + b"\xef\0\0\0")[address : address + 4], "little")
        return 0

    def _security_info(self, operation: int, data: bytes, checksum: int) -> None:
        if not self.chip.security_info:
            raise _Refused(INVALID_COMMAND)
        info = struct.pack("<IBBBBBBBBII", 0, 0, 0, 0, 0, 0, 0, 0, 0, self.chip.chip_id, 0)
        self._answer(operation, data=info[: self.chip.security_info])

    def _mem_begin(self, operation: int, data: bytes, checksum: int) -> None:
        size, _, block_size, address = struct.unpack("<IIII", data)
        self._memory[address] = bytearray()
        self._loading = (address, size)
        self._block_size = block_size
        self._answer(operation)

    def _mem_data(self, operation: int, data: bytes, checksum: int) -> None:
        content = _content(data, checksum)
        sequence = struct.unpack_from("<I", data, 4)[0]
        address, size = self._loading
        held = self._memory[address]
        if len(held) != sequence * self._block_size or len(held) + len(content) > size:
            raise _Refused(INVALID_MESSAGE)
        held += content
        self._answer(operation)

    def _mem_end(self, operation: int, data: bytes, checksum: int) -> None:
        stays, entry = struct.unpack("<II", data)
        self._answer(operation)
        if not stays and any(at <= entry < at + len(held) for at, held in self._memory.items()):
            self._in_stub = True
            self._send(b"OHAI")

    def _done(self, operation: int, data: bytes, checksum: int) -> None:
        self._answer(operation)

    def _md5(self, operation: int, data: bytes, checksum: int) -> None:
        address, size = struct.unpack_from("<II", data)
        digest = hashlib.md5(self.flash[address : address + size])
        self._answer(operation, data=digest.digest() if self._in_stub else digest.hexdigest().encode())

    def _read_slow(self, operation: int, data: bytes, checksum: int) -> None:
        address, size = struct.unpack("<II", data)
        self._answer(operation, data=bytes(self.flash[address : address + size]).ljust(64, b"\xff"))

    # writing to flash

    def _begin(self, operation: int, data: bytes, checksum: int) -> None:
        size, _, _, address = struct.unpack_from("<IIII", data)
        inflate = zlib.decompressobj().decompress if operation == DEFL_BEGIN else bytes
        self._writing = _Writing(address, address + size, address // SECTOR * SECTOR, inflate)
        if not self._in_stub:
            self._erase_up_to(self._writing.end)
        self._answer(operation)

    def _data(self, operation: int, data: bytes, checksum: int) -> None:
        content = _content(data, checksum)
        if self._writing is None:
            raise _Refused(NOT_IN_FLASH_MODE)
        if self.pull_after is not None and self._taken + len(content) > self.pull_after:
            self._program(self._writing.inflate(content[: self.pull_after - self._taken]))
            self._unplug()
            return
        if self.hangs_after is not None and self._taken + len(content) > self.hangs_after:
            self.silent = True
            self.hangs.set()
            return
        self._taken += len(content)
        self._program(self._writing.inflate(content))
        self._answer(operation)

    def _program(self, content: bytes) -> None:
        writing = self._writing
        assert writing is not None
        # The last block is filled up with ones.
        content = content[: max(0, writing.end - writing.at)]
        self._erase_up_to(writing.at + len(content))
        for at, byte in enumerate(content, writing.at):
            self.flash[at] &= byte
        if self.stuck_at is not None and writing.at <= self.stuck_at < writing.at + len(content):
            self.flash[self.stuck_at] &= 0xFE
        self.written.append((writing.at, len(content)))
        writing.at += len(content)

    def _erase_up_to(self, end: int) -> None:
        """Sector by sector, or by blocks of 64 KiB where one begins and is wanted whole."""
        writing = self._writing
        assert writing is not None
        while writing.erased < end:
            whole = writing.erased % BLOCK == 0 and writing.erased + BLOCK <= writing.end
            self._erase(writing.erased, BLOCK if whole else SECTOR)
            writing.erased += BLOCK if whole else SECTOR

    def _erase(self, address: int, size: int) -> None:
        self.flash[address : address + size] = b"\xff" * size
        self.erased.append((address, size))

    def _end(self, operation: int, data: bytes, checksum: int) -> None:
        self._writing = None
        self._answer(operation)
        if struct.unpack_from("<I", data)[0] == 0:
            self._boot()

    # what the stub alone knows

    def _erase_all(self, operation: int, data: bytes, checksum: int) -> None:
        self._erase(0, len(self.flash))
        self._answer(operation)

    def _erase_region(self, operation: int, data: bytes, checksum: int) -> None:
        self._erase(*struct.unpack("<II", data))
        self._answer(operation)

    def _read(self, operation: int, data: bytes, checksum: int) -> None:
        address, size, block_size, in_flight = struct.unpack("<IIII", data)
        self._answer(operation)
        content = bytes(self.flash[address : address + size])
        sent = acknowledged = 0
        while acknowledged < size and not self._over.is_set():
            if sent < size and sent - acknowledged < in_flight * block_size:
                self._send(content[sent : sent + block_size])
                sent = min(size, sent + block_size)
            elif (packet := self._hear()) is not None:
                acknowledged = struct.unpack("<I", packet)[0]
        self._send(hashlib.md5(content).digest())

    ROM: ClassVar[Handlers] = {
        SYNC: _sync,
        READ_REG: _read_reg,
        WRITE_REG: _write_reg,
        MEM_BEGIN: _mem_begin,
        MEM_DATA: _mem_data,
        MEM_END: _mem_end,
        SPI_ATTACH: _done,
        SPI_SET_PARAMS: _done,
        CHANGE_BAUDRATE: _done,
        FLASH_BEGIN: _begin,
        FLASH_DATA: _data,
        FLASH_END: _end,
        DEFL_BEGIN: _begin,
        DEFL_DATA: _data,
        DEFL_END: _end,
        SPI_FLASH_MD5: _md5,
        READ_FLASH_SLOW: _read_slow,
        GET_SECURITY_INFO: _security_info,
    }
    STUB: ClassVar[Handlers] = {ERASE_FLASH: _erase_all, ERASE_REGION: _erase_region, READ_FLASH: _read}


@dataclass
class _Writing:
    """at: where the next byte goes. erased: up to where. Addresses in flash."""

    at: int
    end: int
    erased: int
    inflate: Callable[[bytes], bytes]


class _Refused(Exception):
    def __init__(self, status: int) -> None:
        super().__init__(hex(status))
        self.status = status


def _content(data: bytes, checksum: int) -> bytes:
    """What a DATA command carries, after its four words."""
    content = data[16 : 16 + struct.unpack_from("<I", data)[0]]
    state = 0xEF
    for byte in content:
        state ^= byte
    if state != checksum:
        raise _Refused(BAD_CHECKSUM)
    return content
