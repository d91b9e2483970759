"""Where browser applications send people to sign in, and from where they are sent back with an answer."""

from __future__ import annotations

from dataclasses import replace

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from host_tools.authority.core.authority import Authority
from host_tools.authority.core.authorization_answers import NOT_WITHOUT_A_PAGE
from host_tools.authority.core.authorization_requests import AuthorizationRefused, Undirected, is_silent
from host_tools.authority.core.errors import Refusal, RequestGone
from host_tools.authority.core.login_verdicts import SignInDenied
from host_tools.authority.core.records import AuthorizationRequest
from host_tools.authority.core.sessions import SessionEnded
from host_tools.authority.dialects.dialect import AuthorizePage
from host_tools.authority.pages.answering import sent_back, undirected
from host_tools.authority.pages.asked import asked_route, without_head
from host_tools.authority.pages.browser import Visit, remembered, see, visiting
from host_tools.authority.pages.steps import PATHS
from host_tools.authority.parameters import Parameters

_AGAIN = "Go back to the application and begin again."


def routes(authority: Authority, authorize: AuthorizePage) -> list[Route]:
    authorization = _Authorization(authority, authorize.takes_session_tokens)
    return [
        *(asked_route(path, ["GET", "POST"], authorization.asked) for path in authorize.paths),
        without_head(Route(PATHS["answer"], authorization.answer, methods=["GET"])),
    ]


class _Authorization:
    def __init__(self, authority: Authority, takes_session_tokens: bool) -> None:
        self._authority = authority
        self._takes_session_tokens = takes_session_tokens

    async def asked(self, request: Request, sent: Parameters) -> Response:
        """OpenID Connect Core 3.1.2.1. It changes nothing but what is being asked."""
        visit = await visiting(request, self._authority)
        return remembered(await run_in_threadpool(self._begun, visit, sent), visit, self._authority.issuer)

    async def answer(self, request: Request) -> Response:
        """Where a session that owes no further page is led to."""
        visit = await visiting(request, self._authority)
        return remembered(await run_in_threadpool(self._answered, visit), visit, self._authority.issuer)

    def _begun(self, visit: Visit, sent: Parameters) -> Response:
        answers = self._authority.answers
        try:
            wanted = self._authority.requests.begin(sent.all())
        except Undirected as refused:
            return undirected(str(refused))
        except AuthorizationRefused as refused:
            return sent_back(answers.refused(refused))
        try:
            token = sent.get("sessionToken") if self._takes_session_tokens else None
            if token and self._authority.session_tokens.is_good(token, wanted.max_age_s):  # another changes nothing
                return self._brought(visit, wanted, token)
            if is_silent(wanted):
                return self._silently(visit, wanted)
            visit.session = self._authority.sessions.take_up(visit.session, wanted)
            due = visit.next_step(self._authority)
            return self._answered(visit) if due == "answer" else see(PATHS[due])
        except SignInDenied as denied:
            return sent_back(answers.refused(AuthorizationRefused(wanted, "access_denied", denied.reason)))
        except (RequestGone, SessionEnded):  # by another form of this browser's
            if is_silent(wanted):  # in a frame, where no page is seen
                return sent_back(answers.refused(AuthorizationRefused(wanted, *NOT_WITHOUT_A_PAGE["login"])))
            return undirected(_AGAIN)

    def _brought(self, visit: Visit, wanted: AuthorizationRequest, token: str) -> Response:
        """With Okta's session token: the browser is signed in by it, for this and for what comes after."""
        visit.session = self._authority.sessions.take_up(visit.session, wanted)
        signed_in = self._authority.session_tokens.redeem(visit.session, token)
        if signed_in is not None:
            visit.secret, visit.session = signed_in
        due = visit.next_step(self._authority)
        if is_silent(wanted):
            at_once = self._authority.answers.without_a_page(visit.session, due)
            return sent_back(at_once or self._authority.answers.allow(visit.session))
        return self._answered(visit) if due == "answer" else see(PATHS[due])

    def _silently(self, visit: Visit, wanted: AuthorizationRequest) -> Response:
        """prompt=none: answered at once, whatever it is, and the session goes on with what it answers for."""
        looking = replace(visit, session=self._authority.sessions.looking(visit.session, wanted))
        due = looking.next_step(self._authority, keep=False)
        at_once = self._authority.answers.without_a_page(looking.session, due)
        return sent_back(at_once or self._authority.answers.allow(looking.session, silently=True))

    def _answered(self, visit: Visit) -> Response:
        try:
            due = visit.next_step(self._authority)
            if due != "answer":
                return see(PATHS[due])
            answer = self._authority.answers.allow(visit.session)
            if visit.session.user_id is not None:
                self._authority.known_browsers.remember(visit.session.user_id, visit.browser)
            return sent_back(answer)
        except Refusal as gone:
            return undirected(str(gone))
        except SessionEnded:
            return undirected(_AGAIN)
