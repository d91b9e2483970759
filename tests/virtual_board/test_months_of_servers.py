"""Weeks in which servers and networks fail: what the owner sees, what the administrator sees, and how it ends."""

import pytest

from host_tools.authority import LoseReply, RateLimit, SlowDown
from tests.campaign import extent
from tests.diary import DAY_NS, HOUR_NS, Diary, days_with_codes, gaps_h, most_in_a_day

OUTAGES = {
    "refused": "unavailable",
    "portal": "unavailable",
    "wifi-absent": "wifi",
    **extent({}, {"dns": "unavailable", "tls": "unavailable", "wifi-password": "wifi", "wifi-password:15": "wifi"}),
}


@pytest.mark.parametrize("fault", OUTAGES)
def test_a_week_without_network_or_server(home, fault):
    diary = Diary.of_a_paired(home)
    quote, refreshed = home.kept_quote(), home.authority.control.tally()["refreshes"]
    home.board.faults.set(fault)
    week = diary.live(7)
    assert {each.ending for each in week} == {OUTAGES[fault]}
    assert [each.screens for each in week if each.screens] == [["error"]], "said once"
    assert week[4].screens == ["error"], "and not within the first hour"
    assert most_in_a_day(week) <= 10
    assert most_in_a_day([each for each in week if each.began_ns > week[0].began_ns + DAY_NS]) <= 4
    assert most_in_a_day(week, lambda each: each.requests) <= 20
    assert sum(each.codes for each in week) == 0
    assert (diary.nothing_is_lost(), home.kept_quote()) == (True, quote)
    home.board.faults.clear()
    assert diary.is_well_within_two_wakes()
    assert home.authority.control.tally()["refreshes"] == refreshed + 1
    assert {each.ending for each in diary.live(3)} == {"daily"}


def test_a_week_without_a_time_server_is_a_week_of_quotes(home):
    diary = Diary.of_a_paired(home)
    home.board.faults.set("ntp-absent")
    week = diary.live(7)
    assert [(each.ending, each.screens) for each in week] == [("daily", ["quote"])] * 7
    assert all(23.9 < gap < 24.1 for gap in gaps_h(week))
    home.board.faults.clear()
    assert diary.is_well_within_two_wakes()


@pytest.mark.parametrize("fault", ["refused", "wifi-absent", "portal", "ntp-absent"])
def test_a_month_of_mornings_that_fail_at_first_and_nobody_notices(home, fault):
    diary = Diary.of_a_paired(home)
    days = extent(10, 30)
    for _ in range(days):
        home.board.faults.set(fault)
        diary.wake()
        home.board.faults.clear()
        if not diary.shows_todays_quote():
            assert diary.wake().screens == ["quote"]
        assert diary.shows_todays_quote()
    month = diary.entries[4:]
    assert {name for each in month for name in each.screens} == {"quote"}
    assert sum(each.wake.refreshes for each in month) == days
    assert all(0.08 < gap < 0.11 or 23.8 < gap < 24.1 for gap in gaps_h(month)), "five minutes later, then tomorrow"


LIMITS = {
    "in seconds": ("token", {"wait_s": 2 * 3600}),
    "as a date": ("api", {"wait_s": 2 * 3600, "retry_after": "date"}),
    "by X-RateLimit-Reset": ("token", {"wait_s": 2 * 3600, "retry_after": "none"}),
    "each minute": ("token", {"wait_s": 60}),
    "for a month": ("token", {"wait_s": 30 * 86400}),
    "at discovery": ("discovery", {"wait_s": 2 * 3600}),
}


@pytest.mark.parametrize("how", LIMITS)
def test_a_week_under_a_rate_limit(home, authority, how):
    endpoint, options = LIMITS[how]
    diary = Diary.of_a_paired(home)
    if endpoint == "discovery":
        home.board.power_off()
    fault = authority.control.set_fault(RateLimit(endpoint, **options))
    week = diary.live(7)
    asked_s = min(options["wait_s"], 86_400)
    assert {each.ending for each in week} == {"unavailable"}
    assert min(gaps_h(week)) * 3600 >= max(asked_s, 300) - 1, "it stays away for as long as it is asked to, or longer"
    assert most_in_a_day(week) <= (10 if asked_s < 7200 else 24 * 3600 // asked_s)
    # A limited answer is one request, or what led up to it and that one; the next look goes by discovery anew.
    assert most_in_a_day(week, lambda each: each.requests) <= 3 * most_in_a_day(week)
    assert sum(each.codes for each in week) == 0
    assert sum(each.wake.refreshes for each in week) == 1
    assert diary.nothing_is_lost()
    authority.control.lift_fault(fault.number)
    assert diary.is_well_within_two_wakes()
    assert week[-1].wake.ended_ns + DAY_NS * 9 // 8 >= diary.entries[-1].began_ns


def test_a_display_that_cannot_be_paired_for_a_rate_limit(home, authority):
    diary = Diary(home)
    fault = authority.control.set_fault(RateLimit("device_authorization", wait_s=3600))
    diary.wake()
    week = diary.live(7)
    # In its quiet hours it does not ask for a code that nobody would answer.
    assert {each.ending for each in week} == {"unavailable", "needs_human"}
    assert most_in_a_day(week) <= 11
    assert most_in_a_day(week, lambda each: each.requests) <= 20
    authority.control.lift_fault(fault.number)
    assert diary.is_well_within_two_wakes()
    assert diary.entries[-1].screens == ["pairing", "quote"]


def test_a_month_of_slow_down(home, authority):
    diary = Diary.of_a_paired(home)
    authority.control.set_mfa("rule")
    fault = authority.control.set_fault(SlowDown())
    month = diary.live(extent(14, 28))
    codes = [each for each in month if each.codes]
    # 5 + 10 + ... + 90 s are 855 of the 900 s that a code lives.
    assert {each.polls for each in codes} <= {18, 19}
    assert 6 <= len(codes) <= 12
    assert most_in_a_day(month) <= 6
    assert diary.nothing_is_lost()
    authority.control.lift_fault(fault.number)
    authority.control.set_mfa("never")
    assert diary.is_well_within_two_wakes(), "and nobody was needed"


def test_a_display_that_slow_down_kept_from_pairing_is_paired_by_a_press(home, authority):
    diary = Diary(home)
    fault = authority.control.set_fault(SlowDown())
    diary.wake()
    month = diary.live(extent(14, 28))
    assert sum(each.codes for each in month) <= 12
    authority.control.lift_fault(fault.number)
    diary.wake(home.press_button)
    assert diary.entries[-1].screens == ["pairing", "quote"]
    assert diary.shows_todays_quote()


@pytest.mark.parametrize(("grace_s", "moment"), [(0, "before"), (30, "before"), (30, "after")])
def test_a_month_in_which_each_mornings_first_reply_is_lost(home, authority, grace_s, moment):
    authority.control.set_refresh_leeway(authority.tenant.client_id, grace_s)
    diary = Diary.of_a_paired(home)
    for _ in range(days := extent(10, 30)):
        authority.control.set_fault(LoseReply("token", moment, times=1))
        assert diary.wake().screens == ["quote"]
        assert diary.shows_todays_quote(), "the repetition at once brings it, and nobody is any the wiser"
    tally = authority.control.tally()
    assert (tally["device_grants_asked"], tally["families_live"]) == (1, 1)
    assert tally["refreshes_within_leeway"] == (days if moment == "after" else 0)
    assert diary.nothing_is_lost()


def test_without_grace_each_lost_reply_costs_a_code_and_never_a_daily_one(home, authority):
    diary = Diary.of_a_paired(home)
    for _ in range(extent(14, 42)):
        # The server takes the repetition for a theft: not even a perfect device keeps a token here.
        authority.control.set_fault(LoseReply("token", "after", times=1))
        diary.live(1)
        authority.control.lift_faults()
    month = diary.entries[4:]
    assert authority.control.tally()["families_ended_by_reuse"] >= 2
    asked = days_with_codes(month)
    assert max(sum(day - 7 < other <= day for other in asked) for day in asked) <= 3
    diary.wake(home.press_button)
    tally = authority.control.tally()
    assert tally["device_grants_redeemed"] == 1 + tally["families_ended_by_reuse"], "a person for each token lost"
    assert diary.shows_todays_quote()
    assert diary.nothing_is_lost()


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("grace_s", [0, 30])
def test_a_week_in_which_no_reply_arrives_costs_one_pairing_at_most(home, authority, grace_s, moment):
    authority.control.set_refresh_leeway(authority.tenant.client_id, grace_s)
    diary = Diary.of_a_paired(home)
    fault = authority.control.set_fault(LoseReply("token", moment))
    week = diary.live(7)
    assert {each.ending for each in week} == {"unavailable"}
    assert sum(each.codes for each in week) == 0, "a code could not be answered either"
    # Never more than two of one refresh that may have been processed.
    assert max(each.requests for each in week) <= 3
    authority.control.lift_fault(fault.number)
    assert diary.is_well_within_two_wakes()
    assert authority.control.tally()["device_grants_asked"] == (1 if moment == "before" else 2)
    assert diary.nothing_is_lost()
    assert [each.ending for each in diary.live(3)] == ["daily"] * 3


def test_a_display_not_yet_paired_waits_an_outage_out_as_any_other_does(home):
    home.board.faults.set("refused")
    diary = Diary(home)
    diary.wake()
    week = diary.live(5)[-2 * 4 :]
    # Six hours, but for the night whose end cuts one short.
    assert min(gaps_h(week)) > 5.5
    assert not any(each.screens for each in week)


def test_codes_whose_polls_get_no_answer_are_not_a_way_to_stay_awake(home, authority):
    diary = Diary(home)
    fault = authority.control.set_fault(LoseReply("token", "before"))
    diary.wake()
    week = diary.live(extent(4, 7))
    later = [each for each in week if each.day >= week[0].day + 2]
    assert most_in_a_day(later, lambda each: each.codes) <= 2
    assert most_in_a_day(later, lambda each: each.wake.awake_ns) <= HOUR_NS
    authority.control.lift_fault(fault.number)
    diary.wake(home.press_button)
    assert diary.shows_todays_quote()
