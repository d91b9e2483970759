"""When to wake."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stoa import schedule
from stoa.schedule import after_failure, next_daily


def at(text):
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


@pytest.mark.parametrize(
    ("now", "minute", "wake"),
    [
        ("2026-11-22 21:00:00", 360, "2026-11-23 06:00:00"),
        ("2026-11-22 03:00:00", 360, "2026-11-22 06:00:00"),
        # On time, a little late, a little early: one wake a morning.
        ("2026-11-22 06:00:00", 360, "2026-11-23 06:00:00"),
        ("2026-11-22 06:00:40", 360, "2026-11-23 06:00:00"),
        ("2026-11-22 05:56:00", 360, "2026-11-23 06:00:00"),
        ("2026-11-22 04:48:00", 360, "2026-11-23 06:00:00"),
        # Early across midnight, when the quote changes: this one is still to come.
        ("2026-11-22 23:58:00", 10, "2026-11-23 00:10:45"),
        ("2026-11-22 23:59:30", 0, "2026-11-23 00:00:30"),
        ("2026-11-22 00:00:00", 0, "2026-11-23 00:00:00"),
        ("2026-11-22 23:59:00", 1439, "2026-11-23 23:59:00"),
        # The year's end and a leap day.
        ("2026-12-31 12:00:00", 360, "2027-01-01 06:00:00"),
        ("2028-02-28 12:00:00", 360, "2028-02-29 06:00:00"),
        # A clock that was never set starts at CircuitPython's 2000.
        ("2000-01-01 00:00:05", 360, "2000-01-01 06:00:00"),
    ],
)
def test_next_daily(now, minute, wake):
    assert next_daily(at(now), minute) == at(wake)


@given(st.integers(0, 4_000_000_000), st.integers(0, 1439))
def test_a_daily_wake_is_ahead_within_a_day_and_a_bit_and_on_the_minute(now, minute):
    wake = next_daily(now, minute)
    assert schedule.SOONEST_S <= wake - now <= 86400 + schedule.EARLY_S
    assert wake % 86400 == minute * 60 or wake - now < schedule.EARLY_S * 17 // 16


def days_awake(now, minute, permille):
    """The UTC days of ten wakes of a device whose sleep clock is off by so much."""
    days = []
    for _ in range(10):
        now += (next_daily(now, minute) - now) * (1000 + permille) // 1000
        days.append(now // 86400)
    return days


MOMENTS = st.integers(1_700_000_000, 1_800_000_000)
# Sleep clocks may be off by 5 %, 72 minutes a day.
PERMILLE = st.integers(-50, 50)


@given(MOMENTS, st.integers(80, 1440 - 80), PERMILLE)
def test_one_wake_a_morning_however_wrong_the_sleep_clock(now, minute, permille):
    days = days_awake(now, minute, permille)
    assert days == list(range(days[0], days[0] + 10))


# A clock that runs late may wake after the midnight it was meant to come before; there that day's quote is past.
@given(MOMENTS, st.integers(0, 1439), st.integers(-50, 0))
def test_no_days_quote_is_missed_however_near_midnight_the_wake(now, minute, permille):
    days = days_awake(now, minute, permille)
    assert set(days) == set(range(days[0], days[-1] + 1))
    assert days[-1] >= days[0] + 4


def test_local_time_is_a_seam_already():
    def berlin(moment):
        return 7200 if at("2026-03-29 01:00") <= moment < at("2026-10-25 01:00") else 3600

    assert next_daily(at("2026-03-28 12:00"), 360, berlin) == at("2026-03-29 04:00")
    assert next_daily(at("2026-03-27 12:00"), 360, berlin) == at("2026-03-28 05:00")
    assert next_daily(at("2026-10-24 12:00"), 360, berlin) == at("2026-10-25 05:00")


def test_after_failure_takes_the_longer_of_backoff_and_the_servers_wish():
    now = at("2026-11-22 21:00")
    assert after_failure(now, "unavailable", 1) == now + 300
    assert after_failure(now, "unavailable", 2) == now + 600
    assert after_failure(now, "unavailable", 1, asked=10) == now + 300
    assert after_failure(now, "unavailable", 1, asked=7200) == now + 7200
    assert after_failure(now, "needs_human", 9) == now + 86400
