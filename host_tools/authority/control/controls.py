"""Everything that can be asked of a running authority, once, for Python and for HTTP.

Every value is checked here; InvalidSetting names the one at fault.
"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime
from typing import get_args

from host_tools.authority.checks import check_choice, check_count, check_text
from host_tools.authority.core.authority import Authority
from host_tools.authority.core.faults import ActiveFault, Fault
from host_tools.authority.core.policies import MFA_MODES, MfaMode
from host_tools.authority.core.records import Client, User, fingerprint
from host_tools.authority.core.refresh_tokens import Ending, Examined
from host_tools.authority.errors import InvalidSetting, NotNow
from host_tools.clock import NS, VirtualClock, now_s, utc_text

_LONGEST_STEP_S = 10 * 366 * 86_400
_LONGEST_LEEWAY_S = 86_400
_LONGEST_TTL_S = 31 * 86_400


class Controls:
    def __init__(self, authority: Authority) -> None:
        self._authority = authority

    # The clock.

    @property
    def now(self) -> str:
        """The authority's time, in UTC: 2026-11-22T21:44:27Z."""
        return utc_text(now_s(self._authority.clock))

    @property
    def clock_can_be_set(self) -> bool:
        return isinstance(self._authority.clock, VirtualClock)

    def advance_clock(self, seconds: int) -> None:
        """Let that much time pass for everybody on this clock. Raises NotNow where time passes by itself."""
        check_count("seconds", seconds, 0, _LONGEST_STEP_S)
        self._virtual_clock().sleep_ns(seconds * NS)

    def set_clock(self, now: str) -> None:
        """Let time pass until this moment, an ISO 8601 time with its offset."""
        clock = self._virtual_clock()
        check_text("now", now)
        try:
            moment = datetime.fromisoformat(now)
        except ValueError as unreadable:
            raise InvalidSetting("now", f"is {now!r:.60}; write it as 2026-11-22T21:44:27Z") from unreadable
        if moment.tzinfo is None:
            raise InvalidSetting("now", "has no offset from UTC; end it in Z")
        ahead = int(moment.timestamp()) - now_s(clock)
        if not 0 <= ahead <= _LONGEST_STEP_S:
            raise InvalidSetting("now", f"is {now!r:.60}; it must lie within ten years from {self.now}")
        clock.sleep_ns(int(moment.timestamp()) * NS - clock.now_ns())

    # What the tenant decides.

    @property
    def mfa(self) -> MfaMode:
        return self._authority.mfa.mode

    def set_mfa(self, mode: MfaMode) -> None:
        """off, rule (everything is challenged, refreshes too) or policy (logins alone), from the next request on."""
        check_choice("mode", mode, MFA_MODES)
        self._authority.mfa.mode = mode

    @property
    def access_token_lifetime_s(self) -> int:
        return self._authority.access_tokens.ttl_s

    def set_access_token_lifetime(self, lifetime_s: int) -> None:
        """Of those issued from now on; one that is out keeps its own."""
        check_count("lifetime_s", lifetime_s, 1, _LONGEST_TTL_S)
        self._authority.access_tokens.ttl_s = lifetime_s

    def clients(self) -> list[Client]:
        return self._authority.store.find(Client)

    def set_refresh_leeway(self, client_id: str, refresh_leeway_s: int) -> None:
        """How long the token before the newest is still taken after a rotation: the grace for a lost reply."""
        check_count("refresh_leeway_s", refresh_leeway_s, 0, _LONGEST_LEEWAY_S)
        with self._authority.store.transaction():
            client = self.client(client_id)
            self._authority.store.put(replace(client, refresh_leeway_s=refresh_leeway_s))

    def client(self, client_id: str) -> Client:
        check_text("client_id", client_id)
        client = self._authority.store.get(Client, client_id)
        if client is None:
            raise InvalidSetting("client_id", f"is {client_id!r:.60}; there is no such client")
        return client

    def revoke(self, user: str | None = None, client_id: str | None = None, how: Ending = "revoke") -> int:
        """End the refresh-token families of the tenant, or of this user (name) and client; how many that were.

        how: `revoke`, `expire` them now, or `delete` them as if never issued. The device hears invalid_grant to each.
        Access tokens that are out stay good for their time, as self-contained ones do.
        """
        check_choice("how", how, get_args(Ending))
        of: dict[str, str] = {}
        if user is not None:
            of["user_id"] = self._user(user).user_id
        if client_id is not None:
            of["client_id"] = self.client(client_id).client_id
        return self._authority.refresh_tokens.end(how, **of)

    # What goes wrong.

    def faults(self) -> tuple[ActiveFault, ...]:
        return self._authority.faults.active()

    def set_fault(self, fault: Fault) -> ActiveFault:
        """From the next request on; see core/faults.py for the kinds."""
        return self._authority.faults.set(fault)

    def lift_fault(self, number: int) -> None:
        if not self._authority.faults.lift(number):
            raise InvalidSetting("number", f"is {number}; no such fault is set")

    def lift_faults(self) -> int:
        """All of them; how many that were."""
        return self._authority.faults.lift()

    # What has happened.

    def tally(self) -> dict[str, int]:
        """Counts since the start (core/tally.py), and the families that are good now, as `families_live`."""
        return {**self._authority.tally.counts(), "families_live": len(self._authority.refresh_tokens.live())}

    def examine(self, token: str | None = None, *, sha256: str | None = None) -> Examined | None:
        """What presenting this refresh token, or the one with this hash, would mean now. It is not used by that."""
        token_hash = fingerprint(token) if token is not None else sha256
        if token_hash is None or not re.fullmatch("[0-9a-f]{64}", token_hash):
            raise InvalidSetting("sha256", "must be a SHA-256 in 64 lower-case hexadecimal digits")
        return self._authority.refresh_tokens.examine(token_hash)

    def _user(self, name: str) -> User:
        check_text("user", name)
        found = self._authority.store.find(User, username=name.strip().lower())
        if not found:
            raise InvalidSetting("user", f"is {name!r:.60}; there is no such user")
        return found[0]

    def _virtual_clock(self) -> VirtualClock:
        clock = self._authority.clock
        if not isinstance(clock, VirtualClock):
            raise NotNow(
                "this authority runs in real time; start it with `stoa serve --clock virtual` to set its clock"
            )
        return clock
