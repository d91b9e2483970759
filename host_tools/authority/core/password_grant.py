"""The resource owner password grant, for which Auth0 made its MFA API. RFC 9700 2.4 bids clients not to use it."""

from __future__ import annotations

from host_tools.authority.core.access_tokens import Subject
from host_tools.authority.core.errors import (
    InvalidTarget,
    LimitReached,
    MfaRequired,
    TooManyAttempts,
    WrongCredentials,
    WrongPassword,
)
from host_tools.authority.core.events import EventLog
from host_tools.authority.core.mfa_transactions import Challenge, MfaTransactions
from host_tools.authority.core.policies import MfaSwitch
from host_tools.authority.core.post_login import Attempt, PostLogin, Verdict
from host_tools.authority.core.records import Client, MfaTransaction, User
from host_tools.authority.core.scopes import granted
from host_tools.authority.core.storage import Store
from host_tools.authority.core.token_endpoint import MFA_SCOPES, Credentials, TokenEndpoint, Tokens
from host_tools.authority.core.users import Users
from host_tools.clock import Clock


class PasswordGrant:
    def __init__(
        self,
        store: Store,
        clock: Clock,
        tokens: TokenEndpoint,
        users: Users,
        mfa: MfaSwitch,
        transactions: MfaTransactions,
        post_login: PostLogin,
        events: EventLog,
    ) -> None:
        self._store = store
        self._clock = clock
        self._tokens = tokens
        self._users = users
        self._mfa = mfa
        self._transactions = transactions
        self._post_login = post_login
        self._events = events

    def exchange(
        self,
        sent: Credentials,
        username: str,
        password: str,
        scope: str | None,
        audience: str | None,
        address: str,
        user_agent: str = "",
    ) -> Tokens:
        """For the MFA API itself a second factor is asked of everybody who has one, whatever the policy.

        Slow (argon2). Raises WrongCredentials, LimitReached, InvalidTarget, MfaRequired, DeniedByScript.
        """
        client = self._tokens.client(sent, "password")
        if audience not in (None, client.audience, self._tokens.mfa_audience):
            raise InvalidTarget
        user = self._user(client, username, password, address)
        for_mfa_api = audience == self._tokens.mfa_audience
        if for_mfa_api:
            wanted = " ".join(word for word in MFA_SCOPES if word in (scope or "").split())
        else:
            wanted = granted(client, scope)

        def challenge(asked: MfaTransaction, address: str, verdict: Verdict) -> MfaRequired | None:
            if for_mfa_api:
                challenged = self._transactions.guards_mfa_api(user.user_id)
            else:
                challenged = self._mfa.challenges(
                    "oauth2-password", address, known_browser=False, directive=verdict.mfa
                )
            return self._transactions.hold(asked) if challenged else None

        return self.signed_in(client, user, wanted, audience or client.audience, address, user_agent, challenge)

    def signed_in(
        self,
        client: Client,
        user: User,
        scope: str,
        audience: str,
        address: str,
        user_agent: str,
        challenge: Challenge,
    ) -> Tokens:
        """Tokens for somebody whose password was right. Raises MfaRequired, DeniedByScript."""
        attempt = Attempt(
            protocol="oauth2-password",
            user=user,
            client=client,
            scope=scope,
            audience=audience,
            amr="pwd",
            auth_time_at=self._clock.now_ns(),
            address=address,
            user_agent=user_agent,
        )
        verdict = self._post_login.verdict(attempt)
        asked = self._transactions.request(
            attempt.protocol, client.client_id, user.user_id, scope, audience, attempt.amr, verdict
        )
        challenged = challenge(asked, address, verdict)
        if challenged is not None:
            raise challenged
        subject = Subject(
            user.user_id,
            client.client_id,
            audience,
            scope,
            attempt.auth_time_at,
            attempt.amr,
            claims=verdict.claims,
        )
        with self._store.transaction():
            subject, refresh_token = self._tokens.begun(client, subject)
            self._events.add("password_exchanged", client.client_id, user.user_id)
        return self._tokens.issued(subject, refresh_token)

    def _user(self, client: Client, username: str, password: str, address: str) -> User:
        try:
            return self._users.check_password(username, password, address)
        except (WrongPassword, TooManyAttempts) as refused:
            self._events.add("password_exchange_failed", client.client_id)
            if isinstance(refused, TooManyAttempts):
                raise LimitReached(refused.retry_after_s) from refused
            raise WrongCredentials from refused
