"""Two requests of one browser at once, or one too late: a double click, two tabs. What was decided first holds."""

from __future__ import annotations

import re
from collections.abc import Callable
from threading import Barrier, Semaphore, Thread

import httpx2
import pytest
from starlette.testclient import TestClient

from host_tools.authority.core.errors import UnknownUserCode
from host_tools.authority.core.records import LoginSession
from host_tools.authority.core.sessions import SessionEnded

from .conftest import ISSUER
from .test_pages import heading
from .test_phone import forms, held  # noqa: F401

Form = tuple[str, dict[str, str]]


def form_of(page, **fields: str) -> Form:
    """Where the page's first form goes, and with what."""
    hidden = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page.text.split("</form>")[0]))
    return re.search(r'<form method="post" action="([^"]+)"', page.text).group(1), hidden | fields


@pytest.fixture
def overlapping(browser, authority, monkeypatch) -> Callable[..., list[httpx2.Response]]:
    """Sends forms from this browser so that all have found its session before any of them is dealt with."""

    def send(*sent: Form) -> list[httpx2.Response]:
        cookies, find, all_found = dict(browser.http.cookies), authority.sessions.find, Barrier(len(sent), timeout=20)
        to_be_found = Semaphore(len(sent))
        replies: dict[int, httpx2.Response] = {}

        def found(secret: str) -> LoginSession | None:
            session = find(secret)
            if to_be_found.acquire(blocking=False):
                all_found.wait()
            return session

        def post(number: int, path: str, fields: dict[str, str]) -> None:
            with TestClient(browser.http.app, base_url=ISSUER, cookies=cookies, follow_redirects=False) as tab:
                replies[number] = tab.post(path, data=fields)

        with monkeypatch.context() as patched:
            patched.setattr(authority.sessions, "find", found)
            threads = [Thread(target=post, args=(number, *form)) for number, form in enumerate(sent)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        return [replies[number] for number in range(len(sent))]

    return send


@pytest.fixture
def begun(display) -> dict[str, str]:
    return display.ask().json()


@pytest.fixture
def consent(browser, begun):
    """The page on which a signed-in person decides about that device."""
    return browser.sign_in(browser.type_code(begun["user_code"]))


@pytest.mark.parametrize(("decision", "told"), [("allow", "Connected"), ("deny", "Not connected")])
def test_a_second_click_is_told_what_the_first_one_did(browser, display, begun, consent, decision, told):
    first, second = (browser.send(consent, decision=decision) for _ in range(2))
    assert (first.status_code, second.status_code) == (200, 200)
    assert heading(first) == heading(second) == told
    assert (display.poll(begun["device_code"]).status_code == 200) is (decision == "allow")
    assert heading(browser.send(consent, decision=decision)) == told  # the device has its tokens by now


@pytest.mark.parametrize(("decision", "told"), [("allow", "Connected"), ("deny", "Not connected")])
def test_two_clicks_at_once_are_one(browser, display, begun, consent, overlapping, decision, told):
    replies = overlapping(*[form_of(consent, decision=decision)] * 2)
    assert [(each.status_code, each.headers["location"]) for each in replies] == [(303, "/activate/done")] * 2
    assert heading(browser.see("/activate/done")) == told
    assert (display.poll(begun["device_code"]).status_code == 200) is (decision == "allow")


def test_of_two_decisions_at_once_one_holds_and_the_other_is_told(browser, display, begun, consent, overlapping):
    allowed, denied = overlapping(form_of(consent, decision="allow"), form_of(consent, decision="deny"))
    assert sorted([allowed.status_code, denied.status_code]) == [303, 400]
    assert (display.poll(begun["device_code"]).status_code == 200) is (allowed.status_code == 303)
    assert heading(browser.see("/activate/done")) == ("Connected" if allowed.status_code == 303 else "Not connected")


@pytest.mark.parametrize(
    ("first", "second", "told"),
    [
        ("allow", "deny", "You allowed this device before, and the first answer holds."),
        ("deny", "allow", "You did not allow this device before, and the first answer holds."),
    ],
)
def test_the_first_decision_holds(browser, display, begun, consent, first, second, told):
    browser.send(consent, decision=first)
    page = browser.send(consent, decision=second)
    assert page.status_code == 400
    assert told in page.text
    assert (display.poll(begun["device_code"]).status_code == 200) is (first == "allow")


def test_a_late_click_for_a_device_that_was_not_answered_claims_nothing(browser, display, begun, consent):
    other = display.ask().json()
    browser.send(browser.type_code(other["user_code"]), decision="allow")  # in another tab
    late = browser.send(consent, decision="allow")
    assert heading(late) == "Connect a device"
    assert display.poll(begun["device_code"]).json()["error"] == "authorization_pending"


def test_a_code_that_somebody_else_answered_tells_nothing(browser, display, begun, consent, store):
    browser.send(consent, decision="allow")
    action, fields = form_of(consent, decision="allow")
    [session] = [each for each in store.find(LoginSession) if each.outcome]
    store.put(LoginSession(**{**vars(session), "user_id": "auth0|another"}))
    assert heading(browser.http.post(action, data=fields)) == "Connect a device"


def test_two_sign_ins_at_once_begin_one_session(browser, begun, tenant, overlapping):
    page = browser.type_code(begun["user_code"])
    replies = overlapping(*[form_of(page, username=tenant.demo_user, password=tenant.demo_password)] * 2)
    assert [(each.status_code, each.headers["location"]) for each in replies] == [(303, "/consent")] * 2
    renewed = [each for each in replies if "stoa_session" in each.headers["set-cookie"]]
    assert len(renewed) == 1
    browser.http.cookies.set("stoa_session", renewed[0].cookies["stoa_session"], domain="127.0.0.1", path="/")
    assert "Do not allow" in browser.see("/consent").text


def test_a_one_time_code_that_was_sent_twice_at_once_was_right(browser, begun, authority, overlapping):
    authority.mfa.mode = "rule"
    page = browser.sign_in(browser.type_code(begun["user_code"]))
    replies = overlapping(*[form_of(page, code=browser.one_time_code())] * 2)
    assert [(each.status_code, each.headers["location"]) for each in replies] == [(303, "/consent")] * 2
    assert "Do not allow" in browser.see("/consent").text


def test_a_page_does_not_bring_back_the_session_that_it_was_asked_with(browser, consent):
    assert "stoa_session" not in browser.http.get("/consent").headers["set-cookie"]
    assert "stoa_session" not in browser.http.get("/phone").headers["set-cookie"]


@pytest.fixture
def stale(authority, browser, display, consent):
    """A signed-in session as it was before it took up another device, and that device's code."""
    [found] = [each for each in authority.store.find(LoginSession) if each.user_id]
    other = display.ask().json()["user_code"].replace("-", "")
    authority.sessions.enter_code(found, other, "")
    return found, other


def test_what_is_decided_about_one_device_leaves_the_one_taken_up_meanwhile(authority, display, begun, stale):
    session, other = stale
    with pytest.raises(UnknownUserCode):
        authority.sessions.answer(session, allow=True)
    assert authority.sessions.let_go(session).user_code == other
    kept = authority.store.get(LoginSession, session.session_hash)
    assert (kept.user_code, kept.outcome) == (other, None)
    assert display.poll(begun["device_code"]).json()["error"] == "authorization_pending"


def test_a_code_given_for_one_device_does_not_count_for_the_one_taken_up_meanwhile(authority, stale):
    session, other = stale
    kept = authority.sessions.factors_given(session, "pwd otp mfa", ["otp"])
    assert (kept.user_code, kept.otp_at, kept.amr) == (other, None, "pwd otp mfa")


def test_a_session_that_was_renewed_is_changed_no_more(authority, stale):
    session, other = stale
    authority.sessions.sign_out(session)
    for change in (
        lambda: authority.sessions.answer(session, allow=True),
        lambda: authority.sessions.enter_code(session, other, ""),
        lambda: authority.sessions.factors_given(session, "pwd otp mfa", ["otp"]),
        lambda: authority.sessions.let_go(session),
        lambda: authority.sessions.sign_out(session),
    ):
        with pytest.raises(SessionEnded):
            change()
    assert [each.user_code for each in authority.store.find(LoginSession, user_id=session.user_id)] == []


@pytest.mark.parametrize("given", ["approve", "refuse"])
def test_two_clicks_on_the_phone_at_once_are_one(browser, held, overlapping, given):  # noqa: F811
    oob_code = held.challenge()
    [form] = forms(browser.see("/phone"))
    replies = overlapping(*[("/phone", form | {"answer": given})] * 2)
    where = f"/phone?answered={form['challenge_id']}"
    assert [(each.status_code, each.headers["location"]) for each in replies] == [(303, where)] * 2
    assert (held.poll(oob_code).status_code == 200) is (given == "approve")


def test_a_second_sign_in_that_comes_with_the_new_cookie_leads_on(browser, begun):
    """The browser has the first one's reply, and sends the form once more as it was."""
    path, fields = form_of(browser.type_code(begun["user_code"]))
    fields |= {"username": browser.tenant.demo_user, "password": browser.tenant.demo_password}
    first = browser.http.post(path, data=fields, follow_redirects=False)
    assert (first.status_code, first.headers["location"]) == (303, "/consent")
    second = browser.http.post(path, data=fields, follow_redirects=False)
    assert (second.status_code, second.headers["location"]) == (303, "/consent")
    assert heading(browser.see("/consent")).startswith("Connect")
    # Nobody else is led anywhere by a form that was not given to them.
    browser.http.cookies.clear()
    assert browser.http.post(path, data=fields, follow_redirects=False).status_code == 403
