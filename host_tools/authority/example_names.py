"""What examples there are, for who does not load them."""

from __future__ import annotations

from typing import Literal, get_args

ExampleName = Literal["bank", "catsdogs", "quotes"]
EXAMPLE_NAMES: tuple[str, ...] = get_args(ExampleName)
