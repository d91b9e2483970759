"""What scripts ask for, from Auth0's words to ours. Everything here comes from a script, so that it may be anything."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from host_tools.authority.core.policies import Directive
from host_tools.authority.core.records import Factor
from host_tools.authority.scripts.script import ScriptFailed

LARGEST_CLAIMS = 16 * 1024  # as JSON: a token goes into a header. Auth0 allows 100 KB
# docs-v2, "Create Custom Claims": what scripts cannot set, and is left out in silence. Beside these, no claim of ours
# is replaced (access_tokens.py).
# fmt: off
RESERVED_CLAIMS = frozenset(
    {
        "acr", "act", "active", "amr", "at_hash", "ath", "attest", "aud", "auth_time", "authorization_details",
        "azp", "c_hash", "client_id", "cnf", "cty", "dest", "entitlements", "events", "exp", "grant_id",
        "groups", "gty", "htm", "htu", "iat", "internalService", "iss", "jcard", "jku", "jti", "jwe", "jwk",
        "kid", "may_act", "mky", "nbf", "nonce", "object_id", "org_id", "org_name", "orig", "origid",
        "permissions", "roles", "rph", "s_hash", "sid", "sip_callid", "sip_cseq_num", "sip_date",
        "sip_from_tag", "sip_via_branch", "sub", "sub_jwk", "toe", "txn", "typ", "uuid", "vot", "vtm",
        "x5t#S256",
    }
)
# fmt: on
# wire-facts 1.8: providers. Guardian's app takes pushes and shows one-time codes, and its service sends messages.
PROVIDERS: Mapping[str, tuple[Factor, ...]] = {
    "any": (),
    "guardian": ("push", "otp", "sms"),
    "google-authenticator": ("otp",),
}
# docs-v2, api.authentication.challengeWith: types of factors.
FACTOR_TYPES: Mapping[str, tuple[Factor, ...]] = {
    "otp": ("otp",),
    "push-notification": ("push",),
    "phone": ("sms",),
    "email": ("email",),
    "recovery-code": ("recovery-code",),
}


def multifactor(provider: object, remembers: object) -> Directive:
    """Of `context.multifactor` and `api.multifactor.enable`. Raises ScriptFailed."""
    if provider == "none":
        return Directive(challenges=False)
    if not isinstance(provider, str) or provider not in PROVIDERS:
        known = ", ".join((*PROVIDERS, "none"))
        raise ScriptFailed(
            f"asks for the multifactor provider {_shown(provider)}, which is none of {known}",
            f"Unsupported multifactor provider: {_shown(provider)}",
        )
    # docs-v2: allowRememberBrowser is true where it is left out; anything JavaScript takes for false is false.
    return Directive(True, remembers is None or bool(remembers), PROVIDERS[provider])


def challenge(types: list[Any]) -> Directive:
    """Of api.authentication.challengeWith and challengeWithAny: [{type: "otp"}, ...]. Raises ScriptFailed."""
    factors: list[Factor] = []
    for each in types:
        kind = each.get("type") if isinstance(each, dict) else None
        if not isinstance(kind, str) or kind not in FACTOR_TYPES:
            raise ScriptFailed(f"challenges with {_shown(kind)}, which is none of {', '.join(FACTOR_TYPES)}")
        factors += FACTOR_TYPES[kind]
    if not factors:
        raise ScriptFailed("challenges with no factor at all")
    return Directive(True, factors=tuple(dict.fromkeys(factors)))


def claims(wanted: Mapping[str, Any]) -> dict[str, Any]:
    """Those that may be set; null sets none. Raises ScriptFailed where they are too many."""
    kept = {name: value for name, value in wanted.items() if name not in RESERVED_CLAIMS and value is not None}
    if len(json.dumps(kept)) > LARGEST_CLAIMS:
        raise ScriptFailed(f"sets claims of more than {LARGEST_CLAIMS} characters")
    return kept


def _shown(value: object) -> str:
    return json.dumps(value)[:60]
