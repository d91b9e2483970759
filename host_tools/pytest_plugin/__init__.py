"""A pytest plugin: the fixture `stoa_authority`, a simulated authorization server for tests of OAuth clients.

docs/testing-your-client.md is its page. pytest loads this module in every run of whoever has Stoa installed: what the
authority needs is imported when a test first asks for it.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import pytest

from host_tools.pytest_plugin import options
from host_tools.pytest_plugin.authority import Answered, StoaAuthority

if TYPE_CHECKING:
    from host_tools.pytest_plugin.servers import Servers

__all__ = ["Answered", "StoaAuthority"]

_LENT = pytest.StashKey[StoaAuthority]()


def pytest_addoption(parser: pytest.Parser) -> None:
    options.add_ini(parser)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", options.MARKER)


@pytest.fixture
def stoa_authority(
    request: pytest.FixtureRequest, stoa_options: Mapping[str, Any], _stoa_servers: Servers
) -> Iterator[StoaAuthority]:
    """A simulated authorization server on a port of this machine, as new for each test."""
    __tracebackhide__ = True
    authority = _stoa_servers.lend(options.chosen(request, stoa_options))
    request.node.stash[_LENT] = authority
    yield authority
    _stoa_servers.take_back(authority)


@pytest.fixture
def stoa_options() -> dict[str, Any]:
    """Options of `stoa_authority` that have to be computed: override or parametrize it. {"dialect": "rfc"}"""
    return {}


@pytest.fixture(scope="session")
def _stoa_servers() -> Iterator[Servers]:
    from host_tools.pytest_plugin.servers import Servers

    servers = Servers()
    yield servers
    servers.stop()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Tell with a failure what the authority was asked, and what it made of it."""
    report = yield
    authority = item.stash.get(_LENT, None)
    if authority is not None and report.failed:
        from host_tools.pytest_plugin.account import account

        report.sections.append(("stoa authority", account(authority)))
    return report
