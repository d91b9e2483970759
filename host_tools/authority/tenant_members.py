"""The users and the clients of a tenant file."""

from __future__ import annotations

from typing import get_args

from host_tools.authority import tenant_values as values
from host_tools.authority.checked_table import Check, CheckedTable, refuse_twins
from host_tools.authority.core.authorization_requests import origin_of
from host_tools.authority.core.mfa_transactions import ENROLLABLE
from host_tools.authority.core.token_endpoint import OPENID, PROFILE_SCOPES, Grant
from host_tools.authority.tenant_settings import (
    DEMO_CLIENTS,
    DEMO_USERS,
    DISPLAY_NAME,
    LONGEST_LEEWAY_S,
    LONGEST_REFRESH_LIFETIME_S,
    REFRESH_LIFETIME_S,
    AuthenticatorSettings,
    ClientSettings,
    UserSettings,
)
from host_tools.authority.tenant_values import choice, count, flag

GRANTS: tuple[str, ...] = get_args(Grant)
ROTATION_TYPES = ("rotating", "non-rotating")
EXPIRATION_TYPES = ("expiring", "non-expiring")
_MOST_USERS = 100  # each start hashes their passwords
_DEFAULTS = ClientSettings()
_NAMES: dict[str, tuple[Check[str], str]] = {  # of authenticators, and what stands for one that is left out
    "sms": (values.phone, ""),
    "email": (values.email, ""),
    "push": (values.text, "Phone"),
}
_CODES = ("otp", "push")  # a phone enrolled for push shows codes too
_NOT_OF = {"otp": ("name",), "sms": ("totp_secret",), "email": ("totp_secret",)}


def users(top: CheckedTable) -> tuple[UserSettings, ...]:
    """Without any, the demo user."""
    tables = top.tables("users")
    if len(tables) > _MOST_USERS:
        top.wrong(f"are {len(tables)}; a tenant has {_MOST_USERS} at most", "users")
    told = [(table, _user(table)) for table in tables[:_MOST_USERS]]
    refuse_twins(told, "username", lambda user: user.username or None)
    return tuple(user for _, user in told) or DEMO_USERS


def clients(top: CheckedTable) -> tuple[ClientSettings, ...]:
    """Without any, the demo display."""
    told = [(table, _client(table)) for table in top.tables("clients")]
    refuse_twins(told, "client_id", lambda client: client.client_id)
    refuse_twins(told, "name", lambda client: None if client.client_id else client.name, ", or give it a client_id")
    return tuple(client for _, client in told) or DEMO_CLIENTS


def _user(table: CheckedTable) -> UserSettings:
    if "username" not in table:
        table.wrong('has no username; add username = "anna@stoa.example"')
    username = table.take("username", values.email, "")
    password = table.take("password", values.password, None)
    recovery_code = table.take("recovery_code", values.recovery_code, None)
    told = [(each, _authenticator(each, username)) for each in table.tables("authenticators")]
    refuse_twins(told, "factor", lambda each: (each.factor, each.name) if each.factor else None)
    refuse_twins(told, "totp_secret", lambda each: each.totp_secret)
    if recovery_code is not None and not told:
        table.wrong("stands in for an authenticator; add a [[users.authenticators]], or take it out", "recovery_code")
    mfa_enabled = table.take("mfa_enabled", flag, None)
    if mfa_enabled and table.is_right("authenticators") and not any(each.factor in _CODES for _, each in told):
        table.wrong("wants a factor that shows codes; add a [[users.authenticators]] of factor otp", "mfa_enabled")
    table.finish()
    listed = tuple(authenticator for _, authenticator in told) if "authenticators" in table else None
    return UserSettings(username, password, recovery_code, listed, mfa_enabled)


def _authenticator(table: CheckedTable, username: str) -> AuthenticatorSettings:
    if "factor" not in table:
        table.wrong(f"has no factor; add factor, one of {', '.join(ENROLLABLE)}")
    factor = table.take("factor", choice(ENROLLABLE), "")
    if factor == "sms" and "name" not in table:
        table.wrong('has no name, which is the phone number; add name = "+15550100123"')
    check, usual = _NAMES.get(factor, (values.text, ""))
    name = table.take("name", check, usual or (username if factor == "email" else ""))
    totp_secret = table.take("totp_secret", values.totp_secret, None)
    for key in _NOT_OF.get(factor, ()):
        if key in table:
            table.wrong(f"is nothing that {factor} has; take it out", key)
    table.finish()
    return AuthenticatorSettings(factor, name, totp_secret)


def _client(table: CheckedTable) -> ClientSettings:
    client_id = table.take("client_id", values.client_id, None)
    name = table.take("name", values.text, client_id or DISPLAY_NAME)
    secret = table.take("secret", values.client_secret, None)
    grants = table.items("grants", choice(GRANTS), _DEFAULTS.grants)
    browser = bool(set(grants) & {"authorization_code", "implicit"})
    scopes = table.items("scopes", values.scope, (*_DEFAULTS.scopes, *(PROFILE_SCOPES if browser else ())))
    # openid brings an ID token with it, and is asked for by name.
    usual = tuple(scope for scope in scopes if scope not in (OPENID, *PROFILE_SCOPES))
    default_scopes = table.items("default_scopes", values.scope, usual)
    audience = table.take("audience", values.audience, _DEFAULTS.audience)
    metadata = table.table("metadata").every(values.metadata)
    if not grants and table.is_right("grants"):
        table.wrong(f"is empty; name one or more of {', '.join(GRANTS)}", "grants")
    if table.is_right("scopes", "default_scopes"):
        for index, scope in enumerate(default_scopes):
            if scope not in scopes:
                table.wrong(f"is {scope!r:.60}, which is not in scopes; add it there", "default_scopes", index)
    redirect_uris, logout_uris, web_origins, skips_consent = _browser_application(table, browser)
    rotates, lifetime_s, idle_s, leeway_s = _refresh_token(table.table("refresh_token"))
    table.finish()
    return ClientSettings(
        name=name,
        client_id=client_id,
        secret=secret,
        grants=tuple(dict.fromkeys(grants)),
        scopes=tuple(dict.fromkeys(scopes)),
        default_scopes=tuple(dict.fromkeys(default_scopes)),
        audience=audience,
        metadata=metadata if "metadata" in table else _DEFAULTS.metadata,
        refresh_rotates=rotates,
        refresh_lifetime_s=lifetime_s,
        refresh_idle_s=idle_s,
        refresh_leeway_s=leeway_s,
        redirect_uris=redirect_uris,
        logout_uris=logout_uris,
        web_origins=web_origins,
        skips_consent=skips_consent,
    )


def _browser_application(
    table: CheckedTable, browser: bool
) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...], bool]:
    """Where its answers go, where people go who sign out, whose scripts may ask for tokens, and whether people are
    asked what it may have."""
    redirect_uris = table.items("redirect_uris", values.redirect_uri, ())
    logout_uris = table.items("logout_uris", values.redirect_uri, ())
    # What an address of its own is on may ask: Auth0 wants those listed too, and a list here takes their place.
    origins = filter(None, map(origin_of, redirect_uris))
    web_origins = table.items("web_origins", values.web_origin, tuple(dict.fromkeys(origins)))
    skips_consent = table.take("skips_consent", flag, False)
    if browser and not redirect_uris and table.is_right("redirect_uris", "grants"):
        table.wrong('has no redirect_uris; add redirect_uris = ["http://127.0.0.1:3000/callback"]')
    for key in ("redirect_uris", "logout_uris", "web_origins", "skips_consent"):
        if not browser and key in table and table.is_right("grants"):
            table.wrong('is of the grants "authorization_code" and "implicit"; add one of them, or take it out', key)
    return _once(redirect_uris), _once(logout_uris), _once(web_origins), skips_consent


def _once(words: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(words))


def _refresh_token(table: CheckedTable) -> tuple[bool, int | None, int | None, int]:
    """Rotates, lifetime, idle lifetime, leeway: Auth0's client.refresh_token (wire-facts 1.3)."""
    rotates = table.take("rotation_type", choice(ROTATION_TYPES), ROTATION_TYPES[0]) == ROTATION_TYPES[0]
    expires = table.take("expiration_type", choice(EXPIRATION_TYPES), EXPIRATION_TYPES[0]) == EXPIRATION_TYPES[0]
    lifetime_s = table.take("token_lifetime", count(1, LONGEST_REFRESH_LIFETIME_S), REFRESH_LIFETIME_S)
    idle_s = table.take("idle_token_lifetime", count(1, LONGEST_REFRESH_LIFETIME_S), None)
    leeway_s = table.take("leeway", count(0, LONGEST_LEEWAY_S), 0)
    if not expires:
        for key in ("token_lifetime", "idle_token_lifetime"):
            if key in table:
                table.wrong('contradicts expiration_type = "non-expiring"; take out one of the two', key)
        table.finish()
        return rotates, None, None, leeway_s
    if idle_s is not None and table.is_right("token_lifetime") and idle_s > lifetime_s:
        table.wrong(
            f"is {idle_s}; the whole token_lifetime is {lifetime_s}, so it has to be that or less",
            "idle_token_lifetime",
        )
    table.finish()
    return rotates, lifetime_s, idle_s, leeway_s
