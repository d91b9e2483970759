"""Where each key of a TOML text stands: against texts whose places are known, and against tomllib."""

from __future__ import annotations

import json
import tomllib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from host_tools.toml_lines import Path, TomlLines


def paths(value: Any, path: Path = ()) -> set[Path]:
    """Every key, table and element of a document."""
    if isinstance(value, dict):
        inner = value.items()
    elif isinstance(value, list):
        inner = enumerate(value)
    else:
        return {path}
    return {path}.union(*(paths(each, (*path, name)) for name, each in inner))


@pytest.mark.parametrize(
    ("text", "path", "line"),
    [
        ("a = 1\nb = 2\n", ("b",), 2),
        ("\r\n# a = 1\r\nb = 2\r\n", ("b",), 3),
        ("[x]\n\n[x.y]\nb = 2\n", ("x", "y", "b"), 4),
        ("[x.y]\n[x]\nb = 2\n", ("x", "b"), 3),
        ("x.y.b = 2\nx . 'y' . \"c\" = 3\n", ("x", "y", "c"), 2),
        ("[[x]]\n[[x]]\nb = 2\n", ("x", 1, "b"), 3),
        ("[[x]]\n[x.y]\nb = 2\n[[x]]\n[x.y]\nb = 3", ("x", 1, "y", "b"), 6),
        ("[[x]]\n[[x.y]]\n[[x.y]]\n[[x]]\n[[x.y]]\nb = 3", ("x", 1, "y", 0, "b"), 6),
        ("x = [\n  1, # ]\n  'two',\n\n  3.5,\n]\nb = 2", ("x", 2), 5),
        ("x = [\n  1, # ]\n  'two',\n\n  3.5,\n]\nb = 2", ("b",), 7),
        ("x = [\n  {a = 1},\n  {a = {b.c = ['}', 2]}},\n]", ("x", 1, "a", "b", "c", 1), 3),
        ('a = """\n[b]\nb = 1\n""""\nb = 2', ("b",), 5),
        ("a = '''\nb = 1\n\\'''\nb = 2", ("b",), 4),
        ('a = """\\"""\nb = 1"""\nb = 2', ("b",), 3),
        ('a = ["""x"""", "]", 1,\n2]\nb = 2', ("a", 3), 2),
        ("a = ['''x''''', 'y',\n'z']\nb = 2", ("a", 2), 2),
        ('a = ""\nb = 2', ("b",), 2),
        ('"a\\u0062=#\\"" = 1\n"" = 2', ("",), 2),
        ('"a\\u0062=#\\"" = 1\n"" = 2', ('ab=#"',), 1),
        ("a = 1979-05-27 07:32:00.5Z\nb = +1.5e-3\nc = [ 0x1F,\n-inf]", ("c", 1), 4),
        ("1.2 = 3\n", ("1", "2"), 1),
    ],
)
def test_a_key_is_found_where_it_stands(text, path, line):
    assert path in paths(tomllib.loads(text))
    assert TomlLines(text).of(path) == line
    assert path in TomlLines(text)


def test_a_key_that_is_missing_is_where_its_table_is():
    lines = TomlLines("a = 1\n[[x]]\n[x.y]\nb = 2\n")
    assert lines.of(("x", 0, "y", "c")) == 3
    assert lines.of(("x", 0, "z", "c")) == 2
    assert lines.of(("q",)) == 1


@pytest.mark.parametrize(
    ("text", "set_again"),
    [
        ("a = 1\nb = 2\na = 3", (("a",), 1, 3)),
        ("[x]\ny.b = 2\n\ny.b = 3", (("x", "y", "b"), 2, 4)),
        ("[x]\n[y]\n[x]", (("x",), 1, 3)),
        ("[[x]]\nb = 1\n[[x]]\nb = 1\nb = '''\n'''", (("x", 1, "b"), 4, 5)),
        ("x = {b = 1, b = 2}", (("x", "b"), 1, 1)),
        ('a = 1\na = 2\nc = [}}]]\n"""""" \'', (("a",), 1, 2)),
        ("[x.y]\n[x]\n[[z]]\n[[z]]\n", None),
    ],
)
def test_a_key_that_is_set_again_is_told_with_both_places(text, set_again):
    assert TomlLines(text).set_again == set_again


words = st.text(st.sampled_from("ab =[]{}#.,'\"\\\n\té"), max_size=6)
values = st.recursive(
    st.integers() | st.booleans() | st.floats() | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=12,
)


def key(name: str) -> str:
    return json.dumps(name, ensure_ascii=False)


class Written:
    """A document as text, in a shape drawn by hypothesis, with the line of each path as it was written."""

    def __init__(self, draw: Any) -> None:
        self.draw = draw
        self.text = ""
        self.lines: dict[Path, int] = {}

    def at(self, path: Path) -> None:
        self.lines.setdefault(path, self.text.count("\n") + 1)

    def gap(self) -> None:
        self.text += self.draw(st.sampled_from(["", " ", "\t "]))

    def break_lines(self) -> None:
        self.text += self.draw(st.sampled_from(["", " ", "\n", "\n # ] = '''\n", "\r\n\r\n"]))

    def value(self, value: Any, path: Path) -> None:
        if isinstance(value, list):
            self.text += "["
            for index, each in enumerate(value):
                self.break_lines()
                self.at((*path, index))
                self.value(each, (*path, index))
                self.break_lines()
                self.text += ","
            self.break_lines()
            self.text += "]"
        elif isinstance(value, dict):
            self.text += "{"
            for count, (name, each) in enumerate(value.items()):
                self.text += "," if count else ""
                self.assignment(name, each, path)
            self.text += "}"
        elif isinstance(value, str):
            self.string(value)
        elif isinstance(value, bool):
            self.text += str(value).lower()
        else:
            self.text += repr(value)

    def string(self, value: str) -> None:
        if "'" not in value and self.draw(st.booleans()):
            self.text += f"'''\n{value}'''"
        elif self.draw(st.booleans()):
            self.text += '"""' + value.replace("\\", "\\\\").replace('"', '\\"') + '"""'
        else:
            self.text += key(value)

    def assignment(self, name: str, value: Any, path: Path) -> None:
        self.gap()
        self.at((*path, name))
        self.text += key(name)
        if isinstance(value, dict) and len(value) == 1 and self.draw(st.booleans()):
            self.gap()
            self.text += "."
            inner = next(iter(value))
            self.assignment(inner, value[inner], (*path, name))
            return
        self.gap()
        self.text += "="
        self.gap()
        self.value(value, (*path, name))

    def table(self, table: dict[str, Any], path: Path, header: str) -> None:
        """The keys with plain values first: what comes after a header belongs to it."""
        below = {}
        for name, value in table.items():
            is_tables = isinstance(value, list) and value and all(isinstance(each, dict) for each in value)
            if (isinstance(value, dict) or is_tables) and self.draw(st.booleans()):
                below[name] = value
                continue
            self.break_lines()
            self.text += "\n"
            self.assignment(name, value, path)
        for name, value in below.items():
            dotted = f"{header}.{key(name)}" if header else key(name)
            for index, each in enumerate(value if isinstance(value, list) else [value]):
                self.text += "\n"
                self.gap()
                self.at((*path, name))
                if isinstance(value, list):
                    self.at((*path, name, index))
                    self.text += f"[[{dotted}]]"
                    self.table(each, (*path, name, index), dotted)
                else:
                    self.text += f"[{dotted}]"
                    self.table(each, (*path, name), dotted)


@given(st.dictionaries(words, values, max_size=5), st.data())
def test_whatever_the_shape_every_key_is_where_it_was_written(document, data):
    written = Written(data.draw)
    written.table(document, (), "")
    found = TomlLines(written.text)
    assert paths(tomllib.loads(written.text)) - {()} == set(found)
    assert {path: found.of(path) for path in found} == written.lines
    assert found.set_again is None


@given(st.lists(st.sampled_from([*"ab\"'=[]{}.,\n#\\ 1", '"""', "'''", "[[", "]]"])))
def test_any_text_is_read_to_its_end(pieces):
    text = "".join(pieces)
    lines = TomlLines(text)
    assert all(1 <= lines.of(path) <= text.count("\n") + 1 for path in lines)
