"""Where applications send people to be signed out, and from where they are sent on.

A link of any site leads here, with the person's cookie. Auth0's /v2/logout signs out at once, and its SDKs count on
it: a stranger's link can end a session there, which harms little; an image or a frame of another site cannot, for the
cookie is Lax (another port of the same host is no other site). RP-Initiated Logout 2 has the person asked where the
application brings no ID token of theirs; with one, which no stranger has, nobody is asked twice for what they have just
asked for.
"""

from __future__ import annotations

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from host_tools.authority.core.authority import Authority
from host_tools.authority.core.authorization_answers import Answer
from host_tools.authority.core.logouts import Logout
from host_tools.authority.core.sessions import SessionEnded
from host_tools.authority.dialects.dialect import LogoutPaths
from host_tools.authority.pages.answering import sent_back, undirected
from host_tools.authority.pages.asked import asked_route
from host_tools.authority.pages.browser import Visit, remembered, returning, see
from host_tools.authority.pages.rendering import form_may_lead_to, page
from host_tools.authority.parameters import Parameters

CONFIRMED = "/logout/confirmed"
_STALE = "This page was open for too long, or was not opened here. Sign out again in the application."
_ASKED_ON = ("client_id", "post_logout_redirect_uri", "state")


def routes(authority: Authority, paths: LogoutPaths) -> list[Route]:
    logout = _Logout(authority, paths)
    found = [
        *(asked_route(each, ["GET", "POST"], logout.asked) for each in (paths.standard, *paths.also)),
        asked_route(CONFIRMED, ["POST"], logout.confirmed),
    ]
    if paths.at_once is not None:
        found.append(asked_route(paths.at_once, ["GET"], logout.at_once))
    return found


class _Logout:
    def __init__(self, authority: Authority, paths: LogoutPaths) -> None:
        self._authority = authority
        self._paths = paths

    async def at_once(self, request: Request, sent: Parameters) -> Response:
        """Auth0's: client_id and returnTo. Its `federated` is for identity providers that there are none of here."""
        visit = await returning(request, self._authority)
        wanted = self._wanted(sent.get("client_id"), sent.get("returnTo"))
        return await run_in_threadpool(self._ended, visit, wanted) or _once_more(request)

    async def asked(self, request: Request, sent: Parameters) -> Response:
        """RP-Initiated Logout 2."""
        visit = await returning(request, self._authority)
        return await run_in_threadpool(self._asked, visit, sent) or _once_more(request)

    async def confirmed(self, request: Request, sent: Parameters) -> Response:
        """The person wants to. To send on who is signed out already, by the second click of a double click, changes
        nothing, so that it needs no token."""
        visit = await returning(request, self._authority)
        if visit is not None and visit.session.user_id is not None and not visit.sent_by_us(sent.get("csrf_token")):
            return undirected(_STALE, 403)
        return await run_in_threadpool(self._ended, visit, self._standard(sent)) or undirected(_STALE, 403)

    def _asked(self, visit: Visit | None, sent: Parameters) -> Response | None:
        wanted = self._standard(sent)
        if visit is None or visit.session.user_id in (None, wanted.user_id):
            return self._ended(visit, wanted)
        asked = {name: sent.get(name) for name in _ASKED_ON} | {"client_id": wanted.client and wanted.client.client_id}
        reply = page(
            "log_out.html",
            csrf_token=visit.csrf_token,
            action=CONFIRMED,
            asked={name: value for name, value in asked.items() if value},
            application=wanted.client and wanted.client.name,
            username=visit.username(self._authority),
        )
        if wanted.address is not None:
            form_may_lead_to(reply, wanted.address)
        return remembered(reply, visit, self._authority.issuer)

    def _standard(self, sent: Parameters) -> Logout:
        address, state = sent.get("post_logout_redirect_uri"), sent.get("state") or ""
        return self._wanted(sent.get("client_id"), address, state, sent.get("id_token_hint"))

    def _wanted(
        self, client_id: str | None, address: str | None, state: str = "", id_token: str | None = None
    ) -> Logout:
        return self._authority.logouts.asked(client_id, address, state, id_token, self._paths.leads_on)

    def _ended(self, visit: Visit | None, wanted: Logout) -> Response | None:
        """None where another request of this browser's was faster, whose reply has its new cookie: somebody may just
        have signed in by it."""
        if visit is not None and visit.session.user_id is not None:
            try:
                visit.secret, visit.session = self._authority.logouts.end(visit.session, wanted)
            except SessionEnded:
                return None
        if wanted.address is not None:
            reply = sent_back(Answer(wanted.address, "query", {"state": wanted.state} if wanted.state else {}))
        else:
            reply = page("signed_out.html", 400 if wanted.problem else 200, problem=wanted.problem)
        return reply if visit is None else remembered(reply, visit, self._authority.issuer)


def _once_more(request: Request) -> Response:
    """With the cookie that the browser has by now; one of a session that is gone is nobody's, and leads on."""
    return see(f"{request.url.path}?{request.url.query}")
