"""What a deploy came to."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Report:
    """What a deploy came to; sizes in bytes. slot: where the board's program is. notes: what its owner should know."""

    slot: str = ""
    changed: bool = False
    sent: list[str] = field(default_factory=list)
    sent_bytes: int = 0
    copied: int = 0
    removed: int = 0
    files: int = 0
    kept_token: bool = False
    notes: list[str] = field(default_factory=list)
