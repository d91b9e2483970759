"""The outbox: the text messages and e-mails of the last day, for whoever rehearses a sign-in to read.

Nobody sends them, so this page is the phone and the mailbox of every user of the tenant. It does not renew itself:
that would take a screen reader's place on it away (WCAG 2.2, technique F41). There is a link to look again.
"""

from __future__ import annotations

from datetime import UTC, datetime

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from host_tools.authority.core.authority import Authority
from host_tools.authority.pages.rendering import page
from host_tools.clock import NS

PATH = "/outbox"
MOST = 100
_CHANNELS = {"sms": "Text message", "email": "E-mail"}


def route(authority: Authority) -> Route:
    def outbox(request: Request) -> Response:
        # One more than is shown, to know whether there are more.
        found = authority.outbox.newest(MOST + 1)
        messages = [
            {
                "channel": _CHANNELS.get(each.channel, each.channel),
                "recipient": each.recipient,
                "text": each.text,
                "sent": utc(each.sent_at),
            }
            for each in found[:MOST]
        ]
        return page(
            "outbox.html",
            path=PATH,
            messages=messages,
            most=MOST,
            more=len(found) > MOST,
            now=utc(authority.clock.now_ns()),
        )

    return Route(PATH, outbox, methods=["GET"])


def utc(moment_ns: int) -> datetime:
    """Of nanoseconds since 1970, to the second."""
    return datetime.fromtimestamp(moment_ns // NS, UTC)
