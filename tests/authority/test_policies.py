"""When the tenant asks for a second factor: the table of core/policies.py, row by row, as it is on the wire."""

from __future__ import annotations

from ipaddress import ip_network

import pytest
from starlette.testclient import TestClient

from host_tools.authority.core.policies import MFA_MODES
from host_tools.clock import NS

from .conftest import ISSUER, Browser, Display
from .mfa_wire import App, add_app

HOME = "192.0.2.10"
ABROAD = "203.0.113.9"
DAY_NS = 86_400 * NS
KNOWN_FOR_DAYS = 30


@pytest.fixture
def at(http):
    """The same authority, asked from another address."""

    def client(address: str) -> TestClient:
        return TestClient(http.app, base_url=ISSUER, client=(address, 50_000))

    return client


@pytest.fixture
def app(http, store, tenant):
    return add_app(http, store, tenant)


def asks_for_a_code(page) -> bool:
    """What a browser that has just sent the right password is shown."""
    assert ('autocomplete="one-time-code"' in page.text) != ("Do not allow" in page.text), page.text
    return 'autocomplete="one-time-code"' in page.text


def sign_in(browser: Browser, display: Display):
    return browser.sign_in(browser.type_code(display.ask().json()["user_code"]))


def forget_session(browser: Browser) -> None:
    """As when it is over: the cookie by which the browser is known again stays."""
    browser.http.cookies.delete("stoa_session")


def is_challenged(reply) -> bool:
    if reply.status_code == 200:
        return False
    assert (reply.status_code, reply.json()["error"]) == (403, "mfa_required"), reply.text
    return True


# Mode, strict: whether it is challenged to sign in with a new browser, with one the user is known in; to refresh from
# home, from an untrusted network; to ask with a password.
TABLE = [
    ("never", False, (False, False), (False, False), False),
    ("never", True, (False, False), (False, False), False),
    ("always", False, (True, True), (False, False), True),
    ("always", True, (True, True), (True, True), True),
    ("adaptive", False, (True, False), (False, False), True),
    ("adaptive", True, (True, False), (False, True), True),
    ("rule", False, (True, True), (True, True), True),
    ("rule", True, (True, True), (True, True), True),
]


def test_the_table_has_every_row():
    assert {(mode, strict) for mode, strict, *_ in TABLE} == {
        (mode, each) for mode in MFA_MODES for each in (False, True)
    }


@pytest.mark.parametrize(("mode", "strict", "logins", "refreshes", "password"), TABLE)
def test_what_is_challenged(
    mode, strict, logins, refreshes, password, authority, display, browser, tokens, at, tenant, app, demo, clock
):
    authority.mfa.mode, authority.mfa.strict = mode, strict
    authority.mfa.untrusted = (ip_network("203.0.113.0/24"),)
    forget_session(browser)
    new = Browser(at(HOME), tenant, clock)
    assert (asks_for_a_code(sign_in(new, display)), asks_for_a_code(sign_in(browser, display))) == logins
    heard = []
    for address in (HOME, ABROAD):
        reply = Display(at(address), tenant).refresh(tokens["refresh_token"])
        heard.append(is_challenged(reply))
        tokens = reply.json() if reply.status_code == 200 else tokens
    assert tuple(heard) == refreshes
    assert is_challenged(app.sign_in(demo)) is password


def test_adaptive_knows_a_browser_in_which_somebody_was_let_in(authority, display, browser, clock):
    authority.mfa.mode = "adaptive"
    page = sign_in(browser, display)
    assert asks_for_a_code(page)
    browser.send(browser.send(page, code=browser.one_time_code()), decision="allow")
    forget_session(browser)
    clock.sleep_ns((KNOWN_FOR_DAYS * DAY_NS) - NS)
    assert not asks_for_a_code(sign_in(browser, display))


def test_adaptive_forgets_a_browser_after_thirty_days(authority, display, browser, clock):
    assert "Connected" in browser.decide(display.ask().json()["user_code"]).text
    authority.mfa.mode = "adaptive"
    forget_session(browser)
    clock.sleep_ns(KNOWN_FOR_DAYS * DAY_NS)
    assert asks_for_a_code(sign_in(browser, display))


def test_adaptive_does_not_know_a_browser_in_which_nothing_was_allowed(authority, display, browser):
    authority.mfa.mode = "adaptive"
    page = sign_in(browser, display)
    browser.send(browser.send(page, code=browser.one_time_code()), decision="deny")
    forget_session(browser)
    assert asks_for_a_code(sign_in(browser, display))


def test_adaptive_trusts_no_network_that_it_was_told_not_to(authority, display, at, tenant, clock):
    authority.mfa.untrusted = (ip_network("203.0.113.0/24"), ip_network("2001:db8::/32"))
    for address, trusted in ((HOME, True), (ABROAD, False), ("2001:db8::7", False), ("2001:db9::7", True)):
        authority.mfa.mode = "never"
        browser = Browser(at(address), tenant, clock)
        assert "Connected" in browser.decide(display.ask().json()["user_code"]).text
        forget_session(browser)
        authority.mfa.mode = "adaptive"
        assert asks_for_a_code(sign_in(browser, display)) is not trusted, address


@pytest.mark.parametrize(("confidence", "challenged"), [("high", False), ("low", True)])
def test_a_confidence_that_was_set_is_what_adaptive_finds(
    authority, display, browser, at, tenant, tokens, app, demo, clock, confidence, challenged
):
    authority.mfa.mode, authority.mfa.strict, authority.mfa.confidence = "adaptive", True, confidence
    authority.mfa.untrusted = (ip_network("203.0.113.0/24"),)
    forget_session(browser)
    abroad = at(ABROAD)
    assert asks_for_a_code(sign_in(Browser(abroad, tenant, clock), display)) is challenged
    assert asks_for_a_code(sign_in(browser, display)) is challenged
    assert is_challenged(Display(abroad, tenant).refresh(tokens["refresh_token"])) is challenged
    assert is_challenged(app.sign_in(demo)) is challenged


def test_adaptive_asks_once_in_a_session(authority, display, browser):
    authority.mfa.mode, authority.mfa.confidence = "adaptive", "low"
    page = sign_in(browser, display)
    browser.send(browser.send(page, code=browser.one_time_code()), decision="allow")
    assert not asks_for_a_code(browser.type_code(display.ask().json()["user_code"]))


def test_by_rule_no_browser_is_remembered(authority, display, browser, clock):
    authority.mfa.mode = "rule"
    for _ in range(3):
        page = browser.type_code(display.ask().json()["user_code"])
        if 'name="password"' in page.text:
            page = browser.sign_in(page)
        assert asks_for_a_code(page)
        assert "Connected" in browser.send(browser.send(page, code=browser.one_time_code()), decision="allow").text
        clock.sleep_ns(30 * NS)


def test_a_turn_of_the_switch_holds_from_the_next_request(authority, display, tokens, http, tenant):
    device = App(http, tenant.client_id, secret=None)
    refresh_token = tokens["refresh_token"]
    authority.mfa.mode, authority.mfa.strict = "always", True
    assert is_challenged(device.refresh(refresh_token))
    authority.mfa.strict = False
    assert not is_challenged(device.refresh(refresh_token))
