"""Pairing by RFC 8628: every row of the table, then the rules that span rows."""

from __future__ import annotations

import copy
import json

import pytest

from stoa.auth import device_grant
from stoa.auth.device_grant import TABLE, step

CLIENT = {"client_id": "display", "scope": "openid offline_access", "audience": "https://api.example/"}
CODE = {
    "device_code": "Ag_EE-ko1p",
    "user_code": "QTZL-MCBW",
    "verification_uri": "https://id.example/activate",
    "verification_uri_complete": "https://id.example/activate?user_code=QTZL-MCBW",
    "expires_in": 900,
    "interval": 5,
}
TOKENS = {"access_token": "at", "refresh_token": "rt", "token_type": "Bearer", "expires_in": 86400}
ASK = (
    "post",
    "device_authorization",
    (("client_id", "display"), ("scope", "openid offline_access"), ("audience", "https://api.example/")),
)
POLL = (
    "post",
    "token",
    (
        ("grant_type", "urn:ietf:params:oauth:grant-type:device_code"),
        ("device_code", "Ag_EE-ko1p"),
        ("client_id", "display"),
    ),
)
T = 1_000_000


def reply(body, status=200):
    return ("reply", status, body)


def error(code, status=400):
    return ("reply", status, {"error": code})


def machine(name, **code):
    """A machine brought to a state by the events that lead there, and the moment it is then."""
    state: dict = {}
    if name == "idle":
        return state, T
    step(state, ("start", CLIENT), T)
    if name == "asking":
        return state, T
    if name == "over":
        step(state, ("lost",), T + 1)
        return state, T + 1
    step(state, reply({**CODE, **code}), T + 1)
    if name == "showing":
        return state, T + 1
    step(state, ("shown",), T + 10)
    if name == "waiting":
        return state, T + 10
    step(state, ("tick",), T + 10 + state["interval"])
    assert state["is"] == "polling"
    return state, T + 10 + state["interval"]


TOKENS_KEPT = {"access_token": "at", "refresh_token": "rt", "expires_in": 86400}

# row: (event, seconds later, the effects)
ROWS = {
    ("idle", "start"): (("start", CLIENT), 0, (ASK,)),
    ("over", "start"): (("start", CLIENT), 60, (ASK,)),
    ("asking", "start"): (("start", CLIENT), 60, (ASK,)),
    ("asking", "code"): (reply(CODE), 1, (("show",),)),
    ("asking", "tokens"): (reply(TOKENS), 1, (("stopped", "unavailable"),)),
    ("asking", "misconfigured"): (error("unauthorized_client", 403), 1, (("stopped", "misconfigured"),)),
    ("asking", "denied"): (error("access_denied", 403), 1, (("stopped", "misconfigured"),)),
    ("asking", "expired"): (error("expired_token"), 1, (("stopped", "unavailable"),)),
    ("asking", "pending"): (error("authorization_pending"), 1, (("stopped", "unavailable"),)),
    ("asking", "slow_down"): (error("slow_down", 429), 1, (("stopped", "unavailable"),)),
    ("asking", "error"): (error("temporarily_unavailable", 503), 1, (("stopped", "unavailable"),)),
    ("asking", "lost"): (("lost",), 15, (("stopped", "unavailable"),)),
    ("asking", "early"): (("tick",), 3, (("stopped", "unavailable"),)),
    ("showing", "shown"): (("shown",), 9, (("wait", 5),)),
    ("showing", "early"): (("tick",), 2, (("show",),)),
    ("showing", "expired"): (("tick",), 899, (("stopped", "expired"),)),
    ("waiting", "shown"): (("shown",), 2, (("wait", 3),)),
    ("waiting", "early"): (("tick",), 4, (("wait", 1),)),
    ("waiting", "due"): (("tick",), 5, (POLL,)),
    ("waiting", "expired"): (("tick",), 890, (("stopped", "expired"),)),
    ("polling", "pending"): (error("authorization_pending", 403), 1, (("wait", 5),)),
    ("polling", "slow_down"): (error("slow_down", 429), 1, (("wait", 10),)),
    ("polling", "lost"): (("lost",), 15, (("wait", 10),)),
    ("polling", "due"): (("tick",), 2, (("wait", 10),)),
    ("polling", "tokens"): (reply(TOKENS), 1, (("granted", TOKENS_KEPT),)),
    ("polling", "denied"): (error("access_denied", 403), 1, (("stopped", "denied"),)),
    ("polling", "expired"): (error("expired_token", 403), 1, (("stopped", "expired"),)),
    ("polling", "misconfigured"): (error("invalid_client", 401), 1, (("stopped", "misconfigured"),)),
    ("polling", "error"): (error("server_error", 500), 1, (("stopped", "unavailable"),)),
}


# Where an effect leaves the machine.
AFTER = {
    ("post", "device_authorization"): "asking",
    ("post", "token"): "polling",
    "show": "showing",
    "wait": "waiting",
    "granted": "over",
    "stopped": "over",
}


def test_every_row_has_its_case():
    assert set(ROWS) == set(TABLE)


@pytest.mark.parametrize("row", ROWS, ids="-".join)
def test_row(row):
    event, later, effects = ROWS[row]
    state, now = machine(row[0])
    assert device_grant._classify(state, event, now + later)[0] == row[1]
    assert step(state, event, now + later) == effects
    assert state["is"] == AFTER[effects[0][:2] if effects[0][0] == "post" else effects[0][0]]
    assert ("device_code" in state) == (state["is"] in ("showing", "waiting", "polling"))
    assert json.loads(json.dumps(state)) == state


def test_an_event_without_a_row_is_the_callers_mistake_and_changes_nothing():
    state, now = machine("waiting")
    before = copy.deepcopy(state)
    with pytest.raises(ValueError, match="no row for lost in waiting"):
        step(state, ("lost",), now)
    assert state == before
    with pytest.raises(ValueError, match="unknown event"):
        step(state, ("surprise",), now)


def test_a_whole_pairing_and_no_secret_left_in_the_state():
    state: dict = {}
    assert step(state, ("start", CLIENT), T) == (ASK,)
    assert step(state, reply({**CODE, "vendor_extra": [1]}), T + 1) == (("show",),)
    assert state["user_code"] == "QTZL-MCBW"
    assert state["verification_uri_complete"] == CODE["verification_uri_complete"]
    assert step(state, ("shown",), T + 4) == (("wait", 5),)
    assert step(state, ("tick",), T + 9) == (POLL,)
    assert step(state, error("authorization_pending"), T + 10) == (("wait", 5),)
    assert step(state, ("tick",), T + 15) == (POLL,)
    assert step(state, reply(TOKENS), T + 16) == (("granted", TOKENS_KEPT),)
    assert "Ag_EE-ko1p" not in json.dumps(state)


@pytest.mark.parametrize("sent", [None, 5, "5", 5.0, 0, -3, "soon", True, [], float("nan"), 1e999])
def test_interval_absent_odd_or_a_string_is_five_seconds(sent):
    code = {**CODE, "interval": sent}
    if sent is None:
        del code["interval"]
    state, _ = machine("asking")
    step(state, reply(code), T + 1)
    assert state["interval"] == 5


def test_slow_down_is_a_ratchet():
    state, now = machine("polling")
    for interval in (10, 15, 20):
        assert step(state, error("slow_down"), now) == (("wait", interval),)
        assert step(state, ("tick",), now + interval - 1) == (("wait", 1),)
        now += interval
        assert step(state, ("tick",), now) == (POLL,)
    assert step(state, error("authorization_pending"), now) == (("wait", 20),)


def test_lost_replies_double_the_interval_for_good():
    state, now = machine("polling")
    for interval in (10, 20, 40):
        assert step(state, ("lost",), now) == (("wait", interval),)
        now += interval
        step(state, ("tick",), now)
    assert step(state, error("authorization_pending"), now) == (("wait", 40),)


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


@pytest.mark.parametrize("code", [code for code, event in device_grant.ERRORS.items() if event == "misconfigured"])
def test_what_only_an_edit_can_mend(code):
    assert code in MISCONFIGURED
    for name in ("asking", "polling"):
        state, now = machine(name)
        assert step(state, error(code), now) == (("stopped", "misconfigured"),)


MISCONFIGURED = {
    "invalid_client",
    "unauthorized_client",
    "invalid_scope",
    "unsupported_grant_type",
    "invalid_request",
    "invalid_target",
}


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


def test_expiry_counts_from_the_request_and_is_bounded():
    state, _ = machine("asking")
    step(state, reply({**CODE, "expires_in": 600}), T + 30)
    assert state["expires_at"] == T + 600
    state, _ = machine("asking")
    step(state, reply({**CODE, "expires_in": 10**9}), T + 30)
    assert state["expires_at"] == T + device_grant.LIFETIME_MAX_S


@pytest.mark.parametrize(
    "event", [error("authorization_pending"), error("slow_down"), ("lost",), reply(None), ("tick",)]
)
def test_a_poll_that_outlives_the_code_ends_it(event):
    state, _ = machine("polling")
    assert step(state, event, T + 900) == (("stopped", "expired"),)


def test_a_grant_that_comes_late_is_still_a_grant():
    state, _ = machine("polling")
    assert step(state, reply(TOKENS), T + 1000) == (("granted", TOKENS_KEPT),)


def test_the_last_wait_ends_at_the_expiry():
    state, _ = machine("polling", expires_in=30)
    assert step(state, ("lost",), T + 22) == (("wait", 8),)
    assert step(state, ("tick",), T + 30) == (("stopped", "expired"),)


def test_a_clock_set_back_moves_every_moment_with_it():
    state, now = machine("waiting")
    assert step(state, ("tick",), now - 500_000) == (("wait", 5),)
    assert state["expires_at"] == T + 900 - 500_000
    assert step(state, ("tick",), now - 500_000 + 5) == (POLL,)


def test_a_clock_set_back_while_asking_does_not_shorten_the_code():
    state, _ = machine("asking")
    step(state, reply(CODE), T - 500)
    assert state["expires_at"] == T - 500 + 900


def test_a_clock_set_forward_ends_the_code_and_does_not_poll():
    state, now = machine("waiting")
    assert step(state, ("tick",), now + 800_000_000) == (("stopped", "expired"),)


@pytest.mark.parametrize("token_type", ["Bearer", "bearer", "BEARER"])
def test_bearer_in_any_case(token_type):
    state, now = machine("polling")
    effects = step(state, reply({**TOKENS, "token_type": token_type}), now)
    assert effects[0][0] == "granted"


@pytest.mark.parametrize(
    ("change", "detail"),
    [
        ({"token_type": "DPoP"}, "token_type"),
        ({"token_type": None}, "token_type"),
        ({"access_token": "x" * 8001}, "access_token"),
        ({"access_token": "line\nbreak"}, "access_token"),
        ({"refresh_token": "x" * 4097}, "refresh_token"),
        ({"refresh_token": 5}, "refresh_token"),
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


def test_a_machine_saved_and_loaded_between_any_two_steps_goes_on_the_same():
    events = [
        (("start", CLIENT), 0),
        (reply(CODE), 1),
        (("shown",), 4),
        (("tick",), 9),
        (error("slow_down"), 10),
        (("tick",), 20),
        (("lost",), 35),
        (("tick",), 55),
        (reply(TOKENS), 56),
    ]
    kept: dict = {}
    for event, at in events:
        loaded = json.loads(json.dumps(kept))
        assert step(kept, event, T + at) == step(loaded, event, T + at)
        assert kept == loaded
        kept = loaded
    assert kept["is"] == "over"
