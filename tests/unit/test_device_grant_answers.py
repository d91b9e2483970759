"""Pairing by RFC 8628: what servers answer, well and badly."""

from __future__ import annotations

import pytest

from stoa.auth import device_grant
from stoa.auth.device_grant import step
from tests.unit.pairing import CLIENT, CODE, TOKENS, T, error, machine, reply


@pytest.mark.parametrize("sent", [7, "7", 7.0])
def test_interval_as_a_number_or_a_string(sent):
    state, _ = machine("asking")
    step(state, reply({**CODE, "interval": sent}), T + 1)
    assert state["interval"] == 7


@pytest.mark.parametrize("sent", [None, 0, -3, "soon", True, [], float("nan"), 1e999])
def test_interval_absent_or_odd_is_five_seconds(sent):
    code = {**CODE, "interval": sent}
    if sent is None:
        del code["interval"]
    state, _ = machine("asking")
    step(state, reply(code), T + 1)
    assert state["interval"] == 5


@pytest.mark.parametrize(
    "body",
    [None, {}, {"error": 7}, {"error": ""}, {"error": "x" * 65}, {"error": "a\nb"}, {"access_token": None}],
)
@pytest.mark.parametrize("status", [200, 403, 502])
def test_a_reply_that_is_not_the_endpoints_counts_as_lost(body, status):
    state, now = machine("polling")
    assert step(state, reply(body, status), now) == (("wait", 10),)
    state, now = machine("asking")
    assert step(state, reply(body, status), now) == (("stopped", "unavailable"),)


@pytest.mark.parametrize("status", [200, 400, 403, 428, 429, 503])
def test_the_error_decides_and_not_the_status(status):
    for code, effects in [
        ("authorization_pending", (("wait", 5),)),
        ("slow_down", (("wait", 10),)),
        ("access_denied", (("stopped", "denied"),)),
        ("invalid_grant", (("stopped", "expired"),)),
        ("invented", (("stopped", "unavailable"),)),
    ]:
        state, now = machine("polling")
        assert step(state, error(code, status), now) == effects


MISCONFIGURED = {
    "invalid_client",
    "unauthorized_client",
    "invalid_scope",
    "unsupported_grant_type",
    "invalid_request",
    "invalid_target",
}


@pytest.mark.parametrize("code", sorted(MISCONFIGURED))
def test_what_only_an_edit_can_mend(code):
    for name in ("asking", "polling"):
        state, now = machine(name)
        assert step(state, error(code), now) == (("stopped", "misconfigured"),)


def test_nothing_else_is_the_clients_fault():
    assert {code for code, event in device_grant.ERRORS.items() if event == "misconfigured"} == MISCONFIGURED


def test_a_stop_names_the_code_for_the_screen():
    state, now = machine("polling")
    step(state, error("invalid_scope"), now)
    assert (state["reason"], state["detail"]) == ("misconfigured", "invalid_scope")


@pytest.mark.parametrize("missing", ["device_code", "user_code", "verification_uri", "expires_in"])
@pytest.mark.parametrize("value", [None, 7, "", "x" * 3000, "tab\there", {}])
def test_a_code_without_its_required_members_is_unavailable(missing, value):
    state, _ = machine("asking")
    if missing == "expires_in" and value == 7:
        value = 0
    assert step(state, reply({**CODE, missing: value}), T + 1) == (("stopped", "unavailable"),)


def test_google_says_verification_url():
    code = {key: value for key, value in CODE.items() if not key.startswith("verification")}
    state, _ = machine("asking")
    step(state, reply({**code, "verification_url": "https://www.google.com/device"}), T + 1)
    assert state["verification_uri"] == "https://www.google.com/device"
    assert state["verification_uri_complete"] is None


def test_plain_http_for_a_rehearsal_on_loopback():
    state, _ = machine("asking")
    step(state, reply({**CODE, "verification_uri": "http://127.0.0.1:8400/activate"}), T + 1)
    assert state["verification_uri"] == "http://127.0.0.1:8400/activate"


@pytest.mark.parametrize(("length", "after"), [(40, "showing"), (41, "over")])
def test_the_longest_user_code(length, after):
    state, _ = machine("asking")
    step(state, reply({**CODE, "user_code": "X" * length}), T + 1)
    assert state["is"] == after


@pytest.mark.parametrize("uri", ["javascript:alert(1)", "https://a b/", "https://x/" + "y" * 230, 5])
def test_a_complete_uri_no_qr_should_carry_is_left_out(uri):
    state, _ = machine("asking")
    step(state, reply({**CODE, "verification_uri_complete": uri}), T + 1)
    assert state["is"] == "showing"
    assert state["verification_uri_complete"] is None


@pytest.mark.parametrize("token_type", ["Bearer", "bearer", "BEARER"])
def test_bearer_in_any_case(token_type):
    state, now = machine("polling")
    effects = step(state, reply({**TOKENS, "token_type": token_type}), now)
    assert effects[0][0] == "granted"


@pytest.mark.parametrize(
    ("change", "detail"),
    [
        ({"token_type": "DPoP"}, "bad token_type"),
        ({"token_type": None}, "bad token_type"),
        ({"access_token": "x" * 8001}, "bad access_token"),
        ({"access_token": "line\nbreak"}, "bad access_token"),
        ({"refresh_token": "x" * 4097}, "bad refresh_token"),
        ({"refresh_token": 5}, "bad refresh_token"),
    ],
)
def test_tokens_that_cannot_be_used_or_kept(change, detail):
    state, now = machine("polling")
    assert step(state, reply({**TOKENS, **change}), now) == (("stopped", "misconfigured"),)
    assert state["detail"] == detail


def test_tokens_without_lifetime_or_refresh_token():
    state, now = machine("polling")
    effects = step(state, reply({"access_token": "at", "token_type": "Bearer"}), now)
    assert effects == (("granted", {"access_token": "at", "refresh_token": None, "expires_in": 0}),)


def test_a_challenge_of_rfc_9470_is_passed_on():
    effects = step({}, ("start", {**CLIENT, "audience": None, "max_age": 300, "acr_values": "mfa"}), T)
    assert effects[0][2][2:] == (("acr_values", "mfa"), ("max_age", "300"))
