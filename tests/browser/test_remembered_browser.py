"""A person in Chromium is offered what Okta's sign-on policy allows, ticks it by keyboard, and is asked no more."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import httpx2
import pyotp
import pytest
from playwright.sync_api import Page, expect

from host_tools.authority import RunningAuthority, start_authority
from host_tools.authority.core.sign_on_policy import SignOnPolicy
from host_tools.clock import NS, VirtualClock

OFFERS = {
    "15 minutes": ({}, "Do not challenge me on this device for the next 15 minutes"),
    "2 hours": (
        {"factor_lifetime": 2, "factor_lifetime_unit": "HOURS"},
        "Do not challenge me on this device for the next 2 hours",
    ),
    "30 days": (
        {"factor_lifetime": 30, "factor_lifetime_unit": "DAYS", "remember_device_by_default": True},
        "Do not challenge me on this device for the next 30 days",
    ),
    "device": ({"factor_prompt_mode": "DEVICE"}, "Do not challenge me on this device again"),
    "always": ({"factor_prompt_mode": "ALWAYS"}, None),
}


@pytest.fixture
def clock() -> VirtualClock:
    """The browser throws cookies away by the machine's own time, which stands nearly still meanwhile."""
    return VirtualClock.starting_now()


@pytest.fixture
def authority(clock: VirtualClock) -> Iterator[RunningAuthority]:
    with start_authority(clock, dialect="okta", mfa="always") as running:
        yield running


class Person:
    def __init__(self, authority: RunningAuthority, clock: VirtualClock, page: Page) -> None:
        self.authority, self.clock, self.page = authority, clock, page

    def sign_in(self) -> None:
        """For a display, and with a session of its own: the browser stays known by its other cookie."""
        self.page.context.clear_cookies(name="stoa_session")
        asked = {"client_id": self.authority.tenant.client_id}
        begun = httpx2.post(f"{self.authority.issuer}oauth2/v1/device/authorize", data=asked).json()
        self.page.goto(begun["verification_uri_complete"])
        self.page.get_by_role("button").first.click()
        self.page.get_by_label("E-mail address").fill(self.authority.tenant.demo_user)
        self.page.get_by_label("Password").fill(self.authority.tenant.demo_password)
        self.page.keyboard.press("Enter")

    def is_asked(self) -> None:
        expect(self.page.get_by_role("heading", name="Confirm it is you")).to_be_visible()

    def is_let_in(self) -> None:
        expect(self.page.get_by_role("heading", name="Connect Stoa display?")).to_be_visible()

    def give_code(self, tick: bool) -> None:
        """By keyboard alone, from the field that has the focus."""
        self.clock.sleep_ns(30 * NS)
        self.page.keyboard.type(pyotp.TOTP(self.authority.tenant.totp_secret).at(self.clock.now_ns() // NS))
        self.page.keyboard.press("Tab")
        expect(self.page.get_by_role("checkbox")).to_be_focused()
        if tick:
            self.page.keyboard.press("Space")
        self.page.keyboard.press("Enter")


@pytest.fixture
def person(authority: RunningAuthority, clock: VirtualClock, page: Page) -> Person:
    return Person(authority, clock, page)


@pytest.mark.parametrize("name", OFFERS)
def test_what_is_offered(authority, person, page, picture, name):
    changed, offer = OFFERS[name]
    authority._authority.device_choices.policy = replace(SignOnPolicy(), **changed)
    person.sign_in()
    person.is_asked()
    picture(f"remember-{name.replace(' ', '-')}")
    if offer is None:
        expect(page.get_by_role("checkbox")).to_have_count(0)
        return
    box = page.get_by_role("checkbox", name=offer)
    expect(box).to_be_checked(checked="remember_device_by_default" in changed)
    # The words are a place to tap as well, and large enough for a thumb.
    label = page.locator("label.remember")
    assert label.bounding_box()["height"] >= 44
    before = box.is_checked()
    page.get_by_text(offer).click()
    expect(box).to_be_checked(checked=not before)


def test_ticking_it_has_the_browser_remembered_as_long_as_it_says(person, clock, page):
    person.sign_in()
    person.is_asked()
    person.give_code(tick=True)
    person.is_let_in()
    clock.sleep_ns(899 * NS)
    person.sign_in()
    person.is_let_in()
    clock.sleep_ns(NS)
    person.sign_in()
    person.is_asked()
    expect(page.get_by_role("checkbox")).to_be_checked()  # as it was left


def test_not_ticking_it_has_not(person):
    person.sign_in()
    person.is_asked()
    person.give_code(tick=False)
    person.is_let_in()
    person.sign_in()
    person.is_asked()
