"""Where the published urequests 0.9.1 itself is at fault, our adapters guard; the same in both interpreters."""

from __future__ import annotations

import re
import socket
import threading

import pytest

from host_tools.bundle import build_program
from host_tools.virtual_board.runtimes.cpython import CPythonRuntime
from tests.virtual_board.bare import JOIN, bare_board

BODY = b'{"a": 1}'
# What the server says to the first request; another connection would be one that nobody asked for.
ANSWERS = {
    "lower case": b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 8\r\netag: x\r\n\r\n" + BODY,
    "upper case": b"HTTP/1.1 200 OK\r\nCONTENT-TYPE: application/json\r\nCONTENT-LENGTH: 8\r\nETAG: x\r\n\r\n" + BODY,
    # urequests knows "Transfer-Encoding:" in this spelling alone, and raises a ValueError that leaves the socket open.
    "chunked": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n8\r\n" + BODY + b"\r\n0\r\n\r\n",
    "chunked, in another case": b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n8\r\n" + BODY + b"\r\n0\r\n\r\n",
    # It would post the body, refresh token included, to the target; a 300 it takes for its own mark and asks for ever.
    "redirect": b"HTTP/1.1 307 Temporary Redirect\r\nLocation: %s\r\nContent-Length: 0\r\n\r\n",
    "redirect, in another case": b"HTTP/1.1 302 Found\r\nlocation: %s\r\nContent-Length: 0\r\n\r\n",
    "status 300": b"HTTP/1.1 300 Multiple Choices\r\nLocation: %s\r\nContent-Length: 0\r\n\r\n",
    # int() of it is a ValueError, after which the socket stays open.
    "no status": b"HTTP/1.1 OK\r\n\r\n",
}
EXPECTED = {
    "lower case": "200 b'{\"a\": 1}' x",
    "upper case": "200 b'{\"a\": 1}' x",
    "chunked": "protocol a chunked answer True",
    "chunked, in another case": "protocol a chunked answer True",
    "redirect": "redirect status 307 from 127.0.0.1 True",
    "redirect, in another case": "redirect status 302 from 127.0.0.1 True",
    "status 300": "redirect status 300 from 127.0.0.1 True",
    "no status": "protocol no HTTP from 127.0.0.1 True",
}
CODE = (
    JOIN
    + """
from stoa.net import http, usocket
import time
ticks = lambda: time.monotonic_ns() // 1000000
fields = (("grant_type", "refresh_token"), ("refresh_token", "v1.secret"))
try:
    reply = http.exchange("POST", URL, fields, None, 4096, 20, pool, None, ticks)
    print(reply.status, bytes(reply.body), reply.headers["etag"])
except http.HttpError as error:
    print(error.kind, error.detail, error.sent)
print(usocket._wire)
import urequests
print(urequests.__file__)
"""
)


class Server:
    """Answers the first request, and keeps all."""

    def __init__(self, answer: bytes) -> None:
        self.requests: list[bytes] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._answer = answer.replace(b"%s", b"http://127.0.0.1:%d/elsewhere" % self.port)
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection:
                request = b""
                while b"v1.secret" not in request and (more := connection.recv(4096)):
                    request += more
                self.requests.append(request)
                connection.sendall(self._answer)

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()


@pytest.mark.parametrize("interpreter", ["cpython", "micropython"])
@pytest.mark.parametrize("case", ANSWERS)
def test_guarded(request, case, interpreter):
    runtime = CPythonRuntime()
    if interpreter == "micropython":
        runtime = request.getfixturevalue("machine")("128k")
    server = Server(ANSWERS[case])
    try:
        board = bare_board(f"URL = 'http://127.0.0.1:{server.port}/oauth/token'\n" + CODE, runtime=runtime)
        board.install(build_program(board.board))
        wake = board.wake()
    finally:
        server.close()
    assert wake.console[:2] == [EXPECTED[case], "None"]
    assert re.fullmatch(r"/?lib/urequests/__init__.py", wake.console[2]), "the published file, on the drive"
    assert len(server.requests) == 1, "sent once, and nowhere else"
    assert b"\r\nHost: 127.0.0.1:%d\r\n" % server.port in server.requests[0], "with its port"
    calls = [operation for operation, _ in wake.supply.calls]
    assert calls.count("net.close") == calls.count("net.socket") == 1
