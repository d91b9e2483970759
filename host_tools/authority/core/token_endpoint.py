"""What the token, device authorization, revocation and introspection endpoints decide, without their HTTP."""

from __future__ import annotations

import copy
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from host_tools.authority.core.access_tokens import AccessTokens, Subject, TokenVerifier
from host_tools.authority.core.device_grants import DeviceAuthorization, DeviceGrants
from host_tools.authority.core.errors import (
    InvalidClient,
    InvalidRefreshToken,
    InvalidScope,
    InvalidTarget,
    InvalidToken,
    LimitReached,
    TooManyAttempts,
    UnauthorizedClient,
    WrongCredentials,
    WrongPassword,
)
from host_tools.authority.core.errors import OAuthError as Refused
from host_tools.authority.core.events import EventLog
from host_tools.authority.core.mfa_transactions import MfaTransactions
from host_tools.authority.core.policies import MfaSwitch
from host_tools.authority.core.records import Client, fingerprint
from host_tools.authority.core.refresh_tokens import Presented, RefreshTokens
from host_tools.authority.core.storage import Store
from host_tools.authority.core.tally import Tally
from host_tools.authority.core.users import Users
from host_tools.clock import NS, Clock

OFFLINE_ACCESS = "offline_access"  # OpenID Connect Core 11: the scope that asks for a refresh token
OPENID = "openid"  # Core 3.1.2.1: the scope that asks for an ID token
Grant = Literal["device_code", "refresh_token", "password", "mfa"]
MFA_SCOPES = ("enroll", "read:authenticators", "remove:authenticators")  # of Auth0's MFA API, for every client
_MFA_TTL_S = 600  # wire-facts 1.4: of an access token for that API, "not configurable"


@dataclass(frozen=True)
class Credentials:
    """How a client says who it is: by its id alone, or with its secret (RFC 6749 2.3.1)."""

    client_id: str
    secret: str | None = None


@dataclass(frozen=True)
class Tokens:
    access_token: str
    expires_in: int
    scope: str
    refresh_token: str | None
    id_token: str | None
    recovery_code: str | None = None  # the one that takes the place of a recovery code just spent


class TokenEndpoint:
    def __init__(
        self,
        store: Store,
        clock: Clock,
        issuer: str,
        users: Users,
        grants: DeviceGrants,
        access: AccessTokens,
        refresh: RefreshTokens,
        mfa: MfaSwitch,
        transactions: MfaTransactions,
        tally: Tally,
        events: EventLog,
    ) -> None:
        self._store = store
        self._clock = clock
        self._users = users
        self._grants = grants
        self._access = access
        self._mfa_access = copy.copy(access)  # the same mint with a lifetime of its own
        self._mfa_access.ttl_s = _MFA_TTL_S
        self._refresh = refresh
        self._mfa = mfa
        self._transactions = transactions
        self._tally = tally
        self._events = events
        self._own_tokens = TokenVerifier(access.public_keys(), issuer, None, clock)
        self.mfa_audience = f"{issuer}mfa/"  # wire-facts 1.5
        self.revocation_deletes_grant = False

    def client(self, sent: Credentials, grant: Grant | None = None) -> Client:
        """Who is asking. A public client is known by its name alone. Raises InvalidClient, UnauthorizedClient."""
        client = self._store.get(Client, sent.client_id)
        if client is None:
            raise InvalidClient
        if client.secret_hash and not hmac.compare_digest(fingerprint(sent.secret or ""), client.secret_hash):
            raise InvalidClient
        if grant is not None and grant not in client.grants.split():
            raise UnauthorizedClient
        return client

    def client_name(self, client_id: str) -> str:
        """What people know a client by."""
        client = self._store.get(Client, client_id)
        return client.name if client else client_id

    def authorize_device(self, sent: Credentials, scope: str | None, audience: str | None) -> DeviceAuthorization:
        """Begin a device grant. Raises InvalidTarget."""
        client = self.client(sent, "device_code")
        if audience not in (None, client.audience):
            self._events.add("device_authorization_failed", client.client_id, detail="unknown audience")
            raise InvalidTarget
        return self._grants.begin(client, _granted(client, scope), client.audience)

    def redeem_device_code(self, sent: Credentials, device_code: str) -> Tokens:
        """Tokens for an approved device; see device_grants.polled for the refusals."""
        client = self.client(sent, "device_code")
        waiting = self._grants.heard(device_code, client)
        if waiting is not None:
            raise waiting
        with self._store.transaction():
            polled = self._grants.poll(device_code, client)
            if not isinstance(polled, Refused):
                subject = Subject(
                    user_id=polled.user_id or "",
                    client_id=client.client_id,
                    audience=polled.audience,
                    scope=polled.scope,
                    auth_time_at=polled.auth_time_at or 0,
                    amr=polled.amr,
                )
                subject, refresh_token = self.begun(client, subject)
                self._events.add("device_code_exchanged", client.client_id, polled.user_id)
        if isinstance(polled, Refused):
            self._events.add("device_code_exchange_failed", client.client_id, detail=polled.error)
            raise polled
        return self.issued(subject, refresh_token, after_login=True)

    def refresh(self, sent: Credentials, refresh_token: str, scope: str | None, address: str = "") -> Tokens:
        """New tokens for a refresh token. Raises InvalidRefreshToken, InvalidScope, MfaRequired.

        Rules run after the token is judged and before it is rotated: a challenged refresh leaves the token as it was.
        """
        client = self.client(sent, "refresh_token")
        with self._store.transaction():
            presented = self._refresh.presented(refresh_token, client)
            refusal = self._refusal(client, presented, scope, address)
            if presented and refusal is None:
                following = self._refresh.use(presented, client)
                self._tally.add("refreshes")
                self._events.add("refresh_token_exchanged", client.client_id, presented.family.user_id)
        if refusal or presented is None:
            raise refusal or InvalidRefreshToken()
        family = presented.family
        subject = Subject(
            user_id=family.user_id,
            client_id=client.client_id,
            audience=family.audience,
            scope=" ".join(scope.split()) if scope else family.scope,
            auth_time_at=family.auth_time_at,
            amr=family.amr,
            grant_id=family.family_id,
        )
        return self.issued(subject, following)

    def password(
        self,
        sent: Credentials,
        username: str,
        password: str,
        scope: str | None,
        audience: str | None,
        address: str,
    ) -> Tokens:
        """The resource owner password grant, for which Auth0 made its MFA API. RFC 9700 2.4 bids clients not to use it.

        For the MFA API itself a second factor is asked of everybody who has one, whatever the policy.

        Slow (argon2). Raises WrongCredentials, LimitReached, InvalidTarget, MfaRequired.
        """
        client = self.client(sent, "password")
        if audience not in (None, client.audience, self.mfa_audience):
            raise InvalidTarget
        try:
            user = self._users.check_password(username, password, address)
        except (WrongPassword, TooManyAttempts) as refused:
            self._events.add("password_exchange_failed", client.client_id)
            if isinstance(refused, TooManyAttempts):
                raise LimitReached(refused.retry_after_s) from refused
            raise WrongCredentials from refused
        if audience == self.mfa_audience:
            granted = " ".join(word for word in MFA_SCOPES if word in (scope or "").split())
            challenged = self._transactions.guards_mfa_api(user.user_id)
        else:
            granted = _granted(client, scope)
            challenged = self._mfa.challenges("oauth2-password", address, known_browser=False)
        if challenged:
            raise self._transactions.begin(
                "oauth2-password", client.client_id, user.user_id, granted, audience or client.audience, "pwd"
            )
        subject = Subject(
            user.user_id, client.client_id, audience or client.audience, granted, self._clock.now_ns(), "pwd"
        )
        with self._store.transaction():
            subject, refresh_token = self.begun(client, subject)
            self._events.add("password_exchanged", client.client_id, user.user_id)
        return self.issued(subject, refresh_token)

    def revoke(self, sent: Credentials, token: str) -> bool:
        """RFC 7009, for refresh tokens: their family ends, and with it what was issued by it. Raises InvalidClient.

        False for an access token of this client's that is good: it stays so, for a resource judges it without asking
        here (RFC 9068 4).
        """
        client = self.client(sent)
        self._refresh.revoke(token, client, self.revocation_deletes_grant)
        try:
            return self._own_tokens.claims(token).get("client_id") != client.client_id
        except InvalidToken:
            return True

    def introspect(self, sent: Credentials, token: str) -> Mapping[str, Any]:
        """RFC 7662 2.2: of an access or a refresh token. Raises InvalidClient for who has no secret (2.1)."""
        if not self.client(sent).secret_hash:
            raise InvalidClient
        found = self._refresh.examine(fingerprint(token))
        if found is not None:
            if found.standing not in ("newest", "within leeway"):
                return {"active": False}
            family = found.family
            told = {"active": True, "client_id": family.client_id, "sub": family.user_id, "scope": family.scope}
            return told if found.ends_at is None else told | {"exp": found.ends_at // NS}
        try:
            claims = self._own_tokens.claims(token)
        except InvalidToken:
            return {"active": False}
        grant_id = claims.get("grant_id")
        if grant_id is not None and self._refresh.family(grant_id) is None:
            return {"active": False}
        named = ("iss", "sub", "aud", "client_id", "scope", "exp", "iat", "jti", "auth_time", "amr")
        return {"active": True, "token_type": "Bearer", **{name: claims[name] for name in named if name in claims}}

    def issued(
        self,
        subject: Subject,
        refresh_token: str | None,
        recovery_code: str | None = None,
        after_login: bool = False,
    ) -> Tokens:
        """The answer for this subject. after_login: a person has just signed in for it."""
        words = subject.scope.split()
        with_amr = after_login and "mfa" in subject.amr.split()
        id_token = self._access.mint_id_token(subject, with_amr) if OPENID in words else None
        access = self._mfa_access if subject.audience == self.mfa_audience else self._access
        return Tokens(access.mint(subject), access.ttl_s, subject.scope, refresh_token, id_token, recovery_code)

    def begun(self, client: Client, subject: Subject) -> tuple[Subject, str | None]:
        """The subject with its family, and the first refresh token, where one was asked for."""
        offline = OFFLINE_ACCESS in subject.scope.split()
        if not offline or subject.audience == self.mfa_audience:
            return subject, None
        family, refresh_token = self._refresh.begin_family(client, subject)
        return Subject(**{**vars(subject), "grant_id": family.family_id}), refresh_token

    def _refusal(self, client: Client, presented: Presented | None, scope: str | None, address: str) -> Refused | None:
        if presented is None or presented.standing in ("dead", "reused"):
            self._tally.add("refreshes_refused")
            user_id = presented.family.user_id if presented else None
            self._events.add("refresh_token_exchange_failed", client.client_id, user_id)
            return InvalidRefreshToken()
        family = presented.family
        if scope and not set(scope.split()) <= set(family.scope.split()):
            return InvalidScope()  # RFC 6749 6
        if self._mfa.challenges("oauth2-refresh-token", address):
            self._tally.add("refreshes_challenged")
            return self._transactions.begin(
                "oauth2-refresh-token",
                client.client_id,
                family.user_id,
                " ".join(scope.split()) if scope else family.scope,
                family.audience,
                family.amr,
                (family, presented.generation),
            )
        return None


def _granted(client: Client, scope: str | None) -> str:
    """Scopes the client may not have are left out, as Auth0 does; asked for none, it gets a default (RFC 6749 3.3)."""
    asked = scope.split() if scope else client.default_scopes.split()
    return " ".join(word for word in client.scopes.split() if word in asked)
