"""The simulated authorization server and its quote API. It meets devices over HTTP alone, as in life."""

from __future__ import annotations

from host_tools.authority.core.faults import LoseReply, RateLimit, SlowDown
from host_tools.authority.errors import AuthorityError, InvalidSetting, NotNow
from host_tools.authority.server import RunningAuthority, start_authority
from host_tools.authority.snapshot import Snapshot
from host_tools.authority.tenant import Tenant

__all__ = [
    "AuthorityError",
    "InvalidSetting",
    "LoseReply",
    "NotNow",
    "RateLimit",
    "RunningAuthority",
    "SlowDown",
    "Snapshot",
    "Tenant",
    "start_authority",
]
