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


def plan(text, box, largest_module=8):
    """How to draw `text` in a square of `box` pixels: (version, medium, module, side), or None if it cannot be read so.

    `medium` is true if the better error correction costs no larger code; `module` is in pixels, `side` is the whole
    square in pixels, quiet zone included.
    """
    length = len(text.encode("utf-8"))
    for index, capacity in enumerate(_BYTES_L):
        if length <= capacity:
            modules = 21 + 4 * index + 2 * QUIET_MODULES
            module = min((box + 2 * RIM_PIXELS) // modules, largest_module)
            if module < SMALLEST_MODULE:
                return None
            return index + 1, length <= _BYTES_M[index], module, min(modules * module, box)
    return None


def draw(canvas, text, planned, x, y):
    """Draw a planned code with its square's upper left corner at (x, y)."""
    # 20 KB of source that a wake without a code to show does not need.
    from stoa.qr_code import Code

    version, medium, module, side = planned
    code = Code(text.encode("utf-8"), version, medium)
    count = code.module_count
    canvas.fill_rect(x, y, side, side, 1)
    margin = (side - count * module) // 2
    for row in range(count):
        start = None
        for column in range(count + 1):
            dark = column < count and code.matrix[row, column]
            if dark and start is None:
                start = column
            elif not dark and start is not None:
                canvas.fill_rect(
                    x + margin + start * module, y + margin + row * module, (column - start) * module, module
                )
                start = None
