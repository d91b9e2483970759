"""Auth0's post-login Actions: the event one is given, and what the methods of its api mean (docs-v2, "Actions")."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from host_tools.authority.core.mfa_transactions import ENROLLABLE
from host_tools.authority.core.policies import Directive
from host_tools.authority.core.post_login import Attempt
from host_tools.authority.scripts import directives
from host_tools.authority.scripts.script import ScriptFailed
from host_tools.authority.scripts.seen import methods_of, moment, profile_of

# How Auth0 calls factors in event.user.enrolledFactors.
_FACTOR_NAMES = {"otp": "otp", "sms": "phone", "email": "email", "push": "push-notification"}


@dataclass
class Asked:
    """What Actions have asked for so far, in their order: a later one's word on a second factor holds."""

    mfa: Directive | None = None
    denied: str | None = None
    access_claims: dict[str, Any] = field(default_factory=dict)
    id_claims: dict[str, Any] = field(default_factory=dict)


def event(attempt: Attempt, issuer: str) -> dict[str, Any]:
    client, family = attempt.client, attempt.family
    held = [each for each in attempt.authenticators if each.factor in ENROLLABLE]
    seen: dict[str, Any] = {
        "tenant": {"id": "stoa"},
        "client": {"client_id": client.client_id, "name": client.name, "metadata": json.loads(client.metadata)},
        "user": profile_of(attempt)
        | {"enrolledFactors": [{"type": _FACTOR_NAMES[each.factor]} for each in held if each.factor in _FACTOR_NAMES]},
        "connection": {"id": "con_stoa", "name": "Username-Password-Authentication", "strategy": "auth0"},
        "authentication": {"methods": _dated(attempt)},
        "authorization": {"roles": []},
        "request": {
            "ip": attempt.address,
            "user_agent": attempt.user_agent,
            "hostname": issuer.split("//", 1)[-1].split("/")[0].split(":")[0],
            "method": "POST",
            "language": "en",
            "geoip": {},
            "query": {},
            "body": {},
        },
        "resource_server": {"identifier": attempt.audience},
        "session": {"id": None, "clients": [{"client_id": client.client_id}]},
        "stats": {"logins_count": 1},
        "transaction": {
            "protocol": attempt.protocol,
            "requested_scopes": attempt.scope.split(),
            "acr_values": attempt.acr_values.split(),
            "locale": "en",
            "prompt": [],
            "ui_locales": [],
        },
    }
    if family is not None:
        seen["refresh_token"] = {
            "id": family.family_id,
            "user_id": family.user_id,
            "client_id": family.client_id,
            "created_at": moment(family.auth_time_at),
            "last_exchanged_at": moment(family.used_at),
            "expires_at": moment(family.expires_at),
            "rotating": bool(family.rotates),
            "resource_servers": [{"audience": family.audience, "scopes": family.scope}],
        }
    return seen


def given(seen: Mapping[str, Any], secrets: Mapping[str, str], now_ms: int) -> str:
    return json.dumps({"event": {**seen, "secrets": secrets}, "now": now_ms})


def take(asked: Asked, found: Mapping[str, Any]) -> None:
    """Add what an Action has asked for. Raises ScriptFailed."""
    calls = found.get("asked")
    if not isinstance(calls, list):
        raise ScriptFailed("left no list of what it asked for")
    for call in calls:
        method, *arguments = call if isinstance(call, list) and call else [None]
        if not isinstance(method, str) or method not in _METHODS:
            raise ScriptFailed("left a list of what it asked for that is not the api's")
        _METHODS[method](asked, *[*arguments, None, None][:2])


def _deny(asked: Asked, reason: Any, _: Any) -> None:
    if asked.denied is None:
        asked.denied = str(reason)[:500]


def _access_claim(asked: Asked, name: Any, value: Any) -> None:
    asked.access_claims[str(name)] = value


def _id_claim(asked: Asked, name: Any, value: Any) -> None:
    asked.id_claims[str(name)] = value


def _enable(asked: Asked, provider: Any, options: Any) -> None:
    remembers = options.get("allowRememberBrowser") if isinstance(options, dict) else None
    asked.mfa = directives.multifactor(provider, remembers)


def _challenge_with(asked: Asked, factor: Any, options: Any) -> None:
    more = options.get("additionalFactors") if isinstance(options, dict) else None
    asked.mfa = directives.challenge([factor, *(more if isinstance(more, list) else [])])


def _challenge_with_any(asked: Asked, factors: Any, _: Any) -> None:
    asked.mfa = directives.challenge(factors if isinstance(factors, list) else [])


_METHODS = {
    "access.deny": _deny,
    "accessToken.setCustomClaim": _access_claim,
    "idToken.setCustomClaim": _id_claim,
    "multifactor.enable": _enable,
    "authentication.challengeWith": _challenge_with,
    "authentication.challengeWithAny": _challenge_with_any,
}


def _dated(attempt: Attempt) -> list[dict[str, Any]]:
    """An Action's times are ISO 8601, where a Rule's are milliseconds."""
    when = moment(attempt.auth_time_at)
    return [{"name": each["name"], "timestamp": when} for each in methods_of(attempt)]
