"""A user's own second factor, as Extra Horizon lets people set it up: methods, and a switch that is theirs.

A method is an authenticator: one-time codes (`totp`), or a set of recovery codes. Those that the tenant file or the
control API gave are methods as well.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace

import pyotp

from host_tools.authority.core.authenticators import Authenticators
from host_tools.authority.core.errors import OAuthError
from host_tools.authority.core.events import EventLog
from host_tools.authority.core.mfa_errors import InvalidOtp, InvalidRecoveryCode, UnknownAuthenticator
from host_tools.authority.core.object_ids import object_id
from host_tools.authority.core.reattempt_delay import remaining_ms
from host_tools.authority.core.records import Authenticator, Factor
from host_tools.authority.core.recovery_code_sets import hashed, new_codes, without
from host_tools.authority.core.storage import Store
from host_tools.authority.core.user_mfa_errors import (
    NotEnoughMethods,
    NothingToConfirm,
    ReattemptDelay,
    TooManyMethods,
)
from host_tools.authority.core.user_mfa_records import UserMfa
from host_tools.clock import Clock

MOST_METHODS = 20
# [I] What MFA takes to be on. seeds/001 has both made before it: recovery codes "are needed to reset the MFA".
ENOUGH: frozenset[Factor] = frozenset({"otp", "recovery-code"})


def is_enough(methods: Iterable[Authenticator]) -> bool:
    """Whether MFA can be on with these."""
    return {each.factor for each in methods if each.active} >= ENOUGH


class UserMfaMethods:
    def __init__(self, store: Store, clock: Clock, authenticators: Authenticators, events: EventLog) -> None:
        self._store = store
        self._clock = clock
        self._authenticators = authenticators
        self._events = events

    def of(self, user_id: str) -> list[Authenticator]:
        """The user's methods, oldest first, those to be verified included.

        A recovery code that hangs on an authenticator which was never confirmed (authenticators.py) is none yet.
        """
        kept = self._authenticators.of(user_id, active=None)
        return [each for each in kept if each.factor == "otp" or (each.factor == "recovery-code" and each.active)]

    def setting(self, user_id: str) -> UserMfa:
        return self._store.get(UserMfa, user_id) or UserMfa(user_id, False, 0, None, None)

    def add_totp(self, user_id: str, name: str, tags: tuple[str, ...]) -> Authenticator:
        """One that shows one-time codes; it does not count until it is verified. Raises TooManyMethods."""
        return self._add(user_id, "otp", name, tags, pyotp.random_base32(), active=False)

    def add_recovery_codes(self, user_id: str, name: str, tags: tuple[str, ...]) -> tuple[Authenticator, list[str]]:
        """A set that counts at once, and its codes, which are told here alone. Raises TooManyMethods."""
        codes = new_codes()
        return self._add(user_id, "recovery-code", name, tags, hashed(codes), active=True), list(codes)

    def confirm(self, user_id: str, method_id: str, code: str) -> None:
        """Raises UnknownAuthenticator, NothingToConfirm, InvalidOtp."""
        with self._store.transaction():
            method = self._named(user_id, method_id)
            if method.active:
                raise NothingToConfirm
            if not self._authenticators.spend_one_time_code(method, code):
                raise InvalidOtp
            self._touch(method)

    def remove(self, user_id: str, method_id: str) -> None:
        """Raises UnknownAuthenticator; NotEnoughMethods for the last of its type while MFA is on."""
        with self._store.transaction():
            method = self._named(user_id, method_id)
            others = {each.factor for each in self.of(user_id) if each.active and each != method}
            if self.setting(user_id).enabled and method.active and method.factor not in others:
                raise NotEnoughMethods
            self._authenticators.let_go(method)

    def enable(self, user_id: str) -> None:
        """Raises NotEnoughMethods."""
        with self._store.transaction():
            if not is_enough(self.of(user_id)):
                raise NotEnoughMethods
            self._switch(user_id, True)

    def disable(self, user_id: str) -> None:
        with self._store.transaction():
            self._switch(user_id, False)

    def attempt(self, user_id: str, methods: Iterable[Authenticator], method_id: str, code: str) -> Factor | OAuthError:
        """What this code proves, by one of these methods: it is spent then, and the failures are over. Else why not:
        ReattemptDelay, UnknownAuthenticator, InvalidOtp, InvalidRecoveryCode.

        Within the caller's transaction, which has to keep what a wrong one costs: so it is returned.
        """
        setting, now = self.setting(user_id), self._clock.now_ns()
        waiting_ms = remaining_ms(setting.failed_attempts, setting.failed_at, now)
        if waiting_ms:
            return ReattemptDelay(waiting_ms)
        method = next((each for each in methods if object_id(each.authenticator_id) == method_id), None)
        if method is None:
            return UnknownAuthenticator()
        if not self._spend(method, code):
            self._store.put(replace(setting, failed_attempts=setting.failed_attempts + 1, failed_at=now))
            return InvalidOtp() if method.factor == "otp" else InvalidRecoveryCode()
        self._store.put(replace(setting, failed_attempts=0, failed_at=None))
        return "otp" if method.factor == "otp" else "recovery-code"

    def _spend(self, method: Authenticator, code: str) -> bool:
        if method.factor == "otp":
            return self._authenticators.spend_one_time_code(method, code)
        left = without(method.secret, code)
        if left:
            self._touch(replace(method, secret=left))
        elif left is not None:
            self._authenticators.let_go(method)
        return left is not None

    def _named(self, user_id: str, method_id: str) -> Authenticator:
        for each in self.of(user_id):
            if object_id(each.authenticator_id) == method_id:
                return each
        raise UnknownAuthenticator

    def _add(
        self, user_id: str, factor: Factor, name: str, tags: tuple[str, ...], secret: str, active: bool
    ) -> Authenticator:
        with self._store.transaction():
            if len(self.of(user_id)) >= MOST_METHODS:
                raise TooManyMethods
            made = self._authenticators.made(user_id, factor, name)
            made = replace(made, secret=secret, active=active, tags=json.dumps(tags) if tags else "")
            self._store.put(made)
            self._events.add("enrolment_started", user_id=user_id, detail=factor)
        return made

    def _touch(self, method: Authenticator) -> None:
        fresh = self._store.get(Authenticator, method.authenticator_id) or method
        self._store.put(replace(fresh, secret=method.secret, updated_at=self._clock.now_ns()))

    def _switch(self, user_id: str, enabled: bool) -> None:
        setting = self.setting(user_id)
        self._store.put(replace(setting, enabled=enabled, updated_at=self._clock.now_ns()))
        if setting.enabled != enabled:
            self._events.add("mfa_enabled" if enabled else "mfa_disabled", user_id=user_id)
