"""Access tokens that were good for one use, and have been used: seeds/002's API "discards" the token of a transfer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from host_tools.authority.core.records import fingerprint
from host_tools.authority.core.resource_errors import UsedToken
from host_tools.authority.core.resource_records import SpentToken
from host_tools.authority.core.storage import Store
from host_tools.clock import NS, Clock


class SpentTokens:
    """A token is known by its `jti`, for as long as it would have been good."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def has(self, claims: Mapping[str, Any], request_id: str = "") -> bool:
        """request_id: of a request that may have used it itself, as a server in front asks again for the same one."""
        found = self._store.get(SpentToken, _key(claims))
        return found is not None and not (request_id and found.request_hash == fingerprint(request_id))

    def spend(self, claims: Mapping[str, Any], request_id: str = "") -> None:
        """Within the transaction of what it is used for. Raises UsedToken."""
        with self._store.transaction():
            self._store.prune(SpentToken, "expires_at", self._clock.now_ns())
            if self.has(claims, request_id):
                raise UsedToken
            by = fingerprint(request_id) if request_id else ""
            self._store.put(SpentToken(_key(claims), int(claims["exp"]) * NS, by))


def _key(claims: Mapping[str, Any]) -> str:
    return fingerprint(str(claims.get("jti", "")))
