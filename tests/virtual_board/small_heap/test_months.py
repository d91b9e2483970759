"""Weeks and months of bad days, as in test_months_of_*, in the heap of a board without PSRAM."""

import pytest

from tests.campaign import extent
from tests.diary import Diary
from tests.home import Home

DAYS = extent(5, 30)
pytestmark = pytest.mark.timeout(900)


@pytest.fixture
def small_home(make_home, machine) -> Home:
    return make_home(runtime=machine("128k"))


def test_a_month_of_mornings(small_home):
    diary = Diary.of_a_paired(small_home)
    month = diary.live(DAYS)
    assert {each.ending for each in month} == {"daily"}
    assert [each.screens for each in month] == [["quote"]] * len(month)
    assert diary.nothing_is_lost()


@pytest.mark.parametrize("fault", ["refused", *extent([], ["portal", "wifi-absent", "dns"])])
def test_a_month_without_a_server(small_home, fault):
    diary = Diary.of_a_paired(small_home)
    small_home.board.faults.set(fault)
    month = diary.live(DAYS)
    assert {each.ending for each in month} <= {"unavailable", "wifi"}
    assert sum(each.codes for each in month) == 0
    assert diary.nothing_is_lost()
    small_home.board.faults.clear()
    assert diary.is_well_within_two_wakes()


def test_a_month_of_mfa_that_nobody_answers(small_home, authority):
    diary = Diary.of_a_paired(small_home)
    authority.set_mfa("rule")
    small_home.approves = False
    month = diary.live(DAYS)
    assert {each.ending for each in month} == {"needs_human"}
    assert sum(each.codes for each in month) >= 4
    assert diary.nothing_is_lost()
    authority.set_mfa("never")
    assert diary.is_well_within_two_wakes()
