"""A person who does not allow a device: walks the authority's pages by their first form, and says no at the last."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urljoin

import httpx2

from host_tools.rehearsal.person import PersonStuck

_MOST_PAGES = 10
_TIMEOUT_S = 30


class _Page(HTMLParser):
    """The first form of a page, and what it says in an alert."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.action: str | None = None
        self.fields: dict[str, str] = {}
        self.alert = ""
        self._forms = 0
        self._in_alert = False
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._forms += 1
            if self._forms == 1:
                self.action = found.get("action", "")
        elif tag in ("input", "button") and self._forms == 1 and "name" in found:
            self.fields[found["name"]] = found.get("value", "")
        self._in_alert = found.get("role") == "alert"

    def handle_endtag(self, tag: str) -> None:
        self._in_alert = False

    def handle_data(self, data: str) -> None:
        if self._in_alert:
            self.alert += data


def refuse(
    verification_uri: str,
    user_code: str,
    username: str,
    password: str,
    one_time_code: Callable[[], str],
    *,
    ca_file: Path | None = None,
) -> None:
    """The same as rehearsal.person.approve, with the other answer. Raises PersonStuck."""
    answers: dict[str, Callable[[], str]] = {
        "user_code": lambda: user_code,
        "username": lambda: username,
        "password": lambda: password,
        "code": one_time_code,
        "decision": lambda: "deny",
    }
    trusted = ssl.create_default_context(cafile=ca_file) if ca_file else True
    with httpx2.Client(follow_redirects=True, timeout=_TIMEOUT_S, verify=trusted) as browser:
        reply = browser.get(verification_uri)
        for _ in range(_MOST_PAGES):
            page = _Page(reply.text)
            if page.alert or reply.is_error:
                raise PersonStuck(" ".join(page.alert.split()) or f"the page answered {reply.status_code}")
            if page.action is None:
                return
            sent = {name: answers[name]() if name in answers else value for name, value in page.fields.items()}
            reply = browser.post(urljoin(str(reply.url), page.action), data=sent)
    raise PersonStuck(f"still not done after {_MOST_PAGES} pages")
