"""npm's openid-client, unmodified, called from Python. Where it would wait, the test's clock sleeps."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from host_tools.clock import NS
from tests.interop.mirrored_clock import MirroredClock
from tests.interop.node_process import NodeProcess


class Refused(Exception):
    """What openid-client raised. `error` and `status` are the server's; `cause` is the body of its answer."""

    def __init__(self, raised: Mapping[str, Any]) -> None:
        super().__init__(f"{raised['name']}: {raised['message']} ({raised.get('error')}, {raised.get('cause')})")
        self.error: str | None = raised.get("error")
        self.status: int | None = raised.get("status")
        self.cause: Any = raised.get("cause")


class OpenidClient:
    """One client, as its own process, and a context manager that ends it.

    trust: a file of the certificates it takes for good beside the usual ones, as PEM.
    """

    def __init__(self, clock: MirroredClock, trust: Path | None = None) -> None:
        self._clock = clock
        environment = {"NODE_EXTRA_CA_CERTS": str(trust)} if trust else {}
        self._process = NodeProcess("openid_client.mjs", clock_file=clock.file, environment=environment)

    def discover(self, issuer: str, client_id: str) -> dict[str, Any]:
        """The server's metadata. To plain HTTP it has to be talked into."""
        insecure = issuer.startswith("http:")
        return self._call("discover", issuer=issuer, clientId=client_id, insecure=insecure)

    def ask(self, **parameters: str) -> dict[str, Any]:
        """The device authorization response."""
        return self._call("ask", parameters=parameters)

    def poll(self) -> dict[str, Any]:
        """Its own loop over the device authorization asked for last, to the tokens."""
        return self._call("poll")

    def refresh(self, refresh_token: str) -> dict[str, Any]:
        return self._call("refresh", refreshToken=refresh_token)

    def revoke(self, token: str) -> None:
        self._call("revoke", token=token)

    def __enter__(self) -> OpenidClient:
        return self

    def __exit__(self, *exception: object) -> None:
        self._process.close()

    def _call(self, call: str, **given: Any) -> dict[str, Any]:
        self._process.tell({"call": call, **given})
        while "wait" in (heard := self._process.hear()):
            self._clock.sleep_ns(round(heard["wait"] * NS / 1000))
            self._process.tell({"waited": True})
        if "refused" in heard:
            raise Refused(heard["refused"])
        value: dict[str, Any] = heard["value"]
        return value
