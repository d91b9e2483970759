"""Which boards are there: serial ports and drives put together by what they tell of themselves. Opens no port.

A board may be a port, a drive, or both. They are one where the drive's device has the port's serial number, or
boot_out.txt tells it as UID (both come from the chip's, supervisor/shared/usb/usb_desc.c and main.c); else where they
are in the same USB socket; else where both are of the same board and there is no other of it.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from host_tools.boards import Board, available
from host_tools.device.finding import circuitpython_build, info_uf2
from host_tools.device.finding.drives import CIRCUITPY, Drive, find_drives
from host_tools.device.finding.serial_ports import SerialPort, list_serial_ports
from host_tools.device.finding.usb_ids import TINYUF2, USB_SERIAL_JTAG, Kind, Meaning, meaning


@dataclass(frozen=True)
class Usb:
    vid: int
    pid: int
    serial: str | None
    product: str | None


@dataclass(frozen=True)
class Found:
    """A board, or what may be one.

    name: for people. board_id: of boards/, None where it is not known. circuitpython: its release. uid: as boot_out.txt
    has it. mount_command: "" unless its drive is there and not mounted. notes: what its owner should know of it.
    next_step: a command, "" where there is none.
    """

    kind: Kind
    name: str
    port: str | None = None
    drive: Path | None = None
    board_id: str | None = None
    circuitpython: str | None = None
    uid: str | None = None
    usb: Usb | None = None
    mount_command: str = ""
    notes: tuple[str, ...] = ()
    next_step: str = ""

    @property
    def small_steps(self) -> bool:
        """Whether its port takes no more than 128 bytes at a time (raw_repl)."""
        return self.usb is not None and (self.usb.vid, self.usb.pid) == USB_SERIAL_JTAG

    @property
    def place(self) -> str:
        """What a command takes for it: its drive where there is one, else its port."""
        return str(self.drive or self.port or "")


def find_boards() -> list[Found]:
    """The boards at this computer now, those with a port first. BoardError if a file of boards/ is bad."""
    return match(list_serial_ports(), find_drives(), available())


def match(ports: Sequence[SerialPort], drives: Sequence[Drive], boards: Sequence[Board]) -> list[Found]:
    """What those ports and drives are; each is in one Found. A board's ports come in the order of `ports`."""
    devices = _by_device(ports)
    # Device -> drive, by their numbers; a rule pairs what the rules before it have left.
    pairs: dict[int, int] = {}
    for together in (_same_serial, _same_socket, _only_ones_of_a_board(devices, drives, boards)):
        for number, device in enumerate(devices):
            for other, drive in enumerate(drives):
                if number not in pairs and other not in pairs.values() and together(device[0], drive):
                    pairs[number] = other
    found = [
        _found(device, drives[pairs[number]] if number in pairs else None, boards)
        for number, device in enumerate(devices)
    ]
    alone = [drive for number, drive in enumerate(drives) if number not in pairs.values()]
    return found + [_found([], drive, boards) for drive in alone]


def _by_device(ports: Sequence[SerialPort]) -> list[list[SerialPort]]:
    """The ports of each device together, the console's first: a CircuitPython program may have a second one."""
    devices: dict[object, list[SerialPort]] = {}
    for port in ports:
        key = (port.usb, port.serial, port.location) if port.serial or port.location else port.device
        devices.setdefault(key, []).append(port)
    return [sorted(device, key=lambda port: port.interface_number or "") for device in devices.values()]


def _same_serial(port: SerialPort, drive: Drive) -> bool:
    uid = drive.boot_out.uid if drive.boot_out else None
    theirs = {serial.upper() for serial in (drive.usb_serial, uid) if serial}
    return bool(port.serial) and str(port.serial).upper() in theirs


def _same_socket(port: SerialPort, drive: Drive) -> bool:
    # Two serial numbers that differ are two devices, whatever a hub says.
    differ = port.serial and drive.usb_serial and port.serial != drive.usb_serial
    return bool(port.location) and port.location == drive.usb_location and not differ


def _only_ones_of_a_board(
    devices: Sequence[Sequence[SerialPort]], drives: Sequence[Drive], boards: Sequence[Board]
) -> Callable[[SerialPort, Drive], bool]:
    """For macOS and Windows, where a bootloader's drive tells neither a serial number nor where it is."""

    def of_port(port: SerialPort) -> tuple[Kind, str | None]:
        told = meaning(port.usb, boards)
        return (told.kind, told.board_id) if told else ("unknown", None)

    def of_drive(drive: Drive) -> tuple[Kind, str | None]:
        return _kind_of_drive(drive), _board_of_drive(drive)

    ports_are = [of_port(device[0]) for device in devices]
    drives_are = [of_drive(drive) for drive in drives]

    def together(port: SerialPort, drive: Drive) -> bool:
        both = of_port(port)
        contradicted = port.serial and (drive.usb_serial or (drive.boot_out and drive.boot_out.uid))
        alike = both[1] is not None and both == of_drive(drive)
        return alike and not contradicted and ports_are.count(both) == 1 == drives_are.count(both)

    return together


def _kind_of_drive(drive: Drive) -> Kind:
    bootloader = drive.info_uf2 is not None or (drive.folder is None and drive.label != CIRCUITPY)
    return "uf2-bootloader" if bootloader else "circuitpython"


def _board_of_drive(drive: Drive) -> str | None:
    """As the drive tells it, whether there is a board file of it or not."""
    if drive.boot_out is not None:
        return drive.boot_out.board_id
    for known in TINYUF2:
        if info_uf2.is_of(drive.info_uf2, known.uf2_board) if drive.info_uf2 else drive.label == known.label:
            return known.board_id
    return None


def _found(device: Sequence[SerialPort], drive: Drive | None, boards: Sequence[Board]) -> Found:
    port = device[0] if device else None
    told = meaning(port.usb, boards) if port else None
    kind = _kind(port, drive, told)
    by_id = {board.id: board for board in boards}
    says = _board_of_drive(drive) if drive else None
    board_id = says or (told.board_id if told else None)
    board = by_id.get(board_id or "")
    booted = drive.boot_out if drive else None
    names = (
        board.name if board else None,
        says,
        drive.info_uf2.model if drive and drive.info_uf2 else None,
        told.name if told else None,
        port.product if port else None,
    )
    return Found(
        kind=kind,
        name=next((name for name in names if name), "a board" if drive else "a serial port"),
        port=port.device if port else None,
        drive=drive.folder if drive else None,
        board_id=board.id if board else None,
        circuitpython=booted.release if booted else None,
        uid=booted.uid if booted else None,
        usb=Usb(*port.usb, port.serial, port.product) if port else None,
        mount_command=drive.mount_command if drive else "",
        notes=tuple(_notes(kind, device, drive, says if board is None else None)),
        next_step=_next_step(kind, port, drive),
    )


def _kind(port: SerialPort | None, drive: Drive | None, told: Meaning | None) -> Kind:
    if drive is not None:
        return _kind_of_drive(drive)
    if told is not None:
        return told.kind
    # The name of the interface in supervisor/shared/usb: "CircuitPython CDC control".
    of_circuitpython = port is not None and (port.interface or "").startswith("CircuitPython")
    return "circuitpython" if of_circuitpython else "unknown"


_NOTES: dict[Kind, str] = {
    "usb-serial-jtag": "its bootloader and CircuitPython look alike from here: without it, `stoa flash` comes first",
    "uart-bridge": "what is behind the bridge does not show from here: without CircuitPython, `stoa flash` comes first",
    "unknown": "a serial port of a kind that is not known here, perhaps no board at all",
}


def _notes(kind: Kind, device: Sequence[SerialPort], drive: Drive | None, strange: str | None) -> list[str]:
    notes = [_NOTES[kind]] if kind in _NOTES else []
    if strange:
        notes.append(f"there is no board file for {strange}: `stoa boards` lists those there are")
    if drive and drive.boot_out and _is_too_old(drive):
        notes.append(f"CircuitPython {drive.boot_out.release} is too old: Stoa needs 9 or later")
    if drive and drive.info_uf2:
        notes.append(f"TinyUF2 {drive.info_uf2.version}")
    if drive and drive.mount_command:
        notes.append(f"its drive {drive.label} is not mounted: `{drive.mount_command}`")
    if drive and drive.read_only:
        notes.append("its drive is mounted read-only: unplug the board, plug it in again")
    if device and device[0].to_be_permitted:
        notes.append(f"you may not open {device[0].device}: {device[0].to_be_permitted}")
    notes += [f"{other.device} is its second port, for programs" for other in device[1:]]
    return notes


def _next_step(kind: Kind, port: SerialPort | None, drive: Drive | None) -> str:
    place = (drive.folder if drive and drive.folder else None) or (port.device if port else None)
    if drive and drive.mount_command:
        return drive.mount_command
    if place is None or kind == "unknown":
        return ""
    if drive and _is_too_old(drive):
        # Which says how the board comes into its bootloader.
        return "stoa flash"
    command = "flash" if kind in ("bootloader", "uf2-bootloader") else "deploy"
    return f"stoa {command} {shlex.quote(str(place))}"


def _is_too_old(drive: Drive) -> bool:
    return drive.boot_out is not None and drive.boot_out.version[:2] < circuitpython_build.OLDEST
