"""The way to the server: names, connections and TLS that fail, and what must never be sent."""

from __future__ import annotations

import ssl

import pytest

from stoa.net import usocket
from stoa.net.http import HttpError
from tests.unit.scripted_sockets import OK, Context, Pool, failure, post

pytestmark = pytest.mark.usefixtures("device_library_path")


@pytest.mark.parametrize(
    ("meets", "expected"),
    [
        ({"getaddrinfo": OSError(-2, "unknown")}, ("dns", "no address for id.example", False)),
        ({"nobody": 1}, ("dns", "no address for id.example", False)),
        ({"getaddrinfo": 31_000}, ("timeout", "looking up id.example", False)),
        ({"socket": RuntimeError("Out of sockets")}, ("connect", "no socket for id.example", False)),
        ({"connect": ConnectionRefusedError(111, "refused")}, ("connect", "no connection to id.example", False)),
        ({"connect": OSError(118, "EHOSTUNREACH")}, ("connect", "no connection to id.example", False)),
        ({"connect": OSError(116, "ETIMEDOUT")}, ("timeout", "connecting to id.example", False)),
        ({"connect": 31_000}, ("timeout", "connecting to id.example", False)),
        ({"send": BrokenPipeError(32, "pipe")}, ("truncated", "id.example hung up", True)),
        ({"send": TimeoutError("timed out")}, ("timeout", "sending to id.example", True)),
    ],
)
def test_failures_on_the_way_there(meets, expected):
    assert failure(Pool(OK + b"123456789", **meets)) == expected


def test_tls_wraps_then_connects_with_the_name_to_verify():
    pool, context = Pool(OK + b"123456789"), Context()
    assert post(pool, url="https://id.example/oauth/token", context=context).status == 200
    assert context.asked == ["id.example"]
    assert pool.only.connected == ("192.0.2.7", 443)
    assert (context.closed, pool.only.closed) == (1, 1)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (OSError(-0x2700, "X509 - certificate verification failed"), ("tls", "X509 - certificate verification failed")),
        (ssl.SSLCertVerificationError(1, "self-signed certificate"), ("tls", "self-signed certificate")),
        (OSError(-0x7200), ("tls", "TLS error -29184")),
        (OSError(5, "x" * 500), ("tls", "x" * 80)),
    ],
)
def test_a_failed_handshake_sends_nothing_and_closes_both_sockets(error, expected):
    pool, context = Pool(OK), Context(error)
    found = failure(pool, url="https://id.example/", context=context)
    assert found == (expected[0], expected[1] + " at id.example", False)
    assert pool.only.received == b""
    assert context.closed == 1


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        # ENETUNREACH, ECONNABORTED, ECONNRESET, ECONNREFUSED, EHOSTDOWN, EHOSTUNREACH by Linux's and newlib's numbers.
        *[(OSError(number), ("connect", "no connection to id.example")) for number in (101, 103, 104, 111, 112, 113)],
        *[(OSError(number), ("connect", "no connection to id.example")) for number in (114, 118)],
        # EAGAIN; ETIMEDOUT by Linux's and newlib's numbers.
        *[(OSError(number), ("timeout", "connecting to id.example")) for number in (11, 110, 116)],
        (MemoryError(), ("tls", "not enough memory for TLS")),
    ],
)
def test_a_failed_connection_under_tls_is_told_from_a_failed_handshake(error, expected):
    found = failure(Pool(OK, connect=error), url="https://id.example/", context=Context())
    assert found == (*expected, False)


def test_a_socket_that_takes_nothing_has_hung_up():
    assert failure(Pool(OK, piece=0)) == ("truncated", "id.example hung up", True)


def test_https_never_goes_out_in_the_clear():
    pool = Pool(OK)
    assert failure(pool, url="https://id.example/", context=None) == ("tls", "no TLS for id.example", False)
    assert pool.sockets == []
    wire = usocket.Wire(pool, Context(), pool.ticks, 5)
    wire.connect(("192.0.2.7", 443))
    wire.write(b"POST / HTTP/1.0\r\n\r\n")
    with pytest.raises(HttpError, match="not connected"):
        wire.readline()
    with pytest.raises(HttpError, match="no TLS"):
        wire.secure("")
    assert pool.sockets == []


@pytest.mark.parametrize(
    "how",
    [
        {"url": "http://id.example/a b"},
        {"url": "http://id.example/\r\nX: y"},
        {"url": "http://secret@id.example/"},
        {"url": "http://[::1]/"},
        {"headers": {"Authorization": "Bearer secret\r\nX: y"}},
        {"headers": {"If-None-Match": "sécret"}},
    ],
)
def test_what_would_break_the_request_is_refused_before_a_connection(how):
    pool = Pool(OK)
    assert failure(pool, **how)[0] == "protocol"
    assert pool.sockets == []
