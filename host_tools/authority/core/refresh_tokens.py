"""Refresh token families: each begins with one approval, and ends as one.

RFC 9700 2.2.2 asks rotation with replay detection of public clients; a client may be set to keep its token instead.
Auth0's terms are kept: the lifetime is absolute, a family that nobody uses may end sooner, and within
`refresh_leeway_s` the token before the newest is still taken, for a device that lost the reply. A client that is set to
rotate, or no longer to, is given a token of the new kind for its old one, which is gone by that: no leeway forgives it
(docs-v2, "Configure Refresh Token Rotation").
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace
from typing import Literal

from host_tools.authority.core.access_tokens import Subject
from host_tools.authority.core.events import EventLog
from host_tools.authority.core.records import Client, RefreshToken, TokenFamily, fingerprint
from host_tools.authority.core.storage import Store
from host_tools.authority.core.tally import Tally
from host_tools.clock import NS, Clock

Standing = Literal["newest", "within leeway", "reused", "dead"]
Ending = Literal["revoke", "expire", "delete"]


@dataclass(frozen=True)
class Presented:
    """A refresh token that a client brought: its family, its place in it, what bringing it means.

    ends_at: when one that is good ends if nobody uses it till then; None for never.
    """

    family: TokenFamily
    generation: int
    standing: Standing
    ends_at: int | None


def ends_at(family: TokenFamily, idle_s: int | None) -> int | None:
    """When its newest token ends if nobody uses it: its lifetime or its idleness, whichever is over first.

    idle_s: how long it may go unused.
    """
    idle_at = None if idle_s is None else family.used_at + idle_s * NS
    return min((moment for moment in (family.expires_at, idle_at) if moment is not None), default=None)


def is_live(family: TokenFamily, idle_s: int | None, now: int) -> bool:
    """Whether its newest token is good. idle_s: how long it may go unused."""
    end = ends_at(family, idle_s)
    return family.revoked_at is None and (end is None or now < end)


def standing(family: TokenFamily, generation: int, client: Client, now: int) -> Standing:
    """What presenting the token of this generation means."""
    if not is_live(family, client.refresh_idle_s, now):
        return "dead"
    if generation == family.generation:
        return "newest"
    if generation == family.generation - 1 and now < family.rotated_at + client.refresh_leeway_s * NS:
        return "within leeway"
    return "reused"


def _judged(family: TokenFamily, generation: int, client: Client, now: int) -> Presented:
    verdict = standing(family, generation, client, now)
    end = ends_at(family, client.refresh_idle_s)
    if verdict == "within leeway":
        leeway_ends_at = family.rotated_at + client.refresh_leeway_s * NS
        end = leeway_ends_at if end is None else min(end, leeway_ends_at)
    return Presented(family, generation, verdict, end)


def forget(store: Store, family: TokenFamily) -> None:
    """The family and all its tokens, as if they had never been."""
    store.delete(RefreshToken, family_id=family.family_id)
    store.delete(TokenFamily, family_id=family.family_id)


class RefreshTokens:
    def __init__(self, store: Store, clock: Clock, tally: Tally, events: EventLog) -> None:
        self._store = store
        self._clock = clock
        self._tally = tally
        self._events = events

    def begin_family(self, client: Client, subject: Subject) -> tuple[TokenFamily, str]:
        """A new family and its first token."""
        now = self._clock.now_ns()
        lifetime_s = client.refresh_lifetime_s
        family = TokenFamily(
            family_id=secrets.token_urlsafe(12),
            client_id=client.client_id,
            user_id=subject.user_id,
            scope=subject.scope,
            audience=subject.audience,
            auth_time_at=subject.auth_time_at,
            amr=subject.amr,
            generation=0,
            rotated_at=now,
            used_at=now,
            rotates=client.refresh_rotates,
            expires_at=None if lifetime_s is None else now + lifetime_s * NS,
            revoked_at=None,
            sid=subject.sid,
        )
        self._tally.add("families_begun")
        with self._store.transaction():
            # To whoever presents one, a token of an expired family and one never issued are the same.
            for expired in self._store.before(TokenFamily, "expires_at", now):
                forget(self._store, expired)
            self._store.put(family)
            return family, self._issue(family)

    def presented(self, token: str, client: Client) -> Presented | None:
        """What a client brings; None when no such token was issued to it.

        A reused token has revoked its family when this returns: whoever holds the newest one may be the thief
        (RFC 9700 4.14.2).
        """
        with self._store.transaction():
            held = self._store.get(RefreshToken, fingerprint(token))
            family = self._store.get(TokenFamily, held.family_id) if held else None
            if held is None or family is None or family.client_id != client.client_id:
                return None
            now = self._clock.now_ns()
            presented = _judged(family, held.generation, client, now)
            if presented.standing == "reused":
                presented = replace(presented, family=replace(family, revoked_at=now))
                self._store.put(presented.family)
                self._tally.add("families_ended_by_reuse")
                self._events.add("refresh_token_reused", family.client_id, family.user_id)
            return presented

    def again(self, family_id: str, generation: int, client: Client) -> Presented | None:
        """A token that was presented before, as it stands now; None when its family is forgotten."""
        family = self._store.get(TokenFamily, family_id)
        if family is None:
            return None
        return _judged(family, generation, client, self._clock.now_ns())

    def use(self, presented: Presented, client: Client, renewed: Subject | None = None) -> str | None:
        """Use a good token up: the one that takes its place, or None where the client keeps the one it has.

        Within the leeway the next one is a sibling of the newest: the device may hold either one.
        renewed: how the user has signed in meanwhile, to be told of in later tokens.
        """
        now = self._clock.now_ns()
        family = replace(presented.family, used_at=now)
        if renewed is not None:
            family = replace(family, auth_time_at=renewed.auth_time_at, amr=renewed.amr)
        changed = client.refresh_rotates != family.rotates
        if presented.standing == "within leeway":
            self._tally.add("refreshes_within_leeway")
        elif client.refresh_rotates or changed:
            family = replace(family, generation=family.generation + 1, rotated_at=now)
        family = replace(family, rotates=client.refresh_rotates)
        with self._store.transaction():
            if changed:
                self._let_go_of_old_kind(family)
            self._store.put(family)
            # A client that keeps its token within the leeway of an earlier rotation needs the newest to go on with.
            rotates = client.refresh_rotates or changed or presented.standing == "within leeway"
            return self._issue(family) if rotates else None

    def revoke(self, token: str, client: Client, whole_grant: bool) -> None:
        """RFC 7009: the family of this token ends. An unknown token is no error.

        whole_grant: so does every other family of this user, client and audience (Auth0's setting "Refresh Token
        Revocation Deletes Grant").
        """
        with self._store.transaction():
            held = self._store.get(RefreshToken, fingerprint(token))
            family = self._store.get(TokenFamily, held.family_id) if held else None
            if family is None or family.client_id != client.client_id or family.revoked_at is not None:
                return
            grant = {"user_id": family.user_id, "client_id": family.client_id, "audience": family.audience}
            ending = self.live(**grant) if whole_grant else [family]
            for each in ending:
                self._store.put(replace(each, revoked_at=self._clock.now_ns()))
            self._events.add("refresh_token_revoked", family.client_id, family.user_id, f"families: {len(ending)}")

    def examine(self, token_hash: str) -> Presented | None:
        """The standing of a token, by its fingerprint, without using it; None when no such token is known."""
        with self._store.transaction():
            held = self._store.get(RefreshToken, token_hash)
            family = self._store.get(TokenFamily, held.family_id) if held else None
            client = self._store.get(Client, family.client_id) if family else None
            if held is None or family is None or client is None:
                return None
            return _judged(family, held.generation, client, self._clock.now_ns())

    def family(self, family_id: str) -> TokenFamily | None:
        """The family of this id, where it is still good."""
        return next(iter(self.live(family_id=family_id)), None)

    def live(self, **equal: str) -> list[TokenFamily]:
        """The families whose newest token is good, of this `user_id` or `client_id` where given."""
        now = self._clock.now_ns()
        idle_s = {client.client_id: client.refresh_idle_s for client in self._store.find(Client)}
        found = self._store.find(TokenFamily, revoked_at=None, **equal)
        return [family for family in found if is_live(family, idle_s.get(family.client_id), now)]

    def end(self, ending: Ending, **equal: str) -> int:
        """End the live families of this `user_id` or `client_id`, or all; how many that were."""
        now = self._clock.now_ns()
        with self._store.transaction():
            families = self.live(**equal)
            for family in families:
                if ending == "delete":
                    forget(self._store, family)
                elif ending == "expire":
                    self._store.put(replace(family, expires_at=now))
                else:
                    self._store.put(replace(family, revoked_at=now))
        return len(families)

    def _let_go_of_old_kind(self, family: TokenFamily) -> None:
        """The tokens that this family has had till now, and, where it begins to rotate, all that were kept for the same
        user, client and API: Auth0 deletes those too, another device's with them."""
        self._store.delete(RefreshToken, family_id=family.family_id)
        if family.rotates:
            grant = {"user_id": family.user_id, "client_id": family.client_id, "audience": family.audience}
            for each in self._store.find(TokenFamily, rotates=False, **grant):
                if each.family_id != family.family_id:
                    forget(self._store, each)

    def _issue(self, family: TokenFamily) -> str:
        token = f"v1.{secrets.token_urlsafe(45)}"  # Auth0's rotating tokens look so; 360 random bits
        self._store.put(RefreshToken(fingerprint(token), family.family_id, family.generation))
        return token
