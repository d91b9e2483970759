"""The phone: where a person approves or refuses the pushes that wait.

It plays the unlocked phone of every user of the tenant at once, so nobody signs in here: whoever can open it can
approve. That is right for a rehearsal and only there. The server is on loopback, a foreign host name is refused
(app.py), and a form must come from this page in this browser, so that no web site can answer for the person at it;
docs/security.md says what another user of the machine could do.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from host_tools.authority.core.authority import Authority
from host_tools.authority.core.challenges import UnknownChallenge
from host_tools.authority.core.records import OobChallenge
from host_tools.authority.pages.browser import Visit, form_route, remembered, see, visiting
from host_tools.authority.pages.outbox import utc
from host_tools.authority.pages.rendering import page
from host_tools.authority.parameters import Parameters

PATH = "/phone"
_STALE = "This page was open for too long, or was not opened here. Nothing was answered."
# What a push has come to. One that was approved is spent once the client has its tokens.
_OUTCOMES = {"approved": "approved", "spent": "approved", "rejected": "refused"}
_ANSWERS = {"approve": "approved", "refuse": "refused"}


def routes(authority: Authority) -> list[Route]:
    phone = _Phone(authority)
    return [Route(PATH, phone.see, methods=["GET"]), form_route(authority, PATH, phone.answered, _stale)]


def _stale(visit: Visit | None) -> Response:
    return page("phone_problem.html", 403, problem=_STALE, path=PATH)


@dataclass(frozen=True)
class _Push:
    """As it is shown. outcome: what the person did, or None."""

    challenge_id: str
    client: str
    user: str
    since: datetime
    until: datetime
    outcome: str | None


class _Phone:
    def __init__(self, authority: Authority) -> None:
        self._authority = authority

    async def see(self, request: Request) -> Response:
        visit = await visiting(request, self._authority)
        reply = await run_in_threadpool(self._shown, visit, request.query_params.get("answered", ""))
        return remembered(reply, visit, self._authority.issuer)

    def answered(self, visit: Visit, form: Parameters) -> Response:
        challenge_id, wanted = form.get("challenge_id") or "", _ANSWERS.get(form.get("answer") or "")
        if wanted is None:
            return see(PATH)
        try:
            self._authority.challenges.answer(challenge_id, approve=wanted == "approved")
        except UnknownChallenge as gone:
            known = self._find(challenge_id)
            if known is None or known.outcome is None:
                return self._shown(visit, problem=str(gone))
            if known.outcome != wanted:
                return self._shown(visit, problem=f"That was {known.outcome} before, and the first answer holds.")
            # The second click of a double click: the first one did it.
        return see(f"{PATH}?answered={challenge_id}")

    def _shown(self, visit: Visit, answered: str = "", problem: str | None = None) -> Response:
        """The pushes that wait, and what became of the one in the address: that is looked up, not believed."""
        return page(
            "phone.html",
            200 if problem is None else 400,
            problem=problem,
            csrf_token=visit.csrf_token,
            path=PATH,
            answered=self._find(answered),
            pushes=[self._push(each) for each in self._authority.challenges.pending()],
            now=utc(self._authority.clock.now_ns()),
        )

    def _push(self, challenge: OobChallenge) -> _Push:
        user = self._authority.users.get(challenge.user_id)
        return _Push(
            challenge_id=challenge.challenge_id,
            client=self._authority.tokens.client_name(challenge.client_id),
            user=user.username if user else challenge.user_id,
            since=utc(challenge.created_at),
            until=utc(challenge.expires_at),
            outcome=_OUTCOMES.get(challenge.status),
        )

    def _find(self, challenge_id: str) -> _Push | None:
        found = self._authority.store.find(OobChallenge, challenge_id=challenge_id, factor="push")
        return self._push(found[0]) if found else None
