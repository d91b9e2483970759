"""The serial ports of this computer that are on USB, and how to know one again that comes back under another name."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

from host_tools.device.finding.usb_ids import Id
from host_tools.device.opening import how_to_be_permitted


@dataclass(frozen=True)
class SerialPort:
    """serial: the USB serial number. location: bus and sockets, as "1-1.4"; interface_number: of its CDC, or None.

    to_be_permitted: what lets this user open it, None if nothing is needed.
    """

    device: str
    usb: Id
    serial: str | None = None
    location: str | None = None
    interface_number: str | None = None
    product: str | None = None
    interface: str | None = None
    to_be_permitted: str | None = None


def list_serial_ports() -> list[SerialPort]:
    """By name, ports in numerical order. Some milliseconds; opens none of them."""
    from serial.tools.list_ports import comports

    found = []
    for port in sorted(comports()):
        if port.vid is None or port.pid is None:
            # A computer's own ttyS0 is no board.
            continue
        # On Linux "1-1.4:1.0", the interface behind the colon; elsewhere it may be missing.
        location, _, interface_number = (port.location or "").partition(":")
        found.append(
            SerialPort(
                device=port.device,
                usb=(port.vid, port.pid),
                serial=port.serial_number or None,
                location=location or None,
                interface_number=interface_number or None,
                product=port.product,
                interface=port.interface,
                to_be_permitted=None if _is_permitted(port.device) else how_to_be_permitted(port.device),
            )
        )
    return found


def _is_permitted(device: str) -> bool:
    return os.name != "posix" or os.access(device, os.R_OK | os.W_OK)


def named(device: str, ports: Sequence[SerialPort]) -> SerialPort | None:
    """The port of that name, or the one that a link (/dev/serial/by-id) points at."""
    # macOS has each port twice, and lists the one that does not wait for a modem's carrier.
    names = {device, os.path.realpath(device), device.replace("/dev/tty.", "/dev/cu.")}
    return next((port for port in ports if port.device in names), None)


def come_back(before: SerialPort, ports: Sequence[SerialPort]) -> SerialPort | None:
    """The same port of the same device among `ports`, whatever it is called now.

    By serial number where the device has one: a CH340 has none, and is known by the socket it is in.
    """
    if before.serial:
        same = [port for port in ports if (port.usb, port.serial) == (before.usb, before.serial)]
    else:
        same = [port for port in ports if (port.usb, port.location) == (before.usb, before.location)]
    # A program may open a second port for itself (usb_cdc.data).
    return next((port for port in same if port.interface_number == before.interface_number), None)
