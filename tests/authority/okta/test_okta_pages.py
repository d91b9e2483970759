"""The second-factor page under a sign-on policy: what it offers, in its words, and that ticking it does so."""

from __future__ import annotations

import re
from dataclasses import dataclass

import httpx2
import pytest
from starlette.testclient import TestClient

from host_tools.authority.app import create_app
from host_tools.authority.core.policies import Directive
from host_tools.authority.core.post_login import Verdict
from host_tools.authority.core.sign_on_policy import longest_lifetime
from host_tools.clock import NS
from tests.authority.conftest import ISSUER, Browser, quote_of_day
from tests.authority.form_pages import Names
from tests.authority.mfa_wire import PHONE, add_person, demo_person, give
from tests.authority.page_markup import Markup
from tests.authority.test_second_factor_pages import check_page

from .okta_wire import OktaDisplay
from .test_sign_on_policy import TABLE

BOX = re.compile(r'<input type="checkbox" name="remember_device" value="yes" (checked)?>\s*<span>([^<]*)</span>')


@dataclass
class Signing:
    browser: Browser
    display: OktaDisplay

    def begin(self) -> httpx2.Response:
        """For a display; what the person is shown once the password is given."""
        page = self.browser.type_code(self.display.ask().json()["user_code"])
        return self.browser.sign_in(page) if 'name="password"' in page.text else page

    def give(self, ticked: bool) -> httpx2.Response:
        """A code, for whoever is asked; the browser then forgets its session, and keeps what it is known by."""
        page = self.begin()
        assert is_asked(page)
        self.browser.clock.sleep_ns(30 * NS)
        done = self.browser.send(
            page, code=self.browser.one_time_code(), **({"remember_device": "yes"} if ticked else {})
        )
        assert "Do not allow" in done.text, done.text
        self.forget_session()
        return done

    def forget_session(self) -> None:
        self.browser.http.cookies.delete("stoa_session")


def is_asked(page: httpx2.Response) -> bool:
    asked = 'autocomplete="one-time-code"' in page.text
    assert asked != ("Do not allow" in page.text), page.text
    return asked


def box(page: httpx2.Response) -> tuple[str, bool] | None:
    found = BOX.search(page.text)
    assert (found is None) == ("checkbox" not in page.text)
    return found and (found[2], found[1] == "checked")


@pytest.fixture
def signing(browser, display) -> Signing:
    return Signing(browser, display)


@pytest.mark.parametrize(("mode", "lifetime", "unit", "allowed", "minutes", "offer"), TABLE)
def test_what_the_box_says(signing, policy, mode, lifetime, unit, allowed, minutes, offer):
    policy(factor_prompt_mode=mode, factor_lifetime=lifetime, factor_lifetime_unit=unit)
    page = signing.begin()
    check_page(page)
    assert box(page) == (offer and (offer, False))


def test_it_is_ticked_where_the_policy_says_so(signing, policy):
    policy(remember_device_by_default=True)
    assert box(signing.begin()) == ("Do not challenge me on this device for the next 15 minutes", True)


def test_another_value_in_the_box_is_no_form_of_ours(signing, browser):
    """Nothing is given, and no try is spent."""
    page = signing.begin()
    again = browser.send(page, code=browser.one_time_code(), remember_device="no")
    assert is_asked(again)
    assert "Do not allow" in browser.send(again, code=browser.one_time_code()).text


@pytest.mark.parametrize("mfa", ["always", "rule"])
@pytest.mark.parametrize(
    ("mode", "lifetime", "unit", "asked"),
    [
        ("SESSION", 15, "MINUTES", [(899, False), (900, True)]),
        ("SESSION", 2, "HOURS", [(7199, False), (7200, True)]),
        ("SESSION", 20, "DAYS", [(20 * 86_400 - 1, False), (20 * 86_400, True)]),
        ("DEVICE", 15, "MINUTES", [(900, False), (29 * 86_400, False)]),
    ],
)
def test_ticking_it_does_what_it_says(signing, authority, clock, policy, mfa, mode, lifetime, unit, asked):
    authority.mfa.mode = mfa
    policy(factor_prompt_mode=mode, factor_lifetime=lifetime, factor_lifetime_unit=unit)
    signing.give(ticked=True)
    given_at = clock.now_ns()
    for after_s, expected in asked:
        clock.set_ns(given_at + after_s * NS)
        signing.forget_session()
        assert is_asked(signing.begin()) is expected, after_s


def test_the_browser_keeps_what_it_is_known_by_for_longer_than_any_lifetime(browser):
    [cookie] = [each for each in browser.see("/activate").headers.get_list("set-cookie") if "stoa_browser" in each]
    assert int(re.search("Max-Age=([0-9]+)", cookie)[1]) > longest_lifetime("DAYS") * 86_400


@pytest.mark.parametrize("forgets_session", [True, False])
@pytest.mark.parametrize("mode", ["SESSION", "DEVICE", "ALWAYS"])
def test_not_ticking_it_has_the_person_asked_again(signing, policy, mode, forgets_session):
    policy(factor_prompt_mode=mode)
    page = signing.begin()
    signing.browser.send(page, code=signing.browser.one_time_code())
    if forgets_session:
        signing.forget_session()
    assert is_asked(signing.begin())


def test_a_box_that_was_never_offered_cannot_be_ticked(signing, policy):
    policy(factor_prompt_mode="ALWAYS")
    signing.give(ticked=True)
    policy(factor_prompt_mode="SESSION")
    assert is_asked(signing.begin())


def test_it_is_as_the_person_had_it_last(signing, clock):
    signing.give(ticked=True)
    clock.sleep_ns(900 * NS)
    assert box(signing.begin())[1] is True
    signing.forget_session()
    signing.give(ticked=False)
    assert box(signing.begin())[1] is False


def test_a_wrong_code_leaves_it_as_the_person_had_it(signing, policy):
    page = signing.begin()
    wrong = f"{(int(signing.browser.one_time_code()) + 1) % 10**6:06d}"
    assert box(signing.browser.send(page, code=wrong, remember_device="yes"))[1] is True
    policy(remember_device_by_default=True)
    assert box(signing.browser.send(page, code=wrong))[1] is False


def test_another_browser_and_another_person_are_asked(signing, display, http, authority, store, tenant, clock):
    signing.give(ticked=True)
    with TestClient(http.app, base_url=ISSUER) as client:
        assert is_asked(Signing(Browser(client, tenant, clock), display).begin())
    zeno = add_person(store)
    give(authority, zeno, "otp")
    page = signing.browser.type_code(display.ask().json()["user_code"])
    asked = signing.browser.send(page, username=zeno.username, password=zeno.password)
    assert is_asked(asked) and box(asked)[1] is False


@pytest.mark.parametrize("factor", ["sms", "email", "push", "recovery-code"])
def test_every_way_of_giving_a_factor_has_it(signing, authority, store, tenant, factor):
    person = demo_person(store, tenant)
    for each in authority.authenticators.of(person.user_id):
        authority.authenticators.remove(person.user_id, each.authenticator_id)
    if factor == "recovery-code":
        give(authority, person, "otp")
        authority.authenticators._new_recovery_code(person.user_id)
        signing.begin()
        page = signing.browser.see("/second-factor?way=recovery-code")
    else:
        give(authority, person, factor, {"sms": PHONE, "email": person.username, "push": Names().phone}[factor])
        page = signing.browser.send(signing.begin(), go="yes")
        if "Do not challenge" not in page.text:
            page = signing.browser.see("/second-factor")
    form = next(each for each in Markup(page.text).forms if "remember_device" in str(each))
    assert form and box(page) == ("Do not challenge me on this device for the next 15 minutes", False)


def test_no_box_where_a_factor_is_enrolled(signing, authority, store, tenant):
    person = demo_person(store, tenant)
    for each in authority.authenticators.of(person.user_id):
        authority.authenticators.remove(person.user_id, each.authenticator_id)
    page = signing.begin()
    page = signing.browser.send(page, kind="otp")
    assert "Set up your authenticator app" in page.text and box(page) is None


def test_what_a_script_asks_for_is_asked_of_a_remembered_browser(signing, authority):
    signing.give(ticked=True)
    authority.post_login.judge = lambda attempt: Verdict(Directive(True))
    assert is_asked(signing.begin())


@pytest.mark.parametrize("dialect", ["auth0", "rfc"])
def test_no_other_dialect_s_page_has_it(authority, tenant, clock, dialect):
    path = {"auth0": "/oauth/device/code", "rfc": "/device_authorization"}[dialect]
    with TestClient(create_app(authority, quote_of_day, dialect=dialect), base_url=ISSUER) as http:
        browser = Browser(http, tenant, clock)
        begun = http.post(path, data={"client_id": tenant.client_id}).json()
        page = browser.sign_in(browser.type_code(begun["user_code"]))
        assert is_asked(page) and box(page) is None
        sent = browser.send(page, code=browser.one_time_code(), remember_device="yes")
        assert "Do not allow" in sent.text
    [user] = [authority.users.check_password(tenant.demo_user, tenant.demo_password, "")]
    authority.device_choices.in_force = True
    assert not authority.device_choices.remembers(user.user_id, browser.http.cookies["stoa_browser"])
