"""A wish to be remembered where two factors are due, and once there is none left: it is of the last, and no longer."""

from __future__ import annotations

import pytest

from host_tools.authority.core.authn_records import DeviceChoice
from host_tools.authority.provisioning import put_users
from host_tools.authority.tenant_settings import AuthenticatorSettings, UserSettings
from host_tools.clock import NS
from tests.authority.mfa_wire import PHONE, demo_person, give, text_of

from .okta_wire import Api, OktaDisplay
from .test_okta_pages import Signing, is_asked

TICKED = {"remember_device": "yes"}


@pytest.fixture
def two(authority, store, tenant):
    """The demo user has an app's codes and a phone number, and both are asked for."""
    authority.mfa.factors = 2
    person = demo_person(store, tenant)
    give(authority, person, "sms", PHONE)
    return person


@pytest.fixture
def signing(browser, display: OktaDisplay) -> Signing:
    return Signing(browser, display)


def through(signing: Signing, authority, first: dict[str, str], last: dict[str, str]) -> None:
    """Both factors at the pages, each with or without its box."""
    browser = signing.browser
    browser.clock.sleep_ns(60 * NS)
    page = signing.begin()
    page = browser.send(page, code=browser.one_time_code(), **first)
    assert "One more" in page.text and "Do not allow" not in page.text
    page = browser.send(page)
    assert "Do not allow" in browser.send(page, code=text_of(authority), **last).text


@pytest.mark.parametrize(
    ("first", "last", "remembered"), [({}, {}, False), (TICKED, {}, False), ({}, TICKED, True), (TICKED, TICKED, True)]
)
def test_at_the_pages_the_box_of_the_last_counts(signing, authority, two, first, last, remembered):
    through(signing, authority, first, last)
    signing.forget_session()
    assert is_asked(signing.begin()) is not remembered


@pytest.mark.parametrize("forgets_session", [True, False])
def test_the_box_of_the_first_spares_nobody_the_second(signing, authority, store, two, forgets_session):
    """Nor in a session in which both were given before, for another display."""
    through(signing, authority, {}, {})
    if forgets_session:
        signing.forget_session()
    signing.browser.clock.sleep_ns(60 * NS)
    page = signing.browser.send(signing.begin(), code=signing.browser.one_time_code(), **TICKED)
    assert "One more" in page.text
    assert [each.remembered_at for each in store.find(DeviceChoice)] == [None]
    signing.forget_session()
    assert is_asked(signing.begin())


@pytest.mark.parametrize(
    ("first", "last", "remembered"),
    [("false", "false", False), ("true", "false", False), ("false", "true", True), ("true", "true", True)],
)
def test_in_the_api_the_wish_of_the_last_counts(api: Api, authority, two, first, last, remembered):
    told = api.begun()
    at = {each["factorType"]: place for place, each in enumerate(told["_embedded"]["factors"])}
    told = api.verify(told, api.code(), at["token:software:totp"], rememberDevice=first).json()
    assert told["status"] == "MFA_REQUIRED"
    assert api.begun()["status"] == "MFA_REQUIRED"  # whoever turns back here has given one of two
    sent = api.verify(told, at=at["sms"]).json()
    done = api.go(sent["_links"]["next"], sent, {"rememberDevice": last}, passCode=text_of(authority))
    assert done.json()["status"] == "SUCCESS"
    assert api.begun()["status"] == ("SUCCESS" if remembered else "MFA_REQUIRED")


@pytest.mark.parametrize("wished", [True, False])
def test_the_box_of_the_last_is_as_its_user_had_it_before_the_first(api, authority, clock, two, wished):
    """A wish whose time is over is one still, until its user says otherwise of the last."""
    authority.mfa.factors = 1
    api.through(rememberDevice=str(wished).lower())
    clock.sleep_ns(900 * NS)
    authority.mfa.factors = 2
    told = api.begun()
    at = [each["factorType"] for each in told["_embedded"]["factors"]].index("token:software:totp")
    after = api.verify(told, api.code(), at, rememberDevice="true").json()
    assert after["status"] == "MFA_REQUIRED"
    assert [each["_embedded"]["policy"]["rememberDeviceByDefault"] for each in (told, after)] == [wished, wished]


@pytest.mark.parametrize("remaining", [0, 1])
def test_no_device_is_remembered_longer_than_its_user_has_a_factor(api, authority, store, tenant, remaining):
    api.through(rememberDevice="true")
    person = demo_person(store, tenant)
    neighbour = "00uNeighbour"
    authority.device_choices.verified(neighbour, "theirs", remember=True)
    give(authority, person, "sms", PHONE)
    factors = [each for each in authority.authenticators.of(person.user_id) if each.factor != "recovery-code"]
    for each in factors[remaining:]:
        assert authority.authenticators.remove(person.user_id, each.authenticator_id)
    assert api.begun()["status"] == ("SUCCESS" if remaining else "MFA_ENROLL")
    assert authority.device_choices.remembers(neighbour, "theirs")


@pytest.mark.parametrize("kept", [(), (AuthenticatorSettings("otp"),)])
def test_nor_than_the_tenant_s_settings_leave_them_one(api, store, tenant, kept):
    api.through(rememberDevice="true")
    user = UserSettings(tenant.demo_user, tenant.demo_password, authenticators=kept)
    put_users(store, [user], only=True)
    assert api.begun()["status"] == ("SUCCESS" if kept else "MFA_ENROLL")
