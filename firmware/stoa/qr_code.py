"""adafruit_miniqr's code with its data in the right modules.

`QRCode._map_data` of adafruit_miniqr 2.1.9 lays the data out in pairs of columns from the right and must skip the
timing column, 6. It does so by changing the variable of a `for` loop, which lasts one turn: columns 4 to 0 come out
wrong and column 0 empty. A reader mends that at the cost of two thirds of level L's error correction (zxing-cpp
reports 0.30 to 0.46 of it unused; 1.0 with this file), which a glossy panel at an angle needs for itself.
"""

import adafruit_miniqr


class Code(adafruit_miniqr.QRCode):
    """A QR code of `text` (bytes) in a given version, with error correction M if `medium`, else L, and mask 0."""

    def __init__(self, text, version, medium):
        # The version is stated because the library's own choice is one too small for 17, 32, 53... bytes: it leaves
        # out the half byte of the mode and fails with "Code length overflow".
        super().__init__(qr_type=version, error_correct=adafruit_miniqr.M if medium else adafruit_miniqr.L)
        self.add_data(text)
        self.make()

    def _map_data(self, data, mask_pattern):
        """ISO/IEC 18004, 7.7.3: two columns at a time from the right, upwards and downwards in turn."""
        count = self.module_count
        bit = 0
        column = count - 1
        upwards = True
        while column > 0:
            if column == 6:
                column = 5
            for step in range(count):
                row = count - 1 - step if upwards else step
                for x in (column, column - 1):
                    if self.matrix[row, x] is None:
                        dark = bit < 8 * len(data) and (data[bit >> 3] >> (7 - (bit & 7))) & 1
                        # Mask 0 inverts every other module, as on a chessboard.
                        self.matrix[row, x] = bool(dark) != ((row + x) % 2 == 0)
                        bit += 1
            upwards = not upwards
            column -= 2
