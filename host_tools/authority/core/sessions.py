"""Login sessions: a browser at the pages, from its first visit to its answer for a device."""

from __future__ import annotations

import secrets
from dataclasses import replace

from host_tools.authority.core import user_code
from host_tools.authority.core.attempts import AttemptLimits
from host_tools.authority.core.device_grants import DeviceGrants
from host_tools.authority.core.errors import UnknownUserCode
from host_tools.authority.core.records import LoginSession, Store, User, fingerprint
from host_tools.clock import NS, Clock

LIFETIME_S = 3600  # also the longest a one-time code is remembered where browsers are remembered


class LoginSessions:
    """A session's secret is known to the browser alone; here it goes by its hash."""

    def __init__(self, store: Store, clock: Clock, grants: DeviceGrants, limits: AttemptLimits) -> None:
        self._store = store
        self._clock = clock
        self._grants = grants
        self._limits = limits

    def begin(self) -> tuple[str, LoginSession]:
        """A new browser: its secret and its session."""
        now = self._clock.now_ns()
        secret = secrets.token_urlsafe(32)
        session = LoginSession(
            session_hash=fingerprint(secret),
            created_at=now,
            expires_at=now + LIFETIME_S * NS,
            user_id=None,
            auth_time_at=None,
            amr="",
            user_code=None,
            otp_at=None,
            outcome=None,
        )
        with self._store.transaction():
            self._store.prune(LoginSession, "expires_at", now)
            self._store.put(session)
        return secret, session

    def find(self, secret: str) -> LoginSession | None:
        session = self._store.get(LoginSession, fingerprint(secret))
        return session if session and self._clock.now_ns() < session.expires_at else None

    def enter_code(self, session: LoginSession, entry: str, address: str) -> LoginSession:
        """Take up the device that shows this code. Raises UnknownUserCode or TooManyAttempts.

        An entry that cannot be a code is no guess and is not counted. A one-time code given for another device does
        not count for this one.
        """
        code = user_code.normalised(entry)
        if code is None:
            raise UnknownUserCode
        # The session first: one that is stopped already must not use up what its neighbours share.
        self._limits.take("user code, session", session.session_hash)
        self._limits.take("user code, address", address)
        self._grants.waiting(code)
        self._limits.give_back("user code, address", address)
        self._limits.give_back("user code, session", session.session_hash)
        return self._keep(replace(session, user_code=code, otp_at=None, outcome=None))

    def sign_in(self, session: LoginSession, user: User) -> tuple[str, LoginSession]:
        """The password was right."""
        now = self._clock.now_ns()
        return self._renew(session, replace(session, user_id=user.user_id, auth_time_at=now, amr="pwd", otp_at=None))

    def one_time_code_given(self, session: LoginSession) -> LoginSession:
        """The second factor was right. RFC 8176: the methods, and `mfa` for their being several."""
        now = self._clock.now_ns()
        return self._keep(replace(session, auth_time_at=now, amr="pwd otp mfa", otp_at=now))

    def answer(self, session: LoginSession, allow: bool) -> LoginSession:
        """Decide for the device. Raises UnknownUserCode when it expired or was answered meanwhile."""
        if session.user_code is None:
            raise UnknownUserCode
        self._grants.answer(session.user_code, session, allow)
        outcome = "allowed" if allow else "denied"
        return self._keep(replace(session, user_code=None, otp_at=None, outcome=outcome))

    def let_go(self, session: LoginSession) -> LoginSession:
        """The device in question is gone; the browser stays signed in."""
        return self._keep(replace(session, user_code=None, otp_at=None))

    def sign_out(self, session: LoginSession) -> tuple[str, LoginSession]:
        """Somebody else is to sign in, for the same device."""
        return self._renew(session, replace(session, user_id=None, auth_time_at=None, amr="", otp_at=None))

    def _renew(self, session: LoginSession, changed: LoginSession) -> tuple[str, LoginSession]:
        """The session under a new secret, so that one planted or left behind is worth nothing."""
        now = self._clock.now_ns()
        secret = secrets.token_urlsafe(32)
        renewed = replace(changed, session_hash=fingerprint(secret), expires_at=now + LIFETIME_S * NS)
        with self._store.transaction():
            self._store.put(replace(session, user_id=None, user_code=None, expires_at=0))
            self._store.put(renewed)
        return secret, renewed

    def _keep(self, session: LoginSession) -> LoginSession:
        with self._store.transaction():
            kept = self._store.get(LoginSession, session.session_hash)
            if kept and kept.expires_at == session.expires_at:  # ended meanwhile in another tab, it stays ended
                self._store.put(session)
        return session
