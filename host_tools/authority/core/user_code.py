"""The code a person reads off a device and types: RFC 8628 section 6.1."""

from __future__ import annotations

import secrets

ALPHABET = "BCDFGHJKLMNPQRSTVWXZ"  # RFC 8628 6.1: base 20, no vowels, so that no word is formed and none looks alike
LENGTH = 8  # 20**8 = 34.5 bits
_LONGEST_ENTRY = 64  # more than anyone types by mistake; keeps a hostile entry from costing anything


def generate() -> str:
    """Eight random letters, without the hyphen."""
    return "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))


def shown(code: str) -> str:
    """`WDJBMJHT` as `WDJB-MJHT`, the way devices and pages write it."""
    return f"{code[:4]}-{code[4:]}"


def normalised(entry: str) -> str | None:
    """What a person typed as a code, or None if it cannot be one.

    RFC 8628 6.1: compare without case, and ignore what is not in the alphabet ("wdjb mjht", "WDJB_MJHT.").
    """
    if len(entry) > _LONGEST_ENTRY:
        return None
    letters = "".join(letter for letter in entry.upper() if letter in ALPHABET)
    return letters if len(letters) == LENGTH else None
