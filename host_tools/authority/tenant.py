"""The demo tenant: one person, one display, one API. Made for a run and said to be one."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace

import pyotp

from host_tools.authority.core.records import Client, Store, User
from host_tools.authority.core.users import hash_password

DISPLAY_NAME = "Stoa display"
AUDIENCE = "https://stoa.example/quotes"  # an identifier, as Auth0 wants it; nothing is ever fetched from it
QUOTES_SCOPE = "read:quotes"
SCOPE = f"{QUOTES_SCOPE} offline_access"
DEMO_USER = "demo@stoa.example"
_REFRESH_LIFETIME_S = 31_557_600  # Auth0's longest, a year: a display is to stay connected


@dataclass(frozen=True)
class Tenant:
    """What a device, a person or a test needs to meet this authority. Secrets of a demo, good for this run."""

    issuer: str
    client_id: str
    audience: str
    scope: str
    quotes_url: str
    demo_user: str
    demo_password: str
    totp_secret: str


def demo_tenant(store: Store, issuer: str, refresh_leeway_s: int = 0) -> Tenant:
    """Find or make the tenant in this store.

    User, client and TOTP secret persist with the database, so that a paired display and an enrolled phone go on
    working; the password is made anew each time, because only its hash is kept and it has to be shown.
    """
    password = secrets.token_urlsafe(12)
    with store.transaction():
        users = store.find(User, username=DEMO_USER)
        user = users[0] if users else User(f"auth0|{secrets.token_hex(12)}", DEMO_USER, "", pyotp.random_base32(), 0)
        store.put(replace(user, password_hash=hash_password(password)))
        clients = store.find(Client, name=DISPLAY_NAME)
        client = Client(
            client_id=clients[0].client_id if clients else secrets.token_hex(16),
            name=DISPLAY_NAME,
            scopes=SCOPE,
            audience=AUDIENCE,
            metadata='{"device_type": "display"}',
            refresh_lifetime_s=_REFRESH_LIFETIME_S,
            refresh_leeway_s=refresh_leeway_s,
        )
        store.put(client)
    return Tenant(
        issuer=issuer,
        client_id=client.client_id,
        audience=AUDIENCE,
        scope=SCOPE,
        quotes_url=f"{issuer}api/quotes/today",
        demo_user=DEMO_USER,
        demo_password=password,
        totp_secret=user.totp_secret,
    )
