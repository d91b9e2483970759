"""CircuitPython's floats on CPython: 30 bits wide, 22 of them mantissa, the rest cut off (MicroPython's REPR_C).

Modules are loaded through a transformer, so that every float they make (a literal, a quotient, float()) is narrow.
Integers are exact on the boards too: a module that keeps to them cannot tell the difference.
"""

from __future__ import annotations

import ast
import builtins
import math
import struct
import sys
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader


def narrowed(value: float) -> float:
    """`value` as the boards keep it."""
    if not math.isfinite(value) or abs(value) > 3.4e38:
        return value
    (bits,) = struct.unpack("<I", struct.pack("<f", value))
    (narrow,) = struct.unpack("<f", struct.pack("<I", bits & ~3))
    return narrow


class Narrow(float):
    def __new__(cls, value: object = 0.0) -> Narrow:
        return super().__new__(cls, narrowed(float(value)))


def _narrow_operator(name: str):
    exact = getattr(float, name)

    def operator(self, *others):
        # float's methods do not take integers past 2**53 for granted: they are narrowed first, as on the boards.
        result = exact(self, *(Narrow(other) for other in others))
        return Narrow(result) if isinstance(result, float) else result

    return operator


for _name in ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow"):
    for _full in (f"__{_name}__", f"__r{_name}__"):
        setattr(Narrow, _full, _narrow_operator(_full))
for _full in ("__neg__", "__pos__", "__abs__"):
    setattr(Narrow, _full, _narrow_operator(_full))


class Narrowing(ast.NodeTransformer):
    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        return _call(node) if isinstance(node.value, float) else node

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        self.generic_visit(node)
        return _call(node) if isinstance(node.op, ast.Div) else node

    def visit_AugAssign(self, node: ast.AugAssign) -> ast.AST:
        self.generic_visit(node)
        assert not isinstance(node.op, ast.Div), "write it out"
        return node

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        return _call(node) if isinstance(node.func, ast.Name) and node.func.id == "float" else node


def _call(node: ast.expr) -> ast.Call:
    called = ast.Call(ast.Name("__narrow__", ast.Load()), [node], [])
    return ast.copy_location(called, node)


def compiled(source: str | bytes, path: str):
    return compile(ast.fix_missing_locations(Narrowing().visit(ast.parse(source))), path, "exec")


class _Loader(SourceFileLoader):
    def get_code(self, fullname):
        # Past the cached bytecode, which is not transformed.
        path = self.get_filename(fullname)
        return compiled(self.get_data(path), path)


class _Finder(MetaPathFinder):
    def find_spec(self, fullname, path, target=None) -> ModuleSpec | None:
        if fullname.split(".")[0] != "stoa":
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is not None and isinstance(spec.loader, SourceFileLoader):
            spec.loader = _Loader(spec.loader.name, spec.loader.path)
        return spec


def install() -> None:
    """From now on the firmware's modules are loaded with narrow floats. Not to be undone: in a child of its own."""
    builtins.__narrow__ = Narrow  # type: ignore[attr-defined]
    for name in [name for name in sys.modules if name.split(".")[0] == "stoa"]:
        del sys.modules[name]
    sys.meta_path.insert(0, _Finder())
