"""An application that speaks Okta's sign-in API, and a display, on the wire."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import httpx2
import pyotp

from host_tools.authority.tenant import Tenant
from host_tools.clock import NS, Clock
from tests.authority.conftest import DEVICE_CODE_GRANT, Browser

AUTHN = "/api/v1/authn"
V1 = "/oauth2/default/v1"
DEVICE = "26q43Ak9Eh04p7H6Nnx0m69JqYOrfVBY"
ERROR_ID = re.compile(r"oae[A-Za-z0-9_-]{22}")


def error(reply: httpx2.Response) -> tuple[int, str]:
    """Status and code, of a reply that is Okta's own error body in all its members."""
    body = reply.json()
    assert set(body) == {"errorCode", "errorSummary", "errorLink", "errorId", "errorCauses"}, body
    assert body["errorLink"] == body["errorCode"] and ERROR_ID.fullmatch(body["errorId"])
    assert all(set(cause) == {"errorSummary"} and cause["errorSummary"] for cause in body["errorCauses"])
    assert reply.headers["cache-control"] == "no-store"
    return reply.status_code, body["errorCode"]


@dataclass
class Api:
    """A client of the API, for one person with one-time codes in an app. device: the token it sends of itself."""

    http: httpx2.Client
    tenant: Tenant
    clock: Clock
    device: str = DEVICE

    def post(self, way: str, body: Any, **query: str) -> httpx2.Response:
        path = way.removeprefix("http://127.0.0.1:8080") if way.startswith("http") else f"{AUTHN}{way}"
        return self.http.post(path, json=body, params=query)

    def sign_in(self, **changed: Any) -> httpx2.Response:
        known = {"username": self.tenant.demo_user, "password": self.tenant.demo_password}
        context = {"context": {"deviceToken": self.device}} if self.device else {}
        return self.post("", known | context | changed)

    def begun(self, **changed: Any) -> dict[str, Any]:
        reply = self.sign_in(**changed)
        assert reply.status_code == 200, reply.text
        body: dict[str, Any] = reply.json()
        return body

    def go(self, link: dict[str, Any], transaction: dict[str, Any], query: dict[str, str] | None = None, **body: Any):
        """Follow a link of a transaction, as the vendor wants it done."""
        assert link["hints"] == {"allow": ["POST"]}
        return self.post(link["href"], {"stateToken": transaction["stateToken"], **body}, **(query or {}))

    def code(self, ahead_s: int = 0, secret: str | None = None) -> str:
        return pyotp.TOTP(secret or self.tenant.totp_secret).at(self.clock.now_ns() // NS + ahead_s)

    def wrong_code(self) -> str:
        right = self.code()
        return f"{(int(right) + 1) % 10**6:06d}"

    def verify(self, transaction: dict[str, Any], passcode: str | None = None, at: int = 0, **query: str):
        """Of MFA_REQUIRED, the factor at this place."""
        link = transaction["_embedded"]["factors"][at]["_links"]["verify"]
        body = {} if passcode is None else {"passCode": passcode}
        return self.go(link, transaction, query, **body)

    def through(self, **query: str) -> dict[str, Any]:
        """A whole sign-in that is challenged, to its SUCCESS."""
        challenged = self.begun()
        assert challenged["status"] == "MFA_REQUIRED", challenged
        self.clock.sleep_ns(30 * NS)  # the code before may be spent
        done = self.verify(challenged, self.code(), **query)
        assert done.status_code == 200, done.text
        body: dict[str, Any] = done.json()
        assert body["status"] == "SUCCESS"
        return body


@dataclass
class OktaDisplay:
    """A device's side of the wire."""

    http: httpx2.Client
    tenant: Tenant

    def ask(self, **changed: str) -> httpx2.Response:
        fields = {"client_id": self.tenant.client_id, "scope": self.tenant.scope}
        return self.http.post(f"{V1}/device/authorize", data=fields | changed)

    def poll(self, device_code: str, **changed: str) -> httpx2.Response:
        fields = {"grant_type": DEVICE_CODE_GRANT, "device_code": device_code, "client_id": self.tenant.client_id}
        return self.http.post(f"{V1}/token", data=fields | changed)

    def refresh(self, refresh_token: str, **changed: str) -> httpx2.Response:
        fields = {"grant_type": "refresh_token", "refresh_token": refresh_token, "client_id": self.tenant.client_id}
        return self.http.post(f"{V1}/token", data=fields | changed)

    def paired(self, browser: Browser) -> dict[str, Any]:
        begun = self.ask().json()
        assert "Connected" in browser.decide(begun["user_code"]).text
        granted: dict[str, Any] = self.poll(begun["device_code"]).json()
        return granted
