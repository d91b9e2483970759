"""A quote API that belongs to neither side: it takes the access tokens of any issuer, by its published keys alone.

pyjwt judges them, which nothing else of Stoa's uses: what Stoa's own gateway may take too easily is refused here.
"""

from __future__ import annotations

import json
import threading
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx2
import jwt

from host_tools import quote_packs
from host_tools.clock import Clock, now_s

PATH = "/quotes/today"
SCOPE = "read:quotes"
DAY_S = 86_400


class QuoteApi:
    """Answers on a free loopback port until it is closed. `accepted` are the claims of each token it took."""

    def __init__(self, issuer: str, audience: str, clock: Clock) -> None:
        self.accepted: list[dict[str, Any]] = []
        self._issuer = issuer
        self._audience = audience
        self._clock = clock
        self._pack = quote_packs.load_pack(Path(quote_packs.__file__).parent / "stoics.toml")
        self._http = httpx2.Client()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self._server.server_port}{PATH}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), name="quote API", daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        self._http.close()

    def answer(self, authorization: str) -> tuple[int, dict[str, Any], str | None]:
        """Status, body, and the challenge of RFC 6750 where the token is refused."""
        scheme, _, token = authorization.partition(" ")
        if scheme != "Bearer":
            return 401, {"error": "unauthorized"}, "Bearer"
        try:
            claims = self._claims(token)
        except jwt.InvalidTokenError as refused:
            return 401, {"error": str(refused)}, 'Bearer error="invalid_token"'
        if SCOPE not in claims["scope"].split():
            return 403, {"error": "insufficient_scope"}, f'Bearer error="insufficient_scope", scope="{SCOPE}"'
        self.accepted.append(claims)
        now = now_s(self._clock)
        quote = quote_packs.quote_of_day(self._pack, now // DAY_S)
        date = datetime.fromtimestamp(now, UTC).date().isoformat()
        told = {"date": date, "text": quote.text, "author": quote.author, "work": quote.work, "locus": quote.locus}
        return 200, told, None

    def _claims(self, token: str) -> dict[str, Any]:
        """Raises jwt.InvalidTokenError."""
        header = jwt.get_unverified_header(token)
        if header.get("typ") != "at+jwt":
            raise jwt.InvalidTokenError("not an access token (RFC 9068 4)")
        metadata = self._http.get(self._issuer.rstrip("/") + "/.well-known/openid-configuration").json()
        keys = {key["kid"]: key for key in self._http.get(metadata["jwks_uri"]).json()["keys"]}
        # exp is judged below: pyjwt reads the machine's time, and this API lives by the test's.
        options = {"verify_exp": False, "verify_iat": False, "require": ["iss", "aud", "exp", "sub"]}
        claims: dict[str, Any] = jwt.decode(
            token,
            jwt.PyJWK(keys[header["kid"]]),
            algorithms=["RS256"],
            audience=self._audience,
            issuer=self._issuer,
            options=options,
        )
        if claims["exp"] <= now_s(self._clock):
            raise jwt.ExpiredSignatureError("expired")
        return claims

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        api = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                found = self.path == PATH
                told = (
                    api.answer(self.headers.get("Authorization", "")) if found else (404, {"error": "not_found"}, None)
                )
                status, body, challenge = told
                content = json.dumps(body, ensure_ascii=False).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json; charset=utf-8")
                self.send_header("Content-Length", str(len(content)))
                if challenge is not None:
                    self.send_header("WWW-Authenticate", challenge)
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *described: object) -> None:
                """Nothing: a test's output is its failures."""

        return Handler
