"""Which mounted file systems are boards, and which boards are not mounted."""

from __future__ import annotations

from pathlib import Path

import pytest

from host_tools.device.finding import drives
from host_tools.device.finding.drives import Partition, find_drives, labels_of_devices, recognise, usb_of_device

BOOT_OUT = (
    "Adafruit CircuitPython 10.3.1 on 2026-08-20; Adafruit MagTag with ESP32S2\r\n"
    "Board ID:adafruit_magtag_2.9_grayscale\r\nUID:C7FD1A2B3C4D\r\n"
)
INFO_UF2 = (
    "TinyUF2 Bootloader 0.35.0 - tinyusb (0.18.0)\r\nModel: Adafruit MagTag\r\nBoard-ID: ESP32S2-MagTag_29gray-revC\r\n"
)
HERE = Path("/media/me/CIRCUITPY")


def seen(*partitions, files=(), labels=(), usb=()):
    """What `recognise` makes of mounts and files that are made up."""
    content = dict(files)
    return list(
        recognise(
            partitions,
            dict(labels),
            lambda path, size: content.get(str(path), "")[:size],
            lambda device: dict(usb).get(device, (None, None)),
        )
    )


def test_a_circuitpy_drive():
    (drive,) = seen(
        Partition("/dev/sda1", HERE, "vfat", "rw,relatime"),
        files={f"{HERE}/boot_out.txt": BOOT_OUT},
        labels={"/dev/sda1": "CIRCUITPY"},
        usb={"/dev/sda1": ("C7FD1A2B3C4D", "1-1.4")},
    )
    assert drive.folder == HERE and drive.label == "CIRCUITPY" and not drive.read_only and drive.mount_command == ""
    assert drive.boot_out and drive.boot_out.board_id == "adafruit_magtag_2.9_grayscale"
    assert (drive.usb_serial, drive.usb_location) == ("C7FD1A2B3C4D", "1-1.4")


def test_a_drive_that_its_owner_has_named_otherwise():
    (drive,) = seen(Partition("D:\\", Path("D:\\"), "FAT"), files={str(Path("D:\\") / "boot_out.txt"): BOOT_OUT})
    assert drive.boot_out and drive.info_uf2 is None


def test_a_bootloader_s_drive():
    folder = Path("/Volumes/MAGTAGBOOT")
    (drive,) = seen(Partition("/dev/disk4", folder, "msdos"), files={f"{folder}/INFO_UF2.TXT": INFO_UF2})
    assert drive.label == "MAGTAGBOOT"
    assert drive.info_uf2 and drive.info_uf2.board_id == "ESP32S2-MagTag_29gray-revC"


def test_a_drive_without_a_boot_out_is_known_by_its_label():
    (drive,) = seen(Partition("/dev/sda1", HERE, "vfat", "ro,relatime"))
    assert drive.boot_out is None and drive.read_only


@pytest.mark.parametrize(
    "partition",
    [
        Partition("/dev/sda1", Path("/media/me/HOLIDAYS"), "vfat"),
        # Nobody waits for a network share that does not answer.
        Partition("nas:/share", HERE, "nfs4"),
        Partition("/dev/sda1", HERE, "ext4"),
    ],
)
def test_what_is_no_board(partition):
    files = {f"{HERE}/boot_out.txt": BOOT_OUT, "/media/me/HOLIDAYS/boot_out.txt": "mine"}
    assert seen(partition, files=files) == []


def test_what_is_there_and_not_mounted():
    (drive,) = seen(
        Partition("/dev/sdb1", Path("/media/me/STICK"), "vfat"),
        labels={"/dev/sda1": "CIRCUITPY", "/dev/sdb1": "STICK", "/dev/sdc1": "HOLIDAYS"},
        usb={"/dev/sda1": ("C7FD1A2B3C4D", "1-1.4")},
    )
    assert drive.folder is None and drive.usb_serial == "C7FD1A2B3C4D"
    assert drive.mount_command == "udisksctl mount -b /dev/sda1"


def test_labels_as_linux_keeps_them(tmp_path):
    devices, by_label = tmp_path / "dev", tmp_path / "by-label"
    by_label.mkdir()
    devices.mkdir()
    for device, label in (("sda1", "CIRCUITPY"), ("sdb1", "MY\\x20DISK")):
        (devices / device).touch()
        (by_label / label).symlink_to(f"../dev/{device}")
    assert labels_of_devices(by_label) == {str(devices / "sda1"): "CIRCUITPY", str(devices / "sdb1"): "MY DISK"}
    assert labels_of_devices(tmp_path / "nowhere") == {}


def test_the_usb_device_that_a_block_device_is_on(tmp_path):
    usb = tmp_path / "devices/pci0/usb1/1-1/1-1.4"
    block = usb / "1-1.4:1.2/host6/target6:0:0/6:0:0:0/block/sda/sda1"
    block.mkdir(parents=True)
    for above, serial in ((usb, "C7FD1A2B3C4D\n"), (usb.parent, "of the hub\n")):
        (above / "idVendor").write_text("239a\n")
        (above / "serial").write_text(serial)
    (tmp_path / "block").mkdir()
    (tmp_path / "block/sda1").symlink_to(block)
    assert usb_of_device("/dev/sda1", tmp_path / "block") == ("C7FD1A2B3C4D", "1-1.4")
    (usb / "serial").unlink()
    assert usb_of_device("/dev/sda1", tmp_path / "block") == (None, "1-1.4")
    assert usb_of_device("/dev/nvme0n1p1", tmp_path / "block") == (None, None)


def test_files_of_a_real_folder(tmp_path, monkeypatch):
    folder = tmp_path / "CIRCUITPY"
    folder.mkdir()
    (folder / "boot_out.txt").write_bytes(BOOT_OUT.encode() + b"\xff" * 9000)
    monkeypatch.setattr(drives, "_partitions", lambda: [Partition("/dev/sdz1", folder, "vfat", "rw")])
    (drive,) = find_drives()
    assert drive.boot_out and drive.boot_out.uid == "C7FD1A2B3C4D"


def test_a_drive_that_was_pulled_out_while_it_was_looked_at(tmp_path, monkeypatch):
    monkeypatch.setattr(drives, "_partitions", lambda: [Partition("/dev/sdz1", tmp_path / "gone", "vfat", "rw")])
    assert find_drives() == []


def test_this_computer_s_drives_are_looked_at_without_an_error():
    assert all(drive.device for drive in find_drives())
