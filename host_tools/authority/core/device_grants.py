"""The device authorization grant, RFC 8628: from the device's request to the one exchange of its device code.

=========  ==============================  ==========================================
status     what a person did               what the device hears
=========  ==============================  ==========================================
pending    nothing yet                     authorization_pending, slow_down
approved   allowed it                      tokens, once; then it is spent
denied     refused it                      access_denied
spent      allowed it, tokens were fetched invalid_grant
=========  ==============================  ==========================================

Past `expires_at` every status but spent answers expired_token exactly once (Auth0) and invalid_grant from then on.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace

from host_tools.authority.core import user_code
from host_tools.authority.core.errors import (
    AccessDenied,
    AuthorizationPending,
    ExpiredToken,
    InvalidGrant,
    OAuthError,
    SlowDown,
    UnknownUserCode,
)
from host_tools.authority.core.faults import Faults
from host_tools.authority.core.faults import SlowDown as AlwaysSlowDown
from host_tools.authority.core.records import Client, DeviceGrant, LoginSession, Store, fingerprint
from host_tools.authority.core.tally import Tally
from host_tools.clock import NS, Clock

LIFETIME_S = 900  # Auth0: 15 minutes
INTERVAL_S = 5  # RFC 8628 3.2: the default
_SLOW_DOWN_S = 5  # RFC 8628 3.5: "the interval MUST be increased by 5 seconds"
_KEPT_AFTER_EXPIRY_S = 86_400  # so that a device that slept through the expiry is still told of it


@dataclass(frozen=True)
class DeviceAuthorization:
    """What a device is given to begin with. `device_code` is its secret; `user_code` is for the screen."""

    device_code: str
    user_code: str
    expires_in: int
    interval: int


def polled(grant: DeviceGrant, now: int) -> tuple[DeviceGrant, OAuthError | None]:
    """One poll: the grant after it, and the refusal, or None when the tokens are due."""
    if grant.status == "spent" or grant.expiry_told_at is not None:
        return grant, InvalidGrant()
    if now >= grant.expires_at:
        return replace(grant, expiry_told_at=now), ExpiredToken()
    if grant.status == "denied":
        return grant, AccessDenied()
    if grant.status == "approved":
        return replace(grant, status="spent"), None
    heard = replace(grant, last_polled_at=now)
    # The first poll has nothing to be too close to: devices may ask at once (RFC 8628 sets no delay before it).
    if grant.last_polled_at is not None and now - grant.last_polled_at < grant.interval_s * NS:
        return replace(heard, interval_s=grant.interval_s + _SLOW_DOWN_S), SlowDown(grant.interval_s)
    return heard, AuthorizationPending()


def hurried(grant: DeviceGrant) -> tuple[DeviceGrant, OAuthError | None]:
    """One poll of a server that always says slow_down."""
    return replace(grant, interval_s=grant.interval_s + _SLOW_DOWN_S), SlowDown(grant.interval_s)


class DeviceGrants:
    def __init__(self, store: Store, clock: Clock, faults: Faults, tally: Tally) -> None:
        self._store = store
        self._clock = clock
        self._faults = faults
        self._tally = tally

    def begin(self, client: Client, scope: str, audience: str) -> DeviceAuthorization:
        now = self._clock.now_ns()
        device_code = secrets.token_urlsafe(32)  # RFC 8628 5.2: very high entropy
        with self._store.transaction():
            self._store.prune(DeviceGrant, "expires_at", now - _KEPT_AFTER_EXPIRY_S * NS)
            code = user_code.generate()
            while self._store.find(DeviceGrant, user_code=code):
                code = user_code.generate()
            self._store.put(
                DeviceGrant(
                    device_code_hash=fingerprint(device_code),
                    user_code=code,
                    client_id=client.client_id,
                    scope=scope,
                    audience=audience,
                    status="pending",
                    interval_s=INTERVAL_S,
                    created_at=now,
                    expires_at=now + LIFETIME_S * NS,
                    last_polled_at=None,
                    expiry_told_at=None,
                    user_id=None,
                    auth_time_at=None,
                    amr="",
                )
            )
        self._tally.add("device_grants_asked")
        return DeviceAuthorization(device_code, user_code.shown(code), LIFETIME_S, INTERVAL_S)

    def waiting(self, code: str) -> DeviceGrant:
        """The device that waits with this normalised user code. Raises UnknownUserCode."""
        for grant in self._store.find(DeviceGrant, user_code=code, status="pending"):
            if self._clock.now_ns() < grant.expires_at:
                return grant
        raise UnknownUserCode

    def answer(self, code: str, session: LoginSession, allow: bool) -> None:
        """A signed-in person's decision. A user code is answered once; then it is unknown. Raises UnknownUserCode."""
        with self._store.transaction():
            self._store.put(
                replace(
                    self.waiting(code),
                    status="approved" if allow else "denied",
                    user_id=session.user_id,
                    auth_time_at=session.auth_time_at,
                    amr=session.amr,
                )
            )
        self._tally.add("device_grants_approved" if allow else "device_grants_denied")

    def poll(self, device_code: str, client: Client) -> DeviceGrant | OAuthError:
        """The approved grant, now spent, or the refusal. Returned, not raised: what a refusal changed must be kept,
        also inside the transaction that would issue the tokens.
        """
        with self._store.transaction():
            grant = self._store.get(DeviceGrant, fingerprint(device_code))
            if grant is None or grant.client_id != client.client_id:
                return InvalidGrant()
            self._tally.add("device_polls")
            if self._faults.strike("token", AlwaysSlowDown):
                after, refusal = hurried(grant)
            else:
                after, refusal = polled(grant, self._clock.now_ns())
            self._store.put(after)
        if refusal is None:
            self._tally.add("device_grants_redeemed")
        return refusal or after
