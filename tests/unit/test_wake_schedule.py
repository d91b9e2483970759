"""What a wake makes of the schedule: its budget, its button, its drift. On the desk (tests/desk.py)."""

from __future__ import annotations

import pytest

from stoa import sleep_state, timekeeping
from tests.campaigns.test_wakes import SETTINGS
from tests.desk import DAY_S, NOON, Desk, Reset, desk_firmware


@pytest.fixture(scope="module", autouse=True)
def firmware():
    with desk_firmware():
        yield


def away(method, url, fields):
    return 500, None, {}


def desk(state, woken_by="alarm"):
    made = Desk(away, dict(SETTINGS))
    made.clock_ahead_s = 0
    made.woken_by = woken_by
    sleep_state.save(made.memory, {"clock_set_at": NOON, **state})
    return made


def slept_s(made):
    assert made.wake() == "slept"
    return made.slept_until - made.now()


def test_the_twenty_fourth_wake_of_a_day_sleeps_until_the_first_has_passed():
    wakes = [NOON - 3600 + 100 * n for n in range(23)]
    made = desk({"wakes": wakes})
    assert slept_s(made) + made.now() == wakes[0] + DAY_S
    assert not made.button_is_armed


def test_before_that_it_retries_soon():
    made = desk({"wakes": [NOON - 3600 + 100 * n for n in range(22)]})
    assert 300 <= slept_s(made) < 340


@pytest.mark.parametrize(("before", "armed"), [(14, True), (15, False)])
def test_the_button_is_armed_for_two_thirds_of_the_budget(before, armed):
    made = desk({"wakes": [NOON - 3600 + 100 * n for n in range(before)]})
    slept_s(made)
    assert made.button_is_armed is armed


@pytest.mark.parametrize(("woken_by", "least"), [("alarm", 3600), ("button", 3600), ("boot", 300)])
def test_woken_from_a_sleep_that_left_no_memory_it_keeps_to_an_hour(woken_by, least):
    made = desk({}, woken_by)
    made.memory[:] = bytes(len(made.memory))
    assert least - 60 <= slept_s(made) < least + 340


def test_the_alarm_is_set_by_what_the_sleep_clock_will_show():
    fast, true = desk({"drift": 50_000}), desk({})
    assert slept_s(fast) == slept_s(true) * 105 // 100


def test_a_wake_that_hangs_was_counted_before_it_hung():
    made = desk({"wakes": [NOON - 100]})
    made.steps_left = 0
    made.wake()
    assert made.memory == bytes(4096), "the cut took it"
    made = desk({"wakes": [NOON - 100]})
    made.steps_left, made.ends_by = 0, Reset
    made.wake()
    assert sleep_state.load(made.memory)["wakes"] == [NOON - 100, NOON]


def test_a_defect_keeps_to_the_budget_and_leaves_a_floating_button_unarmed():
    made = desk({"wakes": [NOON - 3600 + 100 * n for n in range(22)]}, "button")

    def broken(*anything):
        raise KeyError

    made.answer = broken
    for _ in range(2):
        assert slept_s(made) > 3600
        assert "defect" in made.log[-1]
        assert not made.button_is_armed


def test_each_cause_has_a_backoff_of_its_own():
    made = desk({"failures": {"wifi": 5, "unavailable": 2}})
    assert 1200 <= slept_s(made) < 1400
    assert sleep_state.load(made.memory)["failures"] == {"wifi": 5, "unavailable": 3}


def test_what_was_refused_over_the_network_is_tried_with_the_time_asked_anew():
    made = desk({})
    made.wake()
    assert timekeeping.is_due(sleep_state.load(made.memory), made.now())
