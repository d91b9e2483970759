"""Sending a browser back to the application that it came from."""

from __future__ import annotations

import json
from urllib.parse import urlencode, urlsplit

from starlette.responses import RedirectResponse, Response

from host_tools.authority.core.authorization_answers import Answer
from host_tools.authority.core.authorization_requests import OKTA_POST_MESSAGE, WEB_MESSAGE, origin_of
from host_tools.authority.pages.rendering import form_may_lead_to, page, posts_to


def sent_back(answer: Answer) -> Response:
    """RFC 6749 4.1.2 and 4.2.2; OAuth 2.0 Form Post Response Mode, by a form that a person sends: no script does."""
    if answer.mode == "form_post":
        reply = page("form_post.html", target=answer.redirect_uri, parameters=answer.parameters)
        form_may_lead_to(reply, answer.redirect_uri)
        return reply
    if answer.mode in (WEB_MESSAGE, OKTA_POST_MESSAGE):
        return _posted(answer)
    parts = urlsplit(answer.redirect_uri)
    if answer.mode == "fragment":
        address = parts._replace(fragment=urlencode(answer.parameters)).geturl()
    else:
        # RFC 6749 3.1.2: a query that the address has of its own stays as it is.
        query = "&".join(filter(None, [parts.query, urlencode(answer.parameters)]))
        address = parts._replace(query=query).geturl()
    # RFC 9700 4.12: 303, so that no form that held a password is sent on.
    return RedirectResponse(address, 303, {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"})


def _posted(answer: Answer) -> Response:
    """draft-sakimura-oauth-wmrm, as Auth0 and Okta have it: for the window that frames the page or has opened it, if
    it is of the application's own origin, and for no other.

    A frame has no person in it, so that Auth0's SDK frames requests with prompt=none alone. One without is answered as
    well where no page is due; pages that are due are not shown in a frame, and the SDK times out, as with Auth0.
    """
    origin = origin_of(answer.redirect_uri)
    assert origin is not None  # or the request was refused
    message: dict[str, object] = dict(answer.parameters)
    if answer.mode == WEB_MESSAGE:
        message = {"type": "authorization_response", "response": message}
    reply = page("web_message.html", message=json.dumps(message), target=origin)
    posts_to(reply, origin)
    return reply


def undirected(sentence: str, status: int = 400) -> Response:
    """Where there is nobody to send the browser back to."""
    return page("undirected.html", status, problem=sentence)
