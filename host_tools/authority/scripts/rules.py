"""Auth0's Rules: what one is given, and what becomes of what it calls back with (wire-facts 1.8, docs-v2 "Rules")."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from host_tools.authority.core.claims import Claims
from host_tools.authority.core.policies import Directive
from host_tools.authority.core.post_login import Attempt
from host_tools.authority.scripts import directives
from host_tools.authority.scripts.script import ScriptFailed
from host_tools.authority.scripts.seen import methods_of, profile_of


@dataclass(frozen=True)
class Passed:
    """What goes from rule to rule."""

    user: Mapping[str, Any]
    context: Mapping[str, Any]

    def given(self, configuration: Mapping[str, str], now_ms: int) -> str:
        told = {"user": self.user, "context": self.context, "configuration": configuration, "now": now_ms}
        return json.dumps(told)


def first(attempt: Attempt, issuer: str) -> Passed:
    """What the first rule sees. A refresh has no request of a person's, so that there is no `request.query` for it."""
    client = attempt.client
    request: dict[str, Any] = {"ip": attempt.address, "userAgent": attempt.user_agent, "query": {}, "body": {}}
    if attempt.family is None:
        request["query"] = {"client_id": client.client_id, "scope": attempt.scope, "audience": attempt.audience}
    context = {
        "tenant": "stoa",
        "clientID": client.client_id,
        "clientName": client.name,
        "clientMetadata": json.loads(client.metadata),
        "connection": "Username-Password-Authentication",
        "connectionStrategy": "auth0",
        "protocol": attempt.protocol,
        "request": request,
        "authentication": {"methods": methods_of(attempt)},
        "authorization": {"roles": []},
        "stats": {"loginsCount": 1},
        "sso": {"current_clients": [client.client_id]},
        "accessToken": {},
        "idToken": {},
        "issuer": issuer,
        "sessionID": "",
    }
    return Passed(profile_of(attempt), context)


def after(passed: Passed, found: Mapping[str, Any]) -> Passed:
    """What the next one sees. Raises ScriptFailed for what no rule may leave."""
    user, context = found.get("user"), found.get("context")
    if not isinstance(user, dict) or not isinstance(context, dict):
        raise ScriptFailed("called back without (null, user, context)")
    return Passed(user, context)


def outcome(passed: Passed) -> tuple[Directive | None, Claims]:
    """Raises ScriptFailed."""
    context = passed.context
    wanted = context.get("multifactor")
    directive = None
    if wanted is not None:
        if not isinstance(wanted, dict):
            raise ScriptFailed("leaves a context.multifactor that is not {provider, allowRememberBrowser}")
        directive = directives.multifactor(wanted.get("provider"), wanted.get("allowRememberBrowser"))
    return directive, Claims(_claims(context.get("accessToken")), _claims(context.get("idToken")))


def _claims(wanted: object) -> dict[str, Any]:
    if wanted is None:
        return {}
    if not isinstance(wanted, dict):
        raise ScriptFailed("leaves a context.accessToken or context.idToken that is not an object of claims")
    return directives.claims(wanted)
