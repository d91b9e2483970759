"""Login sessions: a browser at the pages, from its first visit to its answer for a device."""

from __future__ import annotations

import secrets
from dataclasses import replace

from host_tools.authority.core.attempts import AttemptLimits
from host_tools.authority.core.device_grants import DeviceGrants
from host_tools.authority.core.errors import TooManyAttempts, UnknownUserCode
from host_tools.authority.core.events import EventLog
from host_tools.authority.core.policies import MfaSwitch, Step
from host_tools.authority.core.records import KnownBrowser, LoginSession, User, fingerprint
from host_tools.authority.core.storage import Store
from host_tools.authority.core.user_code import UserCodes
from host_tools.clock import NS, Clock

LIFETIME_S = 3600  # also the longest a one-time code is remembered where browsers are remembered
KNOWN_FOR_S = 30 * 86_400  # Auth0's NewDevice: a device not seen for 30 days is a new one


class LoginSessions:
    """A session's secret is known to the browser alone; here it goes by its hash."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        codes: UserCodes,
        grants: DeviceGrants,
        limits: AttemptLimits,
        mfa: MfaSwitch,
        events: EventLog,
    ) -> None:
        self._store = store
        self._clock = clock
        self._codes = codes
        self._grants = grants
        self._limits = limits
        self._mfa = mfa
        self._events = events

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
        code = self._codes.normalised(entry)
        if code is None:
            raise UnknownUserCode
        # The session first: one that is stopped already must not use up what its neighbours share.
        self._limits.take("user code, session", session.session_hash)
        try:
            self._limits.take("user code, address", address)
        except TooManyAttempts:  # its neighbours' doing: this code was not looked at
            self._limits.give_back("user code, session", session.session_hash)
            raise
        try:
            self._grants.waiting(code)
        except UnknownUserCode:
            self._events.add("device_activation_failed", user_id=session.user_id, detail="unknown user code")
            raise
        self._limits.give_back("user code, address", address)
        self._limits.give_back("user code, session", session.session_hash)
        return self._keep(replace(session, user_code=code, otp_at=None, outcome=None))

    def next_step(self, session: LoginSession, address: str, browser: str) -> Step:
        """What a person has to do next before a device is theirs. Every page asks this; none trusts the one before.

        browser: the secret of its cookie, by which it is known again.
        """
        if session.user_code is None:
            return "code"
        if session.user_id is None:
            return "login"
        if self._mfa.challenges_login(session, address, self.knows(session.user_id, browser)):
            return "one-time code"
        return "consent"

    def knows(self, user_id: str, browser: str) -> bool:
        """Whether this user has been let in with this browser lately."""
        found = self._store.get(KnownBrowser, _known(user_id, browser))
        return found is not None and self._clock.now_ns() < found.seen_at + KNOWN_FOR_S * NS

    def remember(self, user_id: str, browser: str) -> None:
        """This user has been let in with this browser."""
        now = self._clock.now_ns()
        with self._store.transaction(durable=False):
            self._store.prune(KnownBrowser, "seen_at", now - KNOWN_FOR_S * NS)
            self._store.put(KnownBrowser(_known(user_id, browser), now))

    def sign_in(self, session: LoginSession, user: User) -> tuple[str, LoginSession]:
        """The password was right."""
        now = self._clock.now_ns()
        self._events.add("login_succeeded", user_id=user.user_id)
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
        if not allow:
            self._events.add("device_activation_cancelled", user_id=session.user_id)
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


def _known(user_id: str, browser: str) -> str:
    return fingerprint(f"{browser} {user_id}")
