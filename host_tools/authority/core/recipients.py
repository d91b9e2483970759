"""Where a message may go: what is a phone number and what an e-mail address, to a client and in a tenant file."""

from __future__ import annotations

import re

LONGEST_EMAIL = 254  # RFC 5321 4.5.3.1.3: a path
_GROUPING = re.compile("[ ()/-]")  # what people write between the digits
_PHONE = re.compile(r"\+[0-9]{6,15}")  # E.164: a plus, and 15 digits at most


def phone_number(text: str) -> str | None:
    """The number in E.164, without what groups its digits; None for what is none."""
    number = _GROUPING.sub("", text)
    return number if _PHONE.fullmatch(number) else None


def email_address(text: str) -> str | None:
    """The address as it is; None for what is none."""
    local, _, domain = text.rpartition("@")
    fit = local and domain and len(text) <= LONGEST_EMAIL and text.isprintable() and " " not in text
    return text if fit else None
