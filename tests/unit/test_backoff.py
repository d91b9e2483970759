"""Sleep after failures."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stoa.auth import backoff
from stoa.auth.backoff import CAUSES, DAY, HOUR, MINUTE, delay


@pytest.mark.parametrize(
    ("cause", "delays"),
    [
        ("needs_human", [2**n * HOUR for n in range(8)] + [7 * DAY, 7 * DAY]),
        ("unavailable", [5 * MINUTE * 2**n for n in range(7)] + [6 * HOUR, 6 * HOUR]),
        ("wifi", [5 * MINUTE * 2**n for n in range(7)] + [6 * HOUR]),
        ("clock", [5 * MINUTE * 2**n for n in range(7)] + [6 * HOUR]),
        ("panel", [1 * HOUR, 2 * HOUR, 4 * HOUR, 8 * HOUR, 16 * HOUR, 24 * HOUR]),
        ("misconfigured", [6 * HOUR, 12 * HOUR, 24 * HOUR, 24 * HOUR]),
        ("low_battery", [12 * HOUR, 12 * HOUR]),
        ("defect", [6 * HOUR, 12 * HOUR, 24 * HOUR, 24 * HOUR]),
        ("memory", [1 * HOUR, 2 * HOUR, 4 * HOUR, 8 * HOUR, 16 * HOUR, 24 * HOUR]),
        ("hung", [6 * HOUR, 12 * HOUR, 24 * HOUR, 24 * HOUR]),
    ],
)
def test_doubles_up_to_a_cap(cause, delays):
    assert [delay(cause, n + 1) for n in range(len(delays))] == delays


def test_every_cause_is_tested():
    network = {"unavailable", "wifi", "clock"}
    assert set(CAUSES) == network | {"needs_human", "panel", "misconfigured", "low_battery", "memory", "hung", "defect"}


def test_only_what_passes_by_itself_is_kept_quiet_and_for_an_hour_or_so():
    quiet = {cause for cause, row in CAUSES.items() if row[2]}
    assert quiet == {"unavailable", "wifi", "clock"}
    for cause in quiet:
        before = sum(delay(cause, n) for n in range(1, CAUSES[cause][2] + 1))
        assert HOUR <= before <= 2 * HOUR


@given(st.sampled_from(sorted(CAUSES)), st.integers(1, 10**9))
def test_never_less_than_before_and_never_over_the_cap(cause, failures):
    first, cap, _ = CAUSES[cause]
    assert first <= delay(cause, failures) <= delay(cause, failures + 1) <= cap


@pytest.mark.parametrize("cause", sorted(CAUSES))
def test_the_first_day_of_an_outage_wakes_no_more_than_ten_times(cause):
    at, wakes = 0, 0
    while at < 24 * HOUR:
        wakes += 1
        at += backoff.delay(cause, wakes)
    assert wakes <= 10
