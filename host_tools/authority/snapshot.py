"""The whole state of an authority, to go back to: its records, its switches, its counts."""

from __future__ import annotations

from dataclasses import dataclass, replace

from host_tools.authority.core.authority import Authority
from host_tools.authority.core.faults import ActiveFault
from host_tools.authority.core.pacing import Pace
from host_tools.authority.core.policies import MfaSwitch
from host_tools.authority.core.post_login import Judge
from host_tools.authority.errors import NotNow


@dataclass(frozen=True)
class Snapshot:
    """Good for the authority it was taken of. The clock is everybody's, so whoever restores puts it back as well."""

    taken_at: int  # nanoseconds since 1970 UTC
    issuer: str
    records: bytes
    mfa: MfaSwitch
    access_token_ttl_s: int
    faults: tuple[ActiveFault, ...]
    tally: dict[str, int]
    paces: dict[str, Pace]
    judge: Judge | None


def take(authority: Authority) -> Snapshot:
    with authority.store.transaction():
        return Snapshot(
            taken_at=authority.clock.now_ns(),
            issuer=authority.issuer,
            records=authority.store.image(),
            mfa=replace(authority.mfa),
            access_token_ttl_s=authority.access_tokens.ttl_s,
            faults=authority.faults.active(),
            tally=authority.tally.counts(),
            paces=authority.paces.image(),
            judge=authority.post_login.judge,
        )


def put_back(authority: Authority, snapshot: Snapshot) -> None:
    """Raises NotNow for a snapshot of another authority, whose tokens name another issuer and key."""
    if snapshot.issuer != authority.issuer:
        raise NotNow(f"this is a snapshot of {snapshot.issuer}; restore it there")
    authority.store.put_back(snapshot.records)
    vars(authority.mfa).update(vars(snapshot.mfa))
    authority.access_tokens.ttl_s = snapshot.access_token_ttl_s
    authority.faults.put_back(snapshot.faults)
    authority.tally.put_back(snapshot.tally)
    authority.paces.put_back(snapshot.paces)
    authority.post_login.judge = snapshot.judge
