"""A person pairs the display: reads its glass, and types what is there into a real browser."""

from __future__ import annotations

import pytest
import zxingcpp
from playwright.sync_api import expect

from host_tools.authority import start_authority
from host_tools.clock import NS, VirtualClock
from tests.home import FEATHER, MAGTAG, Home


class BrowserHome(Home):
    """Whoever approves here does it in Chromium, while the display polls. `scans`: by its QR instead of typing."""

    browser = None
    scans = False

    def _see(self, name, shown, glass):
        super()._see(name, shown, glass)
        if shown:
            self.clock.schedule(20 * NS, lambda: self.connect(shown))

    def connect(self, shown):
        tenant = self.authority.tenant
        context = self.browser.new_context(viewport={"width": 390, "height": 844})
        context.set_default_timeout(10_000)
        page = context.new_page()
        if self.scans:
            page.goto(zxingcpp.read_barcodes(self.screens[-1].picture)[0].text)
            expect(page.get_by_text(shown["user_code"])).to_be_visible()
        else:
            page.goto(shown["verification_uri"])
            page.get_by_label("Code on your device").press_sequentially(shown["user_code"].lower().replace("-", " "))
        page.get_by_role("button", name="Yes, it is the same" if self.scans else "Continue").click()
        page.locator("input[autocomplete~=username]").fill(tenant.demo_user)
        page.locator("input[autocomplete~=current-password]").fill(tenant.demo_password)
        page.keyboard.press("Enter")
        if name_of_the_step(page) == "one-time-code":
            page.locator("input[autocomplete~=one-time-code]").fill(self.person.one_time_code())
            page.keyboard.press("Enter")
        page.get_by_role("button", name="Allow", exact=True).click()
        expect(page.get_by_role("status")).to_be_visible()
        context.close()


def name_of_the_step(page):
    """Which page came after the password: the one for a one-time code, or the consent."""
    page.locator("input[autocomplete~=one-time-code], button[value=allow]").first.wait_for()
    return "one-time-code" if page.locator("input[autocomplete~=one-time-code]").count() else "consent"


@pytest.mark.parametrize(("board_id", "scans"), [(MAGTAG, False), (FEATHER, True)])
def test_a_person_pairs_the_display_and_brings_it_back_after_mfa(chromium, board_id, scans):
    # Near the real time: a browser drops cookies that are long past.
    clock = VirtualClock.starting_now()
    with start_authority(clock, access_token_ttl=3600) as authority:
        home = BrowserHome(authority, clock, board_id=board_id, approves=False)
        home.browser, home.scans = chromium, scans
        home.wake_now()
        assert home.names() == ["pairing", "quote"]
        authority.set_mfa("rule")
        home.wake()
        assert home.names() == ["mfa", "quote"]
