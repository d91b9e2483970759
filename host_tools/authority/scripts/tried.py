"""One script on a person and a client that are made up, without a server."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from host_tools.authority.core.policies import Protocol
from host_tools.authority.core.post_login import Attempt, Verdict
from host_tools.authority.core.records import Authenticator, Client, Factor, TokenFamily, User
from host_tools.authority.scripts.engine import Engine
from host_tools.authority.scripts.pipeline import Pipeline, Printed
from host_tools.authority.scripts.script import Script
from host_tools.clock import NS

_ISSUER = "http://127.0.0.1/"


@dataclass(frozen=True)
class Tried:
    """Who asks, and for what. now_ns: nanoseconds since 1970 UTC, the script's time."""

    protocol: Protocol
    now_ns: int
    username: str
    client_id: str
    client_name: str
    metadata: Mapping[str, str]
    scope: str
    audience: str
    factors: Sequence[Factor] = ()
    address: str = "127.0.0.1"


def try_script(script: Script, tried: Tried) -> tuple[Verdict, tuple[str, ...]]:
    """What it decides, and what it printed."""
    printed = Printed()
    engine = Engine()
    try:
        verdict = Pipeline(engine, [script], _ISSUER, printed)(_attempt(tried))
    finally:
        engine.close()
    return verdict, tuple(line for _, line in printed.lines)


def _attempt(tried: Tried) -> Attempt:
    user = User("auth0|5f7c8ec7c33c6c004bbafe82", tried.username, "")
    client = Client(
        client_id=tried.client_id,
        name=tried.client_name,
        secret_hash="",
        grants="",
        scopes=tried.scope,
        default_scopes=tried.scope,
        audience=tried.audience,
        metadata=json.dumps(dict(tried.metadata)),
        refresh_rotates=True,
        refresh_lifetime_s=None,
        refresh_idle_s=None,
        refresh_leeway_s=0,
    )
    return Attempt(
        protocol=tried.protocol,
        user=user,
        client=client,
        scope=tried.scope,
        audience=tried.audience,
        amr="pwd",
        auth_time_at=tried.now_ns,
        address=tried.address,
        user_agent="stoa rule try",
        family=_family(tried, user) if tried.protocol == "oauth2-refresh-token" else None,
        authenticators=tuple(_authenticator(user, factor) for factor in tried.factors),
        now=tried.now_ns,
    )


def _authenticator(user: User, factor: Factor) -> Authenticator:
    return Authenticator(factor, user.user_id, factor, "", "", 0, True, None, 0)


def _family(tried: Tried, user: User) -> TokenFamily:
    """One that was begun a day before."""
    begun = tried.now_ns - 86_400 * NS
    return TokenFamily(
        family_id="made-up",
        client_id=tried.client_id,
        user_id=user.user_id,
        scope=tried.scope,
        audience=tried.audience,
        auth_time_at=begun,
        amr="pwd",
        generation=0,
        rotated_at=begun,
        used_at=begun,
        rotates=True,
        expires_at=None,
        revoked_at=None,
    )
