"""Fixtures of the unit tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from host_tools.fonts import compiled_fonts
from stoa import text
from stoa.text import Font


@pytest.fixture(scope="session")
def fonts_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The compiled fonts as files, and the firmware's text told to look there."""
    folder = tmp_path_factory.mktemp("fonts")
    for name, content in compiled_fonts().items():
        (folder / name).write_bytes(content)
    text.FOLDER = str(folder)
    return folder


@pytest.fixture
def said(monkeypatch):
    """Every line of text put on the glass, with its font's size, in a font that has its characters."""
    lines = []
    draw = Font.draw

    def listening(self, canvas, text, x, baseline):
        assert all(map(self.has, text)), text
        lines.append((text, self.size))
        return draw(self, canvas, text, x, baseline)

    monkeypatch.setattr(Font, "draw", listening)
    return lines
