"""Reads a TOML table strictly: every key wanted is there and of its type, and no key is there that nobody asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any


class TableError(ValueError):
    """A key that is missing, unknown or of a wrong value. The message starts with the key's dotted path."""


class Table:
    """One table. Call `finish` when all keys have been read: it refuses the ones left over."""

    def __init__(self, values: Mapping[str, Any], path: str = "") -> None:
        self._values = values
        self._path = path
        self._read: set[str] = set()

    def text(self, key: str) -> str:
        """A string that is not empty."""
        value = self._take(key)
        if not isinstance(value, str) or not value.strip():
            raise self._wrong(key, "text that is not empty", value)
        return value

    def choice(self, key: str, allowed: Sequence[str]) -> str:
        """One of the strings allowed."""
        value = self._take(key)
        if value not in allowed:
            raise self._wrong(key, "one of " + ", ".join(allowed), value)
        return str(value)

    def integer(self, key: str, lowest: int, highest: int) -> int:
        """A whole number, both ends included."""
        value = self._take(key)
        # bool is a subclass of int.
        if not isinstance(value, int) or isinstance(value, bool) or not lowest <= value <= highest:
            raise self._wrong(key, f"a whole number from {lowest} to {highest}", value)
        return value

    def boolean(self, key: str) -> bool:
        value = self._take(key)
        if not isinstance(value, bool):
            raise self._wrong(key, "true or false", value)
        return value

    def table(self, key: str) -> Table:
        value = self._take(key)
        if not isinstance(value, dict):
            raise self._wrong(key, "a table", value)
        return Table(value, self._dotted(key))

    def optional_table(self, key: str) -> Table | None:
        """A table that may be left out."""
        return self.table(key) if key in self._values else None

    def tables(self, key: str) -> list[Table]:
        """An array of tables, at least one."""
        value = self._take(key)
        if not isinstance(value, list) or not value or not all(isinstance(entry, dict) for entry in value):
            raise self._wrong(key, "one table or more", value)
        return [Table(entry, f"{self._dotted(key)}[{index}]") for index, entry in enumerate(value)]

    def texts(self) -> Mapping[str, str]:
        """The whole table as names to strings; nothing is left over."""
        return MappingProxyType({key: self.text(key) for key in self._values})

    def integers(self, lowest: int, highest: int) -> Mapping[str, int]:
        """The whole table as names to whole numbers; nothing is left over."""
        return MappingProxyType({key: self.integer(key, lowest, highest) for key in self._values})

    def finish(self) -> None:
        for key in self._values:
            if key not in self._read:
                raise TableError(f"{self._dotted(key)}: unknown key")

    def _take(self, key: str) -> Any:
        self._read.add(key)
        if key not in self._values:
            raise TableError(f"{self._dotted(key)}: missing")
        return self._values[key]

    def _dotted(self, key: str) -> str:
        return f"{self._path}.{key}" if self._path else key

    def _wrong(self, key: str, expected: str, value: Any) -> TableError:
        return TableError(f"{self._dotted(key)}: expected {expected}, found {value!r}")
