"""What a Python source file says of itself without being run: what it imports, binds, catches, and of what type."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from tests.unit.interpreter_names import VALUES

_DISPLAYS = {"JoinedStr": "str", "List": "list", "ListComp": "list", "Dict": "dict", "DictComp": "dict"} | {
    "Set": "set",
    "SetComp": "set",
    "Tuple": "tuple",
    "GeneratorExp": "generator",
}


@dataclass(frozen=True)
class Import:
    module: str
    line: int
    # Whether an ImportError is caught around it.
    guarded: bool


def imports(tree: ast.AST) -> Iterator[Import]:
    """Every module a file imports. `__import__("stoa.x." + name)` is "stoa.x."; one of no constant is "?"."""
    guarded = parts_that_catch(tree, "ImportError")
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = ["." * node.level + (node.module or "")]
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "__import__":
            prefix = node.args[0].left if isinstance(node.args[0], ast.BinOp) else node.args[0]
            names = [prefix.value if isinstance(prefix, ast.Constant) else "?"]
        else:
            continue
        for name in names:
            yield Import(name, node.lineno, node in guarded)


def imported_names(tree: ast.AST) -> dict[str, str]:
    """The name in the file -> in full what it is, be it a module, a class or a function."""
    names = {}
    for node in ast.walk(tree):
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            package = f"{node.module}." if isinstance(node, ast.ImportFrom) else ""
            names.update({alias.asname or alias.name: package + alias.name for alias in node.names})
    return names


def kind(value: ast.expr) -> str | None:
    """The type of a literal or of what a constructor makes."""
    if isinstance(value, ast.Constant):
        return type(value.value).__name__ if type(value.value).__name__ in VALUES else None
    if isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and value.func.id in VALUES:
        return value.func.id
    if isinstance(value, ast.BinOp) and isinstance(value.op, ast.Mod):
        return "str" if kind(value.left) == "str" else None
    return _DISPLAYS.get(type(value).__name__)


def kinds_of_names(tree: ast.AST) -> dict[str, set[str | None]]:
    """`x` or `self.x` -> the types of all it is assigned in the file; None among them: one that cannot be told."""
    kinds: dict[str, set[str | None]] = {}
    plain = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign):
            for target in node.targets:
                if isinstance(target, (ast.Name, ast.Attribute)):
                    plain.add(target)
                    if not (isinstance(node.value, ast.Constant) and node.value.value is None):
                        kinds.setdefault(ast.unparse(target), set()).add(kind(node.value))
        elif isinstance(node, ast.AugAssign):
            plain.add(node.target)
        elif isinstance(node, ast.arg):
            kinds.setdefault(node.arg, set()).add(None)
    for node in ast.walk(tree):
        if isinstance(node, (ast.Name, ast.Attribute)) and isinstance(node.ctx, ast.Store) and node not in plain:
            kinds.setdefault(ast.unparse(node), set()).add(None)
    return kinds


def bound_names(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            yield node.id
        elif isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            yield node.name
        elif isinstance(node, ast.alias):
            yield node.asname or node.name.partition(".")[0]


def parts_that_catch(tree: ast.AST, error: str) -> set[ast.AST]:
    """All nodes that stand in a `try` which catches `error`."""
    return {
        inner
        for node in ast.walk(tree)
        if isinstance(node, ast.Try)
        and any(handler.type is None or {error, "Exception"} & _caught(handler) for handler in node.handlers)
        for statement in node.body
        for inner in ast.walk(statement)
    }


def parts_after(tree: ast.AST, *errors: str) -> set[ast.AST]:
    """All nodes that run once one of `errors` was caught: for the interpreter that lacks what was tried."""
    return {
        inner
        for node in ast.walk(tree)
        if isinstance(node, ast.ExceptHandler) and _caught(node) & set(errors)
        for inner in ast.walk(node)
    }


def _caught(handler: ast.ExceptHandler) -> set[str]:
    return set(ast.unparse(handler.type).strip("()").split(", ")) if handler.type else set()
