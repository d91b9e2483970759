"""The switch of seeds/000: off, everything by rule, or by policy."""

from __future__ import annotations

import jwt
import pytest

from host_tools.clock import NS

MONTH_NS = 30 * 86_400 * NS


def asks_for_one_time_code(page) -> bool:
    return 'autocomplete="one-time-code"' in page.text


def amr(granted) -> list[str]:
    return jwt.decode(granted["access_token"], options={"verify_signature": False})["amr"]


def test_by_rule_a_refresh_is_challenged_as_the_seed_saw(display, authority, tokens):
    authority.mfa.mode = "rule"
    reply = display.refresh(tokens["refresh_token"])
    assert reply.status_code == 403
    assert reply.headers["cache-control"] == "no-store"
    body = reply.json()
    assert body.keys() == {"error", "error_description", "mfa_token"}
    assert (body["error"], body["error_description"]) == ("mfa_required", "Multifactor authentication required")
    assert body["mfa_token"].startswith("Fe26.2*")
    assert display.refresh(tokens["refresh_token"]).json()["mfa_token"] != body["mfa_token"]


def test_a_challenge_does_not_use_up_the_token(display, authority, tokens, clock):
    authority.mfa.mode = "rule"
    for _ in range(5):
        assert display.refresh(tokens["refresh_token"]).json()["error"] == "mfa_required"
        clock.sleep_ns(86_400 * NS)
    authority.mfa.mode = "never"
    assert display.refresh(tokens["refresh_token"]).status_code == 200


def test_an_invalid_token_is_invalid_before_it_is_challenged(display, authority, tokens):
    display.refresh(tokens["refresh_token"])
    authority.mfa.mode = "rule"
    assert display.refresh("never-issued").json()["error"] == "invalid_grant"
    assert display.refresh(tokens["refresh_token"]).json()["error"] == "invalid_grant"


def test_by_policy_the_login_is_challenged_and_the_refresh_is_not(display, browser, authority):
    authority.mfa.mode = "always"
    begun = display.ask().json()
    page = browser.sign_in(browser.type_code(begun["user_code"]))
    assert asks_for_one_time_code(page)
    browser.send(browser.send(page, code=browser.one_time_code()), decision="allow")
    granted = display.poll(begun["device_code"]).json()
    assert amr(granted) == ["pwd", "otp", "mfa"]
    assert display.refresh(granted["refresh_token"]).status_code == 200


def test_off_nobody_is_asked_for_a_code(display, browser):
    page = browser.sign_in(browser.type_code(display.ask().json()["user_code"]))
    assert "Allow" in page.text
    assert not asks_for_one_time_code(page)


@pytest.mark.parametrize(("mode", "asked_again"), [("rule", True), ("always", False)])
def test_a_second_device_in_the_same_browser(display, browser, authority, clock, mode, asked_again):
    authority.mfa.mode = mode
    assert "Connected" in browser.decide(display.ask().json()["user_code"]).text
    clock.sleep_ns(60 * NS)
    assert asks_for_one_time_code(browser.type_code(display.ask().json()["user_code"])) is asked_again


@pytest.mark.parametrize("mode", ["rule", "always"])
def test_within_one_activation_the_code_is_asked_once(display, browser, authority, mode):
    authority.mfa.mode = mode
    page = browser.sign_in(browser.type_code(display.ask().json()["user_code"]))
    page = browser.send(page, code=browser.one_time_code())
    assert "Do not allow" in page.text
    assert "Do not allow" in browser.see("/consent").text


def test_the_switch_holds_between_login_and_consent(display, browser, authority):
    begun = display.ask().json()
    consent = browser.sign_in(browser.type_code(begun["user_code"]))
    authority.mfa.mode = "rule"
    assert asks_for_one_time_code(browser.send(consent, decision="allow"))
    assert display.poll(begun["device_code"]).json()["error"] == "authorization_pending"


def test_a_one_time_code_is_accepted_once(display, browser, authority, clock):
    authority.mfa.mode = "rule"
    code = browser.one_time_code()
    page = browser.sign_in(browser.type_code(display.ask().json()["user_code"]))
    assert "Do not allow" in browser.send(page, code=code).text
    page = browser.type_code(display.ask().json()["user_code"])
    replayed = browser.send(page, code=code)
    assert replayed.status_code == 400
    assert "was used before" in replayed.text
    clock.sleep_ns(30 * NS)
    assert "Do not allow" in browser.send(replayed, code=browser.one_time_code()).text


@pytest.mark.parametrize(("ahead_s", "accepted"), [(-60, False), (-30, True), (0, True), (30, True), (60, False)])
def test_a_code_is_good_for_one_step_of_drift(display, browser, authority, ahead_s, accepted):
    authority.mfa.mode = "rule"
    page = browser.sign_in(browser.type_code(display.ask().json()["user_code"]))
    assert ("Do not allow" in browser.send(page, code=browser.one_time_code(ahead_s)).text) is accepted


@pytest.mark.parametrize("code", ["", "000 00", "abcdef", "٠١٢٣٤٥", "1" * 5000])
def test_what_is_no_code_is_refused(display, browser, authority, code):
    authority.mfa.mode = "rule"
    page = browser.sign_in(browser.type_code(display.ask().json()["user_code"]))
    assert browser.send(page, code=code).status_code == 400


def test_a_code_with_a_gap_as_apps_show_it_is_accepted(display, browser, authority):
    authority.mfa.mode = "rule"
    page = browser.sign_in(browser.type_code(display.ask().json()["user_code"]))
    code = browser.one_time_code()
    assert "Do not allow" in browser.send(page, code=f"{code[:3]} {code[3:]}").text
