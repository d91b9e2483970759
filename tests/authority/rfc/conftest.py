"""The scene of the rfc dialect's tests, in place of the other dialect's: a display, and what it holds once allowed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
from starlette.testclient import TestClient

from host_tools.authority.app import create_app
from host_tools.authority.core.authority import Authority
from host_tools.authority.tenant import Tenant
from tests.authority.conftest import ISSUER, Browser, quote_of_day

from .rfc_wire import RfcDisplay


@pytest.fixture
def http(authority: Authority, tenant: Tenant) -> Iterator[TestClient]:
    app = create_app(authority, quote_of_day, dialect="rfc")
    with TestClient(app, base_url=ISSUER, follow_redirects=False) as client:
        yield client


@pytest.fixture
def display(http: httpx2.Client, tenant: Tenant) -> RfcDisplay:
    return RfcDisplay(http, tenant)


@pytest.fixture
def tokens(display: RfcDisplay, browser: Browser) -> dict[str, Any]:
    return display.paired(browser)
