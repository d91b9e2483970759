"""The token requests of an application whose users switch their own second factor, and the check of their presence.

Who has turned MFA on is asked at each login. The tenant's policy asks those too who have methods and have not turned it
on, and challenges refreshes where it is set to. Somebody without a method cannot be asked: no login enrols here.
"""

from __future__ import annotations

import secrets
from dataclasses import replace

from host_tools.authority.core.access_tokens import Subject
from host_tools.authority.core.errors import MfaRequired, OAuthError, WrongCredentials, WrongPassword
from host_tools.authority.core.events import EventKind, EventLog
from host_tools.authority.core.login_rate import LoginRate
from host_tools.authority.core.mfa_errors import InvalidOtp, InvalidRecoveryCode
from host_tools.authority.core.mfa_grants import MfaGrants
from host_tools.authority.core.mfa_transactions import MfaTransactions
from host_tools.authority.core.password_grant import PasswordGrant
from host_tools.authority.core.policies import MfaSwitch, Protocol
from host_tools.authority.core.post_login import Verdict
from host_tools.authority.core.presence_tokens import PresenceTokens
from host_tools.authority.core.records import Authenticator, MfaTransaction, User
from host_tools.authority.core.scopes import granted
from host_tools.authority.core.storage import Store
from host_tools.authority.core.token_endpoint import Credentials, TokenEndpoint, Tokens
from host_tools.authority.core.user_mfa import UserMfaMethods
from host_tools.authority.core.user_mfa_errors import MfaMethodRequired, ReattemptDelay
from host_tools.authority.core.users import Users
from host_tools.clock import NS, Clock

_EVENTS: dict[type[OAuthError], tuple[EventKind, str]] = {
    ReattemptDelay: ("mfa_delayed", ""),
    InvalidOtp: ("mfa_failed", "otp"),
    InvalidRecoveryCode: ("mfa_failed", "recovery-code"),
}
MFA_TOKEN_LIFETIME_S = 900  # wire-facts 3: "tokenExpiresIn":900000, which are milliseconds


class UserMfaGrants:
    def __init__(
        self,
        store: Store,
        clock: Clock,
        users: Users,
        tokens: TokenEndpoint,
        passwords: PasswordGrant,
        mfa_grants: MfaGrants,
        transactions: MfaTransactions,
        mfa: MfaSwitch,
        methods: UserMfaMethods,
        presence: PresenceTokens,
        rate: LoginRate,
        events: EventLog,
    ) -> None:
        self._store = store
        self._clock = clock
        self._users = users
        self._tokens = tokens
        self._passwords = passwords
        self._mfa_grants = mfa_grants
        self._transactions = transactions
        self._mfa = mfa
        self._methods = methods
        self._presence = presence
        self._rate = rate
        self._events = events

    def password(
        self, sent: Credentials, username: str, password: str, address: str = "", user_agent: str = ""
    ) -> Tokens:
        """All that the client gets when it asks for no scope. Slow (argon2).

        Raises WrongCredentials, LoginTooSoon, LoginFrozen, LoginLocked, MfaMethodRequired, DeniedByScript.
        """
        client = self._tokens.client(sent, "password")
        try:
            user = self._with_password(username, password, is_login=True)
        except OAuthError:
            self._events.add("password_exchange_failed", client.client_id)
            raise
        return self._passwords.signed_in(
            client, user, granted(client, None), client.audience, address, user_agent, self._challenge
        )

    def refresh(self, sent: Credentials, refresh_token: str, address: str = "", user_agent: str = "") -> Tokens:
        """Raises InvalidRefreshToken, ExpiredRefreshToken, MfaMethodRequired, DeniedByScript."""
        return self._tokens.refresh(sent, refresh_token, None, address, user_agent, self._challenge)

    def mfa(self, sent: Credentials, mfa_token: str, method_id: str, code: str) -> Tokens:
        """Tokens for a request that was held, once one of its methods is given.

        Whether there is a wait, whether the code is right and what either costs is one transaction: of many codes at
        once the first alone is looked at. Raises what UserMfaMethods.attempt says, mfa_errors' for the mfa_token.
        """
        client = self._tokens.client(sent, "mfa")
        with self._store.transaction():
            held = self._transactions.find(mfa_token, client.client_id)
            proved = self._methods.attempt(held.user_id, self._open(held), method_id, code)
            outcome: OAuthError | tuple[Subject, str | None]
            if isinstance(proved, OAuthError):
                if type(proved) in _EVENTS:
                    kind, detail = _EVENTS[type(proved)]
                    self._events.add(kind, client.client_id, held.user_id, detail)
                outcome = proved
            else:
                outcome = self._mfa_grants.completed(client, held, proved)
        return self._mfa_grants.told(outcome)

    def confirm_presence(self, user: User, password: str) -> tuple[str, int]:
        """A presence token, and when it was made, for who is signed in and gives the password again. Slow (argon2).

        Raises WrongCredentials, LoginTooSoon, LoginFrozen, LoginLocked.
        """
        self._with_password(user.username, password, is_login=False)
        return self._presence.issue(user.user_id)

    def _with_password(self, username: str, password: str, is_login: bool) -> User:
        self._rate.take(username, is_login)
        try:
            user = self._users.with_password(username, password)
        except WrongPassword as wrong:
            raise WrongCredentials from wrong
        self._rate.right(username)
        return user

    def _open(self, held: MfaTransaction) -> list[Authenticator]:
        """The methods that may answer a request."""
        methods = self._methods.of(held.user_id)
        return [each for each in methods if each.active and self._transactions.allows(held, each.factor)]

    def _challenge(self, asked: MfaTransaction, address: str, verdict: Verdict) -> MfaRequired | None:
        is_refresh = asked.protocol == "oauth2-refresh-token"
        by_user = not is_refresh and self._methods.setting(asked.user_id).enabled
        methods = self._open(asked)
        if by_user and not methods:
            # A script that wants a factor the user has not does not turn off what they have turned on.
            asked = replace(asked, factors_allowed="")
            methods = self._open(asked)
        protocol: Protocol = "oauth2-refresh-token" if is_refresh else "oauth2-password"
        by_tenant = self._mfa.challenges(protocol, address, known_browser=is_refresh, directive=verdict.mfa)
        if not methods or not (by_user or by_tenant):
            return None
        mfa_token = secrets.token_hex(20)
        expires_at = self._clock.now_ns() + MFA_TOKEN_LIFETIME_S * NS
        # One method is enough, however many factors the tenant's policy wants of Auth0's grants.
        self._transactions.hold_as(replace(asked, factors_left=1, expires_at=expires_at), mfa_token)
        return MfaMethodRequired(mfa_token, MFA_TOKEN_LIFETIME_S * 1000, methods)
