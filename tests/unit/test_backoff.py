"""Sleep after failures."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stoa.auth import backoff
from stoa.auth.backoff import CAUSES, HOUR, MINUTE, delay


@pytest.mark.parametrize(
    ("cause", "delays"),
    [
        ("needs_human", [1 * HOUR, 2 * HOUR, 4 * HOUR, 8 * HOUR, 16 * HOUR, 24 * HOUR, 24 * HOUR]),
        ("unavailable", [5 * MINUTE * 2**n for n in range(7)] + [6 * HOUR, 6 * HOUR]),
        ("wifi", [5 * MINUTE * 2**n for n in range(7)] + [6 * HOUR]),
        ("clock", [5 * MINUTE, 10 * MINUTE]),
        ("panel", [1 * HOUR, 2 * HOUR, 4 * HOUR, 8 * HOUR, 16 * HOUR, 24 * HOUR]),
        ("misconfigured", [6 * HOUR, 12 * HOUR, 24 * HOUR, 24 * HOUR]),
    ],
)
def test_doubles_up_to_a_cap(cause, delays):
    assert [delay(cause, n + 1) for n in range(len(delays))] == delays


def test_every_cause_is_tested():
    assert set(CAUSES) == {"needs_human", "unavailable", "wifi", "clock", "panel", "misconfigured"}


@given(st.sampled_from(sorted(CAUSES)), st.integers(1, 10**9))
def test_never_less_than_before_and_never_over_the_cap(cause, failures):
    first, cap = CAUSES[cause]
    assert first <= delay(cause, failures) <= delay(cause, failures + 1) <= cap


@pytest.mark.parametrize("cause", sorted(CAUSES))
def test_the_first_day_of_an_outage_wakes_no_more_than_ten_times(cause):
    at, wakes = 0, 0
    while at < 24 * HOUR:
        wakes += 1
        at += backoff.delay(cause, wakes)
    assert wakes <= 10
