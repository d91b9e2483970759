"""login_hint: whom the application takes the person for stands in the sign-in page's field (OpenID Connect Core
3.1.2.1)."""

from __future__ import annotations

import pytest

from tests.authority.page_markup import Markup


def shown(page) -> str | None:
    assert 'name="password"' in page.text
    [field] = [attributes for _, attributes in Markup(page.text).elements if attributes.get("id") == "username"]
    return field["value"]


@pytest.mark.parametrize(
    "hint", ["anna@stoa.example", "a.n+x@mail.stoa.example", "o'brien&co@stoa.example", "a@localhost"]
)
def test_an_address_is_filled_in_and_the_password_is_next(application, hint):
    page = application.ask(login_hint=hint)
    assert shown(page) == hint
    focused = [attributes["id"] for _, attributes in Markup(page.text).elements if "autofocus" in attributes]
    assert focused == ["password"]


@pytest.mark.parametrize(
    "hint",
    [
        "anna",
        "+15550100123",
        '"><script>alert(1)</script>@stoa.example',
        'anna@stoa.example" autofocus onfocus=alert(1) x="',
        "<anna@stoa.example>",
        "anna@stoa.example\r\nX: y",
        "anna@ben@stoa.example",
        "a" * 250 + "@b.example",
        "@stoa.example",
        "anna@",
        "\u202eanna@stoa.example",
        "",
    ],
)
def test_what_the_field_does_not_take_is_not_shown(application, hint):
    page = application.ask(login_hint=hint)
    assert shown(page) == ""
    assert "alert(1)" not in page.text


def test_what_was_typed_goes_before_the_hint(application):
    page = application.ask(login_hint="anna@stoa.example")
    assert shown(application.send(page, username="ben@stoa.example", password="x")) == "ben@stoa.example"


def test_the_address_of_our_page_fills_in_nothing(application):
    application.ask(login_hint="anna@stoa.example")
    assert shown(application.person.see("/sign-in?username=eve@evil.example")) == "anna@stoa.example"


def test_it_says_nothing_about_who_may_sign_in(application):
    assert "code=" in application.sign_in(application.ask(login_hint="nobody@stoa.example")).headers["location"]


def test_a_display_has_none(browser, display):
    assert shown(browser.type_code(display.ask().json()["user_code"])) == ""
