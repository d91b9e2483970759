"""The values that cross the link, as bytes.

A frame is a little-endian u32 length and that many bytes. A request frame holds the operation's name and its arguments
as one list; a reply frame holds (True, result) or (False, kind, errno, message), where kind names a built-in exception.

One tag byte a value: N None, T True, F False, i 32-bit and q 64-bit signed integer, b bytes and s text (u32 length),
l list (u16 count). Floats do not cross: times are integers of nanoseconds.
"""

import struct

MAX_FRAME = 1 << 20


def encode(value, out):
    """Append the bytes of `value` to the bytearray `out`."""
    if value is None:
        out.append(0x4E)
    elif value is True:
        out.append(0x54)
    elif value is False:
        out.append(0x46)
    elif isinstance(value, int):
        if -0x80000000 <= value <= 0x7FFFFFFF:
            out.append(0x69)
            out.extend(struct.pack("<i", value))
        else:
            out.append(0x71)
            out.extend(struct.pack("<q", value))
    elif isinstance(value, str):
        data = value.encode("utf-8")
        out.append(0x73)
        out.extend(struct.pack("<I", len(data)))
        out.extend(data)
    elif isinstance(value, (list, tuple)):
        out.append(0x6C)
        out.extend(struct.pack("<H", len(value)))
        for item in value:
            encode(item, out)
    elif isinstance(value, (bytes, bytearray, memoryview)):
        out.append(0x62)
        out.extend(struct.pack("<I", len(value)))
        out.extend(value)
    else:
        raise TypeError("%s does not cross the link" % type(value))


def decode(data, at):
    """Return (value, position after it) for the value that starts at `at`."""
    tag = data[at]
    at += 1
    if tag == 0x4E:
        return None, at
    if tag == 0x54:
        return True, at
    if tag == 0x46:
        return False, at
    if tag == 0x69:
        return struct.unpack_from("<i", data, at)[0], at + 4
    if tag == 0x71:
        return struct.unpack_from("<q", data, at)[0], at + 8
    if tag == 0x73 or tag == 0x62:
        size = struct.unpack_from("<I", data, at)[0]
        at += 4
        if at + size > len(data):
            raise ValueError("link frame cut short")
        value = bytes(data[at : at + size])
        return (value.decode("utf-8") if tag == 0x73 else value), at + size
    if tag == 0x6C:
        count = struct.unpack_from("<H", data, at)[0]
        at += 2
        items = []
        for _ in range(count):
            item, at = decode(data, at)
            items.append(item)
        return items, at
    raise ValueError("link tag %d is unknown" % tag)


def frame(value):
    """The whole frame of `value`, length included."""
    out = bytearray(4)
    encode(value, out)
    struct.pack_into("<I", out, 0, len(out) - 4)
    return out


def frame_but_tail(values):
    """The frame of a list whose last value is bytes-like, without the bytes of that value."""
    out = bytearray(4)
    out.append(0x6C)
    out.extend(struct.pack("<H", len(values)))
    for value in values[:-1]:
        encode(value, out)
    out.append(0x62)
    out.extend(struct.pack("<I", len(values[-1])))
    struct.pack_into("<I", out, 0, len(out) - 4 + len(values[-1]))
    return out
