"""The same exchange against real servers on loopback, through CPython's sockets and TLS."""

from __future__ import annotations

import http.server
import json
import socket
import socketserver
import ssl
import threading
import time
from urllib.parse import parse_qsl, quote

import pytest
import trustme
from hypothesis import given
from hypothesis import strategies as st

from stoa.net.http import BODY_MAX, HttpError, exchange, form, json_object

pytestmark = pytest.mark.usefixtures("device_library_path")
SECRET = (("grant_type", "refresh_token"), ("refresh_token", "v1.secret+/=&"))


def ticks_ms():
    return time.monotonic_ns() // 1_000_000


def post(url, context=None, timeout=20):
    return exchange("POST", url, SECRET, None, BODY_MAX, timeout, socket, context, ticks_ms)


class Server:
    """A server of one connection at a time that keeps what it was sent and answers `answer(handler)`."""

    def __init__(self, answer, context=None):
        self.requests = []
        requests = self.requests

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                requests.append((self.path, dict(self.headers), body))
                answer(self)

            def log_message(self, *args):
                pass

        class Quiet(socketserver.TCPServer):
            def handle_error(self, request, client_address):
                pass

        self._server = Quiet(("127.0.0.1", 0), Handler)
        self.port = self._server.server_address[1]
        if context is not None:
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *exc):
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def url(self, path="/oauth/token", host="127.0.0.1", scheme="http"):
        return f"{scheme}://{host}:{self.port}{path}"


def answer_json(handler):
    body = json.dumps({"access_token": "at", "ü": "ü"}).encode()
    handler.send_response(200)
    handler.send_header("Content-Type", "application/json")
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)


def hang_up(handler):
    handler.close_connection = True


def test_a_post_arrives_as_the_standard_library_reads_it():
    with Server(answer_json) as server:
        reply = post(server.url())
    assert json_object(reply) == {"access_token": "at", "ü": "ü"}
    ((path, headers, body),) = server.requests
    assert path == "/oauth/token"
    assert headers["Host"] == f"127.0.0.1:{server.port}"
    assert parse_qsl(body.decode(), strict_parsing=True) == list(SECRET)


def test_a_server_that_takes_the_post_and_hangs_up_sees_it_exactly_once():
    with Server(hang_up) as server, pytest.raises(HttpError) as caught:
        post(server.url())
    assert (caught.value.kind, caught.value.sent) == ("truncated", True)
    assert len(server.requests) == 1


@pytest.mark.parametrize("status", [300, 301, 302, 303, 307, 308])
def test_a_redirect_to_another_origin_carries_nothing_there(status):
    with Server(answer_json) as elsewhere:

        def redirect(handler):
            handler.send_response(status)
            handler.send_header("Location", elsewhere.url())
            handler.send_header("Content-Length", "0")
            handler.end_headers()

        with Server(redirect) as server, pytest.raises(HttpError) as caught:
            post(server.url())
    assert caught.value.kind == "redirect"
    assert len(server.requests) == 1
    assert elsewhere.requests == []


def test_html_is_a_reply_but_no_json_object():
    def portal(handler):
        handler.send_response(200)
        handler.send_header("Content-Type", "text/html")
        handler.end_headers()
        handler.wfile.write(b"<html>Please log in</html>")

    with Server(portal) as server:
        reply = post(server.url())
    assert reply.status == 200
    assert json_object(reply) is None


def test_a_body_of_two_megabytes_is_refused():
    def huge(handler):
        handler.send_response(200)
        handler.end_headers()
        handler.wfile.write(b"x" * 2_000_000)

    with Server(huge) as server, pytest.raises(HttpError) as caught:
        post(server.url())
    assert caught.value.kind == "too_big"


def test_a_short_body_is_truncated():
    def short(handler):
        handler.send_response(200)
        handler.send_header("Content-Length", "100")
        handler.end_headers()
        handler.wfile.write(b"{}")
        hang_up(handler)

    with Server(short) as server, pytest.raises(HttpError) as caught:
        post(server.url())
    assert (caught.value.kind, caught.value.detail) == ("truncated", "2 of 100 bytes from 127.0.0.1")


def test_nobody_listens():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        with pytest.raises(HttpError) as caught:
            post(f"http://127.0.0.1:{taken.getsockname()[1]}/")
    assert (caught.value.kind, caught.value.sent) == ("connect", False)


def test_a_server_that_says_nothing_times_out_by_the_exchanges_clock():
    # The clock of the exchange leaps once the request is out, and the socket's own timeout is the second that is left.
    said_nothing = threading.Event()
    readings = []

    def leaping():
        readings.append(0)
        return 0 if len(readings) < 6 else 19_990

    def silent(handler):
        said_nothing.wait(10)

    with Server(silent) as server:
        try:
            with pytest.raises(HttpError) as caught:
                exchange("POST", server.url(), SECRET, None, BODY_MAX, 20, socket, None, leaping)
        finally:
            said_nothing.set()
    assert caught.value.kind == "timeout"
    assert len(server.requests) == 1


@pytest.fixture(scope="module")
def authority():
    return trustme.CA()


def server_context(ca, name):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert(name).configure_cert(context)
    return context


def test_tls_with_a_trusted_certificate(authority):
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    with Server(answer_json, server_context(authority, "localhost")) as server:
        reply = post(server.url(host="localhost", scheme="https"), trusting)
    assert reply.status == 200
    assert len(server.requests) == 1


@pytest.mark.parametrize("flaw", ["unknown authority", "another name"])
def test_tls_that_does_not_verify_sends_nothing(authority, flaw):
    context = ssl.create_default_context()
    if flaw == "another name":
        authority.configure_trust(context)
    named = "localhost" if flaw == "unknown authority" else "elsewhere.example"
    with Server(answer_json, server_context(authority, named)) as server, pytest.raises(HttpError) as caught:
        post(server.url(host="localhost", scheme="https"), context)
    assert (caught.value.kind, caught.value.sent) == ("tls", False)
    assert server.requests == []


WORDS = st.text(st.characters(codec="utf-8"), max_size=20)


@given(st.lists(st.tuples(WORDS, WORDS), max_size=4))
def test_form_encoding_agrees_with_the_standard_library(fields):
    expected = "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in fields)
    assert form(fields).decode() == expected
    assert parse_qsl(form(fields).decode(), keep_blank_values=True) == fields
