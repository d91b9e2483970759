"""What the tenant's own scripts decide about a login or a refresh; Auth0's name for the moment is post-login.

How scripts are run is not known here: `Judge` is a function that somebody hands in. It may take half a second, so that
nobody calls it within a transaction.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace

from host_tools.authority.core.authenticators import Authenticators
from host_tools.authority.core.claims import Claims, claims_of
from host_tools.authority.core.errors import DeniedByScript
from host_tools.authority.core.events import EventLog
from host_tools.authority.core.policies import Directive, Protocol
from host_tools.authority.core.records import Authenticator, Client, TokenFamily, User
from host_tools.clock import Clock


@dataclass(frozen=True)
class Attempt:
    """Who is let in, to what, and how they have said who they are. auth_time_at: nanoseconds since 1970."""

    protocol: Protocol
    user: User
    client: Client
    scope: str
    audience: str
    amr: str
    auth_time_at: int
    address: str = ""
    user_agent: str = ""
    family: TokenFamily | None = None  # of a refresh
    acr_values: str = ""  # what a login was asked to be like (OpenID Connect Core 3.1.2.1)
    # PostLogin fills these in.
    authenticators: tuple[Authenticator, ...] = ()  # the user's active ones
    now: int = 0


@dataclass(frozen=True)
class Verdict:
    """mfa: None leaves it to the policy. denied: why, for whoever asked. faults: scripts that failed, for the log."""

    mfa: Directive | None = None
    denied: str | None = None
    claims: Claims = field(default_factory=Claims)
    faults: tuple[str, ...] = ()

    def text(self) -> str:
        """Of one that lets in, for a record; `verdict_of` reads it."""
        return json.dumps({"mfa": asdict(self.mfa) if self.mfa else None, "claims": self.claims.text()})


def verdict_of(text: str | None) -> Verdict:
    if text is None:
        return NO_VERDICT
    told = json.loads(text)
    mfa = told["mfa"]
    directive = Directive(mfa["challenges"], mfa["remembers"], tuple(mfa["factors"])) if mfa else None
    return Verdict(directive, claims=claims_of(told["claims"]))


NO_VERDICT = Verdict()
Judge = Callable[[Attempt], Verdict]


class PostLogin:
    """Asks the judge, if there is one, and logs what it says no to."""

    def __init__(self, clock: Clock, authenticators: Authenticators, events: EventLog) -> None:
        self._clock = clock
        self._authenticators = authenticators
        self._events = events
        self.judge: Judge | None = None

    def verdict(self, attempt: Attempt) -> Verdict:
        """Slow. Raises DeniedByScript."""
        if self.judge is None:
            return NO_VERDICT
        held = tuple(self._authenticators.of(attempt.user.user_id))
        found = self.judge(replace(attempt, authenticators=held, now=self._clock.now_ns()))
        client_id, user_id = attempt.client.client_id, attempt.user.user_id
        for fault in found.faults:
            self._events.add("script_failed", client_id, user_id, fault)
        if found.denied is not None:
            self._events.add("denied_by_script", client_id, user_id, attempt.protocol)
            raise DeniedByScript(found.denied)
        return found
