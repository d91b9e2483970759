"""An authorization server as its wire shows it: found by discovery, spoken to over plain HTTP, whoever wrote it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import httpx2

from host_tools.clock import NS
from tests.interop import provider as foreign
from tests.interop.mirrored_clock import MirroredClock
from tests.interop.ours import own_authority
from tests.interop.person import Person

TENANT_FILE = Path(__file__).with_name("tenant.toml")
CONFIDENTIAL = {"client_id": foreign.CONFIDENTIAL_CLIENT_ID, "client_secret": foreign.CLIENT_SECRET}
DEVICE_CODE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"


@dataclass
class Server:
    """client_id: the display's; the others are of clients that may do the same, and one's refresh tokens stay fixed.

    confidential: id and secret of a client that has one, as it sends them in the body.
    scope: all that the display may have; narrower: a part of it. target: the parameter that names the API.
    idle_s: how long a refresh token of the display may go unused.

    forgive_lost_reply: lets the token before the newest be taken for so many seconds; None where a server cannot.
    end_all_of_the_person: what is done when their password is no longer theirs alone; None where a server has nothing.
    """

    name: str
    issuer: str
    client_id: str
    other_client_id: str
    fixed_client_id: str
    confidential: dict[str, str]
    client_name: str
    scope: str
    narrower: str
    target: dict[str, str]
    resource: str
    idle_s: int
    person: Person
    clock: MirroredClock
    http: httpx2.Client
    forgive_lost_reply: Callable[[int], None] | None = None
    end_all_of_the_person: Callable[[], object] | None = None

    @cached_property
    def metadata(self) -> dict[str, Any]:
        document: dict[str, Any] = self.http.get(f"{self.issuer.rstrip('/')}/.well-known/openid-configuration").json()
        return document

    def ask(self, **changed: str) -> httpx2.Response:
        fields = {"client_id": self.client_id, "scope": self.scope, **self.target}
        return self.post("device_authorization_endpoint", fields | changed)

    def poll(self, device_code: str, **changed: str) -> httpx2.Response:
        fields = {"grant_type": DEVICE_CODE_GRANT, "device_code": device_code, "client_id": self.client_id}
        return self.post("token_endpoint", fields | changed)

    def refresh(self, refresh_token: str, **changed: str) -> httpx2.Response:
        fields = {"grant_type": "refresh_token", "refresh_token": refresh_token, "client_id": self.client_id}
        return self.post("token_endpoint", fields | changed)

    def revoke(self, token: str, **changed: str) -> httpx2.Response:
        return self.post("revocation_endpoint", {"token": token, "client_id": self.client_id} | changed)

    def introspect(self, token: str) -> dict[str, Any]:
        """What the confidential client is told of a token."""
        asked = self.post("introspection_endpoint", {"token": token, **self.confidential})
        told: dict[str, Any] = asked.raise_for_status().json()
        return told

    def post(self, endpoint: str, fields: Any) -> httpx2.Response:
        """endpoint: its name in the discovery document."""
        return self.http.post(self.metadata[endpoint], data=fields)

    def asked(self) -> dict[str, Any]:
        """What a device has been given to show."""
        begun: dict[str, Any] = self.ask().raise_for_status().json()
        return begun

    def paired(self, **changed: str) -> dict[str, Any]:
        """The tokens of a device that somebody has just approved."""
        begun = self.ask(**changed).raise_for_status().json()
        self.person.approve(begun)
        tokens: dict[str, Any] = self.poll(begun["device_code"], **changed).raise_for_status().json()
        return tokens

    def pass_time(self, seconds: int) -> None:
        self.clock.sleep_ns(seconds * NS)

    def takes(self, shown: dict[str, Any], entry: str) -> bool:
        """Whether its page goes on with this entry for the code on the display: it then shows the code."""
        (said,) = self.person.type_code(shown["verification_uri"], entry)
        return shown["user_code"] in said


@contextmanager
def oidc_provider(clock: MirroredClock) -> Iterator[Server]:
    with foreign.start_oidc_provider(clock) as running, httpx2.Client() as http:
        yield Server(
            name="oidc-provider",
            issuer=running.issuer,
            client_id=foreign.CLIENT_ID,
            other_client_id=foreign.OTHER_CLIENT_ID,
            fixed_client_id=foreign.FIXED_CLIENT_ID,
            confidential=CONFIDENTIAL,
            client_name="Stoa display",
            scope=foreign.SCOPE,
            narrower="read:quotes",
            target={"resource": foreign.RESOURCE},
            resource=foreign.RESOURCE,
            idle_s=foreign.REFRESH_TOKEN_IDLE_S,
            person=foreign.PERSON,
            clock=clock,
            http=http,
        )


@contextmanager
def ours(clock: MirroredClock, dialect: str) -> Iterator[Server]:
    with own_authority(clock, dialect=dialect, config=TENANT_FILE) as own, httpx2.Client() as http:
        tenant, control = own.running.tenant, own.running.control
        yield Server(
            name=dialect,
            issuer=tenant.issuer,
            client_id=tenant.client_id,
            other_client_id=foreign.OTHER_CLIENT_ID,
            fixed_client_id=foreign.FIXED_CLIENT_ID,
            confidential=CONFIDENTIAL,
            client_name="Stoa display",
            scope=tenant.scope,
            narrower="read:quotes",
            target={"audience" if dialect == "auth0" else "resource": tenant.audience},
            resource=tenant.audience,
            idle_s=foreign.REFRESH_TOKEN_IDLE_S,
            person=own.person,
            clock=clock,
            http=http,
            forgive_lost_reply=lambda seconds: control.set_refresh_leeway(tenant.client_id, seconds),
            end_all_of_the_person=lambda: control.revoke(user=tenant.demo_user),
        )


START: dict[str, Callable[[MirroredClock], AbstractContextManager[Server]]] = {
    "auth0": partial(ours, dialect="auth0"),
    "rfc": partial(ours, dialect="rfc"),
    "oidc-provider": oidc_provider,
}
