"""The servers behind `stoa_authority`: one for all tests that want the same, put back to its beginning for each.

Measured here: a start takes 60 ms and an end 170, going back to a snapshot 0.1.
"""

from __future__ import annotations

import tomllib
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import pytest

from host_tools.authority import InvalidSetting, NotNow, RunningAuthority, Snapshot, start_authority
from host_tools.authority import tenant_file as tenant_files
from host_tools.authority.checked_file import LARGEST_FILE
from host_tools.authority.core.policies import MfaMode
from host_tools.authority.dialects import DialectName
from host_tools.authority.tenant_settings import TenantFileError
from host_tools.clock import NS, Clock, RealClock, VirtualClock
from host_tools.pytest_plugin.authority import Answered, StoaAuthority
from host_tools.pytest_plugin.options import Options

_NAMES_FILES = {"rules": "file", "actions": "file", "apis": "policy"}  # of a tenant file
# Tests that each write a tenant file of their own would otherwise end with a server a test.
_MOST = 8


class _Heard:
    """The requests of one test after the other."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.begin_again()

    def begin_again(self) -> None:
        self._began_ns = self._clock.now_ns()
        self.answered: list[Answered] = []

    def __call__(self, method: str, path: str, status: int) -> None:
        self.answered.append(Answered((self._clock.now_ns() - self._began_ns) // NS, method, path, status))


@dataclass(frozen=True)
class _Server:
    running: RunningAuthority
    clock: Clock
    passwords: Mapping[str, str]
    heard: _Heard
    new: Snapshot

    def as_new(self) -> StoaAuthority:
        self.running.restore(self.new)
        if isinstance(self.clock, VirtualClock):
            # To the present second, not to the one it started in: what the client holds against the machine's time
            # (a cookie's end, a JWT's `exp`) would grow old in a long session.
            self.clock.set_ns(max(self.new.taken_at, VirtualClock.starting_now().now_ns()))
        self.heard.begin_again()
        return StoaAuthority(self.running, self.clock, self.passwords, self.heard.answered)


class Servers:
    """Those that run, by what is wanted of them; of more than `_MOST` the one that was not used for longest ends."""

    def __init__(self) -> None:
        self._running: OrderedDict[tuple[Options, tuple[bytes, ...]], _Server] = OrderedDict()

    def lend(self, options: Options) -> StoaAuthority:
        """An authority as new. Raises pytest.UsageError for options that make no sense."""
        __tracebackhide__ = True
        key = (options, _content(options.config))
        if key not in self._running:
            self._running[key] = _started(options)
        self._running.move_to_end(key)
        if len(self._running) > _MOST:
            self._running.popitem(last=False)[1].running.stop()
        return self._running[key].as_new()

    def take_back(self, authority: StoaAuthority) -> None:
        """Its test is over. Raises NotNow for one that was stopped, or is held up by a request that does not end: the
        test that did so is told, and the next has another."""
        __tracebackhide__ = True
        try:
            authority.end()
        except NotNow:
            (key,) = (key for key, server in self._running.items() if server.running is authority.running)
            self._running.pop(key).running.stop()
            raise

    def stop(self) -> None:
        while self._running:
            self._running.popitem()[1].running.stop()


def _started(options: Options) -> _Server:
    __tracebackhide__ = True
    clock: Clock = VirtualClock.starting_now() if options.clock == "virtual" else RealClock()
    heard = _Heard(clock)
    try:
        running = start_authority(
            clock,
            mfa=cast("MfaMode | None", options.mfa),
            dialect=cast(DialectName, options.dialect),
            config=options.config,
            tls=options.tls,
            on_request=heard,
        )
    except TenantFileError as wrong:
        raise pytest.UsageError("stoa_authority: " + "\n".join(wrong.problems)) from None
    except InvalidSetting as wrong:
        raise pytest.UsageError(f"stoa_authority: {wrong}") from None
    return _Server(running, clock, _passwords(running, options.config), heard, running.snapshot())


def _content(config: Path | None) -> tuple[bytes, ...]:
    """Of the tenant file and of those that it names, which the next test may have changed. What cannot be read is told
    of by the start."""
    if config is None:
        return ()
    content = _read(config)
    try:
        document = tomllib.loads(content.decode("utf-8-sig"))
        named = [each[key] for name, key in _NAMES_FILES.items() for each in document.get(name, ())]
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return (content,)
    return (content, *(_read(config.parent / name) for name in named if isinstance(name, str)))


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(LARGEST_FILE + 1)
    except (OSError, ValueError):  # ValueError: a NUL in the name
        return b""


def _passwords(running: RunningAuthority, config: Path | None) -> dict[str, str]:
    """Those that were made, and those that the tenant file has, which the authority tells nobody."""
    known = {user.username: user.password for user in running.listed_tenant.users}
    if config is not None:
        known |= {user.username: user.password for user in tenant_files.load(config).users if user.password}
    return known
