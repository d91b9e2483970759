"""Ids of 24 hexadecimal digits, as MongoDB has them and Extra Horizon tells them, for records that have another key."""

from __future__ import annotations

import re

from host_tools.authority.core.records import fingerprint

PATTERN = "^[0-9a-fA-F]{24}$"
_OBJECT_ID = re.compile("[0-9a-f]{24}")


def object_id(key: str) -> str:
    """The 24 digits that a key is, or ends in after a bar as `auth0|...` does; of any other key, out of its hash."""
    last = key.rpartition("|")[2]
    return last if _OBJECT_ID.fullmatch(last) else fingerprint(key)[:24]
