"""The simulated authorization server and its quote API. It meets devices over HTTP alone, as in life."""

from __future__ import annotations

from host_tools.authority.core.fault_kinds import (
    DelayReply,
    LoseReply,
    MalformedReply,
    RateLimit,
    SlowDown,
    StatusReply,
    TruncateReply,
)
from host_tools.authority.errors import AuthorityError, InvalidSetting, NotNow
from host_tools.authority.server import RunningAuthority, start_authority
from host_tools.authority.snapshot import Snapshot
from host_tools.authority.tenant import Tenant

__all__ = [
    "AuthorityError",
    "DelayReply",
    "InvalidSetting",
    "LoseReply",
    "MalformedReply",
    "NotNow",
    "RateLimit",
    "RunningAuthority",
    "SlowDown",
    "Snapshot",
    "StatusReply",
    "Tenant",
    "TruncateReply",
    "start_authority",
]
