"""Login sessions: a browser at the pages, from its first visit to its answer for a device."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from typing import Literal

from host_tools.authority.core import login_demands
from host_tools.authority.core.access_tokens import short_id
from host_tools.authority.core.attempts import AttemptLimits
from host_tools.authority.core.authorization_requests import AuthorizationRequests, protocol_of
from host_tools.authority.core.consents import Consents
from host_tools.authority.core.device_grants import DeviceGrants
from host_tools.authority.core.errors import RequestGone, TooManyAttempts, UnknownUserCode
from host_tools.authority.core.events import EventLog
from host_tools.authority.core.factor_due import FactorDue
from host_tools.authority.core.known_browsers import KnownBrowsers
from host_tools.authority.core.policies import Protocol, Step
from host_tools.authority.core.post_login import verdict_of
from host_tools.authority.core.records import (
    AuthorizationRequest,
    Client,
    DeviceGrant,
    LoginSession,
    User,
    fingerprint,
)
from host_tools.authority.core.session_factors import SessionFactors
from host_tools.authority.core.storage import Store
from host_tools.authority.core.user_code import UserCodes
from host_tools.clock import NS, Clock

LIFETIME_S = 3600  # also the longest a one-time code is remembered where browsers are remembered
Outcome = Literal["allowed", "denied"]
_OUTCOMES: dict[str, Outcome] = {"approved": "allowed", "spent": "allowed", "denied": "denied"}  # of a device grant


@dataclass(frozen=True)
class Asked:
    """What a session is answering for. name: of this request and no other."""

    protocol: Protocol
    client_id: str
    name: str
    scope: str
    audience: str
    acr_values: str


class SessionEnded(Exception):
    """A session that was renewed, or is over, since it was found."""


class LoginSessions:
    """A session's secret is known to the browser alone; here it goes by its hash.

    A browser may send two forms at once, by a double click or from two tabs. What a caller holds of a session may thus
    be old: each change is made to the session as it is kept, and what was decided about one device does not touch
    another that the session has taken up meanwhile. Each raises SessionEnded where there is none any more.
    """

    def __init__(
        self,
        store: Store,
        clock: Clock,
        codes: UserCodes,
        grants: DeviceGrants,
        requests: AuthorizationRequests,
        consents: Consents,
        limits: AttemptLimits,
        factor_due: FactorDue,
        browsers: KnownBrowsers,
        factors: SessionFactors,
        events: EventLog,
    ) -> None:
        self._store = store
        self._clock = clock
        self._codes = codes
        self._grants = grants
        self._requests = requests
        self._consents = consents
        self._limits = limits
        self._factor_due = factor_due
        self._browsers = browsers
        self._factors = factors
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
        with self._store.transaction(durable=False):  # a browser whose session is lost begins another
            self._store.prune(LoginSession, "expires_at", now)
            self._store.put(session)
        return secret, session

    def find(self, secret: str) -> LoginSession | None:
        session = self._store.get(LoginSession, fingerprint(secret))
        return session if session and self._clock.now_ns() < session.expires_at else None

    def enter_code(self, session: LoginSession, entry: str, address: str) -> LoginSession:
        """Take up the device that shows this code. Raises UnknownUserCode or TooManyAttempts.

        An entry that cannot be a code is no guess and is not counted. A second factor given for another device does
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
        with self.kept(session) as kept:
            return self._changed(_answering(kept, user_code=code))

    def take_up(self, session: LoginSession, request: AuthorizationRequest) -> LoginSession:
        """Answer for an application from now on."""
        with self.kept(session) as kept:
            return self._changed(_answering(kept, request_id=request.request_id))

    def looking(self, session: LoginSession, request: AuthorizationRequest) -> LoginSession:
        """The session as it would answer an application, which is not told to it: what it answers for stays."""
        return _answering(session, request_id=request.request_id)

    def next_step(self, session: LoginSession, address: str, browser: str) -> Step:
        """What a person has to do next before a device, or an application, has its answer. Every page asks this; none
        trusts the one before. An application whose request is gone leads to "answer", which says so.

        browser: the secret of its cookie, by which it is known again.
        """
        request = self._requests.find(session.request_id) if session.request_id else None
        if session.user_code is None and request is None:
            return "answer" if session.request_id else "code"
        demand = self._demand(session, request)
        if session.user_id is None or (demand is not None and demand.wants_password(session, self._clock.now_ns())):
            return "login"
        known = self._browsers.knows(session.user_id, browser)
        if self._factor_due.by(session, address, known, browser) or (demand and demand.wants_factor(session)):
            return "second factor"
        client = self._store.get(Client, request.client_id) if request else None
        if request is not None and (client is None or not self._consents.needed(request, client, session.user_id)):
            return "answer"
        return "consent"

    def _demand(self, session: LoginSession, request: AuthorizationRequest | None) -> login_demands.Demand | None:
        """None where the device is gone: the page that is due says so."""
        if request is not None:
            return login_demands.of_request(request)
        with suppress(UnknownUserCode):
            return login_demands.of_device(self._grants.waiting(session.user_code or ""))
        return None

    def sign_in(self, session: LoginSession, user: User) -> tuple[str, LoginSession]:
        """The password was right."""
        now = self._clock.now_ns()
        with self.kept(session, durable=True) as kept:
            self._events.add("login_succeeded", user_id=user.user_id)
            return self._renewed(
                replace(
                    kept,
                    user_id=user.user_id,
                    auth_time_at=now,
                    amr="pwd",
                    otp_at=None,
                    verdict=None,
                    signed_in_for=session.request_id or session.user_code,
                    sid=short_id(),
                )
            )

    def keep_verdict(self, session: LoginSession, text: str) -> LoginSession:
        """What scripts have said, where the session still is what they were asked about."""
        with self.kept(session) as kept:
            if kept.user_id != session.user_id or not _same(kept, session) or kept.verdict is not None:
                return kept
            # A session token has met the sign-on policy before a script was asked.
            return self._changed(replace(kept, verdict=text, otp_at=None if verdict_of(text).mfa else kept.otp_at))

    def deny(self, session: LoginSession, reason: str) -> None:
        """A script has said no for the device: that is its answer, unless it has one by now.

        An application has its answer from whoever asked the script.
        """
        with self.kept(session, durable=True) as kept:
            if kept.user_code is None or kept.user_code != session.user_code:
                return
            with suppress(UnknownUserCode):
                self._grants.answer(kept.user_code, kept, allow=False, denial=reason)
            self._changed(replace(kept, user_code=None, otp_at=None, outcome="denied", verdict=None))

    def asked_for(self, session: LoginSession) -> Asked:
        """Raises UnknownUserCode where the device is gone, RequestGone where the application's request is."""
        if session.request_id is not None:
            request = self._requests.find(session.request_id)
            if request is None:
                raise RequestGone
            protocol = protocol_of(request)
            return Asked(
                protocol, request.client_id, request.request_id, request.scope, request.audience, request.acr_values
            )
        grant = self._grants.waiting(session.user_code or "")
        name = grant.device_code_hash
        return Asked("oauth2-device-code", grant.client_id, name, grant.scope, grant.audience, grant.acr_values)

    def factors_given(
        self, session: LoginSession, amr: str, factors: Iterable[str], at: int | None = None
    ) -> LoginSession:
        """All that was due is given, just now or then. amr: RFC 8176, the methods, and `mfa` for several."""
        now = self._clock.now_ns() if at is None else at
        with self.kept(session) as kept:
            otp_at = now if _same(kept, session) else kept.otp_at
            self._factors.given(kept.sid, kept.user_id or "", factors, now)
            return self._changed(replace(kept, auth_time_at=now, amr=amr, otp_at=otp_at))

    def answer(self, session: LoginSession, allow: bool) -> LoginSession:
        """Decide for the device. Raises UnknownUserCode when it expired, or was answered or let go meanwhile."""
        with self.kept(session, durable=True) as kept:
            if kept.user_code is None or kept.user_code != session.user_code:
                raise UnknownUserCode
            self._grants.answer(kept.user_code, kept, allow, verdict_of(kept.verdict).claims.text())
            if not allow:
                self._events.add("device_activation_cancelled", user_id=kept.user_id)
            outcome = "allowed" if allow else "denied"
            return self._changed(replace(kept, user_code=None, otp_at=None, outcome=outcome, verdict=None))

    def answered(self, session: LoginSession, code: str) -> Outcome | None:
        """What the person of this session has answered for the device with this code; None for no answer of theirs."""
        for grant in self._store.find(DeviceGrant, user_code=code):
            if session.user_id is not None and grant.user_id == session.user_id:
                return _OUTCOMES.get(grant.status)
        return None

    def let_go(self, session: LoginSession) -> LoginSession:
        """The device, or the application, in question is gone; the browser stays signed in."""
        with self.kept(session) as kept:
            if not _same(kept, session):
                return kept
            return self._changed(_answering(kept))

    def sign_out(self, session: LoginSession) -> tuple[str, LoginSession]:
        """Somebody else is to sign in, for the same device."""
        with self.kept(session, durable=True) as kept:
            return self._renewed(
                replace(kept, user_id=None, auth_time_at=None, amr="", otp_at=None, verdict=None, sid="")
            )

    @contextmanager
    def kept(self, session: LoginSession, durable: bool = False) -> Iterator[LoginSession]:
        """The session as it is now, in a transaction in which it may be changed."""
        with self._store.transaction(durable):
            kept = self._store.get(LoginSession, session.session_hash)
            if kept is None or self._clock.now_ns() >= kept.expires_at:
                raise SessionEnded
            yield kept

    def _changed(self, session: LoginSession) -> LoginSession:
        self._store.put(session)
        return session

    def _renewed(self, session: LoginSession) -> tuple[str, LoginSession]:
        """The session under a new secret, so that one planted or left behind is worth nothing."""
        secret = secrets.token_urlsafe(32)
        expires_at = self._clock.now_ns() + LIFETIME_S * NS
        self._store.put(replace(session, user_id=None, user_code=None, expires_at=0))
        return secret, self._changed(replace(session, session_hash=fingerprint(secret), expires_at=expires_at))


def _answering(session: LoginSession, user_code: str | None = None, request_id: str | None = None) -> LoginSession:
    """The session with something else to answer for; what was given and said for the one before does not count."""
    return replace(session, user_code=user_code, request_id=request_id, otp_at=None, outcome=None, verdict=None)


def _same(one: LoginSession, other: LoginSession) -> bool:
    """Whether both answer for the same."""
    return (one.user_code, one.request_id) == (other.user_code, other.request_id)
