"""Weeks in which the board itself, or what it stands beside, is not as it should be."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from host_tools.clock import NS
from host_tools.rehearsal.household import settings_toml
from tests.campaign import extent
from tests.diary import DAY_NS, Diary, gaps_h, most_in_a_day
from tests.home import FEATHER, MAGTAG
from tests.virtual_board.test_story import OWN_SECOND


def settings(home, **more):
    lines = [f'{key} = "{value}"\n' for key, value in more.items()]
    home.write_settings(settings_toml(home.account) + "".join(lines).encode())


def test_a_battery_that_runs_low_for_a_month_and_is_charged(home):
    diary = Diary.of_a_paired(home)
    quote = home.kept_quote()
    home.board.faults.set("battery:3450")
    month = diary.live(28)
    assert {each.ending for each in month} == {"low_battery"}
    assert [each.screens for each in month if each.screens] == [["error"]]
    assert min(gaps_h(month)) >= 12
    assert sum(each.requests for each in month) == 0
    assert (diary.nothing_is_lost(), home.kept_quote()) == (True, quote)
    home.board.faults.set("battery:4100")
    assert diary.is_well_within_two_wakes()
    assert {each.ending for each in diary.live(3)} == {"daily"}


def test_a_battery_about_the_limit_is_not_said_and_unsaid_each_day(home):
    diary = Diary.of_a_paired(home)
    for day in range(14):
        home.board.faults.set("battery:3490" if day % 2 else "battery:3560")
        diary.live(1)
    assert sum("error" in each.screens for each in diary.entries) == 1


@pytest.mark.parametrize("board_id", [MAGTAG, FEATHER])
def test_a_computer_attached_for_a_week(make_home, board_id):
    home = make_home(board_id=board_id)
    diary = Diary.of_a_paired(home)
    home.board.usb_attached = True
    week = diary.live(7)
    assert [(each.ending, each.screens) for each in week] == [("daily", ["quote"])] * 7
    assert home.token_held_by() == ("nvm",), "the drive is the computer's"
    assert sum(each.wake.nvm_writes for each in week) == 7
    home.board.power_off()
    diary.wake()
    assert diary.shows_todays_quote()
    home.board.usb_attached = False
    assert diary.is_well_within_two_wakes()
    diary.live(1)
    assert diary.nothing_is_lost(), "the file has caught up"
    assert home.authority.control.tally()["device_grants_asked"] == 1


@pytest.mark.parametrize("ppm", [50_000, -50_000, 2_800])
def test_a_month_by_a_sleep_clock_that_is_off(home, ppm):
    diary = Diary(home)
    home.board.faults.set(f"sleep-clock:{ppm}")
    diary.wake()
    month = diary.live(28)
    assert [(each.ending, each.screens) for each in month] == [("daily", ["quote"])] * 28
    late = [(each.began_ns // NS - 6 * 3600 - OWN_SECOND + 43200) % 86400 - 43200 for each in month]
    assert all(abs(seconds) <= 60 for seconds in late[2:]), late


@pytest.mark.parametrize("ppm", [9_000, -9_000, 2_800])
def test_a_week_without_time_servers_by_a_sleep_clock_that_is_off(home, ppm):
    home.board.faults.set(f"sleep-clock:{ppm}")
    diary = Diary.of_a_paired(home)
    home.board.faults.set("ntp-absent")
    week = diary.live(7)
    assert [(each.ending, each.screens) for each in week] == [("daily", ["quote"])] * 7
    late = [(each.began_ns // NS - 6 * 3600 - OWN_SECOND + 43200) % 86400 - 43200 for each in week]
    assert all(abs(seconds) <= 300 for seconds in late), late


@pytest.mark.parametrize("start", ["2026-03-15T12:00", "2026-10-12T12:00"])
def test_a_month_across_a_change_of_the_clock(start, make_home, clock):
    clock.sleep_ns(int(datetime.fromisoformat(start + "+00:00").timestamp()) * NS - clock.now_ns())
    home = make_home()
    settings(home, STOA_TZ="CET-1CEST,M3.5.0,M10.5.0/3", STOA_WAKE="07:00")
    diary = Diary(home)
    diary.wake()
    month = diary.live(28)
    locals_ = [datetime.fromtimestamp(each.began_ns / NS, ZoneInfo("Europe/Berlin")) for each in month]
    assert {(local.hour, local.minute) for local in locals_} == {(7, OWN_SECOND // 60)}
    assert len({local.date() for local in locals_}) == len(month) == 28
    assert len({local.utcoffset() for local in locals_}) == 2
    assert {(each.ending, tuple(each.screens)) for each in month} == {("daily", ("quote",))}


@pytest.mark.parametrize("fault", ["button-stuck:BUTTON_A", "button-floating:BUTTON_A"])
def test_a_week_with_a_button_that_will_not_let_it_sleep(home, fault):
    diary = Diary.of_a_paired(home)
    home.board.faults.set(fault)
    end_ns = home.clock.now_ns() + extent(3, 7) * DAY_NS
    while home.clock.now_ns() < end_ns:
        diary.wake()
    week = diary.entries[4:]
    assert most_in_a_day(week) <= 24
    days = {each.began_ns // DAY_NS for each in week if each.wake.woken_by == "alarm"}
    assert len(days) >= (end_ns - week[0].began_ns) // DAY_NS, "the clock still wakes it each day"
    assert {each.ending for each in week} == {"daily"}
    assert most_in_a_day(week, lambda each: each.wake.refreshes) <= 2
    home.board.faults.clear()
    assert diary.is_well_within_two_wakes()
    assert diary.nothing_is_lost()


def test_a_panel_that_comes_loose_for_a_week(home):
    diary = Diary.of_a_paired(home)
    home.board.faults.set("busy-stuck")
    week = diary.live(7)
    assert {each.ending for each in week} == {"panel"}
    assert most_in_a_day(week) <= 7
    assert sum(each.codes for each in week) == 0
    assert max(each.wake.awake_ns for each in week) < 90 * NS
    home.board.faults.clear()
    assert diary.is_well_within_two_wakes()
    assert diary.nothing_is_lost()


def test_a_time_server_that_lies_for_a_week(home):
    diary = Diary.of_a_paired(home)
    home.board.faults.set(f"ntp-wrong:{-400 * 86_400}")
    week = diary.live(7)
    assert most_in_a_day(week) <= 6
    home.board.faults.clear()
    assert diary.is_well_within_two_wakes()
    assert [each.ending for each in diary.live(3)] == ["daily"] * 3
    assert sum(each.codes for each in diary.entries[4:]) == 0
    assert diary.nothing_is_lost()
