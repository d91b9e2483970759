"""One browser, two tabs or two sites: what is typed on a page counts for what that page was shown for, and no other."""

from __future__ import annotations

from dataclasses import replace

import jwt
import pytest

from host_tools.authority.core.errors import RequestGone
from host_tools.authority.core.sessions import SessionEnded
from host_tools.authority.scripts import Engine, Script, ScriptsInForce
from host_tools.clock import NS
from tests.authority.conftest import ISSUER

from .application import ASKED, SPA, sent_back

FUNDS = {"scope": "openid transfer:funds", "state": "new"}


def test_a_one_time_code_is_not_spent_on_a_request_of_another_tab(application, authority, asks_consent):
    authority.mfa.mode = "always"
    old = application.sign_in(application.ask())
    application.ask(**FUNDS)
    code = application.person.one_time_code()
    reply = application.send(old, code=code)
    assert 'autocomplete="one-time-code"' in reply.text  # of the other one: the code was not looked at
    assert "transfer:funds" in application.send(reply, code=code).text


def test_a_password_typed_for_one_application_signs_in_to_no_other(application, store):
    old = application.ask()
    store.put(replace(SPA, client_id="evil", name="Evil"))
    application.ask(client_id="evil")
    reply = application.sign_in(old)
    assert not reply.is_redirect and "Evil" in reply.text and 'name="password"' in reply.text


@pytest.mark.parametrize("signed_in", [False, True])
def test_a_silent_request_leaves_what_the_browser_is_about_as_it_is(application, display, signed_in):
    if signed_in:
        application.code()
    begun = display.ask().json()
    page = application.person.type_code(begun["user_code"])
    told = sent_back(application.ask(prompt="none"))
    assert ("code" in told) == signed_in and told.get("error") == (None if signed_in else "login_required")
    if not signed_in:
        page = application.person.sign_in(page)
    assert "Connected" in application.person.send(page, decision="allow").text
    assert display.poll(begun["device_code"]).status_code == 200


def test_a_silent_request_is_judged_by_scripts_without_a_trace(application, authority, display):
    engine = Engine()
    text = "exports.onExecutePostLogin = async (event, api) => { if (event.client.client_id === 'spa')"
    text += " api.access.deny('no'); };"
    try:
        application.code()
        page = application.person.type_code(display.ask().json()["user_code"])
        ScriptsInForce(engine, authority.post_login, ISSUER).put([Script("action", "a", text)])
        assert sent_back(application.ask(prompt="none"))["error"] == "access_denied"
        assert "Connected" in application.person.send(page, decision="allow").text
    finally:
        engine.close()


def test_a_request_posted_from_another_site_ends_no_session(application):
    """Without our cookies, for they are Lax."""
    code = application.code()
    stranger = application.person.http
    kept = dict(stranger.cookies)
    stranger.cookies.clear()
    posted = stranger.post("/authorize", data=ASKED, follow_redirects=False)
    assert posted.status_code == 303 and "set-cookie" not in posted.headers
    stranger.cookies.update(kept)
    assert sent_back(application.follow(posted))["code"] != code


def test_a_no_after_a_yes_takes_the_code_back(application, asks_consent):
    page = application.sign_in(application.ask())
    code = sent_back(application.send(page, decision="allow"))["code"]
    assert sent_back(application.send(page, decision="deny"))["error"] == "access_denied"
    assert application.redeem(code).status_code == 403


@pytest.mark.parametrize(("after_s", "again"), [(10, True), (11, False)])
def test_an_answer_is_given_again_for_ten_seconds(application, clock, after_s, again):
    application.code()
    clock.sleep_ns(after_s * NS)
    reply = application.person.http.get("/authorize/answer", follow_redirects=False)
    assert (reply.status_code == 303) == again


def test_an_adaptive_tenant_knows_the_browser_of_an_application(application, authority, clock):
    authority.mfa.mode = "adaptive"
    page = application.sign_in(application.ask())
    assert "code" in sent_back(application.send(page, code=application.person.one_time_code()))
    application.person.http.cookies.delete("stoa_session")
    assert "code" in sent_back(application.sign_in(application.ask()))


def test_amr_is_of_the_login_that_had_the_factor_alone(application, authority):
    """wire-facts 1.8: absent after a silent request."""
    authority.mfa.mode = "always"
    page = application.sign_in(application.ask())
    first = sent_back(application.send(page, code=application.person.one_time_code()))["code"]
    second = sent_back(application.ask(prompt="none"))["code"]
    for code, expected in ((first, ["pwd", "otp", "mfa"]), (second, None)):
        held = application.redeem(code).json()
        assert jwt.decode(held["id_token"], options={"verify_signature": False}).get("amr") == expected


def test_a_restricted_factor_is_not_met_by_another_given_before(application, authority):
    engine = Engine()
    text = "exports.onExecutePostLogin = async (event, api) => { api.authentication.challengeWith({type: '%s'}); };"
    scripts = ScriptsInForce(engine, authority.post_login, ISSUER)
    try:
        scripts.put([Script("action", "a", text % "otp")])
        page = application.sign_in(application.ask())
        assert "code" in sent_back(application.send(page, code=application.person.one_time_code()))
        scripts.put([Script("action", "a", text % "push-notification")])
        assert not application.ask().is_redirect
    finally:
        engine.close()


def test_a_client_without_refreshes_gets_no_refresh_token(application, store):
    store.put(replace(SPA, grants="authorization_code"))
    assert "refresh_token" not in application.redeem(application.code(scope="openid offline_access")).json()


def test_userinfo_knows_a_token_whose_family_has_ended(application):
    code = application.code(scope="openid offline_access")
    held = application.redeem(code).json()
    bearer = {"Authorization": f"Bearer {held['access_token']}"}
    assert application.person.http.get("/userinfo", headers=bearer).status_code == 200
    application.redeem(code)  # again: somebody has stolen it
    assert application.person.http.get("/userinfo", headers=bearer).status_code == 401


def test_a_password_given_for_one_request_meets_no_prompt_of_another(application, authority):
    """Which is taken up while the password is looked at: that takes a while."""
    sessions, sent = authority.sessions, ASKED | {"prompt": ""}
    _, session = sessions.begin()
    session = sessions.take_up(session, authority.requests.begin(sent))
    sessions.take_up(session, authority.requests.begin(sent | {"prompt": "login"}))
    user = authority.users.check_password(
        application.person.tenant.demo_user, application.person.tenant.demo_password, ""
    )
    _, session = sessions.sign_in(session, user)
    assert sessions.next_step(session, "", "") == "login"


@pytest.mark.parametrize("overtaken", [RequestGone, SessionEnded])
def test_a_silent_request_that_is_overtaken_is_answered(application, authority, monkeypatch, overtaken):
    """In a frame, where no page of ours is shown, the application would wait for ever."""
    application.code()

    def gone(*_, **__):
        raise overtaken

    monkeypatch.setattr(authority.answers, "allow", gone)
    assert sent_back(application.ask(prompt="none"))["error"] == "login_required"
    assert application.ask().status_code == 400
