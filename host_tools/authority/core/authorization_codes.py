"""The answer to a browser application, and the exchange of its code: RFC 6749 4.1, RFC 7636, OpenID Connect Core 3."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
from dataclasses import replace

from host_tools.authority.core.access_tokens import Subject
from host_tools.authority.core.claims import claims_of
from host_tools.authority.core.errors import InvalidGrant
from host_tools.authority.core.events import EventLog
from host_tools.authority.core.post_login import verdict_of
from host_tools.authority.core.records import (
    AuthorizationCode,
    AuthorizationRequest,
    Client,
    LoginSession,
    TokenFamily,
    fingerprint,
)
from host_tools.authority.core.storage import Store
from host_tools.authority.core.token_endpoint import OFFLINE_ACCESS, Credentials, TokenEndpoint, Tokens
from host_tools.clock import NS, Clock

LIFETIME_S = 60  # RFC 6749 4.1.2: ten minutes at most, for it goes through an address bar
_KEPT_AFTER_EXPIRY_S = 86_400  # so that one that is used again still ends what came of it
_VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")  # RFC 7636 4.1


class InvalidCode(InvalidGrant):
    """RFC 6749 5.2 and 4.1.2: invalid, expired, used before, or issued for another client or address."""

    description = "Invalid authorization code"


class WrongVerifier(InvalidGrant):
    """RFC 7636 4.6: the verifier does not fit the challenge that the code was asked for with."""

    description = "Failed to verify code verifier"


class AuthorizationCodes:
    def __init__(self, store: Store, clock: Clock, tokens: TokenEndpoint, events: EventLog) -> None:
        self._store = store
        self._clock = clock
        self._tokens = tokens
        self._events = events

    def answer(self, request: AuthorizationRequest, client: Client, session: LoginSession) -> dict[str, str]:
        """What a session that may have it is answered with: a code, or, by the implicit form, the tokens themselves.

        Within the transaction that ends the request.
        """
        assert session.user_id is not None and session.auth_time_at is not None
        claims = verdict_of(session.verdict).claims
        if request.response_type == "code":
            return {"code": self._code(request, session, claims.text())}
        # RFC 6749 4.2.2: the implicit form gives no refresh token.
        scope = " ".join(word for word in request.scope.split() if word != OFFLINE_ACCESS)
        subject = Subject(
            session.user_id,
            client.client_id,
            request.audience,
            scope,
            session.auth_time_at,
            session.amr,
            claims=claims,
            sid=session.sid,
        )
        # OpenID Connect Core 3.2.2.9: the two are bound where both come.
        both = len(request.response_type.split()) > 1
        factor_given = session.otp_at is not None
        tokens = self._tokens.issued(subject, None, after_login=factor_given, nonce=request.nonce, with_at_hash=both)
        wanted = request.response_type.split()
        told = {"id_token": tokens.id_token or ""} if "id_token" in wanted else {}
        if "token" in wanted:
            told |= {
                "access_token": tokens.access_token,
                "token_type": "Bearer",
                "expires_in": str(tokens.expires_in),
                "scope": tokens.scope,
            }
        return told

    def redeem(self, sent: Credentials, code: str, redirect_uri: str, verifier: str | None) -> Tokens:
        """Tokens for a code. Raises InvalidCode, WrongVerifier, which does not spend it.

        A code that comes again ends what the first exchange gave (RFC 6749 4.1.2).
        """
        client = self._tokens.client(sent, "authorization_code")
        with self._store.transaction():
            found = self._store.get(AuthorizationCode, fingerprint(code))
            refused = self._refusal(found, client, redirect_uri, verifier)
            if found is not None and refused is None:
                subject, refresh_token = self._tokens.begun(client, _subject(found))
                spent = replace(found, spent_at=self._clock.now_ns(), family_id=subject.grant_id)
                self._store.put(spent)
                self._events.add("code_exchanged", client.client_id, found.user_id)
        if refused is not None or found is None:
            self._events.add("code_exchange_failed", client.client_id)
            raise refused or InvalidCode
        return self._tokens.issued(subject, refresh_token, after_login=found.factor_given, nonce=found.nonce)

    def _code(self, request: AuthorizationRequest, session: LoginSession, claims: str) -> str:
        code = secrets.token_urlsafe(32)
        now = self._clock.now_ns()
        self._store.delete(AuthorizationCode, request_id=request.request_id, spent_at=None)
        self._store.prune(AuthorizationCode, "expires_at", now - _KEPT_AFTER_EXPIRY_S * NS)
        self._store.put(
            AuthorizationCode(
                code_hash=fingerprint(code),
                client_id=request.client_id,
                redirect_uri=request.redirect_uri,
                code_challenge=request.code_challenge,
                nonce=request.nonce,
                user_id=session.user_id or "",
                scope=request.scope,
                audience=request.audience,
                auth_time_at=session.auth_time_at or 0,
                amr=session.amr,
                factor_given=session.otp_at is not None,
                claims=claims,
                expires_at=now + LIFETIME_S * NS,
                request_id=request.request_id,
                spent_at=None,
                family_id=None,
                sid=session.sid,
            )
        )
        return code

    def _refusal(
        self, found: AuthorizationCode | None, client: Client, redirect_uri: str, verifier: str | None
    ) -> InvalidGrant | None:
        if found is None or found.client_id != client.client_id:
            return InvalidCode()
        now = self._clock.now_ns()
        if found.spent_at is not None:
            family = self._store.get(TokenFamily, found.family_id) if found.family_id else None
            if family is not None and family.revoked_at is None:
                self._store.put(replace(family, revoked_at=now))
            self._events.add("code_reused", client.client_id, found.user_id)
            return InvalidCode()
        if now >= found.expires_at or redirect_uri != found.redirect_uri:  # RFC 6749 4.1.3: it has to be the same
            return InvalidCode()
        if not _fits(found.code_challenge, verifier):
            return WrongVerifier()
        return None


def _fits(challenge: str, verifier: str | None) -> bool:
    """RFC 7636 4.6. RFC 9700 2.1.1: a verifier for a code without a challenge is refused (a downgrade attack)."""
    if not challenge:
        return verifier is None
    if verifier is None or not _VERIFIER.fullmatch(verifier):
        return False
    digest = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
    return hmac.compare_digest(digest, challenge)


def _subject(code: AuthorizationCode) -> Subject:
    return Subject(
        code.user_id,
        code.client_id,
        code.audience,
        code.scope,
        code.auth_time_at,
        code.amr,
        claims=claims_of(code.claims),
        sid=code.sid,
    )
