"""Replies that come late: on a virtual clock, which moves on by the delay, and on a real one, where somebody waits."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from urllib.parse import urlsplit

import httpx2
import pytest

from host_tools.authority import DelayReply, NotNow, RunningAuthority, start_authority
from host_tools.authority.core.fault_kinds import MOST_DELAY_MS
from host_tools.clock import NS, RealClock

from .conftest import over_the_wire, quote_of_day

MS = NS // 1000
MOMENTS = [("before", 0), ("after", 1)]


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_virtual_clock_moves_on_by_the_delay(paired, device, moment):
    before = paired.clock.now_ns()
    paired.authority.control.set_fault(DelayReply("token", 2_500, moment, times=1))
    assert device.refresh(paired.tokens["refresh_token"]).status_code == 200
    assert paired.clock.now_ns() == before + 2_500 * MS
    assert device.quote(paired.tokens["access_token"]).status_code == 200
    assert paired.clock.now_ns() == before + 2_500 * MS


@pytest.mark.parametrize(("moment", "status"), [("before", 403), ("after", 200)])
def test_what_is_due_meanwhile_happens_before_or_after_the_request_is_processed(paired, device, moment, status):
    control = paired.authority.control
    control.set_fault(DelayReply("token", 60_000, moment, times=1))
    paired.clock.schedule(30 * NS, lambda: control.revoke())
    assert device.refresh(paired.tokens["refresh_token"]).status_code == status
    assert control.tally()["families_live"] == 0


def test_who_acts_meanwhile_may_ask_the_server_itself(paired, device):
    """A person approves while a poll is open: nothing waits for the other."""
    answered = []
    paired.clock.schedule(NS, lambda: answered.append(httpx2.get(f"{paired.authority.issuer}activate").status_code))
    paired.authority.control.set_fault(DelayReply("token", 5_000, times=1))
    assert device.refresh(paired.tokens["refresh_token"]).status_code == 200
    assert answered == [200]


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("length", [10, 3_000_000])
def test_a_delayed_request_reaches_the_application_whole(paired, device, moment, length):
    control = paired.authority.control
    control.set_fault(DelayReply("token", 10, moment))
    body = f"grant_type=refresh_token&client_id={paired.authority.tenant.client_id}&refresh_token={'y' * length}"
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    reply = device.http.post("/oauth/token", content=body, headers=headers)
    assert reply.status_code == (403 if length == 10 else 413)
    assert control.tally()["refreshes_refused"] == (1 if length == 10 else 0)


@pytest.fixture
def waiting() -> Iterator[RunningAuthority]:
    """A server in real time."""
    with start_authority(RealClock(), quote_of_day=quote_of_day) as running:
        yield running


@contextmanager
def held(running: RunningAuthority, moment: str) -> Iterator[socket.socket]:
    """A connection whose request for a device code is under way, for ten minutes."""
    control, address = running.control, urlsplit(running.issuer)
    fault = control.set_fault(DelayReply("device_authorization", MOST_DELAY_MS, moment))
    body = f"client_id={running.tenant.client_id}".encode()
    with ExitStack() as opened:
        wire = opened.enter_context(socket.create_connection((address.hostname, address.port), timeout=20))
        if running.ca_file is not None:
            trust = ssl.create_default_context(cafile=running.ca_file)
            wire = opened.enter_context(trust.wrap_socket(wire, server_hostname=address.hostname))
        wire.sendall(
            b"POST /oauth/device/code HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: %d\r\n"
            b"Content-Type: application/x-www-form-urlencoded\r\n\r\n%s" % (len(body), body)
        )
        asked = 1 if moment == "after" else 0
        while control.faults()[0].struck == 0 or control.tally()["device_grants_asked"] < asked:
            pass
        yield wire
    control.lift_fault(fault.number)


@pytest.mark.parametrize("moment", ["before", "after"])
def test_real_time_is_waited_for(waiting, moment):
    waiting.control.set_fault(DelayReply("device_authorization", 10, moment, times=1))
    with over_the_wire(waiting) as device:
        assert device.ask().status_code == 200
    assert waiting.control.tally()["device_grants_asked"] == 1


def test_the_wait_is_as_long_as_asked(waiting, monkeypatch):
    waits = []
    timeout = asyncio.timeout
    monkeypatch.setattr(asyncio, "timeout", lambda wait_s: (waits.append(wait_s), timeout(0))[1])
    waiting.control.set_fault(DelayReply("device_authorization", 12_345, times=1))
    with over_the_wire(waiting) as device:
        assert device.ask().status_code == 200
    assert waits == [12.345]


@pytest.mark.parametrize(("moment", "asked"), MOMENTS)
def test_who_hangs_up_leaves_nothing_behind(waiting, moment, asked):
    with held(waiting, moment):
        assert waiting.control.tally()["device_grants_asked"] == asked
        with over_the_wire(waiting) as neighbour:
            assert neighbour.http.get("/activate").status_code == 200
    waiting.settle()  # would raise NotNow after seconds
    assert waiting.control.tally()["device_grants_asked"] == asked


def test_a_request_that_is_held_is_under_way(waiting, monkeypatch):
    monkeypatch.setattr("host_tools.authority.server._SETTLE_TIMEOUT_S", 0.01)
    with held(waiting, "before"), pytest.raises(NotNow, match="still under way"):
        waiting.snapshot()


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("tls", [False, True])
def test_the_server_ends_without_waiting(capfd, tls, moment):
    with start_authority(RealClock(), quote_of_day=quote_of_day, tls=tls) as running, held(running, moment) as wire:
        running.stop()
        assert wire.recv(4096) == b""
        assert not running._thread.is_alive()
    written = capfd.readouterr().err
    assert "timeout graceful shutdown exceeded" not in written and "Traceback" not in written
