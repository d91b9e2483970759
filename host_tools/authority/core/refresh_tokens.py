"""Refresh tokens of public clients: rotated at each use, and a family dies when an old one is seen again.

RFC 9700 2.2.2 asks rotation with replay detection of public clients. Auth0's terms are kept: the lifetime is absolute,
and within `refresh_leeway_s` the token before the newest is still taken, for a device that lost the reply.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace
from typing import Literal

from host_tools.authority.core.records import Client, DeviceGrant, RefreshToken, Store, TokenFamily, fingerprint
from host_tools.authority.core.tally import Tally
from host_tools.clock import NS, Clock

Standing = Literal["newest", "within leeway", "reused", "dead"]
Ending = Literal["revoke", "expire", "delete"]


@dataclass(frozen=True)
class Examined:
    """What presenting a refresh token would mean now, and the family it is of."""

    standing: Standing
    generation: int
    family: TokenFamily


def standing(family: TokenFamily, generation: int, leeway_s: int, now: int) -> Standing:
    """What presenting the token of this generation means."""
    if family.revoked_at is not None or now >= family.expires_at:
        return "dead"
    if generation == family.generation:
        return "newest"
    if generation == family.generation - 1 and now < family.rotated_at + leeway_s * NS:
        return "within leeway"
    return "reused"


class RefreshTokens:
    def __init__(self, store: Store, clock: Clock, tally: Tally) -> None:
        self._store = store
        self._clock = clock
        self._tally = tally

    def begin_family(self, client: Client, grant: DeviceGrant) -> str:
        """The first token of an approved device."""
        if grant.user_id is None or grant.auth_time_at is None:
            raise ValueError("a family begins with an approved grant")
        now = self._clock.now_ns()
        family = TokenFamily(
            family_id=secrets.token_hex(16),
            client_id=client.client_id,
            user_id=grant.user_id,
            scope=grant.scope,
            audience=grant.audience,
            auth_time_at=grant.auth_time_at,
            amr=grant.amr,
            generation=0,
            rotated_at=now,
            expires_at=now + client.refresh_lifetime_s * NS,
            revoked_at=None,
        )
        self._tally.add("families_begun")
        with self._store.transaction():
            # To whoever presents one, a token of an expired family and one never issued are the same.
            for expired in self._store.before(TokenFamily, "expires_at", now):
                self._forget(expired)
            self._store.put(family)
            return self._issue(family)

    def presented(self, token: str, client: Client) -> tuple[TokenFamily, Standing] | None:
        """The family of a token and its standing; None when no such token was issued to this client.

        A reused token has revoked its family when this returns: whoever holds the newest one may be the thief
        (RFC 9700 4.14.2).
        """
        with self._store.transaction():
            held = self._store.get(RefreshToken, fingerprint(token))
            family = self._store.get(TokenFamily, held.family_id) if held else None
            if held is None or family is None or family.client_id != client.client_id:
                return None
            now = self._clock.now_ns()
            verdict = standing(family, held.generation, client.refresh_leeway_s, now)
            if verdict == "reused":
                family = replace(family, revoked_at=now)
                self._store.put(family)
                self._tally.add("families_ended_by_reuse")
            return family, verdict

    def rotate(self, family: TokenFamily, verdict: Standing) -> str:
        """The next token. Within the leeway it is a sibling of the newest: the device may hold either one."""
        with self._store.transaction():
            if verdict == "newest":
                family = replace(family, generation=family.generation + 1, rotated_at=self._clock.now_ns())
                self._store.put(family)
            else:
                self._tally.add("refreshes_within_leeway")
            return self._issue(family)

    def revoke(self, token: str, client: Client) -> None:
        """RFC 7009: the family of this token ends. An unknown token is no error."""
        with self._store.transaction():
            held = self._store.get(RefreshToken, fingerprint(token))
            family = self._store.get(TokenFamily, held.family_id) if held else None
            if family and family.client_id == client.client_id and family.revoked_at is None:
                self._store.put(replace(family, revoked_at=self._clock.now_ns()))

    def examine(self, token_hash: str) -> Examined | None:
        """The standing of a token, by its fingerprint, without using it; None when no such token is known."""
        with self._store.transaction():
            held = self._store.get(RefreshToken, token_hash)
            family = self._store.get(TokenFamily, held.family_id) if held else None
            client = self._store.get(Client, family.client_id) if family else None
            if held is None or family is None or client is None:
                return None
            now = self._clock.now_ns()
            return Examined(standing(family, held.generation, client.refresh_leeway_s, now), held.generation, family)

    def live(self, **equal: str) -> list[TokenFamily]:
        """The families whose newest token is good, of this `user_id` or `client_id` where given."""
        now = self._clock.now_ns()
        return [family for family in self._store.find(TokenFamily, revoked_at=None, **equal) if now < family.expires_at]

    def end(self, ending: Ending, **equal: str) -> int:
        """End the live families of this `user_id` or `client_id`, or all; how many that were."""
        now = self._clock.now_ns()
        with self._store.transaction():
            families = self.live(**equal)
            for family in families:
                if ending == "delete":
                    self._forget(family)
                elif ending == "expire":
                    self._store.put(replace(family, expires_at=now))
                else:
                    self._store.put(replace(family, revoked_at=now))
        return len(families)

    def _forget(self, family: TokenFamily) -> None:
        self._store.delete(RefreshToken, family_id=family.family_id)
        self._store.delete(TokenFamily, family_id=family.family_id)

    def _issue(self, family: TokenFamily) -> str:
        token = f"v1.{secrets.token_urlsafe(45)}"  # Auth0's rotating tokens look so; 360 random bits
        self._store.put(RefreshToken(fingerprint(token), family.family_id, family.generation))
        return token
