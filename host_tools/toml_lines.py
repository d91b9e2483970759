"""On which line of a TOML text each key stands. tomllib tells values without their places.

The text is one that tomllib takes, or refuses for a key that is set twice and nothing before that: so this needs to
tell keys from values, and no more of the grammar.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass

Path = tuple[str | int, ...]  # ("clients", 0, "refresh_token", "leeway")

_TOKEN = re.compile(
    r"""
      (?P<space>[ \t\r]+ | \#[^\n]*)
    | (?P<newline>\n)
    | (?P<string>\"{3}(?:\\.|[^\\])*?\"{3,5} | '{3}.*?'{3,5} | "(?:\\.|[^"\\\n])*" | '[^'\n]*')
    | (?P<mark>[][{}=,.])
    | (?P<bare>[^]\s[{}=,.\#"']+)
    """,
    re.VERBOSE | re.DOTALL,
)


@dataclass(frozen=True)
class _Token:
    kind: str
    text: str
    line: int


class TomlLines:
    """The lines of one text, from 1.

    set_again: the first key that is set for the second time, and the lines of both; None where there is none.
    """

    def __init__(self, text: str) -> None:
        self.set_again: tuple[Path, int, int] | None = None
        self._first: dict[Path, int] = {}  # every key, element and table, where it is first named
        self._set: set[Path] = set()
        self._elements: dict[Path, int] = {}  # how many tables an array of tables has by now
        self._tokens = _tokens(text)
        self._next = 0
        self._read_document()

    def __contains__(self, path: Path) -> bool:
        return path in self._first

    def __iter__(self) -> Iterator[Path]:
        return iter(self._first)

    def of(self, path: Path) -> int:
        """The line of a key; of one that is missing, that of the innermost table it would stand in."""
        while path and path not in self._first:
            path = path[:-1]
        return self._first.get(path, 1)

    def _read_document(self) -> None:
        table: Path = ()
        while (token := self._peek()) is not None:
            if token.text == "[" and token.kind == "mark":
                table = self._header()
            elif token.kind == "newline":
                self._next += 1
            else:
                self._assignment(table)

    def _header(self) -> Path:
        """`[a.b]` or `[[a.b]]`: the table that the keys below it belong to."""
        line = self._take().line
        is_element = self._skip("[")
        *outer, last = self._key("]")
        if is_element:
            self._skip("]")
        path: Path = ()
        for part in outer:
            path = self._named((*path, part), line)
            if path in self._elements:
                path = (*path, self._elements[path] - 1)
        path = self._named((*path, last), line)
        if not is_element:
            self._mark_set(path, line)
            return path
        self._elements[path] = self._elements.get(path, 0) + 1
        return self._named((*path, self._elements[path] - 1), line)

    def _assignment(self, table: Path) -> None:
        start = self._tokens[self._next]
        path = table
        for part in self._key("="):
            path = self._named((*path, part), start.line)
        self._mark_set(path, start.line)
        self._value(path)

    def _value(self, path: Path) -> None:
        # One frame a level, where tomllib has two or more: what it could read does not nest too deep here.
        if self._skip("["):
            count = 0
            while not self._skip("]") and (token := self._peek()) is not None:
                if token.kind == "newline" or token.text == ",":
                    self._next += 1
                else:
                    self._value(self._named((*path, count), token.line))
                    count += 1
        elif self._skip("{"):
            while not self._skip("}") and (token := self._peek()) is not None:
                if token.kind == "newline" or token.text == ",":
                    self._next += 1
                else:
                    self._assignment(path)
        else:
            self._next += 1
            # The parts of a float, of a date and time.
            while (token := self._peek()) is not None and token.kind in ("bare", "mark") and token.text not in ",]}":
                self._next += 1

    def _key(self, end: str) -> list[str]:
        """The parts of a key, up to the mark that ends it."""
        parts = []
        while (token := self._peek()) is not None and token.kind != "newline":
            self._next += 1
            if token.kind == "mark":
                if token.text == end:
                    break
            else:
                parts.append(_unquoted(token.text) if token.kind == "string" else token.text)
        return parts or [""]

    def _named(self, path: Path, line: int) -> Path:
        self._first.setdefault(path, line)
        return path

    def _mark_set(self, path: Path, line: int) -> None:
        if path in self._set and self.set_again is None:
            self.set_again = path, self._first[path], line
        self._set.add(path)

    def _peek(self) -> _Token | None:
        return self._tokens[self._next] if self._next < len(self._tokens) else None

    def _take(self) -> _Token:
        self._next += 1
        return self._tokens[self._next - 1]

    def _skip(self, mark: str) -> bool:
        token = self._peek()
        found = token is not None and token.kind == "mark" and token.text == mark
        self._next += found
        return found


def _unquoted(quoted: str) -> str:
    try:
        return next(iter(tomllib.loads(f"{quoted}=0")))
    except tomllib.TOMLDecodeError:  # past the place at which tomllib gave up
        return quoted


def _tokens(text: str) -> list[_Token]:
    tokens, line = [], 1
    for match in _TOKEN.finditer(text):
        kind = str(match.lastgroup)
        if kind != "space":
            tokens.append(_Token(kind, match.group(), line))
        line += match.group().count("\n")
    return tokens
