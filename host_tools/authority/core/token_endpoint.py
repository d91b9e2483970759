"""What the token and device authorization endpoints decide, without their HTTP."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from host_tools.authority.core.access_tokens import AccessTokens, Subject
from host_tools.authority.core.device_grants import DeviceAuthorization, DeviceGrants
from host_tools.authority.core.errors import InvalidClient, InvalidGrant, InvalidScope, InvalidTarget, MfaRequired
from host_tools.authority.core.errors import OAuthError as Refused
from host_tools.authority.core.policies import MfaSwitch
from host_tools.authority.core.records import Client, Store
from host_tools.authority.core.refresh_tokens import RefreshTokens
from host_tools.authority.core.tally import Tally

OFFLINE_ACCESS = "offline_access"  # OpenID Connect Core 11: the scope that asks for a refresh token


@dataclass(frozen=True)
class Tokens:
    access_token: str
    expires_in: int
    scope: str
    refresh_token: str | None


class TokenEndpoint:
    def __init__(
        self,
        store: Store,
        grants: DeviceGrants,
        access: AccessTokens,
        refresh: RefreshTokens,
        mfa: MfaSwitch,
        tally: Tally,
    ) -> None:
        self._store = store
        self._grants = grants
        self._access = access
        self._refresh = refresh
        self._mfa = mfa
        self._tally = tally

    def client(self, client_id: str) -> Client:
        """A public client is known by its name alone. Raises InvalidClient."""
        client = self._store.get(Client, client_id)
        if client is None:
            raise InvalidClient
        return client

    def authorize_device(self, client_id: str, scope: str | None, audience: str | None) -> DeviceAuthorization:
        """Begin a device grant. Scopes the client may not have are left out, as Auth0 does. Raises InvalidTarget."""
        client = self.client(client_id)
        if audience not in (None, client.audience):
            raise InvalidTarget
        allowed = client.scopes.split()
        # RFC 6749 3.3: asked for none, a server falls back to a default, here all the client may have.
        asked = scope.split() if scope else allowed
        granted = " ".join(word for word in allowed if word in asked)
        return self._grants.begin(client, granted, client.audience)

    def redeem_device_code(self, client_id: str, device_code: str) -> Tokens:
        """Tokens for an approved device; see device_grants.polled for the refusals."""
        client = self.client(client_id)
        with self._store.transaction():
            polled = self._grants.poll(device_code, client)
            if not isinstance(polled, Refused):
                offline = OFFLINE_ACCESS in polled.scope.split()
                refresh_token = self._refresh.begin_family(client, polled) if offline else None
        if isinstance(polled, Refused):
            raise polled
        subject = Subject(
            user_id=polled.user_id or "",
            client_id=client_id,
            audience=polled.audience,
            scope=polled.scope,
            auth_time_at=polled.auth_time_at or 0,
            amr=polled.amr,
        )
        return self._tokens(subject, refresh_token)

    def refresh(self, client_id: str, refresh_token: str, scope: str | None) -> Tokens:
        """New tokens for a refresh token. Raises InvalidGrant, InvalidScope, MfaRequired.

        Rules run after the token is judged and before it is rotated: a challenged refresh leaves the token as it was.
        """
        client = self.client(client_id)
        with self._store.transaction():
            refusal: Refused | None = None
            found = self._refresh.presented(refresh_token, client)
            if found is None or found[1] in ("dead", "reused"):
                refusal = InvalidGrant()
                self._tally.add("refreshes_refused")
            elif scope and not set(scope.split()) <= set(found[0].scope.split()):
                refusal = InvalidScope()  # RFC 6749 6
            elif self._mfa.challenges_refresh():
                refusal = MfaRequired(_mfa_token())
                self._tally.add("refreshes_challenged")
            elif found:
                rotated = self._refresh.rotate(*found)
                self._tally.add("refreshes")
        if refusal or found is None:
            raise refusal or InvalidGrant()
        family = found[0]
        subject = Subject(
            user_id=family.user_id,
            client_id=client_id,
            audience=family.audience,
            scope=" ".join(scope.split()) if scope else family.scope,
            auth_time_at=family.auth_time_at,
            amr=family.amr,
        )
        return self._tokens(subject, rotated)

    def revoke(self, client_id: str, token: str) -> None:
        """RFC 7009, for refresh tokens: their family ends."""
        self._refresh.revoke(token, self.client(client_id))

    def _tokens(self, subject: Subject, refresh_token: str | None) -> Tokens:
        return Tokens(self._access.mint(subject), self._access.ttl_s, subject.scope, refresh_token)


def _mfa_token() -> str:
    """A fresh token of the shape Auth0 gives out: iron's seal, "Fe26.2" and its fields with stars between."""
    fields = [secrets.token_hex(3), secrets.token_hex(32), secrets.token_urlsafe(16), secrets.token_urlsafe(96)]
    return "*".join(["Fe26.2", *fields, "", secrets.token_hex(32), secrets.token_urlsafe(32)])
