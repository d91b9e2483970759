"""The story Stoa must get right, on both boards: pair, quote, MFA for everything, recover."""

import json

import pytest
import zxingcpp

from host_tools.boards import load_board
from host_tools.clock import NS, utc_text
from host_tools.rehearsal.demo_household import DemoHousehold
from host_tools.rehearsal.household import unpack_board
from host_tools.rehearsal.story import CHAPTERS, Story, StoryError
from host_tools.virtual_board.state import BoardState
from tests.home import FEATHER, FEATHER_V2, MAGTAG

# What this chip's identity makes of schedule.JITTER_S.
OWN_SECOND = 160


def read_qr(picture):
    """What a telephone reads off the glass, or None."""
    found = zxingcpp.read_barcodes(picture)
    return found[0].text if found else None


@pytest.mark.parametrize("board_id", [MAGTAG, FEATHER, FEATHER_V2])
def test_the_glass_asks_by_qr_and_code_and_recovers(make_home, authority, board_id):
    home = make_home(board_id=board_id)
    first = home.wake_now()
    assert home.names() == ["pairing", "quote"]
    assert home.reason() == "daily"
    pairing = home.screens[0]
    assert read_qr(pairing.picture) == pairing.shown["verification_uri_complete"]
    assert pairing.shown["verification_uri_complete"].endswith(pairing.shown["user_code"])
    assert pairing.picture.size == ((296, 128) if board_id == MAGTAG else (250, 122))
    assert {e.status for e in first.exchanges if e.path == "/oauth/token"} == {403, 200}

    authority.set_mfa("rule")
    second = home.wake()
    assert home.names() == ["mfa", "quote"]
    assert second.woken_by == "alarm"
    assert second.began_ns // NS % 86400 - 6 * 3600 in (OWN_SECOND, OWN_SECOND + 1), "its own moment"
    mfa = home.screens[0]
    assert read_qr(mfa.picture) == mfa.shown["verification_uri_complete"]
    assert mfa.shown["user_code"] != pairing.shown["user_code"]
    assert next(e.status for e in second.exchanges if e.path == "/oauth/token") == 403
    assert home.board.panel_faults == []
    assert home.screens[1].picture.tobytes() not in (mfa.picture.tobytes(), pairing.picture.tobytes())


def test_with_mfa_by_policy_the_refresh_passes_untouched(home, authority):
    home.wake_now()
    authority.set_mfa("always")
    wake = home.wake()
    assert home.names() == ["quote"]
    assert [(e.method, e.path, e.status) for e in wake.exchanges] == [
        ("POST", "/oauth/token", 200),
        ("GET", "/api/quotes/today", 200),
    ]


def test_a_rule_lifted_again_needs_nobody(home, authority):
    home.wake_now()
    authority.set_mfa("rule")
    home.approves = False
    home.wake()
    assert home.names() == ["mfa", "waiting"]
    assert home.reason() == "needs_human"
    authority.set_mfa("never")
    home.wake()
    assert home.names() == ["quote"], "mfa_required does not cost the token"


def test_unanswered_it_asks_ever_more_rarely_and_tries_the_refresh_first(home, authority):
    home.wake_now()
    authority.set_mfa("rule")
    home.approves = False
    asked = []
    for _ in range(26):
        wake = home.wake()
        assert (wake.exchanges[0].path, wake.exchanges[0].status) == ("/oauth/token", 403)
        if home.names()[:1] == ["mfa"]:
            asked.append(utc_text(wake.began_ns // NS + 60)[5:13])
        else:
            assert home.names() in ([], ["waiting"])
    # 1, 2, 4, 8 (which would fall into the night), 16, 32 ... 168 h after the last code.
    assert asked == [
        "03-03T06",
        "03-03T07",
        "03-03T09",
        "03-03T13",
        "03-04T06",
        "03-05T06",
        "03-06T14",
        "03-09T06",
        "03-14T14",
        "03-21T15",
    ]


def test_pressing_the_button_asks_now(home, authority):
    home.wake_now()
    authority.set_mfa("rule")
    home.approves = False
    last = home.wake()
    home.approves = True
    wake = home.press_button()
    assert wake.began_ns == last.ended_ns
    assert wake.woken_by == "BUTTON_A"
    assert home.names() == ["mfa", "quote"]


def test_the_panel_is_not_refreshed_when_nothing_on_it_would_change(home):
    home.wake_now()
    picture = bytes(home.board.glass.pixels)
    wake = home.press_button()
    assert wake.refreshes == 0
    assert [(e.path, e.status) for e in wake.exchanges] == [("/api/quotes/today", 304)]
    assert bytes(home.board.glass.pixels) == picture


def test_a_wake_with_a_good_access_token_does_not_refresh_it_and_one_near_its_end_does(home):
    home.wake_now()
    assert [e.path for e in home.press_button().exchanges] == ["/api/quotes/today"]
    home.clock.sleep_ns(3550 * NS)
    assert [e.path for e in home.press_button().exchanges] == ["/oauth/token", "/api/quotes/today"]


def test_the_token_survives_a_loss_of_power(home):
    home.wake_now()
    home.board.power_off()
    home.clock.sleep_ns(24 * 3600 * NS)
    wake = home.wake_now()
    assert wake.woken_by == "power on"
    assert home.names() == ["quote"]
    assert [e.path for e in wake.exchanges] == [
        "/.well-known/openid-configuration",
        "/oauth/token",
        "/api/quotes/today",
    ]


@pytest.mark.parametrize("lost", ["nvm", "file"])
def test_either_copy_of_the_token_is_enough(home, lost):
    from stoa import vault

    home.wake_now()
    if lost == "nvm":
        home.board.state.nvm[:] = b"\xff" * len(home.board.state.nvm)
    else:
        home.board.install({path.removeprefix("/"): vault.initial_file() for path in vault.PATHS})
    home.board.power_off()
    home.wake_now()
    assert home.names() == ["quote"]


def test_a_week_of_mornings_brings_a_quote_each_at_two_requests_a_day(home):
    home.wake_now()
    pictures = [bytes(home.board.glass.pixels)]
    for _ in range(7):
        wake = home.wake()
        assert home.names() == ["quote"]
        assert len(wake.exchanges) == 2
        assert wake.nvm_writes == 1, "one assignment for the rotated token, none for anything else"
        assert bytes(home.board.glass.pixels) != pictures[-1]
        pictures.append(bytes(home.board.glass.pixels))


def test_nobody_pairs_then_somebody_does(home):
    home.approves = False
    home.wake_now()
    assert home.names() == ["pairing", "waiting"]
    home.approves = True
    home.wake()
    assert home.names() == ["pairing", "quote"]


def test_the_display_pairs_and_recovers_with_a_computer_on_its_usb(make_home, authority, monkeypatch):
    home = make_home()
    home.board.usb_attached = True
    home.wake_now()
    assert home.names() == ["pairing", "quote"]
    assert "stoa vault held_by=nvm" in home.console
    authority.set_mfa("rule")
    home.wake()
    assert home.names() == ["mfa", "quote"]


class TestStory:
    def play(self, authority, clock, approves=True):
        board = load_board(MAGTAG)
        household = DemoHousehold(authority, clock, approves=approves)
        told = []
        story = Story(clock, household, lambda step, glass: told.append(step.chapter.file))
        state = BoardState.new(board)
        virtual = unpack_board(board, state, clock, household.account(), onlooker=story.onlooker)
        return told, story.play(virtual)

    def test_every_chapter_in_its_order(self, authority, clock):
        told, steps = self.play(authority, clock)
        assert told == [chapter.file for chapter in CHAPTERS]
        telling = json.loads(json.dumps([step.telling() for step in steps]))
        assert [step["screen"] for step in telling] == ["pairing", "quote", "mfa", "quote"]
        assert telling[2]["requests"][0] == {"method": "POST", "path": "/oauth/token", "status": 403}
        assert set(telling[2]) == {
            "file",
            "what",
            "virtual_time",
            "screen",
            "requests",
            "user_code",
            "verification_uri",
            "verification_uri_complete",
        }

    @pytest.mark.parametrize("hour", [0, 5, 7, 23])
    def test_it_ends_well_at_any_hour_of_the_day(self, authority, clock, hour):
        clock.sleep_ns((hour + 15) * 3600 * NS)
        _, steps = self.play(authority, clock)
        assert steps[1].png != steps[3].png, "another morning, another quote"

    def test_a_story_nobody_takes_part_in_does_not_end_well(self, authority, clock):
        with pytest.raises(StoryError, match="'the first quote' never came"):
            self.play(authority, clock, approves=False)
