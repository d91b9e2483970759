"""The pure modules on the boards' floats, and no float where a time could meet it."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.campaigns import forked, narrow_floats
from tests.campaigns.narrow_floats import Narrow

ROOT = Path(__file__).resolve().parents[2]
UNIT = ROOT / "tests" / "unit"
# The unit tests of what decides and touches nothing. A new pure module's go here.
PURE = (
    "answer",
    "backoff",
    "civil",
    "device_grant",
    "device_grant_answers",
    "device_grant_time",
    "metadata",
    "push",
    "push_answers",
    "quotes",
    "refresh",
    "retry_after",
    "schedule",
    "sleep_state",
    "slots",
    "timekeeping",
    "timezone",
    "url",
    "vault",
)
NOW = 1_800_000_301


def test_the_pure_modules_pass_with_the_boards_floats():
    files = [str(UNIT / f"test_{name}.py") for name in PURE]
    assert forked.run(narrow_floats.install, files) == pytest.ExitCode.OK


def test_narrow_floats_are_narrow():
    assert Narrow(NOW) == 1_800_000_000 // 512 * 512
    assert Narrow(1 + 2**-21) == 1 + 2**-21
    assert Narrow(1 + 2**-22) == 1
    assert NOW + Narrow(0.5) == Narrow(NOW)
    assert isinstance(NOW * Narrow(1), Narrow)
    assert Narrow(1e39) == 1e39


@pytest.mark.parametrize(
    "expression",
    ["now * 1.0", "now / 1", "now + 0.5", "float(now)", "now - now / 4 * 3 - now / 4", "int(now * 0.5) * 2 + 1"],
)
def test_a_module_that_makes_floats_of_times_is_wrong_with_them(expression):
    source = f"def f(now):\n    return {expression}\n"
    exact: dict = {}
    exec(source, exact)
    narrow: dict = {"__narrow__": Narrow}
    exec(narrow_floats.compiled(source, "f.py"), narrow)
    assert float(narrow["f"](NOW)) != float(exact["f"](NOW))


def floats(source: str) -> list[str]:
    """The places of a firmware file in which a float is made that is not at once given to the board."""
    tree = ast.parse(source)
    given = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            # CircuitPython wants seconds as a float there, and compares them with nothing of ours.
            if ast.unparse(node.func) == "time.sleep":
                given |= set(node.args)
            given |= {
                inner for keyword in node.keywords if keyword.arg == "monotonic_time" for inner in ast.walk(keyword)
            }
    found = []
    for node in ast.walk(tree):
        makes = (
            (isinstance(node, ast.Constant) and isinstance(node.value, (float, complex)))
            or (isinstance(node, (ast.BinOp, ast.AugAssign)) and isinstance(node.op, ast.Div))
            or (isinstance(node, ast.Call) and ast.unparse(node.func) in ("float", "time.monotonic", "math.sqrt"))
        )
        if makes and node not in given:
            found.append(f"{node.lineno}: {ast.unparse(node)}")
    return found


@pytest.mark.parametrize(
    "path", sorted((ROOT / "firmware").rglob("*.py")), ids=lambda path: str(path.relative_to(ROOT / "firmware"))
)
def test_the_firmware_makes_no_float_of_a_time(path):
    # Times are integers: time.time() and monotonic_ns() are, and what is never a float never loses a second.
    assert floats(path.read_text()) == []


@pytest.mark.parametrize(
    "source",
    [
        "until = time.time() * 1.5",
        "x = now / 2",
        "x /= 2",
        "t = time.monotonic()",
        "x = float(now)",
        "time.sleep(n * 0.1)",
    ],
)
def test_a_float_is_found(source):
    assert floats(source)


@pytest.mark.parametrize(
    "source", ["time.sleep(0.1)", "x = now // 2", "TimeAlarm(monotonic_time=time.monotonic() + 6 * 3600)"]
)
def test_what_the_board_wants_as_a_float_may_be_one(source):
    assert floats(source) == []
