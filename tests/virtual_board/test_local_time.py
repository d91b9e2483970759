"""The owner's minute: through a change of the clock, and by a sleep clock that is off."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from host_tools.clock import NS
from host_tools.rehearsal.household import settings_toml
from tests.virtual_board.test_story import OWN_SECOND

BERLIN = ZoneInfo("Europe/Berlin")


def settings(home, **more):
    lines = [f'{key} = "{value}"\n' for key, value in more.items()]
    home.write_settings(settings_toml(home.account) + "".join(lines).encode())


@pytest.mark.parametrize("start", ["2026-03-27T12:00", "2026-10-23T12:00"])
def test_the_clock_changes_and_the_quote_comes_at_seven_all_the_same(start, make_home, authority, clock):
    clock.sleep_ns(int(datetime.fromisoformat(start + "+00:00").timestamp()) * NS - clock.now_ns())
    home = make_home()
    settings(home, STOA_TZ="CET-1CEST,M3.5.0,M10.5.0/3", STOA_WAKE="07:00")
    home.wake_now()
    for _ in range(4):
        wake = home.wake()
        assert home.reason() == "daily"
        local = datetime.fromtimestamp(wake.began_ns / NS, BERLIN)
        assert (local.hour, local.minute) == (7, OWN_SECOND // 60)


@pytest.mark.parametrize("ppm", [50_000, 2_800, -2_800, -50_000])
def test_a_sleep_clock_that_is_off_is_learned_in_a_day(home, ppm):
    home.board.faults.set(f"sleep-clock:{ppm}")
    home.wake_now()
    off = []
    for _ in range(7):
        wake = home.wake()
        assert home.reason() == "daily"
        off.append((wake.began_ns // NS - 6 * 3600 - OWN_SECOND + 43200) % 86400 - 43200)
    # The first sleep knows nothing yet: minutes off, an hour at the worst of the specification.
    assert abs(off[0]) > 100
    assert all(abs(seconds) <= 60 for seconds in off[2:]), off


def test_each_morning_is_awaited_once_however_wrong_the_clock(home):
    home.board.faults.set("sleep-clock:50000")
    home.wake_now()
    days = [home.wake().began_ns // (86400 * NS) for _ in range(10)]
    assert days == list(range(days[0], days[0] + 10))


def test_a_time_server_that_lies_for_a_day_costs_a_day(home):
    home.wake_now()
    home.board.faults.set(f"ntp-wrong:{5 * 365 * 86400}")
    for _ in range(3):
        home.wake()
    home.board.faults.clear()
    for _ in range(3):
        wake = home.wake()
    assert home.reason() == "daily"
    assert wake.began_ns // NS % 86400 - 6 * 3600 - OWN_SECOND in (0, 1)


def test_without_a_time_server_the_old_time_will_do(home):
    home.wake_now()
    home.board.faults.set("ntp-absent")
    home.wake()
    assert home.reason() == "daily"


def test_without_any_time_nothing_is_fetched(home):
    home.board.faults.set("ntp-absent")
    wake = home.wake_now()
    assert home.reason() == "clock"
    assert wake.exchanges == []
    home.board.faults.clear()
    home.wake()
    assert home.reason() == "daily"


def test_the_next_join_is_by_bssid_and_channel_and_falls_back(home):
    home.wake_now()
    quick = home.wake()
    from stoa import sleep_state

    memory = home.board.state.sleep_memory
    known = sleep_state.load(memory)
    assert known["ap"] == [home.board.access_point.bssid.hex(), home.board.access_point.channel]
    sleep_state.save(memory, {**known, "ap": ["02aaaaaaaaaa", 11]})
    slow = home.wake()
    assert home.reason() == "daily"
    assert slow.ended_ns - slow.began_ns > quick.ended_ns - quick.began_ns
    assert sleep_state.load(memory)["ap"] == known["ap"]
