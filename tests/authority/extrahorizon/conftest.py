"""The scene of the extrahorizon dialect's tests: an application, and its user before and after setting MFA up."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx2
import pytest
from starlette.testclient import TestClient

from host_tools.authority.app import create_app
from host_tools.authority.core.authority import Authority
from host_tools.authority.dialects import extrahorizon
from host_tools.authority.store import SqliteStore
from host_tools.authority.tenant import Tenant, provision, put_in_force
from host_tools.authority.tenant_settings import demo_settings
from host_tools.clock import VirtualClock
from tests.authority.conftest import ISSUER, quote_of_day

from .extrahorizon_wire import Account


@pytest.fixture
def tenant(authority: Authority, store: SqliteStore) -> Tenant:
    settings = extrahorizon.demo(demo_settings())
    put_in_force(authority, settings)
    return provision(store, ISSUER, settings, only=False).tenant


@pytest.fixture
def http(authority: Authority, tenant: Tenant) -> Iterator[TestClient]:
    app = create_app(authority, quote_of_day, dialect="extrahorizon")
    with TestClient(app, base_url=ISSUER, follow_redirects=False) as client:
        yield client


@pytest.fixture
def account(http: httpx2.Client, tenant: Tenant, clock: VirtualClock) -> Account:
    """Signed in, and with no second factor, as the seed's user starts."""
    made = Account(http, tenant, clock)
    made.keep(made.sign_in())
    return made


@pytest.fixture
def steps(store: SqliteStore, monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, str, str]]:
    """What is read and written from now on: in which transaction, 0 for none; get or put; the kind of record."""
    seen: list[tuple[int, str, str]] = []
    begun = [0]
    transaction, get, put = store.transaction, store.get, store.put

    @contextmanager
    def counted(durable: bool = True) -> Iterator[None]:
        outermost = not store._depth
        with transaction(durable):
            begun[0] += outermost
            yield

    def noted_get(kind: type[Any], key: str) -> Any:
        seen.append((begun[0] if store._depth else 0, "get", kind.__name__))
        return get(kind, key)

    def noted_put(record: Any) -> None:
        seen.append((begun[0] if store._depth else 0, "put", type(record).__name__))
        put(record)

    for name, spy in (("transaction", counted), ("get", noted_get), ("put", noted_put)):
        monkeypatch.setattr(store, name, spy)
    return seen


@pytest.fixture
def guarded(account: Account) -> Account:
    """The same, with MFA set up and on."""
    account.set_up()
    return account
