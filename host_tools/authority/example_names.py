"""What examples there are, for who does not load them."""

from __future__ import annotations

from typing import Literal, get_args

from host_tools.authority.core.fault_kinds import Endpoint

ExampleName = Literal["bank", "catsdogs", "quotes"]
EXAMPLE_NAMES: tuple[str, ...] = get_args(ExampleName)
# The endpoint that each cannot be without.
NEEDS: dict[ExampleName, Endpoint] = {
    "bank": "authorization",
    "catsdogs": "token",
    "quotes": "device_authorization",
}
