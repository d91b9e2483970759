"""Judges what is presented to a protected resource, by its policy (resource_policy.py)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from host_tools.authority.core.access_tokens import TokenVerifier
from host_tools.authority.core.authority import Authority
from host_tools.authority.core.resource_errors import MissingToken, UsedToken
from host_tools.authority.core.resource_policy import ResourcePolicy, ResourceRule, refusal
from host_tools.clock import NS, now_s


class Resource:
    """One API's resource server, by the same key, clock and store as the authority: a simulator's two ends."""

    def __init__(self, policy: ResourcePolicy, authority: Authority) -> None:
        self.policy = policy
        self._clock = authority.clock
        self._factors = authority.session_factors
        self._spent = authority.spent_tokens
        keys = authority.access_tokens.public_keys()
        self._verifier = TokenVerifier(keys, authority.issuer, policy.audience, authority.clock)

    def claims(self, rule: ResourceRule, access_token: str | None, request_id: str = "") -> Mapping[str, Any]:
        """What the token says that lets this through; nothing for who is anonymous. request_id: see spent_tokens.py.

        Raises MissingToken, InvalidToken, UsedToken, InsufficientScope, InsufficientUserAuthentication.
        """
        if rule.require == "none":
            return {}
        if access_token is None:
            raise MissingToken
        claims = self._verifier.claims(access_token)
        if self._spent.has(claims, request_id):
            raise UsedToken
        asks_session = rule.require == "mfa" and self.policy.freshness == "session"
        given_at = self._factors.last(str(claims.get("sid", "")), rule.factors) if asks_session else None
        given_at_s = None if given_at is None else given_at // NS
        refused = refusal(self.policy, rule, claims, given_at_s, now_s(self._clock))
        if refused is not None:
            raise refused
        return claims
