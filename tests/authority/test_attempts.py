"""How often somebody may be wrong (RFC 8628 5.1)."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient

from host_tools.authority.core import users
from host_tools.clock import NS

from .conftest import ISSUER, Browser

WRONG = "BBBB-BBBB"


@pytest.fixture
def stranger(http, tenant, clock):
    """Browsers without a past, all at one address."""

    def new() -> Browser:
        return Browser(TestClient(http.app, base_url=ISSUER), tenant, clock)

    return new


def test_a_session_may_guess_five_user_codes(browser, display, clock):
    user_code = display.ask().json()["user_code"]
    for _ in range(5):
        assert browser.type_code(WRONG).status_code == 400
    refused = browser.type_code(user_code)
    assert refused.status_code == 429
    assert refused.headers["retry-after"] == "180"
    assert "Wait 3 minutes" in refused.text
    clock.sleep_ns(180 * NS)
    assert browser.type_code(user_code).status_code == 200


def test_a_new_session_does_not_give_an_address_new_guesses(stranger, display):
    for _ in range(10):
        assert stranger().type_code(WRONG).status_code == 400
    assert stranger().type_code(display.ask().json()["user_code"]).status_code == 429


def test_what_cannot_be_a_code_is_no_guess(browser, display):
    for _ in range(20):
        assert browser.type_code("WDJB").status_code == 400
    assert browser.type_code(display.ask().json()["user_code"]).status_code == 200


def test_right_codes_are_not_counted(browser, display):
    for _ in range(12):
        assert browser.type_code(display.ask().json()["user_code"]).status_code == 200


def test_looking_at_links_tries_nothing(browser, display):
    for _ in range(20):
        browser.see(f"/activate?user_code={WRONG}")
    assert browser.type_code(display.ask().json()["user_code"]).status_code == 200


def test_ten_wrong_passwords_stop_even_the_right_one_for_a_while(stranger, display, clock):
    user_code = display.ask().json()["user_code"]
    browser = stranger()
    page = browser.type_code(user_code)
    for _ in range(10):
        page = browser.send(page, username=browser.tenant.demo_user, password="wrong")
        assert page.status_code == 400
    assert browser.sign_in(page).status_code == 429
    clock.sleep_ns(360 * NS)
    assert browser.sign_in(page).status_code == 200


def test_ten_wrong_one_time_codes_stop_even_the_right_one_for_a_while(browser, authority, display, clock):
    authority.mfa.mode = "rule"
    page = browser.sign_in(browser.type_code(display.ask().json()["user_code"]))
    for _ in range(10):
        assert browser.send(page, code="000000x").status_code == 400
    assert browser.send(page, code=browser.one_time_code()).status_code == 429
    clock.sleep_ns(360 * NS)
    assert "Do not allow" in browser.send(page, code=browser.one_time_code()).text


def test_the_limit_outlives_a_new_session(stranger, authority, display):
    authority.mfa.mode = "rule"
    for _ in range(2):
        browser = stranger()
        page = browser.sign_in(browser.type_code(display.ask().json()["user_code"]))
        for _ in range(5):
            assert browser.send(page, code="000000x").status_code == 400
    assert browser.send(page, code=browser.one_time_code()).status_code == 429


def test_an_unknown_person_costs_as_much_as_a_known_one():
    """Else the time taken would tell who has an account. `cheap_passwords` is for the other tests."""
    assert not users.hasher().check_needs_rehash(users._NOBODY)
