"""The state on disk: it outlives a restart, is ours alone, and says clearly when it cannot be."""

from __future__ import annotations

import hashlib
import json
import sqlite3
import stat
import threading
from dataclasses import fields

import pytest

from host_tools.authority.core.authority import Authority
from host_tools.authority.core.records import Attempts, Client, DeviceGrant, SigningKey, User
from host_tools.authority.core.token_endpoint import Credentials
from host_tools.authority.errors import AuthorityError
from host_tools.authority.store import SqliteStore
from host_tools.authority.store_schema import SCHEMA_VERSION, TABLES
from host_tools.authority.tenant import demo_tenant
from host_tools.clock import VirtualClock

from .conftest import ISSUER, START_NS


@pytest.fixture
def path(tmp_path):
    return tmp_path / "authority.db"


def test_user_client_key_and_totp_secret_outlive_a_restart_and_the_password_does_not(path):
    clock = VirtualClock(START_NS)
    runs = []
    for _ in range(2):
        store = SqliteStore(path)
        authority = Authority(store, clock, ISSUER)
        runs.append((demo_tenant(store, ISSUER), authority.access_tokens.public_keys(), store.find(User)))
        store.close()
    (first, first_keys, _), (second, second_keys, users) = runs
    assert first.demo_password != second.demo_password
    assert (first.client_id, first.totp_secret, first_keys) == (second.client_id, second.totp_secret, second_keys)
    assert len(users) == 1


def test_tokens_outlive_a_restart(path, key_record):
    clock = VirtualClock(START_NS)
    store = SqliteStore(path)
    store.put(key_record)
    authority = Authority(store, clock, ISSUER)
    tenant = demo_tenant(store, ISSUER)
    begun = authority.tokens.authorize_device(Credentials(tenant.client_id), tenant.scope, None)
    _, session = authority.sessions.begin()
    session = authority.sessions.enter_code(session, begun.user_code, "here")
    user = authority.users.check_password(tenant.demo_user, tenant.demo_password, "here")
    _, session = authority.sessions.sign_in(session, user)
    authority.sessions.answer(session, allow=True)
    store.close()

    store = SqliteStore(path)
    authority = Authority(store, clock, ISSUER)
    granted = authority.tokens.redeem_device_code(Credentials(tenant.client_id), begun.device_code)
    assert granted.refresh_token
    store.close()

    store = SqliteStore(path)
    authority = Authority(store, clock, ISSUER)
    assert authority.tokens.refresh(Credentials(tenant.client_id), granted.refresh_token, None).refresh_token
    store.close()


def test_the_file_is_readable_by_its_owner_only(path):
    SqliteStore(path).close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_it_is_in_wal_mode_and_marked_as_ours(path):
    SqliteStore(path).close()
    with sqlite3.connect(path) as plain:
        marks = [plain.execute(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "application_id")]
        version = plain.execute("PRAGMA user_version").fetchone()[0]
    plain.close()
    assert marks == ["wal", 0x53746F61]
    assert version == SCHEMA_VERSION


def refusal(path) -> str:
    with pytest.raises(AuthorityError) as refused:
        SqliteStore(path)
    message = str(refused.value)
    assert "\n" not in message
    return message


def test_another_programs_database_is_left_alone(path):
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE theirs (x)")
    other.close()
    before = path.read_bytes()
    assert "another program's database" in refusal(path)
    assert path.read_bytes() == before


def test_what_is_no_database_is_left_alone(path):
    path.write_text("Dear diary, " * 200)
    assert "not a database" in refusal(path)
    assert path.read_text().startswith("Dear diary")


def test_a_newer_schema_is_named(path):
    SqliteStore(path).close()
    with sqlite3.connect(path) as newer:
        newer.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    newer.close()
    assert f"schema version {SCHEMA_VERSION + 1}" in refusal(path)


def test_a_folder_that_is_not_there_is_named(tmp_path):
    message = refusal(tmp_path / "missing" / "authority.db")
    assert "No such file" in message
    assert "missing" in message


def test_a_folder_in_place_of_the_file_is_refused(tmp_path):
    assert "name a new file" in refusal(tmp_path)


def test_two_authorities_do_not_share_a_file(path):
    first = SqliteStore(path)
    assert "in use by another authority" in refusal(path)
    first.close()
    SqliteStore(path).close()


def test_a_transaction_is_all_or_nothing(store):
    with pytest.raises(ZeroDivisionError), store.transaction():
        store.put(Attempts("outer", 1))
        with store.transaction():
            store.put(Attempts("inner", 1))
        _ = 1 / 0
    assert store.find(Attempts) == []


def test_threads_take_turns(store):
    store.put(Attempts("count", 0))

    def add() -> None:
        for _ in range(100):
            with store.transaction():
                store.put(Attempts("count", store.get(Attempts, "count").full_at + 1))

    threads = [threading.Thread(target=add) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert store.get(Attempts, "count").full_at == 400


def test_a_record_comes_back_as_it_was_put(store, tenant, display):
    display.ask()
    for kind in (User, Client, DeviceGrant, SigningKey):
        (record,) = store.find(kind)
        store.put(record)
        assert store.find(kind) == [record]
        assert store.get(kind, next(iter(vars(record).values()))) == record


def test_the_schema_has_a_version_of_its_own():
    """A database of another version is refused by name. Whoever changes a record raises SCHEMA_VERSION, and this."""
    columns = {table: [field.name for field in fields(kind)] for kind, table in TABLES.items()}
    shape = hashlib.sha256(json.dumps(columns).encode()).hexdigest()[:16]
    assert (SCHEMA_VERSION, shape) == (7, "51a668665fc8242b")
