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

from host_tools.authority.core.errors import (
    AccessDenied,
    AuthorizationPending,
    DeniedByScript,
    ExpiredToken,
    InvalidGrant,
    OAuthError,
    SlowDown,
    UnknownUserCode,
)
from host_tools.authority.core.faults import Faults
from host_tools.authority.core.faults import SlowDown as AlwaysSlowDown
from host_tools.authority.core.pacing import INTERVAL_S, SLOW_DOWN_S, Pace, Paces, too_soon
from host_tools.authority.core.records import Client, DeviceGrant, LoginSession, fingerprint
from host_tools.authority.core.storage import Store
from host_tools.authority.core.tally import Tally
from host_tools.authority.core.user_code import UserCodes
from host_tools.clock import NS, Clock

LIFETIME_S = 900  # Auth0: 15 minutes
_KEPT_AFTER_EXPIRY_S = 86_400  # so that a device that slept through the expiry is still told of it


@dataclass(frozen=True)
class DeviceAuthorization:
    """What a device is given to begin with. `device_code` is its secret; `user_code` is for the screen."""

    device_code: str
    user_code: str
    expires_in: int
    interval: int


def device_code() -> str:
    """RFC 8628 5.2: very high entropy."""
    return secrets.token_urlsafe(32)


def polled(grant: DeviceGrant, pace: Pace, now: int) -> tuple[DeviceGrant, Pace, OAuthError | None]:
    """One poll: the grant and its pace after it, and the refusal, or None when the tokens are due."""
    if grant.status == "spent" or grant.expiry_told_at is not None:
        return grant, pace, InvalidGrant()
    if now >= grant.expires_at:
        return replace(grant, expiry_told_at=now), pace, ExpiredToken()
    if grant.status == "denied":
        return grant, pace, DeniedByScript(grant.denial) if grant.denial else AccessDenied()
    if grant.status == "approved":
        return replace(grant, status="spent"), pace, None
    heard = replace(pace, last_polled_at=now)
    if too_soon(pace.last_polled_at, pace.interval_s, now):
        return grant, replace(heard, interval_s=pace.interval_s + SLOW_DOWN_S), SlowDown(pace.interval_s)
    return grant, heard, AuthorizationPending()


class DeviceGrants:
    """`lifetime_s`, `interval_s` and `make_device_code` hold for what begins from then on; they may be changed while it
    runs."""

    def __init__(
        self, store: Store, clock: Clock, codes: UserCodes, faults: Faults, tally: Tally, paces: Paces
    ) -> None:
        self._store = store
        self._codes = codes
        self._clock = clock
        self._faults = faults
        self._tally = tally
        self._paces = paces
        self.lifetime_s = LIFETIME_S
        self.interval_s = INTERVAL_S
        self.make_device_code = device_code

    def begin(
        self, client: Client, scope: str, audience: str, max_age_s: int | None = None, acr_values: str = ""
    ) -> DeviceAuthorization:
        """max_age_s, acr_values: how the person has to have signed in, see login_demands.py."""
        now = self._clock.now_ns()
        device_code = self.make_device_code()
        with self._store.transaction(durable=False):  # a device that lost its code asks again
            self._store.prune(DeviceGrant, "expires_at", now - _KEPT_AFTER_EXPIRY_S * NS)
            code = self._codes.generate()
            while self._store.find(DeviceGrant, user_code=code):
                code = self._codes.generate()
            self._store.put(
                DeviceGrant(
                    device_code_hash=fingerprint(device_code),
                    user_code=code,
                    client_id=client.client_id,
                    scope=scope,
                    audience=audience,
                    status="pending",
                    interval_s=self.interval_s,
                    created_at=now,
                    expires_at=now + self.lifetime_s * NS,
                    expiry_told_at=None,
                    user_id=None,
                    auth_time_at=None,
                    amr="",
                    max_age_s=max_age_s,
                    acr_values=acr_values,
                )
            )
        self._tally.add("device_grants_asked")
        return DeviceAuthorization(device_code, self._codes.shown(code), self.lifetime_s, self.interval_s)

    def waiting(self, code: str) -> DeviceGrant:
        """The device that waits with this normalised user code. Raises UnknownUserCode."""
        for grant in self._store.find(DeviceGrant, user_code=code, status="pending"):
            if self._clock.now_ns() < grant.expires_at:
                return grant
        raise UnknownUserCode

    def answer(self, code: str, session: LoginSession, allow: bool, claims: str = "", denial: str = "") -> None:
        """A signed-in person's decision. A user code is answered once; then it is unknown. Raises UnknownUserCode.

        claims: what scripts add to the tokens. denial: why a script said no for the person.
        """
        with self._store.transaction():
            self._store.put(
                replace(
                    self.waiting(code),
                    status="approved" if allow else "denied",
                    user_id=session.user_id,
                    auth_time_at=session.auth_time_at,
                    amr=session.amr,
                    sid=session.sid,
                    claims=claims,
                    denial=denial,
                )
            )
        self._tally.add("device_grants_approved" if allow else "device_grants_denied")

    def heard(self, device_code: str, client: Client) -> OAuthError | None:
        """A poll that changes nothing but the pace: its refusal. None where there is more to it, for `poll`.

        Most polls are such, and they write nothing.
        """
        grant = self._store.get(DeviceGrant, fingerprint(device_code))
        if grant is None or grant.client_id != client.client_id:
            return None
        now = self._clock.now_ns()
        pace = self._paces.get(grant.device_code_hash, grant.interval_s, grant.expires_at)
        refusal: OAuthError | None
        if self._faults.strike("token", AlwaysSlowDown, client_id=client.client_id):
            after, refusal = replace(pace, interval_s=pace.interval_s + SLOW_DOWN_S), SlowDown(pace.interval_s)
        elif grant.status == "pending" and now < grant.expires_at:
            _, after, refusal = polled(grant, pace, now)
        else:
            return None
        self._tally.add("device_polls")
        self._paces.keep(grant.device_code_hash, after, now)
        return refusal

    def poll(self, device_code: str, client: Client) -> DeviceGrant | OAuthError:
        """The approved grant, now spent, or the refusal, after `heard` found more to it. Returned, not raised: what a
        refusal changed must be kept, also inside the transaction that would issue the tokens.
        """
        with self._store.transaction():
            grant = self._store.get(DeviceGrant, fingerprint(device_code))
            if grant is None or grant.client_id != client.client_id:
                return InvalidGrant()
            self._tally.add("device_polls")
            pace = self._paces.get(grant.device_code_hash, grant.interval_s, grant.expires_at)
            after, _, refusal = polled(grant, pace, self._clock.now_ns())
            self._store.put(after)
        if refusal is None:
            self._tally.add("device_grants_redeemed")
        return refusal or after
