"""The scene of the MFA API's tests: an application, a tenant that asks for a second factor, and two people."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx2
import pytest

from host_tools.authority.core.authority import Authority
from host_tools.authority.store import SqliteStore
from host_tools.authority.tenant import Tenant
from host_tools.clock import VirtualClock

from .mfa_wire import MFA_AUDIENCE, App, Person, add_app, add_person, code_of, demo_person


@pytest.fixture
def app(http: httpx2.Client, store: SqliteStore, tenant: Tenant, authority: Authority) -> App:
    authority.mfa.mode = "always"
    return add_app(http, store, tenant)


@pytest.fixture
def zeno(store: SqliteStore) -> Person:
    """Somebody with no second factor."""
    return add_person(store)


@pytest.fixture
def app_with(http: httpx2.Client, store: SqliteStore, tenant: Tenant, zeno: Person) -> Callable[..., tuple[App, str]]:
    """A client set so, whose refresh tokens do not expire by themselves, and the one of somebody who has just signed in
    to it."""

    def made(client_id: str = "app", **changed: Any) -> tuple[App, str]:
        made = add_app(http, store, tenant, client_id, **{"refresh_lifetime_s": None} | changed)
        return made, made.sign_in(zeno).json()["refresh_token"]

    return made


@pytest.fixture
def demo(store: SqliteStore, tenant: Tenant) -> Person:
    """Somebody who has one-time codes in an app."""
    return demo_person(store, tenant)


@pytest.fixture
def code(tenant: Tenant, clock: VirtualClock) -> Callable[..., str]:
    """The demo user's one-time code as it is now."""

    def shown(ahead_s: int = 0) -> str:
        return code_of(tenant.totp_secret, clock, ahead_s)

    return shown


@pytest.fixture
def remover(app: App, demo: Person, code: Callable[..., str]) -> str:
    """An access token with which the demo user may remove authenticators, and list them."""
    mfa_token = app.mfa_token(demo, scope="remove:authenticators read:authenticators", audience=MFA_AUDIENCE)
    access_token: str = app.otp(mfa_token, code()).json()["access_token"]
    return access_token
