"""Serial ports and drives, put together to boards."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from host_tools import cli
from host_tools.boards import available
from host_tools.device.finding import boot_out, info_uf2, ports
from host_tools.device.finding.drives import Drive
from host_tools.device.finding.ports import match
from host_tools.device.finding.serial_ports import SerialPort, come_back, list_serial_ports, named
from host_tools.device.finding.usb_ids import ROM_BOOTLOADERS, TINYUF2, UART_BRIDGES, meaning

BOARDS = available()
MAGTAG, FEATHER = "adafruit_magtag_2.9_grayscale", "adafruit_feather_esp32s3_4mbflash_2mbpsram"
MAGTAG_USB, FEATHER_USB, MAGTAG_UF2 = (0x239A, 0x80E6), (0x239A, 0x811C), (0x239A, 0x00E5)
CP2102, CH340, JTAG = (0x10C4, 0xEA60), (0x1A86, 0x7523), (0x303A, 0x1001)
UID = "C7FD1A2B3C4D"
HERE, THERE = Path("/media/me/CIRCUITPY"), Path("/media/me/CIRCUITPY1")


def booted(board_id: str | None = MAGTAG, uid: str | None = UID, release: str = "10.3.1") -> boot_out.BootOut:
    lines = [f"Adafruit CircuitPython {release} on 2026-08-20; Adafruit MagTag with ESP32S2"]
    lines += [f"Board ID:{board_id}"] if board_id else []
    lines += [f"UID:{uid}"] if uid else []
    found = boot_out.parse("\r\n".join([*lines, ""]))
    assert found is not None
    return found


def in_bootloader(uf2_board: str = "ESP32S2-MagTag_29gray-revC") -> info_uf2.InfoUf2:
    found = info_uf2.parse(
        f"TinyUF2 Bootloader 0.35.0 - tinyusb\r\nModel: Somebody's board\r\nBoard-ID: {uf2_board}\r\n"
    )
    assert found is not None
    return found


def told(found):
    return [(board.kind, board.board_id, board.port, board.drive and str(board.drive)) for board in found]


# name: (ports, drives, (kind, board, port, drive) of each)
TABLE = {
    "nothing": ([], [], []),
    "port and drive by the serial number in boot_out.txt": (
        [SerialPort("/dev/ttyACM0", MAGTAG_USB, serial=UID.lower())],
        [Drive(HERE, "/dev/sda1", boot_out=booted())],
        [("circuitpython", MAGTAG, "/dev/ttyACM0", str(HERE))],
    ),
    "two of a kind, in another order": (
        [SerialPort("/dev/ttyACM0", MAGTAG_USB, serial="AA"), SerialPort("/dev/ttyACM1", MAGTAG_USB, serial="BB")],
        [Drive(HERE, "/dev/sda1", boot_out=booted(uid="BB")), Drive(THERE, "/dev/sdb1", boot_out=booted(uid="AA"))],
        [("circuitpython", MAGTAG, "/dev/ttyACM0", str(THERE)), ("circuitpython", MAGTAG, "/dev/ttyACM1", str(HERE))],
    ),
    "by what the system says of the drive's device, where boot_out.txt has no UID": (
        [SerialPort("/dev/ttyACM0", MAGTAG_USB, serial="AA"), SerialPort("/dev/ttyACM1", MAGTAG_USB, serial="BB")],
        [Drive(HERE, "/dev/sda1", boot_out=booted(uid=None), usb_serial="BB")],
        [("circuitpython", MAGTAG, "/dev/ttyACM0", None), ("circuitpython", MAGTAG, "/dev/ttyACM1", str(HERE))],
    ),
    "by the socket": (
        [
            SerialPort("/dev/ttyACM0", (0x2886, 0x8056), location="1-1"),
            SerialPort("/dev/ttyACM1", MAGTAG_USB, location="1-2"),
        ],
        [Drive(HERE, "/dev/sda1", label="CIRCUITPY", usb_location="1-1")],
        [("circuitpython", None, "/dev/ttyACM0", str(HERE)), ("circuitpython", MAGTAG, "/dev/ttyACM1", None)],
    ),
    "the socket that another device was in before": (
        [SerialPort("/dev/ttyACM0", MAGTAG_USB, serial="AA", location="1-1")],
        [Drive(HERE, "/dev/sda1", label="CIRCUITPY", usb_serial="BB", usb_location="1-1")],
        [("circuitpython", MAGTAG, "/dev/ttyACM0", None), ("circuitpython", None, None, str(HERE))],
    ),
    "the only ones of a board, where the system says nothing": (
        [
            SerialPort("/dev/cu.usbmodem1", MAGTAG_UF2, serial="7CDFA1B2C3D4"),
            SerialPort("/dev/cu.usbmodem2", FEATHER_USB),
        ],
        [Drive(Path("/Volumes/MAGTAGBOOT"), "/dev/disk4", info_uf2=in_bootloader())],
        [
            ("uf2-bootloader", MAGTAG, "/dev/cu.usbmodem1", "/Volumes/MAGTAGBOOT"),
            ("circuitpython", FEATHER, "/dev/cu.usbmodem2", None),
        ],
    ),
    "two of a board, where the system says nothing": (
        [
            SerialPort("/dev/cu.usbmodem1", MAGTAG_UF2, serial="AA"),
            SerialPort("/dev/cu.usbmodem2", MAGTAG_UF2, serial="BB"),
        ],
        [Drive(Path("/Volumes/MAGTAGBOOT"), "/dev/disk4", info_uf2=in_bootloader())],
        [
            ("uf2-bootloader", MAGTAG, "/dev/cu.usbmodem1", None),
            ("uf2-bootloader", MAGTAG, "/dev/cu.usbmodem2", None),
            ("uf2-bootloader", MAGTAG, None, "/Volumes/MAGTAGBOOT"),
        ],
    ),
    "a board whose boot_out.txt says that it is another": (
        [SerialPort("/dev/ttyACM0", MAGTAG_USB, serial="AA")],
        [Drive(HERE, "/dev/sda1", boot_out=booted(uid="BB"))],
        [("circuitpython", MAGTAG, "/dev/ttyACM0", None), ("circuitpython", MAGTAG, None, str(HERE))],
    ),
    "a drive alone": ([], [Drive(HERE, "/dev/sda1", boot_out=booted())], [("circuitpython", MAGTAG, None, str(HERE))]),
    "a bootloader's drive alone, of a later revision": (
        [],
        [Drive(Path("/media/me/FTHRS3BOOT"), "/dev/sda", info_uf2=in_bootloader("ESP32-S3-Feather-revD"))],
        [("uf2-bootloader", FEATHER, None, "/media/me/FTHRS3BOOT")],
    ),
    "drives that are not mounted": (
        [SerialPort("/dev/ttyACM0", MAGTAG_USB, serial=UID)],
        [Drive(None, "/dev/sda1", "CIRCUITPY", usb_serial=UID), Drive(None, "/dev/sdb", "FTHRS3BOOT")],
        [("circuitpython", MAGTAG, "/dev/ttyACM0", None), ("uf2-bootloader", FEATHER, None, None)],
    ),
    "a board without a file": (
        [SerialPort("/dev/ttyACM0", (0x2886, 0x8056), serial=UID)],
        [Drive(HERE, "/dev/sda1", boot_out=booted("seeed_xiao_esp32_s3_sense"))],
        [("circuitpython", None, "/dev/ttyACM0", str(HERE))],
    ),
    "CircuitPython by its interface": (
        [SerialPort("/dev/ttyACM0", (0x2886, 0x8056), interface="CircuitPython CDC control")],
        [],
        [("circuitpython", None, "/dev/ttyACM0", None)],
    ),
    "a program's second port": (
        [
            SerialPort("/dev/ttyACM0", MAGTAG_USB, serial=UID, location="1-1", interface_number="1.2"),
            SerialPort("/dev/ttyACM1", MAGTAG_USB, serial=UID, location="1-1", interface_number="1.0"),
        ],
        [],
        [("circuitpython", MAGTAG, "/dev/ttyACM1", None)],
    ),
    "ROM bootloaders": (
        [SerialPort("/dev/ttyACM0", (0x303A, 0x0002)), SerialPort("/dev/ttyACM1", (0x303A, 0x0009))],
        [],
        [("bootloader", None, "/dev/ttyACM0", None), ("bootloader", None, "/dev/ttyACM1", None)],
    ),
    "what cannot be told from here": (
        [
            SerialPort("/dev/ttyACM0", JTAG, serial="7C:DF:A1:00:11:22"),
            SerialPort("/dev/ttyUSB0", CP2102, serial="0001"),
            SerialPort("/dev/ttyUSB1", CH340),
            SerialPort("/dev/ttyUSB2", CH340),
            SerialPort("/dev/ttyACM1", (0x2341, 0x0043), product="Arduino Uno"),
        ],
        [],
        [
            ("usb-serial-jtag", None, "/dev/ttyACM0", None),
            ("uart-bridge", None, "/dev/ttyUSB0", None),
            ("uart-bridge", None, "/dev/ttyUSB1", None),
            ("uart-bridge", None, "/dev/ttyUSB2", None),
            ("unknown", None, "/dev/ttyACM1", None),
        ],
    ),
}


@pytest.mark.parametrize("row", TABLE)
def test_what_is_there(row):
    serial_ports, drives, wanted = TABLE[row]
    assert told(match(serial_ports, drives, BOARDS)) == wanted


@pytest.mark.parametrize(
    ("serial_ports", "drives", "notes", "next_step"),
    [
        (
            [SerialPort("/dev/ttyACM0", MAGTAG_USB, serial=UID)],
            [Drive(Path("/media/me/my board"), "/dev/sda1", boot_out=booted())],
            [],
            "stoa deploy '/media/me/my board'",
        ),
        (
            [],
            [Drive(None, "/dev/sda1", "CIRCUITPY")],
            ["its drive CIRCUITPY is not mounted: `udisksctl mount -b /dev/sda1`"],
            "udisksctl mount -b /dev/sda1",
        ),
        (
            [],
            [Drive(HERE, "/dev/sda1", boot_out=booted(release="8.2.10"))],
            ["CircuitPython 8.2.10 is too old: Stoa needs 9 or later"],
            "stoa flash",
        ),
        (
            [],
            [Drive(HERE, "/dev/sda1", boot_out=booted(), read_only=True)],
            ["its drive is mounted read-only: unplug the board, plug it in again"],
            f"stoa deploy {HERE}",
        ),
        (
            [],
            [Drive(Path("/media/me/MAGTAGBOOT"), "/dev/sda", info_uf2=in_bootloader())],
            ["TinyUF2 0.35.0"],
            "stoa flash /media/me/MAGTAGBOOT",
        ),
        (
            [SerialPort("/dev/ttyACM0", (0x303A, 0x0002), to_be_permitted="`sudo magic`")],
            [],
            ["you may not open /dev/ttyACM0: `sudo magic`"],
            "stoa flash /dev/ttyACM0",
        ),
        (
            [SerialPort("/dev/ttyUSB0", CH340)],
            [],
            ["what is behind the bridge does not show from here: without CircuitPython, `stoa flash` comes first"],
            "stoa deploy /dev/ttyUSB0",
        ),
        (
            [],
            [Drive(HERE, "/dev/sda1", boot_out=booted("seeed_xiao_esp32_s3_sense"))],
            ["there is no board file for seeed_xiao_esp32_s3_sense: `stoa boards` lists those there are"],
            f"stoa deploy {HERE}",
        ),
        (
            [SerialPort("/dev/ttyS7", (0x1234, 0x5678))],
            [],
            ["a serial port of a kind that is not known here, perhaps no board at all"],
            "",
        ),
    ],
)
def test_what_its_owner_is_told(serial_ports, drives, notes, next_step):
    (found,) = match(serial_ports, drives, BOARDS)
    assert list(found.notes) == notes
    assert found.next_step == next_step


def test_all_that_is_known_of_a_board():
    port = SerialPort("/dev/ttyACM0", MAGTAG_USB, serial=UID, product="MagTag")
    (found,) = match([port], [Drive(HERE, "/dev/sda1", boot_out=booted(release="10.4.0-beta.1"))], BOARDS)
    assert (found.name, found.circuitpython, found.uid) == ("Adafruit MagTag", "10.4.0-beta.1", UID)
    assert found.usb == ports.Usb(*MAGTAG_USB, UID, "MagTag")
    assert found.place == str(HERE) and not found.small_steps
    assert match([SerialPort("/dev/ttyACM0", JTAG)], [], BOARDS)[0].small_steps


def test_every_port_and_drive_is_in_one_board():
    all_ports = [port for serial_ports, *_ in TABLE.values() for port in serial_ports]
    all_drives = [drive for _, drives, _ in TABLE.values() for drive in drives]
    found = match(all_ports, all_drives, BOARDS)
    drives = [str(board.drive) for board in found if board.drive]
    assert sorted(drives) == sorted(str(drive.folder) for drive in all_drives if drive.folder)


def test_no_id_means_two_things():
    of_boards = [(board.usb.vid, board.usb.pid) for board in BOARDS if board.usb]
    ids = [*of_boards, *ROM_BOOTLOADERS, *UART_BRIDGES, *(known.usb for known in TINYUF2), JTAG]
    assert len(ids) == len(set(ids))
    assert all(meaning(usb, BOARDS) for usb in ids)
    assert meaning((0x1234, 0x5678), BOARDS) is None


def test_every_native_usb_board_has_its_bootloader_in_the_table():
    native = {board.id for board in BOARDS if board.link == "native-usb"}
    assert native == {known.board_id for known in TINYUF2}


AT = SerialPort("/dev/ttyACM0", MAGTAG_USB, serial=UID, location="1-1", interface_number="1.0")


@pytest.mark.parametrize(
    ("before", "now", "device"),
    [
        (
            AT,
            [SerialPort("/dev/ttyACM3", MAGTAG_USB, serial=UID, location="2-4", interface_number="1.0")],
            "/dev/ttyACM3",
        ),
        (AT, [SerialPort("/dev/ttyACM0", MAGTAG_USB, serial="other", location="1-1", interface_number="1.0")], None),
        (AT, [SerialPort("/dev/ttyACM0", (0x303A, 0x0002), serial=UID, location="1-1", interface_number="1.0")], None),
        (
            AT,
            [
                SerialPort("/dev/ttyACM1", MAGTAG_USB, serial=UID, location="1-1", interface_number="1.2"),
                SerialPort("/dev/ttyACM2", MAGTAG_USB, serial=UID, location="1-1", interface_number="1.0"),
            ],
            "/dev/ttyACM2",
        ),
        (
            SerialPort("/dev/ttyUSB0", CH340, location="1-1"),
            [SerialPort("/dev/ttyUSB0", CH340, location="1-2"), SerialPort("/dev/ttyUSB1", CH340, location="1-1")],
            "/dev/ttyUSB1",
        ),
        (AT, [], None),
    ],
)
def test_a_port_is_known_again_by_its_device_and_not_by_its_name(before, now, device):
    back = come_back(before, now)
    assert (back and back.device) == device


def test_a_link_to_a_port_is_that_port(tmp_path):
    link = tmp_path / "usb-Adafruit_MagTag-if00"
    link.symlink_to("/dev/ttyACM0")
    assert named(str(link), [AT]) == AT == named("/dev/ttyACM0", [AT])
    assert named("/dev/ttyACM1", [AT]) is None
    on_macos = SerialPort("/dev/cu.usbmodem1", MAGTAG_USB)
    assert named("/dev/tty.usbmodem1", [on_macos]) == on_macos


def test_this_computer_s_own_ports_are_listed_without_an_error():
    assert all(port.device for port in list_serial_ports())


def run(arguments, capsys, monkeypatch, found):
    monkeypatch.setattr(ports, "find_boards", lambda: found)
    with pytest.raises(SystemExit) as exited:
        cli.main(["ports", *arguments])
    out, err = capsys.readouterr()
    assert exited.value.code == 0
    return out, err


def test_the_table_is_whole_however_narrow_the_terminal(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")
    serial_ports, drives, _ = TABLE["port and drive by the serial number in boot_out.txt"]
    drives = [Drive(Path("/media/[me]/CIRCUITPY"), "/dev/sda1", boot_out=booted())]
    out, _ = run([], capsys, monkeypatch, match([*serial_ports, SerialPort("/dev/ttyUSB0", CP2102)], drives, BOARDS))
    head, magtag, bridge, *notes = out.splitlines()
    assert head.split() == ["BOARD", "RUNS", "PORT", "DRIVE", "NEXT"]
    for cell in ("Adafruit MagTag", "CircuitPython 10.3.1", "/dev/ttyACM0", "/media/[me]/CIRCUITPY"):
        assert cell in magtag
    assert magtag.rstrip().endswith("stoa deploy '/media/[me]/CIRCUITPY'")
    assert bridge.startswith("CP210x") and bridge.rstrip().endswith("stoa deploy /dev/ttyUSB0")
    assert notes[-1].startswith("/dev/ttyUSB0: what is behind the bridge")


def test_as_json(capsys, monkeypatch):
    found = match(
        [SerialPort("/dev/ttyACM0", MAGTAG_USB, serial=UID)], [Drive(HERE, "/dev/sda1", boot_out=booted())], BOARDS
    )
    out, _ = run(["--json"], capsys, monkeypatch, found)
    (board,) = json.loads(out)
    assert board["kind"] == "circuitpython" and board["board_id"] == MAGTAG and board["drive"] == str(HERE)
    assert board["usb"] == {"vid": 0x239A, "pid": 0x80E6, "serial": UID, "product": None}
    assert run(["--json"], capsys, monkeypatch, []) == ("[]\n", "")


def test_nothing_there_says_what_to_check(capsys, monkeypatch):
    out, err = run([], capsys, monkeypatch, [])
    assert out == ""
    for word in ("cable", "RESET", "driver", "dialout"):
        assert word in err
