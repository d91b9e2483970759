"""How much of a campaign a run does: STOA_CAMPAIGN is "quick" (`make test`) or "deep" (CI)."""

from __future__ import annotations

import os
from typing import TypeVar

PROFILES = ("quick", "deep")
T = TypeVar("T")


def extent(quick: T, deep: T) -> T:
    """The one of the two that this run is for."""
    profile = os.environ.get("STOA_CAMPAIGN", "quick")
    if profile not in PROFILES:
        raise ValueError(f"STOA_CAMPAIGN is {profile!r}; it is one of {', '.join(PROFILES)}")
    return deep if profile == "deep" else quick
