"""Users and their factors: a password (argon2id) and an authenticator (TOTP, RFC 6238)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pyotp
from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from host_tools.authority.core.attempts import AttemptLimits
from host_tools.authority.core.errors import WrongOneTimeCode, WrongPassword
from host_tools.authority.core.records import Store, User
from host_tools.clock import NS, Clock

STEP_S = 30
_DRIFT_STEPS = (-1, 0, 1)  # RFC 6238 5.2 and 6: one step back for the person's typing, one ahead for a fast phone

_hasher = PasswordHasher()
# A password for an unknown user is checked against this, so that the time taken does not tell who has an account.
_NOBODY = _hasher.hash("nobody has this password")


def hash_password(password: str) -> str:
    return _hasher.hash(password)


class Users:
    """`clock`: the one that people's authenticators run by."""

    def __init__(self, store: Store, clock: Clock, limits: AttemptLimits) -> None:
        self._store = store
        self._clock = clock
        self._limits = limits

    def get(self, user_id: str) -> User | None:
        return self._store.get(User, user_id)

    def check_password(self, username: str, password: str, address: str) -> User:
        """The user. Raises WrongPassword, or TooManyAttempts without looking at the password.

        Tries are counted for user and address together, so that a stranger cannot lock a person out from afar.
        """
        name = username.strip().lower()
        subject = f"{name} from {address}"
        self._limits.take("password, user", subject)
        found = self._store.find(User, username=name)
        user = found[0] if found else None
        if not _verified(user.password_hash if user else _NOBODY, password) or user is None:
            raise WrongPassword
        self._limits.give_back("password, user", subject)
        return user

    def check_one_time_code(self, user_id: str, entry: str) -> None:
        """Spend a one-time code. Raises WrongOneTimeCode for a wrong or replayed one, or TooManyAttempts."""
        self._limits.take("one-time code, user", user_id)
        code = "".join(entry.split())  # apps show "123 456"
        with self._store.transaction():
            user = self._store.get(User, user_id)
            step = _matching_step(user, code, self._clock.now_ns()) if user else None
            if user and step is not None:
                self._store.put(replace(user, last_totp_step=step))
        if step is None:
            raise WrongOneTimeCode
        self._limits.give_back("one-time code, user", user_id)


def _verified(password_hash: str, password: str) -> bool:
    try:
        return _hasher.verify(password_hash, password)
    except (Argon2Error, InvalidHashError):
        return False


def _matching_step(user: User, code: str, now_ns: int) -> int | None:
    """The unspent time step whose code this is."""
    totp = pyotp.TOTP(user.totp_secret, interval=STEP_S)
    now = now_ns // NS // STEP_S
    for step in (now + drift for drift in _DRIFT_STEPS):
        # pyotp compares in constant time. Steps up to the last spent one are never looked at again.
        moment = datetime.fromtimestamp(step * STEP_S, UTC)
        if step > user.last_totp_step and totp.verify(code, for_time=moment):
            return step
    return None
