"""When the display asks for a person, and above all when it does not."""

import itertools
import json

import pytest

from host_tools.authority import start_authority
from host_tools.clock import NS, utc_text
from host_tools.virtual_board.peripherals import station
from tests.home import Home
from tests.virtual_board.hostile import JSON, HostileServer

STALE = (401, {"WWW-Authenticate": 'Bearer error="insufficient_user_authentication", max_age="604800"'}, b"")
HOUR_NS = 3600 * NS


class BrownOut(Exception):
    """The reset that comes while the display waits for a person."""


def reset_while_waiting(home):
    """Wake, and be reset (sleep memory survives) a minute after the code is on the glass."""

    def brown_out():
        raise BrownOut

    home.board.sleep()
    home.clock.schedule(60 * NS, brown_out)
    with pytest.raises(BrownOut):
        home.wake_now()


def test_a_reset_while_it_waits_goes_on_with_the_same_code(home, authority):
    home.wake_now()
    authority.set_mfa("rule")
    home.approves = False
    reset_while_waiting(home)
    code = home.screens[-1].shown["user_code"]
    home.screens.clear()
    home.clock.schedule(30 * NS, lambda: home.person.approve(shown))
    shown = {"verification_uri": f"{authority.issuer}activate", "user_code": code}
    home.wake_now()
    assert home.names() == ["quote"], "the code is on the glass already, and is answered"


def test_a_code_from_before_a_reset_is_not_shown_months_later(home, authority):
    home.wake_now()
    authority.set_mfa("rule")
    home.approves = False
    reset_while_waiting(home)
    authority.set_mfa("never")
    home.wake_now()
    assert home.reason() == "daily"
    home.clock.sleep_ns(60 * 24 * HOUR_NS)
    authority.set_mfa("rule")
    home.approves = True
    home.wake()
    assert home.names() == ["mfa", "quote"]
    assert home.onlooker.last("defect") is None


def test_an_expired_code_from_before_a_reset_is_not_shown_at_all(home, authority):
    home.wake_now()
    authority.set_mfa("rule")
    home.approves = False
    reset_while_waiting(home)
    home.clock.sleep_ns(HOUR_NS)
    home.wake_now()
    assert home.names() == ["waiting"]
    assert home.reason() == "needs_human"


def test_an_api_that_wants_fresher_authentication_is_not_asked_for_at_every_wake(home):
    home.wake_now()
    with HostileServer(lambda heard: STALE) as server:
        home.settle(api=server.url)
        home.approves = False
        asked = []
        for _ in range(6):
            wake = home.wake()
            if "/oauth/device/code" in [exchange.path for exchange in wake.exchanges]:
                asked.append(utc_text(wake.began_ns // NS + 60)[8:13])
        assert asked == ["03T06", "03T07", "03T09", "03T13", "04T06", "05T06"]
        assert len(server.heard) == 6


def test_an_api_that_is_never_content_is_no_daily_chore_even_when_somebody_always_answers(home):
    quote = {"date": "2026-03-03", "text": "t", "author": "a", "work": "w", "locus": "1"}
    home.wake_now()
    turns = []

    def answer(heard):
        # Each token that a refresh brought is too old; the one a person brought is good.
        turns.append(heard)
        fresh = home.onlooker.last("pairing") is not None
        return (200, JSON, json.dumps(quote).encode()) if fresh else STALE

    with HostileServer(answer) as server:
        home.settle(api=server.url)
        asked = []
        for _ in range(40):
            wake = home.wake()
            if "mfa" in home.names():
                asked.append(wake.began_ns // (86400 * NS))
    assert turns
    assert len(asked) <= 8
    assert all(later - sooner >= 6 for sooner, later in itertools.pairwise(asked[2:])), asked


def test_a_person_who_answers_a_step_up_brings_the_quote(home, authority):
    home.wake_now()
    answers = [STALE]
    with HostileServer(lambda heard: answers.pop() if answers else good) as server:
        good = (
            200,
            JSON,
            json.dumps({"date": "2026-03-03", "text": "t", "author": "a", "work": "w", "locus": "1"}).encode(),
        )
        home.settle(api=server.url)
        home.wake()
    assert home.names() == ["mfa", "quote"]


def test_a_tenant_that_challenges_every_refresh_is_asked_for_ever_more_rarely_even_when_somebody_always_answers(
    home, authority
):
    home.wake_now()
    authority.set_mfa("rule")
    asked = []
    for _ in range(40):
        wake = home.wake()
        if home.names()[:1] == ["mfa"]:
            assert home.names() == ["mfa", "quote"]
            asked.append(utc_text(wake.began_ns // NS)[5:10])
    assert asked == ["03-03", "03-04", "03-09", "03-16", "03-23", "03-30", "04-06"]


@pytest.fixture
def polled(clock):
    """A display whose authority notes when it was polled: (home, moments in seconds)."""
    moments = []

    def heard(method, path, status):
        if path == "/oauth/token":
            moments.append(clock.now_ns() / NS)

    with start_authority(clock, on_request=heard) as authority:
        yield Home(authority, clock, approves=False), moments


def test_a_code_that_nobody_answers_is_polled_for_ever_more_rarely_and_with_the_radio_off(polled):
    home, moments = polled
    before = home.board.meter.mah()
    home.wake_now()
    assert home.names() == ["pairing", "waiting"]
    gaps = [later - earlier for earlier, later in itertools.pairwise(moments)]
    lasted = [moment - moments[0] for moment in moments]
    assert all(5 <= gap < 7 for gap, at in zip(gaps, lasted, strict=False) if at < 110)
    assert all(30 <= gap < 33 for gap, at in zip(gaps, lasted, strict=False) if 120 < at < 800)
    # By hand (board file, mA s): boot; the radio on for the first two minutes and the last, a request of 2.56 s each
    # 5 s; 24 polls, each with a join of 1 s; and between them 720 s of an idle chip.
    by_hand = 93 + 180 * 78 + 36 * 2.56 * 78 + 24 * (92.5 + 2.56 * 78) + 720 * 28
    assert home.board.meter.mah() - before == pytest.approx(by_hand / 3600, rel=0.03)


@pytest.mark.parametrize("join_s", [1, 2.5, 5.25, 7, 9.6])
def test_whoever_answers_at_the_last_moment_is_heard(polled, monkeypatch, join_s):
    home, _ = polled
    monkeypatch.setattr(station, "QUICK_JOIN_NS", int(join_s * NS))
    # The code lives for 900 s; the wake shows it 10 s after its begin at most.
    home.clock.schedule(885 * NS, lambda: home.person.approve(home.screens[-1].shown))
    home.wake_now()
    assert home.names() == ["pairing", "quote"]


def test_whoever_answers_late_is_heard_within_half_a_minute(polled):
    home, moments = polled
    ten_minutes = 600 * NS
    home.clock.schedule(ten_minutes, lambda: home.person.approve(home.screens[-1].shown))
    approved_s = (home.clock.now_ns() + ten_minutes) / NS
    home.wake_now()
    assert home.names() == ["pairing", "quote"]
    assert 0 <= moments[-1] - approved_s < 33


def test_a_code_nobody_can_see_is_not_polled_for(home):
    home.board.faults.set("busy-stuck")
    wake = home.wake_now()
    assert [e.path for e in wake.exchanges] == ["/.well-known/openid-configuration", "/oauth/device/code"]
    assert home.reason() == "panel"
    assert wake.ended_ns - wake.began_ns < 60 * NS


def test_a_server_that_gives_no_code_now_does_not_put_off_the_asking(home, authority):
    home.wake_now()
    authority.set_mfa("rule")
    home.approves = False
    for _ in range(3):
        home.wake()
    home.clock.sleep_ns(5 * HOUR_NS)
    issuer = home.authority.issuer
    with HostileServer(lambda heard: (503, {**JSON, "Retry-After": "900"}, b"{}")) as server:
        home.believe_endpoints(issuer + "oauth/token", server.url)
        failed = home.press_button()
    assert home.reason() == "unavailable"
    wake = home.wake()
    assert 15 <= (wake.began_ns - failed.ended_ns) / NS / 60 < 17, "as Retry-After said"
    assert home.names()[0] == "mfa", "the code is asked for at once, where discovery says it is to be had"


def test_no_refresh_token_is_a_misconfiguration_and_no_daily_chore(home):
    home.settle(scope="offline_access read:quotes")
    first = home.wake_now()
    assert home.names() == ["pairing", "quote"]
    home.board.state.nvm[:] = b"\xff" * len(home.board.state.nvm)
    from stoa import sleep_state, vault

    home.board.install({path.removeprefix("/"): vault.initial_file() for path in vault.PATHS})
    memory = home.board.state.sleep_memory
    sleep_state.save(memory, {**sleep_state.load(memory), "no_refresh_token": True})
    wake = home.wake()
    assert home.names() == ["error"]
    assert home.reason() == "misconfigured"
    assert "/oauth/device/code" not in [e.path for e in wake.exchanges]
    home.press_button()
    assert home.names() == ["pairing", "quote"]
    assert first.ended_ns < wake.began_ns


BAD_ANSWERS = {
    "a page": (200, {"Content-Type": "text/html"}, b"<html>"),
    "an error of its own": (500, JSON, b"{}"),
    "two megabytes": (200, JSON, b"[" + b"1," * 1_000_000 + b"1]"),
    "a redirect": (302, {"Location": "http://127.0.0.1:9/"}, b""),
    "nothing": None,
}


@pytest.mark.parametrize("what", BAD_ANSWERS)
def test_a_server_that_fails_while_a_person_answers_is_not_taken_for_a_silent_person(home, authority, what):
    home.approves = False
    with HostileServer(lambda heard: BAD_ANSWERS[what]) as server:
        home.wake_now()
        home.believe_endpoints(server.url, authority.issuer + "oauth/device/code")
        wake = home.press_button()
        assert home.reason() == "unavailable"
        polls = [e for e in wake.exchanges if e.path == "/"]
        assert 5 < len(polls) < 10, "the interval doubles"
    home.approves = True
    again = home.wake()
    assert home.names()[-1] == "quote"
    assert 5 <= (again.began_ns - wake.ended_ns) / NS / 60 < 6
