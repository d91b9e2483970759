"""/authorize with a code: the way there and back, what is refused and where, and what a session need not be asked."""

from __future__ import annotations

import html
import re
from dataclasses import replace

import jwt
import pytest

from host_tools.authority.core.authorization_codes import LIFETIME_S
from host_tools.authority.core.records import AuthorizationCode, AuthorizationRequest, LoginSession
from host_tools.clock import NS

from .application import ASKED, CALLBACK, CHALLENGE, SPA, VERIFIER, sent_back

RESPONSE_TYPES = "response_type is one of: code, token, id_token, id_token token."


def claims_of(token: str) -> dict:
    return jwt.decode(token, options={"verify_signature": False})


def test_a_person_signs_in_and_the_application_gets_its_tokens(application, clock):
    page = application.ask()
    assert "To go on to" in page.text and "Bank" in page.text
    told = sent_back(application.sign_in(page))
    assert set(told) == {"code", "state", "iss"}
    assert (told["state"], told["iss"]) == ("xyz", "http://127.0.0.1:8080/")
    granted = application.redeem(told["code"])
    assert granted.status_code == 200, granted.text
    assert set(granted.json()) == {"access_token", "id_token", "scope", "expires_in", "token_type"}
    access, identity = claims_of(granted.json()["access_token"]), claims_of(granted.json()["id_token"])
    assert (access["aud"], access["scope"], access["azp"]) == (
        ["https://api.example"],
        "openid profile view:balance",
        "spa",
    )
    assert (identity["aud"], identity["nonce"], identity["name"]) == ("spa", "n-0S6", "demo@stoa.example")
    assert "email" not in identity and "at_hash" not in identity


def test_who_is_signed_in_already_sees_no_page(application):
    first = application.code()
    second = sent_back(application.ask(state="again"))
    assert second["state"] == "again" and second["code"] != first
    assert application.redeem(second["code"]).status_code == 200


def test_offline_access_brings_a_refresh_token_that_rotates(application):
    held = application.redeem(application.code(scope="openid offline_access view:balance")).json()
    again = application.person.http.post(
        "/oauth/token",
        data={"grant_type": "refresh_token", "client_id": "spa", "refresh_token": held["refresh_token"]},
    )
    assert again.status_code == 200
    assert again.json()["refresh_token"] != held["refresh_token"]
    assert "nonce" not in claims_of(again.json()["id_token"])


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"client_id": ""}, "not known"),
        ({"client_id": "other"}, "not known"),
        ({"redirect_uri": ""}, "did not say where"),
        ({"redirect_uri": "https://evil.example/callback"}, "not one of its own"),
        ({"redirect_uri": CALLBACK + "/"}, "not one of its own"),
        ({"redirect_uri": CALLBACK + "?x=1"}, "not one of its own"),
        ({"redirect_uri": "https://app.example:443/callback"}, "not one of its own"),
        ({"redirect_uri": "HTTPS://app.example/callback"}, "not one of its own"),
        ({"redirect_uri": "https://app.example/other"}, "not one of its own"),
        ({"redirect_uri": "javascript:alert(1)"}, "not one of its own"),
        ({"redirect_uri": "//evil.example"}, "not one of its own"),
        ({"redirect_uri": "https://app.example/callback\r\nX: y"}, "not one of its own"),
    ],
)
def test_nobody_is_sent_to_an_address_that_is_not_the_applications(application, changed, said):
    reply = application.ask(**changed)
    assert reply.status_code == 400 and said in reply.text
    assert "evil" not in reply.text and "location" not in reply.headers


def test_a_client_without_an_address_is_refused_on_a_page(application, store, tenant):
    reply = application.ask(client_id=tenant.client_id)
    assert reply.status_code == 400 and "has no address to send you back to" in reply.text


@pytest.mark.parametrize(
    ("changed", "error", "said"),
    [
        ({"response_type": ""}, "invalid_request", "Missing required parameter: response_type"),
        ({"response_type": "code id_token"}, "unsupported_response_type", RESPONSE_TYPES),
        ({"audience": "https://other.example"}, "access_denied", "Service not found: https://other.example"),
        ({"code_challenge": ""}, "invalid_request", "code_challenge is required."),
        ({"code_challenge_method": ""}, "invalid_request", "code_challenge_method must be S256."),
        ({"code_challenge_method": "plain"}, "invalid_request", "code_challenge_method must be S256."),
        ({"code_challenge": "short"}, "invalid_request", "code_challenge is 43 to 128 characters of base64url."),
        (
            {"response_mode": "web"},
            "invalid_request",
            "response_mode is one of query, fragment, form_post, web_message.",
        ),
        ({"prompt": "none login"}, "invalid_request", "prompt is none, or of login, consent, select_account."),
        ({"prompt": "create"}, "invalid_request", "prompt is none, or of login, consent, select_account."),
        ({"max_age": "-1"}, "invalid_request", "max_age is a whole number of seconds."),
        ({"max_age": "1.5"}, "invalid_request", "max_age is a whole number of seconds."),
        ({"request": "e30."}, "request_not_supported", "The parameter request is not supported."),
        ({"request_uri": "urn:x"}, "request_uri_not_supported", "The parameter request_uri is not supported."),
        ({"state": "s" * 2001}, "invalid_request", "A parameter is longer than 2000 characters."),
        ({"prompt": "none"}, "login_required", "Login required"),
    ],
)
def test_what_else_is_wrong_goes_back_to_the_application(application, changed, error, said):
    told = sent_back(application.ask(**changed))
    assert (told["error"], told["error_description"]) == (error, said)
    assert told["state"] == (ASKED | changed)["state"] and told["iss"] == "http://127.0.0.1:8080/"


def test_a_parameter_that_comes_twice_is_refused_on_a_page(application):
    reply = application.person.http.get(
        "/authorize", params=[*ASKED.items(), ("state", "other")], follow_redirects=False
    )
    assert reply.status_code == 400 and "included more than once" in reply.text


def test_it_may_be_asked_by_a_form_too(application):
    reply = application.follow(application.person.http.post("/authorize", data=ASKED, follow_redirects=False))
    assert "code" in sent_back(application.sign_in(reply))


@pytest.mark.parametrize("path", ["/authorize", "/authorize/answer"])
def test_looking_at_the_head_alone_begins_nothing(application, store, path):
    """RFC 9110 9.2.1: HEAD is safe. There a GET keeps a request, or gives a code."""
    application.sign_in(application.ask())
    before = store.find(AuthorizationRequest), store.find(AuthorizationCode), store.find(LoginSession)
    reply = application.person.http.head(path, params=ASKED, follow_redirects=False)
    assert (reply.status_code, "HEAD" in reply.headers["allow"], "set-cookie" in reply.headers) == (405, False, False)
    assert (store.find(AuthorizationRequest), store.find(AuthorizationCode), store.find(LoginSession)) == before


def test_an_address_of_several_with_a_query_keeps_it(application):
    reply = application.ask(redirect_uri="https://app.example/other?page=1")
    reply = application.sign_in(reply)
    assert re.fullmatch(
        r"https://app\.example/other\?page=1&code=[\w-]+&state=xyz&iss=http[^&]+", reply.headers["location"]
    )


@pytest.mark.parametrize(
    ("changed", "error", "said"),
    [
        ({"code_verifier": ""}, "invalid_grant", "Failed to verify code verifier"),
        ({"code_verifier": VERIFIER + "x"}, "invalid_grant", "Failed to verify code verifier"),
        ({"code_verifier": CHALLENGE}, "invalid_grant", "Failed to verify code verifier"),
        ({"redirect_uri": ""}, "invalid_request", "Missing required parameter: redirect_uri"),
        ({"redirect_uri": CALLBACK + "/"}, "invalid_grant", "Invalid authorization code"),
        ({"code": "x"}, "invalid_grant", "Invalid authorization code"),
        ({"client_id": "other"}, "invalid_client", "Unknown client."),
        ({"client_id": "another"}, "invalid_grant", "Invalid authorization code"),
    ],
)
def test_a_code_is_good_for_one_client_one_address_and_one_verifier(application, store, changed, error, said):
    store.put(replace(SPA, client_id="another"))
    code = application.code()
    refused = application.redeem(**{"code": code} | changed)
    assert (refused.json()["error"], refused.json()["error_description"]) == (error, said)
    assert application.redeem(code).status_code == 200  # whoever asked wrongly has not spent it


def test_a_code_lives_a_minute(application, clock):
    late, in_time = application.code(), None
    clock.sleep_ns(LIFETIME_S * NS)
    assert application.redeem(late).status_code == 403
    in_time = application.code()
    clock.sleep_ns((LIFETIME_S - 1) * NS)
    assert application.redeem(in_time).status_code == 200


def test_a_code_that_comes_again_ends_what_the_first_gave(application, authority):
    """RFC 6749 4.1.2."""
    code = application.code(scope="openid offline_access")
    held = application.redeem(code).json()
    assert application.redeem(code).status_code == 403
    refused = application.person.http.post(
        "/oauth/token",
        data={"grant_type": "refresh_token", "client_id": "spa", "refresh_token": held["refresh_token"]},
    )
    assert refused.json()["error"] == "invalid_grant"
    assert "code_reused" in [each.kind for each in authority.events.newest(5)]


@pytest.mark.parametrize(
    ("prompt", "asked"), [("", False), ("login", True), ("select_account", True), ("consent", False)]
)
def test_prompt_may_ask_for_the_password_again(application, prompt, asked):
    """Of who has signed in a moment ago as well, by a clock that stands still."""
    application.code()
    reply = application.ask(prompt=prompt)
    assert ('name="password"' in reply.text) == asked
    if asked:
        assert "code" in sent_back(application.sign_in(reply))


@pytest.mark.parametrize(
    ("max_age", "after_s", "asked"), [("60", 60, False), ("60", 61, True), ("0", 1, True), ("0", 0, True)]
)
def test_max_age_asks_for_the_password_again(application, clock, max_age, after_s, asked):
    application.code()
    clock.sleep_ns(after_s * NS)
    reply = application.ask(max_age=max_age)
    assert ('name="password"' in reply.text) == asked
    if asked:
        claims = claims_of(application.redeem(sent_back(application.sign_in(reply))["code"]).json()["id_token"])
        assert claims["auth_time"] == clock.now_ns() // NS


def test_consent_is_asked_once_for_what_was_not_allowed_before(application, asks_consent):
    page = application.sign_in(application.ask())
    assert "Allow Bank?" in page.text and "know your name" in page.text and "view:balance" in page.text
    assert "code" in sent_back(application.send(page, decision="allow"))
    assert "code" in sent_back(application.ask())  # not again
    assert "code" in sent_back(application.ask(scope="openid view:balance"))  # less is within it
    more = application.ask(scope="openid transfer:funds")
    assert "transfer:funds" in more.text
    told = sent_back(application.send(more, decision="deny"))
    assert (told["error"], told["error_description"]) == ("access_denied", "User did not authorize the request")
    assert "Allow Bank?" in application.ask(prompt="consent").text
    assert sent_back(application.ask(prompt="none", scope="openid transfer:funds"))["error"] == "consent_required"


def test_consent_given_in_an_old_tab_does_not_answer_a_newer_request(application, asks_consent):
    old = application.sign_in(application.ask(state="old"))
    new = application.ask(state="new")
    reply = application.send(old, decision="allow")
    assert "Allow Bank?" in reply.text  # of the new one: it is asked again
    assert sent_back(application.send(new, decision="allow"))["state"] == "new"


def test_the_second_click_of_a_double_click_brings_an_answer_as_good(application, asks_consent):
    page = application.sign_in(application.ask())
    first = sent_back(application.send(page, decision="allow"))["code"]
    second = sent_back(application.send(page, decision="allow"))["code"]
    assert application.redeem(first).status_code == 403  # the browser has dropped it
    assert application.redeem(second).status_code == 200


def test_a_second_factor_is_asked_for_where_the_tenant_wants_one(application, authority, clock):
    authority.mfa.mode = "always"
    page = application.sign_in(application.ask())
    assert 'autocomplete="one-time-code"' in page.text
    told = sent_back(application.send(page, code=application.person.one_time_code()))
    identity = claims_of(application.redeem(told["code"]).json()["id_token"])
    assert identity["amr"] == ["pwd", "otp", "mfa"]
    application.person.http.cookies.clear()
    application.sign_in(application.ask())
    told = sent_back(application.ask(prompt="none"))
    assert (told["error"], told["error_description"]) == ("login_required", "Multifactor authentication required")


def test_an_old_request_is_told_to_be_gone(application, clock, asks_consent):
    page = application.sign_in(application.ask())
    # The session was renewed at sign-in; the request is from before.
    clock.sleep_ns(3600 * NS)
    reply = application.send(page, decision="allow")
    assert reply.status_code in (400, 403)


def test_no_form_leads_anywhere_but_here_and_to_the_application(application, asks_consent):
    page = application.sign_in(application.ask())
    policy = page.headers["content-security-policy"]
    assert "form-action 'self' https://app.example;" in policy


def test_form_post_is_a_form_without_a_script(application):
    page = application.sign_in(application.ask(response_mode="form_post", state='"><script>alert(1)</script>'))
    assert page.status_code == 200 and "<script" not in page.text
    assert re.search(f'<form method="post" action="{CALLBACK}"', page.text)
    fields = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page.text))
    assert html.unescape(fields["state"]) == '"><script>alert(1)</script>'
    assert application.redeem(fields["code"]).status_code == 200
