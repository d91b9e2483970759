"""The bank example, walked from login to step-up and transfer, with the push approved on the phone's page."""

from __future__ import annotations

from collections.abc import Iterator

import pyotp
import pytest
from playwright.sync_api import BrowserContext, Page, expect

from host_tools.authority import RunningAuthority, start_authority
from host_tools.authority.examples import applications
from host_tools.clock import NS, RealClock

from .test_accessibility import found_by_axe

USER, PASSWORD = "zeno@stoa.example", "stand under the porch"
on_a_desktop = pytest.mark.parametrize("context", ["desktop"], indirect=True)


@pytest.fixture
def dialect() -> str:
    return "auth0"


@pytest.fixture
def authority(dialect) -> Iterator[RunningAuthority]:
    with start_authority(RealClock(), example="bank", dialect=dialect) as running:
        yield running


@pytest.fixture
def bank(authority) -> str:
    return f"{applications(authority.issuer)}/bank/"


def log_in(page: Page, bank: str) -> None:
    page.goto(bank)
    page.get_by_role("button", name="Log in").click()
    page.get_by_label("E-mail").fill(USER)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Continue").click()
    allow(page)
    expect(page.locator("#balance")).to_have_text("€1,000.00")


def allow(page: Page) -> None:
    """Consent to a scope that is new."""
    page.get_by_role("button", name="Allow", exact=True).click()


def order(page: Page, to: str, euros: str) -> None:
    page.get_by_label("To").fill(to)
    page.get_by_label("Euros").fill(euros)
    page.get_by_role("button", name="Transfer").click()


def step_up(page: Page) -> None:
    """As far as the page that asks for the factor."""
    page.get_by_role("button", name="Confirm with a second factor").click()
    page.wait_for_url("http://127.0.0.1:*/**")


def approve(authority: RunningAuthority, page: Page, context: BrowserContext) -> None:
    """The push, on the phone's page in another tab."""
    page.get_by_role("button", name="Send").click()
    phone = context.new_page()
    phone.goto(f"{authority.issuer}phone")
    phone.get_by_role("button", name="Approve").click()
    expect(phone.get_by_role("status")).to_contain_text("approved")
    phone.close()
    page.get_by_role("button", name="I have approved").click()


def test_a_transfer_steps_up_by_a_push(authority, bank, page, context: BrowserContext, picture):
    log_in(page, bank)
    picture("bank-1-balance")
    order(page, "Epictetus", "12.50")
    expect(page.get_by_role("status")).to_have_text("The bank wants a second factor for a transfer.")
    expect(page.locator("#balance")).to_have_text("€1,000.00")
    picture("bank-2-refused")
    assert found_by_axe(page) == []
    step_up(page)
    approve(authority, page, context)
    allow(page)
    expect(page.get_by_role("status")).to_have_text("€12.50 went to Epictetus.")
    expect(page.locator("#balance")).to_have_text("€987.50")
    assert page.url == bank, "no code stays in the address"
    picture("bank-3-transferred")
    page.get_by_role("button", name="Ask again").click()
    expect(page.locator("#balance")).to_have_text("€987.50")


@on_a_desktop
@pytest.mark.parametrize("dialect", ["rfc"])
def test_its_endpoints_are_found_by_discovery(authority, bank, page, context):
    log_in(page, bank)
    order(page, "Epictetus", "1")
    step_up(page)
    approve(authority, page, context)
    allow(page)
    expect(page.get_by_role("status")).to_have_text("€1.00 went to Epictetus.")


@on_a_desktop
def test_each_transfer_steps_up_anew_and_a_one_time_code_does_as_well(authority, bank, page):
    log_in(page, bank)
    for at, left in enumerate(("€999.50", "€999.00")):
        order(page, "Chrysippus", "0,50")
        step_up(page)
        page.get_by_role("link", name="Use another way").click()
        page.get_by_role("button", name="Authenticator app").click()
        now = RealClock().now_ns() // NS
        page.get_by_role("textbox").fill(pyotp.TOTP(authority.tenant.totp_secret).at(now + 30 * at))
        page.get_by_role("button", name="Continue").click()
        if at == 0:
            allow(page)
        expect(page.locator("#balance")).to_have_text(left)
        expect(page.get_by_role("status")).to_have_text("€0.50 went to Chrysippus.")


@on_a_desktop
def test_what_is_no_order_is_told_and_sent_nowhere(authority, bank, page):
    log_in(page, bank)
    for to, euros in (("", "1"), ("Zeno", ""), ("Zeno", "1.234"), ("Zeno", "-1"), ("Zeno", "1e3")):
        order(page, to, euros)
        expect(page.get_by_role("status")).to_have_text("Write to whom, and how many euros, as 12.50.")
    expect(page.get_by_role("button", name="Confirm with a second factor")).to_be_hidden()


@on_a_desktop
def test_a_step_up_that_is_not_consented_to_is_told(authority, bank, page, context):
    log_in(page, bank)
    order(page, "Epictetus", "1")
    step_up(page)
    approve(authority, page, context)
    page.get_by_role("button", name="Do not allow").click()
    expect(page.get_by_role("status")).to_contain_text("That did not work")
    page.get_by_role("button", name="Ask again").click()
    expect(page.locator("#balance")).to_have_text("€1,000.00")


@on_a_desktop
def test_an_answer_that_nobody_asked_for_is_refused(bank, page):
    page.goto(f"{bank}?code=theirs&state=theirs")
    expect(page.get_by_role("status")).to_contain_text("this answer was not asked for here")
    expect(page.get_by_role("button", name="Log in")).to_be_visible()


@on_a_desktop
def test_by_its_other_name_it_leads_to_its_listed_address(authority, bank, page):
    page.goto(f"{authority.issuer}bank/")
    page.wait_for_url(bank)
    expect(page.get_by_role("button", name="Log in")).to_be_visible()
