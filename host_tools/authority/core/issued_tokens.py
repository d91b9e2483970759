"""What becomes of tokens that are out: their revocation (RFC 7009), what they are worth (RFC 7662), whose they are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from host_tools.authority.core.access_tokens import TokenVerifier, profile
from host_tools.authority.core.errors import InsufficientScope, InvalidClient, InvalidToken
from host_tools.authority.core.finer_errors import ExpiredAccessToken
from host_tools.authority.core.records import User, fingerprint
from host_tools.authority.core.refresh_tokens import RefreshTokens
from host_tools.authority.core.spent_tokens import SpentTokens
from host_tools.authority.core.token_endpoint import OPENID, Credentials, TokenEndpoint
from host_tools.authority.core.users import Users
from host_tools.clock import NS

_TOLD = ("iss", "sub", "aud", "client_id", "scope", "exp", "iat", "jti", "auth_time", "amr", "acr", "sid")


class IssuedTokens:
    """verifier: takes a token of this issuer for any audience."""

    def __init__(
        self, tokens: TokenEndpoint, users: Users, refresh: RefreshTokens, verifier: TokenVerifier, spent: SpentTokens
    ) -> None:
        self._tokens = tokens
        self._users = users
        self._refresh = refresh
        self._verifier = verifier
        self._spent = spent
        self.revocation_deletes_grant = False

    def revoke(self, sent: Credentials, token: str) -> bool:
        """RFC 7009, for refresh tokens: their family ends, and with it what was issued by it. Raises InvalidClient.

        False for an access token of this client's that is good: it stays so, for a resource judges it without asking
        here (RFC 9068 4).
        """
        client = self._tokens.client(sent)
        self._refresh.revoke(token, client, self.revocation_deletes_grant)
        try:
            return self._verifier.claims(token).get("client_id") != client.client_id
        except InvalidToken:
            return True

    def good(self, access_token: str) -> Mapping[str, Any]:
        """The claims of an access token that is good for the authority itself: for whatever audience, of a grant that
        has not ended, of a user who is there, and not used up. Raises InvalidToken."""
        claims = self._verifier.claims(access_token)
        if self._users.get(str(claims["sub"])) is None or self._has_ended(claims):
            raise InvalidToken
        return claims

    def userinfo(self, access_token: str) -> Mapping[str, Any]:
        """OpenID Connect Core 5.3.2: of whom the token speaks, as far as its scopes say.

        Raises InvalidToken, InsufficientScope for a token without `openid`.
        """
        claims = self.good(access_token)
        scope = str(claims.get("scope", ""))
        if OPENID not in scope.split():
            raise InsufficientScope(OPENID)
        user = self._users.get(str(claims["sub"]))
        if user is None:
            raise InvalidToken
        return {"sub": user.user_id, **profile(user, scope)}

    def bearer(self, access_token: str) -> User:
        """Of whom an access token speaks that is good, for whatever it was given. Raises ExpiredAccessToken,
        InvalidToken."""
        try:
            claims = self._verifier.claims(access_token)
        except InvalidToken:
            if self._verifier.has_expired(access_token):
                raise ExpiredAccessToken from None
            raise
        user = self._users.get(str(claims["sub"]))
        if user is None or self._has_ended(claims):
            raise InvalidToken
        return user

    def introspect(self, sent: Credentials, token: str) -> Mapping[str, Any]:
        """RFC 7662 2.2: of an access or a refresh token. Raises InvalidClient for who has no secret (2.1)."""
        if not self._tokens.client(sent).secret_hash:
            raise InvalidClient
        found = self._refresh.examine(fingerprint(token))
        if found is not None:
            if found.standing not in ("newest", "within leeway"):
                return {"active": False}
            family = found.family
            told = {"active": True, "client_id": family.client_id, "sub": family.user_id, "scope": family.scope}
            return told if found.ends_at is None else told | {"exp": found.ends_at // NS}
        try:
            claims = self.good(token)
        except InvalidToken:
            return {"active": False}
        return {"active": True, "token_type": "Bearer", **{name: claims[name] for name in _TOLD if name in claims}}

    def _has_ended(self, claims: Mapping[str, Any]) -> bool:
        """Whether the family that a token was issued with has, or the one use that it was good for is over."""
        if self._spent.has(claims):
            return True
        grant_id = claims.get("grant_id")
        return grant_id is not None and self._refresh.family(str(grant_id)) is None
