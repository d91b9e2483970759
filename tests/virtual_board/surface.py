"""What a module offers and takes, read from its source without running it: one of the virtual board's, or a stub."""

from __future__ import annotations

import ast
import builtins
import re
from collections.abc import Callable
from dataclasses import dataclass, field

# Methods that are used by syntax. Any other name that begins with an underscore is nobody's business.
PROTOCOL = {"__call__", "__enter__", "__exit__", "__getitem__", "__iter__", "__len__", "__next__", "__setitem__"}


@dataclass(frozen=True)
class Parameter:
    """kind: "", "*", "**", "keyword " or "positional ". default: None, or its literal, or "..." where it is no such."""

    name: str
    kind: str = ""
    default: str | None = None

    def agrees(self, other: Parameter) -> bool:
        told = {self.default, other.default}
        return (self.name, self.kind) == (other.name, other.kind) and (
            len(told) == 1 or ("..." in told and None not in told)
        )

    def __str__(self) -> str:
        return self.kind + self.name + ("" if self.default is None else "=" + self.default)


@dataclass
class Member:
    """kind: "module", "class", "function", "attribute", or "import": another module's, not followed yet.

    parameters     of a function or a constructor; None: not told
    read_only      of an attribute
    type           the class that an attribute is of, or a function gives, if that is told
    members        of a module or a class
    source         of an import: module and name
    """

    kind: str
    parameters: list[Parameter] | None = None
    read_only: bool = False
    type: str = ""
    members: dict[str, Member] = field(default_factory=dict)
    source: tuple[str, str] = ("", "")


class Modules:
    """Modules by their names. find: a function from a dotted name to its source, or None."""

    def __init__(self, find: Callable[[str], str | None]) -> None:
        self._find = find
        self._read: dict[str, Member | None] = {}

    def module(self, name: str) -> Member | None:
        if name not in self._read:
            source = self._find(name)
            self._read[name] = None if source is None else self._build(source)
        return self._read[name]

    def has(self, path: str) -> bool:
        """Whether "wifi.radio.connect" is there, as far as the types are told."""
        name, *rest = path.split(".")
        at = scope = self.module(name)
        for part in rest:
            if at is not None and at.kind in ("attribute", "function"):
                # What it is, or gives.
                at = self.followed(scope.members.get(at.type))
                if at is None:
                    return True
            if at is None:
                break
            name = f"{name}.{part}"
            at = self.followed(at.members.get(part)) or self.module(name)
            if at is not None and at.kind == "module":
                scope = at
        return at is not None

    def followed(self, member: Member | None) -> Member | None:
        while member is not None and member.kind == "import":
            package, name = member.source
            submodule = self.module(f"{package}.{name}")
            if submodule:
                return submodule
            module = self.module(package)
            member = module.members.get(name) if module else None
        return member

    def _build(self, source: str) -> Member:
        # Stubs are written for a Python newer than the one that reads them here: `def const[T](expr: T) -> T`.
        tree = ast.parse(re.sub(r"^def (\w+)\[\w+\]", r"def \1", source, flags=re.MULTILINE))
        module = Member("module")
        self._fill(module.members, tree.body)
        for node in tree.body:
            if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
                # What is imported to be published is the interpreter's own.
                for name in ast.literal_eval(node.value):
                    if module.members[name].kind == "import":
                        module.members[name] = Member("function")
        return module

    def _fill(self, members: dict[str, Member], body: list[ast.stmt]) -> None:
        for node, after in zip(body, [*body[1:], None], strict=True):
            if isinstance(node, ast.ImportFrom):
                for alias in node.names:
                    members[alias.asname or alias.name] = Member("import", source=(str(node.module), alias.name))
            elif isinstance(node, ast.ClassDef):
                members[node.name] = self._class(node, members)
            elif isinstance(node, ast.FunctionDef):
                self._function(members, node)
            elif isinstance(node, ast.AnnAssign):
                told = ast.unparse(after.value) if isinstance(after, ast.Expr) else ""
                read_only = bool(re.search("read[- ]only|cannot be changed", told, re.IGNORECASE))
                made = Member("attribute", read_only=read_only, type=_named(node.annotation))
                members[ast.unparse(node.target)] = made
            elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Attribute):
                # Direction.INPUT = Direction()
                members[ast.unparse(node.targets[0].value)].members[node.targets[0].attr] = Member("attribute")
            elif isinstance(node, ast.Assign):
                called = node.value.func if isinstance(node.value, ast.Call) else None
                made = called.id if isinstance(called, ast.Name) else ""
                members[ast.unparse(node.targets[0])] = Member("attribute", type=made)
            elif isinstance(node, ast.For) and isinstance(node.iter, ast.Tuple):
                # for _name in ("A", "B"): setattr(Reason, _name, Reason(_name))
                for call in ast.walk(node):
                    if isinstance(call, ast.Call) and ast.unparse(call.func) == "setattr":
                        owner = members[ast.unparse(call.args[0])]
                        owner.members.update({name: Member("attribute") for name in ast.literal_eval(node.iter)})

    def _class(self, node: ast.ClassDef, scope: dict[str, Member]) -> Member:
        made = Member("class")
        for base in map(ast.unparse, node.bases):
            known = self.followed(scope.get(base))
            if known:
                made.members.update(known.members)
                made.parameters = known.parameters
            elif base == "tuple":
                made.members.update({name: Member("function") for name in dir(builtins.tuple)})
        self._fill(made.members, node.body)
        for function in node.body:
            if isinstance(function, ast.FunctionDef):
                if function.name == "__init__":
                    made.parameters = made.members["__init__"].parameters
                for inner in ast.walk(function):
                    stored = isinstance(inner, ast.Attribute) and isinstance(inner.ctx, ast.Store)
                    if stored and ast.unparse(inner.value) == "self":
                        made.members.setdefault(inner.attr, Member("attribute"))
        return made

    def _function(self, members: dict[str, Member], node: ast.FunctionDef) -> None:
        decorators = [ast.unparse(decorator) for decorator in node.decorator_list]
        if "property" in decorators:
            members[node.name] = Member("attribute", read_only=True, type=_named(node.returns))
        elif f"{node.name}.setter" in decorators:
            members[node.name].read_only = False
        else:
            members[node.name] = Member("function", parameters=_parameters(node.args), type=_named(node.returns))


def _parameters(args: ast.arguments) -> list[Parameter]:
    plain = [("positional ", arg) for arg in args.posonlyargs] + [("", arg) for arg in args.args]
    defaults = [None] * (len(plain) - len(args.defaults)) + args.defaults
    found = [Parameter(arg.arg, kind, _literal(default)) for (kind, arg), default in zip(plain, defaults, strict=True)]
    if args.vararg:
        found.append(Parameter(args.vararg.arg, "*"))
    for arg, default in zip(args.kwonlyargs, args.kw_defaults, strict=True):
        found.append(Parameter(arg.arg, "keyword ", _literal(default)))
    if args.kwarg:
        found.append(Parameter(args.kwarg.arg, "**"))
    return [parameter for parameter in found if parameter.name != "self"]


def _literal(default: ast.expr | None) -> str | None:
    if default is None:
        return None
    try:
        value = ast.literal_eval(default)
    except ValueError:
        return "..."
    return "..." if value is ... else repr(value)


def _named(annotation: ast.expr | None) -> str:
    """The class of `Optional[microcontroller.Processor]`: "Processor"."""
    text = re.sub(r"^Optional\[(.*)\]$", r"\1", ast.unparse(annotation)) if annotation else ""
    return text.partition(" | ")[0].rpartition(".")[2]


def differences(name: str, ours: Member, theirs: Member, modules: Modules) -> list[str]:
    """["wifi.Radio.enabled: what", …]: what `ours` offers and `theirs`, which is of `modules`, has not or otherwise."""
    found = []
    for key, mine in ours.members.items():
        if mine.kind == "import" or (key.startswith("_") and key not in PROTOCOL):
            continue
        full = f"{name}.{key}"
        its = modules.followed(theirs.members.get(key))
        if its is None:
            found.append(f"{full}: not in the stubs")
        elif mine.kind != its.kind:
            found.append(f"{full}: {mine.kind}, in the stubs {its.kind}")
        elif mine.kind == "attribute" and mine.read_only != its.read_only:
            found.append(f"{full}: {'read-only' if mine.read_only else 'can be set'}, in the stubs not so")
        elif mine.kind == "class":
            found += differences(full, mine, its, modules)
            # A constructor that takes nothing there is one that nobody can call: the board hands out the object.
            if its.parameters:
                found += _otherwise(full, mine.parameters or [], its.parameters)
        elif mine.kind == "function" and key not in PROTOCOL and None not in (mine.parameters, its.parameters):
            found += _otherwise(full, mine.parameters, its.parameters)
    return found


def _otherwise(name: str, ours: list[Parameter], theirs: list[Parameter]) -> list[str]:
    if len(ours) == len(theirs) and all(mine.agrees(its) for mine, its in zip(ours, theirs, strict=True)):
        return []
    return [f"{name}({', '.join(map(str, ours))}): in the stubs ({', '.join(map(str, theirs))})"]
