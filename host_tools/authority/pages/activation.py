"""The steps of an activation. Each page asks the core which step is next and shows only that one."""

from __future__ import annotations

from collections.abc import Callable

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from host_tools.authority import parameters
from host_tools.authority.core.authority import Authority
from host_tools.authority.core.errors import InvalidRequest, Refusal, TooManyAttempts, UnknownUserCode
from host_tools.authority.core.policies import Step
from host_tools.authority.core.user_code import UserCodes
from host_tools.authority.pages import rendering
from host_tools.authority.pages.browser import Visit, remembered, returning, see, visiting
from host_tools.authority.pages.rendering import page
from host_tools.authority.parameters import BodyTooLarge, Parameters

START = "/activate"
PATHS: dict[Step, str] = {
    "code": START,
    "login": "/activate/sign-in",
    "one-time code": "/activate/one-time-code",
    "consent": "/activate/allow",
}
_DONE = "/activate/done"
_SIGN_OUT = "/activate/sign-out"

# What a scope means to the person who grants it; one we do not know is shown by its name.
_SCOPE_SENTENCES = {
    "read:quotes": "read the quote of the day",
    "offline_access": "stay connected without asking you each day",
}
_STALE = "This page was open for too long, or was not opened here. Start again with the code on your device."

Shown = Callable[[Visit, Refusal | None], Response]
Sent = Callable[[Visit, Parameters], Response]


def routes(authority: Authority) -> list[Route]:
    steps = _Activation(authority)
    return [
        Route(START, steps.start, methods=["GET"]),
        _post(authority, START, steps.code_sent),
        *_step(authority, "login", steps.login, steps.login_sent),
        *_step(authority, "one-time code", steps.one_time_code, steps.one_time_code_sent),
        *_step(authority, "consent", steps.consent, steps.consent_sent),
        Route(_DONE, steps.done, methods=["GET"]),
        _post(authority, _SIGN_OUT, steps.sign_out),
        rendering.style_route(),
    ]


def _step(authority: Authority, step: Step, shown: Shown, sent: Sent) -> list[Route]:
    """A page that exists only while it is this step's turn; otherwise it leads to the one whose turn it is."""

    async def get(request: Request) -> Response:
        visit = await visiting(request, authority)
        due = visit.next_step(authority)
        reply = await run_in_threadpool(shown, visit, None) if due == step else see(PATHS[due])
        return remembered(reply, visit, authority.issuer)

    def in_turn(visit: Visit, form: Parameters) -> Response:
        due = visit.next_step(authority)
        if due != step:
            return see(PATHS[due])
        try:
            return sent(visit, form)
        except UnknownUserCode as gone:
            visit.session = authority.sessions.let_go(visit.session)
            return rendering.problem(400, str(gone))
        except Refusal as refused:
            return _refused(shown(visit, refused), refused)

    return [Route(PATHS[step], get, methods=["GET"]), _post(authority, PATHS[step], in_turn)]


def _post(authority: Authority, path: str, sent: Sent) -> Route:
    """A form of ours: from a browser we know, with the token we gave it."""

    async def endpoint(request: Request) -> Response:
        visit = await returning(request, authority)
        try:
            form = await parameters.read(request)
            genuine = visit is not None and visit.sent_by_us(form.get("csrf_token"))
        except InvalidRequest as malformed:
            return rendering.problem(413 if isinstance(malformed, BodyTooLarge) else 400, malformed.description)
        if visit is None or not genuine:
            return rendering.problem(403, _STALE)
        return remembered(await run_in_threadpool(sent, visit, form), visit, authority.issuer)

    return Route(path, endpoint, methods=["POST"])


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
        if decision not in ("allow", "deny") or meant != visit.session.user_code:
            return see(PATHS["consent"])
        if visit.session.user_id is not None and decision == "allow":
            self._authority.sessions.remember(visit.session.user_id, visit.browser)
        visit.session = self._authority.sessions.answer(visit.session, decision == "allow")
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
