"""Who has given a factor on a device and wishes to be remembered there: for how long, for whom, and what is told."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from host_tools.authority.core.authn_records import DeviceChoice
from host_tools.authority.core.device_choices import MOST_DEVICES
from host_tools.clock import NS
from tests.authority.mfa_wire import add_person, demo_person, give

from .okta_wire import Api

DAY_S = 86_400
# Mode, lifetime, unit; then how long after the factor, in seconds, a sign-in is (True) or is not challenged.
LIFETIMES = [
    ("SESSION", 15, "MINUTES", [(899, False), (900, True)]),
    ("SESSION", 2, "HOURS", [(7199, False), (7200, True)]),
    ("SESSION", 30, "DAYS", [(30 * DAY_S - 1, False), (30 * DAY_S, True)]),
    ("DEVICE", 15, "MINUTES", [(900, False), (3000 * DAY_S, False)]),
    ("ALWAYS", 15, "MINUTES", [(0, True)]),
]


def is_challenged(api: Api) -> bool:
    return {"MFA_REQUIRED": True, "SUCCESS": False}[api.begun()["status"]]


def chosen(api: Api) -> bool:
    """What is told of the box, where there is a challenge."""
    told: bool = api.begun()["_embedded"]["policy"]["rememberDeviceByDefault"]
    return told


@pytest.mark.parametrize("mfa", ["always", "rule"])
@pytest.mark.parametrize(("mode", "lifetime", "unit", "moments"), LIFETIMES)
def test_for_how_long(api, authority, clock, policy: Callable[..., None], mfa, mode, lifetime, unit, moments):
    authority.mfa.mode = mfa
    policy(factor_prompt_mode=mode, factor_lifetime=lifetime, factor_lifetime_unit=unit)
    api.through(rememberDevice="true")
    given_at = clock.now_ns()
    for after_s, challenged in moments:
        clock.set_ns(given_at + after_s * NS)
        assert is_challenged(api) is challenged, after_s


@pytest.mark.parametrize("query", [{}, {"rememberDevice": "false"}])
@pytest.mark.parametrize("mode", ["SESSION", "DEVICE"])
def test_not_who_has_not_wished_it(api, policy, mode, query):
    policy(factor_prompt_mode=mode)
    api.through(**query)
    assert is_challenged(api)


def test_the_time_does_not_begin_anew_with_a_sign_in_that_is_not_challenged(api, clock):
    api.through(rememberDevice="true")
    clock.sleep_ns(600 * NS)
    assert not is_challenged(api)
    clock.sleep_ns(300 * NS)
    assert is_challenged(api)


def test_the_box_is_as_the_user_had_it_last_on_this_device(api, clock, policy):
    assert chosen(api) is False
    api.through(rememberDevice="true")
    clock.sleep_ns(900 * NS)
    assert chosen(api) is True  # the lifetime is over, the wish is not
    api.through()
    assert chosen(api) is False
    policy(remember_device_by_default=True)
    assert chosen(api) is True
    policy(factor_prompt_mode="ALWAYS")
    assert chosen(api) is False


def test_not_on_another_device_and_not_on_one_that_does_not_say_which(api):
    api.through(rememberDevice="true")
    for device in ("another", ""):
        api.device = device
        assert is_challenged(api)
        api.device = device
        if not device:
            api.through(rememberDevice="true")
            assert is_challenged(api)


def test_a_device_is_remembered_for_its_user_alone(api, authority, store, tenant):
    api.through(rememberDevice="true")
    zeno = add_person(store)
    give(authority, zeno, "otp")
    told = api.begun(username=zeno.username, password=zeno.password)
    assert (told["status"], told["_embedded"]["policy"]["rememberDeviceByDefault"]) == ("MFA_REQUIRED", False)


def test_a_wrong_code_remembers_nothing(api):
    told = api.begun()
    assert api.verify(told, api.wrong_code(), rememberDevice="true").status_code == 403
    assert is_challenged(api)


def test_what_the_tenant_stops_remembering_is_not_remembered(api, policy):
    api.through(rememberDevice="true")
    policy(factor_prompt_mode="ALWAYS")
    assert is_challenged(api)
    policy(factor_prompt_mode="SESSION")
    assert not is_challenged(api)


def test_no_token_of_a_device_is_kept_and_no_more_than_a_hundred_devices(api, authority, store, tenant, clock):
    person = demo_person(store, tenant)
    for number in range(MOST_DEVICES + 5):
        clock.sleep_ns(NS)
        authority.device_choices.verified(person.user_id, f"device {number}", remember=True)
    kept = store.find(DeviceChoice)
    assert len(kept) == MOST_DEVICES
    assert all(each.key.isalnum() and len(each.key) == 64 for each in kept)
    assert not authority.device_choices.remembers(person.user_id, "device 4")
    assert authority.device_choices.remembers(person.user_id, "device 5")


def test_the_log_says_that_a_device_is_remembered(api, authority):
    api.through(rememberDevice="true")
    told = [(each.client_id, each.detail) for each in authority.events.newest(9) if each.kind == "device_remembered"]
    assert told == [(None, "session")]
