"""What a protected resource asks of a request: a policy of rules, the first that fits decides.

=========  ==================================================================================================
require    what has to come along
=========  ==================================================================================================
none       nothing: seeds/004's "Anonymous Traffic"
token      an access token of the policy's audience, with the rule's scope: "Authentication"
mfa        the same, of a person who has given a second factor in the last `max_age_s`: "Authentication + MFA"
=========  ==================================================================================================

A path that no rule names is not there. What a token is refused for, in this order: none (401), not good (401), a scope
that is missing (403), a second factor that is missing, too old or not the right one, used up (401).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from host_tools.authority.core.access_tokens import MFA_ACR
from host_tools.authority.core.errors import InsufficientScope, OAuthError
from host_tools.authority.core.mfa_transactions import METHODS
from host_tools.authority.core.records import Factor
from host_tools.authority.core.resource_errors import InsufficientUserAuthentication

Requirement = Literal["none", "token", "mfa"]
# When the factor was given: in the token's login session, where one given since counts, or by the token's own claims
# alone. These two differ once a factor was given without a new token (wire-facts 5).
Freshness = Literal["session", "auth_time"]
# What who has no fresh factor hears: RFC 9470's 401, which says what would do, or a 403 that says nothing, as nginx's
# own (wire-facts 5 [I]: of Cloudentity's no text survives).
Refusal = Literal["rfc9470", "bare"]
REQUIREMENTS: tuple[str, ...] = get_args(Requirement)
FRESHNESS: tuple[str, ...] = get_args(Freshness)
REFUSALS: tuple[str, ...] = get_args(Refusal)
BELOW = "/*"  # at the end of a rule's path: whatever lies below it


@dataclass(frozen=True)
class ResourceRule:
    """method: GET has HEAD with it. path: below the policy's prefix. scope: words, all of which are needed.

    max_age_s: None for a factor given at any time in the session. factors: those that count; empty for any.
    once: the token is used up by it.
    """

    method: str
    path: str
    require: Requirement = "token"
    scope: str = ""
    max_age_s: int | None = None
    factors: tuple[Factor, ...] = ()
    once: bool = False

    def fits(self, method: str, path: str) -> bool:
        return self.method == ("GET" if method == "HEAD" else method) and self.names(path)

    def covers(self, other: ResourceRule) -> bool:
        """Whether nothing is left to the other, coming after this one. Its path ends in BELOW."""
        above = self.path[: -len(BELOW) + 1]
        return self.method == other.method and other.path.startswith(above)

    def names(self, path: str) -> bool:
        """path: below the prefix, decoded."""
        if self.path.endswith(BELOW):
            return path.startswith(self.path[: -len(BELOW) + 1])
        return path == self.path


@dataclass(frozen=True)
class ResourcePolicy:
    """One API. audience: what its tokens are for. prefix: the path that all of it lies below, without a last slash."""

    audience: str
    prefix: str
    rules: tuple[ResourceRule, ...]
    freshness: Freshness = "session"
    refusal: Refusal = "rfc9470"
    realm: str = "api"

    def rule(self, method: str, path: str) -> ResourceRule | None:
        return next((rule for rule in self.rules if rule.fits(method, path)), None)


def refusal(
    policy: ResourcePolicy, rule: ResourceRule, claims: Mapping[str, Any], given_at_s: int | None, now_s: int
) -> OAuthError | None:
    """Why this good token does not do here, or None.

    given_at_s: when a factor of the rule's was last given in the token's session, as far as the policy asks there.
    """
    held = str(claims.get("scope", "")).split()
    if set(rule.scope.split()) - set(held):
        return InsufficientScope(rule.scope)
    if rule.require != "mfa":
        return None
    given = given_at_s if policy.freshness == "session" else _given_by_claims(rule, claims)
    if given is None:
        return InsufficientUserAuthentication("A second factor is required", rule.max_age_s, MFA_ACR)
    if rule.max_age_s is not None and now_s - given > rule.max_age_s:
        return InsufficientUserAuthentication("More recent authentication is required", rule.max_age_s, MFA_ACR)
    return None


def _given_by_claims(rule: ResourceRule, claims: Mapping[str, Any]) -> int | None:
    """`amr` tells a method and not which channel it came by: e-mail and push are both `mca` there (RFC 8176)."""
    amr = claims.get("amr")
    auth_time = claims.get("auth_time")
    if not isinstance(amr, list) or "mfa" not in amr or not isinstance(auth_time, int):
        return None
    wanted = {METHODS[factor] for factor in rule.factors}
    return auth_time if not wanted or wanted & {each for each in amr if isinstance(each, str)} else None
