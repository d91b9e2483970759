"""A real authority on a real port, and a person at its pages."""

from __future__ import annotations

import contextlib
import socket
import sqlite3
import threading

import httpx2
import pyotp
import pytest

from host_tools.authority import AuthorityError, start_authority
from host_tools.clock import NS, VirtualClock
from host_tools.rehearsal.person import PersonStuck, approve

from .conftest import DEVICE_CODE_GRANT, START_NS, quote_of_day


@pytest.fixture
def running(clock):
    with start_authority(clock, quote_of_day=quote_of_day) as authority:
        yield authority


def pair(running, clock, **answers):
    """Ask as a device, answer as a person, fetch as a device."""
    tenant = running.tenant
    found = httpx2.get(f"{running.issuer}.well-known/openid-configuration").json()
    fields = {"client_id": tenant.client_id, "scope": tenant.scope, "audience": tenant.audience}
    begun = httpx2.post(found["device_authorization_endpoint"], data=fields).json()
    asked = []

    def one_time_code() -> str:
        asked.append(True)
        return pyotp.TOTP(tenant.totp_secret).at(clock.now_ns() // NS)

    person = {
        "verification_uri": begun["verification_uri"],
        "user_code": begun["user_code"],
        "username": tenant.demo_user,
        "password": tenant.demo_password,
        "one_time_code": one_time_code,
    }
    approve(**(person | answers))
    fields = {"grant_type": DEVICE_CODE_GRANT, "device_code": begun["device_code"], "client_id": tenant.client_id}
    return httpx2.post(found["token_endpoint"], data=fields).json(), len(asked)


@pytest.mark.parametrize(("mode", "asked"), [("never", 0), ("rule", 1), ("always", 1)])
def test_a_person_connects_a_display(running, clock, mode, asked):
    running.set_mfa(mode)
    granted, times_asked = pair(running, clock)
    assert times_asked == asked
    bearer = {"Authorization": f"Bearer {granted['access_token']}"}
    assert httpx2.get(running.tenant.quotes_url, headers=bearer).json()["author"] == "Seneca"


def test_the_storys_turn(running, clock):
    """seeds/000: months of refreshes, then MFA for everything, then a human."""
    granted, _ = pair(running, clock)
    fields = {"grant_type": "refresh_token", "client_id": running.tenant.client_id}

    def refresh(token: str) -> httpx2.Response:
        return httpx2.post(f"{running.issuer}oauth/token", data=fields | {"refresh_token": token})

    for _ in range(3):
        clock.sleep_ns(86_400 * NS)
        granted = refresh(granted["refresh_token"]).json()
    running.set_mfa("rule")
    assert refresh(granted["refresh_token"]).json()["error"] == "mfa_required"
    _, asked = pair(running, clock)
    assert asked == 1
    running.set_mfa("never")
    assert refresh(granted["refresh_token"]).status_code == 200


def test_a_scanned_address_works_too(running, clock):
    fields = {"client_id": running.tenant.client_id, "scope": running.tenant.scope}
    begun = httpx2.post(f"{running.issuer}oauth/device/code", data=fields).json()
    pair(running, clock, verification_uri=begun["verification_uri_complete"], user_code="")


@pytest.mark.parametrize(
    ("mode", "answers", "message"),
    [
        ("never", {"user_code": "BBBB-BBBB"}, "No device is waiting with this code"),
        ("never", {"password": "wrong"}, "The e-mail address or the password is not right."),
        ("rule", {"one_time_code": lambda: "000 00"}, "This code is not right"),
    ],
)
def test_a_person_who_is_stuck_says_what_the_page_said(running, clock, mode, answers, message):
    running.set_mfa(mode)
    with pytest.raises(PersonStuck, match=message):
        pair(running, clock, **answers)


def test_a_person_is_stuck_where_there_is_no_page(running, clock):
    with pytest.raises(PersonStuck, match="There is nothing at this address"):
        pair(running, clock, verification_uri=f"{running.issuer}elsewhere")
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        with pytest.raises(PersonStuck, match="cannot be reached"):
            approve(f"http://127.0.0.1:{port}/", "", "", "", lambda: "")


def test_a_taken_port_is_named_with_the_remedy(running, clock):
    port = int(running.issuer.rstrip("/").rsplit(":", 1)[1])
    with pytest.raises(AuthorityError, match=rf"port {port} is taken; choose another with --port"):
        start_authority(clock, port=port, quote_of_day=quote_of_day)


@pytest.mark.parametrize("port", [-1, 70_000])
def test_a_port_that_is_none_is_refused(clock, port):
    with pytest.raises(AuthorityError, match="cannot be used"):
        start_authority(clock, port=port, quote_of_day=quote_of_day)


def test_an_access_token_that_never_lives_is_refused(clock):
    with pytest.raises(AuthorityError, match="give 1 or more"):
        start_authority(clock, access_token_ttl=0, quote_of_day=quote_of_day)


def test_a_device_may_speak_http_1_0(running):
    """micropython-urequests does; the reply must come whole, with its length, and the connection end."""
    host, port = "127.0.0.1", int(running.issuer.rstrip("/").rsplit(":", 1)[1])
    body = f"client_id={running.tenant.client_id}&scope=read:quotes".encode()
    with socket.create_connection((host, port), timeout=10) as wire:
        wire.sendall(
            b"POST /oauth/device/code HTTP/1.0\r\nHost: %s:%d\r\nContent-Length: %d\r\n"
            b"Content-Type: application/x-www-form-urlencoded\r\n\r\n%s" % (host.encode(), port, len(body), body)
        )
        reply = b"".join(iter(lambda: wire.recv(4096), b""))
    head, _, content = reply.partition(b"\r\n\r\n")
    assert head.splitlines()[0].endswith(b" 200 OK")
    assert b"content-length: %d" % len(content) in head.lower()
    assert b"transfer-encoding" not in head.lower()
    assert b'"device_code"' in content


def test_a_huge_body_is_refused_on_the_wire(running):
    reply = httpx2.post(
        f"{running.issuer}oauth/token",
        content=b"a=" + b"x" * 5_000_000,
        headers={"Content-Type": "application/x-www-form-urlencoded"},
    )
    assert (reply.status_code, reply.json()["error"]) == (413, "invalid_request")
    assert httpx2.get(f"{running.issuer}activate").status_code == 200


@pytest.mark.parametrize("path", ["oauth/token/", "oauth/device/code/", "control", "elsewhere"])
def test_an_address_that_is_nearly_one_is_none(running, path):
    """Nobody is sent on: a device that follows no redirect would not get there."""
    for reply in (httpx2.get(f"{running.issuer}{path}"), httpx2.post(f"{running.issuer}{path}", data={"a": "b"})):
        assert (reply.status_code, "location" in reply.headers) == (404, False)


@pytest.mark.parametrize("garbage", [b"\x16\x03\x01\x02\x00" * 10 + b"\r\n\r\n", b"GET\r\n\r\n", b"A" * 200_000])
def test_garbage_on_the_wire_does_no_harm(running, garbage):
    port = int(running.issuer.rstrip("/").rsplit(":", 1)[1])
    with socket.create_connection(("127.0.0.1", port), timeout=10) as wire, contextlib.suppress(ConnectionError):
        wire.sendall(garbage)
        wire.recv(4096)
    assert httpx2.get(f"{running.issuer}activate").status_code == 200


def test_an_unknown_mfa_mode_is_refused(running, clock):
    with pytest.raises(AuthorityError, match="never, always, adaptive, rule"):
        running.set_mfa("sometimes")


def test_a_port_is_free_again_after_stop(clock):
    first = start_authority(clock, quote_of_day=quote_of_day)
    port = int(first.issuer.rstrip("/").rsplit(":", 1)[1])
    httpx2.get(f"{first.issuer}activate")
    first.stop()
    first.stop()
    with start_authority(clock, port=port, quote_of_day=quote_of_day) as second:
        assert httpx2.get(f"{second.issuer}activate").status_code == 200


def test_a_display_stays_connected_over_a_restart(clock, tmp_path):
    database = tmp_path / "authority.db"
    with start_authority(clock, database=database, quote_of_day=quote_of_day) as first:
        granted, _ = pair(first, clock)
    with start_authority(clock, database=database, quote_of_day=quote_of_day) as second:
        fields = {"grant_type": "refresh_token", "refresh_token": granted["refresh_token"]}
        reply = httpx2.post(f"{second.issuer}oauth/token", data=fields | {"client_id": first.tenant.client_id})
        assert reply.status_code == 200
        assert second.tenant.totp_secret == first.tenant.totp_secret


def test_a_database_that_is_not_ours_frees_the_port(clock, tmp_path):
    database = tmp_path / "theirs.db"
    with sqlite3.connect(database) as other:
        other.execute("CREATE TABLE theirs (x)")
    other.close()
    before = threading.active_count()
    with pytest.raises(AuthorityError, match="another program's database"):
        start_authority(clock, database=database, quote_of_day=quote_of_day)
    assert threading.active_count() == before


def test_wait_returns_when_it_is_stopped(clock):
    running = start_authority(clock, quote_of_day=quote_of_day)
    waiting = threading.Thread(target=running.wait)
    waiting.start()
    assert waiting.is_alive()
    running.stop()
    waiting.join(5)
    assert not waiting.is_alive()


def test_the_access_token_lifetime_is_as_asked(clock):
    with start_authority(clock, access_token_ttl=60, quote_of_day=quote_of_day) as running:
        granted, _ = pair(running, clock)
    assert granted["expires_in"] == 60


def test_nothing_secret_is_logged(capfd, caplog, running, clock):
    # capfd comes first: a server keeps the stderr that it was started with.
    running.set_mfa("rule")
    granted, _ = pair(running, clock)
    logged = "".join(capfd.readouterr()) + caplog.text
    for secret in (granted["access_token"], granted["refresh_token"], running.tenant.demo_password):
        assert secret not in logged
    assert "user_code" not in logged


def test_the_packaged_quotes_are_the_default():
    clock = VirtualClock(START_NS)
    with start_authority(clock) as running:
        granted, _ = pair(running, clock)
        bearer = {"Authorization": f"Bearer {granted['access_token']}"}
        quote = httpx2.get(running.tenant.quotes_url, headers=bearer).json()
    assert quote.keys() == {"date", "text", "author", "work", "locus"}
    assert quote["date"] == "2026-11-22"
