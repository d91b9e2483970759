"""What a firmware file says that CircuitPython 9 and 10, MicroPython 1.25 and CPython 3.11 do not understand alike.

An AST walk. Which names MicroPython lacks it says itself (interpreter_names.py); what it takes or does otherwise than
CPython stands in the tables here, each row with its proof in test_portable_subset.py: a program on which the two
differ. No CircuitPython runs on a desk: the rows about it name its source.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping

from tests.unit.interpreter_names import VALUES, Names
from tests.unit.python_source import bound_names, imported_names, kind, kinds_of_names, parts_after, parts_that_catch

# Keyword arguments that MicroPython's own functions and methods take, of those that CPython's take; None: any.
KEYWORDS = {
    "dict": None,
    "enumerate": {"start"},
    "format": None,
    "json.dump": {"separators"},
    "json.dumps": {"separators"},
    "max": {"default", "key"},
    "min": {"default", "key"},
    "open": {"encoding", "mode"},
    "print": {"end", "file", "sep"},
    "sort": {"key", "reverse"},
    "sorted": {"key", "reverse"},
    "update": None,
}
# Most arguments by position, where CPython takes more. CircuitPython: MICROPY_PY_BUILTINS_NEXT2 is off, py/mpconfig.h.
POSITIONAL = {"iter": 1, "next": 1}
# MicroPython writes and reads UTF-8 whatever codec it is told, and knows no error handlers.
CODECS = ("utf-8", "utf8")
CODED = ("encode", "decode", "str", "bytes", "bytearray")
INPLACE = ("mul", "matmul", "truediv", "floordiv", "mod", "pow", "lshift", "rshift", "and", "or", "xor")
# Defined by a class and never called. The two last by CircuitPython (MICROPY_PY_DELATTR_SETATTR in py/mpconfig.h).
NEVER_CALLED = {
    "__bytes__",
    "__class_getitem__",
    "__format__",
    "__getattribute__",
    "__index__",
    "__init_subclass__",
    "__missing__",
    "__round__",
    "__set_name__",
    "__delattr__",
    "__setattr__",
} | {f"__i{operator}__" for operator in INPLACE}
# MicroPython fills in `errno` from one argument, CPython from two; `strerror` it has not.
OF_AN_ERROR = {"errno": "error.args[0]", "strerror": "error.args"}
# What MicroPython and CPython have and CircuitPython has not: py/mpconfig.h and py/modsys.c; circuitpython-stubs.
CIRCUITPYTHON_LACKS = {"sys.exc_info", "sys.executable", "hashlib.md5", "hashlib.sha1", "hashlib.sha256"}


def methods(source: str) -> dict[str, set[str]]:
    """What a call of `something.name` may find in a file's own classes -> the names of its parameters."""
    found: dict[str, set[str]] = {}
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ClassDef) and not {ast.unparse(base) for base in node.bases} & set(VALUES):
            for part in node.body:
                if isinstance(part, ast.FunctionDef):
                    taken = {arg.arg for arg in ast.walk(part.args) if isinstance(arg, ast.arg)}
                    found.setdefault(part.name, set()).update(taken)
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            found.setdefault(node.attr, set())
    return found


def offences(source: str, cpython: Names, vm: Names, own: Mapping[str, set[str]]) -> list[str]:
    """["12: why", …]. `own`: the methods of all classes that a value here may be of."""
    return [f"{line}: {why}" for line, why in sorted(_Reader(ast.parse(source), cpython, vm, own).found())]


class _Reader:
    def __init__(self, tree: ast.Module, cpython: Names, vm: Names, own: Mapping[str, set[str]]) -> None:
        self._tree = tree
        self._cpython = cpython
        self._vm = vm
        self._own = own
        self._methods = {name for kind in cpython.attributes.values() for name in kind}
        self._bound = set(bound_names(tree))
        self._kinds = kinds_of_names(tree)
        self._imported = imported_names(tree)
        self._nameless = parts_that_catch(tree, "NameError")
        self._importable = parts_that_catch(tree, "ImportError")
        self._excused = parts_that_catch(tree, "AttributeError") | parts_after(tree, "ImportError", "AttributeError")
        self._asked_for = {
            (ast.unparse(node.args[0]), node.args[1].value)
            for node in ast.walk(tree)
            if isinstance(node, ast.Call)
            and ast.unparse(node.func) == "hasattr"
            and isinstance(node.args[1], ast.Constant)
        }

    def found(self) -> Iterator[tuple[int, str]]:
        for node in ast.walk(self._tree):
            about = getattr(self, "on_" + type(node).__name__, None)
            if about:
                for why in about(node):
                    yield node.lineno, why

    def on_Name(self, node: ast.Name) -> Iterator[str]:
        missing = node.id in self._cpython.builtins - self._vm.builtins and not node.id.startswith("__")
        if missing and node.id not in self._bound and node not in self._nameless:
            yield f"MicroPython has no {node.id}"

    def on_Attribute(self, node: ast.Attribute) -> Iterator[str]:
        module = self._module(node.value)
        if module in self._cpython.modules:
            asked = (ast.unparse(node.value), node.attr) in self._asked_for
            if not asked and node not in self._excused:
                yield from self._of_module(module, node.attr)
        elif node.attr.startswith("__") and not any(node.attr in had for had in self._vm.attributes.values()):
            yield f"MicroPython has no {node.attr}"
        elif node.attr in OF_AN_ERROR and isinstance(node.ctx, ast.Load) and module is None:
            yield f"{node.attr} is not the same everywhere: {OF_AN_ERROR[node.attr]}"

    def on_ImportFrom(self, node: ast.ImportFrom) -> Iterator[str]:
        if node.module in self._cpython.modules and node not in self._excused | self._importable:
            for alias in node.names:
                yield from self._of_module(node.module, alias.name)

    def _of_module(self, module: str, name: str) -> Iterator[str]:
        if name not in self._cpython.modules[module]:
            yield f"CPython has no {module}.{name}"
        if name not in self._vm.modules.get(module, {name}):
            yield f"MicroPython has no {module}.{name}"
        if f"{module}.{name}" in CIRCUITPYTHON_LACKS:
            yield f"CircuitPython has no {module}.{name}"

    def on_Call(self, node: ast.Call) -> Iterator[str]:
        if isinstance(node.func, ast.Name):
            name = called = node.func.id
            if name in self._bound or name not in self._cpython.builtins:
                return
        elif isinstance(node.func, ast.Attribute):
            name = called = node.func.attr
            module = self._module(node.func.value)
            if module in self._cpython.modules:
                called = f"{module}.{name}"
            elif module is not None or name not in self._methods:
                return
            elif name not in self._own:
                yield from self._missing_method(node.func.value, name)
        else:
            return
        yield from self._arguments(node, name, called)

    def _missing_method(self, receiver: ast.expr, name: str) -> Iterator[str]:
        kinds = self._kinds_of(receiver)
        # Not known: then no type of MicroPython's may have it.
        lacking = {kind for kind in kinds or VALUES if name not in self._vm.attributes[kind]}
        if lacking and (kinds or len(lacking) == len(VALUES)):
            whose = " or ".join(sorted(lacking)) if kinds else "value"
            yield f"no {whose} of MicroPython's has a method {name}"

    def _arguments(self, node: ast.Call, name: str, called: str) -> Iterator[str]:
        takes = KEYWORDS.get(called, set())
        for keyword in node.keywords if takes is not None else ():
            if keyword.arg not in takes | self._own.get(called, set()):
                yield f"MicroPython's {called} takes no keyword {keyword.arg}"
        if len(node.args) > POSITIONAL.get(called, len(node.args)):
            yield f"CircuitPython's {called} takes {POSITIONAL[called]} argument"
        if called == "rsplit" and len(node.args) > 1 and ast.unparse(node.args[0]) == "None":
            yield "MicroPython's rsplit needs a separator to count by"
        if called in ("isinstance", "issubclass") and any(isinstance(given, ast.BinOp) for given in node.args):
            yield f"MicroPython's {called} takes a tuple of types"
        codec = node.args[1 if isinstance(node.func, ast.Name) else 0 :] if name in CODED else []
        if len(codec) > 1 or any(isinstance(one, ast.Constant) and one.value not in CODECS for one in codec):
            yield f"MicroPython's {called} knows UTF-8 alone, and no error handler"

    def on_Subscript(self, node: ast.Subscript) -> Iterator[str]:
        kinds = self._kinds_of(node.value)
        stepped = isinstance(node.slice, ast.Slice) and node.slice.step is not None
        if stepped and not (kinds == {"list"} and isinstance(node.ctx, ast.Load)):
            yield "MicroPython steps through a list alone, reading it"
        if isinstance(node.ctx, ast.Del) and "bytearray" in kinds:
            yield "MicroPython deletes nothing from a bytearray"

    def on_ClassDef(self, node: ast.ClassDef) -> Iterator[str]:
        if node.keywords:
            yield "MicroPython's classes take no keywords"

    def on_FunctionDef(self, node: ast.FunctionDef) -> Iterator[str]:
        if node.name in NEVER_CALLED:
            yield f"{node.name} is not called everywhere"

    def on_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> Iterator[str]:
        yield "CircuitPython has no asyncio of its own"

    def on_Raise(self, node: ast.Raise) -> Iterator[str]:
        if node.cause is not None:
            yield "MicroPython warns of `raise … from` and drops the cause"

    def on_JoinedStr(self, node: ast.JoinedStr) -> Iterator[str]:
        # f"{x}" "{": MicroPython joins them first and reads the second brace as a field.
        if any(isinstance(part, ast.Constant) and set(part.value) & set("{}") for part in node.values):
            yield "a brace beside a field: write it with %"

    def _module(self, receiver: ast.expr) -> str | None:
        return self._imported.get(receiver.id) if isinstance(receiver, ast.Name) else None

    def _kinds_of(self, value: ast.expr) -> set[str]:
        """The types a value may have, if it can be told; else none."""
        if isinstance(value, (ast.Name, ast.Attribute)):
            kinds = self._kinds.get(ast.unparse(value), {None})
        else:
            kinds = {kind(value)}
        return set() if None in kinds else kinds
