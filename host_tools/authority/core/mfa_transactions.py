"""What an mfa_token stands for: a token request that is held until a second factor is given.

The token lives ten minutes (wire-facts 1.4, "not configurable") and is good for one client, until tokens are given for
it. With more than one factor wanted, the first answer is another mfa_required with a token of its own.

Who enrols with an access token for the MFA API has no mfa_token, and sends the access token in its place to confirm
(docs-v2, "Enroll and Challenge ... Authenticators"): it then stands for a request for another like it.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from host_tools.authority.core.authenticators import Authenticators
from host_tools.authority.core.errors import MfaRequired, Requirements
from host_tools.authority.core.events import EventLog
from host_tools.authority.core.mfa_errors import (
    ExpiredMfaToken,
    MalformedMfaToken,
    OtherClientsMfaToken,
    SpentMfaToken,
)
from host_tools.authority.core.policies import MfaSwitch, Protocol
from host_tools.authority.core.post_login import NO_VERDICT, Verdict
from host_tools.authority.core.records import Authenticator, Factor, MfaTransaction, TokenFamily, fingerprint
from host_tools.authority.core.storage import Store
from host_tools.clock import NS, Clock

LIFETIME_S = 600
_ENROLMENT = "oauth2-access-token"  # the protocol of a request that an access token stands for
_KEPT_AFTER_EXPIRY_S = 86_400  # so that an expired token is told from one never issued
ENROLLABLE: tuple[Factor, ...] = ("otp", "sms", "email", "push")

# RFC 8176: which method each factor is. Another channel than the device's own is `mca`; a recovery code is used once.
METHODS: dict[str, str] = {"otp": "otp", "sms": "sms", "email": "mca", "push": "mca", "recovery-code": "otp"}

# What becomes of a token request that comes from this address, of which scripts have said this: None for no challenge.
Challenge = Callable[[MfaTransaction, str, Verdict], MfaRequired | None]


class MfaTransactions:
    def __init__(
        self, store: Store, clock: Clock, authenticators: Authenticators, mfa: MfaSwitch, events: EventLog
    ) -> None:
        self._store = store
        self._clock = clock
        self._authenticators = authenticators
        self._mfa = mfa
        self._events = events

    def hold(self, asked: MfaTransaction) -> MfaRequired:
        """Hold what `request` made: the refusal that carries its mfa_token."""
        with self._store.transaction(durable=False):
            self.prune()
            return self._hold(asked)

    def hold_as(self, asked: MfaTransaction, mfa_token: str) -> None:
        """Hold what `request` made under a token of another shape; its life is the request's own."""
        with self._store.transaction(durable=False):
            self.prune()
            self._put(asked, mfa_token)

    def prune(self) -> None:
        """Forget what is long over."""
        self._store.prune(MfaTransaction, "expires_at", self._clock.now_ns() - _KEPT_AFTER_EXPIRY_S * NS)

    def request(
        self,
        protocol: Protocol,
        client_id: str,
        user_id: str,
        scope: str,
        audience: str,
        amr: str,
        verdict: Verdict = NO_VERDICT,
        refresh: tuple[TokenFamily, int] | None = None,
    ) -> MfaTransaction:
        """What there is to hold; it is not held yet, and has no token.

        verdict: what scripts have said of it. refresh: the family, and the generation of the token that was presented,
        where it is a refresh.
        """
        now = self._clock.now_ns()
        return MfaTransaction(
            token_hash="",
            client_id=client_id,
            user_id=user_id,
            protocol=protocol,
            scope=scope,
            audience=audience,
            amr=amr,
            family_id=refresh[0].family_id if refresh else None,
            generation=refresh[1] if refresh else None,
            factors_left=self._mfa.factors,
            factors_given="",
            factors_allowed=" ".join(verdict.mfa.factors) if verdict.mfa else "",
            claims=verdict.claims.text(),
            created_at=now,
            expires_at=now + LIFETIME_S * NS,
            spent_at=None,
        )

    def enrolling(self, access_token: str, claims: Mapping[str, Any]) -> MfaTransaction:
        """Have an access token, whose claims these are, stand for a request that what it enrols will answer."""
        held = MfaTransaction(
            token_hash=fingerprint(access_token),
            client_id=str(claims["client_id"]),
            user_id=str(claims["sub"]),
            protocol=_ENROLMENT,
            scope=str(claims["scope"]),
            audience=str(claims["aud"][0]),
            amr=" ".join(claims["amr"]),
            family_id=None,
            generation=None,
            factors_left=1,
            factors_given="",
            factors_allowed="",
            claims="",
            created_at=self._clock.now_ns(),
            expires_at=int(claims["exp"]) * NS,
            spent_at=None,
        )
        with self._store.transaction(durable=False):
            self._store.put(held)
        return held

    def may_confirm(self, held: MfaTransaction) -> bool:
        """Whether this request confirms an authenticator by its first use: an mfa_token does so only for the user's
        first, or who knows no more than the password would add a factor of their own to it (wire-facts 1.5)."""
        return held.protocol == _ENROLMENT or not self._authenticators.has_any(held.user_id)

    def guards_mfa_api(self, user_id: str) -> bool:
        """Whether an access token for the MFA API takes a second factor, whatever the policy: where there is one, other
        than e-mail (docs-v2, "Manage Authentication Factors with Authentication API")."""
        return any(each.factor not in ("email", "recovery-code") for each in self._authenticators.of(user_id))

    def find(self, mfa_token: str, client_id: str | None = None) -> MfaTransaction:
        """The request that is held. Raises one of mfa_errors' for a token that is not good, or not this client's."""
        held = self._store.get(MfaTransaction, fingerprint(mfa_token))
        if held is None:
            raise MalformedMfaToken
        if client_id is not None and held.client_id != client_id:
            raise OtherClientsMfaToken
        if held.spent_at is not None:
            raise SpentMfaToken
        if self._clock.now_ns() >= held.expires_at:
            raise ExpiredMfaToken
        return held

    def open_factors(self, held: MfaTransaction) -> list[Authenticator]:
        """The user's active authenticators that have not been used for this request yet, and may be."""
        given = held.factors_given.split()
        return [
            each
            for each in self._authenticators.of(held.user_id)
            if each.factor not in given and self.allows(held, each.factor)
        ]

    def allows(self, held: MfaTransaction, factor: str) -> bool:
        """Whether this factor may answer, by what a script has said. A recovery code stands in for any."""
        allowed = held.factors_allowed.split()
        return not allowed or factor in (*allowed, "recovery-code")

    def factor_given(self, held: MfaTransaction, factor: str) -> MfaTransaction | MfaRequired:
        """The request after this factor: to be answered now, or the next mfa_required. The mfa_token is spent.

        Within a transaction. Raises SpentMfaToken where another request was faster.
        """
        after = self.spent(held, factor)
        if self.wants_another(after):
            now = self._clock.now_ns()
            return self._hold(replace(after, created_at=now, expires_at=now + LIFETIME_S * NS))
        return after

    def spent(self, held: MfaTransaction, factor: str) -> MfaTransaction:
        """The request after this factor; as it was it is spent. Within a transaction. Raises SpentMfaToken."""
        now = self._clock.now_ns()
        held = self._store.get(MfaTransaction, held.token_hash) or held
        if held.spent_at is not None:
            raise SpentMfaToken
        self._store.put(replace(held, spent_at=now))
        methods = [*held.amr.split(), METHODS[factor], "mfa"]
        after = replace(
            held,
            amr=" ".join(dict.fromkeys(methods)),
            factors_given=f"{held.factors_given} {factor}".strip(),
            factors_left=held.factors_left - 1,
        )
        self._events.add("mfa_succeeded", held.client_id, held.user_id, factor)
        return after

    def wants_another(self, after: MfaTransaction) -> bool:
        """Whether one more factor is due after the last. Who has none is not locked out for it, nor who has lost the
        phone that has them all."""
        more = [each for each in self.open_factors(after) if each.factor != "recovery-code"]
        return after.factors_left > 0 and bool(more) and "recovery-code" not in after.factors_given.split()

    def _hold(self, held: MfaTransaction) -> MfaRequired:
        mfa_token = _mfa_token()
        self._put(held, mfa_token)
        return MfaRequired(mfa_token, self._requirements(held) if self._mfa.tell_requirements else None)

    def _put(self, held: MfaTransaction, mfa_token: str) -> None:
        self._store.put(replace(held, token_hash=fingerprint(mfa_token)))
        self._events.add("mfa_required", held.client_id, held.user_id, held.protocol)

    def _requirements(self, held: MfaTransaction) -> Requirements:
        if not self._authenticators.has_any(held.user_id):
            return Requirements((), tuple(each for each in ENROLLABLE if self.allows(held, each)))
        factors = dict.fromkeys(each.factor for each in self.open_factors(held))
        return Requirements(tuple(factors), ())


def _mfa_token() -> str:
    """A fresh token of the shape Auth0 gives out: iron's seal, "Fe26.2" and its fields with stars between."""
    fields = [secrets.token_hex(3), secrets.token_hex(32), secrets.token_urlsafe(16), secrets.token_urlsafe(96)]
    return "*".join(["Fe26.2", *fields, "", secrets.token_hex(32), secrets.token_urlsafe(32)])
