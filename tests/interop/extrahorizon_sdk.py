"""npm's @extrahorizon/javascript-sdk, unmodified, called from Python."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.interop.mirrored_clock import MirroredClock
from tests.interop.node_process import NodeProcess


class Refused(Exception):
    """What the SDK threw.

    own: its class. exh: the class of its exhError, where it has one. code: the vendor's number, wherever it stands.
    mfa: of an MfaRequiredError.
    """

    def __init__(self, thrown: Mapping[str, Any]) -> None:
        super().__init__(f"{thrown['own']}: {thrown['name']}: {thrown['message']} ({thrown.get('response')})")
        told = thrown.get("exh") or {}
        self.own: str = thrown["own"]
        self.status: int | None = thrown.get("status")
        self.exh: str | None = told.get("own")
        self.response: dict[str, Any] = thrown.get("response") or {}
        self.exh_response: dict[str, Any] = told.get("response") or {}
        self.code: int | None = self.exh_response.get("code") or self.response.get("code")
        self.mfa: dict[str, Any] = thrown.get("mfa") or {}


class ExtrahorizonSdk:
    """One client, as its own process, and a context manager that ends it."""

    def __init__(self, clock: MirroredClock) -> None:
        self._process = NodeProcess("extrahorizon_sdk.mjs", clock_file=clock.file)

    def create(self, host: str, **options: Any) -> None:
        """Another client, which knows nothing of the last one's tokens. host: has to contain `localhost`, or the SDK
        makes https://api.HOST of it."""
        self.call("create", options={"host": host, **options})

    def call(self, call: str, **given: Any) -> Any:
        """Raises Refused."""
        self._process.tell({"call": call, **given})
        heard = self._process.hear()
        if "refused" in heard:
            raise Refused(heard["refused"])
        return heard["value"]

    def __enter__(self) -> ExtrahorizonSdk:
        return self

    def __exit__(self, *exception: object) -> None:
        self._process.close()
