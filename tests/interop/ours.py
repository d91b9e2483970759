"""Stoa's own authority on the test's own time, and the person who lives with it."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pyotp

from host_tools.authority import RunningAuthority, start_authority
from host_tools.clock import NS, Clock, now_s
from tests.interop.mirrored_clock import MirroredClock
from tests.interop.person import Person


@dataclass
class Heard:
    """The requests an authority has answered: when (seconds after it started), path, status."""

    clock: Clock
    requests: list[tuple[int, str, int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._began = now_s(self.clock)

    def __call__(self, method: str, path: str, status: int) -> None:
        self.requests.append((now_s(self.clock) - self._began, path, status))


@dataclass
class OwnAuthority:
    running: RunningAuthority
    clock: MirroredClock
    heard: Heard
    person: Person

    def somebody_approves(self, shown: dict[str, str], after_s: int) -> None:
        self.clock.schedule(after_s * NS, lambda: self.person.approve(shown))


@contextmanager
def own_authority(clock: MirroredClock, **options: Any) -> Iterator[OwnAuthority]:
    """options: of start_authority."""
    heard = Heard(clock)
    with start_authority(clock, on_request=heard, access_token_ttl=3600, **options) as running:
        yield OwnAuthority(running, clock, heard, person_of(running, clock))


def person_of(running: RunningAuthority, clock: Clock) -> Person:
    """The demo tenant's user: knows the password, holds the authenticator."""
    tenant = running.tenant
    answers = {
        "username": lambda: tenant.demo_user,
        "password": lambda: tenant.demo_password,
        "code": lambda: pyotp.TOTP(tenant.totp_secret).at(now_s(clock)),
    }
    trust = ssl.create_default_context(cafile=running.ca_file)
    return Person(answers, yes=("decision", "allow"), no=("decision", "deny"), trust=trust)
