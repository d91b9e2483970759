"""The calendar, against Python's own."""

from __future__ import annotations

import calendar
from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from stoa import civil

DATES = st.dates(date(1, 3, 1), date(9999, 12, 31))


@given(DATES)
def test_day_number_and_year_are_those_of_datetime(day):
    number = (day - date(1970, 1, 1)).days
    assert civil.day_number(day.year, day.month, day.day) == number
    assert civil.year_of(number) == day.year


def test_every_new_year_of_a_thousand():
    for year in range(1600, 2600):
        first = (date(year, 1, 1) - date(1970, 1, 1)).days
        assert civil.year_of(first) == year
        assert civil.year_of(first - 1) == year - 1
        assert civil.is_leap(year) == calendar.isleap(year)


def test_a_day_may_lie_outside_its_month():
    assert date(1970, 1, 1) + timedelta(civil.day_number(2026, 1, 60)) == date(2026, 3, 1)
