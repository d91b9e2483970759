"""How a login session answers a browser application: RFC 6749 4.1.2, 4.2.2 and 4.1.2.1, RFC 9207.

An answer may be given again for ten seconds: the second click of a double click takes the place of the first
in the browser, and has to bring the application an answer as good. Only the newest code counts.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from host_tools.authority.core.authorization_codes import AuthorizationCodes
from host_tools.authority.core.authorization_requests import AuthorizationRefused, AuthorizationRequests, is_silent
from host_tools.authority.core.consents import Consents
from host_tools.authority.core.errors import RequestGone
from host_tools.authority.core.events import EventLog
from host_tools.authority.core.policies import Step
from host_tools.authority.core.records import AuthorizationCode, AuthorizationRequest, Client, LoginSession
from host_tools.authority.core.sessions import LoginSessions
from host_tools.authority.core.storage import Store
from host_tools.clock import NS, Clock

_AGAIN_S = 10
_NOT_TOLD = re.compile(r"[^ !#-\[\]-~]")  # RFC 6749 4.1.2.1: what an error_description may not have in it
# OpenID Connect Core 3.1.2.6: what an application hears that asked for no page (prompt=none), by the page that is due.
NOT_WITHOUT_A_PAGE: Mapping[Step, tuple[str, str]] = {
    "login": ("login_required", "Login required"),
    # Auth0's code and sentence, by both of which its SDK for browsers knows that it is to open a page.
    "second factor": ("login_required", "Multifactor authentication required"),
    "consent": ("consent_required", "Consent required"),
}


@dataclass(frozen=True)
class Answer:
    """What is sent to the application, and how: query, fragment, form_post or web_message."""

    redirect_uri: str
    mode: str
    parameters: Mapping[str, str]


class AuthorizationAnswers:
    def __init__(
        self,
        store: Store,
        clock: Clock,
        issuer: str,
        requests: AuthorizationRequests,
        codes: AuthorizationCodes,
        consents: Consents,
        sessions: LoginSessions,
        events: EventLog,
    ) -> None:
        self._store = store
        self._clock = clock
        self._issuer = issuer
        self._requests = requests
        self._codes = codes
        self._consents = consents
        self._sessions = sessions
        self._events = events

    def request_of(self, session: LoginSession) -> tuple[AuthorizationRequest, Client]:
        """What this session answers for. Raises RequestGone."""
        request = self._requests.find(session.request_id) if session.request_id else None
        client = self._store.get(Client, request.client_id) if request else None
        if request is None or client is None:
            raise RequestGone
        return request, client

    def allow(self, session: LoginSession, consented: bool = False, silently: bool = False) -> Answer:
        """consented: the person was asked just now. silently: for a session that has not taken the request up.

        Raises RequestGone, SessionEnded.
        """
        with self._sessions.kept(session, durable=True) as kept:
            signed_in = (kept.user_id, kept.auth_time_at) == (session.user_id, session.auth_time_at)
            if session.user_id is None or not signed_in or (not silently and kept.request_id != session.request_id):
                raise RequestGone
            request, client = self.request_of(session)
            now = self._clock.now_ns()
            if request.answered_at is not None and now > request.answered_at + _AGAIN_S * NS:
                raise RequestGone
            if consented:
                self._consents.give(request, session.user_id)
            told = self._codes.answer(request, client, session if silently else kept)
            if request.answered_at is None:
                self._store.put(replace(request, answered_at=now))
        return self._answer(request, told)

    def deny(self, session: LoginSession) -> Answer:
        """The person said no; a code that was given before is worth nothing then. Raises RequestGone."""
        request, client = self.request_of(session)
        self._store.delete(AuthorizationCode, request_id=request.request_id, spent_at=None)
        self._events.add("consent_denied", client.client_id, session.user_id)
        return self.refused(AuthorizationRefused(request, "access_denied", "User did not authorize the request"))

    def without_a_page(self, session: LoginSession, due: Step) -> Answer | None:
        """What an application hears at once that asked for no page, where one is due. Raises RequestGone."""
        request, _ = self.request_of(session)
        if not is_silent(request) or due not in NOT_WITHOUT_A_PAGE:
            return None
        return self.refused(AuthorizationRefused(request, *NOT_WITHOUT_A_PAGE[due]))

    def refused(self, refusal: AuthorizationRefused) -> Answer:
        client_id = refusal.request.client_id
        if refusal.error != "access_denied":
            self._events.add("authorization_failed", client_id, detail=refusal.error)
        return self._answer(refusal.request, {"error": refusal.error, "error_description": refusal.description})

    def _answer(self, request: AuthorizationRequest, told: Mapping[str, str]) -> Answer:
        # RFC 9207: whose answer it is, against mix-ups of issuers.
        told = {
            name: _NOT_TOLD.sub("?", value) if name == "error_description" else value for name, value in told.items()
        }
        parameters = {**told, **({"state": request.state} if request.state else {}), "iss": self._issuer}
        return Answer(request.redirect_uri, request.response_mode, parameters)
