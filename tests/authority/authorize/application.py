"""A browser application: what it asks for at /authorize, and what it makes of the answer."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit

import httpx2

from host_tools.authority.core.records import Client
from tests.authority.conftest import Browser

CALLBACK = "https://app.example/callback"
ORIGIN = "https://app.example"
GOODBYE = "https://app.example/goodbye"
API = "https://api.example"
VERIFIER = "a-verifier-of-forty-three-characters-at-least"
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).decode().rstrip("=")
SPA = Client(
    client_id="spa",
    name="Bank",
    secret_hash="",
    grants="authorization_code refresh_token implicit",
    scopes="openid profile email view:balance transfer:funds offline_access",
    default_scopes="view:balance",
    audience=API,
    metadata="{}",
    refresh_rotates=True,
    refresh_lifetime_s=86_400,
    refresh_idle_s=None,
    refresh_leeway_s=0,
    redirect_uris=f"{CALLBACK} https://app.example/other?page=1",
    logout_uris=f"{GOODBYE} https://app.example/left?from=stoa",
    web_origins=ORIGIN,
    skips_consent=True,
)
ASKED = {
    "client_id": "spa",
    "redirect_uri": CALLBACK,
    "response_type": "code",
    "scope": "openid profile view:balance",
    "audience": API,
    "state": "xyz",
    "nonce": "n-0S6",
    "code_challenge": CHALLENGE,
    "code_challenge_method": "S256",
}
IMPLICIT = {"response_type": "id_token token", "code_challenge": "", "code_challenge_method": ""}


@dataclass
class Application:
    """Sends the browser to /authorize, and reads where it is sent back to."""

    person: Browser
    token_path: str = "/oauth/token"  # of the dialect

    def ask(self, **changed: str) -> httpx2.Response:
        """What the browser comes to at the end: a page of ours, or the redirect back."""
        reply = self.person.http.get("/authorize", params=ASKED | changed, follow_redirects=False)
        return self.follow(reply)

    def follow(self, reply: httpx2.Response) -> httpx2.Response:
        while reply.is_redirect and not reply.headers["location"].startswith("https://app.example"):
            reply = self.person.http.get(reply.headers["location"], follow_redirects=False)
        return reply

    def send(self, page: httpx2.Response, **fields: str) -> httpx2.Response:
        return self.follow(self.person.send(page, follow=False, **fields))

    def sign_in(self, page: httpx2.Response) -> httpx2.Response:
        tenant = self.person.tenant
        return self.send(page, username=tenant.demo_user, password=tenant.demo_password)

    def code(self, **changed: str) -> str:
        reply = self.ask(**changed)
        return sent_back(reply if reply.is_redirect else self.sign_in(reply))["code"]

    def redeem(self, code: str, **changed: str) -> httpx2.Response:
        fields = {"grant_type": "authorization_code", "client_id": "spa", "code": code, "redirect_uri": CALLBACK}
        sent = {name: value for name, value in (fields | {"code_verifier": VERIFIER} | changed).items() if value}
        return self.person.http.post(self.token_path, data=sent)


def sent_back(reply: httpx2.Response) -> dict[str, str]:
    """What the application is told."""
    assert reply.status_code == 303, reply.text
    parts = urlsplit(reply.headers["location"])
    assert f"{parts.scheme}://{parts.netloc}{parts.path}" == CALLBACK
    return dict(parse_qsl(parts.query or parts.fragment, keep_blank_values=True))
