"""The table of requirements.toml: whole, shown by tests that exist, and printed as docs/requirements.md."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from tests.interop import requirements
from tests.interop.requirements import RUNS, DeviceRow, device_rows, server_rows

CHECKS = sorted(Path(__file__).parent.glob("test_requirements_*.py"))


def test_each_row_has_its_own_name_a_section_and_something_to_say() -> None:
    rows = [*device_rows(), *server_rows()]
    assert len({(type(row), row.id) for row in rows}) == len(rows)
    assert not [row.id for row in rows if not re.match(r"(RFC \d+|FAPI 2\.0) \d", row.section)]
    assert not [row.id for row in rows if not row.says.endswith(".")]


def test_of_a_server_that_a_row_does_not_run_on_it_says_why() -> None:
    assert not [
        row.id for row in server_rows() if any(how != RUNS and len(how.split()) < 5 for how in row.servers.values())
    ]


@pytest.mark.parametrize("row", device_rows(), ids=lambda row: row.id)
def test_each_test_of_a_device_exists(row: DeviceRow) -> None:
    assert row.tests
    for test in row.tests:
        file, _, name = test.partition("::")
        assert name in functions((requirements.ROOT / file).read_text()), test


def test_each_row_is_shown_by_the_check_it_names_and_each_check_shows_a_row() -> None:
    shown = [check for file in CHECKS for check in checks(file.read_text())]
    assert sorted(shown) == sorted((row.test, row.id) for row in server_rows())


def test_the_page_is_not_stale() -> None:
    assert requirements.PAGE.read_text() == requirements.page(), "run python -m tests.interop.requirements"


def test_what_is_skipped_or_expected_to_fail_shows_nothing() -> None:
    source = "@pytest.mark.xfail\ndef test_a(): pass\n@pytest.mark.skip\ndef test_b(): pass\ndef test_c(): pass"
    assert functions(source) == {"test_c"}


def functions(source: str) -> set[str]:
    """Its test functions, but for those marked xfail or skip."""
    return {
        node.name
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.FunctionDef)
        and not any(word in ast.unparse(mark) for mark in node.decorator_list for word in ("xfail", "skip"))
    }


def checks(source: str) -> list[tuple[str, str]]:
    """The functions marked with `shows`, and the row that each names."""
    return [
        (node.name, ast.literal_eval(mark.args[0]))
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.FunctionDef)
        for mark in node.decorator_list
        if isinstance(mark, ast.Call) and ast.unparse(mark.func) == "shows"
    ]
