"""The firmware's log lines, read back: `stoa EVENT key=value key="value with spaces"` (firmware/stoa/log.py)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

_FIELD = re.compile(r' (\w+)=(?:"((?:[^"\\]|\\.)*)"|([^ ]*))')
_ESCAPE = re.compile(r"\\(x[0-9a-f]{2}|.)")


@dataclass(frozen=True)
class LogLine:
    event: str
    fields: Mapping[str, str]


def parse(line: str) -> LogLine | None:
    """The event of a line, or None for anything else a board may print."""
    start, _, rest = line.partition(" ")
    if start != "stoa" or not rest:
        return None
    event = rest.split(" ", 1)[0]
    fields = {}
    for found in _FIELD.finditer(rest[len(event) :]):
        name, quoted, plain = found.groups()
        fields[name] = plain if quoted is None else _unescape(quoted)
    return LogLine(event, fields)


def _unescape(text: str) -> str:
    return _ESCAPE.sub(lambda found: chr(int(found[1][1:], 16)) if len(found[1]) == 3 else found[1], text)
