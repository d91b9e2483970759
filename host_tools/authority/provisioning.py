"""The users and clients of a tenant's settings, put into the store.

Who is there already is updated in place: users are known by their names, clients by their ids, or by their names where
the settings leave the id open, authenticators by factor and name. So tokens and enrolled phones live on.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import pyotp

from host_tools.authority.core.authn_records import AuthnTransaction, DeviceChoice, SessionToken
from host_tools.authority.core.records import (
    Authenticator,
    AuthorizationCode,
    AuthorizationRequest,
    Client,
    Consent,
    DeviceGrant,
    LoginSession,
    Message,
    MfaTransaction,
    OobChallenge,
    TokenFamily,
    User,
    fingerprint,
)
from host_tools.authority.core.refresh_tokens import forget
from host_tools.authority.core.resource_records import BankAccount, SessionFactor
from host_tools.authority.core.storage import Store
from host_tools.authority.core.user_mfa_records import PasswordTries, PresenceToken, UserMfa
from host_tools.authority.core.users import hash_password
from host_tools.authority.tenant_settings import AuthenticatorSettings, ClientSettings, UserSettings


@dataclass(frozen=True)
class ListedAuthenticator:
    """totp_secret: where it was made here; empty where the settings have it, or the factor has none."""

    factor: str
    name: str
    totp_secret: str


@dataclass(frozen=True)
class ListedUser:
    """password: where it was made here; empty where the settings have it."""

    username: str
    password: str
    authenticators: tuple[ListedAuthenticator, ...]


@dataclass(frozen=True)
class ListedClient:
    client_id: str
    name: str
    grants: tuple[str, ...]
    scopes: tuple[str, ...]
    default_scopes: tuple[str, ...]
    audience: str


def auth0_user_id() -> str:
    """A new user's, as Auth0 gives it."""
    return f"auth0|{secrets.token_hex(12)}"


def put_users(
    store: Store, wanted: Sequence[UserSettings], only: bool, new_id: Callable[[], str] = auth0_user_id
) -> tuple[ListedUser, ...]:
    """Slow: each password is hashed. only: users that are not wanted are forgotten, with all they have."""
    made = [(each, each.password or secrets.token_urlsafe(12)) for each in wanted]
    hashes = [hash_password(password) for _, password in made]
    with store.transaction():
        known = {user.username: user for user in store.find(User)}
        for username in known.keys() - {each.username for each in wanted} if only else ():
            _forget_user(store, known[username].user_id)
        listed = []
        for (each, password), password_hash in zip(made, hashes, strict=True):
            user = known.get(each.username) or User(new_id(), each.username, "")
            store.put(replace(user, password_hash=password_hash))
            # A password that is set anew is a new one: what was tried of the former is over.
            store.delete(PasswordTries, user_id=user.user_id)
            store.delete(PresenceToken, user_id=user.user_id)
            if each.mfa_enabled is not None:
                own = store.get(UserMfa, user.user_id) or UserMfa(user.user_id, False, 0, None, None)
                store.put(replace(own, enabled=each.mfa_enabled))
            has = _put_authenticators(store, user.user_id, each, only)
            listed.append(ListedUser(each.username, "" if each.password else password, has))
    return tuple(listed)


def put_clients(store: Store, wanted: Sequence[ClientSettings], only: bool) -> tuple[ListedClient, ...]:
    """only: clients that are not wanted are forgotten, with their tokens."""
    with store.transaction():
        known = store.find(Client)
        named = {each.client_id for each in wanted}
        by_name = {client.name: client.client_id for client in known if client.client_id not in named}
        ids = [each.client_id or by_name.get(each.name) or secrets.token_hex(16) for each in wanted]
        for client_id in {client.client_id for client in known} - set(ids) if only else ():
            _forget_client(store, client_id)
        for client_id, each in zip(ids, wanted, strict=True):
            store.put(_client(client_id, each))
    return tuple(
        ListedClient(client_id, each.name, each.grants, each.scopes, each.default_scopes, each.audience)
        for client_id, each in zip(ids, wanted, strict=True)
    )


def _client(client_id: str, wanted: ClientSettings) -> Client:
    return Client(
        client_id=client_id,
        name=wanted.name,
        secret_hash=fingerprint(wanted.secret) if wanted.secret else "",
        grants=" ".join(wanted.grants),
        scopes=" ".join(wanted.scopes),
        default_scopes=" ".join(wanted.default_scopes),
        audience=wanted.audience,
        metadata=json.dumps(dict(wanted.metadata)),
        refresh_rotates=wanted.refresh_rotates,
        refresh_lifetime_s=wanted.refresh_lifetime_s,
        refresh_idle_s=wanted.refresh_idle_s,
        refresh_leeway_s=wanted.refresh_leeway_s,
        redirect_uris=" ".join(wanted.redirect_uris),
        logout_uris=" ".join(wanted.logout_uris),
        web_origins=" ".join(wanted.web_origins),
        skips_consent=wanted.skips_consent,
    )


def _put_authenticators(store: Store, user_id: str, user: UserSettings, only: bool) -> tuple[ListedAuthenticator, ...]:
    """All that the settings list, in their order; they count at once."""
    if user.authenticators is None:
        return ()
    held = sorted(store.find(Authenticator, user_id=user_id), key=lambda each: (each.created_at, each.authenticator_id))
    by_id = {each.authenticator_id: each for each in held}
    put: list[Authenticator] = []
    listed = []
    for each in user.authenticators:
        former = _former(held, each)
        made = _authenticator(user_id, each.factor, each.name, former, len(put))
        code = made
        if each.factor == "push":
            # A phone enrolled for push shows one-time codes too (authenticators.Authenticators.enrol).
            twin = by_id.get(former.twin_id or "") if former else None
            code = _authenticator(user_id, "otp", "", twin, len(put) + 1)
            made = replace(made, twin_id=code.authenticator_id)
            code = replace(code, twin_id=made.authenticator_id)
            put.append(made)
        if code.factor == "otp":
            code = _with_secret(code, each.totp_secret)
        put.append(code)
        listed.append(ListedAuthenticator(each.factor, each.name, "" if each.totp_secret else code.secret))
    if user.recovery_code is not None:
        spare = next((each for each in held if each.factor == "recovery-code"), None)
        made = _authenticator(user_id, "recovery-code", "", spare, len(put))
        put.append(replace(made, secret=fingerprint(user.recovery_code)))
    for authenticator_id in by_id.keys() - {each.authenticator_id for each in put} if only else ():
        store.delete(Authenticator, authenticator_id=authenticator_id)
        store.delete(OobChallenge, authenticator_id=authenticator_id)
    for authenticator in put:
        store.put(authenticator)
    if only and not any(each.factor != "recovery-code" for each in put):
        store.delete(DeviceChoice, user_id=user_id)  # as Authenticators.remove has it
    return tuple(listed)


def _former(held: Sequence[Authenticator], wanted: AuthenticatorSettings) -> Authenticator | None:
    """What the user has that is the one wanted."""
    of_factor = [each for each in held if each.factor == wanted.factor and each.active]
    if wanted.factor == "otp":
        # A user lists one at most, so whichever there is gets its secret; a phone's own twin is that phone's.
        return next((each for each in of_factor if each.twin_id is None), None)
    return next((each for each in of_factor if each.name == wanted.name), None)


def _authenticator(user_id: str, factor: str, name: str, former: Authenticator | None, place: int) -> Authenticator:
    return Authenticator(
        authenticator_id=former.authenticator_id if former else secrets.token_hex(8),
        user_id=user_id,
        factor=factor,
        name=name,
        secret=former.secret if former else "",
        last_totp_step=former.last_totp_step if former else 0,
        active=True,
        twin_id=None,
        created_at=place,  # they are listed by it: in the settings' order, before any that is enrolled later
    )


def _with_secret(authenticator: Authenticator, wanted: str | None) -> Authenticator:
    """One-time codes of the secret wanted, of the one there is, or of a new one. Spent codes stay spent."""
    secret = wanted or authenticator.secret or pyotp.random_base32()
    step = authenticator.last_totp_step if secret == authenticator.secret else 0
    return replace(authenticator, secret=secret, last_totp_step=step)


def _forget_user(store: Store, user_id: str) -> None:
    for family in store.find(TokenFamily, user_id=user_id):
        forget(store, family)
    store.delete(DeviceGrant, user_id=user_id)
    store.delete(AuthorizationCode, user_id=user_id)
    store.delete(Consent, user_id=user_id)
    store.delete(MfaTransaction, user_id=user_id)
    store.delete(OobChallenge, user_id=user_id)
    store.delete(AuthnTransaction, user_id=user_id)
    store.delete(SessionToken, user_id=user_id)
    store.delete(DeviceChoice, user_id=user_id)
    store.delete(LoginSession, user_id=user_id)
    store.delete(SessionFactor, user_id=user_id)
    store.delete(BankAccount, user_id=user_id)
    store.delete(Message, user_id=user_id)
    store.delete(Authenticator, user_id=user_id)
    store.delete(UserMfa, user_id=user_id)
    store.delete(PresenceToken, user_id=user_id)
    store.delete(PasswordTries, user_id=user_id)
    store.delete(User, user_id=user_id)


def _forget_client(store: Store, client_id: str) -> None:
    for family in store.find(TokenFamily, client_id=client_id):
        forget(store, family)
    store.delete(DeviceGrant, client_id=client_id)
    store.delete(AuthorizationRequest, client_id=client_id)
    store.delete(AuthorizationCode, client_id=client_id)
    store.delete(Consent, client_id=client_id)
    store.delete(MfaTransaction, client_id=client_id)
    store.delete(OobChallenge, client_id=client_id)
    store.delete(Client, client_id=client_id)
