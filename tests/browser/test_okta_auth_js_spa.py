"""Okta's SDK in a browser, of an application's own origin: the sign-in API by fetch, and tokens by a hidden frame."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pyotp
import pytest
from playwright.sync_api import Page

from host_tools.authority import RunningAuthority, start_authority
from host_tools.clock import NS, RealClock

ROOT = Path(__file__).parents[2]
SDK = ROOT / "tests" / "interop" / "node" / "node_modules" / "@okta" / "okta-auth-js" / "dist" / "okta-auth-js.min.js"
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
TENANT = """
[mfa]
policy = "always"

[[users]]
username = "anna@stoa.example"
password = "anna's password"

[[users.authenticators]]
factor = "otp"
totp_secret = "{secret}"

[[clients]]
client_id = "bank"
name = "Bank"
grants = ["authorization_code"]
scopes = ["openid", "email", "view:balance"]
audience = "https://api.example"
redirect_uris = ["{origin}/"]
skips_consent = true
"""
SIGN_IN = """async ({ issuer, code, deviceToken }) => {
    window.sdk = new OktaAuth({ issuer, clientId: 'bank', redirectUri: window.location.origin + '/' });
    const known = { username: 'anna@stoa.example', password: "anna's password", context: { deviceToken } };
    let transaction = await sdk.signInWithCredentials(known);
    const seen = [transaction.status];
    if (transaction.status === 'MFA_REQUIRED') {
        seen.push(transaction.policyEvaluation.factorLifeTime);
        transaction = await transaction.factors[0].verify({ passCode: code, rememberDevice: true });
        seen.push(transaction.status);
    }
    const { sessionToken } = transaction;
    const { tokens } = await sdk.token.getWithoutPrompt({ sessionToken, scopes: ['openid', 'email'] });
    return { seen, email: tokens.idToken.claims.email, issuer: tokens.idToken.claims.iss };
}"""


class Application(SimpleHTTPRequestHandler):
    """The application's own page, and the SDK as npm has it."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, directory=str(ROOT / "tests" / "browser" / "okta_spa"), **kwargs)

    def translate_path(self, path: str) -> str:
        return str(SDK) if path == "/okta-auth-js.js" else super().translate_path(path)

    def log_message(self, *args: Any) -> None:
        pass


@pytest.fixture
def origin() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Application)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def authority(origin: str, tmp_path: Path) -> Iterator[RunningAuthority]:
    (tmp_path / "tenant.toml").write_text(TENANT.format(secret=SECRET, origin=origin))
    with start_authority(RealClock(), config=tmp_path / "tenant.toml", dialect="okta") as running:
        yield running


@pytest.mark.parametrize("server", ["oauth2/default", ""])
def test_a_password_and_a_code_become_tokens_without_a_page_of_ours(authority, page: Page, origin: str, server: str):
    page.goto(f"{origin}/")
    code = pyotp.TOTP(SECRET).at(RealClock().now_ns() // NS)
    told = {"issuer": authority.issuer + server, "code": code, "deviceToken": "a-tablet"}
    expected = {"email": "anna@stoa.example", "issuer": authority.issuer}
    assert page.evaluate(SIGN_IN, told) == {"seen": ["MFA_REQUIRED", "15", "SUCCESS"], **expected}
    assert page.evaluate(SIGN_IN, told) == {"seen": ["SUCCESS"], **expected}  # within the lifetime
