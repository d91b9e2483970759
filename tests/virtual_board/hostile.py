"""A server that answers as it is told, and writes down everything it hears."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Callable
from dataclasses import dataclass

JSON = {"Content-Type": "application/json"}
Answer = tuple[int, dict[str, str], bytes]


@dataclass
class Heard:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes


class HostileServer:
    """`answer`: (status, headers, body) for a request, or None to hang up without a word. Use as a context manager."""

    def __init__(self, answer: Callable[[Heard], Answer | None]) -> None:
        self.heard: list[Heard] = []
        self.answer = answer
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def handle_one(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                heard = Heard(self.command, self.path, {k.lower(): v for k, v in self.headers.items()}, body)
                outer.heard.append(heard)
                answer = outer.answer(heard)
                if answer is None:
                    self.close_connection = True
                    return
                status, headers, content = answer
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                if "Content-Length" not in headers:
                    self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                try:
                    self.wfile.write(content)
                except OSError:
                    # The device hung up on what it would not take.
                    self.close_connection = True

            do_GET = do_POST = handle_one

            def log_message(self, *arguments: object) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> HostileServer:
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._server.shutdown()
        self._server.server_close()
