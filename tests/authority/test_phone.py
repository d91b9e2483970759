"""The phone's page: pushes are shown to whoever holds it, answered once, and only from this page in this browser."""

from __future__ import annotations

import re
from dataclasses import replace
from html import unescape
from threading import Barrier, Thread

import pytest
from starlette.testclient import TestClient

from host_tools.authority.core.records import Client, OobChallenge, User, fingerprint
from host_tools.authority.core.users import hash_password
from host_tools.clock import NS

from .conftest import ISSUER

GONE = "This request is no longer open. Nothing was approved."


@pytest.fixture
def held(authority, display, tokens, tenant):
    """An mfa_token of the demo user, who has a phone, and what mfa-oob answers to it."""
    enrol_phone(authority, tenant.demo_user)
    authority.mfa.mode = "rule"
    return Held(display.http, tenant.client_id, display.refresh(tokens["refresh_token"]).json()["mfa_token"])


class Held:
    def __init__(self, http, client_id, mfa_token):
        self._http = http
        self._client = {"client_id": client_id, "mfa_token": mfa_token}

    def challenge(self) -> str:
        """Ask for a push: its oob_code."""
        return self._http.post("/mfa/challenge", json=self._client | {"challenge_type": "oob"}).json()["oob_code"]

    def poll(self, oob_code: str, **more: str):
        fields = {"grant_type": "http://auth0.com/oauth/grant-type/mfa-oob", "oob_code": oob_code}
        return self._http.post("/oauth/token", data=self._client | fields | more)


def enrol_phone(authority, username: str) -> None:
    [user] = authority.store.find(User, username=username)
    authority.authenticators.confirm(authority.authenticators.enrol(user.user_id, "push", "Phone").authenticator)


def forms(page) -> list[dict[str, str]]:
    found = re.findall(r'<form method="post" action="/phone".*?</form>', page.text, re.DOTALL)
    return [dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', each)) for each in found]


def headings(page) -> list[str]:
    return [unescape(re.sub("<.*?>", "", each)) for each in re.findall(r"<h2[^>]*>(.*?)</h2>", page.text)]


def alert(page) -> str | None:
    found = re.search(r'role="alert" id="problem">(.*?)</p>', page.text)
    return found and found.group(1)


def status(page) -> str | None:
    found = re.search(r'role="status">(.*?)</p>', page.text)
    return found and re.sub("<.*?>", "", found.group(1))


def answer(browser, form, answer):
    return browser.http.post("/phone", data=form | {"answer": answer}, follow_redirects=False)


def test_with_nothing_to_answer_it_says_so(browser):
    page = browser.see("/phone")
    assert page.status_code == 200
    assert "Nothing waits for an answer." in page.text
    assert forms(page) == []


def test_a_push_says_who_asks_for_whom_and_until_when(browser, held, tenant):
    held.challenge()
    page = browser.see("/phone")
    assert headings(page) == [f"Stoa display asks for {tenant.demo_user}"]
    assert re.findall(r'<time datetime="(.*?)">', page.text)[1:] == ["2026-11-22T00:00:00Z", "2026-11-22T00:05:00Z"]


@pytest.mark.parametrize(
    ("given", "said", "heard"),
    [
        ("approve", "You approved it for demo@stoa.example. Stoa display learns", (200, None)),
        ("refuse", "You refused it for demo@stoa.example. Stoa display learns", (403, "invalid_grant")),
    ],
)
def test_an_answer_is_told_to_the_person_and_to_the_client(browser, held, given, said, heard):
    oob_code = held.challenge()
    assert held.poll(oob_code).json()["error"] == "authorization_pending"
    [form] = forms(browser.see("/phone"))
    reply = answer(browser, form, given)
    assert (reply.status_code, reply.headers["location"]) == (303, f"/phone?answered={form['challenge_id']}")
    page = browser.see(reply.headers["location"])
    assert status(page).startswith(said)
    assert forms(page) == []
    polled = held.poll(oob_code)
    assert (polled.status_code, polled.json().get("error")) == heard
    # Spent or not, the page still says what the person did.
    assert status(browser.see(reply.headers["location"])).startswith(said)


@pytest.mark.parametrize("given", ["approve", "refuse"])
def test_a_double_click_does_what_one_click_does(browser, held, given):
    oob_code = held.challenge()
    [form] = forms(browser.see("/phone"))
    first, second = answer(browser, form, given), answer(browser, form, given)
    assert (first.status_code, second.status_code) == (303, 303)
    assert first.headers["location"] == second.headers["location"]
    assert (held.poll(oob_code).status_code == 200) is (given == "approve")
    assert answer(browser, form, given).headers["location"] == first.headers["location"]


@pytest.mark.parametrize(
    ("first", "second", "said"),
    [
        ("approve", "refuse", "That was approved before, and the first answer holds."),
        ("refuse", "approve", "That was refused before, and the first answer holds."),
    ],
)
def test_the_first_answer_holds(browser, held, first, second, said):
    oob_code = held.challenge()
    [form] = forms(browser.see("/phone"))
    answer(browser, form, first)
    page = answer(browser, form, second)
    assert (page.status_code, alert(page)) == (400, said)
    assert (held.poll(oob_code).status_code == 200) is (first == "approve")


def test_of_two_answers_at_once_one_holds(browser, held, http):
    oob_code = held.challenge()
    [form] = forms(browser.see("/phone"))
    cookies = dict(browser.http.cookies)
    replies, both = {}, Barrier(2)

    def send(given: str) -> None:
        with TestClient(http.app, base_url=ISSUER, cookies=cookies, follow_redirects=False) as tab:
            both.wait()
            replies[given] = tab.post("/phone", data=form | {"answer": given}).status_code

    threads = [Thread(target=send, args=(given,)) for given in ("approve", "refuse")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(replies.values()) == [303, 400]
    assert (held.poll(oob_code).status_code == 200) is (replies["approve"] == 303)


def test_a_push_that_expired_while_the_page_was_open(browser, held, clock):
    oob_code = held.challenge()
    [form] = forms(browser.see("/phone"))
    clock.sleep_ns(300 * NS)
    page = answer(browser, form, "approve")
    assert (page.status_code, alert(page)) == (400, GONE)
    assert "<title>Problem: Phone" in page.text
    assert "Nothing waits for an answer." in page.text
    assert held.poll(oob_code).json()["error"] == "expired_token"


@pytest.mark.parametrize("challenge_id", ["", "0" * 16, "' OR '1'='1", "<script>alert(1)</script>"])
def test_a_push_that_never_was(browser, held, challenge_id):
    held.challenge()
    [form] = forms(browser.see("/phone"))
    page = answer(browser, form | {"challenge_id": challenge_id}, "approve")
    assert (page.status_code, alert(page)) == (400, GONE)
    assert len(forms(page)) == 1  # the one that does wait
    assert "<script" not in page.text


def test_the_code_of_a_message_is_no_push(browser, authority, held, tenant, store):
    [user] = authority.store.find(User, username=tenant.demo_user)
    authority.authenticators.confirm(authority.authenticators.enrol(user.user_id, "sms", "+15551234567").authenticator)
    for each in authority.authenticators.of(user.user_id, "push"):
        authority.authenticators.remove(user.user_id, each.authenticator_id)
    oob_code = held.challenge()
    [message] = authority.outbox.newest()
    assert forms(browser.see("/phone")) == []
    challenge_id = store.get(OobChallenge, fingerprint(oob_code)).challenge_id
    [token] = re.findall(r'name="csrf_token" value="([^"]+)"', browser.see("/activate").text)
    form = {"csrf_token": token, "challenge_id": challenge_id}
    assert alert(answer(browser, form, "approve")) == GONE
    assert held.poll(oob_code, binding_code=message.text[:6]).status_code == 200
    assert status(browser.see(f"/phone?answered={challenge_id}")) is None


@pytest.mark.parametrize("older_is_meant", [True, False])
def test_each_push_is_answered_by_its_own_form(browser, held, store, clock, older_is_meant):
    codes = [held.challenge()]
    clock.sleep_ns(NS)
    codes.append(held.challenge())
    meant, other = codes if older_is_meant else reversed(codes)
    shown = forms(browser.see("/phone"))
    assert len(shown) == 2
    [form] = [
        each for each in shown if each["challenge_id"] == store.get(OobChallenge, fingerprint(meant)).challenge_id
    ]
    answer(browser, form, "approve")
    assert held.poll(other).json()["error"] == "authorization_pending"
    assert held.poll(meant).status_code == 200


def test_each_push_names_its_user(browser, authority, held, display, tenant, store):
    username = "<b>other</b>@stoa.example"
    store.put(User("auth0|2", username, hash_password("other's")))
    enrol_phone(authority, username)
    [client] = store.find(Client)
    store.put(replace(client, grants=f"{client.grants} password"))
    fields = {"grant_type": "password", "client_id": tenant.client_id, "username": username, "password": "other's"}
    others = Held(display.http, tenant.client_id, display.http.post("/oauth/token", data=fields).json()["mfa_token"])
    others.challenge()
    held.challenge()
    page = browser.see("/phone")
    assert sorted(headings(page)) == [
        f"Stoa display asks for {username}",
        f"Stoa display asks for {tenant.demo_user}",
    ]
    assert "<b>" not in page.text


@pytest.mark.parametrize("token", ["missing", "wrong", "another session's"])
def test_a_form_without_our_token_answers_nothing(browser, held, http, token):
    oob_code = held.challenge()
    [form] = forms(browser.see("/phone"))
    [foreign] = forms(http.get("/phone"))
    fields = {name: value for name, value in form.items() if name != "csrf_token"}
    sent = {"missing": {}, "wrong": {"csrf_token": "0" * 64}, "another session's": foreign}[token]
    refused = answer(browser, fields | sent, "approve")
    assert refused.status_code == 403
    assert alert(refused).startswith("This page was open for too long, or was not opened here.")
    assert '<a href="/phone">' in refused.text
    assert held.poll(oob_code).json()["error"] == "authorization_pending"


def test_a_form_from_a_browser_without_cookies_answers_nothing(browser, held, http):
    held.challenge()
    [form] = forms(browser.see("/phone"))
    refused = http.post("/phone", data=form | {"answer": "approve"})
    assert refused.status_code == 403
    # A new session here would end the one that a browser has and did not send along (SameSite).
    assert "set-cookie" not in refused.headers


def test_a_form_is_good_for_an_hour(browser, held, clock):
    held.challenge()
    [form] = forms(browser.see("/phone"))
    clock.sleep_ns(3600 * NS)
    assert answer(browser, form, "approve").status_code == 403
    anew = browser.see("/phone")
    assert (anew.status_code, forms(anew)) == (200, [])


@pytest.mark.parametrize("given", ["", "maybe", "APPROVE"])
def test_what_is_no_answer_answers_nothing(browser, held, given):
    oob_code = held.challenge()
    [form] = forms(browser.see("/phone"))
    reply = answer(browser, form, given)
    assert (reply.status_code, reply.headers["location"]) == (303, "/phone")
    assert held.poll(oob_code).json()["error"] == "authorization_pending"


@pytest.mark.parametrize(
    ("body", "status"), [(b"a=1&a=2", 400), (b"answer=%ff", 400), (b"answer=" + b"x" * 70_000, 413)]
)
def test_what_is_no_form_is_refused(browser, body, status):
    browser.see("/phone")
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    assert browser.http.post("/phone", content=body, headers=headers).status_code == status


@pytest.mark.parametrize("answered", ["approved", "0" * 16, "<script>alert(1)</script>", "%00", "%ed%a0%80"])
def test_an_outcome_in_the_address_is_looked_up_not_believed(browser, answered):
    page = browser.http.get(f"/phone?answered={answered}")
    assert page.status_code == 200
    assert status(page) is None
    assert "<script" not in page.text


def test_looking_answers_nothing(browser, held):
    oob_code = held.challenge()
    for _ in range(2):
        [form] = forms(browser.see("/phone"))
        browser.see(f"/phone?answered={form['challenge_id']}&answer=approve&csrf_token={form['csrf_token']}")
    assert held.poll(oob_code).json()["error"] == "authorization_pending"


def test_every_page_carries_the_guards(browser, held, http):
    held.challenge()
    seen = [browser.see("/phone")]
    seen.append(answer(browser, forms(seen[0])[0] | {"challenge_id": "none"}, "approve"))
    seen.append(http.post("/phone", data={}))
    for page in seen:
        policy = page.headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; style-src 'self'; form-action 'self'; frame-ancestors 'none'")
        assert page.headers["cache-control"] == "no-store"
        assert "<script" not in page.text
        assert "style=" not in page.text
    assert http.get("/phone", headers={"Host": "evil.example"}).status_code == 400
