"""A display on the wire of the RFCs alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import httpx2

from host_tools.authority.tenant import Tenant
from tests.authority.conftest import DEVICE_CODE_GRANT, Browser


@dataclass
class RfcDisplay:
    http: httpx2.Client
    tenant: Tenant

    def ask(self, **changed: str) -> httpx2.Response:
        fields = {"client_id": self.tenant.client_id, "scope": self.tenant.scope, "resource": self.tenant.audience}
        return self.http.post("/device_authorization", data=fields | changed)

    def token(self, grant_type: str, **fields: str) -> httpx2.Response:
        return self.http.post("/token", data={"grant_type": grant_type, "client_id": self.tenant.client_id} | fields)

    def poll(self, device_code: str, **changed: str) -> httpx2.Response:
        return self.token(DEVICE_CODE_GRANT, device_code=device_code, **changed)

    def refresh(self, refresh_token: str, **changed: str) -> httpx2.Response:
        return self.token("refresh_token", refresh_token=refresh_token, **changed)

    def paired(self, browser: Browser, **changed: str) -> dict[str, Any]:
        """What it holds once somebody has allowed it."""
        begun = self.ask(**changed).json()
        assert browser.decide(begun["user_code"]).status_code == 200
        granted = self.poll(begun["device_code"])
        assert granted.status_code == 200, granted.text
        tokens: dict[str, Any] = granted.json()
        return tokens


def error(reply: httpx2.Response) -> tuple[int, str]:
    """Status and code of a refusal in the shape of RFC 6749 5.2."""
    body = reply.json()
    assert body.keys() == {"error", "error_description"}
    assert reply.headers["cache-control"] == "no-store"
    return reply.status_code, body["error"]
