"""Sending a browser back to the application that it came from."""

from __future__ import annotations

from urllib.parse import urlencode, urlsplit

from starlette.responses import RedirectResponse, Response

from host_tools.authority.core.authorization_answers import Answer
from host_tools.authority.pages.rendering import form_may_lead_to, page


def sent_back(answer: Answer) -> Response:
    """RFC 6749 4.1.2 and 4.2.2; OAuth 2.0 Form Post Response Mode, by a form that a person sends: no script does."""
    if answer.mode == "form_post":
        reply = page("form_post.html", target=answer.redirect_uri, parameters=answer.parameters)
        form_may_lead_to(reply, answer.redirect_uri)
        return reply
    parts = urlsplit(answer.redirect_uri)
    if answer.mode == "fragment":
        address = parts._replace(fragment=urlencode(answer.parameters)).geturl()
    else:
        # RFC 6749 3.1.2: a query that the address has of its own stays as it is.
        query = "&".join(filter(None, [parts.query, urlencode(answer.parameters)]))
        address = parts._replace(query=query).geturl()
    # RFC 9700 4.12: 303, so that no form that held a password is sent on.
    return RedirectResponse(address, 303, {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"})


def undirected(sentence: str) -> Response:
    """Where there is nobody to send the browser back to."""
    return page("undirected.html", 400, problem=sentence)
