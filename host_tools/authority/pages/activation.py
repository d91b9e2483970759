"""The steps of an activation, but for the second factor: second_factor.py and enrolment.py have that."""

from __future__ import annotations

import re

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from host_tools.authority.core.authority import Authority
from host_tools.authority.core.errors import Refusal
from host_tools.authority.core.recipients import LONGEST_EMAIL
from host_tools.authority.core.sessions import Outcome
from host_tools.authority.core.user_code import UserCodes
from host_tools.authority.pages import application_consent, rendering
from host_tools.authority.pages.browser import Visit, remembered, returning, see, visiting
from host_tools.authority.pages.rendering import page
from host_tools.authority.pages.steps import PATHS, SIGN_OUT, START, Steps, refusing
from host_tools.authority.pages.wishes import wishes_of
from host_tools.authority.parameters import Parameters

_DONE = "/activate/done"
# What a field of type email takes (html.spec.whatwg.org, "valid e-mail address"): a hint that is none is not shown.
_LABEL = "[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?"
_EMAIL = re.compile(rf"[a-zA-Z0-9.!#$%&'*+/=?^_`{{|}}~-]+@{_LABEL}(?:\.{_LABEL})*")
_DECISIONS: dict[str, Outcome] = {"allow": "allowed", "deny": "denied"}
_DECIDED: dict[Outcome, str] = {"allowed": "allowed", "denied": "did not allow"}


def routes(authority: Authority) -> list[Route]:
    activation, steps = _Activation(authority), Steps(authority)
    paths, consent = PATHS, PATHS["consent"]
    return [
        Route(START, activation.start, methods=["GET"]),
        steps.post(START, activation.code_sent),
        steps.page("login", paths["login"], activation.login),
        steps.form("login", paths["login"], activation.login_sent, activation.login),
        steps.page("consent", consent, activation.consent),
        steps.form("consent", consent, activation.consent_sent, activation.consent, activation.decided_before),
        Route(_DONE, activation.done, methods=["GET"]),
        steps.post(SIGN_OUT, activation.sign_out),
        rendering.style_route(),
    ]


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
            return refusing(_code_page(visit, self._authority.user_codes, None, refused), refused)
        return see(PATHS[visit.next_step(self._authority)])

    def login(self, visit: Visit, asked: Parameters, refusal: Refusal | None) -> Response:
        application, hint = self._application(visit)
        return page(
            "sign_in.html",
            problem=refusal and str(refusal),
            csrf_token=visit.csrf_token,
            action=PATHS["login"],
            user_code=self._authority.user_codes.shown(visit.session.user_code or ""),
            application=application,
            username=(asked.get("username") or "") if refusal else hint,
        )

    def _application(self, visit: Visit) -> tuple[str | None, str]:
        """The name of the one that is being answered for, and whom it takes the person for (OpenID Connect Core
        3.1.2.1, login_hint). Raises RequestGone."""
        if not visit.session.request_id:
            return None, ""
        request, client = self._authority.answers.request_of(visit.session)
        hint = request.login_hint.strip()
        fits = len(hint) <= LONGEST_EMAIL and _EMAIL.fullmatch(hint)
        return client.name, hint if fits else ""

    def login_sent(self, visit: Visit, form: Parameters) -> Response:
        username, password = form.get("username") or "", form.get("password") or ""
        user = self._authority.users.check_password(username, password, visit.address)
        visit.secret, visit.session = self._authority.sessions.sign_in(visit.session, user)
        return see(PATHS[visit.next_step(self._authority)])

    def consent(self, visit: Visit, asked: Parameters, refusal: Refusal | None) -> Response:
        if visit.session.request_id is not None:
            return application_consent.shown(self._authority, visit, refusal)
        code = visit.session.user_code or ""
        grant = self._authority.device_grants.waiting(code)
        return page(
            "consent.html",
            problem=refusal and str(refusal),
            csrf_token=visit.csrf_token,
            action=PATHS["consent"],
            device=self._authority.tokens.client_name(grant.client_id),
            wishes=wishes_of(grant.scope),
            user_code=self._authority.user_codes.shown(code),
            username=visit.username(self._authority),
            sign_out=SIGN_OUT,
        )

    def consent_sent(self, visit: Visit, form: Parameters) -> Response:
        if visit.session.request_id is not None:
            return application_consent.sent(self._authority, visit, form)
        decision = form.get("decision")
        # Another tab may have taken up another device meanwhile: an answer holds only for the code it was shown with.
        meant = self._authority.user_codes.normalised(form.get("user_code") or "")
        if decision not in _DECISIONS or meant != visit.session.user_code:
            return see(PATHS["consent"])
        visit.session = self._authority.sessions.answer(visit.session, decision == "allow")
        if visit.session.user_id is not None and decision == "allow":
            self._authority.known_browsers.remember(visit.session.user_id, visit.browser)
        return see(_DONE)

    def decided_before(self, visit: Visit, form: Parameters) -> Response | None:
        """To a decision for the device that this session has answered for last: the second click of a double click."""
        if visit.session.request_id is not None:
            return application_consent.late(self._authority, visit, form)
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
