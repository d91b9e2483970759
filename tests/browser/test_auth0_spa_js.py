"""Auth0's own SDK for browser applications, npm's @auth0/auth0-spa-js, logs in over https with Chromium."""

from __future__ import annotations

import base64
import hashlib
import json
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import quote, urlencode, urlsplit

import httpx2
import jwt
import pyotp
import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from playwright.sync_api import Browser, Page, expect

from host_tools.authority import RunningAuthority, start_authority
from host_tools.clock import NS, RealClock

from .conftest import ARGUMENTS, chromium_path

ROOT = Path(__file__).parents[2]
SDK = ROOT / "tests" / "interop" / "node" / "node_modules" / "@auth0" / "auth0-spa-js" / "dist"
API = "https://api.example"
TENANT = """
[[users]]
username = "anna@stoa.example"
password = "anna's password"

[[users.authenticators]]
factor = "otp"
totp_secret = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"

[[clients]]
client_id = "bank"
name = "Bank"
grants = ["authorization_code", "refresh_token"]
scopes = ["openid", "profile", "email", "offline_access", "view:balance", "transfer:funds"]
audience = "{api}"
redirect_uris = ["{origin}/"]
logout_uris = ["{origin}/?left"]

[[actions]]
file = "step_up.js"
"""
STEP_UP = """
exports.onExecutePostLogin = async (event, api) => {
  if (event.transaction.requested_scopes.includes("transfer:funds")) api.multifactor.enable("any");
};
"""


class Application(SimpleHTTPRequestHandler):
    """The application's own files, and the SDK as npm has it."""

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, directory=str(ROOT / "tests" / "browser" / "spa"), **kwargs)

    def translate_path(self, path: str) -> str:
        if path.partition("?")[0] == "/auth0-spa-js.js":
            return str(SDK / "auth0-spa-js.production.js")
        return super().translate_path(path)

    def log_message(self, *args) -> None:
        pass


@pytest.fixture(scope="module")
def ca() -> trustme.CA:
    return trustme.CA()


@contextmanager
def serving(ca: trustme.CA) -> Iterator[str]:
    """The application at an origin of its own."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert("127.0.0.1").configure_cert(context)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Application)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"https://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def origin(ca) -> Iterator[str]:
    with serving(ca) as origin:
        yield origin


@pytest.fixture(scope="module")
def elsewhere(ca) -> Iterator[str]:
    """An origin that no client has."""
    with serving(ca) as origin:
        yield origin


@pytest.fixture
def authority(origin, tmp_path) -> Iterator[RunningAuthority]:
    (tmp_path / "step_up.js").write_text(STEP_UP)
    (tmp_path / "tenant.toml").write_text(TENANT.format(api=API, origin=origin))
    with start_authority(RealClock(), config=tmp_path / "tenant.toml", tls=True) as running:
        yield running


@pytest.fixture
def trusting(chromium: Browser, ca, origin, elsewhere, authority) -> Iterator[Browser]:
    """A Chromium that takes these servers' certificates, by their keys, and no other that it does not know."""
    asked = [(each, ca.cert_pem.bytes().decode()) for each in (origin, elsewhere)]
    asked.append((authority.issuer, authority.ca_file.read_text()))
    pinned = ",".join(pin(url, trusted) for url, trusted in asked)
    launched = chromium.browser_type.launch(
        executable_path=chromium_path(), args=[*ARGUMENTS, f"--ignore-certificate-errors-spki-list={pinned}"]
    )
    yield launched
    launched.close()


def pin(url: str, ca: str) -> str:
    """The hash of the key that a server shows, once its certificate is verified by its CA."""
    parts = urlsplit(url)
    context = ssl.create_default_context(cadata=ca)
    with (
        socket.create_connection((parts.hostname, parts.port), timeout=10) as plain,
        context.wrap_socket(plain, server_hostname=parts.hostname) as verified,
    ):
        key = x509.load_der_x509_certificate(verified.getpeercert(binary_form=True)).public_key()
    digest = hashlib.sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).digest()
    return base64.b64encode(digest).decode()


@pytest.fixture
def page(trusting) -> Iterator[Page]:
    context = trusting.new_context()
    context.set_default_timeout(15_000)
    yield context.new_page()
    context.close()


def open_application(page: Page, origin: str, authority: RunningAuthority, offline: bool, **more: str) -> None:
    scope = "openid profile email view:balance" + (" offline_access" if offline else "")
    domain = authority.issuer.removeprefix("https://").rstrip("/")
    settings = {"domain": domain, "clientId": "bank", "audience": API, "scope": scope, "offline": offline, **more}
    page.goto(f"{origin}/?{quote(json.dumps(settings))}")
    expect(page.locator("#told")).to_contain_text("user")


def sign_in(page: Page) -> None:
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    page.get_by_label("E-mail address").fill("anna@stoa.example")
    page.get_by_label("Password").fill("anna's password")
    page.keyboard.press("Enter")


def one_time_code() -> str:
    return pyotp.TOTP("JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP").at(RealClock().now_ns() // NS)


def told(page: Page, holding: str) -> dict:
    expect(page.locator("#told")).to_contain_text(holding)
    return json.loads(page.locator("#told").text_content())


def claims_of(authority: RunningAuthority, token: str) -> dict:
    """Verified by a client that nobody here wrote, with the keys that the authority publishes."""
    context = ssl.create_default_context(cafile=str(authority.ca_file))
    keys = httpx2.get(f"{authority.issuer}.well-known/jwks.json", verify=context).json()
    key = jwt.PyJWKSet.from_dict(keys)[jwt.get_unverified_header(token)["kid"]]
    return jwt.decode(token, key, algorithms=["RS256"], audience=API, issuer=authority.issuer)


@pytest.mark.parametrize("offline", [False, True], ids=["session", "refresh tokens"])
def test_the_sdk_logs_in_and_has_a_token_for_the_audience(page, origin, authority, offline):
    open_application(page, origin, authority, offline)
    page.get_by_role("button", name="Log in", exact=True).click()
    sign_in(page)
    expect(page.get_by_role("heading", name="Allow Bank?")).to_be_visible()
    page.get_by_role("button", name="Allow", exact=True).click()
    got = told(page, "anna@stoa.example")
    assert (got["user"]["name"], got["user"]["email_verified"]) == ("anna@stoa.example", True)
    claims = claims_of(authority, got["token"])
    assert (claims["azp"], claims["amr"]) == ("bank", ["pwd"])
    assert "view:balance" in claims["scope"].split() and "transfer:funds" not in claims["scope"]
    if offline:
        # The SDK has refreshed in between, and keeps what it got last.
        assert got["refreshed"] == got["token"]
        assert authority.control.tally()["refreshes"] == 1


def test_it_steps_up_to_another_scope_by_a_second_factor(page, origin, authority):
    open_application(page, origin, authority, offline=False)
    page.get_by_role("button", name="Transfer", exact=True).click()
    sign_in(page)
    expect(page.get_by_role("heading", name="Confirm it is you")).to_be_visible()
    page.get_by_label("One-time code").fill(one_time_code())
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Allow", exact=True).click()
    claims = claims_of(authority, told(page, "anna@stoa.example")["token"])
    assert claims["amr"] == ["pwd", "otp", "mfa"]
    assert "transfer:funds" in claims["scope"].split()


def test_who_says_no_is_told_to_the_sdk(page, origin, authority):
    open_application(page, origin, authority, offline=False)
    page.get_by_role("button", name="Log in", exact=True).click()
    sign_in(page)
    page.get_by_role("button", name="Do not allow").click()
    assert told(page, "error") == {"error": "access_denied", "description": "User did not authorize the request"}


def log_in(page: Page, origin: str, authority: RunningAuthority, **more: str) -> str:
    """Its token, in an application that has no refresh tokens."""
    open_application(page, origin, authority, offline=False, **more)
    page.get_by_role("button", name="Log in", exact=True).click()
    sign_in(page)
    page.get_by_role("button", name="Allow", exact=True).click()
    return told(page, "anna@stoa.example")["token"]


def test_without_refresh_tokens_it_renews_in_a_hidden_frame(page, origin, authority):
    token = log_in(page, origin, authority)
    asked = []
    page.on("request", lambda request: asked.append((request.frame.parent_frame is not None, request.url)))
    page.get_by_role("button", name="Renew").click()
    renewed = told(page, "renewed")["renewed"]
    assert [(framed, "response_mode=web_message" in url) for framed, url in asked if "/authorize?" in url] == [
        (True, True)
    ]
    assert renewed != token
    before, after = claims_of(authority, token), claims_of(authority, renewed)
    assert before["jti"] != after["jti"] and (before["sub"], before["scope"]) == (after["sub"], after["scope"])
    assert authority.control.tally()["refreshes"] == 0


def test_a_step_up_in_the_hidden_frame_goes_on_in_a_window(page, origin, authority):
    """The SDK knows by code and sentence that a second factor is due."""
    log_in(page, origin, authority, interactive="popup")
    with page.expect_popup() as opened:
        page.get_by_role("button", name="Transfer silently").click()
    beside = opened.value
    beside.get_by_label("One-time code").fill(one_time_code())
    beside.keyboard.press("Enter")
    with beside.expect_event("close"):
        beside.get_by_role("button", name="Allow", exact=True).click()
    claims = claims_of(authority, told(page, "stepped")["stepped"])
    assert claims["amr"] == ["pwd", "otp", "mfa"] and "transfer:funds" in claims["scope"].split()


def test_after_a_logout_it_is_told_to_log_in(page, origin, authority):
    log_in(page, origin, authority)
    page.get_by_role("button", name="Log out", exact=True).click()
    page.wait_for_url(f"{origin}/?left")
    assert told(page, "user") == {"user": None, "token": None, "refreshed": None}
    page.get_by_role("button", name="Renew").click()
    assert told(page, "error") == {"error": "login_required", "description": "Login required"}
    page.get_by_role("button", name="Log in", exact=True).click()
    expect(page.get_by_label("Password")).to_be_visible()


def test_a_logout_leads_to_no_other_address(page, origin, authority):
    log_in(page, origin, authority)
    page.get_by_role("button", name="Log out and leave").click()
    expect(page.get_by_role("heading", name="Signed out")).to_be_visible()
    expect(page.get_by_role("alert")).to_contain_text("not one of its own")
    assert page.url.startswith(f"{authority.issuer}v2/logout?")
    page.goto(f"{origin}/?left")
    page.get_by_role("button", name="Renew").click()
    assert told(page, "error")["error"] == "login_required"


def test_it_logs_in_by_a_window_of_its_own(page, origin, authority):
    open_application(page, origin, authority, offline=False, hint="anna@stoa.example")
    with page.expect_popup() as opened:
        page.get_by_role("button", name="Log in beside").click()
    beside = opened.value
    expect(beside.get_by_label("E-mail address")).to_have_value("anna@stoa.example")
    beside.get_by_label("Password").fill("anna's password")
    beside.keyboard.press("Enter")
    with beside.expect_event("close"):
        beside.get_by_role("button", name="Allow", exact=True).click()
    got = told(page, "beside")
    assert got["beside"]["email"] == "anna@stoa.example"
    assert claims_of(authority, got["token"])["azp"] == "bank"


def test_who_says_no_in_that_window_is_told_to_the_sdk(page, origin, authority):
    open_application(page, origin, authority, offline=False)
    with page.expect_popup() as opened:
        page.get_by_role("button", name="Log in beside").click()
    beside = opened.value
    sign_in(beside)
    beside.get_by_role("button", name="Do not allow").click()
    assert told(page, "error") == {"error": "access_denied", "description": "User did not authorize the request"}


def silent_request(origin: str, authority: RunningAuthority, **more: str) -> str:
    """As the SDK of that application sends it."""
    asked = {"client_id": "bank", "redirect_uri": f"{origin}/", "response_type": "code", "scope": "openid"}
    asked |= {"audience": API, "response_mode": "web_message", "prompt": "none", "state": "s"}
    asked |= {"code_challenge": "c" * 43, "code_challenge_method": "S256"}
    return f"{authority.issuer}authorize?{urlencode(asked | more)}"


LISTEN = "() => { window.heard = []; addEventListener('message', (event) => heard.push(event.data)) }"
FRAME = "(url) => { const frame = document.createElement('iframe'); frame.src = url; document.body.append(frame) }"


def test_another_origin_cannot_frame_the_answer(page, origin, elsewhere, authority):
    log_in(page, origin, authority)
    page.goto(elsewhere)
    page.evaluate(LISTEN)
    with page.expect_console_message(lambda message: "frame-ancestors" in message.text):
        page.evaluate(FRAME, silent_request(origin, authority))
    assert page.evaluate("heard") == []


def test_nor_does_it_hear_from_a_window_that_it_opens(page, origin, elsewhere, authority):
    log_in(page, origin, authority)
    page.goto(elsewhere)
    page.evaluate(LISTEN)
    with page.context.expect_event("console", lambda message: "target origin" in message.text) as said:
        page.evaluate("(url) => { open(url) }", silent_request(origin, authority))
    assert origin in said.value.text and elsewhere in said.value.text
    assert page.evaluate("heard") == []


def test_the_same_is_heard_where_it_is_for(page, origin, elsewhere, authority):
    """So that the two above would hear it."""
    log_in(page, origin, authority)
    page.evaluate(LISTEN)
    page.evaluate(FRAME, silent_request(origin, authority))
    page.wait_for_function("heard.length > 0")
    [message] = page.evaluate("heard")
    assert message["type"] == "authorization_response" and message["response"]["state"] == "s"


def test_a_page_that_is_due_is_not_shown_in_a_frame(page, origin, authority):
    open_application(page, origin, authority, offline=False)
    with page.expect_console_message(lambda message: "frame-ancestors" in message.text):
        page.evaluate(FRAME, silent_request(origin, authority, prompt="login"))


def test_without_scripts_the_person_reads_what_the_page_is_for(trusting, origin, authority):
    context = trusting.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(silent_request(origin, authority))
    expect(page.get_by_role("heading", name="Back to the application")).to_be_visible()
    expect(page.locator("main")).to_contain_text(f"This page tells {origin} how signing in has ended")
    context.close()
