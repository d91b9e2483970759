"""settings.toml as text: read by CircuitPython's rules, edited by TOML's, so that comments and order stay.

CircuitPython reads less than TOML (host_tools/settings_toml.py): a line in double quotes, or an integer, above the
first line that begins with "[" and the first NUL. Whatever is edited here is read back by those rules before anybody
gets it.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass

import tomlkit
from tomlkit.exceptions import ParseError, TOMLKitError
from tomlkit.items import AoT, Item, String, StringType, Trivia

from host_tools.errors import StoaError
from host_tools.settings_toml import SettingsSyntaxError, lookup

# Over a serial port it is one command. Stoa's own keys come to some 700 bytes.
LARGEST = 8192

Value = str | int
_HEADER = "# Stoa's settings. `stoa config` changes them and leaves whatever else is here.\n"
_BOM = b"\xef\xbb\xbf"
_AT_LINE = re.compile(r"at line (\d+)")
_SETS = re.compile(rb'[^\S\n]*("?)([A-Za-z0-9_-]+)\1[^\S\n]*=')


class SettingsFileError(StoaError):
    """A settings.toml that cannot be read, edited or written, and is left as it was."""


@dataclass(frozen=True)
class Line:
    """A line that sets `key`. number: from 1. in_quotes: the key is, and CircuitPython looks for one without.

    below_table: CircuitPython stops reading at the first line that begins with "[".
    """

    number: int
    key: str
    in_quotes: bool
    below_table: bool


def lines(text: bytes) -> list[Line]:
    """Every line above the first NUL that sets a key, whether or not CircuitPython would find it."""
    found, below_table = [], False
    for number, line in enumerate(text.removeprefix(_BOM).partition(b"\0")[0].split(b"\n"), 1):
        below_table = below_table or line.lstrip().startswith(b"[")
        if sets := _SETS.match(line):
            found.append(Line(number, sets[2].decode(), sets[1] == b'"', below_table))
    return found


def has_mark(text: bytes) -> bool:
    """A byte order mark, as Windows's editors like to put first: CircuitPython takes it for part of the first key."""
    return text.startswith(_BOM)


def line_of_nul(text: bytes) -> int | None:
    """The first line with a NUL, where CircuitPython stops; None if there is none."""
    above, nul, _ = text.partition(b"\0")
    return above.count(b"\n") + 1 if nul else None


def value(text: bytes, key: str) -> str | None:
    """What CircuitPython finds; None where it finds nothing, or nothing it can read."""
    try:
        return lookup(text, key)
    except SettingsSyntaxError:
        return None


def syntax_error(text: bytes) -> tuple[int, str] | None:
    """(line, what is wrong) of the first place that is no TOML; None if there is none. No value is told."""
    if line := line_of_nul(text):
        return line, "holds a NUL"
    try:
        source = _decoded(text)
        tomlkit.parse(source)
    except UnicodeDecodeError as error:
        return text.count(b"\n", 0, error.start) + 1, "is not UTF-8"
    except TOMLKitError as error:
        # Neither parser's own words: they may hold a character of a password.
        said = "sets a key for the second time" if "already exists" in str(error) else "is no TOML"
        return _line_at_fault(source, error), said
    return None


def _line_at_fault(source: str, error: TOMLKitError) -> int:
    try:
        tomllib.loads(source)
    except tomllib.TOMLDecodeError as told:
        # tomlkit counts the lines after a key that is there already, or gives none.
        if line := _AT_LINE.search(str(told)):
            return int(line[1])
        return source.rstrip("\n").count("\n") + 1
    return error.line if isinstance(error, ParseError) else 1


def note(text: bytes, key: str) -> str:
    """The comment at the end of the line of `key`; "" where there is none."""
    item = tomlkit.parse(_decoded(text)).get(key)
    return item.trivia.comment.lstrip("#").strip() if isinstance(item, Item) else ""


def edited(text: bytes, changes: Mapping[str, Value | None], notes: Mapping[str, str]) -> bytes:
    """`text` with each key of `changes` set, or taken out for None. notes: comments for the ends of lines, "" for none.

    SettingsFileError if the text is no TOML, or if CircuitPython would not find in the new one what was meant.
    """
    if wrong := syntax_error(text):
        raise SettingsFileError(f"line {wrong[0]} {wrong[1]}: put it right or take it out, and do this again")
    text = text.removeprefix(_BOM)
    source = _decoded(text)
    windows = source.count("\r\n") * 2 > source.count("\n")
    document = tomlkit.parse(source.replace("\r\n", "\n") or _HEADER)
    seen = {line.key for line in lines(text) if not line.in_quotes and not line.below_table}
    for key, new in changes.items():
        if isinstance(document.get(key), dict | AoT):
            raise SettingsFileError(f"{key} is a table there: take it out, and do this again")
        if key in document and (new is None or key not in seen):
            document.remove(key)
        if new is not None:
            _set(document, key, _item(key, new), notes.get(key))
    written = tomlkit.dumps(document)
    made = (written.replace("\n", "\r\n") if windows else written).encode()
    _check(text, made, changes)
    return made


def _set(document: tomlkit.TOMLDocument, key: str, item: Item, note: str | None) -> None:
    if key in document:
        document[key] = item
    else:
        document.add(key, item)
    if note:
        item.comment(note)
    elif note is not None:
        item.trivia.comment_ws = item.trivia.comment = ""


def _decoded(text: bytes) -> str:
    return text.decode("utf-8-sig")


def _item(key: str, new: Value) -> Item:
    if isinstance(new, int):
        return tomlkit.integer(new)
    check_text(key, new)
    return String(StringType.SLB, new, "".join(map(_escaped, new)), Trivia())


def check_text(key: str, text: str) -> None:
    """SettingsFileError for a value with control characters, which is a slip, or half a character (a surrogate)."""
    for character in text:
        if character < " " or "\x7f" <= character < "\xa0" or "\ud800" <= character < "\ue000":
            raise SettingsFileError(f"the value for {key} has a control character or is no text: copy it anew")


def _escaped(character: str) -> str:
    """By the escapes that every CircuitPython has. A character that no editor shows is written as its number."""
    if character in '"\\':
        return "\\" + character
    if character.isprintable():
        return character
    number = ord(character)
    return f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"


def _check(before: bytes, after: bytes, changes: Mapping[str, Value | None]) -> None:
    """What CircuitPython finds in a file is what was meant, and the keys of others are what they were."""
    wanted = {line.key: value(before, line.key) for line in lines(before)}
    wanted |= {key: None if new is None else str(new) for key, new in changes.items()}
    for key, new in wanted.items():
        if value(after, key) != new:
            raise SettingsFileError(
                f"{key} would not be found by CircuitPython where it can stand: give every key a line of its own, "
                "above any [table] and outside texts of several lines"
            )
    if len(after) > LARGEST:
        raise SettingsFileError(f"the file would have more than {LARGEST} bytes: take out what is not needed")
