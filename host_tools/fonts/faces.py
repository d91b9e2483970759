"""Which faces, at which sizes, go on the drive.

Chosen by eye from 1-bit proofs on the two panels: Source Serif's stems turn from one pixel to two at 16 px and stay
even at 18, 23 and 30; at 13 and 15 px its hinting keeps one pixel throughout. Source Sans needs its semibold
to hold even stems at label sizes. Both are under the SIL Open Font License 1.1 (in each package, `files/LICENSE.txt`).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import as_file, files

from host_tools.fonts.compiler import compile_font

ASCII = "".join(map(chr, range(0x20, 0x7F)))
LATIN_1 = "".join(map(chr, range(0xA0, 0x100)))
# Quotation marks, dashes, ellipsis and bullet as typographers set them.
PUNCTUATION = "‘’‚“”„‹›–—…•"  # noqa: RUF001 - the curly ones are the point
TEXT = ASCII + LATIN_1 + PUNCTUATION
# RFC 8628 section 6.1: user codes are case-insensitive letters and digits with dashes; an ellipsis ends a cut one.
USER_CODE = "-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ…"


@dataclass(frozen=True)
class Face:
    """A typeface file in a published package, and the characters the firmware draws with it."""

    package: str
    file: str
    characters: str


SERIF = Face("font_source_serif_pro", "SourceSerifPro-Regular.ttf", TEXT)
ITALIC = Face("font_source_serif_pro", "SourceSerifPro-It.ttf", TEXT)
SANS = Face("font_source_sans_pro", "SourceSansPro-Semibold.ttf", TEXT)
CODE = Face("font_source_sans_pro", "SourceSansPro-Bold.ttf", USER_CODE)

FONTS = {
    "serif-13": (SERIF, 13),
    "serif-15": (SERIF, 15),
    "serif-18": (SERIF, 18),
    "serif-23": (SERIF, 23),
    "serif-30": (SERIF, 30),
    "italic-14": (ITALIC, 14),
    "sans-14": (SANS, 14),
    "code-21": (CODE, 21),
    "code-24": (CODE, 24),
    "code-30": (CODE, 30),
}


@cache
def _compiled(name: str) -> bytes:
    face, pixel_size = FONTS[name]
    with as_file(files(face.package) / "files" / face.file) as ttf_path:
        return compile_font(ttf_path, pixel_size, face.characters)


def compiled_fonts() -> dict[str, bytes]:
    """File name to content of every font the firmware opens below its fonts folder."""
    return {name: _compiled(name) for name in FONTS}
