"""A person with a real browser (the system's Chromium) connects a display by typing its code."""

from __future__ import annotations

import re
from collections.abc import Iterator

import httpx2
import pyotp
import pytest
from playwright.sync_api import expect

from host_tools.authority import RunningAuthority, start_authority
from host_tools.clock import NS, RealClock

DEVICE_CODE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"


@pytest.fixture
def clock() -> RealClock:
    return RealClock()


@pytest.fixture
def authority(clock) -> Iterator[RunningAuthority]:
    with start_authority(clock) as running:
        yield running


def ask(running: RunningAuthority) -> dict[str, str]:
    fields = {"client_id": running.tenant.client_id, "scope": running.tenant.scope}
    return httpx2.post(f"{running.issuer}oauth/device/code", data=fields).json()


def poll(running: RunningAuthority, begun: dict[str, str]) -> httpx2.Response:
    fields = {"device_code": begun["device_code"], "client_id": running.tenant.client_id}
    return httpx2.post(f"{running.issuer}oauth/token", data=fields | {"grant_type": DEVICE_CODE_GRANT})


def one_time_code(running: RunningAuthority, clock: RealClock) -> str:
    return pyotp.TOTP(running.tenant.totp_secret).at(clock.now_ns() // NS)


def test_typing_the_code_and_a_one_time_code(authority, page, clock, picture):
    authority.set_mfa("rule")
    begun = ask(authority)
    page.goto(begun["verification_uri"])
    picture("1-code")
    expect(page.get_by_label("Code on your device")).to_be_focused()
    page.keyboard.type(begun["user_code"].lower().replace("-", " "))
    page.keyboard.press("Enter")

    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    picture("2-sign-in")
    page.get_by_label("E-mail address").fill(authority.tenant.demo_user)
    page.get_by_label("Password").fill(authority.tenant.demo_password)
    page.keyboard.press("Enter")

    expect(page.get_by_role("heading", name="Confirm it is you")).to_be_visible()
    picture("3-one-time-code")
    page.get_by_label("One-time code").fill(one_time_code(authority, clock))
    page.get_by_role("button", name="Continue").click()

    expect(page.get_by_role("heading", name="Connect Stoa display?")).to_be_visible()
    expect(page.get_by_text(begun["user_code"])).to_be_visible()
    picture("4-consent")
    assert poll(authority, begun).json()["error"] == "authorization_pending"
    page.get_by_role("button", name="Allow", exact=True).click()

    expect(page.get_by_role("status")).to_contain_text("Your device is connected")
    picture("5-done")
    granted = poll(authority, begun)
    assert granted.status_code == 200
    bearer = {"Authorization": f"Bearer {granted.json()['access_token']}"}
    assert httpx2.get(authority.tenant.quotes_url, headers=bearer).json()["text"]


def test_a_scanned_code_is_compared_and_may_be_refused(authority, page, picture):
    begun = ask(authority)
    page.goto(begun["verification_uri_complete"])
    expect(page.get_by_text(begun["user_code"])).to_be_visible()
    picture("1-compare")
    page.get_by_role("button", name="Yes, it is the same").click()
    page.get_by_label("E-mail address").fill(authority.tenant.demo_user)
    page.get_by_label("Password").fill("wrong")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("is not right")
    expect(page.get_by_label("Password")).to_be_focused()
    picture("2-wrong-password")
    page.get_by_label("Password").fill(authority.tenant.demo_password)
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Do not allow").click()
    expect(page.get_by_role("status")).to_contain_text("You did not allow it")
    picture("5-refused")
    assert poll(authority, begun).json()["error"] == "access_denied"


# The page as it was when it came: on a slow machine a test finds it later than a double click would.
JUST_SHOWN = """button => {
    button.style.animation = "none"
    button.offsetWidth
    button.style.animation = ""
    for (const each of button.getAnimations()) { each.pause(); each.currentTime = 650 }
}"""


def test_the_second_click_of_a_double_click_decides_nothing(authority, page):
    """ "Allow" comes to lie where "Continue" lay, and nobody has compared the code yet (RFC 8628 5.4)."""
    begun = ask(authority)
    page.goto(begun["verification_uri"])
    page.get_by_label("Code on your device").fill(begun["user_code"])
    page.get_by_role("button", name="Continue").click()
    page.get_by_label("E-mail address").fill(authority.tenant.demo_user)
    page.get_by_label("Password").fill(authority.tenant.demo_password)
    page.get_by_role("button", name="Continue").click()
    allow = page.get_by_role("button", name="Allow", exact=True)
    allow.evaluate(JUST_SHOWN)
    box = allow.bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    expect(page.get_by_role("heading", name="Connect Stoa display?")).to_be_visible()
    assert poll(authority, begun).json()["error"] == "authorization_pending"
    allow.evaluate("button => button.getAnimations().forEach(each => each.finish())")
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    expect(page.get_by_role("status")).to_contain_text("Your device is connected")


def test_a_wrong_code_is_told_and_can_be_put_right(authority, page, picture):
    begun = ask(authority)
    page.goto(begun["verification_uri"])
    page.get_by_label("Code on your device").fill("BBBB-BBBB")
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("alert")).to_contain_text("No device is waiting with this code")
    expect(page).to_have_title(re.compile("^Problem: "))
    picture("1-wrong-code")
    page.get_by_label("Code on your device").fill(begun["user_code"])
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def test_going_back_and_reloading_do_no_harm(authority, page):
    begun = ask(authority)
    page.goto(begun["verification_uri"])
    page.get_by_label("Code on your device").fill(begun["user_code"])
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    page.go_back()
    expect(page.get_by_role("heading", name="Connect a device")).to_be_visible()
    page.go_forward()
    page.reload()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_from_its_ground(authority, page, scheme, picture):
    """WCAG 2.2, 1.4.3: a contrast of 4.5 at least, in both colour schemes."""
    page.emulate_media(color_scheme=scheme)
    page.goto(f"{authority.issuer}activate")
    page.get_by_label("Code on your device").fill("BBBB-BBBB")
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("alert")).to_be_visible()
    if scheme == "dark":
        picture("1-dark")
    for selector in ("h1", ".hint", ".problem", "button", "footer", "label"):
        colour, ground = page.eval_on_selector(
            selector,
            """element => {
                let ground = element
                while (getComputedStyle(ground).backgroundColor === 'rgba(0, 0, 0, 0)') ground = ground.parentElement
                return [getComputedStyle(element).color, getComputedStyle(ground).backgroundColor]
            }""",
        )
        assert contrast(colour, ground) >= 4.5, (selector, scheme, colour, ground)


def contrast(one: str, other: str) -> float:
    """WCAG 2.2's contrast ratio of two CSS colours, `rgb(1, 2, 3)`."""

    def luminance(colour: str) -> float:
        channels = [int(part) / 255 for part in re.findall(r"\d+", colour)[:3]]
        red, green, blue = (
            channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4 for channel in channels
        )
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)
