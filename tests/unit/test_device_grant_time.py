"""Polling by RFC 8628 3.5, for device grant and push: intervals, expiry. And a device grant's clocks and power cuts."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from stoa.auth import device_grant, push
from stoa.auth.device_grant import step
from tests.unit import phone
from tests.unit.pairing import ASK, CLIENT, CODE, POLL, TOKENS, TOKENS_KEPT, T, error, machine, reply


@dataclass(frozen=True)
class Polled:
    """A machine that polls the token endpoint.

    bring: gives it in a state, and the moment it is then. ends_at: the moment at which what it asks for expires.
    """

    step: Callable[[dict, tuple, int], tuple]
    bring: Callable[[str], tuple[dict, int]]
    poll: tuple
    ends_at: int


POLLED = {
    "device grant": Polled(step, machine, POLL, T + 900),
    # Counted from the challenge, a second after the start.
    "push": Polled(push.step, phone.machine, phone.POLL, T + 1 + push.LIFETIME_S),
}


@pytest.fixture(params=POLLED)
def polled(request):
    return POLLED[request.param]


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


# What both share (stoa.auth.polling).


def test_slow_down_is_a_ratchet(polled):
    state, now = polled.bring("polling")
    for interval in (10, 15, 20):
        assert polled.step(state, error("slow_down"), now) == (("wait", interval),)
        assert polled.step(state, ("tick",), now + interval - 1) == (("wait", 1),)
        now += interval
        assert polled.step(state, ("tick",), now) == (polled.poll,)
    assert polled.step(state, error("authorization_pending"), now) == (("wait", 20),)


def test_lost_replies_double_the_interval_for_good(polled):
    state, now = polled.bring("polling")
    for interval in (10, 20, 40):
        assert polled.step(state, ("lost",), now) == (("wait", interval),)
        now += interval
        assert polled.step(state, ("tick",), now) == (polled.poll,)
    assert polled.step(state, error("authorization_pending"), now) == (("wait", 40),)


def test_the_last_wait_ends_at_the_expiry(polled):
    state, _ = polled.bring("polling")
    assert polled.step(state, error("slow_down"), polled.ends_at - 8) == (("wait", 8),)
    assert polled.step(state, ("tick",), polled.ends_at) == (("stopped", "expired"),)


@pytest.mark.parametrize("event", [error("authorization_pending"), error("slow_down"), ("lost",), reply(None)])
def test_a_poll_that_outlives_what_it_asks_for_ends_it(polled, event):
    state, _ = polled.bring("polling")
    assert polled.step(state, event, polled.ends_at) == (("stopped", "expired"),)


def test_a_wait_that_outlives_it_ends_it(polled):
    state, _ = polled.bring("waiting")
    assert polled.step(state, ("tick",), polled.ends_at) == (("stopped", "expired"),)


def test_a_yes_that_comes_late_is_still_a_yes(polled):
    state, _ = polled.bring("polling")
    assert polled.step(state, reply(TOKENS), polled.ends_at + 100) == (("granted", TOKENS_KEPT),)


# A device grant's own.


def test_a_poll_that_a_power_cut_broke_off_counts_as_lost():
    state, now = machine("polling", interval=7)
    assert step(state, ("tick",), now + 1) == (("wait", 14),)
    assert step(state, ("tick",), T + 900) == (("stopped", "unavailable"),)


def test_expiry_counts_from_the_request_and_is_bounded():
    state, _ = machine("asking")
    step(state, reply({**CODE, "expires_in": 600}), T + 30)
    assert state["expires_at"] == T + 600
    state, _ = machine("asking")
    step(state, reply({**CODE, "expires_in": 10**9}), T + 30)
    assert state["expires_at"] == T + device_grant.LIFETIME_MAX_S


def test_a_poll_that_a_power_cut_broke_off_for_longer_than_the_code_lives_ends_it():
    state, _ = machine("polling")
    assert step(state, ("tick",), T + 900) == (("stopped", "expired"),)


@pytest.mark.parametrize(
    ("last", "reason"),
    [(("lost",), "unavailable"), (reply(None), "unavailable"), (error("authorization_pending"), "expired")],
)
def test_a_server_that_does_not_answer_is_not_taken_for_a_silent_person(last, reason):
    state, now = machine("polling", expires_in=60)
    step(state, ("lost",), now)
    step(state, ("tick",), now + 10)
    step(state, last, now + 10)
    assert step(state, ("tick",), T + 60) == (("stopped", reason),)


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
