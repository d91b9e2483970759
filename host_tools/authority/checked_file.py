"""A TOML file of the owner's, read whole: what is made of it, or all that is wrong, each with its line and key."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from host_tools.authority.checked_table import CheckedTable, Problem, shown_path
from host_tools.authority.tenant_settings import TenantFileError
from host_tools.toml_lines import TomlLines

LARGEST_FILE = 256 * 1024  # a user takes some 200 bytes, a rule of a policy 100
_AT_PLACE = re.compile(r" \(at (?:line (\d+), column \d+|end of document)\)$")
_LONG_NUMBER = re.compile("[0-9_]{4000}")
T = TypeVar("T")


def read(path: Path, kind: str) -> tuple[str, str]:
    """The text, and the file's name for errors. kind: what it should be, "tenant file". Raises TenantFileError."""
    name = str(path) if str(path).isprintable() else json.dumps(str(path))
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST_FILE + 1)
    except (OSError, ValueError) as unreadable:  # ValueError: a NUL in the name
        reason = getattr(unreadable, "strerror", None) or unreadable
        raise TenantFileError([f"{name}: cannot be read ({reason}); name a {kind} that may be read"]) from None
    if len(content) > LARGEST_FILE:
        raise TenantFileError([f"{name}: has more than {LARGEST_FILE} bytes; name a {kind}, which is smaller"])
    try:
        return content.decode("utf-8-sig"), name  # some editors put a byte order mark first
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise TenantFileError([f"{name}:{line}: is not UTF-8; save the file as UTF-8"]) from None


def checked(text: str, name: str, kind: str, build: Callable[[CheckedTable, list[str]], T]) -> T:
    """What `build` makes of the document. It notes what is wrong in the table, and in its list what is wrong in other
    files that this one names. Raises TenantFileError."""
    try:
        document = tomllib.loads(text)
        lines = TomlLines(text)
    except (ValueError, RecursionError) as malformed:
        raise TenantFileError([f"{name}:{_malformed(text, kind, malformed)}"]) from None
    problems: list[Problem] = []
    elsewhere: list[str] = []
    built = build(CheckedTable(document, (), problems), elsewhere)
    if problems or elsewhere:
        placed = sorted(((lines.of(problem.path), problem) for problem in problems), key=lambda each: each[0])
        here = [f"{name}:{line}: {_of(each)}{each.message}" for line, each in placed]
        raise TenantFileError([*here, *elsewhere])
    return built


def _of(problem: Problem) -> str:
    """Which key it is about; nothing for the file as a whole."""
    return f"{shown_path(problem.path)}: " if problem.path else ""


def _malformed(text: str, kind: str, error: ValueError | RecursionError) -> str:
    """The line and what is wrong there. tomllib's words tell names of keys, and of a value no character that prints."""
    if isinstance(error, RecursionError):
        return f"1: is no {kind}: it nests too deep; write tables and arrays of a few levels"
    words = str(error)
    place = _AT_PLACE.search(words)
    if place is None:  # Python's own refusal of an integer of more than 4,300 digits
        number = _LONG_NUMBER.search(text)
        line = text.count("\n", 0, number.start()) + 1 if number else 1
        return f"{line}: has a number of more than 64 bits, which TOML has not; write a smaller one"
    line = int(place[1]) if place[1] else text.rstrip().count("\n") + 1
    if words.startswith(("Cannot overwrite", "Cannot declare", "Duplicate")):
        # Told by name, and where it is set: tomllib counts to the end of the value.
        with suppress(RecursionError):
            if again := TomlLines(text).set_again:
                key, first, second = again
                return f"{second}: {shown_path(key)}: is set in line {first} already; take one of the two out"
    return f"{line}: is no TOML ({words[: place.start()]}); correct it there"
