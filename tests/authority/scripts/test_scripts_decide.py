"""Scripts of a tenant on the wire: the display's pairing and its refreshes, policies beside them, what is logged."""

from __future__ import annotations

import jwt
import pytest

from host_tools.authority.core.authority import Authority
from host_tools.authority.scripts import Script
from host_tools.authority.snapshot import put_back, take

from ..conftest import Browser, Display
from ..mfa_wire import add_app, code_of, demo_person
from .conftest import text_of
from .test_actions import action
from .test_rules import PASS, rule


def put(scripts, *texts: str, kind: str = "rule") -> None:
    scripts.put([Script(kind, f"{kind} {at}", text) for at, text in enumerate(texts)])


def asks_for_a_code(page) -> bool:
    return 'autocomplete="one-time-code"' in page.text


def login(browser: Browser, display: Display):
    return browser.sign_in(browser.type_code(display.ask().json()["user_code"]))


def error_of(reply) -> tuple[int, str, str]:
    return reply.status_code, reply.json()["error"], reply.json()["error_description"]


def test_the_first_rule_of_the_story_stops_the_display(scripts, display, browser, tokens):
    put(scripts, text_of("challenges_everything"))
    refused = display.refresh(tokens["refresh_token"])
    assert error_of(refused) == (403, "mfa_required", "Multifactor authentication required")
    assert set(refused.json()) == {"error", "error_description", "mfa_token"}
    # The token is left as it was: once the rule is lifted, it refreshes.
    scripts.put([])
    assert display.refresh(tokens["refresh_token"]).status_code == 200


def test_the_second_rule_lets_it_refresh_and_still_challenges_the_first_login(scripts, display, browser, tokens):
    put(scripts, text_of("spares_displays"))
    renewed = display.refresh(tokens["refresh_token"])
    assert renewed.status_code == 200
    assert display.refresh(renewed.json()["refresh_token"]).status_code == 200
    browser.http.cookies.clear()
    assert asks_for_a_code(login(browser, display))


@pytest.mark.parametrize("mode", ["always", "adaptive"])
def test_a_policy_instead_of_a_rule_leaves_the_refresh_alone(authority: Authority, display, tokens, mode):
    authority.mfa.mode = mode
    assert display.refresh(tokens["refresh_token"]).status_code == 200


@pytest.mark.parametrize("mode", ["never", "always", "adaptive", "rule"])
@pytest.mark.parametrize(("wanted", "challenged"), [("any", True), ("none", False)])
def test_a_script_goes_before_every_policy(
    scripts, authority: Authority, display, browser, tokens, mode, wanted, challenged
):
    authority.mfa.mode, authority.mfa.strict = mode, True
    put(scripts, action(f"api.multifactor.enable('{wanted}', {{allowRememberBrowser: false}});"), kind="action")
    assert (display.refresh(tokens["refresh_token"]).status_code == 403) == challenged
    browser.http.cookies.clear()
    assert asks_for_a_code(login(browser, display)) == challenged


def test_a_script_that_says_nothing_leaves_it_to_the_policy(scripts, authority: Authority, display, browser, tokens):
    put(scripts, rule(PASS))
    authority.mfa.mode, authority.mfa.strict = "always", True
    assert display.refresh(tokens["refresh_token"]).status_code == 403
    authority.mfa.mode = "never"
    assert display.refresh(tokens["refresh_token"]).status_code == 200


@pytest.mark.parametrize(("remembers", "asked_again"), [("true", False), ("false", True)])
def test_a_browser_is_remembered_where_the_script_says_so(scripts, display, browser, clock, remembers, asked_again):
    put(scripts, action(f"api.multifactor.enable('any', {{allowRememberBrowser: {remembers}}});"), kind="action")
    page = login(browser, display)
    browser.send(browser.send(page, code=browser.one_time_code()), decision="allow")
    clock.sleep_ns(60 * 10**9)
    assert asks_for_a_code(browser.type_code(display.ask().json()["user_code"])) == asked_again


def test_who_is_denied_at_a_first_login_reads_why_and_the_device_hears_it(scripts, display, browser):
    put(scripts, rule("callback(new UnauthorizedError('Not <b>today</b>'));"))
    begun = display.ask().json()
    page = browser.sign_in(browser.type_code(begun["user_code"]))
    assert page.status_code == 403
    assert "Not &lt;b&gt;today&lt;/b&gt;" in page.text and "<b>" not in page.text
    assert error_of(display.poll(begun["device_code"])) == (403, "access_denied", "Not <b>today</b>")
    assert "Type the code" in browser.see("/activate").text  # and the browser may go on with another device


def test_who_is_denied_a_refresh_keeps_the_token(scripts, display, tokens):
    put(scripts, action("api.access.deny('Outside of hours');"), kind="action")
    refused = display.refresh(tokens["refresh_token"])
    assert error_of(refused) == (403, "access_denied", "Outside of hours")
    scripts.put([])
    assert display.refresh(tokens["refresh_token"]).status_code == 200


def test_a_script_that_fails_denies_and_is_named_in_the_log(scripts, authority: Authority, display, tokens):
    put(scripts, rule(PASS), rule("\n  context.nothing.at.all;"))
    refused = display.refresh(tokens["refresh_token"])
    assert error_of(refused)[:2] == (403, "access_denied")
    logged = {each.kind: each.detail for each in authority.events.newest(3)}
    assert logged["script_failed"] == "rule rule 1: threw TypeError: cannot read property 'at' of undefined (line 2)"
    assert logged["denied_by_script"] == "oauth2-refresh-token"


def test_a_refresh_that_is_refused_anyway_runs_no_script(scripts, authority: Authority, display, tokens):
    put(scripts, rule("callback(new Error('ran'));"))
    for sent in ({"refresh_token": "v1.unknown"}, {"scope": "more"}):
        reply = display.refresh(**{"refresh_token": tokens["refresh_token"]} | sent)
        assert reply.json()["error"] in ("invalid_grant", "invalid_scope")
    assert not [each for each in authority.events.newest(9) if each.kind == "denied_by_script"]


def test_claims_come_into_the_tokens_at_login_and_at_each_refresh(scripts, display, browser):
    body = "api.accessToken.setCustomClaim('https://x/p', event.transaction.protocol);"
    body += (
        "api.idToken.setCustomClaim('https://x/p', event.transaction.protocol); api.idToken.setCustomClaim('sub', 'e');"
    )
    put(scripts, action(body), kind="action")
    begun = display.ask(scope="openid offline_access read:quotes").json()
    browser.decide(begun["user_code"])
    held = display.poll(begun["device_code"]).json()
    for protocol in ("oauth2-device-code", "oauth2-refresh-token"):
        for kind in ("access_token", "id_token"):
            claims = jwt.decode(held[kind], options={"verify_signature": False})
            assert (claims["https://x/p"], claims["sub"][:6]) == (protocol, "auth0|")
        held = display.refresh(held["refresh_token"]).json()


def test_a_password_is_judged_too_and_claims_survive_the_second_factor(scripts, http, store, tenant, clock):
    text = "if (event.transaction.protocol === 'oauth2-password') api.multifactor.enable('any');"
    put(scripts, action(f"{text} api.accessToken.setCustomClaim('https://x/s', 1);"), kind="action")
    app, demo = add_app(http, store, tenant), demo_person(store, tenant)
    granted = app.otp(app.mfa_token(demo), code_of(tenant.totp_secret, clock, 0))
    assert jwt.decode(granted.json()["access_token"], options={"verify_signature": False})["https://x/s"] == 1


def test_factors_that_a_script_does_not_allow_do_not_count(scripts, http, store, tenant, clock):
    put(scripts, action("api.authentication.challengeWith({type: 'email'});"), kind="action")
    app, demo = add_app(http, store, tenant), demo_person(store, tenant)
    refused = app.otp(app.mfa_token(demo), code_of(tenant.totp_secret, clock, 0))
    assert (refused.status_code, refused.json()["error"]) == (401, "unsupported_challenge_type")


def test_a_snapshot_has_the_scripts(scripts, authority: Authority, display, tokens):
    put(scripts, text_of("challenges_everything"))
    kept = take(authority)
    scripts.put([])
    assert scripts.all() == ()
    put_back(authority, kept)
    assert [each.name for each in scripts.all()] == ["rule 0"]
    assert display.refresh(tokens["refresh_token"]).status_code == 403
