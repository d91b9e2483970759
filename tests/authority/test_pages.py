"""The pages: their order, their forms' guards, their headers, what they say to browsers and screen readers."""

from __future__ import annotations

import re

import pytest
from starlette.testclient import TestClient

from host_tools.authority.app import create_app
from host_tools.authority.core.authority import Authority
from host_tools.authority.core.records import LoginSession
from host_tools.authority.core.user_code import UserCodes
from host_tools.clock import NS

from .conftest import ISSUER, quote_of_day


@pytest.fixture
def user_code(display) -> str:
    return display.ask().json()["user_code"]


def heading(page) -> str:
    return re.search(r"<h1>(.*?)</h1>", page.text).group(1)


def test_the_way_from_the_code_to_the_device(browser, user_code, authority):
    authority.mfa.mode = "rule"
    page = browser.see("/activate")
    assert heading(page) == "Connect a device"
    page = browser.send(page, user_code=user_code)
    assert heading(page) == "Sign in"
    page = browser.sign_in(page)
    assert heading(page) == "Confirm it is you"
    assert browser.see("/activate/one-time-code").status_code == 404
    page = browser.send(page, code=browser.one_time_code())
    assert heading(page) == "Connect Stoa display?"
    page = browser.send(page, decision="allow")
    assert heading(page) == "Connected"
    assert 'role="status"' in page.text


def test_a_scanned_code_is_shown_for_comparison_and_not_taken_for_granted(browser, user_code):
    page = browser.see(f"/activate?user_code={user_code.lower()}")
    assert f'<p class="code" id="shown-code">{user_code}</p>' in page.text
    assert "Does your device show exactly this code?" in page.text
    assert heading(browser.see("/sign-in")) == "Connect a device"  # looking has begun nothing
    assert heading(browser.send(page)) == "Sign in"


def test_the_consent_says_which_device_asks_and_for_what(browser, user_code, tenant):
    page = browser.sign_in(browser.type_code(user_code))
    for words in ("Stoa display", user_code, "read the quote of the day", "stay connected", tenant.demo_user):
        assert words in page.text


@pytest.mark.parametrize("path", ["/sign-in", "/second-factor", "/consent", "/activate/done"])
def test_no_step_can_be_entered_out_of_turn(browser, path):
    assert heading(browser.see(path)) == "Connect a device"


def test_consent_cannot_be_sent_without_signing_in(browser, user_code, display):
    sign_in = browser.type_code(user_code)
    token = re.search(r'name="csrf_token" value="([^"]+)"', sign_in.text).group(1)
    page = browser.http.post("/consent", data={"csrf_token": token, "decision": "allow", "user_code": user_code})
    assert heading(page) == "Sign in"


def test_an_answer_holds_only_for_the_code_it_was_shown_with(browser, display):
    first, second = display.ask().json(), display.ask().json()
    consent_for_first = browser.sign_in(browser.type_code(first["user_code"]))
    browser.type_code(second["user_code"])  # in another tab
    page = browser.send(consent_for_first, decision="allow")
    assert second["user_code"] in page.text
    for begun in (first, second):
        assert display.poll(begun["device_code"]).json()["error"] == "authorization_pending"


@pytest.mark.parametrize("step", ["code", "sign in", "second factor", "consent", "sign out"])
@pytest.mark.parametrize("token", ["missing", "wrong", "another session's"])
def test_a_form_without_our_token_is_refused(browser, authority, display, user_code, http, step, token):
    if step in ("second factor", "sign out"):
        authority.mfa.mode = "rule"
    page = browser.see("/activate")
    fields = {"user_code": user_code}
    if step != "code":
        page = browser.type_code(user_code)
        fields = {"username": browser.tenant.demo_user, "password": browser.tenant.demo_password}
    if step in ("second factor", "consent", "sign out"):
        page = browser.sign_in(page)
        fields = {"code": browser.one_time_code(), "decision": "allow", "user_code": user_code}
    action = "/sign-out" if step == "sign out" else re.search(r'action="([^"]+)"', page.text).group(1)
    foreign = re.search(r'name="csrf_token" value="([^"]+)"', http.get("/activate").text).group(1)
    sent = {"missing": {}, "wrong": {"csrf_token": "0" * 64}, "another session's": {"csrf_token": foreign}}[token]
    refused = browser.http.post(action, data=fields | sent)
    assert refused.status_code == 403
    assert "not opened here" in refused.text
    assert heading(browser.see(action if step != "sign out" else "/second-factor")) == heading(page)


def test_a_form_from_a_browser_without_cookies_is_refused(http, user_code):
    page = http.get("/activate")
    token = re.search(r'name="csrf_token" value="([^"]+)"', page.text).group(1)
    http.cookies.clear()
    assert http.post("/activate", data={"csrf_token": token, "user_code": user_code}).status_code == 403


def test_the_session_cookie_is_not_for_scripts_and_not_for_other_sites(http):
    cookie = http.get("/activate").headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert "secure" not in cookie


def test_over_https_the_cookie_is_secure(store, clock):
    authority = Authority(store, clock, "https://login.example/")
    with TestClient(create_app(authority, quote_of_day), base_url="https://login.example/") as https:
        assert "secure" in https.get("/activate").headers["set-cookie"].lower()


def test_a_new_browser_costs_no_sync(http, store, monkeypatch):
    transaction, begun = store.transaction, []

    def noted(durable: bool = True):
        begun.append(durable)
        return transaction(durable)

    monkeypatch.setattr(store, "transaction", noted)
    http.get("/activate")
    assert begun == [False]
    assert len(store.find(LoginSession)) == 1


def test_signing_in_changes_the_session(browser, user_code, store):
    page = browser.type_code(user_code)
    planted = browser.http.cookies["stoa_session"]
    browser.sign_in(page)
    assert browser.http.cookies["stoa_session"] != planted
    browser.http.cookies.set("stoa_session", planted, domain="127.0.0.1", path="/")
    stranger = TestClient(browser.http.app, base_url="http://127.0.0.1:8080/", cookies={"stoa_session": planted})
    assert "Do not allow" not in stranger.get("/consent").text
    assert planted not in repr(store.find(LoginSession))


def test_not_you_signs_out_and_keeps_the_device(browser, user_code, tenant):
    page = browser.sign_in(browser.type_code(user_code))
    token = re.search(r'name="csrf_token" value="([^"]+)"', page.text).group(1)
    left_behind = {"stoa_session": browser.http.cookies["stoa_session"]}
    page = browser.http.post("/sign-out", data={"csrf_token": token})
    assert heading(page) == "Sign in"
    assert user_code in page.text
    with TestClient(browser.http.app, base_url=tenant.issuer, cookies=left_behind) as stranger:
        assert "Do not allow" not in stranger.get("/consent").text
    assert "Do not allow" in browser.sign_in(page).text


def test_a_session_ends_after_an_hour(browser, display, clock):
    browser.decide(display.ask().json()["user_code"])
    clock.sleep_ns(3600 * NS)
    assert heading(browser.type_code(display.ask().json()["user_code"])) == "Sign in"


@pytest.mark.parametrize("username", ["demo@stoa.example", "nobody@stoa.example", "", "' OR '1'='1"])
def test_a_wrong_sign_in_says_the_same_for_everyone(browser, user_code, username):
    page = browser.send(browser.type_code(user_code), username=username, password="wrong")
    assert page.status_code == 400
    assert "The e-mail address or the password is not right." in page.text
    assert heading(page) == "Sign in"
    assert 'aria-invalid="true"' in page.text


def test_the_user_name_is_read_without_case(browser, user_code, tenant):
    page = browser.send(
        browser.type_code(user_code), username=f" {tenant.demo_user.upper()} ", password=tenant.demo_password
    )
    assert "Do not allow" in page.text


def test_an_expiry_during_the_answer_is_told(browser, user_code, clock):
    consent = browser.sign_in(browser.type_code(user_code))
    clock.sleep_ns(900 * NS)
    page = browser.send(consent, decision="allow")
    assert (page.status_code, heading(page)) == (400, "That did not work")
    assert "No device is waiting" in page.text
    assert heading(browser.see("/activate")) == "Connect a device"


HOSTILE = ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "{{ 7*7 }}", "'; DROP TABLE users; --"]


@pytest.mark.parametrize("entry", HOSTILE)
def test_a_hostile_code_is_not_reflected(browser, entry, store):
    for page in (browser.http.get("/activate", params={"user_code": entry}), browser.type_code(entry)):
        assert entry not in page.text
        assert "alert(1)" not in page.text
        assert ">49<" not in page.text
        assert 'value="49"' not in page.text


@pytest.mark.parametrize("entry", HOSTILE)
def test_a_hostile_user_name_stays_text(browser, user_code, entry):
    page = browser.send(browser.type_code(user_code), username=entry, password="x")
    assert "<script>" not in page.text
    assert "<img" not in page.text
    assert page.text.count("<input") == 3


def test_every_page_carries_the_guards(browser, user_code, authority, http):
    authority.mfa.mode = "rule"
    seen = [browser.see("/activate"), browser.see(f"/activate?user_code={user_code}"), http.get("/nowhere")]
    seen.append(browser.type_code(user_code))
    seen.append(browser.sign_in(seen[-1]))
    seen.append(browser.send(seen[-1], code=browser.one_time_code()))
    seen.append(browser.send(seen[-1], decision="allow"))
    seen.append(browser.http.post("/activate", data={}))
    for page in seen:
        policy = dict(part.strip().split(" ", 1) for part in page.headers["content-security-policy"].split(";"))
        assert policy == {
            "default-src": "'none'", "style-src": "'self'", "form-action": "'self'", "frame-ancestors": "'none'",
            "base-uri": "'none'",
        }  # fmt: skip
        assert page.headers["cache-control"] == "no-store"
        assert page.headers["referrer-policy"] == "no-referrer"
        assert page.headers["x-content-type-options"] == "nosniff"
        assert "<script" not in page.text
        assert "style=" not in page.text
        assert '<html lang="en">' in page.text


def test_fields_tell_browsers_what_they_are_for(browser, user_code, authority):
    authority.mfa.mode = "rule"
    page = browser.type_code(user_code)
    assert 'autocomplete="username"' in page.text
    assert 'autocomplete="current-password"' in page.text
    page = browser.sign_in(page)
    assert 'autocomplete="one-time-code"' in page.text
    assert 'inputmode="numeric"' in page.text


def test_every_field_has_its_label(browser, user_code, authority):
    authority.mfa.mode = "rule"
    page = browser.see("/activate")
    seen = [page, browser.type_code(user_code)]
    seen.append(browser.sign_in(seen[-1]))
    for page in seen:
        fields = re.findall(r'<input id="(\w+)"', page.text)
        assert fields
        assert re.findall(r'<label for="(\w+)"', page.text) == fields


def test_there_is_no_open_redirect(browser, user_code):
    for path in ("/activate?next=//evil.example", "/activate/done?next=//evil.example", "//evil.example/activate"):
        reply = browser.http.get(path, follow_redirects=False)
        assert reply.headers.get("location", "/activate").startswith("/activate")


def test_a_foreign_host_name_is_refused(http):
    assert http.get("/activate", headers={"Host": "evil.example"}).status_code == 400


def test_the_style_sheet_is_served(http):
    path = re.search(r'<link rel="stylesheet" href="([^"]+)"', http.get("/activate").text).group(1)
    reply = http.get(path)
    assert (reply.status_code, reply.headers["content-type"]) == (200, "text/css; charset=utf-8")


def test_the_page_asks_for_codes_of_the_tenants_own_shape(store, clock):
    digits = Authority(store, clock, ISSUER, user_codes=UserCodes("digits", "*** *** ***"))
    with TestClient(create_app(digits, quote_of_day), base_url=ISSUER) as browser:
        page = browser.get("/activate").text
    assert "9 digits" in page
    assert 'placeholder="000 000 000"' in page
    assert 'inputmode="numeric"' in page
    assert "letters" not in page
