"""The boards' drives: CIRCUITPY with its boot_out.txt, and bootloaders with their INFO_UF2.TXT; mounted or not."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from host_tools.device.finding import boot_out, info_uf2
from host_tools.device.finding.usb_ids import TINYUF2

CIRCUITPY = "CIRCUITPY"
_LABELS = {CIRCUITPY, *(bootloader.label for bootloader in TINYUF2)}
# As psutil names FAT on Linux, macOS and Windows. Nothing else is looked into: to ask a network share may take minutes.
_FAT = {"vfat", "msdos", "fat", "fat12", "fat16", "fat32"}
_BY_LABEL = Path("/dev/disk/by-label")
_BLOCK_DEVICES = Path("/sys/class/block")
_ESCAPE = re.compile(r"\\x([0-9a-f]{2})")


@dataclass(frozen=True)
class Partition:
    """A mounted file system. options: as of `mount`, with commas."""

    device: str
    folder: Path
    file_system: str
    options: str = ""


@dataclass(frozen=True)
class Drive:
    """folder: None if it is not mounted. usb_serial, usb_location: of the device it is on, where the system says."""

    folder: Path | None
    device: str
    label: str | None = None
    boot_out: boot_out.BootOut | None = None
    info_uf2: info_uf2.InfoUf2 | None = None
    usb_serial: str | None = None
    usb_location: str | None = None
    read_only: bool = False

    @property
    def mount_command(self) -> str:
        """ "" where it is mounted. Only Linux is seen to leave one unmounted, on servers and minimal desktops."""
        return "" if self.folder else f"udisksctl mount -b {self.device}"


def find_drives() -> list[Drive]:
    """The drives of boards that are there now."""
    return list(recognise(_partitions(), labels_of_devices(), _read, usb_of_device))


def is_drive(folder: Path) -> bool:
    """Whether it is that of a board, mounted."""
    there = os.path.realpath(folder)
    return any(drive.folder and os.path.realpath(drive.folder) == there for drive in find_drives())


def recognise(
    partitions: Sequence[Partition],
    labels: Mapping[str, str],
    read: Callable[[Path, int], str],
    usb_of: Callable[[str], tuple[str | None, str | None]],
) -> Iterator[Drive]:
    """labels: device -> label. read: text of a file, so many bytes at most, "" if there is none. usb_of: see
    `usb_of_device`."""
    for partition in partitions:
        if partition.file_system.lower() not in _FAT:
            continue
        label = labels.get(partition.device) or partition.folder.name or None
        booted = boot_out.parse(read(partition.folder / "boot_out.txt", boot_out.SIZE))
        bootloader = info_uf2.parse(read(partition.folder / "INFO_UF2.TXT", boot_out.SIZE))
        if not (booted or bootloader or label == CIRCUITPY):
            continue
        serial, location = usb_of(partition.device)
        read_only = "ro" in partition.options.split(",")
        yield Drive(
            partition.folder, partition.device, label, booted, bootloader, serial, location, read_only=read_only
        )
    mounted = {partition.device for partition in partitions}
    for device, label in labels.items():
        if label in _LABELS and device not in mounted:
            serial, location = usb_of(device)
            yield Drive(None, device, label, usb_serial=serial, usb_location=location)


def _partitions() -> list[Partition]:
    import psutil

    # `all`, for psutil leaves out what a container's /proc/filesystems does not list.
    return [
        Partition(part.device, Path(part.mountpoint), part.fstype, part.opts) for part in psutil.disk_partitions(True)
    ]


def labels_of_devices(folder: Path = _BY_LABEL) -> dict[str, str]:
    """Device -> label of all file systems that Linux knows, mounted or not; {} elsewhere, where the folder a drive is
    mounted at bears the label."""
    try:
        return {os.path.realpath(link): _unescaped(link.name) for link in sorted(folder.iterdir())}
    except OSError:
        return {}


def _unescaped(name: str) -> str:
    return _ESCAPE.sub(lambda found: chr(int(found[1], 16)), name)


def _read(path: Path, size: int) -> str:
    try:
        with open(path, "rb") as file:
            return file.read(size).decode("utf-8", "replace")
    except OSError:
        return ""


def usb_of_device(device: str, block_devices: Path = _BLOCK_DEVICES) -> tuple[str | None, str | None]:
    """(serial number, location) of the USB device that a block device is on; of Linux alone."""
    try:
        path = (block_devices / os.path.basename(device)).resolve(strict=True)
        for above in path.parents:
            if (above / "idVendor").exists():
                serial = above / "serial"
                return (serial.read_text().strip() or None) if serial.exists() else None, above.name
    except OSError:
        pass
    return None, None
