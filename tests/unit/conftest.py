"""Fixtures of the unit tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from host_tools.fonts import compiled_fonts
from stoa import text


@pytest.fixture(scope="session")
def fonts_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The compiled fonts as files, and the firmware's text told to look there."""
    folder = tmp_path_factory.mktemp("fonts")
    for name, content in compiled_fonts().items():
        (folder / name).write_bytes(content)
    text.FOLDER = str(folder)
    return folder
