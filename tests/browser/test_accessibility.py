"""Every page, in Chromium: what axe-core finds (WCAG 2.2 A and AA, and its best practices), and the keyboard alone."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import parse_qsl

import pytest
from playwright.sync_api import Page

from tests.authority.conftest import cheap_passwords, key_record  # noqa: F401
from tests.authority.form_pages import SIGHTS, Names
from tests.campaign import sample

from .conftest import DESKTOP
from .showing import shown
from .test_activation import contrast
from .test_second_factor import NARROWEST

AXE = Path(__file__).parents[1] / "interop" / "node" / "node_modules" / "axe-core" / "axe.min.js"
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
# Colours do not depend on the width, so that two of the four looks show what each could.
LOOKS = {"light and wide": ("light", DESKTOP), "dark and narrow": ("dark", NARROWEST)}
# Each page in the one and then in the other, and the next page the other way round: half of them is each page once.
LOOKED_AT = [(name, look) for number, name in enumerate(SIGHTS) for look in list(LOOKS)[:: (1, -1)[number % 2]]]
CONTROLS = "a[href], button, input:not([type=hidden])"
TYPED = {"email": "a@b.example", "tel": "+15550100123", "password": "x"}


def found_by_axe(page: Page) -> list[tuple[str, str, str, str]]:
    """What is wrong by its rules: impact, rule, where, and why."""
    page.evaluate(AXE.read_text())
    told = page.evaluate(f"axe.run({{runOnly: {json.dumps(TAGS)}, resultTypes: ['violations']}})")
    assert told["passes"], "axe-core has looked at nothing"
    return [
        (each["impact"], each["id"], node["html"], node["failureSummary"])
        for each in told["violations"]
        for node in each["nodes"]
    ]


@pytest.mark.parametrize(("name", "look"), sample(LOOKED_AT, 2))
def test_axe_finds_no_fault(chromium, key_record, name, look):  # noqa: F811
    with shown(chromium, key_record, name, *LOOKS[look]) as at:
        assert found_by_axe(at.page) == []


def test_axe_would_find_a_field_without_its_label(chromium, key_record):  # noqa: F811
    with shown(chromium, key_record, "sign in", *LOOKS["light and wide"]) as at:
        at.page.eval_on_selector("label[for=password]", "label => label.remove()")
        assert {(impact, rule) for impact, rule, _, _ in found_by_axe(at.page)} == {("critical", "label")}


LONG = Names("B" * 60, "D" * 60, f"{'z' * 60}@{'s' * 60}.example", phone="P" * 60, scope="transfer:" + "f" * 60)
WITHIN = "document.documentElement.scrollWidth <= innerWidth"


@pytest.mark.parametrize("name", sample(SIGHTS, 3))
def test_names_without_a_break_do_not_make_it_scroll_sideways(chromium, key_record, name):  # noqa: F811
    """WCAG 2.2, 1.4.10."""
    with shown(chromium, key_record, name, *LOOKS["dark and narrow"], LONG) as at:
        assert at.page.evaluate(WITHIN)
        wider = "all => all.filter(each => each.getBoundingClientRect().right > innerWidth).map(each => each.outerHTML)"
        assert at.page.eval_on_selector_all("body *", wider) == []


@pytest.mark.parametrize("look", LOOKS)
def test_an_example_in_a_field_stands_out_from_its_ground(chromium, key_record, look):  # noqa: F811
    """WCAG 2.2, 1.4.3, which axe-core does not hold placeholders to."""
    with shown(chromium, key_record, "code", *LOOKS[look]) as at:
        colour, opacity, ground = at.page.eval_on_selector(
            "input[placeholder]",
            """field => {
                const style = getComputedStyle(field, "::placeholder")
                return [style.color, style.opacity, getComputedStyle(document.querySelector("main")).backgroundColor]
            }""",
        )
        assert opacity == "1"
        assert contrast(colour, ground) >= 4.5


OUTLINED = """element => {
    const style = getComputedStyle(element), box = element.getBoundingClientRect()
    const within = [box.top, box.left, innerHeight - box.bottom, innerWidth - box.right]
    return style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2
        && within.every(distance => distance > -1)  // it is scrolled to by whole pixels
}"""


def stops(page: Page) -> list[str]:
    """Where Tab leads to, from the top of the page to its end."""
    page.evaluate("document.body.tabIndex = -1, document.body.focus()")  # a page may begin in its field
    found = []
    while True:
        page.keyboard.press("Tab")
        focused = page.evaluate_handle("document.activeElement").as_element()
        if focused is None or focused.evaluate("element => element === document.body"):
            return found
        markup = focused.evaluate("element => element.outerHTML")
        assert focused.evaluate(OUTLINED), markup
        assert len(found) < 300, "Tab leads round in a circle"
        found.append(markup)


@pytest.mark.parametrize("name", sample(SIGHTS, 3))
def test_tab_comes_to_every_control_in_order_and_is_seen_there(chromium, key_record, name):  # noqa: F811
    with shown(chromium, key_record, name, *LOOKS["dark and narrow"]) as at:
        controls = at.page.eval_on_selector_all(CONTROLS, "all => all.map(each => each.outerHTML)")
        assert stops(at.page) == controls


@pytest.mark.parametrize("name", sample(SIGHTS, 3))
def test_enter_sends_the_form_and_follows_the_link(chromium, key_record, name):  # noqa: F811
    with shown(chromium, key_record, name, *LOOKS["light and wide"]) as at:
        for field in at.page.query_selector_all("input:not([type=hidden]):not([type=checkbox])"):
            field.fill(TYPED.get(field.get_attribute("type") or "", "123456"))
        for control in at.page.query_selector_all(CONTROLS):
            leads_to = control.evaluate("e => e.form ? e.form.action : e.href")
            if not leads_to.startswith("http"):  # an otpauth: address is another program's
                continue
            control.focus()
            with at.page.context.expect_event("request") as begun:  # of this tab, or of one that a link opens
                at.page.keyboard.press("Enter")
            sent = begun.value
            assert (sent.url, sent.method) == (leads_to, "POST" if control.evaluate("e => !!e.form") else "GET")
            if said := control.evaluate("e => e.localName === 'button' && e.name ? [e.name, e.value] : null"):
                assert tuple(said) in parse_qsl(sent.post_data)
