"""An authority on the board's own virtual clock, and homes with a board in them: for conftest.py of a folder."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from host_tools.authority import RunningAuthority, start_authority
from host_tools.clock import VirtualClock
from tests.home import MONDAY_MORNING_NS, Home


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock(MONDAY_MORNING_NS)


@pytest.fixture
def authority(clock: VirtualClock) -> Iterator[RunningAuthority]:
    with start_authority(clock, access_token_ttl=3600) as running:
        yield running


@pytest.fixture
def make_home(authority: RunningAuthority, clock: VirtualClock) -> Callable[..., Home]:
    def make(**options: object) -> Home:
        return Home(authority, clock, **options)  # type: ignore[arg-type]

    return make


@pytest.fixture
def home(make_home: Callable[..., Home]) -> Home:
    return make_home()
