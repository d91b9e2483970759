"""Users and their passwords (argon2id). Their second factors: authenticators.py."""

from __future__ import annotations

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from host_tools.authority.core.attempts import AttemptLimits
from host_tools.authority.core.errors import WrongPassword
from host_tools.authority.core.events import EventLog
from host_tools.authority.core.records import User
from host_tools.authority.core.storage import Store


def hasher() -> PasswordHasher:
    """OWASP's Password Storage Cheat Sheet: argon2id with 19 MiB, two passes, one lane.

    The library's default (64 MiB, three passes) took 183 ms of processor for a hash here, these 27, and a start
    makes one for each password it shows.
    """
    return PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)


_hasher = hasher()
# An unknown user's password is checked against this, so that the time taken does not tell who has an account: the hash
# of 32 random bytes that nobody kept, at the cost of all the others (a test compares).
_NOBODY = "$argon2id$v=19$m=19456,t=2,p=1$x/ZzOydAFsStjbULTU235Q$Am1LGjIiHmJ242vR9W2CRRulvlUr7HmIW1WV09NtTz8"


def hash_password(password: str) -> str:
    return _hasher.hash(password)


class Users:
    def __init__(self, store: Store, limits: AttemptLimits, events: EventLog) -> None:
        self._store = store
        self._limits = limits
        self._events = events

    def get(self, user_id: str) -> User | None:
        return self._store.get(User, user_id)

    def check_password(self, username: str, password: str, address: str) -> User:
        """The user. Raises WrongPassword, or TooManyAttempts without looking at the password.

        Tries are counted for user and address together, so that a stranger cannot lock a person out from afar.
        """
        name = username.strip().lower()
        subject = f"{name} from {address}"
        self._limits.take("password, user", subject)
        user = self.with_password(name, password)
        self._limits.give_back("password, user", subject)
        return user

    def with_password(self, username: str, password: str) -> User:
        """The user whose password this is; nobody's tries are counted. Slow (argon2). Raises WrongPassword."""
        user = self.named(username)
        if not _verified(user.password_hash if user else _NOBODY, password) or user is None:
            self._events.add("login_failed", user_id=user.user_id if user else None)
            raise WrongPassword
        return user

    def named(self, username: str) -> User | None:
        found = self._store.find(User, username=username.strip().lower())
        return found[0] if found else None


def _verified(password_hash: str, password: str) -> bool:
    try:
        return _hasher.verify(password_hash, password)
    except (Argon2Error, InvalidHashError):
        return False
