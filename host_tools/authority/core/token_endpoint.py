"""What the token and device authorization endpoints decide, without their HTTP."""

from __future__ import annotations

import copy
import hmac
from dataclasses import dataclass, replace
from typing import Literal

from host_tools.authority.core.access_tokens import AccessTokens, Subject, short_id
from host_tools.authority.core.claims import claims_of
from host_tools.authority.core.device_grants import DeviceAuthorization, DeviceGrants
from host_tools.authority.core.errors import (
    InvalidClient,
    InvalidRefreshToken,
    InvalidScope,
    InvalidTarget,
    MfaRequired,
    UnauthorizedClient,
)
from host_tools.authority.core.errors import OAuthError as Refused
from host_tools.authority.core.events import EventLog
from host_tools.authority.core.finer_errors import ExpiredRefreshToken, WrongClientSecret
from host_tools.authority.core.mfa_transactions import Challenge, MfaTransactions
from host_tools.authority.core.policies import MfaSwitch
from host_tools.authority.core.post_login import NO_VERDICT, Attempt, PostLogin, Verdict
from host_tools.authority.core.records import Client, MfaTransaction, fingerprint
from host_tools.authority.core.refresh_tokens import Presented, RefreshTokens
from host_tools.authority.core.scopes import fits, granted, narrowed
from host_tools.authority.core.storage import Store
from host_tools.authority.core.tally import Tally
from host_tools.authority.core.users import Users
from host_tools.clock import Clock

OFFLINE_ACCESS = "offline_access"  # OpenID Connect Core 11: the scope that asks for a refresh token
PROFILE_SCOPES = ("profile", "email")  # Core 5.4
OPENID = "openid"  # Core 3.1.2.1: the scope that asks for an ID token
Grant = Literal["device_code", "refresh_token", "password", "mfa", "authorization_code", "implicit"]
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
    user_id: str = ""
    client_id: str = ""


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
        post_login: PostLogin,
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
        self._post_login = post_login
        self.mfa_audience = f"{issuer}mfa/"  # wire-facts 1.5

    def client(self, sent: Credentials, grant: Grant | None = None) -> Client:
        """Who is asking. A public client is known by its name alone. Raises InvalidClient, UnauthorizedClient."""
        client = self._store.get(Client, sent.client_id)
        if client is None:
            raise InvalidClient
        if client.secret_hash and not hmac.compare_digest(fingerprint(sent.secret or ""), client.secret_hash):
            raise WrongClientSecret
        if grant is not None and grant not in client.grants.split():
            raise UnauthorizedClient
        return client

    def client_name(self, client_id: str) -> str:
        """What people know a client by."""
        client = self._store.get(Client, client_id)
        return client.name if client else client_id

    def authorize_device(
        self,
        sent: Credentials,
        scope: str | None,
        audience: str | None,
        max_age_s: int | None = None,
        acr_values: str = "",
    ) -> DeviceAuthorization:
        """Begin a device grant. max_age_s, acr_values: see login_demands.py. Raises InvalidTarget."""
        client = self.client(sent, "device_code")
        if audience not in (None, client.audience):
            self._events.add("device_authorization_failed", client.client_id, detail="unknown audience")
            raise InvalidTarget
        return self._grants.begin(client, granted(client, scope), client.audience, max_age_s, acr_values)

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
                    claims=claims_of(polled.claims),
                    sid=polled.sid,
                )
                subject, refresh_token = self.begun(client, subject)
                self._events.add("device_code_exchanged", client.client_id, polled.user_id)
        if isinstance(polled, Refused):
            self._events.add("device_code_exchange_failed", client.client_id, detail=polled.error)
            raise polled
        return self.issued(subject, refresh_token, after_login=True)

    def refresh(
        self,
        sent: Credentials,
        refresh_token: str,
        scope: str | None,
        address: str = "",
        user_agent: str = "",
        challenge: Challenge | None = None,
    ) -> Tokens:
        """New tokens for a refresh token. Raises InvalidRefreshToken, InvalidScope, MfaRequired, DeniedByScript.

        Scripts and policies come after the token is judged and before it is rotated: a refresh that is challenged or
        denied leaves the token as it was.

        challenge: who asks for a second factor, where it is not the tenant's policy alone.
        """
        client = self.client(sent, "refresh_token")
        verdict = self._verdict_on_refresh(client, refresh_token, scope, address, user_agent)
        with self._store.transaction():
            presented = self._refresh.presented(refresh_token, client)
            refusal = self._refusal(client, presented, scope, address, verdict, challenge or self._challenge)
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
            scope=narrowed(family, scope),
            auth_time_at=family.auth_time_at,
            amr=family.amr,
            grant_id=family.family_id,
            claims=verdict.claims,
            sid=family.sid,
        )
        return self.issued(subject, following)

    def issued(
        self,
        subject: Subject,
        refresh_token: str | None,
        recovery_code: str | None = None,
        after_login: bool = False,
        nonce: str = "",
        with_at_hash: bool = False,
    ) -> Tokens:
        """The answer for this subject. after_login: a person has just signed in for it.

        nonce, with_at_hash: for the ID token, see access_tokens.py.
        """
        words = subject.scope.split()
        with_amr = after_login and "mfa" in subject.amr.split()
        access = self._mfa_access if subject.audience == self.mfa_audience else self._access
        access_token = access.mint(subject)
        id_token = None
        if OPENID in words:
            user = self._users.get(subject.user_id) if set(PROFILE_SCOPES) & set(words) else None
            bound_to = access_token if with_at_hash else None
            id_token = self._access.mint_id_token(subject, with_amr, nonce, bound_to, user)
        told = (access_token, access.ttl_s, subject.scope, refresh_token, id_token, recovery_code)
        return Tokens(*told, subject.user_id, subject.client_id)

    def begun(self, client: Client, subject: Subject) -> tuple[Subject, str | None]:
        """The subject with its family, and the first refresh token, where one was asked for.

        Who has signed in without a browser, by the password grant, begins a session with it.
        """
        if not subject.sid:
            subject = replace(subject, sid=short_id())
        offline = OFFLINE_ACCESS in subject.scope.split() and "refresh_token" in client.grants.split()
        if not offline or subject.audience == self.mfa_audience:
            return subject, None
        family, refresh_token = self._refresh.begin_family(client, subject)
        return replace(subject, grant_id=family.family_id), refresh_token

    def _verdict_on_refresh(
        self, client: Client, refresh_token: str, scope: str | None, address: str, user_agent: str
    ) -> Verdict:
        """Of the scripts, before the transaction that uses the token: they are slow. Raises DeniedByScript.

        A refresh that is refused anyway runs none.
        """
        if self._post_login.judge is None:
            return NO_VERDICT
        presented = self._refresh.examine(fingerprint(refresh_token))
        user = self._users.get(presented.family.user_id) if presented else None
        if presented is None or user is None or presented.standing in ("dead", "reused"):
            return NO_VERDICT
        family = presented.family
        if family.client_id != client.client_id or not fits(family, scope):
            return NO_VERDICT
        return self._post_login.verdict(
            Attempt(
                protocol="oauth2-refresh-token",
                user=user,
                client=client,
                scope=narrowed(family, scope),
                audience=family.audience,
                amr=family.amr,
                auth_time_at=family.auth_time_at,
                address=address,
                user_agent=user_agent,
                family=family,
            )
        )

    def _refusal(
        self,
        client: Client,
        presented: Presented | None,
        scope: str | None,
        address: str,
        verdict: Verdict,
        challenge: Challenge,
    ) -> Refused | None:
        if presented is None or presented.standing in ("dead", "reused"):
            self._tally.add("refreshes_refused")
            user_id = presented.family.user_id if presented else None
            self._events.add("refresh_token_exchange_failed", client.client_id, user_id)
            expired = presented is not None and presented.standing == "dead" and presented.family.revoked_at is None
            return ExpiredRefreshToken() if expired else InvalidRefreshToken()
        family = presented.family
        if not fits(family, scope):
            return InvalidScope()  # RFC 6749 6
        asked = self._transactions.request(
            "oauth2-refresh-token",
            client.client_id,
            family.user_id,
            narrowed(family, scope),
            family.audience,
            family.amr,
            verdict,
            (family, presented.generation),
        )
        challenged = challenge(asked, address, verdict)
        if challenged is not None:
            self._tally.add("refreshes_challenged")
        return challenged

    def _challenge(self, asked: MfaTransaction, address: str, verdict: Verdict) -> MfaRequired | None:
        """By the tenant's policy."""
        challenged = self._mfa.challenges("oauth2-refresh-token", address, directive=verdict.mfa)
        return self._transactions.hold(asked) if challenged else None
