"""What the glass does not say: a failure that passes by itself, and nothing over a code that can still be answered."""

import pytest

from host_tools.clock import NS
from tests.home import is_whole

TRANSIENT = {"dns": "unavailable", "refused": "unavailable", "wifi-absent": "wifi", "stall": "unavailable"}


@pytest.mark.parametrize("fault", sorted(TRANSIENT))
def test_a_failure_is_kept_quiet_for_an_hour_and_said_then(home, fault):
    home.wake_now()
    home.board.faults.set(fault)
    began = None
    for failures in range(1, 5):
        wake = home.wake()
        began = began or wake.began_ns
        assert home.names() == [], f"yesterday's quote stays at failure {failures}"
        assert wake.refreshes == 0
        assert home.reason() == TRANSIENT[fault]
    wake = home.wake()
    assert home.names() == ["error"]
    assert 3600 * NS < wake.began_ns - began < 2 * 3600 * NS
    home.board.faults.clear()
    assert is_whole(home)


def test_who_presses_the_button_is_told_at_once(home):
    home.wake_now()
    home.board.faults.set("refused")
    home.press_button()
    assert home.names() == ["error"]


@pytest.mark.parametrize("fault", ["wifi-absent", "dns"])
def test_when_power_returns_before_the_router_the_quote_stays(home, fault):
    home.wake_now()
    home.board.power_off()
    home.board.faults.set(fault)
    home.wake_now()
    assert home.names() == []
    home.board.faults.clear()
    assert is_whole(home)


def test_a_blip_while_it_waits_for_a_person_is_not_said_either(home, authority):
    home.wake_now()
    authority.set_mfa("rule")
    home.approves = False
    home.wake()
    assert home.names() == ["mfa", "waiting"]
    home.board.faults.set("wifi-absent")
    home.wake()
    assert home.names() == []


def test_a_first_display_says_what_is_wrong_at_once(home):
    home.board.faults.set("wifi-absent")
    home.wake_now()
    assert home.names() == ["error"]


def test_a_failure_that_ends_within_the_hour_was_never_seen(home):
    home.wake_now()
    home.board.faults.set("dns")
    home.wake()
    home.wake()
    home.board.faults.clear()
    home.wake()
    assert home.names() == ["quote"]
    assert home.reason() == "daily"


@pytest.mark.parametrize("fault", ["wifi-absent", "dns", "refused"])
def test_no_error_is_drawn_over_a_code_that_can_still_be_answered(home, authority, fault):
    class Reset(Exception):
        pass

    def reset():
        raise Reset

    home.wake_now()
    authority.set_mfa("rule")
    home.approves = False
    home.board.sleep()
    home.clock.schedule(60 * NS, reset)
    with pytest.raises(Reset):
        home.wake_now()
    shown = home.screens[-1].shown
    picture = bytes(home.board.glass.pixels)
    home.board.faults.set(fault)
    home.wake_now()
    assert home.names() == []
    assert bytes(home.board.glass.pixels) == picture
    home.board.faults.clear()
    home.clock.schedule(30 * NS, lambda: home.person.approve(shown))
    home.wake()
    assert home.names() == ["quote"], "the code on the glass was answered"


def test_after_the_code_has_expired_the_error_is_drawn(home, authority):
    home.wake_now()
    authority.set_mfa("rule")
    home.approves = False
    home.clock.schedule(21 * 3600 * NS + 500 * NS, lambda: home.board.faults.set("refused"))
    wake = home.wake()
    assert home.names() == ["mfa", "error"], "the code is no good any more, and must not stay"
    assert wake.ended_ns - wake.began_ns > 900 * NS


def test_a_wrong_password_is_told_from_an_absent_network(home):
    seen = {}
    for fault in ("wifi-absent", "wifi-password"):
        home.board.faults.clear()
        home.board.faults.set(fault)
        home.board.power_off()
        home.wake_now()
        seen[fault] = home.onlooker.last("obstacle")
    assert seen["wifi-absent"]["title"] == "No Wi-Fi"
    assert seen["wifi-password"]["title"] == "The Wi-Fi refuses the password"
    assert {fields["cause"] for fields in seen.values()} == {"wifi"}
