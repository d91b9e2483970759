"""How much of a campaign a run does: STOA_CAMPAIGN is "quick" (`make test`) or "deep" (CI)."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import TypeVar

PROFILES = ("quick", "deep")
T = TypeVar("T")


def extent(quick: T, deep: T) -> T:
    """The one of the two that this run is for."""
    profile = os.environ.get("STOA_CAMPAIGN", "quick")
    if profile not in PROFILES:
        raise ValueError(f"STOA_CAMPAIGN is {profile!r}; it is one of {', '.join(PROFILES)}")
    return deep if profile == "deep" else quick


def sample(cases: Iterable[T], one_in: int) -> list[T]:
    """Every so many of them in the quick profile, beginning with the first; all in the deep one."""
    return list(cases)[:: extent(one_in, 1)]
