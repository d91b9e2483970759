"""URLs as far as a small client needs them: taken apart and checked before anything is sent to them.

Stricter than RFC 3986 on purpose. User names in an authority serve phishing, a fragment never reaches a server, and
urequests 0.9.1 cuts the authority at its first colon, so an IPv6 literal would be dialled as the host "[".
"""

from stoa import digits

_HOST = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_"
_NOT_IN_A_URL = '"<>\\^`{|} '


def split(url, limit=512):
    """(scheme, host, port, path) of an absolute http or https URL; the path carries the query and starts with "/".

    Raises ValueError with a few words fit for a small screen. They never repeat the URL, which may hold a secret.
    """
    if not isinstance(url, str) or not url:
        raise ValueError("is not a URL")
    if len(url) > limit:
        raise ValueError("is too long")
    for c in url:
        if not "!" <= c <= "~" or c in _NOT_IN_A_URL:
            raise ValueError("has a character no URL has")
    scheme, mark, rest = url.partition("://")
    if not mark or scheme not in ("http", "https"):
        raise ValueError("must start with https://")
    if "#" in rest:
        raise ValueError("has a fragment (#)")
    end = len(rest)
    for c in "/?":
        at = rest.find(c)
        if 0 <= at < end:
            end = at
    authority = rest[:end]
    path = rest[end:]
    if not path.startswith("/"):
        path = "/" + path
    if "@" in authority:
        raise ValueError("has a user name (@)")
    if authority.startswith("["):
        raise ValueError("has an IPv6 address")
    host, mark, written = authority.partition(":")
    port = 443 if scheme == "https" else 80
    if mark:
        port = digits.number(written, 5)
        if port is None or not 1 <= port <= 65535:
            raise ValueError("has a bad port")
    if not host or host.startswith("."):
        raise ValueError("has no host")
    for c in host:
        if c not in _HOST:
            raise ValueError("has a bad host")
    return scheme, host, port, path


def is_loopback(host):
    """Whether the name is this very machine's: localhost, or 127.0.0.0/8 written as four numbers (RFC 6890)."""
    if host == "localhost":
        return True
    parts = host.split(".")
    if len(parts) != 4 or parts[0] != "127":
        return False
    numbers = [digits.number(part, 3) for part in parts]
    return None not in numbers and max(numbers) < 256
