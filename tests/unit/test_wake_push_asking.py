"""Whose phone a wake asks, whose it leaves alone, and how often. On the desk."""

from __future__ import annotations

import pytest

from tests.campaigns.test_wakes import DOCUMENT
from tests.desk import NOON, desk_firmware
from tests.unit.mfa_tenant import ACCOUNT, MFA, WITH_PUSH, Tenant, granted
from tests.unit.phone import SMS, TOTP


@pytest.fixture(scope="module", autouse=True)
def firmware():
    with desk_firmware():
        yield


# Who is asked, and who is not.


@pytest.mark.parametrize(
    ("change", "asked"),
    [
        ({}, True),
        ({"settings": {"STOA_PUSH": "on"}}, True),
        ({"settings": {"STOA_PUSH": "off"}}, False),
        ({"document": DOCUMENT}, False),
        ({"document": {**WITH_PUSH, "mfa_challenge_endpoint": "http://id.example/mfa/challenge"}}, False),
        ({"refresh": (403, {"error": "mfa_required"}, {})}, False),
        ({"refresh": (403, {"error": "mfa_required", "mfa_token": "line\nbreak"}, {})}, False),
        ({"refresh": (403, {"error": "mfa_required", "mfa_token": 7}, {})}, False),
        ({"refresh": (403, {"error": "interaction_required", "mfa_token": "Fe26.2*mfa-secret"}, {})}, False),
        ({"refresh": (400, {"error": "invalid_grant", "mfa_token": "Fe26.2*mfa-secret"}, {})}, False),
    ],
)
def test_a_phone_is_asked_where_server_and_settings_allow_it_and_nowhere_else(change, asked):
    tenant = Tenant(change.pop("settings", None))
    for name, value in change.items():
        setattr(tenant, name, value)
    tenant.wake()
    assert (tenant.count("listed") > 0) is (tenant.count("challenge") > 0) is asked
    assert tenant.shows() == ([*(["push"] if asked else []), "mfa", "waiting"])


def test_nobody_is_sent_an_sms():
    tenant = Tenant()
    tenant.listed = 200, [SMS, TOTP], {}
    tenant.wake()
    assert tenant.count("listed") == 1 and tenant.count("challenge") == 0
    assert tenant.shows() == ["mfa", "waiting"]
    assert tenant.told("push") == ["stoa push detail=none outcome=no_authenticator"]


def test_what_an_older_program_knew_of_the_server_is_asked_for_anew():
    old = {"token": DOCUMENT["token_endpoint"], "device_authorization": DOCUMENT["device_authorization_endpoint"]}
    tenant = Tenant(endpoints=old, account=ACCOUNT)
    tenant.wake()
    assert tenant.count("document") == 1 and tenant.count("challenge") == 1
    tenant.wake_when_it_is_due()
    assert tenant.count("document") == 0 and tenant.count("challenge") == 1


# How often.


def test_a_push_and_the_code_after_it_are_one_asking():
    with_push, without = Tenant(), Tenant({"STOA_PUSH": "off"})
    for tenant in (with_push, without):
        for n in range(1, 4):
            tenant.wake() if n == 1 else tenant.wake_when_it_is_due()
            assert tenant.state["asked"] == n
    assert with_push.count("challenge") == 1
    # Two minutes later, and what list, challenge and glass take.
    assert 0 <= with_push.desk.slept_until - without.desk.slept_until < 3 * 200


def test_once_answered_in_vain_it_counts_as_a_code_does():
    tenant = Tenant()
    tenant.oob = granted("refresh-secret-2")
    tenant.wake()
    assert tenant.state["asked"] == 4
    assert tenant.state["ask_at"] - tenant.desk.now() > 7 * 3600
    assert "push" not in tenant.state


@pytest.mark.parametrize(("by", "asked"), [("alarm", 0), ("button", 1), ("boot", 1)])
def test_sooner_than_it_may_it_asks_whom_pressed_the_button_or_plugged_it_in(by, asked):
    tenant = Tenant(asked=3, ask_at=NOON + 3600, account=ACCOUNT)
    tenant.wake(by)
    assert tenant.count("listed") == tenant.count("challenge") == asked


def test_no_authenticator_rings_in_quiet_hours():
    tenant = Tenant({"STOA_QUIET": "11:00-14:00", "STOA_TZ": "UTC0"})
    tenant.wake("alarm")
    assert tenant.count("listed") == tenant.count("challenge") == tenant.count("code") == 0
    tenant.wake_when_it_is_due()
    assert tenant.desk.began_s % 86400 >= 14 * 3600
    assert tenant.count("challenge") == 1


@pytest.mark.parametrize("by", ["button", "boot"])
def test_in_quiet_hours_whoever_is_at_the_display_gets_a_code_and_no_authenticator_rings(by):
    tenant = Tenant({"STOA_QUIET": "11:00-14:00", "STOA_TZ": "UTC0"})
    tenant.wake(by)
    assert tenant.count("listed") == tenant.count("challenge") == 0
    assert tenant.shows() == ["mfa", "waiting"]


def test_a_wake_asks_one_phone_once_whatever_the_api_says_of_the_token_it_brought():
    tenant = Tenant()
    tenant.oob = granted("refresh-secret-2")
    tenant.api = 401, None, {"www-authenticate": 'Bearer error="invalid_token"'}
    tenant.wake("button")
    assert tenant.count("challenge") == 1
    assert tenant.shows() == ["push", "mfa", "waiting"]
    assert tenant.state["asked"] == 5, "one, three for the answer in vain, and the code"


def test_another_account_has_another_phone():
    tenant = Tenant(push={"is": "polling"}, account=7)
    tenant.wake()
    assert tenant.count("challenge") == 1


def test_a_panel_that_shows_nothing_does_not_make_the_phone_ring_at_each_wake():
    tenant = Tenant()
    tenant.desk.panel_works = False
    rung = 0
    for _ in range(4):
        tenant.wake() if tenant.desk.slept_until is None else tenant.wake_when_it_is_due()
        assert "reason=panel" in tenant.told("sleep")[0]
        rung += tenant.count("challenge")
    assert rung == 1


def test_a_rule_that_was_lifted_forgets_the_asking():
    tenant = Tenant(push={"is": "polling"}, account=ACCOUNT)
    tenant.refresh = granted("refresh-secret-2")
    tenant.wake()
    assert tenant.shows() == ["quote"] and "push" not in tenant.state


# What it remembers between two askings.


def test_a_server_that_has_no_code_after_the_push_has_not_asked_anybody_and_its_code_follows_soon():
    tenant = Tenant()
    tenant.code = [(503, None, {}), tenant.code]
    tenant.wake()
    assert tenant.count("challenge") == tenant.count("code") == 1
    assert "reason=unavailable" in tenant.told("sleep")[0]
    assert 300 <= tenant.desk.slept_until - tenant.desk.now() <= 340
    tenant.wake_when_it_is_due()
    assert tenant.shows() == ["mfa", "waiting"] and tenant.count("challenge") == 0
    assert tenant.state["asked"] == 1, "a push and the code after it are one asking"


IN_VAIN = ["mfa_required", "unauthorized_client", "invalid_scope"]


@pytest.mark.parametrize("code", IN_VAIN)
@pytest.mark.parametrize("by", ["button", "boot"])
def test_where_a_yes_is_in_vain_the_phone_rings_again_for_whoever_is_at_the_display_alone(code, by):
    tenant = Tenant()
    tenant.oob = 403, {"error": code}, {}
    tenant.wake()
    assert tenant.shows() == ["push", "mfa", "waiting"]
    tenant.wake_when_it_is_due()
    assert tenant.shows() == ["mfa", "waiting"] and tenant.count("listed") == 0
    tenant.wake(by)
    assert tenant.count("challenge") == 1
    # In vain again.
    tenant.wake_when_it_is_due()
    assert tenant.shows() == ["mfa", "waiting"] and tenant.count("challenge") == 0


@pytest.mark.parametrize("code", ["invalid_grant", "expired_token", "authorization_pending", "too_many_attempts"])
def test_whoever_says_no_or_nothing_is_asked_on_the_phone_the_next_time(code):
    tenant = Tenant()
    tenant.oob = 403, {"error": code}, {}
    tenant.wake()
    tenant.wake_when_it_is_due()
    assert tenant.count("challenge") == 1 and tenant.shows() == ["push", "mfa", "waiting"]


def in_vain(**state):
    """A display that knows of its tenant that a yes on the phone is in vain."""
    return Tenant(no_push=True, **{"account": ACCOUNT, **state})


def test_a_yes_that_was_not_in_vain_makes_the_phone_ring_by_itself_again():
    tenant = in_vain()
    tenant.oob = granted("refresh-secret-2")
    tenant.wake("button")
    assert tenant.shows() == ["push", "quote"]
    tenant.wake_when_it_is_due()
    assert tenant.shows() == ["push", "quote"]


def test_neither_a_code_that_was_answered_nor_a_rule_that_was_lifted_says_that_a_yes_is_worth_more():
    tenant = in_vain()
    tenant.device = granted("refresh-secret-2")
    tenant.wake()
    assert tenant.shows() == ["mfa", "quote"]
    tenant.refresh = [granted("refresh-secret-3"), MFA]
    tenant.wake_when_it_is_due()
    assert tenant.shows() == ["quote"] and "asked" not in tenant.state
    tenant.wake_when_it_is_due()
    assert tenant.shows() == ["mfa", "quote"] and tenant.count("listed") == 0


def test_what_was_in_vain_at_one_tenant_is_not_at_another():
    tenant = in_vain(account=7)
    tenant.wake()
    assert tenant.count("challenge") == 1
