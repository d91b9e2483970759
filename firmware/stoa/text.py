"""Text in a packed bitmap font (the format is host_tools/fonts/compiler.py's).

A Font keeps its index in RAM as `bytes` (nine bytes a glyph) and fetches each bitmap from its file when drawn: a
daily wake draws some 300 glyphs once, and the largest font would cost 8 KB of heap if it were kept whole.
"""

import struct

FOLDER = "fonts"
_HEADER = "<4sBBBBBBHHBB"
_HEADER_SIZE = 16
_RECORD = "<HBBbbB"
_RECORD_SIZE = 7


class Font:
    """One face at one size.

    Rows, in pixels: `ascent` and `descent` of the lower case, `top` and `bottom` of the furthest glyph, `cap_height`,
    `x_height`, and `line_height` from one baseline to the next. Raises OSError without its file, ValueError if the
    file is not a font.
    """

    def __init__(self, name, folder=None):
        self._path = (FOLDER if folder is None else folder) + "/" + name
        with open(self._path, "rb") as file:
            header = file.read(_HEADER_SIZE)
            if len(header) < _HEADER_SIZE or header[:4] != b"STF1":
                raise ValueError("not a font: " + self._path)
            (
                _,
                self.size,
                self.ascent,
                self.descent,
                self.line_height,
                self.top,
                self.bottom,
                count,
                self._replacement,
                self.cap_height,
                self.x_height,
            ) = struct.unpack(_HEADER, header)
            self._code_points = file.read(2 * count)
            self._records = file.read(_RECORD_SIZE * count)
            if len(self._records) < _RECORD_SIZE * count:
                raise ValueError("font cut short: " + self._path)
        self._bitmaps = _HEADER_SIZE + len(self._code_points) + len(self._records)

    def _record(self, character):
        """Where the record of a character starts; the replacement box's for one the font has not."""
        wanted = ord(character)
        table = self._code_points
        low = 0
        high = len(table) // 2
        while low < high:
            middle = (low + high) // 2
            found = table[2 * middle] | table[2 * middle + 1] << 8
            if found == wanted:
                return middle * _RECORD_SIZE
            if found < wanted:
                low = middle + 1
            else:
                high = middle
        return self._replacement * _RECORD_SIZE

    def has(self, character):
        """Whether the font itself has this character."""
        return self._record(character) != self._replacement * _RECORD_SIZE

    def measure(self, text):
        """Width of a line of text: how far the pen moves, in pixels."""
        width = 0
        for character in text:
            width += self._records[self._record(character) + 6]
        return width

    def draw(self, canvas, text, x, baseline):
        """Draw one line from pen position x on a baseline (the row under the letters); returns the pen's new x."""
        with open(self._path, "rb") as file:
            for character in text:
                start = self._record(character)
                offset, width, height, left, top, advance = struct.unpack(
                    _RECORD, self._records[start : start + _RECORD_SIZE]
                )
                if width:
                    file.seek(self._bitmaps + offset)
                    bits = file.read((width * height + 7) // 8)
                    canvas.blit(bits, width, height, x + left, baseline - top)
                x += advance
        return x
