"""A program of another Debian release, fetched and unpacked into the cache with its libraries; nothing is installed.

A private apt directory whose mirror is the machine's own downloads the package and what it depends on, without root.
The package's own digest is pinned; its libraries are as the signed release has them.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from host_tools.errors import StoaError

KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")


class DebianPackageUnavailable(StoaError):
    """The package could not be fetched; one line says why, and what to do instead."""


@dataclass(frozen=True)
class DebianPackage:
    """sha256: of its archive, in hexadecimal; None takes it as the signed release has it, for what is often mended.

    remedy: what to do where it cannot be fetched ("install Foo 2").
    """

    name: str
    release: str
    architecture: str
    sha256: str | None
    remedy: str


def unpacked(package: DebianPackage, cache: Path) -> Path:
    """The folder below `cache` that holds the package and its libraries as a root file system would; fetched if need
    be."""
    root = cache / f"{package.name}-{package.release}-{package.architecture}-{(package.sha256 or 'signed')[:12]}"
    if not root.exists():
        _fetch(package, root)
    return root


def _fetch(package: DebianPackage, root: Path) -> None:
    if not shutil.which("apt-get") or not shutil.which("dpkg-deb") or not KEYRING.exists():
        raise DebianPackageUnavailable(f"no Debian here to fetch one; {package.remedy}")
    root.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=root.parent) as scratch:
        private = Path(scratch)
        for folder in ("state/lists/partial", "cache/archives/partial", "unpacked"):
            (private / folder).mkdir(parents=True)
        (private / "status").write_bytes(b"")
        (private / "sources.list").write_text(
            f"deb [arch={package.architecture} signed-by={KEYRING}] {_mirror(package)} {package.release} main\n",
            encoding="ascii",
        )
        apt = ["apt-get", "-q", *_private_options(private, package.architecture)]
        _run(package, [*apt, "update"])
        _run(package, [*apt, "install", "--yes", "--download-only", "--no-install-recommends", package.name])
        for archive in sorted((private / "cache/archives").glob("*.deb")):
            if package.sha256 is not None and archive.name.startswith(package.name + "_"):
                _check(package, archive)
            _run(package, ["dpkg-deb", "-x", str(archive), str(private / "unpacked")])
        try:
            (private / "unpacked").rename(root)
        except OSError:
            # Another process was faster; its copy is as good.
            if not root.exists():
                raise


def _private_options(private: Path, architecture: str) -> list[str]:
    settings = {
        "Dir::State": private / "state",
        "Dir::State::status": private / "status",
        "Dir::Cache": private / "cache",
        "Dir::Etc::sourcelist": private / "sources.list",
        "Dir::Etc::sourceparts": "/dev/null",
        "APT::Architecture": architecture,
        "APT::Architectures": architecture,
        "Acquire::Languages": "none",
        # The unprivileged user apt would change to cannot reach a private folder.
        "APT::Sandbox::User": "root",
    }
    return [word for key, value in settings.items() for word in ("-o", f"{key}={value}")]


def _mirror(package: DebianPackage) -> str:
    """Where this machine gets Debian from."""
    listed = subprocess.run(
        ["apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages", "Origin: Debian"],
        capture_output=True,
        text=True,
        check=False,
    )
    for uri in listed.stdout.split():
        if "security" not in uri:
            return uri
    raise DebianPackageUnavailable(f"apt knows no Debian mirror here; run 'apt-get update', or {package.remedy}")


def _check(package: DebianPackage, archive: Path) -> None:
    digest = hashlib.sha256(archive.read_bytes()).hexdigest()
    if digest != package.sha256:
        raise DebianPackageUnavailable(f"{archive.name} is not the pinned package (sha256 {digest}); {package.remedy}")


def _run(package: DebianPackage, command: Sequence[str]) -> None:
    environment = {**os.environ, "LC_ALL": "C", "DEBIAN_FRONTEND": "noninteractive"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    if done.returncode:
        last = (done.stderr.strip() or done.stdout.strip() or "no message").splitlines()[-1]
        raise DebianPackageUnavailable(f"{command[0]} could not fetch {package.name}: {last}")
