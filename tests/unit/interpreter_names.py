"""Which names an interpreter has: CPython's own, and which of them a real MicroPython says it has too."""

from __future__ import annotations

import builtins
import importlib
import json
import subprocess
from collections.abc import Collection, Sequence
from dataclasses import dataclass

# A value of each type whose attributes are looked up.
VALUES = {
    "str": "''",
    "bytes": "b''",
    "bytearray": "bytearray()",
    "memoryview": "memoryview(b'')",
    "list": "[]",
    "tuple": "()",
    "dict": "{}",
    "set": "set()",
    "frozenset": "frozenset()",
    "int": "0",
    "float": "0.0",
    "OSError": "OSError(5, '')",
    "generator": "(i for i in ())",
    "function": "some_function",
    "class": "SomeClass",
    "object": "object",
    "instance": "SomeClass()",
    "module": "json",
}
SETUP = "import builtins, json\ndef some_function(): pass\nclass SomeClass:\n    def __init__(self): pass\n"


@dataclass(frozen=True)
class Names:
    """The builtins, the attributes of the VALUES, and the contents of those modules that are there."""

    builtins: frozenset[str]
    attributes: dict[str, frozenset[str]]
    modules: dict[str, frozenset[str]]


def of_cpython(modules: Collection[str]) -> Names:
    scope: dict = {}
    exec(SETUP, scope)
    return Names(
        frozenset(dir(builtins)),
        {kind: frozenset(dir(eval(value, scope))) for kind, value in VALUES.items()},
        {name: frozenset(dir(importlib.import_module(name))) for name in modules},
    )


def of_micropython(command: Sequence[str], cpython: Names) -> Names:
    """Which of CPython's names it has. It is asked for each: its dir() leaves some out."""
    program = SETUP + f"had = {{'=': [n for n in {sorted(cpython.builtins)} if hasattr(builtins, n)]}}\n"
    for kind, value in VALUES.items():
        program += f"had['={kind}'] = [n for n in {sorted(cpython.attributes[kind])} if hasattr({value}, n)]\n"
    for name, names in cpython.modules.items():
        program += f"try:\n    import {name} as m\n    had['{name}'] = [n for n in {sorted(names)} if hasattr(m, n)]\n"
        program += "except ImportError: pass\n"
    had = {key: frozenset(names) for key, names in json.loads(run(command, program + "print(json.dumps(had))")).items()}
    attributes = {kind: had.pop("=" + kind) for kind in VALUES}
    return Names(had.pop("="), attributes, had)


def run(command: Sequence[str], program: str) -> str:
    """What an interpreter prints that runs `program`, a traceback included."""
    done = subprocess.run([*command, "-c", program], capture_output=True, text=True, check=False)
    return done.stdout + done.stderr
