"""Pairing by RFC 8628: every row of the table."""

from __future__ import annotations

import copy
import json

import pytest

from stoa.auth import device_grant
from stoa.auth.device_grant import TABLE, step
from tests.unit.pairing import ASK, CLIENT, CODE, POLL, TOKENS, TOKENS_KEPT, error, machine, reply

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
