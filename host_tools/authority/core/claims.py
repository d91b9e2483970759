"""What the tenant's scripts add to tokens."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Claims:
    """What scripts add to tokens: JSON values by the claim's name."""

    access: Mapping[str, Any] = field(default_factory=dict)
    id: Mapping[str, Any] = field(default_factory=dict)

    def text(self) -> str:
        """For a record; `claims_of` reads it."""
        return json.dumps([self.access, self.id]) if self.access or self.id else ""


def claims_of(text: str) -> Claims:
    return Claims(*json.loads(text)) if text else Claims()
