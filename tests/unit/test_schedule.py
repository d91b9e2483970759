"""When to wake."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stoa import schedule, timezone
from stoa.auth import backoff
from stoa.schedule import after_failure, next_daily, quiet_end, remember_wake, within_budget

BERLIN = timezone.parse("CET-1CEST,M3.5.0,M10.5.0/3")
SYDNEY = timezone.parse("AEST-10AEDT,M10.1.0,M4.1.0/3")


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
    assert next_daily(at(now), minute * 60) == at(wake)


@given(st.integers(0, 4_000_000_000), st.integers(0, 1439))
def test_a_daily_wake_is_ahead_within_a_day_and_a_bit_and_on_the_minute(now, minute):
    wake = next_daily(now, minute * 60)
    assert schedule.SOONEST_S <= wake - now <= 86400 + schedule.EARLY_S
    assert wake % 86400 == minute * 60 or wake - now < schedule.EARLY_S * 17 // 16


def days_awake(now, minute, permille):
    """The UTC days of ten wakes of a device whose sleep clock is off by so much."""
    days = []
    for _ in range(10):
        now += (next_daily(now, minute * 60) - now) * (1000 + permille) // 1000
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


@pytest.mark.parametrize(
    ("zone", "now", "time", "wake"),
    [
        # The night of the change in spring and in autumn, the days before and after.
        (BERLIN, "2026-03-27 12:00", "06:00", "2026-03-28 05:00"),
        (BERLIN, "2026-03-28 12:00", "06:00", "2026-03-29 04:00"),
        (BERLIN, "2026-10-24 12:00", "06:00", "2026-10-25 05:00"),
        (SYDNEY, "2026-10-03 10:00", "06:00", "2026-10-03 19:00"),
        (SYDNEY, "2026-04-04 10:00", "06:00", "2026-04-04 20:00"),
        # 02:30 does not exist on the 29th of March: 03:30 summer time. In October it comes twice: the first.
        (BERLIN, "2026-03-28 12:00", "02:30", "2026-03-29 01:30"),
        (BERLIN, "2026-10-24 12:00", "02:30", "2026-10-25 00:30"),
        # The minutes around the change.
        (BERLIN, "2026-03-28 12:00", "01:59", "2026-03-29 00:59"),
        (BERLIN, "2026-03-28 12:00", "03:00", "2026-03-29 01:00"),
        (BERLIN, "2026-10-24 12:00", "03:00", "2026-10-25 02:00"),
    ],
)
def test_local_time_to_the_minute(zone, now, time, wake):
    hour, minute = time.split(":")
    assert next_daily(at(now), int(hour) * 3600 + int(minute) * 60, zone) == at(wake)


@pytest.mark.parametrize("zone", [BERLIN, SYDNEY, timezone.UTC])
@pytest.mark.parametrize("second", [0, 2 * 3600 + 1800, 6 * 3600 + 17, 86399])
def test_a_year_of_local_days_has_one_wake_each(zone, second):
    now, days = at("2026-01-01 00:00"), []
    for _ in range(366):
        now = next_daily(now, second, zone)
        days.append((now + timezone.offset(zone, now)) // 86400)
    # The hour that spring takes away may push 23:59:59 nowhere: each day comes, once.
    assert days == list(range(days[0], days[0] + 366))


NIGHT = (22 * 60, 6 * 60)


@pytest.mark.parametrize(
    ("zone", "now", "quiet", "end"),
    [
        (timezone.UTC, "2026-11-22 21:59:59", NIGHT, None),
        (timezone.UTC, "2026-11-22 22:00:00", NIGHT, "2026-11-23 06:00"),
        (timezone.UTC, "2026-11-23 05:59:59", NIGHT, "2026-11-23 06:00"),
        (timezone.UTC, "2026-11-23 06:00:00", NIGHT, None),
        (timezone.UTC, "2026-11-23 12:30:00", (12 * 60, 14 * 60), "2026-11-23 14:00"),
        (timezone.UTC, "2026-11-23 14:00:00", (12 * 60, 14 * 60), None),
        (timezone.UTC, "2026-11-23 03:00:00", None, None),
        (timezone.UTC, "2026-11-23 03:00:00", (360, 360), None),
        (BERLIN, "2026-03-28 23:30:00", NIGHT, "2026-03-29 04:00"),
        (BERLIN, "2026-10-25 00:30:00", NIGHT, "2026-10-25 05:00"),
        (BERLIN, "2026-07-01 20:00:00", NIGHT, "2026-07-02 04:00"),
        (BERLIN, "2026-07-01 19:59:00", NIGHT, None),
    ],
)
def test_quiet_hours(zone, now, quiet, end):
    assert quiet_end(at(now), quiet, zone) == at(end or now)


def test_after_failure_takes_the_longer_of_backoff_and_the_servers_wish():
    now = at("2026-11-22 21:00")
    assert after_failure(now, "unavailable", 1) == now + 300
    assert after_failure(now, "unavailable", 2) == now + 600
    assert after_failure(now, "unavailable", 1, asked=10) == now + 300
    assert after_failure(now, "unavailable", 1, asked=7200) == now + 7200
    assert after_failure(now, "misconfigured", 9) == now + 86400


def test_a_fleet_that_failed_together_does_not_come_back_together():
    now = at("2026-11-22 21:00")
    numbers = [schedule.own_number(bytes([2, 0, 0, 0, 0, n])) for n in range(200)]
    back = sorted(after_failure(now, "unavailable", 1, 3600, number) for number in numbers)
    assert now + 3600 <= back[0] and back[-1] < now + 4050
    assert len(set(back)) > 120
    mornings = [number % schedule.JITTER_S for number in numbers]
    assert max(mornings.count(second) for second in mornings) <= 5


def test_one_device_keeps_its_own_second():
    assert schedule.own_number(b"\x02stoa\x07") == schedule.own_number(b"\x02stoa\x07")


ENDINGS = st.one_of(
    st.tuples(st.sampled_from(sorted(backoff.CAUSES)), st.integers(1, 9), st.one_of(st.none(), st.integers(0, 90000))),
    # A button, a stuck one, a server or a defect that wants it at once.
    st.just(None),
)


@given(MOMENTS, st.lists(ENDINGS, min_size=30, max_size=80), st.integers(0, 2**32 - 1))
def test_no_cause_and_no_server_wakes_it_more_than_24_times_in_any_24_hours(now, endings, number):
    wakes, all_of_them = [], []
    for ending in endings:
        wakes = remember_wake(wakes, now)
        all_of_them.append(now)
        if ending is None and len(wakes) < schedule.BUTTON_WAKES:
            now += 1
        else:
            cause, failures, asked = ending or ("unavailable", 1, None)
            now = within_budget(wakes, after_failure(now, cause, failures, asked, number))
    assert most_in_a_day(all_of_them) <= 24


def most_in_a_day(moments):
    return max(sum(moment - 86400 < other <= moment for other in moments) for moment in moments)


def test_the_budget_is_one_wake_an_hour_on_average():
    """Pinned: raising it is a decision about batteries and other people's servers."""
    assert schedule.WAKES_A_DAY == 24
    assert schedule.BUTTON_WAKES < 24
    now, wakes, all_of_them = at("2026-11-22 06:00"), [], []
    for _ in range(200):
        wakes = remember_wake(wakes, now)
        all_of_them.append(now)
        now = within_budget(wakes, now + schedule.SOONEST_S)
    assert most_in_a_day(all_of_them) == 24


def test_without_memory_the_budget_is_kept_by_an_hour_between_wakes():
    now, wakes = at("2026-11-22 06:00"), []
    wakes = remember_wake([], now)
    assert within_budget(wakes, now + 300, forgetful=True) == now + 3600
    assert within_budget(wakes, now + 7200, forgetful=True) == now + 7200


def test_wakes_before_the_clock_was_set_back_still_count():
    now = at("2026-11-22 06:00")
    wakes = remember_wake([now + 5000] * 23, now)
    assert within_budget(wakes, now + 300) == now + 86400
