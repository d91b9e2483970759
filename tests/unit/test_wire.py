"""urequests on scripted sockets: the request as sent, deadlines by an injected clock, limits, truncation."""

from __future__ import annotations

import sys

import pytest

from stoa.net import http, usocket
from stoa.net.http import HttpError
from tests.unit.scripted_sockets import OK, Context, Pool, Ticks, failure, post

pytestmark = pytest.mark.usefixtures("device_library_path")


def test_a_post_on_the_wire():
    pool = Pool(OK + b'{"a": 1}\n')
    reply = post(pool, headers={"Authorization": "Bearer x"})
    assert (reply.status, reply.body) == (200, b'{"a": 1}\n')
    assert reply.headers == {"content-type": "application/json", "content-length": "9"}
    assert http.json_object(reply) == {"a": 1}
    head, _, body = pool.only.received.partition(b"\r\n\r\n")
    assert body == b"grant_type=refresh_token&refresh_token=v1.a%2Bb%2Fc%3Dd%26e%20f"
    lines = head.split(b"\r\n")
    assert lines[0] == b"POST /oauth/token?tenant=1 HTTP/1.0"
    assert sorted(lines[1:]) == [
        b"Accept: application/json",
        b"Authorization: Bearer x",
        b"Connection: close",
        b"Content-Length: %d" % len(body),
        b"Content-Type: application/x-www-form-urlencoded",
        b"Host: id.example:8400",
        b"User-Agent: stoa",
    ]
    assert pool.only.connected == ("192.0.2.7", 8400)
    assert pool.only.closed == 1


def test_the_library_is_the_published_one_on_our_sockets():
    post(Pool(OK + b"123456789"))
    assert sys.modules["usocket"] is usocket
    assert sys.modules["urequests"].usocket is usocket


@pytest.mark.parametrize(
    ("url", "host"), [("http://h/x", b"h"), ("http://h:80/x", b"h"), ("http://h:81/x", b"h:81"), ("https://h/x", b"h")]
)
def test_host_names_the_port_unless_it_is_the_schemes(url, host):
    pool = Pool(OK + b"123456789")
    post(pool, url=url, context=Context())
    assert b"\r\nHost: " + host + b"\r\n" in pool.only.received


@pytest.mark.parametrize("piece", [1, 7, 511, 512, 513])
def test_pieces_of_any_size_make_the_same_exchange(piece):
    pool = Pool(OK, b"123", b"456789 and more", piece=piece)
    assert post(pool).body == b"123456789"
    assert pool.only.received.endswith(b"e%20f")


def test_a_body_without_a_length_ends_with_the_connection():
    assert post(Pool(b"HTTP/1.0 200 OK\nContent-Type: text/plain\n\n" + b"x" * 2000)).body == b"x" * 2000


@pytest.mark.parametrize("status", [204, 304])
def test_a_get_without_content(status):
    pool = Pool(b'HTTP/1.1 %d X\r\nETag: "e"\r\nContent-Length: 70\r\n\r\n' % status)
    reply = http.exchange("GET", "http://h/", None, None, 100, 5, pool, None, pool.ticks)
    assert (reply.status, reply.headers.get("etag"), reply.body) == (status, '"e"', b"")
    assert b"Content-" not in pool.only.received


def test_every_status_that_is_an_answer_is_returned():
    for status in (200, 400, 401, 403, 429, 500, 503):
        assert post(Pool(b"HTTP/1.1 %d\r\nContent-Length: 0\r\n\r\n" % status)).status == status


@pytest.mark.parametrize("status", [300, 301, 302, 303, 307, 308, 399, 304])
def test_a_redirect_of_a_post_is_an_error_and_one_connection(status):
    pool = Pool(b"HTTP/1.1 %d Moved\r\nLocation: http://secret.example/\r\n\r\n" % status)
    assert failure(pool)[0] == "redirect"
    assert pool.only.received.count(b"POST ") == 1


@pytest.mark.parametrize("header", [b"Location: http://x/", b"location: http://x/", b"LOCATION: http://x/"])
def test_a_get_is_not_redirected_either(header):
    pool = Pool(b"HTTP/1.1 302 Found\r\n" + header + b"\r\n\r\n")
    with pytest.raises(HttpError, match="redirect"):
        http.exchange("GET", "http://h/", None, None, 100, 5, pool, None, pool.ticks)
    assert len(pool.sockets) == 1


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        ([b""], ("truncated", "no whole answer from id.example", True)),
        ([b"HTTP/1.1 200 OK\r\nContent-Le"], ("truncated", "no whole answer from id.example", True)),
        ([b"HTTP/1.1 200 OK\r\nContent-Type: x\r\n"], ("truncated", "no whole answer from id.example", True)),
        ([OK, b"1234"], ("truncated", "4 of 9 bytes from id.example", True)),
        ([OK, b"1234", ConnectionResetError(104, "reset")], ("truncated", "id.example hung up", True)),
        ([b"SSH-2.0-OpenSSH\r\n"], ("protocol", "no HTTP from id.example", True)),
        ([b"HTTP/1.1 OK\r\n\r\n"], ("protocol", "no HTTP from id.example", True)),
        ([b"HTTP/1.1 2000 OK\r\n\r\n"], ("protocol", "no HTTP from id.example", True)),
        ([b"HTTP/2 200\r\n\r\n"], ("protocol", "no HTTP from id.example", True)),
        ([b"HTTP/1.1 100 Continue\r\n\r\n"], ("protocol", "status 100 from id.example", True)),
        ([b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n"], ("protocol", "bad header from id.example", True)),
        ([b"HTTP/1.1 200 OK\r\nA: b\r\n folded\r\n\r\n"], ("protocol", "bad header from id.example", True)),
        ([b"HTTP/1.1 200 OK\r\nContent-Length : 5\r\n\r\n"], ("protocol", "bad header from id.example", True)),
        ([b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"], ("protocol", "a chunked answer", True)),
        ([b"HTTP/1.1 200 OK\r\nTRANSFER-ENCODING: gzip, chunked\r\n\r\n"], ("protocol", "a chunked answer", True)),
        ([b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n"], ("protocol", "bad content length", True)),
        ([b"HTTP/1.1 200 OK\r\nContent-Length: 1e3\r\n\r\n"], ("protocol", "bad content length", True)),
        (
            [b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n"],
            ("protocol", "two content lengths", True),
        ),
        ([b"HTTP/1.1 200 OK\r\nA: " + b"x" * 5000], ("too_big", "header of id.example", True)),
        ([b"HTTP/1.1 200 OK\r\n", b"A: b\r\n" * 200], ("too_big", "header of id.example", True)),
        ([b"HTTP/1.1 200 OK\r\n", (b"A: " + b"x" * 3000 + b"\r\n") * 6], ("too_big", "header of id.example", True)),
        ([b"HTTP/1.1 200 OK\r\nContent-Length: 2000000\r\n\r\n"], ("too_big", "2000000 bytes from id.example", True)),
        ([b"HTTP/1.1 200 OK\r\n\r\n", b"x" * 40_000], ("too_big", "more than 32768 bytes from id.example", True)),
        ([TimeoutError("timed out")], ("timeout", "waiting for id.example", True)),
        ([OSError(116, "ETIMEDOUT")], ("timeout", "waiting for id.example", True)),
        ([OK, b"12", OSError(110, "ETIMEDOUT")], ("timeout", "waiting for id.example", True)),
    ],
)
def test_replies_that_are_none(reply, expected):
    assert failure(Pool(*reply)) == expected


def test_a_huge_body_is_not_read():
    pool = Pool(b"HTTP/1.1 200 OK\r\n\r\n", *[b"x" * 4096] * 100)
    assert failure(pool, limit=5000)[0] == "too_big"
    assert len(pool.only.reply) > 90


@pytest.mark.parametrize("start", [0, 0x1FFFFFFF - 10])
def test_a_slow_drip_ends_at_the_deadline_of_the_exchange(start):
    drip = [part for byte in OK + b"123456789" for part in (1000, bytes([byte]))]
    pool = Pool(*drip, ticks=Ticks(start))
    assert failure(pool, timeout=30) == ("timeout", "waiting for id.example", True)
    assert pool.ticks.value - start == 30_000
    pool = Pool(*drip, ticks=Ticks(start))
    assert post(pool, timeout=120).body == b"123456789"


def test_no_operation_may_wait_past_the_deadline_of_the_exchange():
    pool = Pool(20_000, OK, 5_000, b"123456789")
    assert post(pool, timeout=40).status == 200
    assert pool.only.timeouts[0] == usocket.OPERATION_S
    assert pool.only.timeouts == sorted(pool.only.timeouts, reverse=True)
    pool = Pool(OK + b"123456789")
    post(pool, timeout=7)
    assert pool.only.timeouts == [7]


def test_memory_that_does_not_suffice_is_an_error_of_the_exchange():
    assert failure(Pool(MemoryError())) == ("truncated", "no memory for the answer of id.example", True)


def test_odd_bytes_in_a_header_nobody_asks_for():
    reply = post(Pool(b"HTTP/1.1 200 OK\r\nX-Name: \xff\xfe\r\nContent-Length: 0\r\n\r\n"))
    assert reply.headers == {"content-length": "0"}


def test_challenges_in_two_headers_are_one_list():
    reply = post(Pool(b"HTTP/1.1 401 X\r\nWWW-Authenticate: Basic\r\nwww-authenticate: Bearer a=b\r\n\r\n"))
    assert reply.headers["www-authenticate"] == "Basic, Bearer a=b"


@pytest.mark.parametrize(
    ("head", "body", "found"),
    [
        ("application/json", b'{"a": 1}', {"a": 1}),
        ("application/problem+json; charset=utf-8", b"{}", {}),
        (None, b"{}", {}),
        ("text/html", b"{}", None),
        ("application/json", b"<html>", None),
        ("application/json", b"[1]", None),
        ("application/json", b"", None),
        ("application/json", b'{"a": "\xff"}', None),
        ("application/json", b'{"a": ' + b"[" * 30_000, None),
    ],
)
def test_json_object(head, body, found):
    headers = {} if head is None else {"content-type": head}
    assert http.json_object(http.Reply(200, headers, body)) == found


@pytest.mark.parametrize(
    ("body", "found"), [(b'[{"a": 1}]', [{"a": 1}]), (b"[]", []), (b'{"a": 1}', None), (b"7", None)]
)
def test_json_array_where_one_is_wanted(body, found):
    assert http.json_object(http.Reply(200, {}, body), list) == found
