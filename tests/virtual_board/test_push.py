"""A display that asks its person's phone first: on the glass, over the air, and at the authority."""

import itertools

import pytest

from host_tools.clock import NS
from tests.home import FEATHER, MAGTAG
from tests.virtual_board.hostile import JSON, HostileServer
from tests.virtual_board.test_asking import reset_while_waiting

TOKEN, LIST, CHALLENGE, CODE = "/oauth/token", "/mfa/authenticators", "/mfa/challenge", "/oauth/device/code"


@pytest.fixture
def paired(make_home, authority):
    """make(...) is a paired home whose person has a phone, on the morning after MFA came for everything."""

    def make(on_the_phone=None, **options):
        home = make_home(**options)
        home.wake_now()
        home.board.sleep()
        home.enrol_a_phone()
        home.on_the_phone = on_the_phone
        authority.set_mfa("rule")
        return home

    return make


def paths(wake):
    return [exchange.path for exchange in wake.exchanges]


def happened(authority, kind):
    return [event for event in authority.control.events(1000) if event.kind == kind]


@pytest.mark.parametrize("board_id", [MAGTAG, FEATHER])
def test_a_yes_on_the_phone_brings_the_next_quote_and_no_code(paired, authority, board_id):
    home = paired(on_the_phone=True, board_id=board_id)
    wake = home.wake_now()
    assert home.names() == ["push", "quote"]
    assert home.reason() == "daily"
    assert paths(wake)[:3] == [TOKEN, LIST, CHALLENGE] and CODE not in paths(wake)
    assert set(paths(wake)[3:-1]) == {TOKEN}
    assert [exchange.status for exchange in wake.exchanges if exchange.path == TOKEN][-1] == 200
    assert authority.control.examine(home.token()).standing == "newest"
    assert home.token_held_by() == ("file", "nvm")
    assert home.board.panel_faults == []
    assert wake.refreshes == 2


@pytest.mark.parametrize("board_id", [MAGTAG, FEATHER])
def test_a_no_on_the_phone_leads_to_the_code(paired, authority, board_id):
    home = paired(on_the_phone=False, board_id=board_id)
    wake = home.wake_now()
    assert home.names() == ["push", "mfa", "quote"]
    assert "stoa push detail=invalid_grant outcome=denied" in wake.console
    assert paths(wake).count(CHALLENGE) == 1
    assert authority.control.examine(home.token()).standing == "newest"


def test_a_phone_nobody_looks_at_is_waited_for_two_minutes_at_little_cost(paired, authority):
    home = paired(on_the_phone=None)
    home.approves = False
    before = home.board.meter.mah()
    wake = home.wake_now()
    assert home.names() == ["push", "mfa", "waiting"]
    with_push, lasted = home.board.meter.mah() - before, wake.awake_ns
    assert authority.control.tally()["device_grants_asked"] == 2, "the pairing's, and this one"
    home.settle()
    home.write_settings(home.drive_file("settings.toml") + b'STOA_PUSH = "off"\n')
    before = home.board.meter.mah()
    alone = home.press_button()
    assert home.names() == ["mfa", "waiting"]
    assert LIST not in paths(alone)
    assert 115 < (lasted - alone.awake_ns) / NS < 130
    # What firmware/stoa/auth/push.py says of LIFETIME_S.
    assert with_push - (home.board.meter.mah() - before) == pytest.approx(4, rel=0.05)


def test_nobody_is_sent_a_text_message(make_home, authority):
    home = make_home()
    home.wake_now()
    home.board.sleep()
    authority.control.enrol(authority.tenant.demo_user, "sms", "+15550100")
    authority.set_mfa("rule")
    wake = home.wake_now()
    assert home.names() == ["mfa", "quote"]
    assert paths(wake).count(LIST) == 1 and CHALLENGE not in paths(wake)
    assert authority.control.messages() == []


def test_a_wrong_switch_is_named_with_its_fix(home):
    home.write_settings(home.drive_file("settings.toml") + b'STOA_PUSH = "yes"\n')
    wake = home.wake_now()
    assert home.names() == ["setting"]
    assert "STOA_PUSH" in " ".join(wake.console) and wake.exchanges == []


def test_a_yes_whose_reply_is_lost_is_asked_for_again_by_the_code_and_ends_no_family(paired, authority):
    home = paired(on_the_phone=True)
    answer = authority.control.answer_push

    def answer_and_lose(*arguments):
        home.board.faults.set("lost-reply:1")
        return answer(*arguments)

    authority.control.answer_push = answer_and_lose
    home.wake_now()
    assert home.names() == ["push", "mfa", "quote"]
    # What was said yes to is spent, and says so as what was refused or has expired.
    assert (home.onlooker.last("push") or {})["outcome"] in ("denied", "expired")
    tally = authority.control.tally()
    assert tally["refreshes_challenged"] == 1, "the old token, which was rotated away, is not presented"
    assert tally["families_ended_by_reuse"] == 0
    assert authority.control.examine(home.token()).standing == "newest"


def test_a_reset_while_the_phone_rings_does_not_make_it_ring_again(paired, authority):
    home = paired(on_the_phone=None)
    reset_while_waiting(home)
    assert home.names() == ["push"]
    home.screens.clear()
    wake = home.wake_now()
    assert home.names() == ["mfa", "quote"]
    assert paths(wake)[0] == TOKEN, "the refresh comes first, as ever"
    assert LIST not in paths(wake) and CHALLENGE not in paths(wake)
    assert len(happened(authority, "challenge_sent")) == 1


def test_after_a_power_cut_it_begins_with_the_refresh(paired, authority):
    home = paired(on_the_phone=None)
    reset_while_waiting(home)
    home.board.power_off()
    home.on_the_phone = True
    wake = home.wake_now()
    assert wake.woken_by == "power on"
    assert paths(wake)[1] == TOKEN
    assert home.names() == ["push", "quote"], "plugged in, it asks whom is there"
    assert authority.control.examine(home.token()).standing == "newest"


def test_a_rule_lifted_while_the_phone_rang_needs_nobody(paired, authority):
    home = paired(on_the_phone=None)
    reset_while_waiting(home)
    authority.set_mfa("never")
    home.wake_now()
    assert home.names() == ["quote"]
    authority.set_mfa("rule")
    home.on_the_phone = True
    home.wake()
    assert home.names() == ["push", "quote"]


def test_a_tenant_that_challenges_every_refresh_makes_the_phone_ring_ever_more_rarely(paired):
    home = paired(on_the_phone=True)
    asked = []
    for _ in range(25):
        wake = home.wake()
        if "push" in home.names():
            assert home.names() == ["push", "quote"]
            asked.append(wake.began_ns // (86400 * NS))
    gaps = [later - sooner for sooner, later in itertools.pairwise(asked)]
    assert gaps[:2] == sorted(gaps[:2]) and set(gaps[2:]) == {7}, asked


def test_unanswered_it_is_asked_as_rarely_as_by_codes_alone(paired, authority):
    home = paired(on_the_phone=None)
    home.approves = False
    hours = []
    for _ in range(7):
        wake = home.wake_now() if not hours else home.wake()
        if home.names()[:1] == ["push"]:
            assert home.names() == ["push", "mfa", "waiting"]
            hours.append(wake.began_ns // (3600 * NS))
    # An hour from the code's end, then two, four; eight hours on it is night, and then it is 16 h.
    assert [later - sooner for sooner, later in itertools.pairwise(hours)] == [1, 2, 4, 17, 24]
    assert len(happened(authority, "challenge_sent")) == len(hours)


def test_the_watchdog_is_fed_before_each_request(paired):
    wake = paired(on_the_phone=False).wake_now()
    operations = [operation for operation, _ in wake.supply.calls]
    connects = [at for at, operation in enumerate(operations) if operation == "net.connect"]
    assert len(connects) > 6
    for before, connect in itertools.pairwise([0, *connects]):
        assert "watchdog.feed" in operations[before:connect]


@pytest.mark.parametrize(
    ("status", "headers", "body"),
    [
        (200, {"Content-Type": "text/html"}, b"<html>"),
        (302, {"Location": "http://127.0.0.1:9/"}, b""),
        (401, JSON, b'{"error": "invalid_token"}'),
        (200, JSON, b"[" + b"1," * 1_000_000 + b"1]"),
        (200, JSON, b'[{"id": "push|dev_1", "authenticator_type": "oob", "oob_channel": "auth0", "active": true}'),
        (200, JSON, b"{}"),
    ],
)
def test_an_mfa_api_that_fails_leads_to_the_code_with_the_token_kept(paired, authority, status, headers, body):
    home = paired()
    token = home.token()
    home.approves = False
    with HostileServer(lambda heard: (status, headers, body)) as server:
        home.believe_endpoints(
            authority.issuer + "oauth/token", authority.issuer + "oauth/device/code", server.url + "/"
        )
        home.wake_now()
        assert [heard.path for heard in server.heard] == ["/authenticators"]
        assert server.heard[0].headers["authorization"].startswith("Bearer Fe26.2*")
        assert server.heard[0].body == b""
    assert home.names() == ["mfa", "waiting"]
    assert home.token() == token
