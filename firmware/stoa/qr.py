"""A QR code on the canvas, by the published adafruit_miniqr.

The standard (ISO/IEC 18004, 9.1) wants four white modules around the code. One pixel of them on each side may lie on
the glass beyond the last row, which stays white: so a 33-module code gets 3-pixel modules on 122 rows (41 x 3 = 123).
"""

QUIET_MODULES = 4
RIM_PIXELS = 1
# At two pixels (0.4 mm on these panels) a phone still reads it from a hand's breadth; at one it does not.
SMALLEST_MODULE = 2

# ISO/IEC 18004 table 7: bytes held by versions 1 to 9, where adafruit_miniqr ends, at error correction L and M.
_BYTES_L = (17, 32, 53, 78, 106, 134, 154, 192, 230)
_BYTES_M = (14, 26, 42, 62, 84, 106, 122, 152, 180)


def target(content):
    """What the code of a screen's content says: the address that has the user code in it, if there is one."""
    return content.get("verification_uri_complete") or content["verification_uri"]


def _version(text):
    """(version, whether the better error correction costs no larger code), or None for a text too long."""
    length = len(text.encode("utf-8"))
    for index, capacity in enumerate(_BYTES_L):
        if length <= capacity:
            return index + 1, length <= _BYTES_M[index]
    return None


def plan(text, box, largest_module=8):
    """How to draw `text` in a square of `box` pixels: (module, side), or None if it cannot be read so.

    `module` is in pixels, `side` is the whole square in pixels, quiet zone included.
    """
    version = _version(text)
    if version is None:
        return None
    modules = 17 + 4 * version[0] + 2 * QUIET_MODULES
    module = min((box + 2 * RIM_PIXELS) // modules, largest_module)
    if module < SMALLEST_MODULE:
        return None
    return module, min(modules * module, box)


def encode(text):
    """The code of `text`: (modules a side, rows), or None.

    rows: a bytearray, each row in as many bytes as it takes, the leftmost module in the highest bit, 1 is dark.
    """
    version = _version(text)
    if version is None:
        return None
    # 20 KB of source that a wake without a code to show does not need.
    from stoa.qr_code import Code

    count = 17 + 4 * version[0]
    row_size = (count + 7) // 8
    # One object, and there before the code's own: what is left of them would stand in the way of the picture.
    rows = bytearray(count * row_size)
    code = Code(text.encode("utf-8"), version[0], version[1])
    for y in range(count):
        for x in range(count):
            if code.matrix[y, x]:
                rows[y * row_size + (x >> 3)] |= 0x80 >> (x & 7)
    return count, rows


def draw(canvas, encoded, planned, x, y):
    """Draw an encoded and planned code with its square's upper left corner at (x, y)."""
    module, side = planned
    canvas.fill_rect(x, y, side, side, 1)
    count, rows = encoded
    row_size = (count + 7) // 8
    margin = (side - count * module) // 2
    for row in range(count):
        start = None
        for column in range(count + 1):
            dark = column < count and rows[row * row_size + (column >> 3)] & (0x80 >> (column & 7))
            if dark and start is None:
                start = column
            elif not dark and start is not None:
                canvas.fill_rect(
                    x + margin + start * module, y + margin + row * module, (column - start) * module, module
                )
                start = None
