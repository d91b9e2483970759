"""The code a person reads off a device and types: RFC 8628 section 6.1, in the shapes an Auth0 tenant may choose."""

from __future__ import annotations

import math
import secrets
from dataclasses import dataclass
from typing import Literal, get_args

from host_tools.authority.checks import check_choice
from host_tools.authority.errors import InvalidSetting

Charset = Literal["base20", "digits"]
CHARSETS: tuple[str, ...] = get_args(Charset)
# RFC 8628 6.1: no vowels, so that no word is formed and none looks alike; or digits alone, for a keypad.
ALPHABETS: dict[Charset, str] = {"base20": "BCDFGHJKLMNPQRSTVWXZ", "digits": "0123456789"}
# Auth0's limits (wire-facts 1.1): so many letters at least, and so many signs at most, hyphens and spaces included.
FEWEST = {"base20": 8, "digits": 9}
LONGEST_MASK = 20
_LONGEST_ENTRY = 64  # more than anyone types by mistake; keeps a hostile entry from costing anything


@dataclass(frozen=True)
class UserCodes:
    """The codes of one tenant. `mask`: a `*` for each letter, and the hyphens and spaces between.

    Raises InvalidSetting for a mask that Auth0 would refuse.
    """

    charset: Charset = "base20"
    mask: str = "****-****"

    def __post_init__(self) -> None:
        check_choice("charset", self.charset, CHARSETS)
        if not isinstance(self.mask, str) or set(self.mask) - set("*- "):
            raise InvalidSetting("mask", f"is {self.mask!r:.60}; it is made of *, hyphens and spaces")
        if len(self.mask) > LONGEST_MASK:
            raise InvalidSetting("mask", f"is {len(self.mask)} signs long; it may have {LONGEST_MASK}")
        if self.length < FEWEST[self.charset]:
            least = FEWEST[self.charset]
            raise InvalidSetting("mask", f"has {self.length} places (*); with {self.charset} it needs {least} or more")
        if self.mask != self.mask.strip():
            raise InvalidSetting("mask", "begins or ends with a space, which nobody sees")

    @property
    def length(self) -> int:
        return self.mask.count("*")

    @property
    def bits(self) -> float:
        """How much there is to guess."""
        return self.length * math.log2(len(ALPHABETS[self.charset]))

    def generate(self) -> str:
        """A random code, without the mask's hyphens."""
        return "".join(secrets.choice(ALPHABETS[self.charset]) for _ in range(self.length))

    def shown(self, code: str) -> str:
        """`WDJBMJHT` as `WDJB-MJHT`, the way devices and pages write it."""
        if len(code) != self.length:  # issued under another mask, before a restart
            return code
        letters = iter(code)
        return "".join(next(letters) if sign == "*" else sign for sign in self.mask)

    def normalised(self, entry: str) -> str | None:
        """What a person typed as a code, or None if it cannot be one.

        RFC 8628 6.1: compare without case, and ignore what is not in the alphabet ("wdjb mjht", "WDJB_MJHT.").
        """
        if len(entry) > _LONGEST_ENTRY:
            return None
        alphabet = ALPHABETS[self.charset]
        letters = "".join(letter for letter in entry.upper() if letter in alphabet)
        return letters if len(letters) == self.length else None
