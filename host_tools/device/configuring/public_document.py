"""A document of the network, fetched as a display does: directly, by verified TLS, once, no larger than it can take.

No proxy is used, for the display knows none, and no redirect followed.
"""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

import httpx2

from host_tools.device.configuring.tls_chain import Root, refusal, root_of
from host_tools.firmware_modules import firmware

# As the firmware asks.
_HEADERS = {"Accept": "application/json", "Accept-Encoding": "identity", "User-Agent": "stoa"}


@dataclass(frozen=True)
class Document:
    """root: of the certificate; None over plain http, and where it is not told."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    root: Root | None


class NoDocument(Exception):
    """subject: "connection", "certificate" or what the document is. remedy: what helps."""

    def __init__(self, subject: str, text: str, remedy: str) -> None:
        super().__init__(text)
        self.subject = subject
        self.text = text
        self.remedy = remedy


class Fetcher:
    """A context manager. limit_s: for each document, in seconds of `now`. context: verifies TLS."""

    def __init__(self, limit_s: float, context: ssl.SSLContext, now: Callable[[], float] = time.monotonic) -> None:
        self._limit_s = limit_s
        self._now = now
        self._client = httpx2.Client(verify=context, trust_env=False, headers=_HEADERS, timeout=limit_s)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._client.close()

    def get(self, url: str) -> Document:
        """NoDocument; an answer of any status is one."""
        most = firmware("stoa.net.http").BODY_MAX
        ends = self._now() + self._limit_s
        body = bytearray()
        try:
            with self._client.stream("GET", url) as reply:
                root = root_of(reply.extensions["network_stream"].get_extra_info("ssl_object"))
                for piece in reply.iter_raw():
                    body += piece
                    if len(body) > most:
                        text = f"the answer has more than {most} bytes, which a display has no room for"
                        raise NoDocument("discovery", text, "check --issuer")
                    if self._now() > ends:
                        # A server that drips keeps the limit of each reading.
                        raise httpx2.ReadTimeout("")
        except (httpx2.HTTPError, httpx2.InvalidURL, UnicodeError) as error:
            raise why_none(error, urlsplit(url).hostname or "", self._limit_s) from None
        return Document(reply.status_code, reply.headers, bytes(body), root)


def why_none(error: BaseException, host: str, limit_s: float) -> NoDocument:
    """An exchange's error, httpx2's or the socket's own, in words."""
    causes = list(_causes(error))
    for cause in causes:
        if isinstance(cause, ssl.SSLCertVerificationError):
            said, remedy = refusal(cause)
            return NoDocument("certificate", f"{host} is not who it says: {said}", remedy)
    for kinds, text, remedy in _REASONS:
        if any(isinstance(cause, kinds) for cause in causes):
            return NoDocument("connection", text.format(host=host, limit=limit_s), remedy)
    return NoDocument("connection", f"{host} gave no answer ({error or type(error).__name__})", "try again later")


# The first that fits.
_REASONS: tuple[tuple[tuple[type[BaseException], ...], str, str], ...] = (
    (
        (httpx2.TimeoutException, TimeoutError),
        "{host} did not answer within {limit:g} s",
        "check --issuer, and this computer's network",
    ),
    ((ssl.SSLError,), "{host} speaks no TLS that this computer does", "check the address's port"),
    (
        (socket.gaierror, UnicodeError, httpx2.InvalidURL),
        "there is no host {host}",
        "check --issuer, and that this computer is online",
    ),
    ((ConnectionRefusedError,), "{host} takes no connections there", "check the port, and that the server runs"),
)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
