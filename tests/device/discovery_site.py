"""A web site that publishes what it is told to, over TLS where it is given a certificate."""

from __future__ import annotations

import json
import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

WELL_KNOWN = "/.well-known/openid-configuration"


def server_context(ca, name="localhost"):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert(name).configure_cert(context)
    return context


class Site:
    """answers: path -> (status, headers, body) of a GET; asked: the paths that were, with their headers."""

    def __init__(self, context=None):
        self.answers, self.asked = {}, []
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                site.asked.append((self.path, dict(self.headers)))
                status, headers, body = site.answers.get(self.path, (404, {}, b"nothing"))
                self.send_response(status)
                for name, value in {"Content-Length": str(len(body)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *arguments):
                pass

        class Server(ThreadingHTTPServer):
            def handle_error(self, *arguments):
                """A client that refuses the certificate hangs up."""

        self._server = Server(("127.0.0.1", 0), Handler)
        self.secure = context is not None
        if context is not None:
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.port = self._server.server_address[1]
        scheme, host = ("https", "localhost") if self.secure else ("http", "127.0.0.1")
        self.issuer = f"{scheme}://{host}:{self.port}/"

    def __enter__(self):
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *exception):
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(10)

    def publish(self, path=WELL_KNOWN, **members):
        """Its metadata, with some members otherwise; None takes one out."""
        document = {
            "issuer": self.issuer,
            "token_endpoint": self.issuer + "token",
            "device_authorization_endpoint": self.issuer + "device",
            **members,
        }
        kept = {key: value for key, value in document.items() if value is not None}
        self.answers[path] = (200, {"Content-Type": "application/json"}, json.dumps(kept).encode())
