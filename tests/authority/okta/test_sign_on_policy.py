"""The sign-on policy as a table: what it tells in both shapes, and what a person is offered."""

from __future__ import annotations

from typing import Any

import pytest

from host_tools.authority.core.sign_on_policy import LIFETIME_UNITS, PROMPT_MODES, SignOnPolicy, longest_lifetime
from host_tools.authority.dialects import okta_policy

# Mode, lifetime, unit; then allowRememberDevice and rememberDeviceLifetimeInMinutes; then the words beside the box.
TABLE = [
    ("SESSION", 15, "MINUTES", True, 15, "Do not challenge me on this device for the next 15 minutes"),
    ("SESSION", 1, "MINUTES", True, 1, "Do not challenge me on this device for the next minute"),
    ("SESSION", 90, "MINUTES", True, 90, "Do not challenge me on this device for the next 90 minutes"),
    ("SESSION", 1, "HOURS", True, 60, "Do not challenge me on this device for the next hour"),
    ("SESSION", 2, "HOURS", True, 120, "Do not challenge me on this device for the next 2 hours"),
    ("SESSION", 1, "DAYS", True, 1440, "Do not challenge me on this device for the next day"),
    ("SESSION", 30, "DAYS", True, 43_200, "Do not challenge me on this device for the next 30 days"),
    ("DEVICE", 15, "MINUTES", True, 0, "Do not challenge me on this device again"),
    ("ALWAYS", 15, "MINUTES", False, 0, None),
]


def policy_of(mode: str, lifetime: int, unit: str, **changed: Any) -> SignOnPolicy:
    return SignOnPolicy(factor_prompt_mode=mode, factor_lifetime=lifetime, factor_lifetime_unit=unit, **changed)


@pytest.mark.parametrize(("mode", "lifetime", "unit", "allowed", "minutes", "offer"), TABLE)
def test_a_policy_in_both_shapes_and_in_words(mode, lifetime, unit, allowed, minutes, offer):
    policy = policy_of(mode, lifetime, unit, as_strings=False)
    assert policy.offer() == offer
    assert okta_policy.shipped(policy, False, {}) == {
        "allowRememberDevice": allowed,
        "rememberDeviceLifetimeInMinutes": minutes,
        "rememberDeviceByDefault": False,
        "factorsPolicyInfo": {},
    }
    assert okta_policy.evaluation(policy, "MFA_REQUIRED", False) == {
        "policyType": "OKTA_SIGN_ON",
        "factorPromptMode": mode,
        "factorLifeTime": lifetime if mode == "SESSION" else 0,
        "factorLifeTimeUnit": unit,
        "rememberDeviceByDefault": False,
    }


@pytest.mark.parametrize(("mode", "lifetime", "unit", "allowed", "minutes", "offer"), TABLE)
def test_either_shape_says_what_the_other_does(mode, lifetime, unit, allowed, minutes, offer):
    """From what a client reads of one it can tell the other: wire-facts 4's mapping, backwards."""
    policy = policy_of(mode, lifetime, unit, as_strings=False)
    shipped = okta_policy.shipped(policy, True, {})
    told = okta_policy.evaluation(policy, "MFA_REQUIRED", True)
    of_unit = {"MINUTES": 1, "HOURS": 60, "DAYS": 1440}
    in_minutes = told["factorLifeTime"] * of_unit[told["factorLifeTimeUnit"]]
    allows = {"SESSION": True, "DEVICE": True, "ALWAYS": False}[told["factorPromptMode"]]
    assert (allows, in_minutes) == (shipped["allowRememberDevice"], shipped["rememberDeviceLifetimeInMinutes"])
    modes = {(True, True): "SESSION", (True, False): "DEVICE", (False, False): "ALWAYS"}
    assert modes[shipped["allowRememberDevice"], shipped["rememberDeviceLifetimeInMinutes"] > 0] == mode


def test_the_seed_quotes_every_value():
    told = okta_policy.evaluation(policy_of("SESSION", 15, "MINUTES"), "MFA_REQUIRED", True)
    assert told == {
        "policyType": "OKTA_SIGN_ON",
        "factorPromptMode": "SESSION",
        "factorLifeTime": "15",
        "factorLifeTimeUnit": "MINUTES",
        "rememberDeviceByDefault": "true",
    }


@pytest.mark.parametrize(
    ("changed", "types"),
    [
        ({}, ("OKTA_SIGN_ON", "MFA_ENROLL", None)),
        ({"policy_type": "APP_SIGN_ON"}, ("APP_SIGN_ON", "APP_SIGN_ON", None)),
        ({"on_enroll": False}, ("OKTA_SIGN_ON", None, None)),
        ({"policy_evaluation": False}, (None, None, None)),
    ],
)
def test_where_it_is_told(changed, types):
    policy = policy_of("SESSION", 15, "MINUTES", **changed)
    told = [okta_policy.evaluation(policy, each, False) for each in ("MFA_REQUIRED", "MFA_ENROLL", "MFA_CHALLENGE")]
    assert tuple(each and each["policyType"] for each in told) == types


@pytest.mark.parametrize(
    ("mode", "elapsed_s", "counts"),
    [
        ("SESSION", 0, True),
        ("SESSION", 899, True),
        ("SESSION", 900, False),
        ("DEVICE", 10**9, True),
        ("ALWAYS", 0, False),
    ],
)
def test_how_long_a_factor_counts(mode, elapsed_s, counts):
    assert policy_of(mode, 15, "MINUTES").still_counts(elapsed_s) is counts


def test_every_mode_and_unit_is_in_the_table():
    assert {row[0] for row in TABLE} == {*PROMPT_MODES}
    assert {row[2] for row in TABLE} == {*LIFETIME_UNITS}
    assert [longest_lifetime(unit) for unit in ("MINUTES", "HOURS", "DAYS")] == [525_600, 8_760, 365]
