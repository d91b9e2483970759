"""How a person has to have signed in, where what they sign in for says so.

OpenID Connect Core 3.1.2.1 has `prompt`, `max_age` and `acr_values` for browser applications. A resource that wants a
fresher or a stronger authentication names the last two (RFC 9470 3), and whoever was refused there asks for them
(section 4): an application at /authorize, a display in its device authorization request, for which no RFC has them.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from host_tools.authority.core.access_tokens import MFA_ACR
from host_tools.authority.core.errors import InvalidRequest
from host_tools.authority.core.records import AuthorizationRequest, DeviceGrant, LoginSession
from host_tools.clock import NS

ACR_VALUES = (MFA_ACR,)  # those that mean something here; others are voluntary, and left alone (Core 5.5.1.1)
_MAX_AGE = re.compile(r"[0-9]{1,9}")
LONGEST_ACR_VALUES = 500


@dataclass(frozen=True)
class Demand:
    """asked_for: by what name the session has it."""

    asked_for: str
    max_age_s: int | None
    acr_values: str
    prompt: str = ""

    def wants_password(self, session: LoginSession, now: int) -> bool:
        """Whether who is signed in has to sign in anew. now: in nanoseconds since 1970."""
        # Who has signed in for this very request has done so, however long the pages after that take.
        if session.signed_in_for == self.asked_for:
            return False
        # Not by the time: a clock that stands still, as a rehearsal's may, would spare whoever has just signed in.
        if self.max_age_s == 0 or {"login", "select_account"} & set(self.prompt.split()):
            return True
        signed_in_at, max_age_s = session.auth_time_at or 0, self.max_age_s
        return max_age_s is not None and signed_in_at + max_age_s * NS < now

    def wants_factor(self, session: LoginSession) -> bool:
        """Whether a second factor is due that has not been given in this session, whatever the tenant's policy."""
        return MFA_ACR in self.acr_values.split() and "mfa" not in session.amr.split()


def of_request(request: AuthorizationRequest) -> Demand:
    return Demand(request.request_id, request.max_age_s, request.acr_values, request.prompt)


def of_device(grant: DeviceGrant) -> Demand:
    return Demand(grant.user_code, grant.max_age_s, grant.acr_values)


def max_age_of(get: Callable[[str], str | None]) -> int | None:
    """Seconds. Raises InvalidRequest for what is no `max_age`."""
    sent = get("max_age")
    if sent is None:
        return None
    if not _MAX_AGE.fullmatch(sent):
        raise InvalidRequest("max_age is a whole number of seconds.")
    return int(sent)


def acr_values_of(get: Callable[[str], str | None]) -> str:
    """Raises InvalidRequest for more than anybody would ask."""
    sent = get("acr_values") or ""
    if len(sent) > LONGEST_ACR_VALUES:
        raise InvalidRequest(f"acr_values is longer than {LONGEST_ACR_VALUES} characters.")
    return sent
