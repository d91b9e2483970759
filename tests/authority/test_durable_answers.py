"""A power cut after an answer takes nothing back that it told, and one sync serves all who wait for it."""

from __future__ import annotations

import functools
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx2
import pytest
from starlette.testclient import TestClient

from host_tools.authority import server, start_authority
from host_tools.authority.app import create_app
from host_tools.authority.core.authority import Authority
from host_tools.authority.core.errors import InvalidRefreshToken
from host_tools.authority.core.records import Client, LoginSession
from host_tools.authority.core.token_endpoint import Credentials
from host_tools.authority.durable_answers import DurableAnswers
from host_tools.authority.store import SqliteStore
from host_tools.authority.tenant import demo_tenant

from .conftest import ISSUER, Display, quote_of_day


class Disk:
    """What is on it for sure: the database, and of its log what the last sync found there."""

    def __init__(self, database: Path) -> None:
        self.database = database
        self.synced = (b"", b"")
        self.syncs = 0
        self.may_sync = threading.Event()
        self.may_sync.set()
        self.failure: OSError | None = None

    def sync(self, descriptor: int) -> None:
        self.syncs += 1
        if self.failure:
            raise self.failure
        log = Path(f"{self.database.resolve()}-wal")
        found = self.database.read_bytes(), log.read_bytes()
        assert log.samefile(f"/proc/self/fd/{descriptor}")
        assert self.may_sync.wait(60)
        self.synced = found

    def after_a_power_cut(self) -> SqliteStore:
        copy = self.database.with_name(f"after-{self.syncs}-syncs.db")
        database, log = self.synced
        copy.write_bytes(database)
        Path(f"{copy}-wal").write_bytes(log)
        return SqliteStore(copy)


class Served:
    """An authority on a disk, and the displays that have paired with it."""

    def __init__(self, disk: Disk, clock, key_record) -> None:
        self.disk, self.clock = disk, clock
        self.store = SqliteStore(disk.database, disk.sync)
        self.store.put(key_record)
        self.authority = Authority(self.store, clock, ISSUER)
        self.tenant = demo_tenant(self.store, ISSUER)
        self.app = DurableAnswers(create_app(self.authority, quote_of_day), self.store.log)

    def pair(self, http) -> str:
        """A display that a person has approved. Its refresh token."""
        display = Display(http, self.tenant)
        begun = display.ask().json()
        self.authority.sessions.answer(self.signed_in(begun["user_code"]), allow=True)
        return str(display.poll(begun["device_code"]).json()["refresh_token"])

    def signed_in(self, user_code: str) -> LoginSession:
        """A person who has still to decide about that device."""
        sessions, users = self.authority.sessions, self.authority.users
        _, session = sessions.begin()
        session = sessions.enter_code(session, user_code, "here")
        user = users.check_password(self.tenant.demo_user, self.tenant.demo_password, "here")
        return sessions.sign_in(session, user)[1]

    def refreshed_after_a_power_cut(self, refresh_token: str) -> bool:
        store = self.disk.after_a_power_cut()
        try:
            tokens = Authority(store, self.clock, ISSUER).tokens
            return bool(tokens.refresh(Credentials(self.tenant.client_id), refresh_token, None).refresh_token)
        except InvalidRefreshToken:
            return False
        finally:
            store.close()


@pytest.fixture(params=["file", "link"])
def disk(tmp_path, request):
    if request.param == "file":
        return Disk(tmp_path / "authority.db")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "authority.db").symlink_to(tmp_path / "elsewhere" / "real.db")
    SqliteStore(tmp_path / "elsewhere" / "real.db").close()
    return Disk(tmp_path / "authority.db")


@pytest.fixture
def served(disk, clock, key_record):
    made = Served(disk, clock, key_record)
    yield made
    disk.may_sync.set()
    made.store.close()


@pytest.fixture
def http(served):
    with TestClient(served.app, base_url=ISSUER, raise_server_exceptions=False) as client:
        yield client


def test_what_a_display_was_told_of_its_tokens_holds(served, http):
    display = Display(http, served.tenant)
    first = served.pair(http)
    assert served.refreshed_after_a_power_cut(first)

    second = display.refresh(first).json()["refresh_token"]
    assert served.refreshed_after_a_power_cut(second)
    assert not served.refreshed_after_a_power_cut(first)

    revoked = http.post("/oauth/revoke", data={"client_id": served.tenant.client_id, "token": second})
    assert revoked.status_code == 200
    assert not served.refreshed_after_a_power_cut(second)


def test_all_who_wait_are_served_by_one_sync(served, disk, http):
    displays = 8
    tokens = [served.pair(http) for _ in range(displays)]
    before = disk.syncs
    disk.may_sync.clear()
    with ThreadPoolExecutor(displays) as pool:
        replies = [pool.submit(Display(http, served.tenant).refresh, token) for token in tokens]
        while served.authority.tally.counts()["refreshes"] < displays:
            assert not any(reply.done() for reply in replies)
            threading.Event().wait(0.005)
        assert not any(reply.done() for reply in replies)
        disk.may_sync.set()
        assert [reply.result().status_code for reply in replies] == [200] * displays
    # The first was under way when the others came, and cannot speak for them.
    assert disk.syncs - before == 2


def test_who_changed_nothing_waits_for_no_sync(served, disk, http):
    served.pair(http)
    display = Display(http, served.tenant)
    device_code = display.ask().json()["device_code"]
    before = disk.syncs
    assert display.poll(device_code).json()["error"] == "authorization_pending"
    assert http.get("/.well-known/openid-configuration").status_code == 200
    assert disk.syncs == before


def test_what_is_written_beside_a_transaction_waits_too_and_what_changed_nothing_does_not(served):
    store = served.store
    store.log.at_once()
    with store.transaction():
        store.delete(Client, client_id="nobody's")
    assert not store.log.is_due
    with store.transaction(durable=False):
        store.put(store.find(Client)[0])
    assert not store.log.is_due, "a server may forget it"
    store.put(store.find(Client)[0])
    assert store.log.is_due


def test_an_outer_transaction_is_durable_where_one_in_it_is(served):
    store = served.store
    store.log.at_once()
    with store.transaction(durable=False), store.transaction():
        store.put(store.find(Client)[0])
    assert store.log.is_due


def test_a_snapshot_that_is_restored_waits_too(served):
    image = served.store.image()
    served.store.log.at_once()
    served.store.put_back(image)
    assert served.store.log.is_due


def test_a_persons_decision_waits_too(served, http):
    begun = Display(http, served.tenant).ask().json()
    session = served.signed_in(begun["user_code"])
    served.store.log.at_once()
    served.authority.sessions.answer(session, allow=True)
    assert served.store.log.is_due


def test_after_a_sync_that_failed_nothing_is_answered_any_more(served, disk, http):
    token = served.pair(http)
    disk.failure = OSError(5, "Input/output error")
    assert Display(http, served.tenant).refresh(token).status_code == 500
    disk.failure = None
    assert Display(http, served.tenant).refresh(token).status_code == 500
    assert http.get("/.well-known/openid-configuration").status_code == 500


def test_a_server_with_a_database_waits_for_its_log(tmp_path, clock, monkeypatch):
    disk = Disk(tmp_path / "authority.db")
    monkeypatch.setattr(server, "SqliteStore", functools.partial(SqliteStore, sync=disk.sync))
    with (
        start_authority(clock, database=disk.database) as running,
        httpx2.Client(base_url=running.issuer, timeout=60) as http,
    ):
        assert http.get("/.well-known/openid-configuration").status_code == 200
        assert disk.syncs == 1, "of what was made at the start"
        kept = disk.after_a_power_cut()
        assert demo_tenant(kept, running.issuer).client_id == running.tenant.client_id
        kept.close()


def test_without_such_a_call_each_commit_is_synced_by_sqlite(tmp_path):
    store = SqliteStore(tmp_path / "authority.db", sync=None)
    assert store.log is None
    assert store._connection.execute("PRAGMA synchronous").fetchone() == (2,), "FULL"
    store.close()
