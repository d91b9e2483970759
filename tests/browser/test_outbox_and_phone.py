"""A person with a real browser (the system's Chromium) reads the outbox and answers pushes on the phone."""

from __future__ import annotations

import re
from collections.abc import Iterator

import httpx2
import pytest
from playwright.sync_api import expect

from host_tools.authority import RunningAuthority, start_authority
from host_tools.clock import RealClock
from host_tools.rehearsal.person import approve

from .test_activation import contrast

DEVICE_CODE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"
TEXT = "123456 is your verification code for Stoa display."


@pytest.fixture
def authority() -> Iterator[RunningAuthority]:
    with start_authority(RealClock()) as running:
        running.control.enrol(running.tenant.demo_user, "push")
        yield running


class Asking:
    """A display whose refresh was refused, and which may ask for a push."""

    def __init__(self, running: RunningAuthority) -> None:
        tenant = running.tenant
        self._issuer = running.issuer
        self._client = {"client_id": tenant.client_id}
        begun = self._post("oauth/device/code", scope=tenant.scope).json()
        approve(begun["verification_uri"], begun["user_code"], tenant.demo_user, tenant.demo_password, lambda: "")
        grant = {"grant_type": DEVICE_CODE_GRANT, "device_code": begun["device_code"]}
        paired = self._post("oauth/token", **grant).json()
        running.set_mfa("rule")
        refresh = {"grant_type": "refresh_token", "refresh_token": paired["refresh_token"]}
        self._mfa_token = self._post("oauth/token", **refresh).json()["mfa_token"]

    def push(self) -> str:
        return self._post("mfa/challenge", mfa_token=self._mfa_token, challenge_type="oob").json()["oob_code"]

    def poll(self, oob_code: str) -> httpx2.Response:
        grant = "http://auth0.com/oauth/grant-type/mfa-oob"
        return self._post("oauth/token", grant_type=grant, mfa_token=self._mfa_token, oob_code=oob_code)

    def _post(self, path: str, **fields: str) -> httpx2.Response:
        return httpx2.post(f"{self._issuer}{path}", data=self._client | fields)


@pytest.fixture
def asking(authority) -> Asking:
    return Asking(authority)


def test_the_outbox_is_read(authority, page, picture):
    page.goto(f"{authority.issuer}outbox")
    expect(page.get_by_text("There are none.")).to_be_visible()
    picture("1-outbox-empty")
    outbox = authority._authority.outbox
    outbox.send("auth0|1", "email", "an.uncommonly.long.name.that.nobody.could.break@a-very-long-domain.example", TEXT)
    outbox.send("auth0|1", "sms", "+15551234567", TEXT)
    page.get_by_role("link", name="Look again").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Outbox")
    expect(page.get_by_role("list")).to_have_count(1)
    expect(page.get_by_role("listitem")).to_have_count(2)
    newest = page.get_by_role("listitem").first
    expect(newest.get_by_role("heading", name="Text message to +15551234567")).to_be_visible()
    expect(newest).to_contain_text(TEXT)
    picture("2-outbox")


def test_a_push_is_approved(authority, asking, page, picture):
    page.goto(f"{authority.issuer}phone")
    expect(page.get_by_text("Nothing waits for an answer.")).to_be_visible()
    picture("1-phone-empty")
    oob_code = asking.push()
    page.get_by_role("link", name="Look again").click()
    whose = f"Stoa display asks for {authority.tenant.demo_user}"
    expect(page.get_by_role("listitem").get_by_role("heading", name=whose)).to_be_visible()
    button = page.get_by_role("button", name="Approve")
    expect(button).to_have_accessible_description(whose)
    picture("2-phone")
    button.click()
    expect(page.get_by_role("status")).to_contain_text("You approved it for demo@stoa.example.")
    expect(button).to_have_count(0)
    picture("3-phone-approved")
    assert asking.poll(oob_code).status_code == 200
    page.reload()
    expect(page.get_by_role("status")).to_contain_text("You approved it for demo@stoa.example.")


def test_a_push_is_refused_by_keyboard_alone(authority, asking, page, picture):
    oob_code = asking.push()
    page.goto(f"{authority.issuer}phone")
    for role, name in (("link", "Look again"), ("button", "Approve"), ("button", "Refuse")):
        page.keyboard.press("Tab")
        expect(page.get_by_role(role, name=name)).to_be_focused()
    assert (
        page.get_by_role("button", name="Refuse").evaluate("element => getComputedStyle(element).outlineStyle")
        != "none"
    )
    picture("4-phone-focus")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("You refused it for demo@stoa.example.")
    picture("5-phone-refused")
    assert asking.poll(oob_code).json()["error"] == "invalid_grant"


def test_a_double_click_approves_once(authority, asking, page):
    oob_code = asking.push()
    page.goto(f"{authority.issuer}phone")
    page.get_by_role("button", name="Approve").dblclick()
    expect(page.get_by_role("status")).to_contain_text("You approved it for demo@stoa.example.")
    assert asking.poll(oob_code).status_code == 200


def test_a_push_that_was_answered_elsewhere_is_told(authority, asking, page, picture):
    asking.push()
    page.goto(f"{authority.issuer}phone")
    authority.control.answer_push(approve=False)
    newer = asking.push()
    page.get_by_role("button", name="Approve").click()
    expect(page.get_by_role("alert")).to_contain_text("That was refused before")
    expect(page).to_have_title(re.compile("^Problem: "))
    picture("6-phone-answered-elsewhere")
    page.get_by_role("button", name="Approve").click()
    expect(page.get_by_role("status")).to_contain_text("You approved it for demo@stoa.example.")
    assert asking.poll(newer).status_code == 200


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_from_its_ground(authority, asking, page, scheme, picture):
    """WCAG 2.2, 1.4.3: a contrast of 4.5 at least, in both colour schemes."""
    asking.push()
    authority._authority.outbox.send("auth0|1", "sms", "+15551234567", TEXT)
    page.emulate_media(color_scheme=scheme)
    for path, selectors in (("phone", ("h2", ".hint", "a", "button", "button.second")), ("outbox", ("h2", ".words"))):
        page.goto(f"{authority.issuer}{path}")
        if scheme == "dark":
            picture(f"7-{path}-dark")
        for selector in selectors:
            colour, ground = page.eval_on_selector(
                selector,
                """element => {
                    const seen = each => getComputedStyle(each).backgroundColor
                    let ground = element
                    while (seen(ground) === 'rgba(0, 0, 0, 0)') ground = ground.parentElement
                    return [getComputedStyle(element).color, seen(ground)]
                }""",
            )
            assert contrast(colour, ground) >= 4.5, (path, selector, scheme, colour, ground)
