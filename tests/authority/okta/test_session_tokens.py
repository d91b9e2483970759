"""What a session token is good for: a session at the pages, once, within five minutes."""

from __future__ import annotations

import json
from typing import Any

import jwt
import pytest

from host_tools.authority.core.authn_records import SessionToken
from host_tools.authority.core.records import fingerprint
from host_tools.clock import NS
from tests.authority.authorize.application import ASKED, ORIGIN, SPA, Application, sent_back
from tests.authority.page_markup import Markup

from .okta_wire import V1, Api


class OktaApplication(Application):
    """At Okta's address."""

    def ask(self, **changed: str):
        return self.follow(self.person.http.get(f"{V1}/authorize", params=ASKED | changed, follow_redirects=False))


@pytest.fixture
def application(browser, store) -> OktaApplication:
    store.put(SPA)
    return OktaApplication(browser, f"{V1}/token")


def amr_of(application: OktaApplication, code: str) -> Any:
    tokens = application.redeem(code).json()
    return jwt.decode(tokens["access_token"], options={"verify_signature": False})["amr"]


def test_it_answers_a_silent_request_as_okta_s_sdk_sends_it(application, api: Api):
    token = api.through()["sessionToken"]
    told = sent_back(application.ask(prompt="none", sessionToken=token))
    assert (told["state"], set(told)) == ("xyz", {"code", "state", "iss"})
    assert amr_of(application, told["code"]) == ["pwd", "otp", "mfa"]


def test_it_may_be_posted_to_the_window_that_frames_the_page(application, api: Api):
    """As Okta's SDK has it, `getWithoutPrompt`: what is posted is the answer itself."""
    token = api.through()["sessionToken"]
    page = application.ask(prompt="none", sessionToken=token, response_mode="okta_post_message")
    [answer] = [each for _, each in Markup(page.text).elements if each.get("id") == "answer"]
    told = json.loads(answer["data-message"])
    assert (told["state"], answer["data-target"]) == ("xyz", ORIGIN)
    assert amr_of(application, told["code"]) == ["pwd", "otp", "mfa"]
    refused = sent_back(application.ask(prompt="none", response_mode="web_message"))
    assert refused["error_description"] == "response_mode is one of query, fragment, form_post, okta_post_message."


def test_it_signs_the_browser_in_for_what_comes_after(application, api, authority):
    authority.mfa.mode = "never"
    assert sent_back(application.ask(sessionToken=api.begun()["sessionToken"]))["code"]
    assert sent_back(application.ask(prompt="none"))["code"]


def test_it_is_good_once(application, api, browser):
    token = api.through()["sessionToken"]
    assert "code" in sent_back(application.ask(prompt="none", sessionToken=token))
    browser.http.cookies.clear()
    assert sent_back(application.ask(prompt="none", sessionToken=token))["error"] == "login_required"
    assert "Sign in" in application.ask(sessionToken=token).text


def test_it_is_good_for_five_minutes(application, api, browser, clock):
    first, second = api.through(), api.through()
    assert second["expiresAt"] == "2026-11-22T00:06:00.000Z"
    clock.sleep_ns(299 * NS)
    assert "code" in sent_back(application.ask(prompt="none", sessionToken=second["sessionToken"]))
    browser.http.cookies.clear()
    clock.sleep_ns(NS)
    assert sent_back(application.ask(prompt="none", sessionToken=first["sessionToken"]))["error"] == "login_required"


def test_one_of_a_remembered_device_owes_no_factor(application, api):
    api.through(rememberDevice="true")
    told = sent_back(application.ask(prompt="none", sessionToken=api.begun()["sessionToken"]))
    assert amr_of(application, told["code"]) == ["pwd"]


def test_one_that_is_not_good_leaves_whoever_is_signed_in(application, api, authority):
    authority.mfa.mode = "never"
    application.ask(sessionToken=api.begun()["sessionToken"])
    assert "code" in sent_back(application.ask(prompt="none", sessionToken="20111never"))


def test_one_that_is_not_good_takes_the_browser_from_no_other_tab(application, authority):
    authority.mfa.mode = "never"
    page = application.ask(state="of the first tab")
    silent = application.ask(prompt="none", sessionToken="20111never", state="of a frame")
    assert sent_back(silent)["error"] == "login_required"
    told = sent_back(application.sign_in(page))
    assert (told["state"], "code" in told) == ("of the first tab", True)


def test_it_is_no_state_token_and_no_bearer_token(api, http):
    token = api.through()["sessionToken"]
    assert api.post("", {"stateToken": token}).status_code == 401
    assert http.get(f"{V1}/userinfo", headers={"Authorization": f"Bearer {token}"}).status_code == 401


def test_it_is_kept_as_a_hash_until_it_is_used_or_over(application, api, store, clock):
    token = api.through()["sessionToken"]
    assert [each.token_hash for each in store.find(SessionToken)] == [fingerprint(token)]
    application.ask(prompt="none", sessionToken=token)
    assert store.find(SessionToken) == []
    api.through()
    clock.sleep_ns(301 * NS)
    api.through()
    assert len(store.find(SessionToken)) == 1


def test_no_other_dialect_takes_one(authority, store, tenant, clock):
    from starlette.testclient import TestClient

    from host_tools.authority.app import create_app
    from tests.authority.conftest import ISSUER, Browser, quote_of_day

    store.put(SPA)
    user = authority.users.check_password(tenant.demo_user, tenant.demo_password, "")
    token, _ = authority.session_tokens.issue(user.user_id, "pwd", "")
    with TestClient(create_app(authority, quote_of_day), base_url=ISSUER, follow_redirects=False) as http:
        reply = Application(Browser(http, tenant, clock)).ask(prompt="none", sessionToken=token)
    assert sent_back(reply)["error"] == "login_required"
