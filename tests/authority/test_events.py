"""The tenant's log: each kind of event is brought about once, and no secret is in any."""

from __future__ import annotations

import re

import pytest

from host_tools.authority.control import Controls
from host_tools.authority.core.events import EVENT_KINDS, KEPT, EventLog
from host_tools.authority.core.records import Event
from host_tools.authority.store import SqliteStore
from host_tools.clock import NS, VirtualClock

from .conftest import START_NS
from .event_scenes import SCENES, WRONG_CODE, Household
from .mfa_wire import MFA_AUDIENCE, PHONE, add_app, add_person, demo_person, text_of, wrong


@pytest.fixture
def home(http, store, tenant, authority, display, browser, clock):
    authority.mfa.mode = "always"
    app = add_app(http, store, tenant)
    people = demo_person(store, tenant), add_person(store)
    return Household(app, display, browser, authority, Controls(authority), clock, *people)


def test_every_kind_has_its_scene():
    # What webhooks could not deliver is told of where they are tested.
    assert set(SCENES) == set(EVENT_KINDS) - {"delivery_failed"}


@pytest.mark.parametrize("kind", SCENES)
def test_what_happens_is_logged_once_with_whose_it_was(home, kind):
    expected = SCENES[kind](home)
    logged = [(each.client_id, each.user_id, each.detail) for each in home.control.events() if each.kind == kind]
    assert logged == [expected]


def test_the_log_goes_by_the_authoritys_clock_and_numbers_from_one(home):
    home.app.mfa_token(home.demo)
    home.clock.sleep_ns(5 * NS)
    home.app.mfa_token(home.demo)
    later, earlier = home.control.events(most=2)
    assert (earlier.number, earlier.happened_at) == (1, START_NS)
    assert (later.number, later.happened_at) == (2, START_NS + 5 * NS)


def test_no_secret_is_in_any_event(home, tenant):
    """Everything a bearer may be worth something with goes by in one long story; the log has none of it."""
    secrets = {tenant.demo_password, home.zeno.password, tenant.totp_secret, home.app.secret}
    begun = home.display.ask().json()
    home.browser.decide(begun["user_code"])
    granted = home.display.poll(begun["device_code"]).json()
    secrets |= {begun["device_code"], begun["user_code"], begun["user_code"].replace("-", "")}
    secrets |= {granted["access_token"], granted["refresh_token"]}
    secrets.add(home.display.refresh(granted["refresh_token"]).json()["refresh_token"])
    home.display.refresh(granted["refresh_token"])
    home.browser.type_code(WRONG_CODE)
    home.app.sign_in(home.zeno, password="a wrong guess of a password")
    secrets |= {WRONG_CODE, "a wrong guess of a password"}

    mfa_token = home.app.mfa_token(home.zeno)
    enrolled = home.app.enrol(mfa_token, "sms", phone_number=PHONE)
    code = text_of(home.authority)
    home.app.oob(mfa_token, enrolled["oob_code"], binding_code=wrong(code))
    home.app.oob(mfa_token, enrolled["oob_code"], binding_code=code)
    secrets |= {mfa_token, enrolled["oob_code"], code, wrong(code), *enrolled["recovery_codes"]}
    mfa_token = home.app.mfa_token(home.zeno, scope="enroll", audience=MFA_AUDIENCE)
    answered = home.app.recovery(mfa_token, enrolled["recovery_codes"][0]).json()
    totp = home.app.enrol(answered["access_token"], "otp")["secret"]
    home.app.otp(answered["access_token"], home.right_code(totp))
    secrets |= {mfa_token, answered["recovery_code"], answered["access_token"], totp, home.right_code(totp), PHONE}

    told = [text for each in home.control.events(KEPT) for text in (each.client_id, each.user_id, each.detail)]
    assert len(told) > 40
    assert [(secret, text) for secret in secrets for text in told if text and secret in text] == []
    # Nor anything that looks like one: names and numbers alone.
    assert [text for text in told if text and not re.fullmatch(r"[a-z0-9_| :-]{0,40}", text)] == []


def test_an_event_happens_only_if_its_transaction_does(authority, store):
    with pytest.raises(RuntimeError), store.transaction():
        authority.events.add("login_failed")
        raise RuntimeError
    assert authority.events.newest(10) == []


def test_the_oldest_are_let_go_and_the_newest_ten_thousand_are_kept():
    store = SqliteStore(None)
    log = EventLog(store, VirtualClock(START_NS))
    with store.transaction():
        for number in range(1, KEPT + 1):
            store.put(Event(number, START_NS, "login_succeeded", None, None, ""))
    for _ in range(999):
        log.add("login_failed")
    assert log.newest(1)[0].number == KEPT + 999
    assert len(store.find(Event)) == KEPT + 999
    log.add("login_failed")
    kept = log.newest(20_000)
    assert (kept[0].number, kept[-1].number) == (KEPT + 1000, 1000)
    assert len(kept) >= KEPT
    store.close()
