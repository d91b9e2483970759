"""Before anything else: a wake that hung, the button that forgets, a battery that is low."""

import pytest

from host_tools.clock import NS
from tests.home import FEATHER, FEATHER_V2, MAGTAG, is_whole

HOUR_NS = 3600 * NS
# As the settings are read: before that, it is code.py and the imports that read, and no watchdog runs yet.
DRIVE_HANGS = "hang:os.getenv"


def slept_ns(home, wake):
    return home.board.state.sleeping.until_ns - wake.ended_ns


def most_in_a_day(moments):
    return max(sum(at - 24 * HOUR_NS < other <= at for other in moments) for at in moments)


def test_a_low_battery_is_shown_once_and_then_sleeps_long(home):
    home.wake_now()
    home.board.faults.set("battery:3400")
    first = home.wake()
    assert home.names() == ["error"]
    assert first.exchanges == [], "the radio would finish it"
    assert slept_ns(home, first) >= 12 * HOUR_NS
    for _ in range(3):
        wake = home.wake()
        assert (home.names(), wake.exchanges) == ([], [])
        assert slept_ns(home, wake) >= 12 * HOUR_NS
    home.board.faults.set("battery:3600")
    home.wake()
    assert home.names() == [], "not before it is charged by as much"
    home.board.faults.set("battery:3700")
    home.wake()
    assert home.names() == ["quote"]


@pytest.mark.parametrize("millivolts", [0, 2400, 3510, 4200])
def test_a_good_battery_or_none_goes_on(home, millivolts):
    home.board.faults.set(f"battery:{millivolts}")
    home.wake_now()
    assert home.names() == ["pairing", "quote"]


def hold_at_boot(home, button="BUTTON_D"):
    home.board.power_off()
    home.board.hold(button)
    home.clock.schedule(20 * NS, lambda: home.board.release(button))


def test_the_button_held_at_boot_forgets_the_pairing_on_both_media(home, authority):
    home.wake_now()
    hold_at_boot(home)
    home.approves = False
    home.wake_now()
    assert home.names() == ["pairing", "waiting"]
    assert "stoa wiped left=none" in home.console
    from stoa import vault

    assert bytes(home.board.state.nvm[: vault.NVM_SIZE]) == b"\xff" * vault.NVM_SIZE
    for path in vault.PATHS:
        assert home.drive_file(path.removeprefix("/")) == vault.initial_file()


def test_a_wipe_leaves_no_access_token_in_sleep_memory(home):
    home.wake_now()
    old = bytes(home.board.state.sleep_memory)
    assert b"access" in old
    home.board.hold("BUTTON_D")
    home.clock.schedule(20 * NS, lambda: home.board.release("BUTTON_D"))
    home.approves = False
    # A reset, not a loss of power: sleep memory would have kept it.
    home.board.state.sleeping = None
    home.board._was_reset = True
    home.wake_now()
    assert b"access" not in bytes(home.board.state.sleep_memory)


def test_a_button_on_an_input_only_pin_wakes_it_and_forgets_the_pairing(make_home):
    home = make_home(board_id=FEATHER_V2)
    home.wake_now()
    pressed = home.press_button()
    assert pressed.woken_by == "BUTTON" and "stoa wake by=button" in home.console
    assert [exchange.status for exchange in pressed.exchanges] == [304]
    hold_at_boot(home, "BUTTON")
    home.wake_now()
    assert "stoa wiped left=none" in home.console


@pytest.mark.parametrize(("seconds", "wiped"), [(20, True), (9, False)])
def test_where_the_wipe_button_is_the_boot_button_it_is_held_from_sleep(make_home, seconds, wiped):
    home = make_home(board_id=FEATHER)
    home.wake_now()
    home.board.hold("BOOT0")
    home.clock.schedule(seconds * NS, lambda: home.board.release("BOOT0"))
    home.wake()
    assert ("stoa wiped left=none" in home.console) is wiped
    assert home.names() == (["pairing", "quote"] if wiped else [])


@pytest.mark.parametrize(("board_id", "button"), [(FEATHER, "BOOT0"), (FEATHER_V2, "BUTTON"), (MAGTAG, "BUTTON_D")])
def test_a_button_that_is_stuck_costs_no_pairing(make_home, board_id, button):
    home = make_home(board_id=board_id)
    home.wake_now()
    home.board.faults.set(f"button-stuck:{button}")
    if board_id == MAGTAG:
        home.board.power_off()
    for _ in range(3):
        home.wake()
    assert not [line for line in home.console if "wiped" in line]
    home.board.faults.clear()
    assert is_whole(home)


def test_a_short_press_forgets_nothing(home):
    home.wake_now()
    home.board.power_off()
    home.board.hold("BUTTON_D")
    home.clock.schedule(4 * NS, lambda: home.board.release("BUTTON_D"))
    home.wake_now()
    assert home.names() in (["quote"], [])


def test_with_a_computer_on_the_drive_it_says_that_the_file_is_still_there(home):
    home.wake_now()
    hold_at_boot(home)
    home.board.faults.set("drive-read-only")
    home.wake_now()
    assert home.names() == ["error"]
    assert home.onlooker.last("obstacle")["title"] == "Not forgotten yet"
    assert "stoa wiped left=file" in home.console


def test_a_wake_that_hangs_ends_by_the_watchdog_and_the_next_one_sleeps(home):
    home.wake_now()
    home.board.faults.set("hang:spi.write")
    home.board.sleep()
    home.onlooker.new_wake()
    hung = home.board.wake()
    assert hung.ending == "watchdog"
    assert hung.ended_ns - hung.began_ns < 240 * NS
    after = home.wake_now()
    assert home.onlooker.last("wake")["by"] == "watchdog"
    assert after.exchanges == []
    assert slept_ns(home, after) >= 6 * HOUR_NS
    home.board.faults.clear()
    assert is_whole(home)


def test_a_wake_that_hung_in_its_refresh_tries_once_more_at_once(home, authority):
    home.wake_now()
    home.board.sleep()
    # In the midst of the refresh: whether the server has it is not known.
    home.board.faults.set("hang:net.send")
    home.onlooker.new_wake()
    assert home.board.wake().ending == "watchdog"
    home.board.faults.clear()
    wake = home.wake_now()
    assert home.onlooker.last("wake")["by"] == "watchdog"
    assert "/oauth/token" in [exchange.path for exchange in wake.exchanges]


@pytest.mark.parametrize("answered_after_s", [20, 400])
def test_a_wake_that_hung_while_a_person_answered_is_taken_up_once(home, authority, answered_after_s):
    home.wake_now()
    authority.set_mfa("rule")
    home.approves = False
    home.board.sleep()
    # As where the router was restarted in those minutes, and gives no address (circuitpython#7557).
    home.clock.schedule(300 * NS, lambda: home.board.faults.set("hang:wifi.connect"))
    home.clock.schedule((300 + answered_after_s) * NS, lambda: home.person.approve(home.screens[0].shown))
    home.screens.clear()
    home.onlooker.new_wake()
    assert home.board.wake().ending == "watchdog"
    home.board.faults.clear()
    home.onlooker.new_wake()
    home.board.wake()
    assert home.onlooker.last("wake")["by"] == "watchdog"
    assert [screen.name for screen in home.screens] == ["mfa", "quote"], "the code on the glass was the answered one"


def hang_while_the_phone_rings(home, authority):
    """In the midst of a poll, from a minute after the wake's begin on."""
    authority.set_mfa("rule")
    home.enrol_a_phone()
    home.clock.schedule(60 * NS, lambda: home.board.faults.set("hang:net.send"))


def test_a_wake_that_hung_while_a_phone_rang_is_taken_up_once_with_the_code(home, authority):
    home.wake_now()
    home.board.sleep()
    hang_while_the_phone_rings(home, authority)
    home.screens.clear()
    home.onlooker.new_wake()
    assert home.board.wake().ending == "watchdog"
    assert home.names() == ["push"]
    home.board.faults.clear()
    home.wake_now()
    assert home.onlooker.last("wake")["by"] == "watchdog"
    assert home.names() == ["mfa", "quote"]
    assert [event.kind for event in authority.control.events(1000)].count("challenge_sent") == 1


@pytest.mark.parametrize("doing", ["a refresh", "waiting for a person", "waiting for a phone"])
def test_a_wake_that_hung_and_hangs_again_is_not_taken_up_again(home, authority, doing):
    home.wake_now()
    home.board.sleep()
    if doing == "a refresh":
        home.board.faults.set("hang:net.send")
    elif doing == "waiting for a phone":
        hang_while_the_phone_rings(home, authority)
    else:
        authority.set_mfa("rule")
        home.approves = False
        home.clock.schedule(300 * NS, lambda: home.board.faults.set("hang:wifi.connect"))
    assert home.board.wake().ending == "watchdog"
    # Before it comes to what it is to take up.
    home.board.faults.set(DRIVE_HANGS)
    assert home.board.wake().ending == "watchdog"
    assert home.board.wake().ending == "deep sleep"


def test_a_drive_that_hangs_does_not_make_a_loop_without_a_sleep(home):
    home.wake_now()
    home.board.faults.set(DRIVE_HANGS)
    endings = []
    for _ in range(4):
        home.board.sleep()
        endings.append(home.board.wake().ending)
    assert endings == ["watchdog", "deep sleep", "watchdog", "deep sleep"]


def test_a_brown_out_is_slept_off_and_the_display_comes_back(home):
    home.wake_now()
    home.board.faults.set("brown-out")
    home.board.sleep()
    assert home.board.wake().ending == "brown-out"
    safe = home.wake_now()
    assert "stoa safe_mode reason=BROWNOUT" in safe.console
    assert slept_ns(home, safe) == pytest.approx(2 * HOUR_NS, abs=5 * NS)
    home.wake()
    assert home.reason() == "daily"


def test_a_board_that_browns_out_at_every_join_wakes_no_more_than_24_times_a_day(home):
    home.wake_now()
    boots = []
    for _ in range(60):
        home.board.sleep()
        home.board.faults.set("brown-out")
        boots.append(home.board.wake().began_ns)
    # Half of them into safe mode, which is asleep again within seconds.
    assert 20 < most_in_a_day(boots) <= 24


def test_a_stuck_button_does_not_wake_it_all_day(home):
    home.wake_now()
    home.board.faults.set("button-floating:BUTTON_A")
    wakes = []
    while not wakes or wakes[-1] - wakes[0] < 3 * 24 * HOUR_NS:
        wakes.append(home.wake().began_ns)
    assert most_in_a_day(wakes) <= 24
    assert home.reason() == "daily", "the clock still wakes it"
