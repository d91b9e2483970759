"""An authority in this process: no sockets, virtual time, the display and the person as two HTTP clients of it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import httpx2
import pyotp
import pytest
from argon2 import PasswordHasher
from starlette.testclient import TestClient

from host_tools.authority import RunningAuthority, Snapshot, start_authority
from host_tools.authority.app import create_app
from host_tools.authority.core import users
from host_tools.authority.core.access_tokens import signing_key
from host_tools.authority.core.authority import Authority
from host_tools.authority.core.records import SigningKey
from host_tools.authority.store import SqliteStore
from host_tools.authority.tenant import Tenant, demo_tenant
from host_tools.clock import NS, VirtualClock
from host_tools.rehearsal.person import approve

from .mfa_fixtures import app, app_with, code, demo, remover, zeno  # noqa: F401
from .receivers import dripping, receive, telling, told  # noqa: F401

ISSUER = "http://127.0.0.1:8080/"
START_NS = 1_795_305_600 * NS  # 2026-11-22T00:00:00Z
DEVICE_CODE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"

QUOTES = [
    SimpleNamespace(text="The second day's line.", author="Epictetus", work="Handbook", locus="5"),
    SimpleNamespace(text="Whoever hurries, stumbles — “slowly”.", author="Seneca", work="Letters", locus="1.3"),
]


def quote_of_day(day: int) -> Any:
    return QUOTES[day % len(QUOTES)]


@pytest.fixture(scope="session")
def key_record() -> SigningKey:
    """One RSA key for all tests: making one takes longer than most of them."""
    store = SqliteStore(None)
    signing_key(store, VirtualClock(START_NS))
    made = store.find(SigningKey)[0]
    store.close()
    return made


@pytest.fixture(autouse=True)
def cheap_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    """argon2 at its real cost would take most of the suite's time; what is tested here is not its cost."""
    monkeypatch.setattr(users, "_hasher", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock(START_NS)


@pytest.fixture
def store(key_record: SigningKey) -> Iterator[SqliteStore]:
    kept = SqliteStore(None)
    kept.put(key_record)
    yield kept
    kept.close()


@pytest.fixture
def authority(store: SqliteStore, clock: VirtualClock) -> Authority:
    return Authority(store, clock, ISSUER)


@pytest.fixture
def tenant(authority: Authority, store: SqliteStore) -> Tenant:
    return demo_tenant(store, ISSUER)


@pytest.fixture
def http(authority: Authority, tenant: Tenant) -> Iterator[TestClient]:
    """A client without cookies of a person: the display, or a stranger."""
    with TestClient(create_app(authority, quote_of_day), base_url=ISSUER, follow_redirects=False) as client:
        yield client


@dataclass
class Display:
    """The device's side of the wire, as a firmware would speak it."""

    http: httpx2.Client  # of a real server, or Starlette's in process
    tenant: Tenant

    def ask(self, **changed: str) -> httpx2.Response:
        fields = {"client_id": self.tenant.client_id, "scope": self.tenant.scope, "audience": self.tenant.audience}
        return self.http.post("/oauth/device/code", data=fields | changed)

    def poll(self, device_code: str, **changed: str) -> httpx2.Response:
        fields = {"grant_type": DEVICE_CODE_GRANT, "device_code": device_code, "client_id": self.tenant.client_id}
        return self.http.post("/oauth/token", data=fields | changed)

    def refresh(self, refresh_token: str, **changed: str) -> httpx2.Response:
        fields = {"grant_type": "refresh_token", "refresh_token": refresh_token, "client_id": self.tenant.client_id}
        return self.http.post("/oauth/token", data=fields | changed)

    def quote(self, access_token: str, **headers: str) -> httpx2.Response:
        return self.http.get("/api/quotes/today", headers={"Authorization": f"Bearer {access_token}", **headers})


@dataclass
class Browser:
    """A person's browser: keeps its cookies, and fills the form of the page it is on."""

    http: TestClient
    tenant: Tenant
    clock: VirtualClock

    def see(self, path: str) -> httpx2.Response:
        return self.http.get(path, follow_redirects=True)

    def send(self, page: httpx2.Response, follow: bool = True, **fields: str) -> httpx2.Response:
        """Send the page's first form with these fields beside its hidden ones."""
        hidden = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page.text.split("</form>")[0]))
        action = re.search(r'<form method="post" action="([^"]+)"', page.text)
        assert action, page.text
        return self.http.post(action.group(1), data=hidden | fields, follow_redirects=follow)

    def type_code(self, user_code: str) -> httpx2.Response:
        return self.send(self.see("/activate"), user_code=user_code)

    def sign_in(self, page: httpx2.Response) -> httpx2.Response:
        return self.send(page, username=self.tenant.demo_user, password=self.tenant.demo_password)

    def one_time_code(self, ahead_s: int = 0) -> str:
        return pyotp.TOTP(self.tenant.totp_secret).at(self.clock.now_ns() // NS + ahead_s)

    def decide(self, user_code: str, decision: str = "allow") -> httpx2.Response:
        """The whole way from a code to a decision, answering whatever is asked."""
        page = self.type_code(user_code)
        if 'name="password"' in page.text:
            page = self.sign_in(page)
        if 'autocomplete="one-time-code"' in page.text:
            page = self.send(page, code=self.one_time_code())
        return self.send(page, decision=decision)


@pytest.fixture
def display(http: TestClient, tenant: Tenant) -> Display:
    return Display(http, tenant)


@pytest.fixture
def browser(http: TestClient, tenant: Tenant, clock: VirtualClock) -> Iterator[Browser]:
    with TestClient(http.app, base_url=ISSUER) as client:
        yield Browser(client, tenant, clock)


@pytest.fixture
def tokens(display: Display, browser: Browser) -> dict[str, Any]:
    """What a display holds right after pairing."""
    begun = display.ask().json()
    assert browser.decide(begun["user_code"]).status_code == 200
    granted = display.poll(begun["device_code"])
    assert granted.status_code == 200, granted.text
    return granted.json()


@dataclass(frozen=True)
class Prepared:
    """A real server with a paired display, and the snapshot to which every test goes back."""

    authority: RunningAuthority
    clock: VirtualClock
    tokens: dict[str, Any]
    snapshot: Snapshot


@pytest.fixture(scope="session")
def prepared() -> Iterator[Prepared]:
    clock = VirtualClock(START_NS)
    with start_authority(clock, quote_of_day=quote_of_day) as authority, over_the_wire(authority) as display:
        tenant = authority.tenant
        begun = display.ask().json()
        approve(begun["verification_uri"], begun["user_code"], tenant.demo_user, tenant.demo_password, lambda: "")
        tokens = display.poll(begun["device_code"]).json()
        yield Prepared(authority, clock, tokens, authority.snapshot())


@contextmanager
def over_the_wire(authority: RunningAuthority) -> Iterator[Display]:
    """A display that speaks to a real server. It keeps no connection, as the firmware keeps none."""
    limits = httpx2.Limits(max_keepalive_connections=0)
    with httpx2.Client(base_url=authority.issuer, limits=limits, timeout=20) as http:
        yield Display(http, authority.tenant)


@pytest.fixture
def paired(prepared: Prepared) -> Iterator[Prepared]:
    """The prepared server as it was when the display had just been paired."""
    prepared.authority.restore(prepared.snapshot)
    prepared.clock.set_ns(prepared.snapshot.taken_at)
    yield prepared


@pytest.fixture
def device(paired: Prepared) -> Iterator[Display]:
    with over_the_wire(paired.authority) as display:
        yield display
