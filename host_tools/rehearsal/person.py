"""A person at a browser, for runs that have none: walks the pages of an activation by their forms.

It knows what a person knows: the address and the code on the display, a name, a password, an authenticator. It finds
its way by what the pages tell browsers and screen readers (`autocomplete`, `role="alert"`, `role="status"`) and knows
nothing of the authority behind them.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import httpx2

_MOST_PAGES = 10
_TIMEOUT_S = 30
_VOID = frozenset({"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "wbr"})
_BLOCKS = frozenset({"br", "button", "div", "footer", "form", "h1", "h2", "header", "label", "li", "main", "p", "ul"})
_ALLOWING = frozenset({"allow", "approve", "accept", "confirm", "yes", "true"})
_REFUSING = frozenset({"deny", "refuse", "reject", "cancel", "no", "false"})


class PersonStuck(Exception):
    """The pages did not lead to an approval; the message is what the last one said."""


@dataclass
class _Form:
    action: str
    fields: list[dict[str, str]] = field(default_factory=list)
    buttons: list[dict[str, str]] = field(default_factory=list)

    @property
    def asks(self) -> list[dict[str, str]]:
        """The fields a person fills in."""
        return [entry for entry in self.fields if entry.get("type") not in ("hidden", "submit", "button")]


class _Page(HTMLParser):
    """What a person sees: forms, alerts, and the text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.forms: list[_Form] = []
        self.alert = ""
        self.status = ""
        self.text = ""
        self._open: list[tuple[str, str]] = []  # element, role
        self._in_form = False
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        if tag in _BLOCKS:
            self.handle_data(" ")  # as the eye parts them
        if tag not in _VOID:
            self._open.append((tag, found.get("role", "")))
        if tag == "form":
            self.forms.append(_Form(found.get("action", "")))
            self._in_form = True
        elif tag == "input" and self._in_form:
            self.forms[-1].fields.append(found)
        elif tag == "button" and self._in_form and found.get("type", "submit") == "submit":
            self.forms[-1].buttons.append(found)

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._in_form = False
        while self._open and self._open.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        roles = [role for _, role in self._open]
        elements = [element for element, _ in self._open]
        if "alert" in roles:
            self.alert += data
        if "status" in roles:
            self.status += data
        if "main" in elements or "body" in elements:
            self.text += data


def approve(
    verification_uri: str,
    user_code: str,
    username: str,
    password: str,
    one_time_code: Callable[[], str],
    *,
    ca_file: Path | None = None,
    allow: bool = True,
) -> None:
    """Connect the device that shows `user_code`, as a person would; with `allow` off, refuse it where that is asked.

    `one_time_code` is called when a page asks for one and returns what the authenticator shows then. `ca_file`: the
    certificate authority, PEM, that the browser has been told to trust; it then trusts no other.
    Raises PersonStuck with the page's own message.
    """
    answers: dict[str, Callable[[], str]] = {
        "user_code": lambda: user_code,
        "username": lambda: username,
        "current-password": lambda: password,
        "one-time-code": one_time_code,
    }
    site = urlsplit(verification_uri)[:2]
    trusted = ssl.create_default_context(cafile=ca_file) if ca_file else True
    with httpx2.Client(follow_redirects=True, timeout=_TIMEOUT_S, verify=trusted) as browser:
        try:
            reply = browser.get(verification_uri)
            for _ in range(_MOST_PAGES):
                if urlsplit(str(reply.url))[:2] != site:
                    raise PersonStuck("the page leads to another site")
                page = _Page(reply.text)
                if page.alert or reply.is_error:
                    raise PersonStuck(_said(page.alert or page.text) or f"the page answered {reply.status_code}")
                form = _form_to_fill(page)
                if form is None:
                    return _check_connected(page)
                target = urljoin(str(reply.url), form.action)
                if urlsplit(target)[:2] != site:
                    raise PersonStuck("the page wants to send this to another site")
                reply = browser.post(target, data=_filled(form, answers, allow))
        except httpx2.HTTPError as failed:
            raise PersonStuck(f"the page at {verification_uri} cannot be reached: {failed}") from failed
    raise PersonStuck(f"still not done after {_MOST_PAGES} pages")


def _form_to_fill(page: _Page) -> _Form | None:
    """The form the page is about: the first that asks for something or offers to allow. Else there is none to fill."""
    return next((form for form in page.forms if form.asks or _button(form, _ALLOWING)), None)


def _button(form: _Form, meaning: frozenset[str]) -> dict[str, str] | None:
    return next((button for button in form.buttons if button.get("value", "").lower() in meaning), None)


def _filled(form: _Form, answers: dict[str, Callable[[], str]], allow: bool) -> dict[str, str]:
    filled = {entry["name"]: entry.get("value", "") for entry in form.fields if entry.get("name") and _is_sent(entry)}
    for entry in form.asks:
        # The last word of autocomplete is the field's purpose (HTML 4.10.18.7); a user code has none and goes by name.
        purpose = (entry.get("autocomplete", "").split() or [""])[-1]
        answer = answers.get(purpose) or answers.get(entry.get("name", ""))
        if answer:
            filled[entry["name"]] = answer()
        elif "required" in entry:
            raise PersonStuck(f"the page asks for {entry.get('name')!r}, which nobody told me")
    pressed = _button(form, _ALLOWING if allow else _REFUSING) or (form.buttons[0] if form.buttons else {})
    if pressed.get("name"):
        filled[pressed["name"]] = pressed.get("value", "")
    return filled


def _is_sent(entry: dict[str, str]) -> bool:
    """A box is left as the page has it, and an empty one is not sent (HTML 4.10.21.4)."""
    return entry.get("type") != "checkbox" or "checked" in entry


def _check_connected(page: _Page) -> None:
    if not page.status:
        raise PersonStuck(_said(page.text) or "the page is empty")


def _said(text: str) -> str:
    """A page's words on one line, as long as a line is read."""
    return " ".join(text.split())[:300]
