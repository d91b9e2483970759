"""A certificate authority of this machine's own, for clients that insist on TLS, and the certificate it vouches for.

Clients must be told to trust it: its certificate is in a file, `LocalCA.ca_file`, that any of them can read. Its key
signs for whatever name it is asked to, so that the key is worth keeping: it never leaves memory, or is in a file that
its owner alone may read. Beside a database of `DB` there are, from the first start with TLS on:

    DB.ca.key   the private key and the certificate; what counts
    DB.ca.pem   the certificate, for clients; written anew where it is missing

The server's certificate is made anew at each start. Its key is in memory alone but for an instant: Python gives one to
OpenSSL by way of a file (bugs.python.org/issue16487), which is its owner's alone and gone at once.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import ssl
import tempfile
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import trustme
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.x509 import ExtensionNotFound

from host_tools.authority.errors import AuthorityError

# What a server that is bound to the loopback interface may be called. The first is in its issuer.
NAMES = ("127.0.0.1", "localhost")
# Below the 398 days that browsers take of a public CA (CA/Browser Forum, Baseline Requirements 6.3.2); some measure
# others by it.
_LIFE = timedelta(days=397)
# A client whose clock is behind.
_BEFORE = timedelta(days=1)
_NEW = "for a new CA, which clients must be told to trust again"


@dataclass(frozen=True)
class LocalCA:
    """context: what a server answers with, TLS 1.2 or newer. ca_file: the CA's certificate, PEM, absolute path."""

    context: ssl.SSLContext
    ca_file: Path
    kept: bool

    def __enter__(self) -> LocalCA:
        return self

    def __exit__(self, *exception: object) -> None:
        """Take the certificate of a CA that ends with its run off the disk."""
        if not self.kept:
            self.ca_file.unlink(missing_ok=True)


def local_ca(now: datetime, database: Path | None = None) -> LocalCA:
    """Make a CA, or find the one beside `database`, and have it sign a certificate for NAMES that is good from `now`.

    Only one server at a time may have `database`; what locks it is the caller's.

    Args:
        now: the time that clients have, with its time zone; never a simulated one.
        database: whom the CA is to survive with; without one it is for this run, its certificate in a temporary file.

    Raises:
        AuthorityError: what lies beside the database is damaged, not ours or open to others, or cannot be written.
    """
    if database is None:
        ca = _new()
        context = _context(ca, now)
        return LocalCA(context, _temporary(ca.cert_pem.bytes()), kept=False)
    secret, public = (database.with_name(database.name + suffix).absolute() for suffix in (".ca.key", ".ca.pem"))
    try:
        return LocalCA(_kept(secret, public, now), public, kept=True)
    except OSError as refused:
        remedy = "give yourself the right to, or name another --database"
        raise AuthorityError(f"cannot use {refused.filename or secret} ({refused.strerror}); {remedy}") from refused


def _kept(secret: Path, public: Path, now: datetime) -> ssl.SSLContext:
    both = f"delete it and {public.name} {_NEW}"
    if not secret.exists():
        if public.exists():
            found = f"{public} is there without its key, {secret.name}"
            raise AuthorityError(f"{found}: bring that back, or delete it {_NEW}")
        ca = _new()
        _write_secret(secret, ca.private_key_pem.bytes() + ca.cert_pem.bytes())
    # Windows has no such bits.
    mode = secret.stat().st_mode & 0o777
    if os.name == "posix" and mode & 0o077:
        raise AuthorityError(f"others may read {secret} (mode {mode:o}): chmod 600 it if they have not, or {both}")
    content = secret.read_bytes()
    try:
        ca = trustme.CA.from_pem(content, content)
        context = _context(ca, now)
    except (ValueError, TypeError, UnsupportedAlgorithm, ExtensionNotFound, ssl.SSLError) as damaged:
        raise AuthorityError(f"{secret} is not a CA of ours that still works: bring it back, or {both}") from damaged
    certificate = ca.cert_pem.bytes()
    if not public.exists():
        public.write_bytes(certificate)
    elif public.read_bytes() != certificate:
        raise AuthorityError(f"{public} is not the certificate of {secret.name}: move it away, to have it written anew")
    return context


def _new() -> trustme.CA:
    # A name of its own, so that who trusts several sees which one it is.
    name = f"local CA {secrets.token_hex(4)} of a simulated authority"
    return trustme.CA(path_length=0, organization_name="Stoa", organization_unit_name=name)


def _context(ca: trustme.CA, now: datetime) -> ssl.SSLContext:
    """ssl.SSLError for a certificate that no client would take, and what `trustme` raises for a CA that is none."""
    leaf = ca.issue_cert(
        *NAMES,
        organization_name="Stoa",
        organization_unit_name="simulated authority",
        not_before=now - _BEFORE,
        not_after=now + _LIFE,
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    leaf.configure_cert(context)
    _shake_hands(context, ca.cert_pem.bytes().decode("ascii"))
    return context


def _shake_hands(server: ssl.SSLContext, ca_pem: str) -> None:
    """As the first client will, in memory: it finds a key that is another certificate's, and a CA that is none."""
    client = ssl.create_default_context(cadata=ca_pem)
    to_client, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
    asking = client.wrap_bio(to_client, to_server, server_hostname=NAMES[0])
    answering = server.wrap_bio(to_server, to_client, server_side=True)
    for side in (asking, answering):
        with contextlib.suppress(ssl.SSLWantReadError):
            side.do_handshake()
    asking.do_handshake()


def _write_secret(path: Path, content: bytes) -> None:
    """In one step, so that a start that breaks off leaves none, or all of it."""
    beside = path.with_name(path.name + ".new")
    beside.unlink(missing_ok=True)
    with open(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
    beside.replace(path)


def _temporary(certificate: bytes) -> Path:
    descriptor, name = tempfile.mkstemp(".pem", "stoa-ca-")
    with open(descriptor, "wb") as file:
        file.write(certificate)
    # mkstemp is for secrets; this is for anybody's client.
    Path(name).chmod(0o644)
    return Path(name)
