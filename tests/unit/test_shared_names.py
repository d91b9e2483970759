"""Private names made few: the same program by fewer names."""

from __future__ import annotations

import re

import pytest

from host_tools.boards import load_board
from host_tools.bundle import build_program
from host_tools.shared_names import with_shared_names

MODULE = b'''"""_Text stays."""
import _codec

LIMIT = 4
SHARED = 5
_TABLE = {"_key": 1}


class Wire:
    SIZE = 3

    def __init__(self, _size):
        self._size = _size

    def _read(self):
        return self._size + LIMIT + _TABLE["_key"] + _codec.x + self.SIZE
'''
OTHER = b"def _read():\n    return _other\n\nfrom stoa.a import SHARED\n_other = SHARED\n"


def test_what_is_private_is_renamed_and_nothing_else():
    made = with_shared_names({"stoa/a.py": MODULE, "stoa/b.py": OTHER}, {"lib/_codec.py": b"x = 1\n_busy = 2\n"})
    a, b = made["stoa/a.py"].decode(), made["stoa/b.py"].decode()
    for kept in ('"""_Text stays."""', "import _codec", "SHARED = 5", '"_key"', "class Wire", "SIZE = 3", "__init__"):
        assert kept in a
    for gone in ("LIMIT", "_TABLE", "_size", "_read"):
        assert not re.search(rf"\b{gone}\b", a)
    assert "_read" not in b and "_other" not in b and "SHARED" in b
    assert a.count("\n") == MODULE.count(b"\n"), "a traceback's line is the source's"


def test_it_runs_as_before():
    class Codec:
        x = 10

    source = MODULE.replace(b"import _codec", b"")
    made = with_shared_names({"stoa/a.py": source}, {"lib/_codec.py": b""})["stoa/a.py"]
    results = []
    for text in (source, made):
        names = {"_codec": Codec}
        exec(text, names)
        wire = names["Wire"](7)
        results.append(getattr(wire, "_read", None) or wire)
    assert results[0]() == 7 + 4 + 1 + 10 + 3
    method = next(name for name in vars(type(results[1])) if name.startswith("_") and not name.startswith("__"))
    assert getattr(results[1], method)() == results[0]()


def test_names_of_what_a_class_derives_from_are_left_alone():
    panel = b"from lib import Base\nclass Panel(Base):\n    def _send(self):\n        self._own = self._buffer\n"
    base = b"class Base:\n    _buffer = 1\n    def _send(self): 0\n"
    made = with_shared_names({"stoa/panel.py": panel}, {"lib/base.py": base})
    assert b"_send" in made["stoa/panel.py"] and b"_buffer" in made["stoa/panel.py"]
    assert b"_own" not in made["stoa/panel.py"]


def test_a_constant_of_the_same_name_in_two_modules_is_each_ones_own_unless_somebody_reads_it():
    sources = {
        "stoa/a.py": b"TABLE = 1\nSIZES = 2\nPATHS = 3\n",
        "stoa/b.py": b"TABLE = 4\nSIZES = 5\nPATHS = 6\nprint(TABLE)\n",
        "stoa/c.py": b"from stoa import b\nfrom stoa.a import (\n    SIZES,\n)\nprint(b.PATHS)\n",
    }
    made = with_shared_names(sources, {})
    for path in ("stoa/a.py", "stoa/b.py"):
        assert b"TABLE" not in made[path]
        assert b"SIZES" in made[path] and b"PATHS" in made[path]
    assert made["stoa/c.py"] == sources["stoa/c.py"]


@pytest.mark.parametrize("spared", [150])
def test_the_firmware_has_so_many_names_fewer(spared):
    files = build_program(load_board("adafruit_magtag_2.9_grayscale"))
    program = {path: text for path, text in files.items() if path.startswith("stoa/") and path.endswith(".py")}
    libraries = {path: text for path, text in files.items() if path.startswith("lib/")}

    def names(texts):
        return {name for text in texts for name in re.findall(rb"\b[A-Za-z_]\w*", text)}

    assert len(names(program.values())) - len(names(with_shared_names(program, libraries).values())) >= spared
