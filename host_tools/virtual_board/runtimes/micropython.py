"""MicroPython as the board's interpreter: a real 32-bit VM whose heap is bounded like that of a board without PSRAM.

A `micropython` on PATH serves. Otherwise Debian's package (trixie, i386, with its libraries) is downloaded by a private
apt directory whose mirror is the machine's own, unpacked into the cache, and started through its own loader; nothing
is installed and no root is needed. The package's own digest is pinned here; its libraries are as the signed release
has them.
"""

from __future__ import annotations

import hashlib
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from host_tools.errors import StoaError
from host_tools.virtual_board.runtimes.process import ROM, FirmwareProcess, SpawnedChild

RELEASE, ARCHITECTURE, PACKAGE = "trixie", "i386", "micropython"
PACKAGE_SHA256 = "a72799821cb45442150f8a7f0757bc8e4f9a4b64abccbd837d694a20d6900bb5"
REMEDY = "install MicroPython 1.25"
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")


class MicroPythonUnavailable(StoaError):
    """No MicroPython on this machine, and none could be fetched."""


class MicroPythonRuntime:
    """`program`: the command that starts it, without options. heap: its size as `-X heapsize` takes it, "128k"."""

    name = "micropython"

    def __init__(self, program: Sequence[str], heap: str = "128k") -> None:
        self._program = list(program)
        self._heap = heap

    def start(self, built_in: Path, on_console: Callable[[str], None]) -> FirmwareProcess:
        boot = Path(__file__).with_name("micropython_boot.py")
        command = [*self._program, "-X", f"heapsize={self._heap}", str(boot), str(ROM), str(built_in)]
        return FirmwareProcess(lambda link, console: SpawnedChild(command, link, console), on_console)


def find_micropython(cache: Path) -> list[str]:
    """The command that starts a MicroPython: the one on PATH, or Debian's, fetched into `cache` if need be."""
    on_path = shutil.which("micropython")
    if on_path:
        return [on_path]
    root = cache / f"{PACKAGE}-{RELEASE}-{ARCHITECTURE}-{PACKAGE_SHA256[:12]}"
    if not root.exists():
        _fetch(root)
    libraries = root / "usr/lib/i386-linux-gnu"
    return [str(libraries / "ld-linux.so.2"), "--library-path", str(libraries), str(root / "usr/bin/micropython")]


def _fetch(root: Path) -> None:
    if not shutil.which("apt-get") or not shutil.which("dpkg-deb") or not KEYRING.exists():
        raise MicroPythonUnavailable(f"no micropython on PATH, and no Debian here to fetch one; {REMEDY}")
    root.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=root.parent) as scratch:
        private = Path(scratch)
        for folder in ("state/lists/partial", "cache/archives/partial", "unpacked"):
            (private / folder).mkdir(parents=True)
        (private / "status").write_bytes(b"")
        (private / "sources.list").write_text(
            f"deb [arch={ARCHITECTURE} signed-by={KEYRING}] {_mirror()} {RELEASE} main\n", encoding="ascii"
        )
        apt = ["apt-get", "-q", *_private_options(private)]
        _run([*apt, "update"])
        _run([*apt, "install", "--yes", "--download-only", "--no-install-recommends", PACKAGE])
        archives = sorted((private / "cache/archives").glob("*.deb"))
        for archive in archives:
            if archive.name.startswith(PACKAGE + "_"):
                _check(archive)
            _run(["dpkg-deb", "-x", str(archive), str(private / "unpacked")])
        try:
            (private / "unpacked").rename(root)
        except OSError:
            # Another process was faster; its copy is as good.
            if not root.exists():
                raise


def _private_options(private: Path) -> list[str]:
    settings = {
        "Dir::State": private / "state",
        "Dir::State::status": private / "status",
        "Dir::Cache": private / "cache",
        "Dir::Etc::sourcelist": private / "sources.list",
        "Dir::Etc::sourceparts": "/dev/null",
        "APT::Architecture": ARCHITECTURE,
        "APT::Architectures": ARCHITECTURE,
        "Acquire::Languages": "none",
        # The unprivileged user apt would change to cannot reach a private folder.
        "APT::Sandbox::User": "root",
    }
    return [word for key, value in settings.items() for word in ("-o", f"{key}={value}")]


def _mirror() -> str:
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
    raise MicroPythonUnavailable(f"apt knows no Debian mirror here; run 'apt-get update', or {REMEDY}")


def _check(archive: Path) -> None:
    digest = hashlib.sha256(archive.read_bytes()).hexdigest()
    if digest != PACKAGE_SHA256:
        raise MicroPythonUnavailable(f"{archive.name} is not the pinned package (sha256 {digest}); {REMEDY}")


def _run(command: Sequence[str]) -> None:
    environment = {**os.environ, "LC_ALL": "C", "DEBIAN_FRONTEND": "noninteractive"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    if done.returncode:
        last = (done.stderr.strip() or done.stdout.strip() or "no message").splitlines()[-1]
        raise MicroPythonUnavailable(f"{command[0]} could not fetch MicroPython: {last}")


def main() -> None:
    """Print the command that starts MicroPython, fetching it first if need be; exit with 1 if there is none."""
    from host_tools.device_libraries import cache_folder

    try:
        print(shlex.join(find_micropython(cache_folder())))
    except MicroPythonUnavailable as error:
        sys.exit(f"stoa: {error}")


if __name__ == "__main__":
    main()
