"""The scene of the okta dialect's tests, in place of the other dialect's: an application, a display, a browser."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import httpx2
import pytest
from starlette.testclient import TestClient

from host_tools.authority.app import create_app
from host_tools.authority.core.authority import Authority
from host_tools.authority.core.sign_on_policy import SignOnPolicy
from host_tools.authority.core.user_code import UserCodes
from host_tools.authority.store import SqliteStore
from host_tools.authority.tenant import Tenant
from host_tools.clock import VirtualClock
from tests.authority.conftest import ISSUER, quote_of_day

from .okta_wire import Api, OktaDisplay


@pytest.fixture
def authority(store: SqliteStore, clock: VirtualClock) -> Authority:
    made = Authority(store, clock, ISSUER, user_codes=UserCodes(mask="********"))
    made.mfa.mode = "always"
    return made


@pytest.fixture
def http(authority: Authority, tenant: Tenant) -> Iterator[TestClient]:
    app = create_app(authority, quote_of_day, dialect="okta")
    with TestClient(app, base_url=ISSUER, follow_redirects=False) as client:
        yield client


@pytest.fixture
def policy(authority: Authority) -> Callable[..., None]:
    """Have the tenant's sign-on policy be this."""

    def put(**changed: Any) -> None:
        authority.device_choices.policy = replace(SignOnPolicy(), **changed)

    return put


@pytest.fixture
def api(http: httpx2.Client, tenant: Tenant, clock: VirtualClock) -> Api:
    return Api(http, tenant, clock)


@pytest.fixture
def display(http: httpx2.Client, tenant: Tenant) -> OktaDisplay:
    return OktaDisplay(http, tenant)
