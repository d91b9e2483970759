"""The clock: when it is set, what its drift teaches, and what a jump does."""

from __future__ import annotations

import pytest

from stoa import schedule, timekeeping
from stoa.timekeeping import is_due, reckoned, was_set

NOON = 1_772_452_800
DAY = 86400


@pytest.mark.parametrize(
    ("state", "after", "due"),
    [({}, 0, True), ({"clock_set_at": NOON}, 19 * 3600, False), ({"clock_set_at": NOON}, 20 * 3600, True)],
)
def test_the_time_is_asked_for_once_a_day(state, after, due):
    assert is_due(state, NOON + after) is due


def test_a_clock_that_went_back_is_set_anew():
    assert is_due({"clock_set_at": NOON}, NOON - 1)


@pytest.mark.parametrize("ppm", [-50_000, -2_800, 0, 40, 2_800, 50_000])
def test_a_drift_is_learned_and_the_next_sleep_ends_on_the_second(ppm):
    """`ppm`: the board's clock counts so many seconds too many in a million."""
    state = {"clock_set_at": NOON}
    for _ in range(5):
        counted = DAY + DAY * ppm // 1_000_000
        was_set(state, state["clock_set_at"] + counted, state["clock_set_at"] + DAY)
    assert state["drift"] == pytest.approx(ppm, abs=15)
    now, until = state["clock_set_at"], state["clock_set_at"] + DAY
    alarm = schedule.by_sleep_clock(now, until, state["drift"])
    truly = (alarm - now) * 1_000_000 // (1_000_000 + ppm)
    assert abs(truly - DAY) <= 2


def test_the_room_grows_warmer_and_the_drift_follows():
    state = {"clock_set_at": NOON, "drift": 1000}
    was_set(state, NOON + DAY + 259, NOON + DAY)
    assert state["drift"] == 1998


def test_a_short_while_teaches_nothing():
    state = {"clock_set_at": NOON}
    was_set(state, NOON + 6 * 3600 - 1, NOON + 6 * 3600)
    assert "drift" not in state


@pytest.mark.parametrize("jump", [-10 * 365 * DAY, -2 * DAY, 2 * DAY, 10 * 365 * DAY])
def test_a_jump_is_no_drift_and_moves_what_is_remembered(jump):
    state = {
        "clock_set_at": NOON - DAY,
        "ask_at": NOON + 3600,
        "access": {"token": "t", "until": NOON + 600},
        "wakes": [NOON - 7200, NOON],
    }
    was_set(state, NOON, NOON + jump)
    assert "drift" not in state
    assert state["ask_at"] == NOON + jump + 3600
    assert state["access"]["until"] == NOON + jump + 600
    assert state["wakes"] == [NOON + jump - 7200, NOON + jump]
    assert state["clock_set_at"] == NOON + jump


def test_a_small_correction_moves_nothing():
    state = {"clock_set_at": NOON - DAY, "ask_at": NOON, "wakes": [NOON]}
    was_set(state, NOON, NOON + timekeeping.JUMP_S)
    assert (state["ask_at"], state["wakes"]) == (NOON, [NOON])


def test_the_first_setting_of_all():
    state = {"wakes": [946_684_805]}
    was_set(state, 946_684_810, NOON)
    assert state == {"wakes": [NOON - 5], "clock_set_at": NOON}


@pytest.mark.parametrize("ppm", [-50_000, 2_800, 50_000])
def test_without_a_time_server_the_drift_tells_the_time_and_is_still_learned_against_the_true_one(ppm):
    state = {"clock_set_at": NOON, "drift": ppm}
    true, clock = NOON, NOON
    for _ in range(7):
        true += DAY
        clock = reckoned(state, clock + DAY + DAY * ppm // 1_000_000)
        assert abs(clock - true) <= 14
    true += DAY
    was_set(state, clock + DAY + DAY * ppm // 1_000_000, true)
    assert state["drift"] == pytest.approx(ppm, abs=15)
    assert "corrected" not in state


def test_with_no_drift_known_the_clock_is_left_as_it_is():
    state = {"clock_set_at": NOON}
    assert reckoned(state, NOON + DAY) == NOON + DAY


def test_a_clock_that_lost_its_time_while_sleep_memory_kept_its_own_jails_nobody():
    state = {
        "clock_set_at": NOON - DAY,
        "ask_at": NOON + 7 * DAY,
        "access": {"token": "t", "until": NOON + 600},
        "wakes": [NOON - 7200, 946_684_805],
        "grant": {"at": NOON - 60, "poll_at": NOON - 55, "expires_at": NOON + 800},
    }
    was_set(state, 946_684_810, NOON)
    assert state["ask_at"] == NOON + 7 * DAY
    assert state["access"]["until"] == NOON + 600
    assert state["wakes"] == [NOON - 7200, NOON - 5]
    assert state["grant"] == {"at": NOON - 60, "poll_at": NOON - 55, "expires_at": NOON + 800}
