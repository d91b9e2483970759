"""What is wrong with a settings.toml, found without a board and without a network.

The firmware's own `settings.load` judges each value, so that the words are those the display would show. It stops at
the first that is wrong; here each is tried by itself among good ones. Around it, what CircuitPython would never get to
see: keys in quotes, below a table, below a NUL, set twice, or mistyped; and zones by name, which the display has not.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from host_tools.device.configuring import settings_file, tz_rules
from host_tools.device.configuring.settings_file import Line
from host_tools.firmware_modules import firmware
from host_tools.settings_toml import NAME, SettingsSyntaxError, lookup

ALLOW_HTTP, ZONE = "STOA_ALLOW_HTTP", "STOA_TZ"
# CircuitPython's own key: the stack of Python frames, 1,536 bytes unless it says otherwise (docs/small-heap.md).
STACK, STACK_SIZE = "CIRCUITPY_PYSTACK_SIZE", 4096
_OURS = "STOA_"
_WRITE_AS = 'write it as {key} = "value"'

# Something that every check takes, for the keys that have no default.
_GOOD = {
    "STOA_WIFI_SSID": "porch",
    "STOA_WIFI_PASSWORD": "",
    "STOA_ISSUER": "https://issuer.example/",
    "STOA_CLIENT_ID": "display",
    "STOA_API": "https://api.example/",
}


@dataclass(frozen=True)
class Problem:
    """line: from 1, or None for what is missing. level: "error" is what keeps the display from its quote."""

    level: Literal["error", "warning"]
    key: str
    line: int | None
    problem: str
    fix: str

    def __str__(self) -> str:
        return f"{self.key} {self.problem}: {self.fix}"


def keys() -> list[str]:
    """Every key the firmware takes, in its own order."""
    return [row[0] for row in firmware("stoa.settings").TABLE] + [ALLOW_HTTP]


def problem_of(key: str, value: str | None, allow_http: bool) -> tuple[str, str] | None:
    """(problem, fix) of a value as the display would show it; None if it is good. value: None where no line sets it.

    A zone's name has words of its own: the display knows none, and would say what is wrong with it as a rule.
    """
    settings = firmware("stoa.settings")
    among = {**_GOOD, ALLOW_HTTP: "1" if allow_http else None, key: value}
    try:
        settings.load(among.get)
    except settings.SettingError as error:
        if key == ZONE and value in tz_rules.names():
            return "is a zone's name, and the display takes its rule", _rule_of(value)
        return error.problem, error.fix
    return None


def _rule_of(zone: str) -> str:
    try:
        rule = tz_rules.rule_of(zone)
    except tz_rules.ZoneUnknown as error:
        return str(error)
    return f'write {ZONE} = "{rule}", or run `stoa config FILE --time-zone {zone}`'


def check(text: bytes) -> list[Problem]:
    """Every problem, by line; those of missing keys last. No message repeats a value."""
    found = [*_values(text), *_lines(text)]
    if (line := settings_file.line_of_nul(text)) is not None:
        # What seems to be missing may stand below it.
        found = [problem for problem in found if problem.line is not None]
        said = "holds a NUL, as a power cut may leave it, and CircuitPython reads no further"
        found.append(Problem("error", NAME, line, said, "move the file away, and write it anew by `stoa config`"))
    wrong = settings_file.syntax_error(text)
    if wrong and wrong[0] not in {problem.line for problem in found}:
        fix = "put it right, or `stoa config` will not edit the file"
        found.append(Problem("warning", NAME, wrong[0], wrong[1], fix))
    return sorted(found, key=lambda problem: (problem.line is None, problem.line or 0))


def _values(text: bytes) -> Iterator[Problem]:
    places = {line.key: line.number for line in reversed(settings_file.lines(text)) if _is_seen(line)}
    allow_http = settings_file.value(text, ALLOW_HTTP) == "1"
    for key in keys():
        try:
            value = lookup(text, key)
            if value is not None and (line := places.get(key)):
                # The lookup forgives what is no UTF-8; CircuitPython raises a UnicodeError.
                text.split(b"\n")[line - 1].decode()
        except (SettingsSyntaxError, UnicodeDecodeError):
            fix = _WRITE_AS.format(key=key)
            yield Problem("error", key, places.get(key), "is on a line that CircuitPython cannot read", fix)
            continue
        if wrong := problem_of(key, value, allow_http):
            yield Problem("error", key, places.get(key) if value is not None else None, *wrong)
    yield from _stack(text, places.get(STACK))


def _stack(text: bytes, line: int | None) -> Iterator[Problem]:
    fix = f"write {STACK} = {STACK_SIZE}"
    if line is None:
        yield Problem("warning", STACK, None, "is missing, and the frames of a wake may not fit without", fix)
        return
    try:
        # In quotes it is a text, which CircuitPython leaves out.
        size = -1 if b'"' in text.split(b"\n")[line - 1] else int(settings_file.value(text, STACK) or "", 0)
    except ValueError:
        size = -1
    if size < 0:
        yield Problem("warning", STACK, line, "is no whole number, and CircuitPython leaves it out", fix)
    elif size < STACK_SIZE:
        yield Problem("warning", STACK, line, "is small for the frames of a wake", fix)


def _lines(text: bytes) -> Iterator[Problem]:
    if settings_file.has_mark(text):
        fix = "save the file as UTF-8 without it"
        yield Problem("warning", NAME, 1, "begins with a byte order mark, which hides the first key", fix)
    known, first = keys(), dict[str, int]()
    for line in settings_file.lines(text):
        if not line.key.startswith(_OURS):
            continue
        if line.key not in known:
            close = difflib.get_close_matches(line.key, known, n=1)
            fix = f"write {close[0]}" if close else "take it out"
            yield Problem("warning", line.key, line.number, "is no setting of Stoa's", fix)
        elif line.in_quotes:
            yield Problem("warning", line.key, line.number, "is in quotes, and not found", "take its quotes away")
        elif line.below_table:
            yield Problem("warning", line.key, line.number, "is below a [table], and not found", "move it to the top")
        elif line.key in first:
            fix = f"take one of the two out; line {first[line.key]} is the one that counts"
            yield Problem("warning", line.key, line.number, "is set for the second time", fix)
        else:
            first[line.key] = line.number


def _is_seen(line: Line) -> bool:
    return not line.in_quotes and not line.below_table
