"""A person at a browser who walks a sign-in by the forms of its pages, whosever they are.

Knows what a person would have to know: what to write into which field, and which button means no. host_tools'
`rehearsal.person` is stricter and knows Stoa's own pages; these are for anybody's.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urljoin

import httpx2

MOST_PAGES = 12
TIMEOUT_S = 20


@dataclass
class Form:
    """fields: name and value as the page has them; asks: the names a person fills in; buttons: (name, value)."""

    action: str
    fields: dict[str, str] = field(default_factory=dict)
    asks: list[str] = field(default_factory=list)
    buttons: list[tuple[str, str]] = field(default_factory=list)


class Page(HTMLParser):
    """The forms of a page, with the buttons that belong to them by their place or by their `form` attribute."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.words: list[str] = []
        self._by_id: dict[str, Form] = {}
        self._open: Form | None = None
        self._unseen = 0
        self.feed(html)
        self.close()

    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        name, value = found.get("name", ""), found.get("value", "")
        form = self._by_id.get(found.get("form", ""), self._open)
        if tag in ("style", "script", "title"):
            self._unseen += 1
        elif tag == "form":
            self._open = Form(found.get("action", ""))
            self.forms.append(self._open)
            self._by_id[found.get("id", "")] = self._open
        elif tag == "input" and form is not None:
            form.fields[name] = value
            if found.get("type", "text") != "hidden":
                form.asks.append(name)
        elif tag == "button" and form is not None and name:
            form.buttons.append((name, value))

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._open = None
        elif tag in ("style", "script", "title"):
            self._unseen -= 1

    def handle_data(self, data: str) -> None:
        if not self._unseen:
            self.words.append(data)


@dataclass(frozen=True)
class Person:
    """answers: what to write, by the field's name; yes and no: the button of that name and value, where there is one;
    trust: whose certificates the browser takes for good; by default nobody's, which is cheap and does for plain HTTP.

    Buttons are pressed where the page has them; every other form is sent as it is.
    """

    answers: Mapping[str, Callable[[], str]]
    yes: tuple[str, str]
    no: tuple[str, str]
    trust: ssl.SSLContext = field(default_factory=lambda: ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))

    def approve(self, shown: Mapping[str, str]) -> list[str]:
        """Open the address on the display, type its code, and allow all that is asked; what each page said."""
        return self._walk(shown["verification_uri"], shown["user_code"], self.yes)

    def deny(self, shown: Mapping[str, str]) -> list[str]:
        """The same with the first button that means no."""
        return self._walk(shown["verification_uri"], shown["user_code"], self.no)

    def scan(self, verification_uri_complete: str) -> str:
        """What the page says that the code on the glass leads to. A form that scripts would send is sent."""
        with self._browser() as browser:
            page = browser.get(verification_uri_complete)
            form = Page(page.text).forms[0]
            if "<script>" in page.text and not form.asks:
                page = _send(browser, page, form, {})
            return Page(page.text).text()

    def type_code(self, verification_uri: str, *entries: str) -> list[str]:
        """What the page says to each of these codes, typed one after the other in one browser; nothing is decided."""
        with self._browser() as browser:
            return [self._typed(browser, verification_uri, entry) for entry in entries]

    def _typed(self, browser: httpx2.Client, verification_uri: str, entry: str) -> str:
        page = browser.get(verification_uri)
        form = next(form for form in Page(page.text).forms if "user_code" in form.asks)
        return Page(_send(browser, page, form, {"user_code": entry}).text).text()

    def _walk(self, address: str, user_code: str, button: tuple[str, str]) -> list[str]:
        said: list[str] = []
        refused = False
        with self._browser() as browser:
            reply = browser.get(address)
            while len(said) < MOST_PAGES:
                page = Page(reply.text)
                said.append(page.text())
                if not page.forms or refused:
                    return said
                form = page.forms[0]
                filled = {name: self._answer(name, user_code, page) for name in form.asks}
                pressed = dict([button]) if button in form.buttons else {}
                refused = bool(pressed) and button == self.no
                reply = _send(browser, reply, form, filled | pressed)
        raise AssertionError(f"still not done after {MOST_PAGES} pages: {said[-1]}")

    def _answer(self, name: str, user_code: str, page: Page) -> str:
        if name == "user_code":
            return user_code
        if name not in self.answers:
            raise AssertionError(f"the page asks for {name!r}, which nobody told this person: {page.text()}")
        return self.answers[name]()

    def _browser(self) -> httpx2.Client:
        return httpx2.Client(follow_redirects=True, timeout=TIMEOUT_S, verify=self.trust)


def _send(browser: httpx2.Client, page: httpx2.Response, form: Form, filled: Mapping[str, str]) -> httpx2.Response:
    return browser.post(urljoin(str(page.url), form.action), data={**form.fields, **filled})
