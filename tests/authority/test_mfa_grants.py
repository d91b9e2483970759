"""The MFA grants: a second factor for a request that was held, by one-time code or by message."""

from __future__ import annotations

import re
import threading

import pytest

from host_tools.authority.core.mfa_errors import InvalidOtp, MalformedOobCode, SpentMfaToken
from host_tools.authority.core.token_endpoint import Credentials
from host_tools.clock import NS

from .mfa_wire import PHONE, SECRET, add_app, claims_of, code_of, give, refused, text_of, wrong
from .test_device_grant import at_once

WRONG_CODE = (403, "invalid_grant", "Invalid otp_code.")
WRONG_BINDING_CODE = (403, "invalid_grant", "Invalid binding_code.")
SPENT = (403, "expired_token", "mfa_token is invalid")
LIMITED = (429, "too_many_attempts")


def test_a_right_code_brings_the_tokens_that_were_asked_for(app, demo, code, clock):
    mfa_token = app.mfa_token(demo)
    clock.sleep_ns(60 * NS)
    granted = app.otp(mfa_token, code())
    assert granted.status_code == 200
    assert granted.headers["cache-control"] == "no-store"
    body = granted.json()
    assert body.keys() == {"access_token", "refresh_token", "scope", "expires_in", "token_type"}
    claims = claims_of(body["access_token"])
    assert (claims["amr"], claims["auth_time"]) == (["pwd", "otp", "mfa"], clock.now_ns() // NS)
    assert refused(app.otp(mfa_token, code(30))) == SPENT


def test_a_wrong_code_costs_nothing_but_a_try(app, demo, code):
    mfa_token = app.mfa_token(demo)
    for odd in (wrong(code()), "x", "12345", "1" * 5000, "٠١٢٣٤٥", "\x00", "' OR 1=1 --"):
        assert refused(app.otp(mfa_token, odd)) == WRONG_CODE
    spaced = f" {code()[:3]} {code()[3:]} "
    assert app.otp(mfa_token, spaced).status_code == 200


def test_a_missing_code_is_named(app, demo):
    assert refused(app.otp(app.mfa_token(demo), "")) == (400, "invalid_request", "Missing required parameter: otp")
    assert refused(app.otp("", "1"))[2] == "Missing required parameter: mfa_token"


@pytest.mark.parametrize(("ahead_s", "accepted"), [(-60, False), (-30, True), (0, True), (30, True), (60, False)])
def test_a_code_is_good_for_one_step_of_drift(app, demo, code, ahead_s, accepted):
    assert (app.otp(app.mfa_token(demo), code(ahead_s)).status_code == 200) is accepted


def test_a_code_is_good_once_whatever_it_is_given_for(app, demo, code, display, browser, clock):
    assert app.otp(app.mfa_token(demo), code()).status_code == 200
    assert refused(app.otp(app.mfa_token(demo), code())) == WRONG_CODE
    page = browser.sign_in(browser.type_code(display.ask().json()["user_code"]))
    assert browser.send(page, code=code()).status_code == 400
    clock.sleep_ns(30 * NS)
    assert "Do not allow" in browser.send(page, code=code()).text
    assert refused(app.otp(app.mfa_token(demo), code())) == WRONG_CODE  # what the page took, the API does not
    assert refused(app.otp(app.mfa_token(demo), code(-30))) == WRONG_CODE  # nor what came before it


NO_OTP = (400, "unsupported_challenge_type", "user is not enrolled with Google authenticator. Please enroll first.")


def test_who_has_nothing_that_shows_codes_is_told_so_and_it_is_no_try(app, zeno, authority, clock):
    nothing = app.mfa_token(zeno)
    give(authority, zeno, "sms", PHONE)
    mfa_token = app.mfa_token(zeno)
    for _ in range(12):
        assert refused(app.otp(nothing, "000000")) == NO_OTP
        assert refused(app.otp(mfa_token, "000000")) == NO_OTP
    codes = give(authority, zeno, "otp")
    assert refused(app.otp(mfa_token, "000000x")) == WRONG_CODE
    assert app.otp(mfa_token, code_of(codes.secret, clock)).status_code == 200


def test_ten_wrong_codes_stop_even_the_right_one_for_a_while(app, demo, code, clock):
    mfa_token = app.mfa_token(demo)
    for _ in range(10):
        assert refused(app.otp(mfa_token, "000000x")) == WRONG_CODE
    limited = app.otp(mfa_token, code())
    assert refused(limited)[:2] == LIMITED
    assert limited.headers["retry-after"] == "360"
    assert refused(app.otp(app.mfa_token(demo), code()))[:2] == LIMITED  # whichever the mfa_token
    clock.sleep_ns(360 * NS)
    assert app.otp(mfa_token, code()).status_code == 200


def test_the_pages_and_the_api_share_the_tries(app, demo, display, browser):
    page = browser.sign_in(browser.type_code(display.ask().json()["user_code"]))
    for _ in range(5):
        assert browser.send(page, code="000000x").status_code == 400
    mfa_token = app.mfa_token(demo)
    for _ in range(5):
        assert refused(app.otp(mfa_token, "000000x")) == WRONG_CODE
    assert browser.send(page, code=browser.one_time_code()).status_code == 429
    assert refused(app.otp(mfa_token, browser.one_time_code()))[:2] == LIMITED


def test_right_codes_are_not_counted(app, demo, code, clock):
    for _ in range(12):
        assert app.otp(app.mfa_token(demo), code()).status_code == 200
        clock.sleep_ns(30 * NS)


def test_an_mfa_token_lives_ten_minutes(app, demo, code, clock):
    just, late = app.mfa_token(demo), app.mfa_token(demo)
    clock.sleep_ns(600 * NS - 1)
    assert app.otp(just, code()).status_code == 200
    clock.sleep_ns(1)
    assert refused(app.otp(late, code(30))) == (403, "expired_token", "mfa_token is expired")
    assert refused(app.challenge(late)) == (403, "expired_token", "mfa_token is expired")


def test_an_mfa_token_is_bound_to_its_client(app, http, store, tenant, demo, code):
    other = add_app(http, store, tenant, "other")
    mfa_token = app.mfa_token(demo)
    expected = (400, "invalid_request", "mfa_token not issued to this client")
    assert refused(other.otp(mfa_token, code())) == expected
    assert refused(other.oob(mfa_token, "x")) == expected
    assert refused(other.recovery(mfa_token, "x")) == expected
    assert app.otp(mfa_token, code()).status_code == 200  # and the code was not spent on it


def test_a_spent_mfa_token_is_good_for_nothing(app, demo, code, authority):
    give(authority, demo, "sms", PHONE)
    mfa_token = app.mfa_token(demo)
    oob_code = app.challenged(mfa_token)
    assert app.otp(mfa_token, code()).status_code == 200
    assert refused(app.challenge(mfa_token)) == SPENT
    assert refused(app.oob(mfa_token, oob_code, binding_code=text_of(authority))) == SPENT
    assert refused(app.recovery(mfa_token, "x")) == SPENT


def test_an_mfa_token_has_auth0s_shape_and_is_not_kept(app, demo, store):
    mfa_token = app.mfa_token(demo)
    assert re.fullmatch(r"Fe26\.2\*[0-9a-f]{6}\*[0-9a-f]{64}\*[\w-]+\*[\w-]+\*\*[0-9a-f]{64}\*[\w-]+", mfa_token)
    assert mfa_token.encode() not in store.image()


@pytest.mark.parametrize(("factor", "name", "method"), [("sms", PHONE, "sms"), ("email", "zeno@stoa.example", "mca")])
def test_the_code_of_a_message_brings_tokens_once(app, zeno, authority, factor, name, method):
    give(authority, zeno, factor, name)
    mfa_token = app.mfa_token(zeno)
    oob_code = app.challenged(mfa_token)
    code = text_of(authority, factor)
    missing = (400, "invalid_request", "binding_code is required")
    assert refused(app.oob(mfa_token, oob_code)) == missing
    assert refused(app.oob(mfa_token, oob_code, binding_code="   ")) == missing
    assert refused(app.oob(mfa_token, oob_code, binding_code=wrong(code))) == WRONG_BINDING_CODE
    granted = app.oob(mfa_token, oob_code, binding_code=f"{code[:3]} {code[3:]}")
    assert granted.status_code == 200
    assert claims_of(granted.json()["access_token"])["amr"] == ["pwd", method, "mfa"]
    assert refused(app.oob(mfa_token, oob_code, binding_code=code)) == SPENT


def test_the_code_of_a_message_lives_five_minutes(app, zeno, authority, clock):
    give(authority, zeno, "sms", PHONE)
    mfa_token = app.mfa_token(zeno)
    oob_code = app.challenged(mfa_token)
    clock.sleep_ns(300 * NS)
    late = app.oob(mfa_token, oob_code, binding_code=text_of(authority))
    assert refused(late) == (403, "expired_token", "oob_code is expired")
    assert refused(app.oob(mfa_token, oob_code)) == (403, "expired_token", "oob_code is expired")
    assert app.challenge(mfa_token).status_code == 200  # another may be sent: the mfa_token lives on


def test_the_code_of_a_message_is_good_until_the_last_moment(app, zeno, authority, clock):
    give(authority, zeno, "sms", PHONE)
    mfa_token = app.mfa_token(zeno)
    oob_code = app.challenged(mfa_token)
    clock.sleep_ns(300 * NS - 1)
    assert app.oob(mfa_token, oob_code, binding_code=text_of(authority)).status_code == 200


def test_an_oob_code_goes_with_its_mfa_token(app, zeno, authority):
    give(authority, zeno, "sms", PHONE)
    mfa_token, other = app.mfa_token(zeno), app.mfa_token(zeno)
    oob_code = app.challenged(mfa_token)
    code = text_of(authority)
    assert refused(app.oob(other, oob_code, binding_code=code)) == (
        400, "invalid_request", "The oob_code doesn't match the mfa_token"
    )  # fmt: skip
    for odd in ("x", "Fe26.2*x", "\x00", "💥", "a" * 50_000):
        assert refused(app.oob(mfa_token, odd, binding_code=code)) == (403, "invalid_grant", "Malformed oob_code")
    assert refused(app.oob(mfa_token, "")) == (400, "invalid_request", "Missing required parameter: oob_code")
    assert app.oob(mfa_token, oob_code, binding_code=code).status_code == 200


def test_ten_wrong_binding_codes_stop_even_the_right_one_and_a_new_message_does_not_help(app, zeno, authority, clock):
    give(authority, zeno, "sms", PHONE)
    mfa_token = app.mfa_token(zeno)
    oob_code = app.challenged(mfa_token)
    code = text_of(authority)
    for _ in range(10):
        assert refused(app.oob(mfa_token, oob_code, binding_code=wrong(code))) == WRONG_BINDING_CODE
    limited = app.oob(mfa_token, oob_code, binding_code=code)
    assert refused(limited)[:2] == LIMITED
    assert limited.headers["retry-after"] == "360"
    assert refused(app.oob(mfa_token, app.challenged(mfa_token), binding_code="000000"))[:2] == LIMITED
    clock.sleep_ns(360 * NS)
    again = app.challenged(mfa_token)
    newest = max(authority.outbox.newest(), key=lambda each: each.sent_at)
    assert app.oob(mfa_token, again, binding_code=newest.text[:6]).status_code == 200


def test_only_a_wrong_code_is_a_try(app, zeno, authority, clock):
    give(authority, zeno, "sms", PHONE)
    late = app.mfa_token(zeno)
    oob_code = app.challenged(late)
    code = text_of(authority)
    clock.sleep_ns(300 * NS)
    for _ in range(20):
        assert refused(app.oob(late, oob_code, binding_code=code))[1] == "expired_token"


def test_an_eleventh_message_is_refused_and_an_hour_brings_one_more(app, zeno, authority, clock):
    give(authority, zeno, "sms", PHONE)
    mfa_token = app.mfa_token(zeno)
    for _ in range(10):
        app.challenged(mfa_token)
    limited = app.challenge(mfa_token)
    assert refused(limited)[:2] == LIMITED
    assert limited.headers["retry-after"] == "3600"
    assert len(authority.outbox.newest()) == 10
    clock.sleep_ns(3600 * NS - 1)
    assert refused(app.challenge(app.mfa_token(zeno)))[:2] == LIMITED
    clock.sleep_ns(1)
    assert app.challenge(app.mfa_token(zeno)).status_code == 200
    assert refused(app.challenge(app.mfa_token(zeno)))[:2] == LIMITED


def test_nothing_of_a_challenge_is_kept_in_the_clear(app, zeno, authority, store):
    give(authority, zeno, "sms", PHONE)
    oob_code = app.challenged(app.mfa_token(zeno))
    assert oob_code.encode() not in store.image()


def test_many_right_codes_at_once_answer_one_mfa_token_once(app, demo, authority, code):
    mfa_token = app.mfa_token(demo)
    client = Credentials("app", SECRET)
    codes = iter([code(-30), code(), code(30), *["000000x"] * 5])
    granted, refusals = at_once(lambda: authority.mfa_grants.otp(client, mfa_token, next(codes)))
    assert len(granted) == 1
    assert {type(error) for error in refusals} <= {InvalidOtp, SpentMfaToken}


def test_two_right_codes_that_were_checked_at_once_answer_one_mfa_token_once(
    app, demo, tenant, authority, store, clock, monkeypatch
):
    phone = give(authority, demo, "otp")
    mfa_token = app.mfa_token(demo)
    codes = iter([code_of(tenant.totp_secret, clock), code_of(phone.secret, clock)])
    check, both_checked = authority.authenticators.check_one_time_code, threading.Barrier(2, timeout=20)

    def checked(*asked):
        found = check(*asked)
        both_checked.wait()
        return found

    monkeypatch.setattr(authority.authenticators, "check_one_time_code", checked)
    client = Credentials("app", SECRET)
    granted, refusals = at_once(lambda: authority.mfa_grants.otp(client, mfa_token, next(codes)), times=2)
    assert (len(granted), [type(error) for error in refusals]) == (1, [SpentMfaToken])


def test_one_code_for_many_mfa_tokens_at_once_answers_one(app, demo, authority, code):
    client = Credentials("app", SECRET)
    mfa_tokens = iter([app.mfa_token(demo) for _ in range(8)])
    shown = code()
    granted, refusals = at_once(lambda: authority.mfa_grants.otp(client, next(mfa_tokens), shown))
    assert (len(granted), {type(error) for error in refusals}) == (1, {InvalidOtp})


def test_many_uses_of_one_oob_code_at_once_answer_once(app, zeno, authority):
    give(authority, zeno, "sms", PHONE)
    mfa_token = app.mfa_token(zeno)
    oob_code, typed = app.challenged(mfa_token), text_of(authority)
    client = Credentials("app", SECRET)
    granted, refusals = at_once(lambda: authority.mfa_grants.oob(client, mfa_token, oob_code, typed))
    assert len(granted) == 1
    assert {type(error) for error in refusals} <= {SpentMfaToken, MalformedOobCode}
