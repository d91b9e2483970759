"""`stoa serve` hands out its control API, and its clock where asked: a real process, as a script runs it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest


@pytest.fixture
def served(tmp_path, request) -> Iterator[tuple[dict[str, Any], subprocess.Popen[str]]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "host_tools.cli", "serve", "--json", *request.param],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": os.getcwd()},
    )
    yield json.loads(process.stdout.readline()), process
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=20)


@pytest.mark.parametrize("served", [["--clock", "virtual"]], indirect=True)
def test_a_virtual_clock_stands_still_until_it_is_moved(served):
    told, process = served
    with httpx2.Client(headers={"Authorization": f"Bearer {told['control_token']}"}) as control:
        before = control.get(f"{told['control_url']}/clock").json()
        assert before["can_be_set"] is True
        moved = control.put(f"{told['control_url']}/clock", json={"now": before["now"]}).json()
        assert moved == before
        control.post(f"{told['control_url']}/clock/advance", json={"seconds": 86_400})
        assert control.get(f"{told['control_url']}/clock").json()["now"] > before["now"]
        fault = {"kind": "lose_reply", "endpoint": "discovery", "moment": "before"}
        control.post(f"{told['control_url']}/faults", json=fault)
    with pytest.raises(httpx2.RemoteProtocolError):
        httpx2.get(f"{told['issuer']}.well-known/openid-configuration")
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=20)
    assert process.returncode == 0
    assert "GET /.well-known/openid-configuration lost\n" in err
    assert told["control_token"] not in out + err


@pytest.mark.parametrize("served", [[]], indirect=True)
def test_the_clock_is_real_unless_asked(served):
    told, _ = served
    bearer = {"Authorization": f"Bearer {told['control_token']}"}
    assert httpx2.get(f"{told['control_url']}/clock", headers=bearer).json()["can_be_set"] is False


def lines_of(tmp_path, *options: str) -> list[str]:
    """What it prints for people until it serves."""
    process = subprocess.Popen(
        [sys.executable, "-m", "host_tools.cli", "serve", *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": os.getcwd()},
    )
    told = []
    for line in process.stdout:
        told.append(line)
        if line.startswith("Requests are told below."):
            break
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=20)
    return told


@pytest.mark.parametrize(
    ("grants", "displays"),
    [(["password"], 0), (["password", "refresh_token"], 0), (["refresh_token", "device_code"], 1)],
)
def test_a_display_is_spoken_of_where_one_may_pair(tmp_path, grants, displays):
    (tmp_path / "tenant.toml").write_text(f'clients = [{{ client_id = "app", grants = {json.dumps(grants)} }}]')
    told = lines_of(tmp_path, "--config", "tenant.toml")
    hints = [line for line in told if "stoa simulate" in line]
    assert len(hints) == displays and all("--client-id app" in line for line in hints)
    assert any(line.split() == ["client", "app,", "app"] for line in told)


INTERRUPTED = """
import contextlib, os, signal, threading
from host_tools.authority import start_authority
from host_tools.clock import VirtualClock

authority = start_authority(VirtualClock(0))
threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()
with contextlib.suppress(KeyboardInterrupt):
    authority.wait()
authority.stop()
print([thread.name for thread in threading.enumerate() if thread.name == "stoa-authority"])
"""


def test_after_ctrl_c_its_end_is_waited_for():
    done = subprocess.run([sys.executable, "-c", INTERRUPTED], capture_output=True, text=True, timeout=60)
    assert done.stdout == "[]\n", done.stderr
