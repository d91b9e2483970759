"""An application that speaks Extra Horizon's wire, and the person it speaks for."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx2
import pyotp

from host_tools.authority.core.errors import OAuthError
from host_tools.authority.tenant import Tenant
from host_tools.clock import NS, VirtualClock

TOKENS = "/auth/v2/oauth2/tokens"
PRESENCE = "/auth/v2/confirmPresence"
STEP_S = 30
SECOND_NS = NS
STRANGER = "0" * 24  # nobody's id


@dataclass
class Account:
    """The demo user in an application: signed in, with what setting MFA up has told."""

    http: httpx2.Client
    tenant: Tenant
    clock: VirtualClock
    access_token: str = ""
    refresh_token: str = ""
    user_id: str = ""
    presence_token: str = ""
    totp: dict[str, Any] = field(default_factory=dict)
    recovery: dict[str, Any] = field(default_factory=dict)

    # The token endpoint.

    def token(self, **members: Any) -> httpx2.Response:
        """With the client's id, unless there is another; None leaves a member out."""
        sent = {"client_id": self.tenant.client_id, **members}
        return self.http.post(TOKENS, json={name: value for name, value in sent.items() if value is not None})

    def sign_in(self, **changed: Any) -> httpx2.Response:
        known = {"username": self.tenant.demo_user, "password": self.tenant.demo_password}
        return self.token(grant_type="password", **known | changed)

    def refresh(self, refresh_token: str | None = None) -> httpx2.Response:
        return self.token(grant_type="refresh_token", refresh_token=refresh_token or self.refresh_token)

    def mfa(self, mfa_token: str, method: dict[str, Any], code: str) -> httpx2.Response:
        return self.token(grant_type="mfa", token=mfa_token, method_id=method["id"], code=code)

    def keep(self, granted: httpx2.Response) -> None:
        """Go on with these tokens."""
        assert granted.status_code == 200, granted.text
        told = granted.json()
        self.access_token, self.refresh_token, self.user_id = (
            told[name] for name in ("access_token", "refresh_token", "user_id")
        )

    def mfa_token(self, **changed: Any) -> str:
        """Of a login that is challenged, a second after the last."""
        self.clock.sleep_ns(SECOND_NS)
        asked = self.sign_in(**changed)
        assert asked.json().get("error") == "mfa_required", asked.text
        token: str = asked.json()["mfa"]["token"]
        return token

    # The user's own MFA.

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> httpx2.Response:
        headers = {"Authorization": f"Bearer {self.access_token}", **headers}
        return self.http.request(method, path, json=body, headers=headers)

    def path(self, rest: str = "", user_id: str | None = None) -> str:
        return f"/auth/v2/mfa/users/{user_id or self.user_id}{rest}"

    def setting(self) -> dict[str, Any]:
        told: dict[str, Any] = self.ask("GET", self.path()).raise_for_status().json()
        return told

    def confirm_presence(self, password: str | None = None) -> httpx2.Response:
        return self.ask("POST", PRESENCE, {"password": password or self.tenant.demo_password})

    def change(self, rest: str, **members: Any) -> httpx2.Response:
        """By a POST of somebody who is present."""
        sent = {"presenceToken": self.presence_token, **members}
        return self.ask("POST", self.path(rest), {name: value for name, value in sent.items() if value is not None})

    def add(self, kind: str, **members: Any) -> httpx2.Response:
        return self.change("/methods", type=kind, **members)

    def verify(self, method: dict[str, Any], code: str) -> httpx2.Response:
        return self.change(f"/methods/{method['id']}/verification/confirm", code=code)

    def remove(self, method: dict[str, Any]) -> httpx2.Response:
        return self.change(f"/methods/{method['id']}/remove")

    def code(self, ahead_s: int = 0) -> str:
        """What the authenticator app shows."""
        return pyotp.TOTP(self.totp["secret"]).at(self.clock.now_ns() // NS + ahead_s)

    def next_code(self) -> str:
        """One that is not spent: the app has gone on to it."""
        self.clock.sleep_ns(STEP_S * NS)
        return self.code()

    def wrong_code(self) -> str:
        """Right at none of the times that count."""
        near = {self.code(ahead_s) for ahead_s in (-STEP_S, 0, STEP_S, 2 * STEP_S)}
        return next(each for each in map("{:06}".format, range(10)) if each not in near)

    def set_up(self) -> None:
        """The steps of seeds/001, in their order."""
        self.presence_token = self.confirm_presence().raise_for_status().json()["token"]
        self.recovery = self.add("recoveryCodes", name="Recovery Codes").raise_for_status().json()
        self.totp = self.add("totp", name="Google Authenticator").raise_for_status().json()
        assert self.verify(self.totp, self.code()).status_code == 200
        assert self.change("/enable").json() == {"affectedRecords": 1}


def refused(reply: httpx2.Response) -> tuple[int, int, str]:
    """Status, number and name of a refusal in one of the two shapes; that it has all of its members, and no others."""
    assert reply.headers["cache-control"] == "no-store"
    body = reply.json()
    delayed = {"remainingDelay"} if "remainingDelay" in body else set()
    if reply.request.url.path == TOKENS:
        mfa = {"mfa"} if "mfa" in body else set()
        assert body.keys() == {"error", "description", "exh_error", *delayed, *mfa}, body
        told = body["exh_error"]
        assert told.keys() == {"code", "name", "description", *delayed}, body
        assert told["description"] == body["description"]
    else:
        assert body.keys() == {"code", "name", "message"}, body
        told = body
    return reply.status_code, told["code"], told["name"]


def refused_at_once(ask: Callable[[], object], times: int = 8) -> list[str]:
    """What so many threads hear that ask the core at the same moment: over HTTP the loop has them queue."""
    told: list[str] = []
    ready = threading.Barrier(times)

    def guess() -> None:
        ready.wait()
        try:
            ask()
        except OAuthError as refusal:
            told.append(type(refusal).__name__)

    threads = [threading.Thread(target=guess) for _ in range(times)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(told)
