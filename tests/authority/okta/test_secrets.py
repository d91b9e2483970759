"""What a bearer is worth something with is in no event, and in no database as it is."""

from __future__ import annotations

import re

import pytest

from host_tools.authority.store import SqliteStore
from host_tools.clock import NS
from tests.authority.mfa_wire import PHONE, demo_person, give


@pytest.fixture
def database(tmp_path):
    return tmp_path / "authority.db"


@pytest.fixture
def store(key_record, database):
    kept = SqliteStore(database)
    kept.put(key_record)
    yield kept
    kept.close()


def test_a_story_leaves_no_secret_behind(api, authority, store, tenant, clock, database):
    person = demo_person(store, tenant)
    told = api.begun()
    tokens, typed = {told["stateToken"], api.device}, {tenant.demo_password, api.wrong_code(), api.code()}
    api.verify(told, api.wrong_code())
    tokens.add(api.verify(told, api.code(), rememberDevice="true").json()["sessionToken"])
    clock.sleep_ns(900 * NS)

    give(authority, person, "sms", PHONE)
    told = api.begun()
    texts = [each["factorType"] for each in told["_embedded"]["factors"]].index("sms")
    sent = api.verify(told, at=texts).json()
    typed.add(re.search("[0-9]{6}", authority.outbox.newest()[0].text)[0])
    api.go(sent["_links"]["cancel"], sent)
    tokens.add(told["stateToken"])

    for each in authority.authenticators.of(person.user_id):
        authority.authenticators.remove(person.user_id, each.authenticator_id)
    told = api.begun()
    enrolled = api.post("/factors", _totp_for(told)).json()
    activation = enrolled["_embedded"]["factor"]["_embedded"]["activation"]
    tokens |= {told["stateToken"], activation["_links"]["qrcode"]["href"].rpartition("/")[2]}
    typed |= {activation["sharedSecret"], api.code(secret=activation["sharedSecret"])}
    done = api.go(enrolled["_links"]["next"], enrolled, passCode=api.code(secret=activation["sharedSecret"])).json()
    tokens.add(done["sessionToken"])

    kinds = {each.kind for each in authority.events.newest(100)}
    assert {"mfa_required", "device_remembered", "authn_cancelled"} <= kinds
    logged = " ".join(map(repr, authority.events.newest(100)))
    assert [each for each in tokens | typed if each in logged] == []
    kept = b"".join(each.read_bytes() for each in database.parent.iterdir())
    assert person.user_id.encode() in kept
    assert [each for each in tokens if each.encode() in kept] == []


def _totp_for(transaction):
    return {"stateToken": transaction["stateToken"], "factorType": "token:software:totp", "provider": "GOOGLE"}
