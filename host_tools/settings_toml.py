"""settings.toml as CircuitPython reads it: a flat subset of TOML, parsed anew at each question.

Strings in double quotes and integers; no tables, no other types; the first matching line wins. `os.getenv` answers
text for both since CircuitPython 10.1 (circuitpython #10819). Rules of shared-module/os/getenv.c: a line ends with
"\\n" alone, space is ASCII's, and a NUL is the end of the file.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

NAME = "settings.toml"
_ESCAPES = {"b": "\b", "t": "\t", "n": "\n", "f": "\f", "r": "\r", '"': '"', "\\": "\\"}
# unichar_isspace of py/unicode.c.
_SPACE = " \t\r\v\f"
_INTEGER = re.compile(r"[+-]?(0[xob][0-9a-fA-F]+|[0-9]+)\Z")


class SettingsSyntaxError(ValueError):
    """The line that holds the key is not what CircuitPython can read."""


def lookup(text: bytes, key: str) -> str | None:
    """The value of `key`, or None if no line sets it."""
    for raw in text.partition(b"\0")[0].decode("utf-8", "replace").split("\n"):
        line = raw.strip(_SPACE)
        if line.startswith("["):
            return None
        name, equals, value = line.partition("=")
        if equals and name.strip(_SPACE) == key:
            return _value(value.strip(_SPACE))
    return None


def _value(text: str) -> str:
    if text.startswith('"'):
        return _string(text[1:])
    number = text.partition("#")[0].strip(_SPACE)
    if not _INTEGER.match(number):
        raise SettingsSyntaxError("Invalid format")
    return number


def _string(text: str) -> str:
    out: list[str] = []
    characters = iter(text)
    for character in characters:
        if character == '"':
            rest = "".join(characters).strip(_SPACE)
            if rest and not rest.startswith("#"):
                raise SettingsSyntaxError("Invalid byte after string")
            return "".join(out)
        out.append(_escape(characters) if character == "\\" else character)
    raise SettingsSyntaxError("Unterminated string")


def _escape(characters: Iterator[str]) -> str:
    kind = next(characters, "")
    if kind in _ESCAPES:
        return _ESCAPES[kind]
    if kind in ("u", "U"):
        digits = "".join(next(characters, "") for _ in range(4 if kind == "u" else 8))
        try:
            return chr(int(digits, 16))
        except (ValueError, OverflowError):
            raise SettingsSyntaxError("Invalid unicode escape") from None
    raise SettingsSyntaxError("Invalid escape")
