import pytest
from freezegun import freeze_time

from host_tools.clock import NS, RealClock, SkipSleepClock, VirtualClock, now_s


def test_virtual_time_moves_only_by_sleeping():
    clock = VirtualClock(5 * NS)
    assert clock.now_ns() == 5 * NS
    clock.sleep_ns(2 * NS)
    clock.skip_ns(3 * NS)
    clock.sleep_ns(-7)
    assert now_s(clock) == 10


def test_scheduled_actions_happen_at_their_time_within_a_sleep_in_order():
    clock = VirtualClock(0)
    seen = []
    clock.schedule(3 * NS, lambda: seen.append(("later", clock.now_ns())))
    clock.schedule(1 * NS, lambda: seen.append(("sooner", clock.now_ns())))
    clock.schedule(1 * NS, lambda: clock.schedule(1 * NS, lambda: seen.append(("chained", clock.now_ns()))))
    clock.sleep_ns(NS // 2)
    assert seen == []
    clock.sleep_ns(5 * NS)
    assert seen == [("sooner", 1 * NS), ("chained", 2 * NS), ("later", 3 * NS)]
    assert clock.now_ns() == 5 * NS + NS // 2


def test_what_an_action_raises_comes_out_of_the_sleep():
    clock = VirtualClock(0)
    clock.schedule(1, lambda: 1 // 0)
    with pytest.raises(ZeroDivisionError):
        clock.sleep_ns(2)


def test_skip_sleep_jumps_over_deep_sleep_alone():
    with freeze_time("2026-03-02 09:00:00"):
        clock, real = SkipSleepClock(), RealClock()
        clock.skip_ns(86400 * NS)
        assert clock.now_ns() == real.now_ns() + 86400 * NS
        clock.skip_ns(-5)
        assert clock.now_ns() == real.now_ns() + 86400 * NS
