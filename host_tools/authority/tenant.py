"""The tenant of an authority: its settings put in force, and what of it may be told.

Without a tenant file it is the demo: one person, one display, one API. Made for a run and said to be one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from host_tools.authority.core.authority import Authority
from host_tools.authority.core.storage import Store
from host_tools.authority.provisioning import ListedClient, ListedUser, auth0_user_id, put_clients, put_users
from host_tools.authority.tenant_settings import AUDIENCE, QUOTES_SCOPE, TenantSettings, demo_settings

__all__ = ["AUDIENCE", "QUOTES_SCOPE", "ListedTenant", "Tenant", "demo_tenant", "provision", "put_in_force"]


@dataclass(frozen=True)
class Tenant:
    """What a device, a person or a test needs to meet this authority: its first client for devices, its first user.

    quotes_url: empty where that client's tokens are for another API.

    Secrets of a demo, good for this run. One that stands in the owner's tenant file is not told: it is empty here.
    """

    issuer: str
    client_id: str
    audience: str
    scope: str
    quotes_url: str
    demo_user: str
    demo_password: str
    totp_secret: str


@dataclass(frozen=True)
class ListedTenant:
    """A tenant, and all who belong to it."""

    name: str
    tenant: Tenant
    users: tuple[ListedUser, ...]
    clients: tuple[ListedClient, ...]

    def listed(self) -> dict[str, list[dict[str, Any]]]:
        """All users and clients as JSON has them, without what is empty."""
        return {
            "users": [_filled(asdict(each)) for each in self.users],
            "clients": [_filled(asdict(each)) for each in self.clients],
        }


def demo_tenant(store: Store, issuer: str, refresh_leeway_s: int = 0) -> Tenant:
    """Find or make the tenant in this store.

    User, client and TOTP secret persist with the database, so that a paired display and an enrolled phone go on
    working; the password is made anew each time, because only its hash is kept and it has to be shown.
    """
    return provision(store, issuer, demo_settings(refresh_leeway_s), only=False).tenant


def provision(
    store: Store, issuer: str, settings: TenantSettings, only: bool, new_user_id: Callable[[], str] | None = None
) -> ListedTenant:
    """Find or make the users and clients of these settings in this store.

    only: what the store has of users, clients and authenticators beside them is forgotten, with all that belongs to it.
    new_user_id: of who is not there yet; None: as Auth0's.
    """
    with store.transaction():
        users = put_users(store, settings.users, only, new_user_id or auth0_user_id)
        clients = put_clients(store, settings.clients, only)
    user = users[0]
    quotes = next(api for api in settings.apis if api.serves == "quotes")
    client = next((each for each in clients if "device_code" in each.grants), clients[0])
    tenant = Tenant(
        issuer=issuer,
        client_id=client.client_id,
        audience=client.audience,
        scope=" ".join(client.default_scopes),
        quotes_url=f"{issuer}{quotes.policy.prefix[1:]}/today" if client.audience == quotes.policy.audience else "",
        demo_user=user.username,
        demo_password=user.password,
        totp_secret=next((each.totp_secret for each in user.authenticators if each.totp_secret), ""),
    )
    return ListedTenant(settings.name, tenant, users, clients)


def put_in_force(authority: Authority, settings: TenantSettings) -> None:
    """What can be changed while it runs."""
    vars(authority.mfa).update(vars(settings.mfa))
    authority.access_tokens.ttl_s = settings.access_token_lifetime_s
    authority.issued_tokens.revocation_deletes_grant = settings.revocation_deletes_grant
    authority.device_grants.lifetime_s = settings.device_code_lifetime_s
    authority.device_grants.interval_s = settings.polling_interval_s
    authority.device_choices.policy = settings.sign_on_policy


def _filled(record: dict[str, Any]) -> dict[str, Any]:
    filled = {name: value for name, value in record.items() if value}
    if "authenticators" in filled:
        filled["authenticators"] = [_filled(each) for each in filled["authenticators"]]
    return filled
