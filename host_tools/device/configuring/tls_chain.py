"""The end of a server's chain of certificates: the root that vouches for it, and why there may be none."""

from __future__ import annotations

import socket
import ssl
from dataclasses import dataclass
from typing import Any

# ssl's own constant of this name is private; its value is that of SSL_FILETYPE_PEM in OpenSSL's ssl.h.
_PEM = 1
_NAMES = ("commonName", "organizationalUnitName", "organizationName")

_NOBODY = (
    "the display would refuse it too, for it knows public roots and takes none of your own: give the server a"
    " certificate of a public authority, with the intermediate ones it needs"
)
_NAMED = "write the host as the certificate names it"
# Verification errors of OpenSSL, x509_vfy.h: what helps.
_REMEDIES = {
    9: "set the server's clock, or wait until it holds",
    10: "renew the server's certificate",
    18: _NOBODY,
    19: _NOBODY,
    20: _NOBODY,
    21: _NOBODY,
    62: _NAMED,
    64: _NAMED,
}


@dataclass(frozen=True)
class Root:
    """A certificate that signed itself. pem: one, in text."""

    name: str
    pem: str


def root_of(tls: Any) -> Root | None:
    """The root that a TLS connection was verified up to. tls: ssl's object below an SSLSocket.

    None where it is not told: on Windows and macOS the system verifies, and keeps the chain to itself.
    """
    # CPython makes this public in 3.13, as SSLSocket.get_verified_chain.
    chain = tls.get_verified_chain() if tls is not None else None
    if not chain:
        return None
    told = chain[-1].get_info()
    if told["subject"] != told["issuer"]:
        return None
    subject = {key: value for part in told["subject"] for key, value in part}
    name = next((subject[key] for key in _NAMES if key in subject), "without a name")
    return Root(name, chain[-1].public_bytes(_PEM))


def verified_root(host: str, port: int, context: ssl.SSLContext, limit_s: float) -> Root | None:
    """Connect, verify, hang up, and say what `root_of` does. OSError, of which ssl.SSLError is one; UnicodeError."""
    with (
        socket.create_connection((host, port), limit_s) as plain,
        context.wrap_socket(plain, server_hostname=host) as secure,
    ):
        below: Any = secure
        return root_of(below._sslobj)


def refusal(error: ssl.SSLCertVerificationError) -> tuple[str, str]:
    """(what is wrong with a certificate, what helps)."""
    # OpenSSL's words have no full stop at their end; those of CPython's _ssl.c, for another host or address, have one.
    said = str(error.verify_message).removesuffix(".")
    return said, _REMEDIES.get(error.verify_code, "see to the server's certificate")
