"""Going back to a state: everything the authority knows, every switch, and nothing of what came after."""

from __future__ import annotations

import pickle
import socket
import sqlite3

import httpx2
import pytest

from host_tools.authority import LoseReply, NotNow, SlowDown, start_authority
from host_tools.authority.store import SqliteStore
from host_tools.authority.tenant import demo_tenant
from host_tools.clock import NS

from .conftest import ISSUER, over_the_wire, quote_of_day


def test_a_used_token_is_the_newest_again(paired, device):
    control, token = paired.authority.control, paired.tokens["refresh_token"]
    later = device.refresh(token).json()["refresh_token"]
    assert device.refresh(token).status_code == 403
    paired.authority.restore(paired.snapshot)
    assert control.examine(later) is None
    assert control.examine(token).standing == "newest"
    assert device.refresh(token).status_code == 200


def test_switches_and_counts_go_back_too(paired, device):
    authority, control = paired.authority, paired.authority.control
    control.set_fault(SlowDown(times=3))
    begun = device.ask().json()
    device.poll(begun["device_code"])
    control.set_mfa("rule", strict=True, factors=2)
    control.set_access_token_lifetime(60)
    kept, state = authority.snapshot(), (control.faults(), control.tally())
    control.lift_faults()
    control.set_fault(LoseReply("api", "after"))
    control.set_mfa("never", strict=False, factors=1)
    control.set_access_token_lifetime(61)
    control.set_refresh_leeway(authority.tenant.client_id, 30)
    device.ask()
    authority.restore(pickle.loads(pickle.dumps(kept)))
    assert (control.faults(), control.tally()) == state
    assert control.faults()[0].struck == 1
    assert (control.mfa.mode, control.mfa.strict, control.mfa.factors) == ("rule", True, 2)
    assert control.access_token_lifetime_s == 60
    assert control.client(authority.tenant.client_id).refresh_leeway_s == 0
    assert device.poll(begun["device_code"]).json()["error"] == "slow_down"


def test_the_clock_is_put_back_by_its_owner(paired, device):
    paired.clock.sleep_ns(400 * 86_400 * NS)
    assert device.refresh(paired.tokens["refresh_token"]).status_code == 403  # a year and more: expired
    paired.authority.restore(paired.snapshot)
    paired.clock.set_ns(paired.snapshot.taken_at)
    assert device.refresh(paired.tokens["refresh_token"]).status_code == 200
    assert device.quote(paired.tokens["access_token"]).status_code == 200


def leave_behind(authority, missing=0):
    """Send a request for a device code, without its last bytes, and be gone: what a board does that loses its power."""
    port = int(authority.issuer.rstrip("/").rsplit(":", 1)[1])
    body = f"client_id={authority.tenant.client_id}".encode()
    with socket.create_connection(("127.0.0.1", port), timeout=20) as wire:
        wire.sendall(
            b"POST /oauth/device/code HTTP/1.0\r\nHost: 127.0.0.1:%d\r\nContent-Length: %d\r\n"
            b"Content-Type: application/x-www-form-urlencoded\r\n\r\n%s" % (port, len(body) + missing, body)
        )


def test_what_a_dead_board_left_on_the_wire_does_not_reach_the_next_run(paired):
    for _ in range(20):
        leave_behind(paired.authority)
        paired.authority.restore(paired.snapshot)
        paired.authority.settle()
        assert paired.authority.control.tally() == paired.snapshot.tally | {"families_live": 1}


def test_settling_waits_for_what_is_under_way(paired):
    asked = paired.snapshot.tally["device_grants_asked"]
    for times in range(1, 21):
        leave_behind(paired.authority)
        paired.authority.settle()
        assert paired.authority.control.tally()["device_grants_asked"] == asked + times


def test_a_request_that_breaks_off_is_no_fault_of_ours(capfd, clock):
    told = []
    with start_authority(clock, quote_of_day=quote_of_day, on_request=lambda *what: told.append(what)) as authority:
        leave_behind(authority, missing=1)
        authority.settle()
        assert authority.control.tally()["device_grants_asked"] == 0
    assert told == [("POST", "/oauth/device/code", 400)]
    assert "Traceback" not in capfd.readouterr().err


def test_a_snapshot_belongs_to_its_authority(paired, clock):
    with (
        start_authority(clock, quote_of_day=quote_of_day) as other,
        pytest.raises(NotNow, match="restore it there"),
    ):
        other.restore(paired.snapshot)


def test_a_stopped_authority_cannot_be_asked(clock):
    with start_authority(clock, quote_of_day=quote_of_day) as authority:
        pass
    with pytest.raises(NotNow, match="has stopped"):
        authority.snapshot()


def test_a_database_file_goes_back_and_stays_a_file(clock, tmp_path):
    database = tmp_path / "authority.db"
    with start_authority(clock, database=database, quote_of_day=quote_of_day) as authority:
        kept = authority.snapshot()
        with over_the_wire(authority) as device:
            device.ask()
            authority.restore(kept)
            device.ask()
        assert authority.control.tally()["device_grants_asked"] == 1
    with sqlite3.connect(database) as plain:
        assert plain.execute("SELECT count(*) FROM device_grants").fetchone() == (1,)
        assert plain.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    plain.close()
    with start_authority(clock, database=database, quote_of_day=quote_of_day) as again:
        assert again.tenant.client_id == authority.tenant.client_id
        assert httpx2.get(f"{again.issuer}activate").status_code == 200


def test_an_image_of_a_file_opens_in_memory(tmp_path):
    on_disk, in_memory = SqliteStore(tmp_path / "a.db"), SqliteStore(None)
    tenant = demo_tenant(on_disk, ISSUER)
    in_memory.put_back(on_disk.image())
    assert demo_tenant(in_memory, ISSUER).totp_secret == tenant.totp_secret
    on_disk.close()
    in_memory.close()
