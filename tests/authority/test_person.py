"""A person at pages that are not ours: where they get stuck, and what they never do."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from host_tools.rehearsal.person import PersonStuck, approve

SIGN_IN = '<input name="password" type="password" autocomplete="section-a current-password">'


class Site(HTTPServer):
    """Serves one page whatever is asked, and keeps what was sent."""

    page = ""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.sent: list[str] = []

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/activate"


class _Handler(BaseHTTPRequestHandler):
    server: Site

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self.server.sent.append(self.rfile.read(int(self.headers["Content-Length"])).decode())
        self._answer()

    def _answer(self) -> None:
        body = self.server.page.encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Quiet."""


@pytest.fixture
def site() -> Iterator[Site]:
    with Site() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def visit(site: Site, html: str) -> str:
    """What the person says of a site whose every page is this one."""
    site.page = f"<!doctype html><html><body><main>{html}</main></body></html>"
    with pytest.raises(PersonStuck) as stuck:
        approve(site.address, "WDJB-MJHT", "demo", "secret", lambda: "123456")
    return str(stuck.value)


def test_a_password_goes_to_no_other_site(site):
    with Site() as other:
        said = visit(site, f'<form method="post" action="{other.address}">{SIGN_IN}<button>Go</button></form>')
        assert said == "the page wants to send this to another site"
        assert site.sent == other.sent == []


def test_a_field_nobody_told_about_is_named(site):
    said = visit(site, '<form method="post"><input name="pet" required><button>Go</button></form>')
    assert "'pet'" in said
    assert site.sent == []


def test_pages_that_go_round_in_circles_are_left(site):
    said = visit(site, f'<form method="post" action="/again">{SIGN_IN}<button>Go</button></form>')
    assert said == "still not done after 10 pages"
    assert site.sent == ["password=secret"] * 10


def test_the_alert_is_what_is_said(site):
    said = visit(site, f'<p role="alert">Come back <b>tomorrow</b>.</p><form method="post">{SIGN_IN}</form>')
    assert said == "Come back tomorrow."


def test_a_page_without_form_or_word_of_success_is_no_success(site):
    assert visit(site, "<h1>Closed</h1><br><p>Nobody home.") == "Closed Nobody home."
    assert visit(site, "") == "the page is empty"


def test_the_button_that_allows_is_pressed_and_no_other(site):
    visit(
        site,
        """<form method="post" action="/sign-out"><button name="out" value="1">Sign out</button></form>
        <form method="post" action="/decide"><input type="hidden" name="state" value="a&amp;b">
        <button name="decision" value="deny">No</button><button name="decision" value="allow">Yes</button></form>""",
    )
    assert set(site.sent) == {"state=a%26b&decision=allow"}
