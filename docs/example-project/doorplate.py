"""A doorplate: shows what an API behind OAuth tells it. It has no keyboard, so a person pairs it elsewhere.

Pairing is the device authorization grant (RFC 8628); refresh tokens keep it connected.
"""

from __future__ import annotations

import json
import ssl
import time
from collections.abc import Callable
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

DEVICE_CODE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"
# The refresh token is as good as before; the provider wants to see a person.
NEEDS_PERSON = {"mfa_required", "interaction_required"}
SLOW_DOWN_S = 5  # RFC 8628 3.5
ASK_AGAIN_S = 300


class TryLater(Exception):
    """Nothing is lost, and nothing to be had now. `after_s`: when to ask again."""

    def __init__(self, why: str, after_s: int = ASK_AGAIN_S) -> None:
        super().__init__(why)
        self.after_s = after_s


class NotPaired(Exception):
    """The person said no, or nobody came."""


class Doorplate:
    def __init__(
        self,
        issuer: str,
        client_id: str,
        audience: str,
        scope: str,
        show: Callable[[str, str], None],
        tokens: Path,
        sleep: Callable[[float], None] = time.sleep,
        now: Callable[[], float] = time.time,
        trust: ssl.SSLContext | None = None,
    ) -> None:
        """show: is given the user code and the address to enter it at. tokens: the file that keeps them."""
        self._client_id = client_id
        self._audience = audience
        self._scope = scope
        self._show = show
        self._tokens_file = tokens
        self._sleep = sleep
        self._now = now
        self._trust = trust
        self._tokens: dict[str, Any] = json.loads(tokens.read_text()) if tokens.exists() else {}
        self._metadata = self._answer(Request(f"{issuer}.well-known/openid-configuration"))

    @property
    def refresh_token(self) -> str | None:
        return self._tokens.get("refresh_token")

    def read(self, url: str) -> dict[str, Any]:
        """What the API tells; whatever it takes to be let in comes first."""
        return self._answer(Request(url, headers={"Authorization": f"Bearer {self._access_token()}"}))

    def pair(self) -> None:
        """Show a code until somebody has allowed it. Raises NotPaired."""
        # One parameter is Auth0's, the other RFC 8707's; a provider passes over what it does not know.
        target = {"audience": self._audience, "resource": self._audience}
        asked = self._post("device_authorization_endpoint", scope=self._scope, **target)
        if "error" in asked:
            raise TryLater(asked["error"])
        self._show(asked["user_code"], asked["verification_uri"])
        interval = asked.get("interval", 5)
        until = self._now() + asked["expires_in"]
        while self._now() < until:
            self._sleep(interval)
            try:
                answer = self._post("token_endpoint", grant_type=DEVICE_CODE_GRANT, device_code=asked["device_code"])
            except TryLater as unanswered:
                interval = max(interval, unanswered.after_s)
                continue
            error = answer.get("error")
            if error is None:
                return self._keep(answer)
            if error == "slow_down":
                interval += SLOW_DOWN_S
            elif error != "authorization_pending":
                raise NotPaired(error)
        raise NotPaired("nobody came")

    def _access_token(self) -> str:
        if self._now() >= self._tokens.get("good_until", 0):
            self._renew()
        token: str = self._tokens["access_token"]
        return token

    def _renew(self) -> None:
        if self.refresh_token:
            answer = self._post("token_endpoint", grant_type="refresh_token", refresh_token=self.refresh_token)
            error = answer.get("error")
            if error is None:
                return self._keep(answer)
            if error == "invalid_grant":
                self._keep({})
            elif error not in NEEDS_PERSON:
                raise TryLater(error)
        self.pair()

    def _keep(self, answer: dict[str, Any]) -> None:
        """On disk before anything else: a provider that rotates takes the token before this one no more."""
        self._tokens = answer and {
            "access_token": answer["access_token"],
            "refresh_token": answer.get("refresh_token", self.refresh_token),
            "good_until": self._now() + answer["expires_in"] - 60,
        }
        self._tokens_file.write_text(json.dumps(self._tokens))

    def _post(self, endpoint: str, **fields: str) -> dict[str, Any]:
        body = urlencode({"client_id": self._client_id, **fields}).encode()
        return self._answer(Request(self._metadata[endpoint], body))

    def _answer(self, request: Request) -> dict[str, Any]:
        """The JSON that came, an OAuth error included. Raises TryLater."""
        try:
            with urlopen(request, timeout=30, context=self._trust) as reply:
                told: dict[str, Any] = json.load(reply)
                return told
        except HTTPError as refused:
            with refused:
                error = _oauth_error(refused.read())
            # Auth0 tells a device to slow down by 429; any other 429 is about all requests.
            if error is None or (error != "slow_down" and (refused.code == 429 or refused.code >= 500)):
                wait = refused.headers.get("Retry-After", "")
                after_s = int(wait) if wait.isdecimal() else ASK_AGAIN_S
                raise TryLater(f"{refused.code} {error}", after_s) from refused
            return {"error": error}
        except (OSError, HTTPException, ValueError) as silent:
            raise TryLater(f"no answer: {silent}") from silent


def _oauth_error(body: bytes) -> str | None:
    try:
        return str(json.loads(body)["error"])
    except (ValueError, TypeError, KeyError):
        return None
