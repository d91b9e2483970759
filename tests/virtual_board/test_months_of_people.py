"""Weeks in which a person is needed: who is asked, how often, and what it takes to be well again."""

import itertools

import pytest

from host_tools.authority import SlowDown
from host_tools.clock import NS
from tests.campaign import extent
from tests.diary import DAY_NS, HOUR_NS, Diary, days_with_codes, most_in_a_day
from tests.home import FEATHER, MAGTAG


def few_polls(authority):
    """Where nobody answers, slow_down changes nothing but this: fewer polls a code."""
    authority.control.set_fault(SlowDown())


def test_mfa_that_is_ignored_for_a_month_and_then_answered(home, authority):
    diary = Diary.of_a_paired(home)
    authority.control.set_mfa("rule")
    home.approves = False
    charged = home.board.meter.mah()
    month = diary.live(28)
    assert {each.ending for each in month} == {"needs_human"}
    # 1, 2, 4, 8, 16, 32, 64, 128 h after one another, then weekly; the night is nobody's.
    assert days_with_codes(month) == [0, 0, 0, 0, 1, 2, 3, 6, 11, 18, 25]
    assert all(6 <= (each.began_ns + 5 * NS) // HOUR_NS % 24 < 22 for each in month if each.codes)
    # The rule may be lifted any day: the refresh is tried each.
    assert [day - month[0].day for day in sorted({each.day for each in month})] == list(range(28))
    assert authority.control.tally()["refreshes_challenged"] == len(month)
    assert most_in_a_day(month) <= 5
    # A refresh, whether there is a phone to ask, a code.
    assert most_in_a_day(month, lambda each: each.requests) <= 3 * 5
    assert sum(each.wake.refreshes for each in month) == 2 * 11, "a code, and that it has expired"
    assert sum(each.wake.nvm_writes for each in month) == 0
    assert home.board.meter.mah() - charged < home.board.board.power.battery_mah
    assert diary.nothing_is_lost(), "mfa_required costs no token"

    home.approves = True
    diary.wake(home.press_button)
    assert diary.entries[-1].screens == ["mfa", "quote"]
    assert diary.shows_todays_quote()
    authority.control.set_mfa("always")
    assert {(each.ending, each.codes) for each in diary.live(7)} == {("daily", 0)}
    assert diary.nothing_is_lost()


def test_mfa_that_is_ignored_for_a_month_and_answered_when_it_next_asks(home, authority):
    diary = Diary.of_a_paired(home)
    authority.control.set_mfa("rule")
    home.approves = False
    few_polls(authority)
    diary.live(extent(10, 27))
    authority.control.lift_faults()
    home.approves = True
    answered = diary.live(7)
    assert [each.screens for each in answered if each.codes] == [["mfa", "quote"]], "within a week, by itself"
    assert diary.nothing_is_lost()


@pytest.mark.parametrize("approves", [True, False])
def test_mfa_at_every_refresh_for_ever_is_no_daily_chore(home, authority, approves):
    diary = Diary.of_a_paired(home)
    authority.control.set_mfa("rule")
    home.approves = approves
    if not approves:
        few_polls(authority)
    months = diary.live(extent(42, 180))
    asked = days_with_codes(months)
    weekly = [day for day in asked if day >= 7]
    assert len(weekly) >= 4 and all(later - earlier >= 6 for earlier, later in itertools.pairwise(weekly))
    assert len(asked) - len(weekly) <= (3 if approves else 8)
    if approves:
        # Who answers sees a quote that day.
        assert all(each.screens == ["mfa", "quote"] for each in months if each.codes)
        assert authority.control.tally()["device_grants_approved"] == 1 + len(asked)
    assert most_in_a_day(months) <= 5
    assert diary.nothing_is_lost()
    authority.control.set_mfa("never")
    assert diary.is_well_within_two_wakes(), "and nobody was needed"
    assert not diary.entries[-1].codes


def test_a_rule_that_is_lifted_again_needs_nobody_and_forgets_how_often_it_asked(home, authority):
    diary = Diary.of_a_paired(home)
    home.approves = False
    few_polls(authority)
    for _ in range(2):
        authority.control.set_mfa("rule")
        ten_days = diary.live(10)
        assert days_with_codes(ten_days)[:4] == [0, 0, 0, 0], "asked as at the first time"
        authority.control.set_mfa("never")
        assert diary.is_well_within_two_wakes()
        well = diary.live(5)
        assert {(each.ending, each.codes) for each in well} == {("daily", 0)}
    assert authority.control.tally()["families_begun"] == 1
    assert diary.nothing_is_lost()


@pytest.mark.parametrize("board_id", extent([MAGTAG], [MAGTAG, FEATHER]))
@pytest.mark.parametrize("how", ["revoke", "expire", "delete"])
def test_a_revoked_grant_is_deleted_on_proof_asked_for_and_had_again(make_home, authority, board_id, how):
    home = make_home(board_id=board_id)
    diary = Diary.of_a_paired(home)
    dead = home.token()
    assert dead.encode() in bytes(home.board.state.flash.content)
    assert authority.control.revoke(how=how) == 1
    home.approves = False
    few_polls(authority)
    fortnight = diary.live(13)
    authority.control.lift_faults()
    assert (home.token(), home.token_held_by()) == (None, ())
    assert dead.encode() not in bytes(home.board.state.nvm) + bytes(home.board.state.flash.content)
    assert sum(each.wake.nvm_writes for each in fortnight) == 1
    assert authority.control.tally()["refreshes_refused"] == 1, "a dead token is presented once"
    assert most_in_a_day(fortnight) <= 5
    assert days_with_codes(fortnight) == [0, 0, 0, 0, 1, 2, 3, 6, 11]
    assert [each.screens[0] for each in fortnight if each.codes][:2] == ["mfa", "pairing"]
    home.approves = True
    diary.wake(home.press_button)
    assert diary.shows_todays_quote()
    assert {(each.ending, each.codes) for each in diary.live(3)} == {("daily", 0)}
    assert diary.nothing_is_lost()
    assert authority.control.tally()["families_live"] == 1


def test_a_revoked_grant_with_somebody_there_costs_one_code(home, authority):
    diary = Diary.of_a_paired(home)
    authority.control.revoke()
    week = diary.live(7)
    assert [each.screens for each in week] == [["mfa", "quote"]] + [["quote"]] * 6
    assert authority.control.tally()["device_grants_asked"] == 2


def test_grants_that_die_every_seven_days_cost_a_code_each_and_no_more(home, authority):
    diary = Diary.of_a_paired(home)
    codes = 0
    for week in range(1, extent(3, 8)):
        authority.control.revoke(how="expire")
        codes += len(days_with_codes(diary.live(7)))
        assert codes == week
        assert diary.shows_todays_quote()
    assert {name for each in diary.entries[1:] for name in each.screens} == {"mfa", "quote"}


def test_a_display_nobody_pairs_asks_weekly_and_is_paired_by_a_press(home, authority):
    home.approves = False
    few_polls(authority)
    diary = Diary(home)
    diary.wake()
    months = diary.live(extent(14, 90))
    authority.control.lift_faults()
    assert most_in_a_day(months) <= 5
    assert len(days_with_codes(months)) <= 7 + 90 // 7
    home.approves = True
    diary.wake(home.press_button)
    assert diary.shows_todays_quote()
    assert diary.nothing_is_lost()
    assert home.clock.now_ns() - diary.entries[-1].began_ns < 300 * NS


def test_a_fleet_does_not_ask_in_the_same_second_when_the_night_is_over(make_home, authority):
    asked_s = []
    for uid in (b"first!", b"second"):
        home = make_home(uid=uid, approves=False)
        began_ns = home.clock.now_ns()
        few_polls(authority)
        diary = Diary(home)
        diary.wake()
        night_over = [each for each in diary.live(1) if each.codes][-1]
        assert night_over.day == began_ns // DAY_NS + 1
        asked_s.append((night_over.began_ns + 5 * NS) // NS % 86_400)
    assert abs(asked_s[0] - asked_s[1]) > 5
