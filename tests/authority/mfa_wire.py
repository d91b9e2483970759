"""An application that speaks Auth0's MFA API on the wire, and the people it speaks for."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any

import httpx2
import jwt
import pyotp

from host_tools.authority.core.authority import Authority
from host_tools.authority.core.records import Authenticator, Client, Factor, User, fingerprint
from host_tools.authority.core.users import hash_password
from host_tools.authority.store import SqliteStore
from host_tools.authority.tenant import Tenant
from host_tools.clock import NS, Clock

SECRET = "an application's secret"
MFA_AUDIENCE = "http://127.0.0.1:8080/mfa/"  # of conftest.ISSUER
ALL_MFA_SCOPES = "enroll read:authenticators remove:authenticators"
PHONE = "+15551234567"
GRANT = "http://auth0.com/oauth/grant-type/mfa-"


@dataclass(frozen=True)
class Person:
    """Somebody with an account, and what they know."""

    user_id: str
    username: str
    password: str


@dataclass
class App:
    """A confidential client that asks people for their passwords."""

    http: httpx2.Client
    client_id: str
    secret: str | None = SECRET

    def token(self, **fields: str) -> httpx2.Response:
        client = {"client_id": self.client_id, **({"client_secret": self.secret} if self.secret else {})}
        return self.http.post("/oauth/token", data=client | fields)

    def sign_in(self, person: Person, scope: str = "read:quotes offline_access", **fields: str) -> httpx2.Response:
        known = {"username": person.username, "password": person.password}
        return self.token(grant_type="password", scope=scope, **known | fields)

    def mfa_token(self, person: Person, **fields: str) -> str:
        """Of a sign-in that is challenged."""
        refused = self.sign_in(person, **fields)
        assert (refused.status_code, refused.json()["error"]) == (403, "mfa_required"), refused.text
        mfa_token: str = refused.json()["mfa_token"]
        return mfa_token

    def mfa_access_token(self, person: Person, scope: str = ALL_MFA_SCOPES) -> str:
        """For the MFA API, of a person whom nothing challenges."""
        granted = self.sign_in(person, scope, audience=MFA_AUDIENCE)
        assert granted.status_code == 200, granted.text
        access_token: str = granted.json()["access_token"]
        return access_token

    def refresh(self, refresh_token: str, **fields: str) -> httpx2.Response:
        return self.token(grant_type="refresh_token", refresh_token=refresh_token, **fields)

    def otp(self, mfa_token: str, code: str) -> httpx2.Response:
        return self.token(grant_type=f"{GRANT}otp", mfa_token=mfa_token, otp=code)

    def oob(self, mfa_token: str, oob_code: str, **fields: str) -> httpx2.Response:
        return self.token(grant_type=f"{GRANT}oob", mfa_token=mfa_token, oob_code=oob_code, **fields)

    def recovery(self, mfa_token: str, code: str) -> httpx2.Response:
        return self.token(grant_type=f"{GRANT}recovery-code", mfa_token=mfa_token, recovery_code=code)

    def authenticators(self, bearer: str) -> httpx2.Response:
        return self.http.get("/mfa/authenticators", headers=_authorization(bearer))

    def listed(self, bearer: str) -> list[dict[str, Any]]:
        listed: list[dict[str, Any]] = self.authenticators(bearer).raise_for_status().json()
        return listed

    def associate(self, bearer: str, **body: Any) -> httpx2.Response:
        return self.http.post("/mfa/associate", json=body, headers=_authorization(bearer))

    def enrol(self, bearer: str, factor: str, **body: Any) -> dict[str, Any]:
        """Associate otp, or one of the out-of-band channels."""
        types = {"authenticator_types": ["otp" if factor == "otp" else "oob"]}
        channels = {} if factor == "otp" else {"oob_channels": [factor]}
        enrolled = self.associate(bearer, **types, **channels, **body)
        assert enrolled.status_code == 200, enrolled.text
        told: dict[str, Any] = enrolled.json()
        return told

    def challenge(self, mfa_token: str, challenge_type: str = "otp oob", **body: Any) -> httpx2.Response:
        client = {"client_id": self.client_id, **({"client_secret": self.secret} if self.secret else {})}
        asked = {"mfa_token": mfa_token, "challenge_type": challenge_type}
        return self.http.post("/mfa/challenge", json=client | asked | body)

    def challenged(self, mfa_token: str, **body: Any) -> str:
        """The oob_code of a challenge out of band."""
        sent = self.challenge(mfa_token, "oob", **body)
        assert sent.status_code == 200, sent.text
        oob_code: str = sent.json()["oob_code"]
        return oob_code

    def remove(self, bearer: str, authenticator_id: str) -> httpx2.Response:
        return self.http.delete(f"/mfa/authenticators/{authenticator_id}", headers=_authorization(bearer))


def _authorization(bearer: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {bearer}"}


def add_app(http: httpx2.Client, store: SqliteStore, tenant: Tenant, client_id: str = "app", **changed: Any) -> App:
    display = store.get(Client, tenant.client_id)
    assert display is not None
    app = replace(
        display,
        client_id=client_id,
        name="Quotes on paper",
        secret_hash=fingerprint(SECRET),
        grants="password refresh_token mfa",
    )
    store.put(replace(app, **changed))
    return App(http, client_id)


def add_person(store: SqliteStore, name: str = "zeno") -> Person:
    """Somebody with no second factor."""
    person = Person(f"auth0|{name}", f"{name}@stoa.example", f"{name}'s password")
    store.put(User(person.user_id, person.username, hash_password(person.password)))
    return person


def give(authority: Authority, person: Person, factor: Factor, name: str = "") -> Authenticator:
    """Have somebody own a second factor that counts already, and the recovery code that comes with the first."""
    made = authority.authenticators.enrol(person.user_id, factor, name).authenticator
    authority.authenticators.confirm(made)
    return made


def demo_person(store: SqliteStore, tenant: Tenant) -> Person:
    """The demo tenant's user, who has one-time codes in an app."""
    (user,) = store.find(User, username=tenant.demo_user)
    return Person(user.user_id, tenant.demo_user, tenant.demo_password)


def code_of(secret: str, clock: Clock, ahead_s: int = 0) -> str:
    """What an app that was given this secret shows."""
    return pyotp.TOTP(secret).at(clock.now_ns() // NS + ahead_s)


def wrong(code: str) -> str:
    """Another code of as many digits."""
    return f"{(int(code) + 1) % 10 ** len(code):0{len(code)}}"


def code_in(text: str) -> str:
    """The code of a message."""
    (code,) = re.findall(r"\b\d{6}\b", text)
    return str(code)


def text_of(authority: Authority, channel: str = "sms") -> str:
    """The code of the only message that went this way."""
    (message,) = (each for each in authority.outbox.newest() if each.channel == channel)
    return code_in(message.text)


def refused(reply: httpx2.Response) -> tuple[int, str, str]:
    """An OAuth error: status, error, description."""
    assert reply.headers["cache-control"] == "no-store"
    body = reply.json()
    assert body.keys() == {"error", "error_description"}, body
    return reply.status_code, body["error"], body["error_description"]


def claims_of(token: str) -> dict[str, Any]:
    """Of a JWT whose signature is not what is tested."""
    claims: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    return claims


def refreshed(app: App, refresh_token: str) -> str:
    """The token to go on with."""
    granted = app.refresh(refresh_token)
    assert granted.status_code == 200, granted.text
    following: str = granted.json().get("refresh_token", refresh_token)
    return following
