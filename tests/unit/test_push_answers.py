"""A push by Auth0's MFA API: what servers answer, well and badly, and for how long a person is waited for."""

from __future__ import annotations

import json

import pytest

from stoa.auth.push import LIFETIME_S, OOB_CODE_MAX, step
from tests.unit.pairing import TOKENS, TOKENS_KEPT, T, reply
from tests.unit.phone import (
    ASK,
    CHALLENGE,
    ENROLLED,
    LIST,
    POLL,
    PUSH,
    RECOVERY,
    SMS,
    START,
    TOTP,
    error,
    machine,
    stopped,
)


def test_a_whole_push_and_no_secret_left_in_the_state():
    state: dict = {}
    assert step(state, START, T) == (LIST,)
    assert step(state, reply(ENROLLED), T + 1) == (ASK,)
    assert step(state, reply({**CHALLENGE, "vendor_extra": [1]}), T + 2) == (("show",),)
    assert step(state, ("shown",), T + 5) == (("wait", 2),)
    assert step(state, ("tick",), T + 7) == (POLL,)
    assert step(state, error("authorization_pending"), T + 8) == (("wait", 5),)
    assert step(state, ("tick",), T + 13) == (POLL,)
    assert step(state, reply(TOKENS), T + 14) == (("granted", TOKENS_KEPT),)
    assert "Fe26.2" not in json.dumps(state)


# Who is asked.


@pytest.mark.parametrize("channel", [{"oob_channel": "auth0"}, {"oob_channels": "auth0"}])
def test_a_push_is_known_by_its_channel_by_either_name(channel):
    each = {key: value for key, value in PUSH.items() if key != "oob_channel"}
    state, now = machine("asking")
    assert step(state, reply([{**each, **channel}]), now) == (ASK,)


def test_the_first_of_two_phones_is_asked():
    state, now = machine("asking")
    assert step(state, reply([TOTP, PUSH, {**PUSH, "id": "push|dev_9"}]), now) == (ASK,)


@pytest.mark.parametrize(
    "change",
    [
        {"active": False},
        {"active": None},
        {"active": 1},
        {"authenticator_type": "otp"},
        {"oob_channel": "sms"},
        {"oob_channel": ["auth0"]},
        {"oob_channel": None},
        {"id": None},
        {"id": 7},
        {"id": ""},
        {"id": "x" * 129},
        {"id": "line\nbreak"},
    ],
)
def test_nobody_is_challenged_but_by_a_push_that_is_enrolled(change):
    state, now = machine("asking")
    assert step(state, reply([RECOVERY, SMS, {**PUSH, **change}, TOTP]), now) == stopped("no_authenticator")
    # What is odd is passed over, and the good one is found.
    state, now = machine("asking")
    assert step(state, reply([{**PUSH, **change}, PUSH]), now) == (ASK,)


@pytest.mark.parametrize("listed", [[], [None, 7, "push", [PUSH]], [SMS]])
def test_where_there_is_no_push_nobody_is_challenged(listed):
    state, now = machine("asking")
    assert step(state, reply(listed), now) == stopped("no_authenticator")


@pytest.mark.parametrize("body", [None, {}, {"error": "invalid_token"}, PUSH, {"authenticators": ENROLLED}])
@pytest.mark.parametrize("status", [200, 401, 502])
def test_what_is_no_list_challenges_nobody(body, status):
    state, now = machine("asking")
    assert step(state, reply(body, status), now) == stopped("unavailable")


# What a challenge brings.


@pytest.mark.parametrize("binding", ["prompt", "transfer", "", 1, True])
def test_a_code_that_somebody_would_have_to_type_is_no_push(binding):
    state, now = machine("challenging")
    assert step(state, reply({**CHALLENGE, "binding_method": binding}), now) == stopped("no_authenticator")


@pytest.mark.parametrize("binding", [None, "none"])
def test_no_binding_method_is_a_push(binding):
    state, now = machine("challenging")
    assert step(state, reply({**CHALLENGE, "binding_method": binding}), now) == (("show",),)


@pytest.mark.parametrize(
    "change",
    [
        {"challenge_type": "otp"},
        {"challenge_type": 7},
        {"oob_code": None},
        {"oob_code": 7},
        {"oob_code": ""},
        {"oob_code": "x" * (OOB_CODE_MAX + 1)},
        {"oob_code": "tab\there"},
    ],
)
def test_a_challenge_without_its_members_is_no_push(change):
    state, now = machine("challenging")
    assert step(state, reply({**CHALLENGE, **change}), now) == stopped("no_authenticator")


@pytest.mark.parametrize("code", ["unsupported_challenge_type", "association_required", "invalid_grant", "slow_down"])
def test_a_refused_challenge_names_the_code_for_the_log(code):
    state, now = machine("challenging")
    assert step(state, error(code), now) == stopped("unavailable")
    assert state["detail"] == code


def test_a_refusal_that_is_not_fit_for_the_log_has_no_code():
    state, now = machine("challenging")
    assert step(state, error("line\nbreak"), now) == stopped("unavailable")
    assert state["detail"] is None


@pytest.mark.parametrize(
    "body", [None, [], [CHALLENGE], {}, {"hello": "portal"}, {**CHALLENGE, "challenge_type": None}]
)
def test_what_is_no_answer_to_a_challenge_counts_as_none(body):
    state, now = machine("challenging")
    assert step(state, reply(body, 502), now) == stopped("unavailable")


# What a poll brings.


@pytest.mark.parametrize("status", [200, 400, 401, 403, 429, 500, 503])
def test_the_error_decides_and_not_the_status(status):
    # Auth0's reference prints "200 OK" above its errors.
    for code, effects in [
        ("authorization_pending", (("wait", 5),)),
        ("slow_down", (("wait", 10),)),
        ("invalid_grant", stopped("denied")),
        ("access_denied", stopped("denied")),
        ("expired_token", stopped("expired")),
        ("mfa_required", stopped("another_factor")),
        ("invalid_client", stopped("misconfigured")),
        ("invented", stopped("unavailable")),
    ]:
        state, now = machine("polling")
        assert step(state, error(code, status), now) == effects
        assert state.get("detail") == (code if effects[0][0] == "stopped" else None)


@pytest.mark.parametrize(
    "body",
    [None, [], {}, {"error": 7}, {"error": ""}, {"error": "x" * 65}, {"error": "a\nb"}, {"access_token": None}],
)
@pytest.mark.parametrize("status", [200, 403, 502])
def test_a_reply_that_is_not_the_endpoints_counts_as_lost(body, status):
    state, now = machine("polling")
    assert step(state, reply(body, status), now) == (("wait", 10),)


@pytest.mark.parametrize(
    ("change", "detail"),
    [
        ({"token_type": "DPoP"}, "bad token_type"),
        ({"access_token": "x" * 8001}, "bad access_token"),
        ({"refresh_token": 5}, "bad refresh_token"),
    ],
)
def test_tokens_that_cannot_be_used_or_kept(change, detail):
    state, now = machine("polling")
    assert step(state, reply({**TOKENS, **change}), now) == stopped("misconfigured")
    assert state["detail"] == detail


def test_tokens_without_a_refresh_token():
    state, now = machine("polling")
    effects = step(state, reply({"access_token": "at", "token_type": "Bearer", "expires_in": 60}), now)
    assert effects == (("granted", {"access_token": "at", "refresh_token": None, "expires_in": 60}),)


@pytest.mark.parametrize(
    "code",
    [
        "invalid_client",
        "unauthorized_client",
        "invalid_scope",
        "unsupported_grant_type",
        "invalid_request",
        "invalid_target",
    ],
)
def test_what_only_an_edit_can_mend(code):
    state, now = machine("polling")
    assert step(state, error(code), now) == stopped("misconfigured")


# How long. What a push and a device grant share of polling is in test_device_grant_time.py.


@pytest.mark.parametrize(("sent", "interval"), [(7, 7), ("7", 7), (None, 5), (0, 5), ("soon", 5), (10**9, 1800)])
def test_the_interval_is_five_seconds_or_what_the_challenge_says(sent, interval):
    state, now = machine("challenging")
    step(state, reply({**CHALLENGE, "interval": sent}), now)
    assert state["interval"] == interval
    assert step(state, ("shown",), now + 1) == (("wait", min(interval, LIFETIME_S) - 1),)


def test_a_push_is_waited_for_as_long_as_it_costs_little_counted_from_the_challenge():
    assert 60 <= LIFETIME_S <= 180, "an mfa_token, which is older, lives for 600 s"
    state, _ = machine("waiting")
    assert step(state, ("tick",), T + 1 + LIFETIME_S - 1) == (POLL,)
    assert step(state, error("authorization_pending"), T + 1 + LIFETIME_S - 1) == (("wait", 1),)
    assert step(state, ("tick",), T + 1 + LIFETIME_S) == stopped("expired")


def test_glass_that_takes_its_time_is_waited_for_and_then_the_phone_at_once():
    state, now = machine("showing")
    assert step(state, ("shown",), now + 27) == (("wait", 1),)
    assert step(state, ("tick",), now + 28) == (POLL,)
