"""Where the firmware and the board descriptions lie: in the checkout, or in the wheel that carries a copy of them."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent
# pyproject.toml puts firmware/ and boards/ there when it builds a wheel; a checkout has no such folder.
_IN_WHEEL = _PACKAGE / "_shipped"


def shipped(folder: str) -> Path:
    """The folder `firmware` or `boards`, as an absolute path."""
    root = _IN_WHEEL if _IN_WHEEL.is_dir() else _PACKAGE.parent
    return root / folder
