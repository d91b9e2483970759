"""docs/field-failures.md names tests: each is there, and no row is without."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "field-failures.md").read_text()
ROWS = [line for line in PAGE.splitlines() if line.startswith("|") and not re.match(r"\|(-|\s*failure\s*\|)", line)]


def shown_by(source):
    """Its test functions; what is marked xfail shows nothing."""
    return {
        node.name
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.FunctionDef)
        and node.name.startswith("test_")
        and not any("xfail" in ast.unparse(mark) for mark in node.decorator_list)
    }


@pytest.fixture(scope="module")
def known():
    return set().union(*(shown_by(path.read_text()) for path in (ROOT / "tests").rglob("test_*.py")))


def test_the_page_has_the_failures():
    assert len(ROWS) > 40


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.split("|")[1].strip())
def test_each_failure_has_a_test_that_exists(row, known):
    cells = row.strip("|").split("|")
    assert len(cells) == 4
    named = re.findall(r"`(test_\w+)`", cells[3])
    assert named
    assert set(named) <= known


def test_what_is_expected_to_fail_shows_nothing():
    assert shown_by("import pytest\n@pytest.mark.xfail(strict=True)\ndef test_a(): pass\ndef test_b(): pass") == {
        "test_b"
    }
