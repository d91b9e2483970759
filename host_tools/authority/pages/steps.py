"""Pages that exist only while it is their step's turn. Each asks the core which step is next; none trusts the one
before."""

from __future__ import annotations

from collections.abc import Callable

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from host_tools.authority.core.authority import Authority
from host_tools.authority.core.authorization_requests import AuthorizationRefused
from host_tools.authority.core.errors import NothingAsked, Refusal, RequestGone, TooManyAttempts
from host_tools.authority.core.login_verdicts import SignInDenied
from host_tools.authority.core.policies import Step
from host_tools.authority.core.sessions import SessionEnded
from host_tools.authority.pages import rendering
from host_tools.authority.pages.answering import sent_back, undirected
from host_tools.authority.pages.browser import Sent, Visit, form_route, remembered, see, visiting
from host_tools.authority.parameters import Parameters

START = "/activate"
PATHS: dict[Step, str] = {
    "code": START,
    "login": "/sign-in",
    "second factor": "/second-factor",
    "consent": "/consent",
    "answer": "/authorize/answer",
}
SIGN_OUT = "/sign-out"
ONWARD = PATHS["consent"]  # from which every step that is due before leads on to itself
_STALE = "This page was open for too long, or was not opened here. Start again with the code on your device."

# A page of a step: what its address or its form says, and why the form was refused.
Shown = Callable[[Visit, Parameters, Refusal | None], Response]
Late = Callable[[Visit, Parameters], Response | None]


class Steps:
    def __init__(self, authority: Authority) -> None:
        self._authority = authority

    def page(self, step: Step | None, path: str, shown: Shown) -> Route:
        """GET of a page; when it is another step's turn it leads there. step: None for one that knows by itself."""

        async def get(request: Request) -> Response:
            visit = await visiting(request, self._authority)
            asked = Parameters(request.query_params.items())
            reply = await run_in_threadpool(self._answered, visit, lambda: in_turn(visit, asked))
            return remembered(reply, visit, self._authority.issuer)

        def in_turn(visit: Visit, asked: Parameters) -> Response:
            due = visit.next_step(self._authority)
            if step not in (None, due):
                return see(PATHS[due])
            try:
                return shown(visit, asked, None)
            except NothingAsked as gone:
                return self._let_go(visit, gone)

        return Route(path, get, methods=["GET"])

    def form(self, step: Step, path: str, sent: Sent, shown: Shown, late: Late | None = None) -> Route:
        """POST of its form. A refusal is told by the page `shown`.

        late: what a form is answered with that was sent when it was no longer this step's turn, where it says so.
        """

        def in_turn(visit: Visit, form: Parameters) -> Response:
            due = visit.next_step(self._authority)
            if due != step:
                return (late and late(visit, form)) or see(PATHS[due])
            # A consent says itself what it is for.
            if step != "consent" and not visit.sent_for_this(form.get("csrf_token")):
                return see(PATHS[due])
            try:
                try:
                    return sent(visit, form)
                except (SignInDenied, NothingAsked):
                    raise
                except Refusal as refused:
                    visit.session = self._authority.sessions.find(visit.secret) or visit.session
                    due = visit.next_step(self._authority)
                    # The same code sent twice at once was right once, and is not told to be wrong.
                    return refusing(shown(visit, form, refused), refused) if due == step else see(PATHS[due])
            except NothingAsked as gone:
                reply = self._let_go(visit, gone)
                return (late and late(visit, form)) or reply

        return self.post(path, in_turn, _stale_login if step == "login" else stale)

    def post(self, path: str, sent: Sent, outdated: Callable[[Visit | None], Response] | None = None) -> Route:
        """POST of a form that is no step's."""

        def answered(visit: Visit, form: Parameters) -> Response:
            return self._answered(visit, lambda: sent(visit, form))

        return form_route(self._authority, path, answered, outdated or stale)

    def _answered(self, visit: Visit, reply: Callable[[], Response]) -> Response:
        try:
            return reply()
        except SessionEnded:  # by another form of this browser's, whose reply has its new cookie
            return see(ONWARD)
        except SignInDenied as denied:
            if visit.session.request_id is None:
                return rendering.problem(403, str(denied))
            return self._denied_to_application(visit, denied)

    def _let_go(self, visit: Visit, gone: NothingAsked) -> Response:
        visit.session = self._authority.sessions.let_go(visit.session)
        return undirected(str(gone)) if isinstance(gone, RequestGone) else rendering.problem(400, str(gone))

    def _denied_to_application(self, visit: Visit, denied: SignInDenied) -> Response:
        answers = self._authority.answers
        try:
            request, _ = answers.request_of(visit.session)
        except RequestGone as gone:
            return undirected(str(gone))
        return sent_back(answers.refused(AuthorizationRefused(request, "access_denied", denied.reason)))


def refusing(reply: Response, refusal: Refusal) -> Response:
    """The page with the status of that refusal. One that leads elsewhere, or refuses by itself, is left as it is."""
    if reply.status_code != 200:
        return reply
    reply.status_code = 400
    if isinstance(refusal, TooManyAttempts):
        reply.status_code = 429
        reply.headers["Retry-After"] = str(refusal.retry_after_s)
    return reply


def stale(visit: Visit | None) -> Response:
    return rendering.problem(403, _STALE)


def _stale_login(visit: Visit | None) -> Response:
    """The second click of a double click at sign-in brings the new session's cookie and the old one's token. To lead on
    who is signed in changes nothing, so that it needs none."""
    return see(ONWARD) if visit and visit.session.user_id else stale(visit)
