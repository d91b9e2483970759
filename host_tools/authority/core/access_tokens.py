"""Access tokens: RS256 JWTs of RFC 9068, minted with the authority's key and checked with its public half."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet, KeySetSerialization, RSAKey

from host_tools.authority.core.claims import Claims
from host_tools.authority.core.errors import InvalidToken
from host_tools.authority.core.records import SigningKey, User
from host_tools.authority.core.storage import Store
from host_tools.clock import NS, Clock, now_s

_ID_TOKEN = "JWT"
_TYPE = "at+jwt"  # RFC 9068 2.1; a resource must refuse any other (section 4), so that an ID token opens nothing
_BITS = 2048
# Of what names a token: 72 bits never come twice. Each character of a token costs a small heap, and so do those of sid
# and grant_id: 40 more of them lost the answer to a refresh in 3 wakes of 12 (92 KB, 2026-11-27).
_ID_BYTES = 9
_NOT_ALWAYS = ("acr", "sid", "grant_id")
_ID_TOKEN_TTL_S = 36_000  # Auth0's default
# OpenID Provider Authentication Policy Extension 1.0, 4: its name for two factors. Auth0's acr_values take it too.
MFA_ACR = "http://schemas.openid.net/pape/policies/2007/06/multi-factor"


@dataclass(frozen=True)
class Subject:
    """Whom a token speaks for, and how they had signed in (kept through every refresh, RFC 9068 2.2.1)."""

    user_id: str
    client_id: str
    audience: str
    scope: str
    auth_time_at: int
    amr: str
    grant_id: str | None = None  # the refresh token family it was issued with, whose end ends it (RFC 7009 2.1)
    claims: Claims = field(default_factory=Claims)  # what the tenant's scripts add
    sid: str = ""  # of the login session it came of, by which a resource asks for a second factor given since


def signing_key(store: Store, clock: Clock) -> RSAKey:
    """The key this store signs with; made once, so that tokens outlive a restart."""
    with store.transaction():
        kept = store.find(SigningKey)
        if kept:
            return RSAKey.import_key(json.loads(max(kept, key=lambda key: key.created_at).private_jwk))
        kid = secrets.token_urlsafe(16)
        made = RSAKey.generate_key(_BITS, {"use": "sig", "alg": "RS256", "kid": kid}, private=True)
        store.put(SigningKey(kid, json.dumps(made.as_dict(private=True)), clock.now_ns()))
        return made


def short_id() -> str:
    """A name for a token or a session, 12 characters."""
    return secrets.token_urlsafe(_ID_BYTES)


class AccessTokens:
    """Mints for one issuer. `ttl_s` may be changed while it runs: a shorter one makes devices refresh sooner."""

    def __init__(self, key: RSAKey, issuer: str, clock: Clock, ttl_s: int) -> None:
        self._key = key
        self._issuer = issuer
        self._clock = clock
        self.ttl_s = ttl_s

    def mint(self, subject: Subject) -> str:
        now = now_s(self._clock)
        claims: dict[str, Any] = {
            # First, and without those that are not always there: none of them takes the place of one of ours.
            **{name: value for name, value in subject.claims.access.items() if name not in _NOT_ALWAYS},
            "iss": self._issuer,
            "sub": subject.user_id,
            "aud": [subject.audience],
            "client_id": subject.client_id,
            "azp": subject.client_id,  # Auth0's own profile names the client so, RFC 9068's `client_id`: both are read
            "iat": now,
            "exp": now + self.ttl_s,
            "jti": short_id(),
            "scope": subject.scope,
            "auth_time": subject.auth_time_at // NS,
            "amr": subject.amr.split(),
        }
        if "mfa" in claims["amr"]:
            claims["acr"] = MFA_ACR  # RFC 9068 2.2.1
        if subject.sid:
            claims["sid"] = subject.sid
        if subject.grant_id is not None:
            claims["grant_id"] = subject.grant_id
        return self._signed(_TYPE, claims)

    def mint_id_token(
        self,
        subject: Subject,
        with_amr: bool,
        nonce: str = "",
        access_token: str | None = None,
        user: User | None = None,
    ) -> str:
        """OpenID Connect Core 2. with_amr: Auth0 names `amr` only in the ID token of the login that had MFA.

        access_token: the one it is bound to by `at_hash` (3.2.2.9). user: whose profile is told, as far as asked for.
        """
        now = now_s(self._clock)
        claims: dict[str, Any] = {
            **subject.claims.id,
            "iss": self._issuer,
            "sub": subject.user_id,
            "aud": subject.client_id,
            "iat": now,
            "exp": now + _ID_TOKEN_TTL_S,
            "auth_time": subject.auth_time_at // NS,
        }
        if user is not None:
            claims |= profile(user, subject.scope)
        if with_amr:
            claims |= {"amr": subject.amr.split(), "acr": MFA_ACR}
        if subject.sid:
            claims["sid"] = subject.sid
        if nonce:
            claims["nonce"] = nonce
        if access_token is not None:
            half = hashlib.sha256(access_token.encode()).digest()[:16]
            claims["at_hash"] = base64.urlsafe_b64encode(half).decode().rstrip("=")
        return self._signed(_ID_TOKEN, claims)

    def _signed(self, kind: str, claims: dict[str, Any]) -> str:
        header = {"alg": "RS256", "typ": kind, "kid": self._key.kid}
        return jwt.encode(header, claims, self._key, algorithms=["RS256"])

    def public_keys(self) -> KeySetSerialization:
        """The JWKS document: public members only."""
        return {"keys": [self._key.as_dict(private=False)]}


def profile(user: User, scope: str) -> dict[str, Any]:
    """OpenID Connect Core 5.4: what each scope tells of a user, as far as there is any."""
    words = scope.split()
    told: dict[str, Any] = {}
    if "profile" in words:
        told |= {"name": user.username, "nickname": user.username.partition("@")[0]}
    if "email" in words:
        told |= {"email": user.username, "email_verified": True}
    return told


class TokenVerifier:
    """What a resource server needs to judge a token: the issuer's public keys, its own audience, the time.

    audience: None takes a token for any, for the issuer itself to look at.
    """

    def __init__(self, public_keys: KeySetSerialization, issuer: str, audience: str | None, clock: Clock) -> None:
        self._keys = KeySet.import_key_set(public_keys)
        self._issuer = issuer
        self._audience = audience
        self._clock = clock

    def claims(self, token: str) -> Mapping[str, Any]:
        """The claims of a token that is good here and now. Raises InvalidToken."""
        claims = self._issued(token, _TYPE)
        audience = claims.get("aud")
        audiences = audience if isinstance(audience, list) else [audience]
        expiry = claims.get("exp")
        good = (
            (self._audience is None or self._audience in audiences)
            and isinstance(expiry, int)
            and now_s(self._clock) < expiry
        )
        if not good:
            raise InvalidToken
        return claims

    def has_expired(self, token: str) -> bool:
        """Whether this access token was issued here, and its time is over."""
        try:
            expiry = self._issued(token, _TYPE).get("exp")
        except InvalidToken:
            return False
        return isinstance(expiry, int) and now_s(self._clock) >= expiry

    def id_token(self, token: str) -> Mapping[str, Any]:
        """The claims of an ID token that was issued here, for whomever; it may have expired. Raises InvalidToken."""
        return self._issued(token, _ID_TOKEN)

    def _issued(self, token: str, kind: str) -> Mapping[str, Any]:
        """Raises InvalidToken."""
        try:
            decoded = jwt.decode(token, self._keys, algorithms=["RS256"])
        except (JoseError, ValueError, TypeError, KeyError) as unreadable:
            raise InvalidToken from unreadable
        if decoded.header.get("typ") != kind or decoded.claims.get("iss") != self._issuer:
            raise InvalidToken
        return decoded.claims
