"""Users' second factors: enrolling, listing, checking what an authenticator shows, letting one go."""

from __future__ import annotations

import hmac
import secrets
import string
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import pyotp

from host_tools.authority.core.attempts import AttemptLimits
from host_tools.authority.core.authn_records import DeviceChoice
from host_tools.authority.core.errors import TooManyAttempts, WrongOneTimeCode, WrongRecoveryCode
from host_tools.authority.core.events import EventLog
from host_tools.authority.core.records import Authenticator, Factor, fingerprint
from host_tools.authority.core.recovery_code_sets import typed_fingerprint
from host_tools.authority.core.storage import Store
from host_tools.clock import NS, Clock

STEP_S = 30
_DRIFT_STEPS = (-1, 0, 1)  # RFC 6238 5.2 and 6: one step back for the person's typing, one ahead for a fast phone
_RECOVERY_ALPHABET = string.ascii_uppercase + string.digits
_RECOVERY_LENGTH = 24  # wire-facts 1.5: "K6LGLV3RSH3VERMKET8L7QKU"


@dataclass(frozen=True)
class Enrolled:
    """A new authenticator, and the recovery code that came with the user's first one."""

    authenticator: Authenticator
    recovery_code: str | None


class Authenticators:
    """`clock`: the one that people's authenticators run by."""

    def __init__(self, store: Store, clock: Clock, limits: AttemptLimits, events: EventLog) -> None:
        self._store = store
        self._clock = clock
        self._limits = limits
        self._events = events

    def of(self, user_id: str, factor: Factor | None = None, active: bool | None = True) -> list[Authenticator]:
        """The user's, oldest first. `active` None: those to be confirmed too."""
        found = self._store.find(Authenticator, user_id=user_id)
        wanted = [
            each
            for each in found
            if (factor is None or each.factor == factor) and (active is None or each.active == active)
        ]
        return sorted(wanted, key=lambda each: (each.created_at, each.authenticator_id))

    def has_any(self, user_id: str) -> bool:
        """Whether the user has confirmed a factor; a recovery code alone is none."""
        return any(each.factor != "recovery-code" for each in self.of(user_id))

    def enrol(self, user_id: str, factor: Factor, name: str = "", seed: bytes | None = None) -> Enrolled:
        """One to be confirmed by its first use. A phone for push brings one-time codes along: Guardian has both.

        It takes the place of one of its factor that was never confirmed. Until it is confirmed, a recovery code that
        came with it hangs on it as a twin: what was shown to somebody who got no further must open nothing.

        seed: the recovery code is made of it, for whoever keeps it to ask `recovery_code_of` again.
        """
        with self._store.transaction():
            for begun in self.of(user_id, factor, active=False):
                if factor == "push" or begun.twin_id is None:  # one-time codes that come with a push go with that
                    self._delete(begun)
            made = self.made(user_id, factor, name)
            if factor == "push":
                twin = replace(self.made(user_id, "otp", ""), twin_id=made.authenticator_id)
                made = replace(made, twin_id=twin.authenticator_id)
                self._store.put(twin)
            self._store.put(made)
            recovery_code = None
            if not self.of(user_id, "recovery-code"):
                recovery_code = self._new_recovery_code(user_id, made, seed)
            self._events.add("enrolment_started", user_id=user_id, detail=factor)
        return Enrolled(made, recovery_code)

    def confirm(self, authenticator: Authenticator) -> None:
        """Its first use was right: it counts from now on, and so do its twin and the recovery code that it brought."""
        if authenticator.active:
            return
        enrolled = {authenticator.authenticator_id, authenticator.twin_id} - {None}
        with self._store.transaction():
            for each in self.of(authenticator.user_id, active=False):
                recovery = each.factor == "recovery-code"
                if enrolled & {each.authenticator_id, each.twin_id}:
                    self._store.put(replace(each, active=True, twin_id=None if recovery else each.twin_id))
                elif recovery:
                    self._delete(each)
            self._events.add("enrolment_completed", user_id=authenticator.user_id, detail=authenticator.factor)

    def remove(self, user_id: str, authenticator_id: str) -> bool:
        """Let one go, and its twin with it (wire-facts 1.5). False where the user has no such authenticator."""
        with self._store.transaction():
            found = self._store.get(Authenticator, authenticator_id)
            if found is None or found.user_id != user_id:
                return False
            self.let_go(found)
            if not self.has_any(user_id):
                # The next one is the user's first again, and brings a recovery code of its own.
                self._store.delete(Authenticator, user_id=user_id, factor="recovery-code")
                # No device is remembered longer than what it was remembered by.
                self._store.delete(DeviceChoice, user_id=user_id)
        return True

    def let_go(self, authenticator: Authenticator) -> None:
        """This one, and its twin."""
        with self._store.transaction():
            self._delete(authenticator)
            self._events.add("authenticator_removed", user_id=authenticator.user_id, detail=authenticator.factor)

    def check_one_time_code(
        self,
        user_id: str,
        entry: str,
        active: bool | None = True,
        only: str | None = None,
        limit: str = "one-time code, user",
    ) -> Authenticator:
        """Spend a one-time code: whose it is. Raises WrongOneTimeCode (wrong, replayed), or TooManyAttempts.

        `active` None: one that is to be confirmed is looked at as well, and confirmed by this. `only`: the id of the
        one whose code it has to be. limit: whose tries are counted, of attempts.LIMITS.
        """
        self._take(limit, user_id)
        with self._store.transaction():
            wanted = (each for each in self.of(user_id, "otp", active) if only in (None, each.authenticator_id))
            shown = next((each for each in wanted if self.spend_one_time_code(each, entry)), None)
        if shown is None:
            raise WrongOneTimeCode
        self._limits.give_back(limit, user_id)
        return shown

    def spend_one_time_code(self, authenticator: Authenticator, entry: str) -> bool:
        """Whether it shows this code, which is spent then; it is confirmed by that. Nobody's tries are counted."""
        code = "".join(entry.split())  # apps show "123 456"
        with self._store.transaction():
            step = _matching_step(authenticator, code, self._clock.now_ns())
            if step is None:
                return False
            self._store.put(replace(authenticator, last_totp_step=step))
            self.confirm(authenticator)
        return True

    def was_spent(self, authenticator: Authenticator, entry: str) -> bool:
        """Whether this is a code that it showed lately and that was used: one that would be right but for that."""
        totp, code = pyotp.TOTP(authenticator.secret, interval=STEP_S), "".join(entry.split())
        now = self._clock.now_ns() // NS // STEP_S
        spent = [step for step in (now + drift for drift in _DRIFT_STEPS) if step <= authenticator.last_totp_step]
        return any(totp.verify(code, for_time=datetime.fromtimestamp(step * STEP_S, UTC)) for step in spent)

    def use_recovery_code(self, user_id: str, entry: str, seed: bytes | None = None) -> str:
        """Spend the recovery code; the one that takes its place. Raises WrongRecoveryCode, or TooManyAttempts.

        seed: as of `enrol`.
        """
        self._take("recovery code, user", user_id)
        typed = typed_fingerprint(entry)
        with self._store.transaction():
            held = self.of(user_id, "recovery-code")
            right = any(hmac.compare_digest(each.secret, typed) for each in held)
            if right:
                for each in held:
                    self._delete(each)
                following = self._new_recovery_code(user_id, seed=seed)
        if not right:
            raise WrongRecoveryCode
        self._limits.give_back("recovery code, user", user_id)
        return following

    def recovery_code_of(self, user_id: str, seed: bytes) -> str | None:
        """The user's recovery code, where it was made of this seed; else nobody can tell it any more."""
        for each in self.of(user_id, "recovery-code"):
            code = _recovery_code(seed, each)
            if hmac.compare_digest(each.secret, fingerprint(code)):
                return code
        return None

    def _take(self, kind: str, user_id: str) -> None:
        try:
            self._limits.take(kind, user_id)
        except TooManyAttempts:
            limited = "recovery_limited" if kind == "recovery code, user" else "one_time_code_limited"
            self._events.add(limited, user_id=user_id)  # type: ignore[arg-type]  # both are event kinds
            raise

    def made(self, user_id: str, factor: Factor, name: str) -> Authenticator:
        """One that is not kept yet."""
        return Authenticator(
            authenticator_id=secrets.token_urlsafe(12).replace("-", "0").replace("_", "1"),
            user_id=user_id,
            factor=factor,
            name=name,
            secret=pyotp.random_base32() if factor == "otp" else "",
            last_totp_step=0,
            active=False,
            twin_id=None,
            created_at=self._clock.now_ns(),
        )

    def _new_recovery_code(
        self, user_id: str, brought_by: Authenticator | None = None, seed: bytes | None = None
    ) -> str:
        """One that counts, or that will once the authenticator is confirmed that brought it."""
        twin_id = brought_by.authenticator_id if brought_by else None
        made = replace(self.made(user_id, "recovery-code", ""), twin_id=twin_id)
        code = _recovery_code(seed or secrets.token_bytes(32), made)
        self._store.put(replace(made, secret=fingerprint(code), active=brought_by is None))
        return code

    def _delete(self, authenticator: Authenticator) -> None:
        """And its twin, and a recovery code that hangs on it."""
        if authenticator.twin_id is not None and authenticator.factor != "recovery-code":
            self._store.delete(Authenticator, authenticator_id=authenticator.twin_id)
            self._store.delete(Authenticator, twin_id=authenticator.twin_id)
        self._store.delete(Authenticator, authenticator_id=authenticator.authenticator_id)
        self._store.delete(Authenticator, twin_id=authenticator.authenticator_id)


def _recovery_code(seed: bytes, kept_as: Authenticator) -> str:
    """Of this seed and no other record: the next one of the same seed is another."""
    number = int.from_bytes(hmac.digest(seed, kept_as.authenticator_id.encode(), "sha256"))
    signs = []
    for _ in range(_RECOVERY_LENGTH):
        number, sign = divmod(number, len(_RECOVERY_ALPHABET))
        signs.append(_RECOVERY_ALPHABET[sign])
    return "".join(signs)


def masked(authenticator: Authenticator) -> str:
    """`+1123XXXXX`, `dem***@stoa.example`: enough for its owner to know it by."""
    name = authenticator.name
    if authenticator.factor == "sms":
        return name[:5] + "X" * (len(name) - 5)
    if authenticator.factor == "email":
        local, _, domain = name.rpartition("@")
        return f"{local[:3]}***@{domain}"
    return name


def _matching_step(authenticator: Authenticator, code: str, now_ns: int) -> int | None:
    """The unspent time step whose code this is."""
    totp = pyotp.TOTP(authenticator.secret, interval=STEP_S)
    now = now_ns // NS // STEP_S
    for step in (now + drift for drift in _DRIFT_STEPS):
        # pyotp compares in constant time. Steps up to the last spent one are never looked at again.
        moment = datetime.fromtimestamp(step * STEP_S, UTC)
        if step > authenticator.last_totp_step and totp.verify(code, for_time=moment):
            return step
    return None
