"""A quote pack read from TOML, checked whole before any of it is used.

    [[quote]]
    text = "What is not fitting, leave undone; what is not true, leave unsaid."
    author = "Marcus Aurelius"
    work = "Meditations"
    locus = "12.17"
    original = "Εἰ μὴ καθήκει, μὴ πράξῃς· εἰ μὴ ἀληθές ἐστι, μὴ εἴπῃς."

`original`, the words translated, may be left out. It is for whoever checks the translation and is never displayed, so
it has neither limit nor repertoire.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from host_tools.errors import StoaError
from host_tools.quote_packs.repertoire import repertoire

_PACKAGED = Path(__file__).with_name("stoics.toml")

# What the display shows, and the most characters of each. The smallest panel, 250x122, has room for 8 lines of 41
# characters of 6x12 pixels above the line that names the source; each part of that line must fit a line by itself.
_SHOWN = {"text": 300, "author": 40, "work": 40, "locus": 20}
_NOT_SHOWN = {"original"}


@dataclass(frozen=True)
class Quote:
    """One line and where it stands: `work` and `locus` join to "Letters 1.3"."""

    text: str
    author: str
    work: str
    locus: str


class QuotePackError(StoaError):
    """The pack cannot be used. The message names the file, the quote (counted from 1), the key and what to do."""

    def __init__(self, path: Path, problem: str, remedy: str, *, entry: int | None = None, key: str | None = None):
        self.path = path
        self.entry = entry
        self.key = key
        place = [_one_line(str(path))]
        if entry is not None:
            place.append(f"quote {entry}")
        if key is not None:
            place.append(_one_line(key))
        super().__init__(f"{', '.join(place)}: {problem}; {remedy}")


def load_pack(path: Path | None = None) -> list[Quote]:
    """The quotes of the pack at `path`, or of the packaged one, in the file's order; at least one.

    Raises QuotePackError for the first thing wrong.
    """
    path = path or _PACKAGED
    tables = _tables(path, _parsed(path))
    first_with: dict[str, int] = {}
    quotes = []
    for entry, table in enumerate(tables, start=1):
        quote = _quote(path, entry, table)
        earlier = first_with.setdefault(quote.text.casefold(), entry)
        if earlier != entry:
            problem = f"is the text of quote {earlier} again"
            raise QuotePackError(path, problem, "remove one of them", entry=entry, key="text")
        quotes.append(quote)
    return quotes


def _parsed(path: Path) -> dict[str, object]:
    try:
        content = path.read_bytes()
    except OSError as error:
        problem = f"cannot be read ({error.strerror or error})"
        raise QuotePackError(path, problem, "name a quote pack that exists and may be read") from error
    try:
        # Some editors open a UTF-8 file with a byte order mark, which tomllib takes for a wrong statement.
        return tomllib.loads(content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise QuotePackError(path, f"byte {error.start} is not UTF-8", "save the file as UTF-8") from error
    except tomllib.TOMLDecodeError as error:
        raise QuotePackError(path, f"is not TOML: {error}", "correct it there") from error


def _tables(path: Path, document: Mapping[str, object]) -> list[Mapping[str, object]]:
    for key in document:
        if key != "quote":
            raise QuotePackError(path, "is not a key of a quote pack", "remove it or put it under [[quote]]", key=key)
    tables = document.get("quote", [])
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise QuotePackError(path, "is not a list of tables", "write each quote under [[quote]]", key="quote")
    if not tables:
        raise QuotePackError(path, "holds no quotes", "add at least one [[quote]]")
    return tables


def _quote(path: Path, entry: int, table: Mapping[str, object]) -> Quote:
    for key in table:
        if key not in _SHOWN and key not in _NOT_SHOWN:
            known = ", ".join([*_SHOWN, *_NOT_SHOWN])
            raise QuotePackError(path, "is not a key of a quote", f"use {known}", entry=entry, key=key)
    for key in _SHOWN:
        if key not in table:
            raise QuotePackError(path, "is missing", f'add {key} = "…"', entry=entry, key=key)
    for key in _NOT_SHOWN & table.keys():
        _words(path, entry, key, table[key])
    return Quote(**{key: _shown(path, entry, key, table[key], limit) for key, limit in _SHOWN.items()})


def _words(path: Path, entry: int, key: str, value: object) -> str:
    if not isinstance(value, str):
        raise QuotePackError(path, f"is {_toml_type(value)}, not a string", "put it in quotes", entry=entry, key=key)
    if not value.strip():
        raise QuotePackError(path, "is empty", "write it or remove this [[quote]]", entry=entry, key=key)
    return value


def _shown(path: Path, entry: int, key: str, value: object, limit: int) -> str:
    words = _words(path, entry, key, value)
    if len(words) > limit:
        problem = f"has {len(words)} characters, more than the {limit} that fit"
        raise QuotePackError(path, problem, "shorten it", entry=entry, key=key)
    for position, character in enumerate(words, start=1):
        if character not in repertoire():
            problem = f"character {position}, U+{ord(character):04X}, is not in the display's fonts"
            remedy = "use ASCII, Latin-1 or typographic punctuation"
            raise QuotePackError(path, problem, remedy, entry=entry, key=key)
    return words


def _toml_type(value: object) -> str:
    # In TOML's words; bool before int, of which Python makes it a kind.
    names = {bool: "a boolean", int: "an integer", float: "a float", list: "an array", dict: "a table"}
    return names.get(type(value), "a date or time")


def _one_line(name: str) -> str:
    """A quoted TOML key, or a path, may hold anything, a line break too."""
    return name if name.isprintable() and name else json.dumps(name)
