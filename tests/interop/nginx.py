"""A real nginx: the one on PATH, or Debian's, fetched and unpacked into the cache. Nothing is installed.

`python -m tests.interop.nginx` fetches it and prints the command.
"""

from __future__ import annotations

import shlex
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from host_tools.debian_package import DebianPackage, DebianPackageUnavailable, unpacked
from host_tools.device_libraries import cache_folder

RELEASE = "bookworm"  # its nginx is 1.22
_STARTS_IN_S = 20


def find_nginx() -> list[str]:
    """The command. Raises DebianPackageUnavailable."""
    on_path = shutil.which("nginx")
    if on_path:
        return [on_path]
    asked = subprocess.run(["dpkg", "--print-architecture"], capture_output=True, text=True, check=True)
    package = DebianPackage("nginx", RELEASE, asked.stdout.strip(), None, "install nginx")
    root = unpacked(package, cache_folder())
    # Its own loader and libraries, whatever this machine's are.
    loader = next(path for path in root.rglob("ld-linux-*.so.*") if path.is_file())
    folders = {path.parent for path in root.rglob("lib*.so.*")}
    return [str(loader), "--library-path", ":".join(map(str, sorted(folders))), str(root / "usr/sbin/nginx")]


@contextmanager
def running(config: str, folder: Path) -> Iterator[Path]:
    """nginx with this configuration, in which `{listen}` is where it is to listen, and `folder` as its prefix.

    It answers on the socket that is yielded: no port has to be free.
    """
    with tempfile.TemporaryDirectory() as short:  # a socket's path has 107 characters at most
        at = Path(short) / "http"
        (folder / "nginx.conf").write_text(config.replace("{listen}", f"unix:{at}"))
        options = ["-p", str(folder), "-e", "stderr", "-c", "nginx.conf", "-g", "daemon off; master_process off;"]
        with subprocess.Popen([*find_nginx(), *options], stderr=subprocess.PIPE) as process:
            try:
                _wait_for(at, process)
                yield at
            finally:
                process.terminate()
                process.communicate(timeout=_STARTS_IN_S)


def _wait_for(at: Path, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _STARTS_IN_S
    while True:
        with socket.socket(socket.AF_UNIX) as probe:
            try:
                probe.connect(str(at))
                return
            except OSError:
                if process.poll() is not None:
                    assert process.stderr is not None
                    raise AssertionError(f"nginx ended: {process.stderr.read().decode()}") from None
                assert time.monotonic() < deadline, "nginx does not answer"
        time.sleep(0.01)


def main() -> None:
    """Print the command, fetching it first if need be; exit with 1 if there is none."""
    try:
        print(shlex.join(find_nginx()))
    except DebianPackageUnavailable as error:
        sys.exit(f"stoa: {error}")


if __name__ == "__main__":
    main()
