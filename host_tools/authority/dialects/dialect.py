"""What a dialect is: a vendor's wire, as data for whoever puts an authority together."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.responses import Response
from starlette.routing import Route

from host_tools.authority.core.authority import Authority
from host_tools.authority.core.authorization_requests import WEB_MESSAGE
from host_tools.authority.core.device_grants import LIFETIME_S
from host_tools.authority.core.fault_kinds import StatusReply
from host_tools.authority.core.faults import Endpoint, RateLimit
from host_tools.authority.core.user_code import UserCodes
from host_tools.authority.openapi_operation import Operation
from host_tools.authority.tenant_settings import TenantSettings


@dataclass(frozen=True)
class LogoutPaths:
    """Where browsers are sent to be signed out. standard, also: by OpenID Connect RP-Initiated Logout 1.0.

    at_once: where nobody is asked. leads_on: see core.logouts.Logouts.asked.
    """

    standard: str
    at_once: str | None = None
    leads_on: bool = False
    also: tuple[str, ...] = ()


@dataclass(frozen=True)
class AuthorizePage:
    """Where browsers are sent to sign in. takes_session_tokens: see core.session_tokens. message_mode: see
    core.authorization_requests."""

    paths: tuple[str, ...] = ("/authorize",)
    takes_session_tokens: bool = False
    message_mode: str = WEB_MESSAGE


AT_AUTHORIZE = AuthorizePage()


@dataclass(frozen=True)
class DeviceFlow:
    """What a device is given, where the tenant does not say otherwise; make_device_code None: the core's."""

    user_codes: UserCodes = field(default_factory=UserCodes)
    lifetime_s: int = LIFETIME_S
    make_device_code: Callable[[], str] | None = None


@dataclass(frozen=True)
class Dialect:
    """A vendor's wire. `operations`: what its routes answer.

    endpoints: what a fault of that endpoint strikes, by the path as its route has it. logout, authorize: of pages.
    demo: what its demo tenant has in place of the usual one's.
    new_user_id: None for the usual one. signs_on_by_policy: whether the tenant's sign-on policy holds.
    script_headers: what scripts of other origins may send beside what all may. scripts_send_cookies: whether they may
    say that they do, though none is looked at. fault_body: of a status that a fault answers, where it is not OAuth's.
    """

    endpoints: Mapping[str, Endpoint]
    routes: Callable[[Authority], list[Route]]
    too_many_requests: Callable[[RateLimit, int], Response]  # at this time, in seconds since 1970
    operations: Callable[[], tuple[Operation, ...]]
    logout: LogoutPaths
    demo: Callable[[TenantSettings], TenantSettings] = lambda usual: usual
    authorize: AuthorizePage = AT_AUTHORIZE
    device_flow: DeviceFlow = field(default_factory=DeviceFlow)
    new_user_id: Callable[[], str] | None = None
    signs_on_by_policy: bool = False
    script_headers: tuple[str, ...] = ()
    scripts_send_cookies: bool = False
    fault_body: Callable[[StatusReply, str], Mapping[str, Any] | None] = lambda fault, sentence: None
