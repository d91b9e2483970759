"""What people have allowed applications to have, so that they are asked once: OpenID Connect Core 3.1.2.4."""

from __future__ import annotations

from host_tools.authority.core.records import AuthorizationRequest, Client, Consent, fingerprint
from host_tools.authority.core.storage import Store


class Consents:
    def __init__(self, store: Store) -> None:
        self._store = store

    def needed(self, request: AuthorizationRequest, client: Client, user_id: str) -> bool:
        """Whether this person is to be asked before the application gets this."""
        if "consent" in request.prompt.split():
            return True
        if client.skips_consent:
            return False
        found = self._store.get(Consent, _key(request, user_id))
        return found is None or not set(request.scope.split()) <= set(found.scope.split())

    def give(self, request: AuthorizationRequest, user_id: str) -> None:
        """It has been allowed, beside what was before."""
        key = _key(request, user_id)
        with self._store.transaction():
            found = self._store.get(Consent, key)
            words = [*(found.scope.split() if found else ()), *request.scope.split()]
            self._store.put(Consent(key, user_id, request.client_id, " ".join(dict.fromkeys(words))))


def _key(request: AuthorizationRequest, user_id: str) -> str:
    return fingerprint(f"{user_id} {request.client_id} {request.audience}")
