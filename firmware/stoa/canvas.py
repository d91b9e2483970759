"""The picture before it goes to the glass: 1 bit a pixel, in the panel's own orientation.

The memory is what adafruit_epd sends (adafruit_framebuf's MHMSB): rows of the panel's native width, each padded to
whole bytes, the most significant bit leftmost, 1 is white. It is in bands of rows, for after a code was answered a
small heap has 40 KB free and not 5 of them in one piece. Drawing is in logical coordinates, turned by
`rotation` 0..3 with the same meaning as adafruit_framebuf's, so a picture drawn here equals one drawn there.
Whatever lies outside the canvas is not drawn.
"""

import binascii

BLACK = 0
WHITE = 1
# 64 rows a band: 1 KB of a panel that is 128 wide.
BAND = 6
WITHIN = (1 << BAND) - 1


class Canvas:
    """A drawing surface of `width` x `height` logical pixels, white at first.

    bands: a list of bytearrays, which one after the other are the picture.
    """

    def __init__(self, native_width, native_height, rotation):
        self.native_width = native_width
        self.native_height = native_height
        self.rotation = rotation
        self.stride = (native_width + 7) // 8
        if rotation not in (0, 1, 2, 3):
            raise ValueError("rotation must be 0 to 3")
        self.bands = []
        for row in range(0, native_height, 1 << BAND):
            self.bands.append(bytearray(self.stride * min(1 << BAND, native_height - row)))
        turned = rotation in (1, 3)
        self.width = native_height if turned else native_width
        self.height = native_width if turned else native_height
        self.clear()

    def clear(self, color=WHITE):
        """Fill all of it, padding bits included."""
        # A row at a time: a whole band's worth of fill would need as much memory again.
        row = (b"\xff" if color else b"\x00") * self.stride
        for band in self.bands:
            for start in range(0, len(band), self.stride):
                band[start : start + self.stride] = row

    def pixel(self, x, y, color=BLACK):
        """Set one pixel."""
        if x < 0 or y < 0 or x >= self.width or y >= self.height:
            return
        if self.rotation == 1:
            x, y = self.native_width - 1 - y, x
        elif self.rotation == 2:
            x, y = self.native_width - 1 - x, self.native_height - 1 - y
        elif self.rotation == 3:
            x, y = y, self.native_height - 1 - x
        _mask(self.bands[y >> BAND], (y & WITHIN) * self.stride + (x >> 3), 0x80 >> (x & 7), color)

    def is_white(self, x, y):
        """Whether a pixel inside the canvas is white."""
        if self.rotation == 1:
            x, y = self.native_width - 1 - y, x
        elif self.rotation == 2:
            x, y = self.native_width - 1 - x, self.native_height - 1 - y
        elif self.rotation == 3:
            x, y = y, self.native_height - 1 - x
        return bool(self.bands[y >> BAND][(y & WITHIN) * self.stride + (x >> 3)] & (0x80 >> (x & 7)))

    def fill_rect(self, x, y, width, height, color=BLACK):
        """Fill a rectangle, whole bytes at a time where it can."""
        right = min(x + width, self.width)
        bottom = min(y + height, self.height)
        x = max(x, 0)
        y = max(y, 0)
        if x >= right or y >= bottom:
            return
        # From here on in native coordinates, right and bottom exclusive.
        if self.rotation == 1:
            x, y, right, bottom = self.native_width - bottom, x, self.native_width - y, right
        elif self.rotation == 2:
            x, right = self.native_width - right, self.native_width - x
            y, bottom = self.native_height - bottom, self.native_height - y
        elif self.rotation == 3:
            x, y, right, bottom = y, self.native_height - right, bottom, self.native_height - x
        first = x >> 3
        last = (right - 1) >> 3
        first_bits = 0xFF >> (x & 7)
        last_bits = 0xFF & (0xFF << (7 - ((right - 1) & 7)))
        if first == last:
            first_bits &= last_bits
        between = (b"\xff" if color else b"\x00") * (last - first - 1)
        for row in range(y, bottom):
            band = self.bands[row >> BAND]
            at = (row & WITHIN) * self.stride
            _mask(band, at + first, first_bits, color)
            if last > first:
                band[at + first + 1 : at + last] = between
                _mask(band, at + last, last_bits, color)

    def blit(self, bits, width, height, x, y):
        """Draw in black the set bits of a `width` x `height` bitmap whose rows follow each other without padding."""
        column = 0
        row = 0
        for byte in bits:
            for shift in (7, 6, 5, 4, 3, 2, 1, 0):
                if row == height:
                    return
                if (byte >> shift) & 1:
                    self.pixel(x + column, y + row)
                column += 1
                if column == width:
                    column = 0
                    row += 1

    def crc(self):
        """CRC-32 of the picture: equal pictures need no refresh of the glass."""
        crc = 0
        for band in self.bands:
            crc = binascii.crc32(band, crc)
        return crc


def _mask(band, index, bits, color):
    if color:
        band[index] |= bits
    else:
        band[index] &= ~bits
