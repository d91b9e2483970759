"""The picture before it goes to the glass: 1 bit a pixel, in the panel's own orientation.

The memory is what adafruit_epd keeps and sends (adafruit_framebuf's MHMSB): rows of the panel's native width, each
padded to whole bytes, the most significant bit leftmost, 1 is white. Drawing is in logical coordinates, turned by
`rotation` 0..3 with the same meaning as adafruit_framebuf's, so a picture drawn here equals one drawn there.
Whatever lies outside the canvas is not drawn.
"""

import binascii

BLACK = 0
WHITE = 1


class Canvas:
    """A drawing surface of `width` x `height` logical pixels over `buffer`, white at first.

    Pass the driver's own `buffer` (stride x native_height bytes) to draw straight into it and save the copy.
    """

    def __init__(self, native_width, native_height, rotation, buffer=None):
        self.native_width = native_width
        self.native_height = native_height
        self.rotation = rotation
        self.stride = (native_width + 7) // 8
        size = self.stride * native_height
        if rotation not in (0, 1, 2, 3):
            raise ValueError("rotation must be 0 to 3")
        if buffer is not None and len(buffer) != size:
            raise ValueError("buffer must hold %d bytes" % size)
        self.buffer = bytearray(size) if buffer is None else buffer
        turned = rotation in (1, 3)
        self.width = native_height if turned else native_width
        self.height = native_width if turned else native_height
        self.clear()

    def clear(self, color=WHITE):
        """Fill all of it, padding bits included."""
        fill = b"\xff" if color else b"\x00"
        # A row at a time: a whole buffer's worth of fill would need as much memory again.
        row = fill * self.stride
        for start in range(0, len(self.buffer), self.stride):
            self.buffer[start : start + self.stride] = row

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
        index = y * self.stride + (x >> 3)
        if color:
            self.buffer[index] |= 0x80 >> (x & 7)
        else:
            self.buffer[index] &= ~(0x80 >> (x & 7))

    def is_white(self, x, y):
        """Whether a pixel inside the canvas is white."""
        if self.rotation == 1:
            x, y = self.native_width - 1 - y, x
        elif self.rotation == 2:
            x, y = self.native_width - 1 - x, self.native_height - 1 - y
        elif self.rotation == 3:
            x, y = y, self.native_height - 1 - x
        return bool(self.buffer[y * self.stride + (x >> 3)] & (0x80 >> (x & 7)))

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
        for row in range(y * self.stride, bottom * self.stride, self.stride):
            self._mask(row + first, first_bits, color)
            if last > first:
                self.buffer[row + first + 1 : row + last] = between
                self._mask(row + last, last_bits, color)

    def _mask(self, index, bits, color):
        if color:
            self.buffer[index] |= bits
        else:
            self.buffer[index] &= ~bits

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
        return binascii.crc32(self.buffer)
