"""One TrueType face at one pixel size, to one packed font file.

The file is made to be read by a microcontroller: a short header, an index small enough to keep in RAM as two
`bytes`, and bitmaps fetched by `seek`. Integers are little-endian, *n* is the number of glyphs.

=============  ======  ==============================================================================
offset         size    content
=============  ======  ==============================================================================
0              4       magic ``STF1``
4              1       pixel size (pixels per em)
5              1       ascent: rows from the baseline to the top of the lower-case ascenders
6              1       descent: rows below the baseline of the lower-case descenders
7              1       line height: rows from one baseline to the next
8              1       top: rows above the baseline that the tallest glyph reaches (accented capitals)
9              1       bottom: rows below the baseline that the deepest glyph reaches
10             2       n
12             2       which glyph stands for a missing one (an index into the tables that follow)
14             1       cap height
15             1       x-height
16             2n      code points, ascending, each a u16
16 + 2n        7n      glyph records, in the same order (below)
16 + 9n        ...     bitmaps
=============  ======  ==============================================================================

A glyph record: u16 bitmap offset (from 16 + 9n), u8 width, u8 height, i8 left (pen to first column), i8 top
(baseline to first row, positive is up), u8 advance. A bitmap is its rows from the top, the most significant bit
leftmost, without padding between rows, padded with zeros to a whole byte at its end. A space has no bitmap.

The same inputs give the same bytes: FreeType's own rasteriser and hinter are pinned with the package `freetype-py`.
Pillow bundles FreeType too, but in 1-bit mode places a glyph one row too high wherever hinting moved its outline
below a whole pixel ("u" in Source Serif at 13 px), so it is not used.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import freetype

MAGIC = b"STF1"
HEADER = struct.Struct("<4sBBBBBBHHBB")
RECORD = struct.Struct("<HBBbbB")
REPLACEMENT = "\ufffd"

# Leading: Source Serif asks for 1.25 em; on 122 rows of glass 1.15 em reads as well and holds a line more.
LINE_HEIGHT_PERCENT = 115
FIXED_26_6 = 64
FIXED_16_16 = 65536


class FontError(Exception):
    """The face cannot be compiled: unreadable, without a wanted character, or too large for the format."""


@dataclass(frozen=True)
class Glyph:
    """One character's picture: rows of pixels, and where the pen stands before and after it."""

    rows: tuple[tuple[bool, ...], ...]
    left: int
    top: int
    advance: int

    @property
    def width(self) -> int:
        return len(self.rows[0]) if self.rows else 0

    @property
    def bottom(self) -> int:
        """Rows below the baseline; negative if the glyph floats above it."""
        return len(self.rows) - self.top

    def packed(self) -> bytes:
        bits = "".join("1" if pixel else "0" for row in self.rows for pixel in row)
        padded = bits + "0" * (-len(bits) % 8)
        return bytes(int(padded[i : i + 8], 2) for i in range(0, len(padded), 8))


def compile_font(ttf_path: Path, pixel_size: int, characters: Iterable[str]) -> bytes:
    """The packed font of `characters` (each one code point below U+10000) at `pixel_size` pixels per em.

    A replacement box for every other character is added. Raises FontError.
    """
    wanted = set(characters) - {REPLACEMENT}
    try:
        face = freetype.Face(str(ttf_path))
        face.set_pixel_sizes(0, pixel_size)
    except freetype.FT_Exception as error:
        raise FontError(f"{ttf_path.name}: {error}") from error
    missing = sorted(character for character in wanted if not face.get_char_index(character))
    if missing:
        raise FontError(f"{ttf_path.name} has no glyph for {' '.join(f'U+{ord(c):04X}' for c in missing)}")

    glyphs = {character: _rasterise(face, character) for character in wanted}
    cap_height = _rasterise(face, "H").top
    glyphs[REPLACEMENT] = _box(cap_height)
    return _pack(glyphs, pixel_size, cap_height, face)


def _rasterise(face: freetype.Face, character: str) -> Glyph:
    face.load_char(character, freetype.FT_LOAD_RENDER | freetype.FT_LOAD_TARGET_MONO | freetype.FT_LOAD_NO_BITMAP)
    slot = face.glyph
    bitmap = slot.bitmap
    pixels = bitmap.buffer  # a copy at each access
    rows = tuple(
        tuple(bool(pixels[y * bitmap.pitch + x // 8] >> (7 - x % 8) & 1) for x in range(bitmap.width))
        for y in range(bitmap.rows)
    )
    if not any(map(any, rows)):
        rows = ()
    # The designed advance, rounded: hinted advances crowd "n" and "u" at small sizes, and a composite glyph that
    # borrows its component's metrics (the ellipsis of Source Serif is as wide as its full stop) runs into the next.
    # One or two pixels won go half to each side; more is such a composite, whose ink already stands where it should.
    # A space is rounded up: one pixel less of it, and words run together.
    designed = slot.linearHoriAdvance / FIXED_16_16
    advance = math.ceil(designed) if character == " " else round(designed)
    gained = advance - slot.advance.x // FIXED_26_6
    shift = gained // 2 if gained in (1, 2) else 0
    return Glyph(rows, slot.bitmap_left + shift, slot.bitmap_top, advance)


def _box(cap_height: int) -> Glyph:
    width = max(3, cap_height * 2 // 3)
    solid = (True,) * width
    hollow = (True, *(False,) * (width - 2), True)
    return Glyph((solid, *(hollow,) * (cap_height - 2), solid), 1, cap_height, width + 2)


def _pack(glyphs: dict[str, Glyph], pixel_size: int, cap_height: int, face: freetype.Face) -> bytes:
    ordered = sorted(glyphs)
    bitmaps = bytearray()
    records = bytearray()
    for character in ordered:
        glyph = glyphs[character]
        try:
            records += RECORD.pack(len(bitmaps), glyph.width, len(glyph.rows), glyph.left, glyph.top, glyph.advance)
        except struct.error as error:
            raise FontError(f"U+{ord(character):04X} at {pixel_size} px does not fit the format: {error}") from error
        bitmaps += glyph.packed()
    header = HEADER.pack(
        MAGIC,
        pixel_size,
        _rasterise(face, "d").top,
        _rasterise(face, "p").bottom,
        round(pixel_size * LINE_HEIGHT_PERCENT / 100),
        max(glyph.top for glyph in glyphs.values()),
        max(glyph.bottom for glyph in glyphs.values()),
        len(ordered),
        ordered.index(REPLACEMENT),
        cap_height,
        _rasterise(face, "x").top,
    )
    code_points = struct.pack(f"<{len(ordered)}H", *(ord(character) for character in ordered))
    return header + code_points + bytes(records) + bytes(bitmaps)
