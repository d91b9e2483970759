"""docs/state-machines.md says what the tables say, and each row says why it is there."""

from __future__ import annotations

import importlib
import importlib.util
import re
import sys
from pathlib import Path

import pytest

TOOL = Path(__file__).resolve().parents[2] / "tools" / "draw_state_machines.py"


def _load():
    spec = importlib.util.spec_from_file_location("draw_state_machines", TOOL)
    module = importlib.util.module_from_spec(spec)
    # Dataclasses look their module up.
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


drawing = _load()
TABLES = pytest.mark.parametrize("table", drawing.TABLES, ids=lambda table: table.path + " " + table.name)


def test_the_page_is_not_stale():
    assert drawing.PAGE.read_text() == drawing.page(), "run python tools/draw_state_machines.py"


@TABLES
def test_the_source_is_read_as_python_reads_it(table):
    module = importlib.import_module("stoa." + table.path.removesuffix(".py").replace("/", "."))
    entries = getattr(module, table.name)
    drawn = {row.key for row in drawing.rows(table)}
    own = {key: value for key, value in entries.items() if key not in _shared(table)}
    assert drawn == {_key(key) for key in own}


def _shared(table):
    from stoa.auth import answer

    return answer.CLIENT_ERRORS if table.name == "ERRORS" else {}


def _key(key):
    parts = key if isinstance(key, tuple) else (key,)
    return tuple("any other" if part is None else str(part) for part in parts)


@pytest.mark.parametrize("table", [table for table in drawing.TABLES if table.is_machine], ids=lambda table: table.path)
def test_every_row_of_a_machine_says_why(table):
    rows = drawing.rows(table)
    assert not [row.key for row in rows if len(row.reason.split()) < 3]
    # The section of an RFC, or the page of Auth0's documentation, first.
    assert not [row.key for row in rows if not re.match(r"RFC \d+ \d|3\.\d\b|Auth0, ", row.reason)]


def test_a_changed_row_makes_the_page_stale(monkeypatch, tmp_path):
    copy = tmp_path / "stoa"
    for table in drawing.TABLES:
        target = copy / table.path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text((drawing.STOA / table.path).read_text())
    monkeypatch.setattr(drawing, "STOA", copy)
    assert drawing.page() == drawing.PAGE.read_text()
    source = copy / "auth" / "refresh.py"
    source.write_text(source.read_text().replace('("again", "lost"): ("over"', '("again", "lost"): ("again"'))
    assert drawing.page() != drawing.PAGE.read_text()
