"""A person with a real browser (the system's Chromium) gives a second factor, or enrols one, by keyboard alone."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import httpx2
import pyotp
import pytest
import zxingcpp
from PIL import Image
from playwright.sync_api import Page, expect

from host_tools.authority import RunningAuthority, start_authority
from host_tools.authority.core.records import User
from host_tools.clock import NS, RealClock

from .test_activation import ask, contrast, poll

NARROWEST = {"width": 320, "height": 640}  # WCAG 2.2, 1.4.10: to this width nothing scrolls sideways
MOST_STOPS = 12
Shown = Callable[..., None]


@pytest.fixture
def authority() -> Iterator[RunningAuthority]:
    with start_authority(RealClock()) as running:
        running.set_mfa("rule")
        yield running


@pytest.fixture
def shown(page, picture) -> Shown:
    """Keep a picture of the page as it is, on the narrowest screen, and in the dark; and look for what is too small."""

    def take(name: str) -> None:
        size = page.viewport_size
        picture(name)
        page.set_viewport_size(NARROWEST)
        picture(f"{name}-320")
        page.emulate_media(color_scheme="dark")
        picture(f"{name}-dark")
        check_targets(page)
        page.emulate_media(color_scheme="light")
        page.set_viewport_size(size)

    return take


def check_targets(page: Page) -> None:
    """Buttons of 44 px at least, but for "Not you?" in the line; words that stand out from their ground."""
    heights = page.eval_on_selector_all("button:not(.link)", "all => all.map(each => each.offsetHeight)")
    assert all(height >= 44 for height in heights), heights
    ground = """element => {
        const seen = each => getComputedStyle(each).backgroundColor
        let ground = element
        while (seen(ground) === 'rgba(0, 0, 0, 0)') ground = ground.parentElement
        return [getComputedStyle(element).color, seen(ground)]
    }"""
    for selector in ("h1", "p", "a", "label", "button", "button .hint", ".hint", ".outcome", ".problem", "input"):
        for element in page.query_selector_all(f"main {selector}"):
            colour, under = element.evaluate(ground)
            assert contrast(colour, under) >= 4.5, (selector, colour, under)


class Person:
    """At the keyboard, without a mouse."""

    def __init__(self, authority: RunningAuthority, page: Page) -> None:
        self.authority = authority
        self.page = page
        self.begun: dict[str, str] = {}

    @property
    def user_id(self) -> str:
        [user] = self.authority._authority.store.find(User, username=self.authority.tenant.demo_user)
        return user.user_id

    def forget_factors(self) -> None:
        authenticators = self.authority._authority.authenticators
        for each in authenticators.of(self.user_id):
            authenticators.remove(self.user_id, each.authenticator_id)

    def sign_in(self) -> None:
        self.begun = ask(self.authority)
        self.page.goto(self.begun["verification_uri"])
        self.fill("Code on your device", self.begun["user_code"])
        expect(self.page.get_by_label("E-mail address")).to_be_focused()
        self.page.keyboard.type(self.authority.tenant.demo_user)
        self.page.keyboard.press("Tab")
        self.fill("Password", self.authority.tenant.demo_password)

    def heading(self, words: str) -> None:
        expect(self.page.get_by_role("heading", level=1)).to_have_text(words)

    def type(self, words: str) -> None:
        self.page.keyboard.type(words)
        self.enter()

    def enter(self) -> None:
        """What has the focus leads to another page, or to the same one anew."""
        with self.page.expect_navigation():
            self.page.keyboard.press("Enter")

    def fill(self, label: str, words: str) -> None:
        """The field that has the focus by itself."""
        expect(self.page.get_by_label(label)).to_be_focused()
        self.type(words)

    def press(self, role: str, name: str | re.Pattern[str]) -> None:
        self.go_to(role, name)
        self.enter()

    def go_to(self, role: str, name: str | re.Pattern[str]) -> None:
        wanted = self.page.get_by_role(role, name=name)
        expect(wanted).to_be_visible()
        for _ in range(MOST_STOPS):
            if wanted.evaluate("element => element === document.activeElement"):
                assert wanted.evaluate("element => getComputedStyle(element).outlineStyle") != "none"
                return
            self.page.keyboard.press("Tab")
        raise AssertionError(f"no way to {name!r} by keyboard")

    def another_tab(self, link: str) -> Page:
        """What a link opens beside this page."""
        self.go_to("link", link)
        with self.page.context.expect_page() as opened:
            self.page.keyboard.press("Enter")
        return opened.value

    def read_code(self) -> str:
        """Of the newest message in the outbox."""
        tab = self.another_tab("read it in the outbox")
        words = tab.get_by_role("listitem").first.inner_text()
        tab.close()
        return re.search(r"\b\d{6}\b", words).group()

    def answer_on_the_phone(self, answer: str) -> None:
        phone = Person(self.authority, self.another_tab("Open the phone and approve"))
        phone.press("button", answer)
        expect(phone.page.get_by_role("status")).to_be_visible()
        phone.page.close()

    def one_time_code(self, secret: str) -> str:
        return pyotp.TOTP(secret).at(RealClock().now_ns() // NS)

    def save_recovery_code(self) -> str:
        self.heading("Save your recovery code")
        code = self.page.locator("#recovery-code").inner_text()
        self.press("button", "I have saved it")
        return code

    def allow(self) -> None:
        self.heading("Connect Stoa display?")
        self.press("button", re.compile("^Allow$"))
        expect(self.page.get_by_role("status")).to_contain_text("Your device is connected")
        assert poll(self.authority, self.begun).status_code == 200


@pytest.fixture
def person(authority, page) -> Person:
    return Person(authority, page)


def test_a_code_of_an_app(authority, person, page, shown):
    authority.control.enrol(authority.tenant.demo_user, "push", "Anna's old phone with a name that goes on")
    person.sign_in()
    person.heading("Confirm it is you")
    shown("1-app")
    person.fill("One-time code", "000000")
    expect(page.get_by_role("alert")).to_contain_text("is not right")
    expect(page.get_by_label("One-time code")).to_have_accessible_description(re.compile("is not right"))
    shown("1-app-wrong")
    person.fill("One-time code", person.one_time_code(authority.tenant.totp_secret))
    person.allow()


@pytest.mark.parametrize(("factor", "way"), [("sms", "Text message to +1555XXXXXXX"), ("email", "E-mail to dem***@")])
def test_the_code_of_a_message(authority, person, page, shown, factor, way):
    user = authority.tenant.demo_user
    for each, name in (("push", "Anna's phone"), ("sms", "+15550100123"), ("email", None)):
        authority.control.enrol(user, each, name)
    person.sign_in()
    person.press("link", "Use another way")
    person.heading("Choose another way")
    if factor == "sms":
        shown("2-ways")
    person.press("button", re.compile(re.escape(way)))
    person.heading("Type the code")
    shown(f"2-{factor}")
    code = person.read_code()
    person.press("button", "Send it again")
    person.heading("Type the code")
    code = person.read_code()
    page.keyboard.press("Shift+Tab")
    page.reload()  # and the field has the focus again
    person.fill("Code in the ", code)
    person.allow()


def test_a_message_where_there_is_no_other_way(authority, person, page, shown):
    person.forget_factors()
    authority.control.enrol(authority.tenant.demo_user, "sms", "+15550100123")
    recovery = authority._authority.authenticators.of(person.user_id, "recovery-code")
    authority._authority.authenticators.remove(person.user_id, recovery[0].authenticator_id)
    person.sign_in()
    person.heading("Get a code")
    expect(page.get_by_role("link", name="Use another way")).to_have_count(0)
    shown("3-get-a-code")
    expect(page.get_by_role("button", name="Send the code")).to_be_focused()
    person.enter()
    field = page.get_by_label("Code in the text message")
    expect(field).to_be_focused()
    page.keyboard.type("abc")
    page.keyboard.press("Enter")
    expect(field).to_be_focused()  # the browser itself refuses letters
    page.keyboard.press("Control+A")
    person.type(authority.control.messages()[0].text[:6])
    person.allow()


def test_a_push_that_is_refused_and_then_approved(authority, person, page, shown):
    person.forget_factors()
    authority.control.enrol(authority.tenant.demo_user, "push", "Anna's phone")
    person.sign_in()
    person.heading("Approve on your phone")
    shown("4-push-unsent")
    person.press("button", "Send a request to the phone")
    shown("4-push")
    person.press("button", "I have approved it")
    expect(page.get_by_role("status")).to_contain_text("The phone has not answered yet.")
    shown("4-push-unanswered")
    person.answer_on_the_phone("Refuse")
    person.press("button", "I have approved it")
    expect(page.get_by_role("alert")).to_contain_text("was refused on the phone")
    expect(page.get_by_role("button", name="Send it again")).to_be_focused()
    shown("4-push-refused")
    person.enter()
    person.answer_on_the_phone("Approve")
    person.press("button", "I have approved it")
    person.allow()


def test_a_recovery_code(authority, person, page, shown):
    # The demo's own one-time codes came without one.
    code = authority.control.enrol(authority.tenant.demo_user, "sms", "+15550100123").recovery_code
    person.sign_in()
    person.press("link", "Use another way")
    person.press("button", "Recovery code")
    person.heading("Use your recovery code")
    shown("5-recovery")
    person.fill("Recovery code", code.lower())
    person.heading("Save your recovery code")
    shown("5-recovery-new")
    page.reload()  # it is there until it is saved
    assert person.save_recovery_code().replace(" ", "") != code
    person.allow()


def test_an_app_is_enrolled(authority, person, page, shown, tmp_path):
    person.forget_factors()
    person.sign_in()
    person.heading("Add a second factor")
    shown("6-enrol")
    person.press("button", re.compile("Authenticator app"))
    person.heading("Set up your authenticator app")
    shown("6-enrol-app")
    key = page.locator("p.code").inner_text().replace(" ", "")
    for scheme in ("light", "dark"):  # as a camera sees it
        page.emulate_media(color_scheme=scheme)
        page.get_by_role("img", name=re.compile("QR code")).screenshot(path=tmp_path / "qr.png")
        [read] = zxingcpp.read_barcodes(Image.open(tmp_path / "qr.png"))
        assert read.text.startswith("otpauth://totp/127.0.0.1:demo%40stoa.example?secret=" + key)
    person.fill("Code that the app shows now", person.one_time_code(key))
    shown("6-enrol-recovery")
    person.save_recovery_code()
    person.allow()


@pytest.mark.parametrize(("kind", "label"), [("sms", "Phone number"), ("email", "E-mail address")])
def test_a_message_is_enrolled(authority, person, page, shown, kind, label):
    person.forget_factors()
    person.sign_in()
    person.press("button", re.compile("Text message" if kind == "sms" else "E-mail"))
    field = page.get_by_label(label)
    expect(field).to_be_focused()
    if kind == "sms":
        person.fill(label, "555 0100")
        expect(page.get_by_role("alert")).to_contain_text("This is no phone number")
        expect(field).to_have_value("555 0100")
        shown("7-enrol-number")
        page.keyboard.press("Control+A")
        person.type("+1 555 0100 123")
    else:
        expect(field).to_have_value(authority.tenant.demo_user)
        shown("7-enrol-address")
        person.enter()
    person.heading("Type the code")
    code = person.read_code()
    page.reload()
    person.fill("Code in the ", code)
    person.save_recovery_code()
    person.allow()


def test_a_phone_is_enrolled(authority, person, page, shown):
    person.forget_factors()
    person.sign_in()
    person.press("button", re.compile("^Approval on the phone"))
    person.heading("Set up your phone")
    shown("8-enrol-phone")
    person.answer_on_the_phone("Approve")
    person.press("button", "I have approved it")
    person.save_recovery_code()
    person.allow()


def test_what_a_script_does_not_let_count_is_told(authority, person, page, shown):
    from host_tools.authority.core.policies import Directive
    from host_tools.authority.core.post_login import Verdict

    authority._authority.post_login.judge = lambda attempt: Verdict(Directive(True, factors=("push",)))
    person.sign_in()
    person.heading("You cannot go on here")
    expect(page.get_by_role("alert")).to_contain_text("takes an approval on the phone")
    shown("9-no-way")
    assert httpx2.get(f"{authority.issuer}activate").status_code == 200
