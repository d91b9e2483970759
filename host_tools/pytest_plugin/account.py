"""What a failed test is told of its authority: what it was asked and answered, and the tenant's log.

No secret is in it. Of a request there are method, path and status (listening.watched), and a client that puts a token
into the path is not quoted; the log has none (core/events.py).
"""

from __future__ import annotations

import re

from host_tools.authority import NotNow
from host_tools.authority.core.records import Event
from host_tools.clock import NS
from host_tools.pytest_plugin.authority import Answered, StoaAuthority

_MOST = 40
# Longer than any that has a meaning here; the tokens have 40 characters and more.
_MEANINGLESS = re.compile("[^/]{33,}")


def account(authority: StoaAuthority) -> str:
    """A screenful: the newest requests and events, in the order they came."""
    control = authority.control
    try:
        requests = authority.requests
    except NotNow as silent:
        return f"{authority.issuer}: {silent}"
    began = authority.began_ns
    events = [event for event in reversed(control.events(_MOST)) if event.happened_at >= began]
    lines = [
        f"{authority.issuer} at {control.now}, mfa {control.mfa.mode}; seconds since the test began",
        "requests:" if requests else "no request",
        *_left_out(len(requests)),
        *map(_request, requests[-_MOST:]),
        "log:" if events else "nothing in the log",
        *(_event(event, (event.happened_at - began) // NS) for event in events),
        *(f"fault {each.number} is set: {each.fault}, struck: {each.struck}" for each in control.faults()),
    ]
    return "\n".join(lines)


def _left_out(count: int) -> list[str]:
    return [f"    ... {count - _MOST} before these"] if count > _MOST else []


def _request(answered: Answered) -> str:
    path = _MEANINGLESS.sub("(...)", answered.path)
    return f"{answered.after_s:7}  {answered.status or 'no answer'}  {answered.method:4} {_printable(path)}"


def _event(event: Event, after_s: int) -> str:
    of = " ".join(filter(None, (event.detail, event.client_id and f"client {event.client_id}", event.user_id)))
    return f"{after_s:7}  {event.kind}  {_printable(of)}".rstrip()


def _printable(text: str) -> str:
    return text if text.isprintable() else ascii(text)
