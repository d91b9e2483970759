"""A push by Auth0's MFA API: every row of the table."""

from __future__ import annotations

import copy
import json

import pytest

from stoa.auth import push
from stoa.auth.push import TABLE, mark, step
from tests.unit.pairing import TOKENS, TOKENS_KEPT, reply
from tests.unit.phone import ASK, CHALLENGE, ENROLLED, LIST, POLL, SMS, START, error, machine, stopped

# Longer than slow_down's 5 seconds, so that what doubles it differs from what adds to it.
INTERVAL_S = 7
# row: (event, seconds later, the effects)
ROWS = {
    ("idle", "start"): (START, 0, (LIST,)),
    ("asking", "start"): (START, 9, (LIST,)),
    **{(state, "start"): (START, 9, stopped("asked")) for state in ("challenging", "showing", "waiting", "polling")},
    ("asking", "found"): (reply(ENROLLED), 1, (ASK,)),
    ("asking", "none"): (reply([SMS]), 1, stopped("no_authenticator")),
    ("asking", "lost"): (("lost",), 15, stopped("unavailable")),
    ("challenging", "sent"): (reply(CHALLENGE), 1, (("show",),)),
    ("challenging", "none"): (reply({**CHALLENGE, "binding_method": "prompt"}), 1, stopped("no_authenticator")),
    ("challenging", "refused"): (error("unsupported_challenge_type", 401), 1, stopped("unavailable")),
    ("challenging", "lost"): (("lost",), 15, stopped("unavailable")),
    ("showing", "shown"): (("shown",), 3, (("wait", 4),)),
    ("waiting", "early"): (("tick",), 1, (("wait", 3),)),
    ("waiting", "due"): (("tick",), 4, (POLL,)),
    ("waiting", "expired"): (("tick",), 116, stopped("expired")),
    ("polling", "pending"): (error("authorization_pending"), 1, (("wait", 7),)),
    ("polling", "slow_down"): (error("slow_down", 429), 1, (("wait", 12),)),
    ("polling", "lost"): (("lost",), 15, (("wait", 14),)),
    ("polling", "tokens"): (reply(TOKENS), 1, (("granted", TOKENS_KEPT),)),
    ("polling", "denied"): (error("invalid_grant"), 1, stopped("denied")),
    ("polling", "expired"): (error("expired_token"), 1, stopped("expired")),
    ("polling", "another_factor"): (error("mfa_required"), 1, stopped("another_factor")),
    ("polling", "misconfigured"): (error("unauthorized_client"), 1, stopped("misconfigured")),
    ("polling", "error"): (error("too_many_attempts", 429), 1, stopped("unavailable")),
}

# Where an effect leaves the machine; one that is stopped is where its reason says.
AFTER = {
    ("get", "authenticators"): "asking",
    ("post", "challenge"): "challenging",
    ("post", "token"): "polling",
    "show": "showing",
    "wait": "waiting",
    "granted": "granted",
}


def test_every_row_has_its_case():
    assert set(ROWS) == set(TABLE)


@pytest.mark.parametrize("row", ROWS, ids="-".join)
def test_row(row):
    event, later, effects = ROWS[row]
    state, now = machine(row[0], interval=INTERVAL_S)
    assert push._classify(state, event, now + later)[0] == row[1]
    assert step(state, event, now + later) == effects
    (effect,) = effects
    after = effect[1] if effect[0] == "stopped" else AFTER[effect[:2] if effect[0] in ("get", "post") else effect[0]]
    assert state["is"] == after
    # Its secrets are there as long as they are needed, and in no mark.
    assert ("mfa_token" in state) == (effect[0] not in ("granted", "stopped"))
    assert ("oob_code" in state) == (state["is"] in ("showing", "waiting", "polling"))
    assert "Fe26.2" not in json.dumps(mark(state))
    assert json.loads(json.dumps(state)) == state
    # What goes to the log is a code of the server's, and nothing else that came.
    assert state.get("detail") in (None, *push.ERRORS, "unsupported_challenge_type", "too_many_attempts")


@pytest.mark.parametrize("row", [row for row in ROWS if row[1] == "start"], ids="-".join)
def test_after_a_reset_its_mark_leads_where_it_would_have_led_itself(row):
    state, now = machine(row[0])
    kept = json.loads(json.dumps(mark(state)))
    assert step(kept, START, now + 60) == ROWS[row][2]


def test_an_event_without_a_row_is_the_callers_mistake_and_changes_nothing():
    state, now = machine("waiting")
    before = copy.deepcopy(state)
    with pytest.raises(ValueError, match="no row for lost in waiting"):
        step(state, ("lost",), now)
    assert state == before
    with pytest.raises(ValueError, match="unknown event"):
        step(state, ("surprise",), now)
