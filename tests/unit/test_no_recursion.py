"""No function of the firmware comes back to itself: a reconnect that did ran out of stack (circuitpython#9856)."""

import ast
from pathlib import Path

import pytest

FIRMWARE = Path(__file__).parents[2] / "firmware"
SOURCES = sorted(path.relative_to(FIRMWARE).as_posix() for path in FIRMWARE.rglob("*.py"))


def calls(source):
    """function or method of a module -> those of the same module that it calls or hands on."""
    tree = ast.parse(source)
    found = {}
    scopes = [(None, tree)] + [(node.name, node) for node in tree.body if isinstance(node, ast.ClassDef)]
    for owner, scope in scopes:
        for function in scope.body:
            if isinstance(function, ast.FunctionDef):
                named = found[(owner, function.name)] = set()
                for node in ast.walk(function):
                    if isinstance(node, ast.Name):
                        named.add((None, node.id))
                    elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                        named.add((node.value.id if node.value.id != "self" else owner, node.attr))
    return {name: named & set(found) for name, named in found.items()}


def comes_back(graph):
    """The functions from which a way of calls leads back to them."""
    back = []
    for start in graph:
        seen, ahead = set(), [start]
        while ahead:
            for called in graph[ahead.pop()] - seen:
                seen.add(called)
                ahead.append(called)
        if start in seen:
            back.append(start[1])
    return sorted(back)


@pytest.mark.parametrize("source", SOURCES)
def test_no_function_calls_itself(source):
    assert comes_back(calls((FIRMWARE / source).read_text())) == []


@pytest.mark.parametrize(
    "source",
    [
        "def join():\n    try:\n        go()\n    except OSError:\n        join()\n",
        "def a():\n    b()\ndef b():\n    a()\n",
        "class Net:\n    def join(self):\n        self.again()\n    def again(self):\n        return self.join()\n",
        "class Net:\n    def join(self):\n        Net.join(self)\n",
    ],
)
def test_recursion_is_found(source):
    assert comes_back(calls(source)) != []


def test_a_method_may_have_the_name_of_what_it_calls():
    assert comes_back(calls("class Panel(Base):\n    def show(self):\n        Base.show(self)\n        show()\n")) == []
