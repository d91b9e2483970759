"""max_age and acr_values: what a resource has asked for by RFC 9470 is asked of the person (its section 4), by an
application at /authorize and by a display in its device authorization request."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient

from host_tools.authority.core.authority import Authority
from host_tools.authority.core.resource_policy import ResourcePolicy, ResourceRule
from host_tools.authority.tenant import AUDIENCE, Tenant
from host_tools.authority.tenant_settings import ApiSettings
from host_tools.clock import NS, VirtualClock

from ..authorize.application import CALLBACK, SPA, Application, sent_back
from ..conftest import ISSUER, Browser, Display
from ..mfa_wire import add_app, add_person, claims_of
from .api import MFA, START_S, asked, challenge, serving

WEEK_S = 604_800
# seeds' field failure of a display that is stale after a week: examples/quotes.
QUOTES = ApiSettings(
    ResourcePolicy(
        AUDIENCE,
        "/api/quotes",
        (ResourceRule("GET", "/today", "mfa", "read:quotes", WEEK_S),),
        freshness="auth_time",
    ),
    "quotes",
)


@pytest.fixture
def http(authority: Authority, tenant: Tenant) -> Iterator[TestClient]:
    with serving(authority, QUOTES) as client:
        yield client


@pytest.fixture
def application(http, tenant: Tenant, store, clock) -> Iterator[Application]:
    store.put(SPA)
    with TestClient(http.app, base_url=ISSUER) as client:
        yield Application(Browser(client, tenant, clock))


def asks_for_a_code(page) -> bool:
    return 'autocomplete="one-time-code"' in page.text


def asks_for_a_password(page) -> bool:
    return 'name="password"' in page.text


def demanded(refused) -> dict[str, str]:
    """What a challenge asks for, as whoever was refused asks for it."""
    told = dict(re.findall(r'(\w+)="([^"]*)"', challenge(refused)))
    assert told["error"] == "insufficient_user_authentication"
    return {name: told[name] for name in ("acr_values", "max_age") if name in told}


def paired(display: Display, browser: Browser, **sent: str) -> dict[str, Any]:
    begun = display.ask(**sent).json()
    assert browser.decide(begun["user_code"]).status_code == 200
    granted: dict[str, Any] = display.poll(begun["device_code"]).json()
    return granted


# A display.


def test_under_mfa_never_a_display_gets_what_it_asks_for_and_no_more(display, browser, authority: Authority):
    assert authority.mfa.mode == "never"
    page = browser.sign_in(browser.type_code(display.ask().json()["user_code"]))
    assert not asks_for_a_code(page)
    page = browser.type_code(display.ask(acr_values=MFA).json()["user_code"])
    assert asks_for_a_code(page)
    page = browser.send(page, code=browser.one_time_code())
    assert not asks_for_a_code(page)
    # It has been given in this session by now.
    assert not asks_for_a_code(browser.type_code(display.ask(acr_values=MFA).json()["user_code"]))


def test_the_tokens_say_how_the_person_had_signed_in(display, browser, clock):
    plain = claims_of(paired(display, browser)["access_token"])
    assert plain["amr"] == ["pwd"] and "acr" not in plain and plain["sid"]
    clock.sleep_ns(90 * NS)
    tokens = paired(display, browser, acr_values=MFA)
    strong = claims_of(tokens["access_token"])
    assert (strong["amr"], strong["acr"], strong["auth_time"]) == (["pwd", "otp", "mfa"], MFA, START_S + 90)
    assert strong["sid"] == plain["sid"]
    # And keep saying so (RFC 9068 2.2.1).
    clock.sleep_ns(1000 * NS)
    refreshed = claims_of(display.refresh(tokens["refresh_token"]).json()["access_token"])
    assert {name: refreshed[name] for name in ("amr", "acr", "auth_time", "sid")} == {
        name: strong[name] for name in ("amr", "acr", "auth_time", "sid")
    }


@pytest.mark.parametrize("acr_values", ["", "urn:x", "phr phrh", MFA.upper(), f"{MFA}/", "0", "é", '"', "x" * 500])
def test_acr_values_that_mean_nothing_here_are_left_alone(display, browser, acr_values):
    """OpenID Connect Core 5.5.1.1: they are voluntary."""
    page = browser.sign_in(browser.type_code(display.ask(acr_values=acr_values).json()["user_code"]))
    assert "decision" in page.text and not asks_for_a_code(page)


@pytest.mark.parametrize("acr_values", [f"urn:x {MFA}", f"{MFA} urn:x", f"  {MFA}  ", f"{MFA} {MFA}"])
def test_one_of_several_that_does_is_not(display, browser, acr_values):
    assert asks_for_a_code(browser.sign_in(browser.type_code(display.ask(acr_values=acr_values).json()["user_code"])))


@pytest.mark.parametrize(("max_age", "after_s", "anew"), [("60", 60, False), ("60", 61, True), ("0", 0, True)])
def test_a_session_that_is_older_signs_in_anew(display, browser, clock, max_age, after_s, anew):
    paired(display, browser)
    clock.sleep_ns(after_s * NS)
    begun = display.ask(max_age=max_age).json()
    page = browser.type_code(begun["user_code"])
    assert asks_for_a_password(page) == anew
    if anew:
        page = browser.sign_in(page)
    assert not asks_for_a_password(page) and not asks_for_a_code(page)
    browser.send(page, decision="allow")
    told = claims_of(display.poll(begun["device_code"]).json()["access_token"])
    assert told["auth_time"] == START_S + (after_s if anew else 0)


def test_how_old_it_is_counts_as_of_now(display, browser, clock):
    """Whoever finds the display's code late is as old by then as the resource will find them."""
    paired(display, browser)
    begun = display.ask(max_age="60").json()
    clock.sleep_ns(61 * NS)
    page = browser.type_code(begun["user_code"])
    assert asks_for_a_password(page)
    # Who has signed in for this very request has, however long the pages after that take.
    page = browser.sign_in(page)
    clock.sleep_ns(300 * NS)
    browser.send(page, decision="allow")
    assert claims_of(display.poll(begun["device_code"]).json()["access_token"])["auth_time"] == START_S + 61
    # And has not for another.
    assert asks_for_a_password(browser.type_code(display.ask(max_age="60").json()["user_code"]))


@pytest.mark.parametrize(("after_s", "anew"), [(60, False), (61, True)])
def test_who_grows_too_old_before_they_answer_signs_in_anew(display, browser, clock, after_s, anew):
    paired(display, browser)
    begun = display.ask(max_age="60").json()
    page = browser.type_code(begun["user_code"])
    assert "decision" in page.text
    clock.sleep_ns(after_s * NS)
    page = browser.send(page, decision="allow")
    assert asks_for_a_password(page) == anew
    status = display.poll(begun["device_code"]).status_code
    assert status == (403 if anew else 200)
    if anew:
        clock.sleep_ns(5 * NS)  # the display's pace
        browser.send(browser.sign_in(page), decision="allow")
        assert display.poll(begun["device_code"]).status_code == 200


def test_so_does_an_application_s_person(application, clock):
    application.code()
    clock.sleep_ns(59 * NS)
    page = application.ask(acr_values=MFA, max_age="60")
    assert asks_for_a_code(page)
    clock.sleep_ns(2 * NS)
    page = application.send(page, code=application.person.one_time_code())
    assert asks_for_a_password(page)
    page = application.sign_in(page)
    clock.sleep_ns(120 * NS)
    code = sent_back(application.send(page, code=application.person.one_time_code()))["code"]
    assert claims_of(application.redeem(code).json()["access_token"])["auth_time"] == START_S + 181


def test_who_signs_in_anew_gives_their_factor_anew_too(display, browser, clock):
    first = claims_of(paired(display, browser, acr_values=MFA)["access_token"])
    clock.sleep_ns(100 * NS)
    page = browser.type_code(display.ask(acr_values=MFA, max_age="60").json()["user_code"])
    assert asks_for_a_password(page)
    assert asks_for_a_code(browser.sign_in(page))
    assert claims_of(paired(display, browser, acr_values=MFA, max_age="60")["access_token"])["sid"] != first["sid"]


def test_without_acr_values_a_new_login_is_one_with_a_password(display, browser, clock):
    paired(display, browser, acr_values=MFA)
    clock.sleep_ns(100 * NS)
    told = claims_of(paired(display, browser, max_age="60")["access_token"])
    assert told["amr"] == ["pwd"] and "acr" not in told


def test_max_age_0_is_met_once_by_a_clock_that_stands_still(display, browser):
    paired(display, browser)
    begun = display.ask(max_age="0", acr_values=MFA).json()
    page = browser.sign_in(browser.type_code(begun["user_code"]))
    page = browser.send(page, code=browser.one_time_code())
    assert "decision" in page.text
    browser.send(page, decision="allow")
    assert display.poll(begun["device_code"]).status_code == 200
    # And not for the next.
    assert asks_for_a_password(browser.type_code(display.ask(max_age="0").json()["user_code"]))


def test_who_has_no_second_factor_enrols_one(display, browser, store):
    person = add_person(store)
    page = browser.type_code(display.ask(acr_values=MFA).json()["user_code"])
    page = browser.send(page, username=person.username, password=person.password)
    assert page.url.path == "/second-factor/enrol"


def test_nobody_goes_round_the_factor(display, browser):
    """By the form of consent, sent before its page is due."""
    begun = display.ask(acr_values=MFA).json()
    page = browser.sign_in(browser.type_code(begun["user_code"]))
    assert asks_for_a_code(page)
    token = re.search(r'name="csrf_token" value="([^"]+)"', page.text).group(1)
    fields = {"csrf_token": token, "decision": "allow", "user_code": begun["user_code"]}
    assert asks_for_a_code(browser.http.post("/consent", data=fields, follow_redirects=True))
    assert display.poll(begun["device_code"]).json()["error"] == "authorization_pending"


# The whole of RFC 9470 with a display: refused, asked for, opened.


def test_a_display_that_was_refused_is_let_in_after_a_grant_with_what_the_challenge_asks_for(display, browser, clock):
    tokens = paired(display, browser)
    refused = display.quote(tokens["access_token"])
    assert (refused.status_code, challenge(refused)) == (
        401,
        'Bearer realm="api", error="insufficient_user_authentication",'
        f' error_description="A second factor is required", acr_values="{MFA}", max_age="604800"',
    )
    # "freshness CANNOT be fixed by a refresh" (wire-facts 2).
    assert display.quote(display.refresh(tokens["refresh_token"]).json()["access_token"]).status_code == 401
    tokens = paired(display, browser, **demanded(refused))
    assert display.quote(tokens["access_token"]).status_code == 200

    clock.skip_ns(WEEK_S * NS)
    tokens = display.refresh(tokens["refresh_token"]).json()
    assert display.quote(tokens["access_token"]).status_code == 200
    clock.skip_ns(NS)
    refused = display.quote(tokens["access_token"])
    assert (refused.status_code, challenge(refused)) == (
        401,
        'Bearer realm="api", error="insufficient_user_authentication",'
        f' error_description="More recent authentication is required", acr_values="{MFA}", max_age="604800"',
    )
    tokens = display.refresh(tokens["refresh_token"]).json()
    assert display.quote(tokens["access_token"]).status_code == 401
    tokens = paired(display, browser, **demanded(refused))
    assert display.quote(tokens["access_token"]).status_code == 200


def test_so_is_one_of_the_rfcs_dialect(authority: Authority, tenant: Tenant, clock: VirtualClock):
    with serving(authority, QUOTES, dialect="rfc") as http, TestClient(http.app, base_url=ISSUER) as other:
        browser = Browser(other, tenant, clock)

        def granted(**sent: str) -> str:
            fields = {"client_id": tenant.client_id, "scope": tenant.scope} | sent
            begun = http.post("/device_authorization", data=fields).json()
            browser.decide(begun["user_code"])
            grant = {"grant_type": "urn:ietf:params:oauth:grant-type:device_code", "client_id": tenant.client_id}
            reply = http.post("/token", data=grant | {"device_code": begun["device_code"]})
            return str(reply.json()["access_token"])

        refused = asked(http, "/api/quotes/today", granted())
        assert asked(http, "/api/quotes/today", granted(**demanded(refused))).status_code == 200


def test_so_is_an_application(application, store, tenant: Tenant, http):
    mine = {"client_id": "web", "audience": tenant.audience, "scope": "openid read:quotes"}
    add_app(http, store, tenant, "web", secret_hash="", grants="authorization_code", redirect_uris=CALLBACK,
            skips_consent=True)  # fmt: skip

    def token(code: str) -> str:
        return str(application.redeem(code, client_id="web").json()["access_token"])

    refused = asked(http, "/api/quotes/today", token(application.code(**mine)))
    page = application.ask(**mine, **demanded(refused))
    assert asks_for_a_code(page)
    code = sent_back(application.send(page, code=application.person.one_time_code()))["code"]
    assert asked(http, "/api/quotes/today", token(code)).status_code == 200


# An application at /authorize.


def test_an_application_gets_what_it_asks_for_and_no_more(application, authority: Authority):
    plain = claims_of(application.redeem(application.code()).json()["access_token"])
    assert plain["amr"] == ["pwd"] and "acr" not in plain
    page = application.ask(acr_values=MFA)
    assert asks_for_a_code(page)
    code = sent_back(application.send(page, code=application.person.one_time_code()))["code"]
    strong = claims_of(application.redeem(code).json()["access_token"])
    assert (strong["amr"], strong["acr"], strong["sid"]) == (["pwd", "otp", "mfa"], MFA, plain["sid"])
    assert "code" in sent_back(application.ask(acr_values=MFA))
    assert "code" in sent_back(application.ask())


@pytest.mark.parametrize("acr_values", ["urn:x", "phr", MFA.upper(), "x" * 500])
def test_what_means_nothing_here_is_left_alone_there_too(application, acr_values):
    assert application.code(acr_values=acr_values)


def test_without_a_page_an_application_is_told_that_one_is_due(application, clock):
    application.code()
    told = sent_back(application.ask(prompt="none", acr_values=MFA))
    assert (told["error"], told["error_description"]) == ("login_required", "Multifactor authentication required")
    clock.sleep_ns(61 * NS)
    assert sent_back(application.ask(prompt="none", max_age="60"))["error"] == "login_required"
    assert "code" in sent_back(application.ask(prompt="none"))
    page = application.ask(acr_values=MFA)
    application.send(page, code=application.person.one_time_code())
    assert "code" in sent_back(application.ask(prompt="none", acr_values=MFA, max_age="60"))


def test_max_age_and_acr_values_together_ask_for_both_anew(application, clock):
    def auth_time(page) -> int:
        code = sent_back(application.send(page, code=application.person.one_time_code()))["code"]
        return int(claims_of(application.redeem(code).json()["access_token"])["auth_time"])

    assert auth_time(application.sign_in(application.ask(acr_values=MFA))) == START_S
    clock.sleep_ns(61 * NS)
    page = application.ask(acr_values=MFA, max_age="60")
    assert asks_for_a_password(page)
    page = application.sign_in(page)
    assert asks_for_a_code(page)
    assert auth_time(page) == START_S + 61


def test_one_request_does_not_borrow_what_another_was_signed_in_for(application):
    """max_age=0 of two tabs: each has its own login."""
    application.code()
    for _ in range(2):
        page = application.ask(max_age="0")
        assert asks_for_a_password(page)
        assert "code" in sent_back(application.sign_in(page))


# What is no max_age and no acr_values.

UNFIT = [
    *(
        ({"max_age": value}, "max_age is a whole number of seconds.")
        for value in ("-1", "+1", "1.5", "1e3", "x", " 1", "1 ", "0x10", "1_0", "٣", "1" * 10, "1\n", "null")
    ),
    ({"acr_values": "x" * 501}, "acr_values is longer than 500 characters."),
]


@pytest.mark.parametrize(("dialect", "path"), [("auth0", "/oauth/device/code"), ("rfc", "/device_authorization")])
@pytest.mark.parametrize(("sent", "said"), UNFIT, ids=lambda value: str(value)[:30])
def test_a_display_is_told_what_is_unfit(authority: Authority, tenant: Tenant, store, dialect, path, sent, said):
    with serving(authority, dialect=dialect) as http:
        reply = http.post(path, data={"client_id": tenant.client_id} | sent)
        assert (reply.status_code, reply.json()) == (400, {"error": "invalid_request", "error_description": said})


@pytest.mark.parametrize("dialect", ["auth0", "rfc"])
@pytest.mark.parametrize(("sent", "said"), UNFIT, ids=lambda value: str(value)[:30])
def test_an_application_is_told_what_is_unfit(authority: Authority, tenant, store, clock, dialect, sent, said):
    store.put(SPA)
    with serving(authority, dialect=dialect) as http:
        told = sent_back(Application(Browser(http, tenant, clock)).ask(**sent))
    assert (told["error"], told["error_description"], told["state"]) == ("invalid_request", said, "xyz")


@pytest.mark.parametrize("max_age", ["", "0", "00", "1", "999999999"])
def test_any_other_is_fit(display, browser, max_age):
    assert display.ask(max_age=max_age).status_code == 200


def test_one_that_comes_twice_is_refused(http, tenant: Tenant):
    body = f"client_id={tenant.client_id}&max_age=5&max_age=6"
    reply = http.post("/oauth/device/code", content=body, headers={"Content-Type": "application/x-www-form-urlencoded"})
    assert (reply.status_code, reply.json()["error"]) == (400, "invalid_request")
