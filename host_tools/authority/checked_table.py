"""Reading a table of a file key by key, so that all that is wrong in it is told at once.

Each key has a default, and a check: a function of the key's name and its value that gives the value to go on with, or
raises InvalidSetting. What is wrong is noted and the default taken.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from host_tools.authority.errors import InvalidSetting
from host_tools.toml_lines import Path

T = TypeVar("T")
D = TypeVar("D")
E = TypeVar("E")
Check = Callable[[str, Any], T]
_LONGEST_INTEGER_BITS = 63  # and a sign: toml.io 1.0, "Integer"


@dataclass(frozen=True)
class Problem:
    """What is wrong with the value at `path`, and what helps. It holds no secret."""

    path: Path
    message: str


class CheckedTable:
    """`problems` is shared by all tables of a file. Call `finish` when all keys that are known have been asked for."""

    def __init__(self, values: Mapping[str, Any], path: Path, problems: list[Problem]) -> None:
        self.path = path
        self._values = values
        self._problems = problems
        self._asked: list[str] = []

    def __contains__(self, key: str) -> bool:
        return key in self._values

    def take(self, key: str, check: Check[T], default: D) -> T | D:
        """The value of this key, or the default where it is missing or wrong."""
        self._asked.append(key)
        taken: T | D = default
        if key in self._values:
            with self._noting(key):
                taken = _checked(check, key, self._values[key])
        return taken

    def items(self, key: str, check: Check[T], default: D) -> tuple[T, ...] | D:
        """The elements of an array, each checked; of one that is wrong, those that are right."""
        self._asked.append(key)
        if key not in self._values:
            return default
        elements = self._values[key]
        if not isinstance(elements, list):
            self.wrong(f"is {toml_type(elements)}; write it as an array, in [ ]", key)
            return default
        right = []
        for index, element in enumerate(elements):
            with self._noting(key, index):
                right.append(_checked(check, key, element))
        return tuple(right)

    def table(self, key: str) -> CheckedTable:
        """The table of this name, an empty one where it is missing."""
        self._asked.append(key)
        values = self._values.get(key, {})
        if not isinstance(values, dict):
            self.wrong(f"is {toml_type(values)}; write it as a table, under [{self._header(key)}]", key)
            values = {}
        return CheckedTable(values, (*self.path, key), self._problems)

    def tables(self, key: str) -> list[CheckedTable]:
        """The elements of an array of tables; none where it is missing."""
        self._asked.append(key)
        values = self._values.get(key, [])
        if not isinstance(values, list):
            self.wrong(f"is {toml_type(values)}; write each of them under [[{self._header(key)}]]", key)
            values = []
        tables = []
        for index, each in enumerate(values):
            if isinstance(each, dict):
                tables.append(CheckedTable(each, (*self.path, key, index), self._problems))
            else:
                self.wrong(f"is {toml_type(each)}; write it as a table, under [[{self._header(key)}]]", key, index)
        return tables

    def every(self, check: Check[T]) -> dict[str, T]:
        """All keys, whatever they are called."""
        taken = {key: self.take(key, check, None) for key in self._values}
        return {key: value for key, value in taken.items() if value is not None}

    def wrong(self, message: str, *within: str | int) -> None:
        """Note what is wrong with this table, or with what is `within` it."""
        self._problems.append(Problem((*self.path, *within), message))

    def is_right(self, *keys: str) -> bool:
        """Whether nothing is noted about these keys, so that they may be compared with each other."""
        length = len(self.path) + 1
        noted = {problem.path[:length] for problem in self._problems}
        return not any((*self.path, key) in noted for key in keys)

    def finish(self) -> None:
        """Note every key that nobody has asked for, with the one that may be meant."""
        for key in self._values:
            if key not in self._asked:
                close = difflib.get_close_matches(key, self._asked, n=1, cutoff=0.5)
                meant = f"is it {close[0]}? " if close else ""
                self.wrong(f"is not known; {meant}known here are {', '.join(self._asked)}", key)

    def _header(self, key: str) -> str:
        return ".".join(str(part) for part in (*self.path, key) if isinstance(part, str))

    @contextmanager
    def _noting(self, key: str, *within: int) -> Iterator[None]:
        try:
            yield
        except InvalidSetting as invalid:
            self.wrong(said(invalid), key, *within)


def _checked(check: Check[T], key: str, value: object) -> T:
    """A check is given a single value of a size that can be told: Python does not write an integer of 4,300 digits."""
    if isinstance(value, list | dict):
        raise InvalidSetting(key, f"is {toml_type(value)}; it takes a single value")
    if isinstance(value, int) and value.bit_length() > _LONGEST_INTEGER_BITS:
        raise InvalidSetting(key, "is a number of more than 64 bits, which TOML has not; write a smaller one")
    return check(key, value)


def refuse_twins(
    told: list[tuple[CheckedTable, E]], key: str, identity: Callable[[E], object], remedy: str = ""
) -> None:
    """Note each whose identity an earlier one has; None is nobody's."""
    first: dict[object, CheckedTable] = {}
    for table, each in told:
        known = identity(each)
        if known is not None and first.setdefault(known, table) is not table:
            table.wrong(f"is that of {shown_path(first[known].path)} too; change one of them{remedy}", key)


def said(invalid: InvalidSetting) -> str:
    """What is wrong, without the name of what has it."""
    return str(invalid).removeprefix(f"{invalid.field} ")


def shown_path(path: Path) -> str:
    """`clients[0].metadata."a key"`, on one line, whatever the keys are."""
    shown = ""
    for part in path:
        if isinstance(part, int):
            shown += f"[{part}]"
        else:
            bare = re.fullmatch("[A-Za-z0-9_-]+", part)
            shown += ("." if shown else "") + (part if bare else json.dumps(part))
    return shown


def toml_type(value: object) -> str:
    """In TOML's words. bool comes before int, of which Python makes it a kind."""
    names = {bool: "true or false", int: "a number", float: "a number with a fraction", str: "a text"}
    names |= {list: "an array", dict: "a table"}
    return names.get(type(value), "a date or time")
