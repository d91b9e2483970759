"""A web site that signs people in with PyPI's auth0-server-python, and the tenant it is a client of."""

from __future__ import annotations

import ssl
import time
import warnings
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pyotp
import pytest

from host_tools.authority import RunningAuthority
from host_tools.clock import NS, VirtualClock, now_s

with warnings.catch_warnings():
    # Its pydantic models have class-based configuration, which pydantic 2 calls deprecated.
    warnings.simplefilter("ignore", DeprecationWarning)
    from auth0_server_python.auth_server.server_client import ServerClient
    from auth0_server_python.error import MfaRequiredError

PASSWORD = "the same for everybody here"
TOTP_SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
RECOVERY_CODE = "K6LGLV3RSH3VERMKET8L7QKU"
AUDIENCE = "https://stoa.example/quotes"
SCOPE = "read:quotes offline_access openid"
STATE = "_a0_session"
TENANT = f"""
[mfa]
strict = true
tell_requirements = true

[[users]]
username = "nobody@stoa.example"
password = "{PASSWORD}"
authenticators = []

[[users]]
username = "owner@stoa.example"
password = "{PASSWORD}"
recovery_code = "{RECOVERY_CODE}"
authenticators = [
    {{ factor = "otp", totp_secret = "{TOTP_SECRET}" }},
    {{ factor = "sms", name = "+15551234567" }},
    {{ factor = "email" }},
    {{ factor = "push", name = "The owner's phone" }},
]

[[clients]]
client_id = "keeper"
name = "Keeps its refresh token"
secret = "keeper's secret of 24 signs"
grants = ["password", "refresh_token", "mfa"]
refresh_token = {{ rotation_type = "non-rotating" }}

[[clients]]
client_id = "rotator"
name = "Is given another each time"
secret = "rotator's secret of 25 signs"
grants = ["password", "refresh_token", "mfa"]
"""
SECRETS = {"keeper": "keeper's secret of 24 signs", "rotator": "rotator's secret of 25 signs"}


class MemoryStore:
    """What the SDK asks of whoever keeps its sessions."""

    def __init__(self) -> None:
        self.kept: dict[str, Any] = {}

    async def set(self, identifier: str, state: Any, remove_if_expires: bool = False, options: Any = None) -> None:
        self.kept[identifier] = state

    async def get(self, identifier: str, options: Any = None) -> Any:
        return self.kept.get(identifier)

    async def delete(self, identifier: str, options: Any = None) -> None:
        self.kept.pop(identifier, None)


@dataclass
class Site:
    """A web site that signs people in with the SDK."""

    running: RunningAuthority
    clock: VirtualClock
    client_id: str
    store: MemoryStore = field(default_factory=MemoryStore)

    def __post_init__(self) -> None:
        self.domain = urlsplit(self.running.issuer).netloc
        self.client: Any = ServerClient(
            domain=self.domain,
            client_id=self.client_id,
            client_secret=SECRETS[self.client_id],
            secret="what the SDK encrypts its mfa_token with",
            state_store=self.store,
            transaction_store=MemoryStore(),
            authorization_params={"audience": AUDIENCE, "scope": SCOPE},
        )

    def session_of(self, user: str) -> str:
        """A session as one that began before MFA was turned on, its access token expired: its refresh token."""
        self.running.set_mfa("never")
        refresh_token: str = self.signed_in(user).raise_for_status().json()["refresh_token"]
        self.running.set_mfa("always")
        internal = {"sid": "a session", "created_at": int(time.time())}
        session = {"refresh_token": refresh_token, "token_sets": [], "domain": self.domain, "internal": internal}
        self.store.kept[STATE] = session
        return refresh_token

    def signed_in(self, user: str) -> httpx2.Response:
        """The part the SDK has nothing for that our authority would take: a password."""
        known = {"username": f"{user}@stoa.example", "password": PASSWORD, "scope": SCOPE, "audience": AUDIENCE}
        return self.token(grant_type="password", **known)

    def token(self, **fields: str) -> httpx2.Response:
        client = {"client_id": self.client_id, "client_secret": SECRETS[self.client_id]}
        trust = ssl.create_default_context(cafile=self.running.ca_file)
        return httpx2.post(f"{self.running.issuer}oauth/token", data=client | fields, verify=trust)

    async def challenged(self) -> MfaRequiredError:
        """What the SDK makes of the refresh: the error with its encrypted mfa_token."""
        with pytest.raises(MfaRequiredError) as required:
            await self.client.get_access_token()
        return required.value

    async def close(self) -> None:
        await self.client._oauth.aclose()

    def one_time_code(self, secret: str = TOTP_SECRET) -> str:
        """One that has not been used: time goes on to the next."""
        self.clock.sleep_ns(30 * NS)
        return pyotp.TOTP(secret).at(now_s(self.clock))

    def code_in_message(self, channel: str) -> str:
        newest = max((each for each in self.running.control.messages() if each.channel == channel), key=_sent_at)
        return newest.text[:6]


def _sent_at(message: Any) -> int:
    sent_at: int = message.sent_at
    return sent_at
