"""The bank example, walked from login to step-up and transfer, with the push approved on the phone's page."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Iterator

import pyotp
import pytest
from playwright.sync_api import BrowserContext, Page, expect

from host_tools.authority import RunningAuthority, examples, start_authority
from host_tools.authority.core.records import User
from host_tools.authority.core.resource_records import BankAccount
from host_tools.authority.examples import applications
from host_tools.authority.listening import listen
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
    sign_in(page, USER, PASSWORD)
    allow(page)
    expect(page.locator("#balance")).to_have_text("€1,000.00")


def sign_in(page: Page, username: str, password: str) -> None:
    page.get_by_label("E-mail").fill(username)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Continue").click()


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


# Somebody else at the issuer's page: whose money it would be.
OTHER = "cleanthes@stoa.example"


@pytest.fixture
def shared(tmp_path, factor) -> Iterator[tuple[RunningAuthority, str, str, str]]:
    """The example with a second customer: the authority, the bank's address, the other's password and TOTP secret."""
    password, secret = secrets.token_urlsafe(16), pyotp.random_base32()
    folder = tmp_path / "bank"
    shutil.copytree(examples.folder("bank"), folder)
    free = listen(0)
    port = free.getsockname()[1]
    free.close()
    file = folder / "tenant.toml"
    text = file.read_text().replace("http://localhost:8080", f"http://localhost:{port}")
    text += (
        f'\n[[users]]\nusername = "{OTHER}"\npassword = "{password}"\n[[users.authenticators]]\nfactor = "{factor}"\n'
    )
    file.write_text(text + (f'totp_secret = "{secret}"\n' if factor == "otp" else ""))
    with start_authority(RealClock(), port, config=file) as running:
        yield running, f"{applications(running.issuer)}/bank/", password, secret


@on_a_desktop
@pytest.mark.parametrize("factor", ["push", "otp"])
def test_a_step_up_of_somebody_else_moves_nobody_s_money(shared, page, context, factor):
    authority, bank, password, secret = shared
    log_in(page, bank)
    order(page, "Epictetus", "12.50")
    step_up(page)
    page.get_by_role("button", name="Not you?").click()
    sign_in(page, OTHER, password)
    if factor == "push":
        approve(authority, page, context)
    else:
        page.get_by_role("textbox").fill(pyotp.TOTP(secret).now())
        page.get_by_role("button", name="Continue").click()
    allow(page)
    expect(page.get_by_role("status")).to_have_text("That did not work: somebody else confirmed it.")
    assert authority._authority.store.find(BankAccount) == []
    # It is still Zeno's page, and Zeno's order.
    page.get_by_role("button", name="Ask again").click()
    expect(page.locator("#balance")).to_have_text("€1,000.00")
    expect(page.get_by_label("To")).to_have_value("Epictetus")
    expect(page.get_by_label("Euros")).to_have_value("12.50")
    step_up(page)
    page.get_by_role("button", name="Not you?").click()
    sign_in(page, USER, PASSWORD)
    approve(authority, page, context)
    allow(page)
    expect(page.get_by_role("status")).to_have_text("€12.50 went to Epictetus.")
    expect(page.locator("#balance")).to_have_text("€987.50")
    (account,) = authority._authority.store.find(BankAccount)
    (zeno,) = authority._authority.store.find(User, username=USER)
    assert (account.user_id, account.cents) == (zeno.user_id, 98_750)


@on_a_desktop
@pytest.mark.parametrize("way", ["Back", "the address typed anew"])
def test_who_comes_back_without_an_answer_finds_the_order_as_it_was(authority, bank, page, context, way):
    log_in(page, bank)
    order(page, "Epictetus", "12.50")
    expect(page.get_by_role("button", name="Confirm with a second factor")).to_be_visible()
    step_up(page)
    if way == "Back":
        page.go_back()
    else:
        page.goto(bank)
    assert page.url == bank
    expect(page.locator("#balance")).to_have_text("€1,000.00")
    expect(page.get_by_label("To")).to_have_value("Epictetus")
    expect(page.get_by_label("Euros")).to_have_value("12.50")
    step_up(page)
    approve(authority, page, context)
    allow(page)
    expect(page.get_by_role("status")).to_have_text("€12.50 went to Epictetus.")
    # And after that there is none to be found.
    page.reload()
    expect(page.locator("#balance")).to_have_text("€987.50")
    expect(page.get_by_label("To")).to_have_value("")
    expect(page.get_by_role("button", name="Confirm with a second factor")).to_be_hidden()


@on_a_desktop
def test_a_page_that_no_client_has_says_so(page, tmp_path):
    """As of a copy of the example that is started at another port."""
    folder = tmp_path / "bank"
    shutil.copytree(examples.folder("bank"), folder)
    file = folder / "tenant.toml"
    file.write_text(file.read_text().replace("http://localhost:8080/bank/", "http://localhost:8080/elsewhere/"))
    with start_authority(RealClock(), config=file) as running:
        page.goto(f"{applications(running.issuer)}/bank/")
        expect(page.get_by_role("status")).to_contain_text("No client of this tenant lists this page")
        expect(page.get_by_role("button", name="Log in")).to_be_hidden()
