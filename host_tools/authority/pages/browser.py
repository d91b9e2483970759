"""One request of one browser: its session cookie, its CSRF token, its form."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from host_tools.authority import parameters
from host_tools.authority.core.authority import Authority
from host_tools.authority.core.errors import InvalidRequest
from host_tools.authority.core.known_browsers import KNOWN_FOR_S
from host_tools.authority.core.policies import Step
from host_tools.authority.core.records import LoginSession
from host_tools.authority.pages import rendering
from host_tools.authority.parameters import BodyTooLarge, Parameters

_COOKIE = "stoa_session"
_BROWSER_COOKIE = "stoa_browser"  # by which adaptive MFA knows a browser again
_BROWSER_BYTES = 32
_LONGEST_COOKIE_S = 400 * 86_400  # RFC 6265bis 5.5: browsers keep none for longer
_BROWSER_SECRET = re.compile(r"[A-Za-z0-9_-]{43}")  # so many bytes in base64url


@dataclass
class Visit:
    """A browser with a session. Handlers may replace `session` and, at sign-in, `secret`."""

    secret: str
    session: LoginSession
    address: str
    browser: str  # the secret of the long-lived cookie
    user_agent: str
    brought: str | None  # the session's secret that it came with
    leads_to: str | None = None  # the application's address, where the session answers for one
    known_for_s: int = KNOWN_FOR_S  # how long the browser keeps that cookie, from this visit on

    def next_step(self, authority: Authority, keep: bool = True) -> Step:
        """Slow where the tenant has scripts. Raises SignInDenied. keep: whether what they say is kept."""
        due = authority.sessions.next_step(self.session, self.address, self.browser)
        if due in ("code", "login"):  # scripts are asked of who has signed in, for this
            return due
        self.session = authority.login_verdicts.settled(self.session, self.address, self.user_agent, keep)
        return authority.sessions.next_step(self.session, self.address, self.browser)

    def username(self, authority: Authority) -> str:
        user = authority.users.get(self.session.user_id or "")
        return user.username if user else ""

    @property
    def csrf_token(self) -> str:
        """Bound to the session by its secret, so that another site can neither read nor guess it, and to what the
        session answers for as the page is shown."""
        return f"{self._keyed('csrf')}.{self._keyed(f'asked {self._asked}')}"

    def sent_by_us(self, token: str | None) -> bool:
        return hmac.compare_digest((token or "").partition(".")[0].encode(), self._keyed("csrf").encode())

    def sent_for_this(self, token: str | None) -> bool:
        """Whether the form's page was shown for what the session still answers for: another tab may have taken up
        something else, and what a person typed was not meant for that."""
        asked = self._keyed(f"asked {self._asked}")
        return hmac.compare_digest((token or "").partition(".")[2].encode(), asked.encode())

    @property
    def _asked(self) -> str:
        return self.session.request_id or self.session.user_code or ""

    def _keyed(self, what: str) -> str:
        return hmac.new(self.secret.encode(), what.encode(), hashlib.sha256).hexdigest()


async def returning(request: Request, authority: Authority) -> Visit | None:
    """The visit of a browser we know, or None."""
    secret = request.cookies.get(_COOKIE)
    session = await run_in_threadpool(authority.sessions.find, secret) if secret else None
    if not secret or not session:
        return None
    visit = _visit(request, authority, secret, session, secret)
    if session.request_id is not None:
        asked = await run_in_threadpool(authority.requests.find, session.request_id)
        visit.leads_to = asked.redirect_uri if asked else None
    return visit


async def visiting(request: Request, authority: Authority) -> Visit:
    """The visit of any browser; a new one gets a session."""
    visit = await returning(request, authority)
    if visit is None:
        secret, session = await run_in_threadpool(authority.sessions.begin)
        visit = _visit(request, authority, secret, session, None)
    return visit


Sent = Callable[[Visit, Parameters], Response]
Stale = Callable[[Visit | None], Response]


def form_route(authority: Authority, path: str, sent: Sent, stale: Stale) -> Route:
    """POST of a form of ours: from a browser we know, with the token we gave it. Any other is answered with `stale`,
    which is given the visit of a browser we know.

    That one gets no new session: a form from elsewhere would end the one this browser has.
    """

    async def endpoint(request: Request) -> Response:
        visit = await returning(request, authority)
        try:
            form = await parameters.read(request)
        except InvalidRequest as malformed:
            return rendering.problem(413 if isinstance(malformed, BodyTooLarge) else 400, malformed.description)
        if visit is None or not visit.sent_by_us(form.get("csrf_token")):
            return stale(visit)
        return remembered(await run_in_threadpool(sent, visit, form), visit, authority.issuer)

    return Route(path, endpoint, methods=["POST"])


def remembered(reply: Response, visit: Visit, issuer: str) -> Response:
    """The reply with the cookies. Lax: a link or a QR code brings them along, a foreign form does not.

    A session that the browser has is not told again: another reply may have renewed it meanwhile, and would be undone.
    """
    if visit.leads_to is not None:
        rendering.form_may_lead_to(reply, visit.leads_to)
    secure = issuer.startswith("https:")
    if visit.secret != visit.brought:
        reply.set_cookie(_COOKIE, visit.secret, path="/", httponly=True, samesite="lax", secure=secure)
    reply.set_cookie(
        _BROWSER_COOKIE, visit.browser, visit.known_for_s, path="/", httponly=True, samesite="lax", secure=secure
    )
    return reply


def see(path: str) -> Response:
    """Go on with a GET (303), so that reloading sends no form twice. Paths are our own, never one that was sent."""
    return RedirectResponse(path, 303, {"Cache-Control": "no-store"})


def _visit(request: Request, authority: Authority, secret: str, session: LoginSession, brought: str | None) -> Visit:
    address = request.client.host if request.client else ""
    user_agent = parameters.user_agent(request.headers)
    visit = Visit(secret, session, address, _browser(request), user_agent, brought)
    if authority.device_choices.in_force:  # who is told that they will not be asked for a year is not to be
        visit.known_for_s = _LONGEST_COOKIE_S
    return visit


def _browser(request: Request) -> str:
    """What the browser has, else a new one. It says only which browser this is: nothing is allowed by it alone.

    It is told again, so that nothing is taken for one that is none of ours.
    """
    brought = request.cookies.get(_BROWSER_COOKIE, "")
    return brought if _BROWSER_SECRET.fullmatch(brought) else secrets.token_urlsafe(_BROWSER_BYTES)
