"""Everything that can be asked of a running authority, once, for Python and for HTTP.

Every value is checked here; InvalidSetting names the one at fault.
"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime
from typing import Literal, get_args

from host_tools.authority.checks import check_choice, check_count, check_flag, check_text
from host_tools.authority.core.authenticators import Enrolled
from host_tools.authority.core.authority import Authority
from host_tools.authority.core.errors import InvalidRequest
from host_tools.authority.core.events import KEPT
from host_tools.authority.core.faults import ActiveFault, Fault
from host_tools.authority.core.mfa_api import recipient
from host_tools.authority.core.mfa_transactions import ENROLLABLE
from host_tools.authority.core.policies import CONFIDENCES, MFA_MODES, Confidence, MfaMode, MfaSwitch
from host_tools.authority.core.records import (
    Authenticator,
    Client,
    Event,
    Factor,
    Message,
    OobChallenge,
    User,
    fingerprint,
)
from host_tools.authority.core.refresh_tokens import Ending, Presented
from host_tools.authority.errors import InvalidSetting, NotNow
from host_tools.authority.scripts import Engine, ScriptsInForce
from host_tools.authority.tenant_settings import LONGEST_ACCESS_TOKEN_LIFETIME_S, LONGEST_LEEWAY_S, MOST_FACTORS
from host_tools.clock import NS, VirtualClock, now_s, utc_text

_LONGEST_STEP_S = 10 * 366 * 86_400
_LATEST_S = 7_258_118_400  # 2200-01-01T00:00:00Z: what the database keeps of nanoseconds ends in 2262


class Controls:
    """scripts: the tenant's rules and actions, with methods of their own to see and to change them."""

    def __init__(self, authority: Authority, scripts: ScriptsInForce | None = None) -> None:
        self._authority = authority
        self.scripts = scripts or ScriptsInForce(Engine(), authority.post_login, authority.issuer)

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
        clock = self._virtual_clock()
        if now_s(clock) + seconds > _LATEST_S:
            raise InvalidSetting("seconds", f"is {seconds}; the clock goes no further than {utc_text(_LATEST_S)}")
        clock.sleep_ns(seconds * NS)

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
        if not 0 <= ahead <= min(_LONGEST_STEP_S, _LATEST_S - now_s(clock)):
            raise InvalidSetting("now", f"is {now!r:.60}; it must lie within ten years from {self.now}")
        clock.sleep_ns(int(moment.timestamp()) * NS - clock.now_ns())

    # What the tenant decides.

    @property
    def mfa(self) -> MfaSwitch:
        """The setting in force; core/policies.py says what each field means."""
        return self._authority.mfa

    def set_mfa(
        self,
        mode: MfaMode,
        strict: bool | None = None,
        factors: int | None = None,
        tell_requirements: bool | None = None,
        confidence: Confidence | Literal["judged"] | None = None,
    ) -> None:
        """never, always, adaptive or rule, from the next request on. What is left out stays as it is.

        confidence: what adaptive MFA finds; `judged` has it look for itself.
        """
        check_choice("mode", mode, MFA_MODES)
        if strict is not None:
            check_flag("strict", strict)
        if factors is not None:
            check_count("factors", factors, 1, MOST_FACTORS)
        if tell_requirements is not None:
            check_flag("tell_requirements", tell_requirements)
        if confidence is not None:
            check_choice("confidence", confidence, (*CONFIDENCES, "judged"))
        switch = self._authority.mfa
        switch.mode = mode
        switch.strict = switch.strict if strict is None else strict
        switch.factors = switch.factors if factors is None else factors
        switch.tell_requirements = switch.tell_requirements if tell_requirements is None else tell_requirements
        if confidence is not None:
            switch.confidence = None if confidence == "judged" else confidence

    @property
    def access_token_lifetime_s(self) -> int:
        return self._authority.access_tokens.ttl_s

    def set_access_token_lifetime(self, lifetime_s: int) -> None:
        """Of those issued from now on; one that is out keeps its own."""
        check_count("lifetime_s", lifetime_s, 1, LONGEST_ACCESS_TOKEN_LIFETIME_S)
        self._authority.access_tokens.ttl_s = lifetime_s

    def clients(self) -> list[Client]:
        return self._authority.store.find(Client)

    def set_refresh_leeway(self, client_id: str, refresh_leeway_s: int) -> None:
        """How long the token before the newest is still taken after a rotation: the grace for a lost reply."""
        check_count("refresh_leeway_s", refresh_leeway_s, 0, LONGEST_LEEWAY_S)
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
        """From the next request on; see core/fault_kinds.py. Raises InvalidSetting where it could never strike."""
        if fault.client_id is not None:
            self.client(fault.client_id)
        return self._authority.faults.set(fault)

    def lift_fault(self, number: int) -> None:
        if not self._authority.faults.lift(number):
            raise InvalidSetting("number", f"is {number}; no such fault is set")

    def lift_faults(self) -> int:
        """All of them; how many that were."""
        return self._authority.faults.lift()

    # What a person has, and does with it.

    def authenticators(self, user: str) -> list[Authenticator]:
        """The user's second factors, those to be confirmed included."""
        return self._authority.authenticators.of(self._user(user).user_id, active=None)

    def enrol(self, user: str, factor: Factor, name: str | None = None) -> Enrolled:
        """Give a user a second factor that counts at once, and a recovery code with the first.

        name: the phone number for sms, the address for email (default: the user's own), what the phone is called for
        push. The authenticator has the secret that a one-time code app needs. The recovery code is told here alone.
        """
        check_choice("factor", factor, ENROLLABLE)
        found = self._user(user)
        if name is not None:
            check_text("name", name)
        try:
            called = recipient(factor, name, found.username)
        except InvalidRequest as unfit:
            raise InvalidSetting("name", f"does not fit {factor}: {unfit.description}") from unfit
        with self._authority.store.transaction():
            enrolled = self._authority.authenticators.enrol(found.user_id, factor, called)
            self._authority.authenticators.confirm(enrolled.authenticator)
        return replace(enrolled, authenticator=replace(enrolled.authenticator, active=True))

    def pushes(self, user: str | None = None) -> list[OobChallenge]:
        """The pushes that wait for an answer, of one user or of all, the newest first."""
        user_id = None if user is None else self._user(user).user_id
        return self._authority.challenges.pending(user_id)

    def answer_push(self, approve: bool, user: str | None = None, challenge_id: str | None = None) -> OobChallenge:
        """What a person taps on the phone: for the newest push, or for the one named."""
        check_flag("approve", approve)
        with self._authority.store.transaction():  # between the look and the answer nobody else answers
            waiting = [each for each in self.pushes(user) if challenge_id in (None, each.challenge_id)]
            if not waiting:
                raise NotNow("no push waits for an answer; ask for one with /mfa/challenge")
            return self._authority.challenges.answer(waiting[0].challenge_id, approve)

    def messages(self) -> list[Message]:
        """The outbox: text messages and e-mails of the last day, the newest first."""
        return self._authority.outbox.newest()

    # What has happened.

    def events(self, most: int = 100) -> list[Event]:
        """The tenant's log, the newest first."""
        check_count("most", most, 1, KEPT)
        return self._authority.events.newest(most)

    def tally(self) -> dict[str, int]:
        """Counts since the start (core/tally.py), and the families that are good now, as `families_live`."""
        return {**self._authority.tally.counts(), "families_live": len(self._authority.refresh_tokens.live())}

    def examine(self, token: str | None = None, *, sha256: str | None = None) -> Presented | None:
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
