"""CircuitPython's struct over MicroPython's: its `unpack_from` takes the offset by name, as adafruit_ntp gives it."""

import ustruct
from ustruct import calcsize, pack, pack_into, unpack

__all__ = ("calcsize", "pack", "pack_into", "unpack", "unpack_from")


def unpack_from(format, buffer, offset=0):
    return ustruct.unpack_from(format, buffer, offset)
