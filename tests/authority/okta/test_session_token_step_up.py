"""What a session token does not stand for: what a script or the application asks beyond it, and a time that is past."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest

from host_tools.authority.core.access_tokens import MFA_ACR
from host_tools.authority.core.authn_records import DeviceChoice
from host_tools.authority.core.policies import Directive
from host_tools.authority.core.post_login import Verdict
from host_tools.authority.core.resource_records import SessionFactor
from host_tools.clock import NS
from tests.authority.authorize.application import SPA, sent_back
from tests.authority.mfa_wire import PHONE, claims_of, demo_person, give, text_of, wrong

from .okta_wire import V1, Api
from .test_session_tokens import OktaApplication

ASKS, ASKS_EACH_TIME, ASKS_A_PUSH = (
    Directive(True),
    Directive(True, remembers=False),
    Directive(True, factors=("push",)),
)
UNPAGED = "Multifactor authentication required"
ONE_FACTOR, TWO_FACTORS = ["pwd"], ["pwd", "otp", "mfa"]


@pytest.fixture
def application(browser, store) -> OktaApplication:
    store.put(SPA)
    return OktaApplication(browser, f"{V1}/token")


def token_of(api: Api, amr: list[str]) -> str:
    """A session token of who gave a factor, or of a remembered device."""
    token: str = api.through(rememberDevice="true")["sessionToken"]
    if amr == TWO_FACTORS:
        return token
    token = api.begun()["sessionToken"]
    return token


def is_asked(page: httpx2.Response) -> bool:
    return 'autocomplete="one-time-code"' in page.text


def granted(application: OktaApplication, reply: httpx2.Response) -> dict[str, Any]:
    """What the access token says that the application is given."""
    return claims_of(application.redeem(sent_back(reply)["code"]).json()["access_token"])


@pytest.mark.parametrize("amr", [ONE_FACTOR, TWO_FACTORS])
@pytest.mark.parametrize(
    ("directive", "passes"),
    [
        (None, (ONE_FACTOR, TWO_FACTORS)),
        (Directive(False), (ONE_FACTOR, TWO_FACTORS)),
        (ASKS, (TWO_FACTORS,)),
        (ASKS_EACH_TIME, ()),
        (ASKS_A_PUSH, ()),
    ],
)
def test_a_script_asks_for_what_the_token_does_not_bring(application, api, authority, directive, passes, amr):
    authority.post_login.judge = lambda attempt: Verdict(directive)
    told = sent_back(application.ask(prompt="none", sessionToken=token_of(api, amr)))
    assert ("code" in told) is (amr in passes)
    assert told.get("error_description") == (None if amr in passes else UNPAGED)


@pytest.mark.parametrize(
    ("amr", "directive", "asked"),
    [
        (ONE_FACTOR, None, {"acr_values": MFA_ACR}),
        (ONE_FACTOR, ASKS, {}),
        (ONE_FACTOR, ASKS_EACH_TIME, {}),
        (TWO_FACTORS, ASKS_EACH_TIME, {}),
    ],
)
def test_a_right_code_goes_through(application, api, authority, clock, amr, directive, asked):
    authority.post_login.judge = directive and (lambda attempt: Verdict(directive))
    page = application.ask(sessionToken=token_of(api, amr), **asked)
    assert is_asked(page)
    clock.sleep_ns(30 * NS)
    claims = granted(application, application.send(page, code=api.code()))
    assert (claims["amr"], claims["auth_time"]) == (TWO_FACTORS, clock.now_ns() // NS)


def test_a_factor_that_a_script_wants_is_not_another(application, api, authority, store, tenant, clock):
    give(authority, demo_person(store, tenant), "sms", PHONE)
    authority.post_login.judge = lambda attempt: Verdict(Directive(True, factors=("sms",)))
    page = application.ask(sessionToken=token_of(api, TWO_FACTORS))
    assert "Send" in page.text and not is_asked(page)
    claims = granted(application, application.send(application.send(page), code=text_of(authority)))
    assert claims["amr"] == ["pwd", "sms", "mfa"]


def test_who_brings_what_is_asked_for_meets_no_page(application, api):
    reply = application.ask(sessionToken=token_of(api, TWO_FACTORS), acr_values=MFA_ACR)
    assert granted(application, reply)["amr"] == TWO_FACTORS


@pytest.mark.parametrize(("directive", "asked"), [(None, {"acr_values": MFA_ACR}), (ASKS, {}), (ASKS_EACH_TIME, {})])
def test_a_wrong_code_is_counted_and_remembers_nothing(application, api, authority, store, directive, asked):
    authority.mfa.mode = "never"
    authority.post_login.judge = directive and (lambda attempt: Verdict(directive))
    page = application.ask(sessionToken=api.begun()["sessionToken"], **asked)
    again = application.send(page, code=wrong(api.code()), remember_device="yes")
    assert (again.status_code, is_asked(again)) == (400, True)
    assert authority.events.newest(1)[0].kind == "mfa_failed"
    assert store.find(DeviceChoice) == store.find(SessionFactor) == []
    authority.mfa.mode, authority.post_login.judge = "always", None
    application.person.http.cookies.delete("stoa_session")
    assert is_asked(application.sign_in(application.ask()))


def test_tries_are_limited_as_anywhere(application, api, authority):
    authority.mfa.mode = "never"
    page = application.ask(sessionToken=api.begun()["sessionToken"], acr_values=MFA_ACR)
    statuses = [application.send(page, code=wrong(api.code())).status_code for _ in range(11)]
    assert statuses == [400] * 10 + [429]


def test_the_first_of_two_that_are_asked_for_remembers_nothing(application, api, authority, store, tenant, clock):
    """The session has its token's time and no factor: neither makes one of two the last."""
    authority.mfa.mode, authority.mfa.factors = "never", 2
    give(authority, demo_person(store, tenant), "sms", PHONE)
    page = application.ask(sessionToken=api.begun()["sessionToken"], acr_values=MFA_ACR)
    page = application.send(page, code=api.code(), remember_device="yes")
    assert "One more" in page.text and store.find(DeviceChoice) == []


def test_a_verdict_that_comes_late_takes_no_factor_away(application, api, authority, clock):
    """Two tabs ask the scripts at once; one is answered once the other has been through the page."""
    verdict = Verdict(ASKS_EACH_TIME)
    authority.post_login.judge = lambda attempt: verdict
    page = application.ask(sessionToken=token_of(api, TWO_FACTORS))
    before = authority.sessions.find(application.person.http.cookies["stoa_session"])
    clock.sleep_ns(30 * NS)
    assert "code" in sent_back(application.send(page, code=api.code()))
    after = authority.sessions.find(application.person.http.cookies["stoa_session"])
    assert authority.sessions.keep_verdict(before, verdict.text()) == after
    assert after.otp_at == clock.now_ns()


@pytest.mark.parametrize("asked", [{}, {"max_age": "299"}])
@pytest.mark.parametrize("amr", [ONE_FACTOR, TWO_FACTORS])
def test_what_it_brings_was_given_when_it_was_issued(application, api, store, clock, amr, asked):
    token, issued_at = token_of(api, amr), clock.now_ns()
    clock.sleep_ns(299 * NS)
    claims = granted(application, application.ask(prompt="none", sessionToken=token, **asked))
    assert claims["auth_time"] == issued_at // NS
    given = [(each.factor, each.given_at) for each in store.find(SessionFactor)]
    assert given == ([("otp", issued_at)] if amr == TWO_FACTORS else [])


@pytest.mark.parametrize(("max_age", "elapsed_s", "good"), [(60, 60, True), (60, 61, False), (0, 0, False)])
def test_it_is_no_younger_than_its_user_s_sign_in(application, api, clock, max_age, elapsed_s, good):
    """OpenID Connect Core 3.1.2.1, max_age: else who signed in too long ago is asked to do so again."""
    token = token_of(api, TWO_FACTORS)
    clock.sleep_ns(elapsed_s * NS)
    told = sent_back(application.ask(prompt="none", sessionToken=token, max_age=str(max_age)))
    assert told.get("error") == (None if good else "login_required")
    if not good:
        assert "Sign in" in application.ask(sessionToken=token, max_age=str(max_age)).text
        assert "code" in sent_back(application.ask(prompt="none", sessionToken=token))  # it was not spent


@pytest.mark.parametrize(
    ("mode", "amr", "renews"),
    [
        ("always", TWO_FACTORS, True),
        ("always", ONE_FACTOR, False),  # this browser is no device of the sign-in API's
        ("adaptive", TWO_FACTORS, True),
        ("rule", TWO_FACTORS, False),  # seeds/000: allowRememberBrowser: false
    ],
)
def test_an_application_renews_in_silence_after_a_factor_in_its_session(application, api, authority, mode, amr, renews):
    authority.mfa.mode = mode
    authority.mfa.confidence = "low"
    assert "code" in sent_back(application.ask(prompt="none", sessionToken=token_of(api, amr)))
    told = sent_back(application.ask(prompt="none"))
    assert ("code" in told) is renews
    assert told.get("error_description") == (None if renews else UNPAGED)
