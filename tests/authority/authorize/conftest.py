"""The scene of /authorize: a browser application, and a person's browser that it sends here."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from starlette.testclient import TestClient

from host_tools.authority.core.records import Client
from host_tools.authority.tenant import Tenant
from host_tools.clock import VirtualClock
from tests.authority.conftest import ISSUER, Browser

from .application import SPA, Application


@pytest.fixture
def spa(store) -> Client:
    store.put(SPA)
    return SPA


@pytest.fixture
def asks_consent(store, spa) -> Client:
    asking = replace(spa, skips_consent=False)
    store.put(asking)
    return asking


@pytest.fixture
def application(http: TestClient, tenant: Tenant, clock: VirtualClock, spa: Client) -> Iterator[Application]:
    with TestClient(http.app, base_url=ISSUER) as client:
        yield Application(Browser(client, tenant, clock))
