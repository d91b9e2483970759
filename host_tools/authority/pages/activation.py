"""The steps of an activation. Each page asks the core which step is next and shows only that one."""

from __future__ import annotations

from collections.abc import Callable

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from host_tools.authority.core.authority import Authority
from host_tools.authority.core.errors import Refusal, TooManyAttempts, UnknownUserCode
from host_tools.authority.core.policies import Step
from host_tools.authority.core.sessions import Outcome, SessionEnded
from host_tools.authority.core.user_code import UserCodes
from host_tools.authority.pages import rendering
from host_tools.authority.pages.browser import Sent, Visit, form_route, remembered, returning, see, visiting
from host_tools.authority.pages.rendering import page
from host_tools.authority.parameters import Parameters

START = "/activate"
PATHS: dict[Step, str] = {
    "code": START,
    "login": "/activate/sign-in",
    "one-time code": "/activate/one-time-code",
    "consent": "/activate/allow",
}
_DONE = "/activate/done"
_SIGN_OUT = "/activate/sign-out"
_ONWARD = PATHS["consent"]  # from which every step that is due before leads on to itself

# What a scope means to the person who grants it; one we do not know is shown by its name.
_SCOPE_SENTENCES = {
    "read:quotes": "read the quote of the day",
    "offline_access": "stay connected without asking you each day",
}
_STALE = "This page was open for too long, or was not opened here. Start again with the code on your device."
_DECISIONS: dict[str, Outcome] = {"allow": "allowed", "deny": "denied"}
_DECIDED: dict[Outcome, str] = {"allowed": "allowed", "denied": "did not allow"}

Shown = Callable[[Visit, Refusal | None], Response]
Late = Callable[[Visit, Parameters], Response | None]


def routes(authority: Authority) -> list[Route]:
    steps = _Activation(authority)
    return [
        Route(START, steps.start, methods=["GET"]),
        _post(authority, START, steps.code_sent),
        *_step(authority, "login", steps.login, steps.login_sent),
        *_step(authority, "one-time code", steps.one_time_code, steps.one_time_code_sent),
        *_step(authority, "consent", steps.consent, steps.consent_sent, steps.decided_before),
        Route(_DONE, steps.done, methods=["GET"]),
        _post(authority, _SIGN_OUT, steps.sign_out),
        rendering.style_route(),
    ]


def _step(authority: Authority, step: Step, shown: Shown, sent: Sent, late: Late | None = None) -> list[Route]:
    """A page that exists only while it is this step's turn; otherwise it leads to the one whose turn it is.

    late: what a form is answered with that was sent when it was no longer this step's turn, where it says so.
    """

    async def get(request: Request) -> Response:
        visit = await visiting(request, authority)
        due = visit.next_step(authority)
        try:
            reply = await run_in_threadpool(shown, visit, None) if due == step else see(PATHS[due])
        except SessionEnded:
            reply = see(_ONWARD)
        return remembered(reply, visit, authority.issuer)

    def in_turn(visit: Visit, form: Parameters) -> Response:
        due = visit.next_step(authority)
        if due != step:
            return (late and late(visit, form)) or see(PATHS[due])
        try:
            return sent(visit, form)
        except UnknownUserCode as gone:
            visit.session = authority.sessions.let_go(visit.session)
            return (late and late(visit, form)) or rendering.problem(400, str(gone))
        except Refusal as refused:
            visit.session = authority.sessions.find(visit.secret) or visit.session
            due = visit.next_step(authority)
            # The same code sent twice at once was right once, and is not told to be wrong.
            return _refused(shown(visit, refused), refused) if due == step else see(PATHS[due])

    return [Route(PATHS[step], get, methods=["GET"]), _post(authority, PATHS[step], in_turn)]


def _stale(visit: Visit | None) -> Response:
    return rendering.problem(403, _STALE)


def _stale_login(visit: Visit | None) -> Response:
    """The second click of a double click at sign-in brings the new session's cookie and the old one's token. To lead on
    who is signed in changes nothing, so that it needs none."""
    return see(_ONWARD) if visit and visit.session.user_id else _stale(visit)


def _post(authority: Authority, path: str, sent: Sent) -> Route:
    def unless_renewed(visit: Visit, form: Parameters) -> Response:
        try:
            return sent(visit, form)
        except SessionEnded:  # by another form of this browser's, whose reply has its new cookie
            return see(_ONWARD)

    return form_route(authority, path, unless_renewed, _stale_login if path == PATHS["login"] else _stale)


def _refused(reply: Response, refusal: Refusal) -> Response:
    reply.status_code = 400
    if isinstance(refusal, TooManyAttempts):
        reply.status_code = 429
        reply.headers["Retry-After"] = str(refusal.retry_after_s)
    return reply


class _Activation:
    def __init__(self, authority: Authority) -> None:
        self._authority = authority

    async def start(self, request: Request) -> Response:
        """Type the code, or, with one in the address (a scanned QR), compare it.

        Looking at this page tries no code: only a sent form does, and that is counted (RFC 8628 5.1).
        """
        visit = await visiting(request, self._authority)
        code = self._authority.user_codes.normalised(request.query_params.get("user_code", ""))
        return remembered(_code_page(visit, self._authority.user_codes, code), visit, self._authority.issuer)

    def code_sent(self, visit: Visit, form: Parameters) -> Response:
        try:
            entry = form.get("user_code") or ""
            visit.session = self._authority.sessions.enter_code(visit.session, entry, visit.address)
        except Refusal as refused:
            return _refused(_code_page(visit, self._authority.user_codes, None, refused), refused)
        return see(PATHS[visit.next_step(self._authority)])

    def login(self, visit: Visit, refusal: Refusal | None, username: str = "") -> Response:
        return page(
            "sign_in.html",
            problem=refusal and str(refusal),
            csrf_token=visit.csrf_token,
            action=PATHS["login"],
            user_code=self._authority.user_codes.shown(visit.session.user_code or ""),
            username=username,
        )

    def login_sent(self, visit: Visit, form: Parameters) -> Response:
        username = form.get("username") or ""
        try:
            user = self._authority.users.check_password(username, form.get("password") or "", visit.address)
        except Refusal as refused:
            return _refused(self.login(visit, refused, username), refused)
        visit.secret, visit.session = self._authority.sessions.sign_in(visit.session, user)
        return see(PATHS[visit.next_step(self._authority)])

    def one_time_code(self, visit: Visit, refusal: Refusal | None) -> Response:
        return page(
            "one_time_code.html",
            problem=refusal and str(refusal),
            csrf_token=visit.csrf_token,
            action=PATHS["one-time code"],
            username=self._username(visit),
            sign_out=_SIGN_OUT,
        )

    def one_time_code_sent(self, visit: Visit, form: Parameters) -> Response:
        self._authority.authenticators.check_one_time_code(visit.session.user_id or "", form.get("code") or "")
        visit.session = self._authority.sessions.one_time_code_given(visit.session)
        return see(PATHS[visit.next_step(self._authority)])

    def consent(self, visit: Visit, refusal: Refusal | None) -> Response:
        code = visit.session.user_code or ""
        try:
            grant = self._authority.device_grants.waiting(code)
        except UnknownUserCode as gone:
            visit.session = self._authority.sessions.let_go(visit.session)
            return rendering.problem(400, str(gone))
        return page(
            "consent.html",
            problem=refusal and str(refusal),
            csrf_token=visit.csrf_token,
            action=PATHS["consent"],
            device=self._authority.tokens.client_name(grant.client_id),
            wishes=[_SCOPE_SENTENCES.get(scope, scope) for scope in grant.scope.split()],
            user_code=self._authority.user_codes.shown(code),
            username=self._username(visit),
            sign_out=_SIGN_OUT,
        )

    def consent_sent(self, visit: Visit, form: Parameters) -> Response:
        decision = form.get("decision")
        # Another tab may have taken up another device meanwhile: an answer holds only for the code it was shown with.
        meant = self._authority.user_codes.normalised(form.get("user_code") or "")
        if decision not in _DECISIONS or meant != visit.session.user_code:
            return see(PATHS["consent"])
        visit.session = self._authority.sessions.answer(visit.session, decision == "allow")
        if visit.session.user_id is not None and decision == "allow":
            self._authority.sessions.remember(visit.session.user_id, visit.browser)
        return see(_DONE)

    def decided_before(self, visit: Visit, form: Parameters) -> Response | None:
        """To a decision for the device that this session has answered for last: the second click of a double click."""
        code = self._authority.user_codes.normalised(form.get("user_code") or "")
        outcome = self._authority.sessions.answered(visit.session, code) if code else None
        if outcome is None or outcome != visit.session.outcome:
            return None
        if _DECISIONS.get(form.get("decision") or "") != outcome:
            return rendering.problem(400, f"You {_DECIDED[outcome]} this device before, and the first answer holds.")
        return see(_DONE)

    def sign_out(self, visit: Visit, form: Parameters) -> Response:
        visit.secret, visit.session = self._authority.sessions.sign_out(visit.session)
        return see(PATHS[visit.next_step(self._authority)])

    async def done(self, request: Request) -> Response:
        visit = await returning(request, self._authority)
        if visit is None or visit.session.outcome is None:
            return see(START)
        return page("done.html", allowed=visit.session.outcome == "allowed")

    def _username(self, visit: Visit) -> str:
        user = self._authority.users.get(visit.session.user_id or "")
        return user.username if user else ""


def _code_page(visit: Visit, codes: UserCodes, code: str | None, refusal: Refusal | None = None) -> Response:
    return page(
        "code.html",
        problem=refusal and str(refusal),
        csrf_token=visit.csrf_token,
        action=START,
        start=START,
        codes=codes,
        user_code=codes.shown(code) if code else None,
    )
