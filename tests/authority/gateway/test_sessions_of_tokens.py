"""`sid`: which login session a token came of, by which a resource asks for a factor given since."""

from __future__ import annotations

import json
from typing import Any

import pytest

from host_tools.authority.core.access_tokens import Subject
from host_tools.authority.core.authority import Authority
from host_tools.authority.core.claims import Claims
from host_tools.authority.core.resource_records import BankAccount, SessionFactor
from host_tools.authority.scripts import Engine, Script, ScriptsInForce
from host_tools.authority.scripts import engine as engine_module
from host_tools.authority.store import SqliteStore
from host_tools.authority.tenant import Tenant, provision
from host_tools.authority.tenant_settings import TenantSettings, UserSettings
from host_tools.clock import NS

from ..authorize.application import IMPLICIT, SPA, Application, sent_back
from ..conftest import ISSUER, Browser, Display
from ..mfa_wire import App, Person, add_app, claims_of, code_of
from .api import MFA, START_S, serving

OURS = ("acr", "sid", "grant_id")


def sid(tokens: dict[str, Any]) -> str:
    told = claims_of(tokens["access_token"])["sid"]
    assert isinstance(told, str) and len(told) >= 12
    return told


def paired(display: Display, browser: Browser, **sent: str) -> dict[str, Any]:
    begun = display.ask(**sent).json()
    assert browser.decide(begun["user_code"]).status_code == 200
    granted: dict[str, Any] = display.poll(begun["device_code"]).json()
    return granted


def given(store: SqliteStore) -> set[tuple[str, str]]:
    return {(each.sid, each.factor) for each in store.find(SessionFactor)}


def test_all_refreshes_of_a_login_have_its_session(display, tokens, clock):
    held, first = tokens, sid(tokens)
    for _ in range(3):
        clock.sleep_ns(86_400 * NS)
        held = display.refresh(held["refresh_token"]).json()
        assert sid(held) == first
    assert sid(display.refresh(held["refresh_token"], scope="read:quotes").json()) == first


def test_two_devices_that_one_login_has_allowed_have_one_session(display, browser):
    assert sid(paired(display, browser)) == sid(paired(display, browser))


def test_who_signs_in_anew_begins_another(display, browser, tokens):
    before = sid(tokens)
    browser.http.cookies.clear()
    after = sid(paired(display, browser))
    anew = sid(paired(display, browser, max_age="0"))
    assert len({before, after, anew}) == 3


def test_who_signs_out_has_left_it(display, browser, tokens):
    page = browser.type_code(display.ask().json()["user_code"])
    token = page.text.partition('name="csrf_token" value="')[2].partition('"')[0]
    assert browser.http.post("/sign-out", data={"csrf_token": token}).status_code == 200
    assert sid(paired(display, browser)) != sid(tokens)


def test_the_secret_of_the_browser_is_not_told_by_it(browser, tokens):
    told = sid(tokens)
    assert all(told not in value and value not in told for value in browser.http.cookies.values())


def test_the_sid_of_a_login_may_be_shared_by_devices_and_applications(display, browser, tokens, store):
    store.put(SPA)
    application = Application(browser)
    assert sid(application.redeem(application.code()).json()) == sid(tokens)


def test_a_factor_of_the_pages_is_of_their_session(display, browser, store, authority: Authority, clock):
    authority.mfa.mode = "always"
    clock.sleep_ns(5 * NS)
    granted = paired(display, browser)
    assert given(store) == {(sid(granted), "otp")}
    assert authority.session_factors.last(sid(granted), ["otp"]) == (START_S + 5) * NS
    assert authority.session_factors.last(sid(granted), ["sms"]) is None


def test_a_login_without_a_factor_has_none(tokens, store):
    assert sid(tokens) and given(store) == set()


# Without a browser.


def test_the_password_grant_begins_one_each_time(app: App, zeno: Person, authority: Authority):
    authority.mfa.mode = "never"
    first, second = (app.sign_in(zeno).json() for _ in range(2))
    assert sid(first) != sid(second)
    assert sid(app.refresh(first["refresh_token"]).json()) == sid(first)
    assert sid(app.sign_in(zeno, scope="read:quotes").json())  # without a refresh token too


def test_the_mfa_grants_begin_one_each_time(app: App, demo: Person, code, store, clock):
    first = app.otp(app.mfa_token(demo), code()).json()
    clock.sleep_ns(60 * NS)
    second = app.otp(app.mfa_token(demo), code()).json()
    assert sid(first) != sid(second)
    assert given(store) == {(sid(first), "otp"), (sid(second), "otp")}
    assert claims_of(first["access_token"])["acr"] == MFA
    assert sid(app.refresh(first["refresh_token"]).json()) == sid(first)


def test_a_refresh_that_is_challenged_stays_in_its_session(app: App, demo: Person, code, authority: Authority, clock):
    authority.mfa.mode = "never"
    first = app.sign_in(demo).json()
    assert "acr" not in claims_of(first["access_token"])
    authority.mfa.mode, authority.mfa.strict = "always", True
    clock.sleep_ns(100 * NS)
    challenged = app.refresh(first["refresh_token"]).json()
    after = app.otp(challenged["mfa_token"], code()).json()
    assert sid(after) == sid(first)
    assert authority.session_factors.last(sid(first)) == (START_S + 100) * NS
    told = claims_of(after["access_token"])
    assert (told["acr"], told["auth_time"]) == (MFA, START_S + 100)


def test_a_recovery_code_is_noted_as_what_it_is(app: App, zeno: Person, store, authority: Authority, clock):
    made = authority.authenticators.enrol(zeno.user_id, "otp")
    authority.authenticators.confirm(made.authenticator)
    granted = app.recovery(app.mfa_token(zeno), made.recovery_code).json()
    assert given(store) == {(sid(granted), "recovery-code")}


def test_two_factors_are_noted_as_two(app: App, zeno: Person, store, authority: Authority, clock):
    authority.mfa.factors = 2
    for factor, name in (("otp", ""), ("sms", "+15550100123")):
        authority.authenticators.confirm(authority.authenticators.enrol(zeno.user_id, factor, name).authenticator)
    (otp,) = authority.authenticators.of(zeno.user_id, "otp")
    following = app.otp(app.mfa_token(zeno), code_of(otp.secret, clock)).json()
    oob_code = app.challenged(following["mfa_token"])
    code = "".join(each for each in authority.outbox.newest()[0].text.split()[0] if each.isdigit())
    granted = app.oob(following["mfa_token"], oob_code, binding_code=code).json()
    assert given(store) == {(sid(granted), "otp"), (sid(granted), "sms")}


def test_a_factor_that_was_wrong_is_not_noted(app: App, demo: Person, code, store):
    app.otp(app.mfa_token(demo), f"{(int(code()) + 1) % 10**6:06}")
    assert given(store) == set()


def test_who_leaves_the_tenant_leaves_no_factor_and_no_account(zeno: Person, store, authority: Authority):
    authority.session_factors.given("a session", zeno.user_id, ["otp"])
    store.put(BankAccount(zeno.user_id, 5))
    staying = TenantSettings(users=(UserSettings("other@stoa.example", password="another's"),))
    provision(store, ISSUER, staying, only=True)
    assert store.find(SessionFactor) == store.find(BankAccount) == []


# ID tokens: OpenID Connect Core 2 has `acr`, and Back-Channel Logout 1.0, 2.1, `sid`.


def test_an_id_token_is_of_the_same_session(display, browser, tenant: Tenant):
    granted = paired(display, browser, scope=f"{tenant.scope} openid")
    told = claims_of(granted["id_token"])
    assert told["sid"] == sid(granted)
    assert "acr" not in told and "amr" not in told
    refreshed = display.refresh(granted["refresh_token"]).json()
    assert claims_of(refreshed["id_token"])["sid"] == sid(granted)


def test_after_a_second_factor_it_says_so(display, browser, tenant: Tenant):
    told = claims_of(paired(display, browser, scope=f"{tenant.scope} openid", acr_values=MFA)["id_token"])
    assert (told["acr"], told["amr"]) == (MFA, ["pwd", "otp", "mfa"])


@pytest.mark.parametrize("form", [{}, IMPLICIT])
def test_so_does_an_application_s(display, browser, store, form):
    store.put(SPA)
    application = Application(browser)
    plain, strong = (
        claims_of(tokens["id_token"]) for tokens in (given_to(application, **form), given_to(application, MFA, **form))
    )
    assert plain["sid"] == strong["sid"]
    assert ("acr" in plain, strong["acr"]) == (False, MFA)


def given_to(application: Application, acr_values: str = "", **form: str) -> dict[str, Any]:
    """What an application has of a person who does all that they are asked."""
    person = application.person
    page = application.ask(acr_values=acr_values, **form)
    if 'name="password"' in page.text:
        page = application.sign_in(page)
    if 'autocomplete="one-time-code"' in page.text:
        page = application.send(page, code=person.one_time_code())
    told = sent_back(page)
    return told if form else dict(application.redeem(told["code"]).json())


def test_the_password_and_mfa_grants_tell_them_as_well(app: App, demo: Person, code, authority: Authority):
    strong = app.otp(app.mfa_token(demo, scope="openid"), code()).json()
    authority.mfa.mode = "never"
    plain = app.sign_in(demo, scope="openid").json()
    for granted, acr in ((strong, MFA), (plain, None)):
        told = claims_of(granted["id_token"])
        assert (told["sid"], told.get("acr")) == (sid(granted), acr)


def test_the_rfcs_discovery_names_what_may_be_asked_for(authority: Authority, tenant: Tenant):
    """RFC 9470 7."""
    with serving(authority, dialect="rfc") as http:
        for name in ("openid-configuration", "oauth-authorization-server"):
            assert http.get(f"/.well-known/{name}").json()["acr_values_supported"] == [MFA]


# A tenant's scripts.


@pytest.fixture
def scripts(authority: Authority, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(engine_module, "DEADLINE_S", 60)  # on a machine that is busy a script is slow by the clock
    engine = Engine()
    yield ScriptsInForce(engine, authority.post_login, ISSUER)
    engine.close()


@pytest.mark.parametrize("name", OURS)
def test_no_script_sets_what_a_resource_goes_by(scripts, display, browser, authority: Authority, name):
    body = f"api.accessToken.setCustomClaim('{name}', 'forged').accessToken.setCustomClaim('https://x/a', 1);"
    scripts.put([Script("action", "a", f"exports.onExecutePostLogin = async (event, api) => {{ {body} }};")])
    granted = paired(display, browser, scope="read:quotes")
    told = claims_of(granted["access_token"])
    assert told["https://x/a"] == 1
    assert told.get(name) != "forged"
    assert "acr" not in told and "grant_id" not in told


@pytest.mark.parametrize("name", OURS)
def test_nor_does_a_rule(scripts, display, browser, name):
    text = f"function (user, context, callback) {{ context.accessToken = {{'{name}': 'forged', 'https://x/a': 1}};"
    scripts.put([Script("rule", "r", f"{text} callback(null, user, context); }}")])
    told = claims_of(paired(display, browser, scope="read:quotes")["access_token"])
    assert told["https://x/a"] == 1
    assert told.get(name) != "forged"


@pytest.mark.parametrize("name", ["acr", "sid", "amr"])
def test_nor_what_an_application_goes_by(scripts, display, browser, tenant: Tenant, name):
    body = f"api.idToken.setCustomClaim('{name}', 'forged').idToken.setCustomClaim('https://x/a', 1);"
    scripts.put([Script("action", "a", f"exports.onExecutePostLogin = async (event, api) => {{ {body} }};")])
    told = claims_of(paired(display, browser, scope=f"{tenant.scope} openid")["id_token"])
    assert told["https://x/a"] == 1
    assert told.get(name) != "forged"


# OpenID Connect Core 3.1.2.1: "space-separated string that specifies the acr values".
@pytest.mark.parametrize(
    ("acr_values", "seen"), [("", []), ("urn:x", ["urn:x"]), (f"urn:x {MFA}", ["urn:x", MFA]), (" a  b ", ["a", "b"])]
)
def test_an_action_sees_what_the_login_was_asked_to_be_like(scripts, display, browser, store, acr_values, seen):
    body = "api.accessToken.setCustomClaim('https://x/a', JSON.stringify(event.transaction.acr_values));"
    scripts.put([Script("action", "a", f"exports.onExecutePostLogin = async (event, api) => {{ {body} }};")])
    store.put(SPA)
    of_device = paired(display, browser, acr_values=acr_values)
    of_application = given_to(Application(browser), acr_values)
    for granted in (of_device, of_application):
        assert json.loads(claims_of(granted["access_token"])["https://x/a"]) == seen
    refreshed = display.refresh(of_device["refresh_token"]).json()
    assert json.loads(claims_of(refreshed["access_token"])["https://x/a"]) == []


@pytest.mark.parametrize("name", OURS)
def test_nor_would_one_that_was_kept_before_that_was_reserved(authority: Authority, tenant: Tenant, name):
    """A claim in a record, of a version that did not know it: where there is none of ours, there is none."""
    subject = Subject("auth0|1", "app", "https://api.example", "", START_S * NS, "pwd", claims=Claims({name: "forged"}))
    assert name not in claims_of(authority.access_tokens.mint(subject))


def test_a_client_of_the_mfa_api_has_one_as_well(app: App, zeno: Person, store: SqliteStore, tenant: Tenant):
    other = add_app(app.http, store, tenant, "other")
    assert sid({"access_token": other.mfa_access_token(zeno)})
