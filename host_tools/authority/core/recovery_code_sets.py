"""A set of recovery codes as one authenticator: each code is good once, and the set ends with its last.

A single code, of the tenant file or the control API, is a set of one.
"""

from __future__ import annotations

import hmac
import secrets
import string
from collections.abc import Sequence

from host_tools.authority.core.records import fingerprint

COUNT = 10  # [I] how many there are, and what they look like
_ALPHABET = string.ascii_uppercase + string.digits
_LENGTH = 16  # 82 bits: no table has them (records.fingerprint)


def typed_fingerprint(entry: str) -> str:
    """What is kept of a recovery code, of one as somebody types it: in small letters, or in groups."""
    return fingerprint("".join(entry.split()).replace("-", "").upper())


def new_codes() -> tuple[str, ...]:
    return tuple("".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH)) for _ in range(COUNT))


def hashed(codes: Sequence[str]) -> str:
    """What is kept of them."""
    return " ".join(map(fingerprint, codes))


def without(kept: str, entry: str) -> str | None:
    """What is kept of the set once this code is spent; None where it is none of it, or was spent before."""
    typed = typed_fingerprint(entry)
    hashes = kept.split()
    # All of them are compared, whichever it is.
    others = [each for each in hashes if not hmac.compare_digest(each, typed)]
    return " ".join(others) if len(others) < len(hashes) else None
