"""The scene of the gateway's tests: seeds/004's cats and dogs before an authority in this process."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from host_tools.authority.core.authority import Authority
from host_tools.authority.core.records import SigningKey
from host_tools.authority.tenant import Tenant

from .api import Mint, api, serving


@pytest.fixture
def mint(key_record: SigningKey) -> Mint:
    return Mint(key_record)


@pytest.fixture
def zoo(authority: Authority, tenant: Tenant) -> Iterator[TestClient]:
    with serving(authority, api()) as client:
        yield client
