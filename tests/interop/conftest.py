"""A clock that Node reads too, and the servers and clients that run by it."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import ExitStack

import pytest

from host_tools.clock import NS
from tests.interop import servers
from tests.interop.checking import PASSED
from tests.interop.mirrored_clock import MirroredClock
from tests.interop.provider import OidcProvider, start_oidc_provider
from tests.interop.requirements import SERVERS
from tests.interop.servers import Server

# 2035-06-04 09:00 UTC, a Monday. Far ahead, for a person's browser throws cookies away by the machine's own time.
MONDAY_MORNING_NS = 2_064_560_400 * NS


@pytest.fixture(scope="module")
def clock(tmp_path_factory: pytest.TempPathFactory) -> MirroredClock:
    return MirroredClock(MONDAY_MORNING_NS, tmp_path_factory.mktemp("clock") / "now")


@pytest.fixture(scope="module")
def provider(clock: MirroredClock) -> Iterator[OidcProvider]:
    with start_oidc_provider(clock) as running:
        yield running


@pytest.fixture(scope="module")
def running(clock: MirroredClock) -> Iterator[dict[str, Server]]:
    """Every server of the requirements, by its name there."""
    with ExitStack() as opened:
        yield {name: opened.enter_context(servers.START[name](clock)) for name in SERVERS}


@pytest.fixture
def server(running: dict[str, Server], request: pytest.FixtureRequest) -> Server:
    return running[request.param]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Notes what has passed, for the table of requirements."""
    report = yield
    if report.when == "call" and report.passed:
        item.session.stash.setdefault(PASSED, set()).add((item.path, item.name))
    return report
