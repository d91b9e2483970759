"""What a single value of a tenant file may be. Each check gives the value to go on with, or raises InvalidSetting.

A check of a secret never tells the value.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Any
from urllib.parse import urlsplit

import pyotp

from host_tools.authority.checked_table import Check
from host_tools.authority.checks import check_choice, check_count, check_flag, check_text
from host_tools.authority.core.authorization_requests import origin_of
from host_tools.authority.core.recipients import LONGEST_EMAIL, email_address, phone_number
from host_tools.authority.errors import InvalidSetting

_LONGEST_NAME = 100
_LONGEST_PASSWORD = 1024  # the sign-in page's
_LONGEST_VALUE = 255  # Auth0's for clientMetadata [I]
_SHORTEST_SECRET = 16
_SECRET = re.compile("[\x20-\x7e]+")  # RFC 6749 A.2: VSCHAR
_CLIENT_ID = re.compile("[\x21-\x7e]{1,100}")  # RFC 6749 A.1, without the space
_SCOPE = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]{1,100}")  # RFC 6749 3.3: scope-token
_RECOVERY_CODE = re.compile("[A-Z0-9]{12,64}")
_LONGEST_TOTP_SECRET = 128
# Of an authority on this machine (server.py's issuer), at any port: which it gets may not be known before it starts.
_MFA_API = re.compile(r"https?://127\.0\.0\.1:[0-9]+/mfa/")


def choice(choices: Collection[str]) -> Check[Any]:
    """One of these. The caller knows which Literal that is."""

    def check(field: str, value: object) -> object:
        check_choice(field, value, choices)
        return value

    return check


def count(least: int, most: int) -> Check[int]:
    def check(field: str, value: Any) -> int:
        check_count(field, value, least, most)
        return int(value)

    return check


def flag(field: str, value: Any) -> bool:
    check_flag(field, value)
    return bool(value)


def anything(field: str, value: Any) -> Any:
    """For what is checked together with other values."""
    return value


def text(field: str, value: Any) -> str:
    """A line that people read."""
    check_text(field, value, _LONGEST_NAME)
    return _printable(field, value)


def metadata(field: str, value: Any) -> str:
    check_text(field, value, _LONGEST_VALUE)
    return _printable(field, value)


def audience(field: str, value: Any) -> str:
    check_text(field, value)
    if set(value) & set(" \t") or not value.isprintable():
        raise InvalidSetting(field, f"is {value!r:.60}; write it without spaces, as https://api.example/quotes")
    if _MFA_API.fullmatch(value):
        raise InvalidSetting(
            field,
            f"is {value!r:.60}, which is the MFA API itself: only who gives a second factor gets a token for it; name"
            " the client's own API, as https://api.example/quotes",
        )
    return str(value)


def client_id(field: str, value: Any) -> str:
    if not isinstance(value, str) or not _CLIENT_ID.fullmatch(value):
        raise InvalidSetting(field, "must be a text of 1 to 100 letters, digits and signs of ASCII, without spaces")
    return value


def client_secret(field: str, value: Any) -> str:
    if not isinstance(value, str) or not _SECRET.fullmatch(value) or not _SHORTEST_SECRET <= len(value) <= 255:
        raise InvalidSetting(
            field,
            f"must be a text of {_SHORTEST_SECRET} to 255 signs of ASCII; take one that cannot be guessed, or leave it"
            " out for a public client",
        )
    return value


def scope(field: str, value: Any) -> str:
    if not isinstance(value, str) or not _SCOPE.fullmatch(value):
        raise InvalidSetting(field, f"is {value!r:.60}; a scope is a word of ASCII, as read:quotes")
    return value


def email(field: str, value: Any) -> str:
    """An e-mail address, in lower case."""
    check_text(field, value, LONGEST_EMAIL)
    address = email_address(value.strip())
    if address is None:
        raise InvalidSetting(field, f"is {value!r:.60}; it must be an e-mail address, as anna@stoa.example")
    return address.lower()


def phone(field: str, value: Any) -> str:
    number = phone_number(value) if isinstance(value, str) else None
    if number is None:
        raise InvalidSetting(field, f"is {value!r:.60}; write a phone number as +15550100123, in 6 to 15 digits")
    return number


def password(field: str, value: Any) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= _LONGEST_PASSWORD:
        raise InvalidSetting(
            field, f"must be a text of 1 to {_LONGEST_PASSWORD} characters; leave it out to have one made"
        )
    return value


def totp_secret(field: str, value: Any) -> str:
    """Base32 in capitals, without the spaces and the padding that apps show it with."""
    secret = re.sub("[ -]", "", value).rstrip("=").upper() if isinstance(value, str) and value.isascii() else ""
    try:
        if len(secret) > _LONGEST_TOTP_SECRET:
            raise ValueError
        pyotp.TOTP(secret)
    except ValueError as unfit:
        raise InvalidSetting(
            field,
            f"must be base32 of 112 bits or more: 23 to {_LONGEST_TOTP_SECRET} of A to Z and 2 to 7; leave it out to"
            " have one made",
        ) from unfit
    return secret


def recovery_code(field: str, value: Any) -> str:
    """In capitals, without what people group it with: as it is compared."""
    code = re.sub("[ -]", "", value).upper() if isinstance(value, str) else ""
    if not _RECOVERY_CODE.fullmatch(code):
        raise InvalidSetting(field, "must be a text of 12 to 64 letters and digits (Auth0's have 24)")
    return code


def network(field: str, value: Any) -> IPv4Network | IPv6Network:
    try:
        if not isinstance(value, str):
            raise ValueError
        return ip_network(value)
    except ValueError as unfit:
        raise InvalidSetting(
            field,
            f"is {value!r:.60}; write an address or a network whose bits past its length are 0, as 203.0.113.7,"
            " 203.0.113.0/24 or 2001:db8::/32",
        ) from unfit


def url(field: str, value: Any) -> str:
    """An address that can be posted to. It is not told: it may carry a key."""
    try:
        parts = urlsplit(value) if isinstance(value, str) and len(value) <= 2000 else None
        fit = parts is not None and parts.scheme in ("http", "https") and bool(parts.hostname)
        fit = fit and parts is not None and parts.port != 0 and not parts.fragment
    except ValueError:
        fit = False
    if not fit or not value.isascii() or not value.isprintable() or " " in value:
        raise InvalidSetting(
            field, "must be an http or https address of ASCII without #, as http://127.0.0.1:9000/messages"
        )
    return str(value)


def redirect_uri(field: str, value: Any) -> str:
    """Where a browser may be sent back to, after a login or a logout, compared letter by letter (RFC 9700 2.1)."""
    address = url(field, value)
    if "?" in address and not urlsplit(address).query:
        raise InvalidSetting(field, "ends in a bare ?, which an answer's own would follow; take it out")
    if ":" in (urlsplit(address).hostname or ""):
        # CSP Level 3, 2.3.1: a host-source has no IPv6, so that no form could lead there, and no frame be posted to.
        raise InvalidSetting(
            field, "is on an IPv6 address, which browsers' policies cannot name; write 127.0.0.1 or a name"
        )
    return address


_ORIGIN = "write an origin as browsers send it, as https://app.example:8443, without a port that is usual"


def web_origin(field: str, value: Any) -> str:
    """RFC 6454: scheme, host and port, as a browser sends them in Origin."""
    address = url(field, value)
    if address != origin_of(address):
        raise InvalidSetting(field, f"is {value!r:.60}; {_ORIGIN}")
    return address


def _printable(field: str, value: str) -> str:
    if not value.isprintable() or not value.strip():
        raise InvalidSetting(field, f"is {value!r:.60}; it must be a line that can be read")
    return value
