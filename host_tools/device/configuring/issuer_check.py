"""Whether a display could sign in at an issuer, found out as the display would: by discovery, over verified TLS.

What decides is the firmware's: where the document is, how large it may be, what must be in it. What only hints, such as
the scopes a server lists, is told as a warning. Nothing is sent but requests for public documents.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import urlsplit

import httpx2

from host_tools.device.configuring.public_document import Document, Fetcher, NoDocument, why_none
from host_tools.device.configuring.tls_chain import Root, verified_root
from host_tools.firmware_modules import firmware

LIMIT_S = 15.0
# What a server says of itself is shown no longer than this.
_SHOWN = 120

# A document's members by which the firmware stands or falls: what helps where one is wrong.
_ENDPOINTS = {
    "token_endpoint": "check --issuer; this is no authorization server, or one that is not set up",
    "device_authorization_endpoint": "turn the device authorization grant (RFC 8628) on at the provider; one that has "
    "none can serve no display",
}


@dataclass(frozen=True)
class Finding:
    """subject: what was looked at. remedy: "" where nothing is wrong."""

    level: Literal["ok", "warning", "error"]
    subject: str
    text: str
    remedy: str = ""


@dataclass(frozen=True)
class Report:
    """root: of the issuer's certificate; None over plain http, where there is no answer, or where it is not told."""

    findings: tuple[Finding, ...]
    root: Root | None = None

    @property
    def failed(self) -> bool:
        return any(finding.level == "error" for finding in self.findings)


def check_issuer(
    issuer: str,
    limit_s: float = LIMIT_S,
    context: ssl.SSLContext | None = None,
    now: Callable[[], float] = time.monotonic,
) -> Report:
    """Everything found about an issuer that `settings.load` takes.

    limit_s: for each exchange, in seconds of `now`. context: verifies TLS; None is by this computer's roots.
    """
    trusted = context or httpx2.create_ssl_context()
    findings = list(_about_address(issuer))
    root = None
    with Fetcher(limit_s, trusted, now) as fetcher:
        try:
            answer = fetcher.get(firmware("stoa.auth.metadata").discovery_url(issuer))
            root = answer.root
            if issuer.startswith("https:"):
                findings.append(_about_root("certificate", root))
            document = _read(answer, issuer, fetcher)
        except NoDocument as none:
            return Report((*findings, _error(none.subject, none)), root)
    findings += _about_document(document, issuer)
    findings += _about_other_hosts(document, issuer, trusted, limit_s)
    return Report(tuple(findings), root)


def _read(answer: Document, issuer: str, fetcher: Fetcher) -> dict[str, Any]:
    if 300 <= answer.status < 400:
        there = _shown(answer.headers.get("location", "nowhere").partition("/.well-known/")[0])
        remedy = f"if that is the same server, write --issuer {there}"
        raise NoDocument("discovery", f"it redirects to {there}, and the display follows none", remedy)
    if answer.status != 200:
        raise _elsewhere(answer.status, issuer, fetcher)
    http = firmware("stoa.net.http")
    document: dict[str, Any] | None = http.json_object(http.Reply(answer.status, answer.headers, answer.body))
    if document is None:
        raise NoDocument("discovery", "the answer is no JSON object", "check --issuer; a web page may stand there")
    return document


def _elsewhere(status: int, issuer: str, fetcher: Fetcher) -> NoDocument:
    """RFC 8414 section 3.1 has another address, between host and path. The firmware asks at OpenID Connect's alone."""
    split = urlsplit(issuer)
    other = f"{split.scheme}://{split.netloc}/.well-known/oauth-authorization-server{split.path.rstrip('/')}"
    try:
        there = fetcher.get(other).status == 200
    except NoDocument:
        there = False
    if there:
        remedy = "have the provider publish .well-known/openid-configuration too, the one the display asks for"
        return NoDocument("discovery", f"status {status}; the document is at {other} alone", remedy)
    remedy = "check --issuer; with /.well-known/openid-configuration at its end it is to open in a browser"
    return NoDocument("discovery", f"there is no discovery document, status {status}", remedy)


def _about_address(issuer: str) -> Iterator[Finding]:
    url = firmware("stoa.url")
    scheme, host, _, _ = url.split(issuer)
    if url.is_loopback(host):
        text = "is this very computer: a virtual board reaches it, a real one never will"
        yield Finding("warning", "address", text, "give a real board the address of a server in its network")
    elif scheme == "http":
        yield Finding("warning", "address", "is plain http: tokens cross the net in the clear", "use https")


def _about_root(subject: str, root: Root | None) -> Finding:
    return Finding("ok", subject, f"is good, up to the root {root.name!r}" if root else "is good")


def _about_document(document: dict[str, Any], issuer: str) -> Iterator[Finding]:
    metadata = firmware("stoa.auth.metadata")
    good = {"issuer": issuer, **{key: f"{issuer.rstrip('/')}/{key}" for key in _ENDPOINTS}}

    def wrong(**members: object) -> str | None:
        """What the firmware says to such a document, were the rest of it good."""
        try:
            metadata.endpoints({**good, **members}, issuer)
        except metadata.MetadataError as error:
            return str(error.detail)
        return None

    named = document.get("issuer")
    if said := wrong(issuer=named):
        remedy = "write --issuer as the server does, if it is the right one"
        yield Finding("error", "issuer", f"{said}: {_shown(named)}", remedy)
    else:
        yield Finding("ok", "issuer", "is the one asked for")
    for key, remedy in _ENDPOINTS.items():
        said = wrong(**{key: document.get(key)})
        yield Finding("error", key, said, remedy) if said else Finding("ok", key, str(document[key]))
    yield from _about_lists(document)


def _about_lists(document: dict[str, Any]) -> Iterator[Finding]:
    device_code = firmware("stoa.auth.device_grant").GRANT_TYPE
    grants, scopes = document.get("grant_types_supported"), document.get("scopes_supported")
    # Auth0 lists no grants, and has this one.
    if isinstance(grants, list):
        if device_code in grants:
            yield Finding("ok", "grant_types_supported", "has device_code")
        else:
            remedy = "turn the device authorization grant on at the provider"
            yield Finding("error", "grant_types_supported", "lacks device_code", remedy)
    # RFC 8414 section 2: a server may leave out of the list scopes that it supports.
    if isinstance(scopes, list):
        if "offline_access" in scopes:
            yield Finding("ok", "scopes_supported", "has offline_access")
        else:
            remedy = "allow refresh tokens for the client: without one there is a code to scan each morning"
            yield Finding("warning", "scopes_supported", "lacks offline_access", remedy)


def _about_other_hosts(
    document: dict[str, Any], issuer: str, context: ssl.SSLContext, limit_s: float
) -> Iterator[Finding]:
    """Endpoints may lie on hosts whose certificates nobody has looked at yet."""
    for host, port in sorted(_hosts(document.get(key) for key in _ENDPOINTS) - _hosts([issuer])):
        subject = f"certificate of {host}"
        try:
            yield _about_root(subject, verified_root(host, port, context, limit_s))
        except (OSError, UnicodeError) as error:
            yield _error(subject, why_none(error, host, limit_s))


def _hosts(addresses: Iterable[object]) -> set[tuple[str, int]]:
    """(host, port) of those that are good https addresses."""
    found = set()
    for address in addresses:
        try:
            scheme, host, port, _ = firmware("stoa.url").split(address)
        except ValueError:
            continue
        if scheme == "https":
            found.add((host, port))
    return found


def _error(subject: str, none: NoDocument) -> Finding:
    return Finding("error", subject, none.text, none.remedy)


def _shown(said: object) -> str:
    """What a stranger's server said, fit for a terminal."""
    return "".join(character for character in str(said)[:_SHOWN] if character.isprintable())
