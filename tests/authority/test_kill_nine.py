"""kill -9 in the midst of work: what a client was told before it still holds after the restart.

A real `stoa serve` with its database, real clients in threads, SIGKILL as soon as they have been answered so often, or
as soon as one of them has been told of a reuse. A leeway of an hour is set on both sides of the kill: whoever lost the
last reply brings the token before, and is taken.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import pyotp
import pytest

from host_tools.rehearsal.person import PersonStuck, approve
from tests.campaign import extent

from .conftest import DEVICE_CODE_GRANT

FAMILIES = 6
ANSWERS = range(10, 400)  # after how many the kill comes
LEEWAY_S = 3600


@dataclass
class Device:
    """What one client has been told, and nothing else."""

    refresh_token: str
    revoked: bool | None = False  # None: asked for, and not answered


@dataclass
class Load:
    """Counts answers, so that the kill comes in the midst of them."""

    answered: int = 0
    changed: threading.Condition = field(default_factory=threading.Condition)

    def count(self) -> None:
        with self.changed:
            self.answered += 1
            self.changed.notify_all()


@contextmanager
def served(database: Path) -> Iterator[tuple[dict[str, Any], subprocess.Popen[str]]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "host_tools.cli", "serve", "--json", "--database", str(database)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**os.environ, "PYTHONPATH": os.getcwd()},
    )
    try:
        told = json.loads(process.stdout.readline())
        bearer = {"Authorization": f"Bearer {told['control_token']}"}
        with httpx2.Client(base_url=told["control_url"], headers=bearer) as control:
            client = f"/clients/{told['client_id']}"
            assert control.patch(client, json={"refresh_leeway_s": LEEWAY_S}).status_code == 200
        yield told, process
    finally:
        process.kill()
        process.communicate()


def pair(http: httpx2.Client, told: dict[str, Any]) -> Device:
    client = {"client_id": told["client_id"]}
    begun = http.post("/oauth/device/code", data=client | {"scope": told["scope"]}).json()
    totp = pyotp.TOTP(told["totp_secret"])
    approve(begun["verification_uri"], begun["user_code"], told["demo_user"], told["demo_password"], totp.now)
    grant = {"grant_type": DEVICE_CODE_GRANT, "device_code": begun["device_code"]}
    return Device(http.post("/oauth/token", data=client | grant).json()["refresh_token"])


def refresh(http: httpx2.Client, told: dict[str, Any], token: str) -> httpx2.Response:
    fields = {"grant_type": "refresh_token", "client_id": told["client_id"], "refresh_token": token}
    return http.post("/oauth/token", data=fields)


def live(told: dict[str, Any], device: Device, load: Load, refreshes: int) -> None:
    """Refresh again and again; after so many revoke the token. Ends with the server."""
    try:
        with httpx2.Client(base_url=told["issuer"], timeout=20) as http:
            for _ in range(refreshes):
                reply = refresh(http, told, device.refresh_token)
                device.refresh_token = reply.json()["refresh_token"]
                load.count()
            fields = {"client_id": told["client_id"], "token": device.refresh_token}
            device.revoked = None
            device.revoked = http.post("/oauth/revoke", data=fields).status_code == 200
            load.count()
    except httpx2.TransportError:
        pass


def pair_on(told: dict[str, Any], devices: list[Device], load: Load) -> None:
    """One new display after the other, until the server is gone."""
    try:
        with httpx2.Client(base_url=told["issuer"], timeout=20) as http:
            while True:
                devices.append(pair(http, told))
                load.count()
    except (httpx2.TransportError, PersonStuck):
        pass


@pytest.mark.parametrize("seed", range(extent(quick=2, deep=15)))
def test_no_family_and_no_revocation_is_lost(tmp_path, seed):
    chance, load, database = random.Random(seed), Load(), tmp_path / "authority.db"
    with served(database) as (told, process), httpx2.Client(base_url=told["issuer"], timeout=20) as http:
        devices = [pair(http, told) for _ in range(FAMILIES)]
        # Half of them revoke their token some time before the kill, or are about to.
        lives = [chance.choice(ANSWERS) // FAMILIES if at % 2 else 10**6 for at in range(FAMILIES)]
        threads = [
            threading.Thread(target=live, args=(told, device, load, refreshes))
            for device, refreshes in zip(devices, lives, strict=True)
        ]
        threads.append(threading.Thread(target=pair_on, args=(told, devices, load)))
        for thread in threads:
            thread.start()
        with load.changed:
            moment = chance.choice(ANSWERS)
            assert load.changed.wait_for(lambda: load.answered >= moment, timeout=60)
        assert all(thread.is_alive() for thread in threads[::2])  # nobody had stopped before the kill
        process.send_signal(signal.SIGKILL)
        for thread in threads:
            thread.join()
    with served(database) as (told, _), httpx2.Client(base_url=told["issuer"], timeout=20) as http:
        for device in devices:
            reply = refresh(http, told, device.refresh_token)
            good, dead = reply.status_code == 200, reply.json().get("error") == "invalid_grant"
            assert {False: good, True: dead, None: good or dead}[device.revoked], (device, reply.text, load.answered)


@pytest.mark.parametrize("seed", range(extent(quick=2, deep=15)))
def test_a_family_that_a_reuse_has_ended_stays_dead(tmp_path, seed):
    """The kill comes as the answer does, others being refreshed all the while."""
    chance, load, database = random.Random(seed), Load(), tmp_path / "authority.db"
    with served(database) as (told, process), httpx2.Client(base_url=told["issuer"], timeout=20) as http:
        stolen, *others = [pair(http, told) for _ in range(FAMILIES)]
        issued = [stolen.refresh_token]
        for _ in range(2):  # the leeway forgives the token before the newest, and no older one
            issued.append(refresh(http, told, issued[-1]).json()["refresh_token"])
        threads = [threading.Thread(target=live, args=(told, device, load, 10**6)) for device in others]
        for thread in threads:
            thread.start()
        with load.changed:
            moment = chance.choice(ANSWERS)
            assert load.changed.wait_for(lambda: load.answered >= moment, timeout=60)
        reused = refresh(http, told, issued[0])
        process.send_signal(signal.SIGKILL)
        for thread in threads:
            thread.join()
    assert reused.json()["error"] == "invalid_grant"
    with served(database) as (told, _), httpx2.Client(base_url=told["issuer"], timeout=20) as http:
        assert [refresh(http, told, token).json().get("error") for token in reversed(issued)] == ["invalid_grant"] * 3
        assert [refresh(http, told, device.refresh_token).status_code for device in others] == [200] * len(others)
