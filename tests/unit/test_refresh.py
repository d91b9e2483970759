"""The refresh: every row, every outcome, and the one way a token dies."""

from __future__ import annotations

import json

import pytest

from stoa.auth import refresh
from stoa.auth.refresh import MISCONFIGURED, NEEDS_HUMAN, PAUSES_S, RETRY_LATER, ROTATED, SAME_TOKEN, TABLE, step

NOW = 1_800_000_000
START = ("start", "display", "R1")
POST = ("post", "token", (("grant_type", "refresh_token"), ("client_id", "display"), ("refresh_token", "R1")))
TOKENS = {"access_token": "at", "token_type": "Bearer", "expires_in": 86400}


def reply(body, status=200, **headers):
    return ("reply", status, body, {key.replace("_", "-"): value for key, value in headers.items()})


def error(code, status=403, **headers):
    return reply({"error": code}, status, **headers)


def later(after=None, code=None):
    return (("outcome", RETRY_LATER, {"after": after, "error": code}),)


SAME = (("outcome", SAME_TOKEN, {"access_token": "at", "expires_in": 86400, "refresh_token": None}),)
NEW = (("outcome", ROTATED, {"access_token": "at", "expires_in": 86400, "refresh_token": "R2"}),)
HUMAN = (("outcome", NEEDS_HUMAN, {"error": "mfa_required", "token_is_dead": False, "mfa_token": None}),)
WRONG = (("outcome", MISCONFIGURED, {"error": "invalid_client"}),)

ENDS = {
    "same": (reply(TOKENS), SAME),
    "rotated": (reply({**TOKENS, "refresh_token": "R2"}), NEW),
    "later": (reply(None, 503, retry_after="120"), later(120)),
    "human": (error("mfa_required"), HUMAN),
    "misconfigured": (error("invalid_client", 401), WRONG),
}
ROWS = {
    ("idle", "start"): (START, (POST,)),
    ("over", "start"): (START, (POST,)),
    ("asking", "start"): (START, (POST,)),
    ("again", "start"): (START, later()),
    ("asking", "lost"): (("lost",), (POST,)),
    ("again", "lost"): (("lost",), later()),
    ("asking", "unreached"): (("unreached",), later()),
    ("again", "unreached"): (("unreached",), (("wait", 2),)),
    ("pausing", "tick"): (("tick",), (POST,)),
    ("pausing", "start"): (START, (POST,)),
    ("again", "gone"): (("unreached",), later()),
    **{(state, name): case for state in ("asking", "again") for name, case in ENDS.items()},
}


def machine(name):
    state: dict = {}
    again = [START, ("lost",)]
    pause = [("unreached",), ("tick",)]
    events = {
        "idle": [],
        "asking": [START],
        "again": again,
        "pausing": [*again, ("unreached",)],
        "out of patience": again + pause * len(PAUSES_S),
        "over": [START, ("unreached",)],
    }[name]
    for event in events:
        step(state, event, NOW)
    assert state.get("is", "idle") == ("again" if name == "out of patience" else name)
    return state


def test_outcomes_are_told_apart_by_name():
    # They go to the log, which `stoa` on the host reads.
    names = (SAME_TOKEN, ROTATED, RETRY_LATER, NEEDS_HUMAN, MISCONFIGURED)
    assert names == ("same_token", "rotated", "retry_later", "needs_human", "misconfigured")


def test_every_row_has_its_case():
    assert set(ROWS) == set(TABLE)


@pytest.mark.parametrize("row", ROWS, ids="-".join)
def test_row(row):
    event, effects = ROWS[row]
    state = machine("out of patience" if row == ("again", "gone") else row[0])
    assert step(state, event, NOW) == effects
    assert (state["is"] == "over") == (effects[0][0] == "outcome")
    assert (state["is"] == "asking") == (row[1] == "start" and row[0] in ("idle", "over"))
    assert ("R1" in json.dumps(state)) == (state["is"] != "over")


def test_a_reply_nobody_waits_for_is_the_callers_mistake():
    with pytest.raises(ValueError, match="no row for same in idle"):
        step({}, reply(TOKENS), NOW)
    with pytest.raises(ValueError, match="no row for tick in idle"):
        step({}, ("tick",), NOW)
    with pytest.raises(ValueError, match="unknown event"):
        step({}, ("tock",), NOW)


def test_while_the_network_is_gone_after_a_lost_answer_it_tries_within_the_servers_grace():
    state = machine("again")
    waits = []
    while True:
        (effect,) = step(state, ("unreached",), NOW)
        if effect[0] == "outcome":
            break
        waits.append(effect[1])
        assert step(state, ("tick",), NOW) == (POST,)
    assert effect[1] == RETRY_LATER
    assert waits == list(PAUSES_S)
    assert sum(waits) <= 30


def test_a_lost_reply_is_retried_once_and_never_more():
    state: dict = {}
    posts = 0
    effects = step(state, START, NOW)
    while effects == (POST,):
        posts += 1
        effects = step(state, ("lost",), NOW)
    assert posts == 2
    assert effects == later()


def test_power_cut_in_flight_asks_once_more_and_then_gives_up():
    state: dict = {}
    assert step(state, START, NOW) == (POST,)
    state = json.loads(json.dumps(refresh.mark(state)))
    assert "R1" not in json.dumps(state)
    assert step(state, START, NOW) == (POST,)
    state = refresh.mark(state)
    assert step(state, START, NOW) == later()


def test_power_cut_in_a_pause_asks_once_more_and_pauses_no_longer():
    state = json.loads(json.dumps(refresh.mark(machine("pausing"))))
    assert step(state, START, NOW) == (POST,)
    assert state["is"] == "again"
    assert step(state, ("lost",), NOW) == later()


def test_the_next_refresh_with_the_same_state_pauses_anew():
    state = machine("asking")
    step(state, ("lost",), NOW)
    while step(state, ("unreached",), NOW)[0][0] == "wait":
        step(state, ("tick",), NOW)
    assert state["is"] == "over"
    assert step(state, START, NOW) == (POST,)
    assert step(state, ("unreached",), NOW) == later()


def test_the_token_repeated_in_the_reply_is_no_rotation():
    state = machine("asking")
    assert step(state, reply({**TOKENS, "refresh_token": "R1"}), NOW) == SAME


@pytest.mark.parametrize("status", [400, 401, 403])
def test_only_invalid_grant_kills_the_token(status):
    for code in refresh.ERRORS:
        info = step(machine("asking"), error(code, status), NOW)[0][2]
        assert info.get("token_is_dead", False) == (code == "invalid_grant")


@pytest.mark.parametrize(
    ("sent", "handed_on"),
    [
        ("Fe26.2*05fd11*x", "Fe26.2*05fd11*x"),
        ("x" * refresh.MFA_TOKEN_MAX, "x" * refresh.MFA_TOKEN_MAX),
        ("x" * (refresh.MFA_TOKEN_MAX + 1), None),
        ("", None),
        ("line\nbreak", None),
        (7, None),
        (["Fe26.2"], None),
        (None, None),
    ],
)
def test_an_mfa_token_is_handed_on_and_kept_nowhere(sent, handed_on):
    state = machine("asking")
    (effect,) = step(state, reply({"error": "mfa_required", "mfa_token": sent}, 403), NOW)
    assert effect == ("outcome", NEEDS_HUMAN, {"error": "mfa_required", "token_is_dead": False, "mfa_token": handed_on})
    assert state == {"is": "over", "client_id": "display"}


@pytest.mark.parametrize("code", [code for code, verdict in refresh.ERRORS.items() if verdict == "human"])
def test_an_mfa_token_beside_another_error_is_none(code):
    (effect,) = step(machine("asking"), reply({"error": code, "mfa_token": "Fe26.2"}, 403), NOW)
    assert effect[2]["mfa_token"] == ("Fe26.2" if code == "mfa_required" else None)


@pytest.mark.parametrize("status", [200, 302, 429, 500, 502, 503, 504])
def test_invalid_grant_from_a_server_that_is_not_answering_a_refresh_kills_nothing(status):
    (effect,) = step(machine("again"), error("invalid_grant", status), NOW)
    if status < 400:
        assert effect == ("outcome", NEEDS_HUMAN, {"error": "invalid_grant", "token_is_dead": False, "mfa_token": None})
    else:
        assert effect == later(code="invalid_grant")[0]


@pytest.mark.parametrize(
    "code",
    [
        "mfa_required",
        "invalid_grant",
        "interaction_required",
        "login_required",
        "consent_required",
        "insufficient_user_authentication",
        "unmet_authentication_requirements",
        "access_denied",
    ],
)
def test_needs_a_human(code):
    assert step(machine("asking"), error(code, 400), NOW)[0][1] == NEEDS_HUMAN


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
def test_misconfigured(code):
    assert step(machine("asking"), error(code, 400), NOW) == (("outcome", MISCONFIGURED, {"error": code}),)


@pytest.mark.parametrize(
    "event",
    [
        reply(None, 0),
        reply(None),
        reply(None, 403),
        reply({}, 200),
        reply({"error": {"code": 17}}, 400),
        reply({"access_token": ""}, 500),
        error("too_many_requests", 429),
        error("access_denied", 429),
        error("temporarily_unavailable", 503),
        error("invented", 400),
    ],
)
def test_what_is_no_verdict_is_retried_later(event):
    effects = step(machine("asking"), event, NOW)
    outcome = MISCONFIGURED if event[2] == {"access_token": ""} else RETRY_LATER
    assert effects[0][1] == outcome


@pytest.mark.parametrize("status", [502, 504])
def test_a_gateways_apology_is_a_lost_reply(status):
    state = machine("asking")
    assert step(state, reply(None, status), NOW) == (POST,)
    assert step(state, reply(None, status, retry_after="30"), NOW) == later(30)


def test_a_token_the_vault_cannot_hold_is_named():
    effects = step(machine("asking"), reply({**TOKENS, "refresh_token": "x" * 4097}), NOW)
    assert effects == (("outcome", MISCONFIGURED, {"error": "bad refresh_token"}),)
