"""The consent page of a browser application."""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.responses import Response

from host_tools.authority.core.authority import Authority
from host_tools.authority.core.errors import Refusal
from host_tools.authority.pages.answering import sent_back
from host_tools.authority.pages.browser import Visit, see
from host_tools.authority.pages.rendering import page
from host_tools.authority.pages.steps import PATHS, SIGN_OUT
from host_tools.authority.pages.wishes import wishes_of
from host_tools.authority.parameters import Parameters


def shown(authority: Authority, visit: Visit, refusal: Refusal | None) -> Response:
    """Raises RequestGone."""
    request, client = authority.answers.request_of(visit.session)
    return page(
        "application_consent.html",
        problem=refusal and str(refusal),
        csrf_token=visit.csrf_token,
        action=PATHS["consent"],
        request_id=request.request_id,
        application=client.name,
        target=urlsplit(request.redirect_uri).netloc,
        wishes=wishes_of(request.scope),
        username=visit.username(authority),
        sign_out=SIGN_OUT,
    )


def sent(authority: Authority, visit: Visit, form: Parameters) -> Response:
    """Raises RequestGone."""
    decision = form.get("decision")
    # Another tab may have taken up another request meanwhile: an answer holds only for what it was shown with.
    if decision not in ("allow", "deny") or form.get("request_id") != visit.session.request_id:
        return see(PATHS["consent"])
    if decision == "deny":
        return sent_back(authority.answers.deny(visit.session))
    if visit.session.user_id is not None:
        authority.known_browsers.remember(visit.session.user_id, visit.browser)
    return sent_back(authority.answers.allow(visit.session, consented=True))


def late(authority: Authority, visit: Visit, form: Parameters) -> Response | None:
    """A no after a yes: the code that was given is worth nothing then. Raises RequestGone."""
    if form.get("decision") != "deny" or form.get("request_id") != visit.session.request_id:
        return None
    return sent_back(authority.answers.deny(visit.session))
