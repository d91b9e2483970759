"""The characters a quote may be set in: those the display's fonts are compiled with."""

from __future__ import annotations

from functools import cache

_ASCII = range(0x20, 0x7F)
# Without U+00AD, the soft hyphen: it marks a place to break a word and the display's line breaking does not know it.
_LATIN_1 = [code for code in range(0xA0, 0x100) if code != 0xAD]
_TYPOGRAPHIC = "\u2013\u2014\u2018\u2019\u201a\u201c\u201d\u201e\u2026\u2039\u203a"  # – — ‘ ’ ‚ “ ” „ … ‹ ›


@cache
def repertoire() -> frozenset[str]:
    """Printable ASCII, printable Latin-1 and the punctuation good English typesetting needs. No line break, no tab."""
    return frozenset(map(chr, (*_ASCII, *_LATIN_1))) | frozenset(_TYPOGRAPHIC)
