"""One HTTP exchange, by the published urequests over our own sockets.

Nothing is ever sent twice: a refresh token that rotates makes the second copy of a POST a replay, for which servers
revoke the whole family. A redirect is an error and carries nothing anywhere.
"""

import sys

from stoa import digits, heap
from stoa import url as urls
from stoa.net import usocket
from stoa.net.usocket import HttpError
from stoa.obstacle import NoRoom

# No answer of an authorization server or of the quote API comes near it; a board without PSRAM could hold no more.
BODY_MAX = 32768
# Bytes that must be free before anything is sent, and so many of them in one piece. Auth0's answer to a refresh has
# 1,300, and by the time its token is in the vault it has been there in four forms.
FREE = 8192
IN_ONE_PIECE = 3072

# The reply's headers somebody asks for; the rest is not worth the RAM.
KEPT = (
    "content-length",
    "content-type",
    "etag",
    "retry-after",
    "www-authenticate",
    "x-ratelimit-reset",
)

# RFC 3986 2.3.
_UNRESERVED = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"


class Reply:
    """status: int; headers: dict, those of KEPT that came, names in lower case; body: a bytearray."""

    def __init__(self, status, headers, body):
        self.status = status
        self.headers = headers
        self.body = body


def exchange(method, url, fields, headers, limit, timeout, pool, ssl_context, ticks_ms):
    """Send one request, once, and return its Reply, whatever the status but 1xx and 3xx (a GET may get its 304).

    method        "GET" or "POST"
    fields        (name, value) pairs of str for a form body, or None
    headers       a dict of str to str, or None; Host, Accept, User-Agent and the body's are set here
    limit         the most bytes of body that are taken (BODY_MAX, say)
    timeout       seconds for the whole exchange, int
    pool          CircuitPython's SocketPool, or CPython's socket module
    ssl_context   a verifying SSLContext; None is enough for plain http
    ticks_ms      a function giving int milliseconds, such as supervisor.ticks_ms

    Raises HttpError; NoRoom where nothing has been sent, for an answer would find no room.
    """
    if heap.is_small():
        # What lives as long as the exchange goes into the lowest holes, and the room above stays in one piece.
        heap.free()
    try:
        scheme, host, port, path = urls.split(url, 2048)
    except ValueError as error:
        raise HttpError("protocol", "the address " + str(error))
    secure = scheme == "https"
    if secure and ssl_context is None:
        raise HttpError("tls", "no TLS for " + host)
    # urequests would leave the port out (RFC 9110 7.2 wants it unless it is the default).
    sent = {
        "Host": host if port == (443 if secure else 80) else "%s:%d" % (host, port),
        "Accept": "application/json",
        "User-Agent": "stoa",
    }
    for name in headers or ():
        value = headers[name]
        for c in value:
            if not " " <= c <= "~":
                raise HttpError("protocol", "header %s has an odd character" % name)
        sent[name] = value
    data = None
    if fields is not None:
        sent["Content-Type"] = "application/x-www-form-urlencoded"
        data = form(fields)
    # The port spelt out and a path always there: urequests then cuts the URL where we did.
    target = "%s://%s:%d%s" % (scheme, host, port, path)
    request = _urequests()
    _make_sure_of_room()
    if sys.implementation.name == "cpython":
        from stoa.net.byte_text import ByteText

        method, target = ByteText(method), ByteText(target)
    wire = usocket.Wire(pool, ssl_context if secure else None, ticks_ms, timeout)
    usocket.begin(wire)
    try:
        response = request(method, target, data=data, headers=sent, parse_headers=_keep)
        return _finish(method, response.status_code, response.headers, wire, limit)
    except MemoryError:
        # Within the limit, so no fault of the server's: lost on the way, and perhaps to be had once more.
        heap.tell_it_is_full()
        raise HttpError("truncated", "no memory for the answer of " + host, wire.sent)
    finally:
        usocket.end()


def json_object(reply, kind=dict):
    """The reply's body if it is a JSON object and does not say to be something else, as a dict; else None.

    kind: list, for a JSON array as a list.
    """
    if "json" not in reply.headers.get("content-type", "json").lower():
        return None
    import json

    try:
        # MicroPython's json takes bytes that are no UTF-8; str() does not. CPython's RecursionError is a RuntimeError.
        body = json.loads(str(reply.body, "utf-8"))
    except (ValueError, RuntimeError):
        return None
    return body if isinstance(body, kind) else None


def form(fields):
    """(name, value) pairs as application/x-www-form-urlencoded, bytes. Everything but RFC 3986's unreserved is %XX."""
    out = bytearray()
    for name, value in fields:
        if out:
            out += b"&"
        _encode(out, name)
        out += b"="
        _encode(out, value)
    return bytes(out)


def _encode(out, text):
    for byte in text.encode():
        if byte in _UNRESERVED:
            out.append(byte)
        else:
            out += b"%%%02X" % byte


def _urequests():
    # Ours by name before urequests looks: MicroPython has modules of these names that would win, CircuitPython none.
    if "urequests" not in sys.modules:
        import json

        from stoa.net import ussl

        sys.modules["usocket"] = usocket
        sys.modules["ussl"] = ussl
        sys.modules["ujson"] = json
    import urequests

    return urequests.request


def _make_sure_of_room():
    """Raise NoRoom where an answer would find none: to a refresh, it may have cost the token that was sent."""
    if heap.is_small():
        try:
            bytearray(IN_ONE_PIECE)
        except MemoryError:
            raise NoRoom()
        if heap.free() < FREE:
            raise NoRoom()


def _keep(line, headers):
    """urequests' header hook: `line` as Wire.readline gave it, `headers` the dict to fill."""
    if line.startswith(b"transfer-encoding:"):
        # RFC 9112 6.1: an HTTP/1.0 request must not be answered so.
        raise HttpError("protocol", "a chunked answer", True)
    try:
        name, _, value = str(line, "utf-8").partition(":")
    except ValueError:
        # Obsolete bytes (RFC 9110 5.5), which no header of KEPT has a use for.
        return
    if name not in KEPT:
        return
    value = value.strip()
    if name in headers:
        if name == "content-length" and headers[name] != value:
            # RFC 9112 6.3: a message with differing lengths is invalid.
            raise HttpError("protocol", "two content lengths", True)
        if name == "www-authenticate":
            value = headers[name] + ", " + value
    headers[name] = value


def _finish(method, status, headers, wire, limit):
    if status == 304 and method != "GET":
        raise HttpError("redirect", "status 304 to a " + method, True)
    if status in (204, 304):
        return Reply(status, headers, b"")
    length = headers.get("content-length")
    if length is not None:
        length = digits.number(length, 9)
        if length is None:
            raise HttpError("protocol", "bad content length", True)
    return Reply(status, headers, wire.read_body(length, limit))
