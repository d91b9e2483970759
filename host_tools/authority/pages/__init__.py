"""People's pages: where they answer for a device, and, for a rehearsal, the phone and the mailbox they would have."""

from __future__ import annotations

from starlette.routing import Route

from host_tools.authority.core.authority import Authority
from host_tools.authority.dialects.dialect import AT_AUTHORIZE, AuthorizePage, LogoutPaths
from host_tools.authority.pages import activation, authorization, enrolment, logout, outbox, phone, second_factor
from host_tools.authority.pages.rendering import exception_handlers

__all__ = ["exception_handlers", "routes"]


def routes(authority: Authority, logout_paths: LogoutPaths, authorize: AuthorizePage = AT_AUTHORIZE) -> list[Route]:
    return [
        *activation.routes(authority),
        *authorization.routes(authority, authorize),
        *logout.routes(authority, logout_paths),
        *second_factor.routes(authority),
        *enrolment.routes(authority),
        outbox.route(authority),
        *phone.routes(authority),
    ]
