"""Faults on the connection, against a real server: what a device sees, and what the server has done."""

from __future__ import annotations

import socket
from dataclasses import replace
from email.utils import parsedate_to_datetime
from http.client import HTTPConnection
from urllib.parse import urlsplit

import httpx2
import pytest

from host_tools.authority import LoseReply, RateLimit, SlowDown, StatusReply, start_authority
from host_tools.authority.core.faults import ENDPOINTS
from host_tools.clock import NS, now_s
from host_tools.rehearsal.person import approve

from .conftest import over_the_wire, quote_of_day

SEND = {
    "token": lambda device, tokens: device.refresh(tokens["refresh_token"]),
    "device_authorization": lambda device, tokens: device.ask(),
    "authorization": lambda device, tokens: device.http.get("/authorize"),
    "userinfo": lambda device, tokens: device.http.get("/userinfo"),
    "revocation": lambda device, tokens: device.http.post("/oauth/revoke", data={"client_id": "x", "token": "x"}),
    "mfa": lambda device, tokens: device.http.get("/mfa/authenticators"),
    "discovery": lambda device, tokens: device.http.get("/.well-known/openid-configuration"),
    "jwks": lambda device, tokens: device.http.get("/.well-known/jwks.json"),
    "api": lambda device, tokens: device.quote(tokens["access_token"]),
}


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("endpoint", sorted({*ENDPOINTS} - {"introspection"}))  # Auth0 has none
def test_a_reply_is_lost_as_often_as_asked_and_at_that_endpoint_alone(paired, device, endpoint, moment):
    paired.authority.control.set_fault(LoseReply(endpoint, moment, times=2))
    for name, send in SEND.items():
        if name != endpoint:
            assert send(device, {"refresh_token": "unknown", "access_token": "x"}).status_code
    for _ in range(2):
        with pytest.raises(httpx2.RemoteProtocolError, match="disconnected without sending a response"):
            SEND[endpoint](device, paired.tokens)
    assert SEND[endpoint](device, paired.tokens).status_code
    assert paired.authority.control.faults() == ()


@pytest.mark.parametrize("endpoint", ["mfa", "token"])
def test_a_fault_of_the_mfa_api_strikes_each_of_its_addresses(paired, device, endpoint):
    paired.authority.control.set_fault(RateLimit(endpoint))
    http = device.http
    sent = [
        http.get("/mfa/authenticators"),
        http.delete("/mfa/authenticators/totp%7Cdev_x"),
        http.post("/mfa/associate", json={}),
        http.post("/mfa/challenge", json={}),
    ]
    assert {reply.status_code == 429 for reply in sent} == {endpoint == "mfa"}
    for elsewhere in ("/mfa/authenticators/", "/mfa/authenticators/a/b", "/mfa"):
        assert http.delete(elsewhere).status_code == 404


@pytest.mark.parametrize(("moment", "refreshes", "standing"), [("before", 0, "newest"), ("after", 1, "reused")])
def test_a_lost_reply_to_a_refresh_was_processed_or_not(paired, device, moment, refreshes, standing):
    control, token = paired.authority.control, paired.tokens["refresh_token"]
    control.set_fault(LoseReply("token", moment, times=1))
    with pytest.raises(httpx2.RemoteProtocolError):
        device.refresh(token)
    assert control.tally()["refreshes"] == refreshes
    assert control.examine(token).standing == standing
    assert control.tally()["families_live"] == 1  # looking is not using


@pytest.mark.parametrize(("leeway", "after_s", "status"), [(0, 2, 403), (10, 9, 200), (10, 10, 403), (60, 2, 200)])
def test_a_retry_after_a_lost_reply_lives_on_the_leeway(paired, device, leeway, after_s, status):
    control, token = paired.authority.control, paired.tokens["refresh_token"]
    control.set_refresh_leeway(paired.authority.tenant.client_id, leeway)
    control.set_fault(LoseReply("token", "after", times=1))
    with pytest.raises(httpx2.RemoteProtocolError):
        device.refresh(token)
    paired.clock.sleep_ns(after_s * NS)
    again = device.refresh(token)
    assert again.status_code == status
    tally = control.tally()
    assert (tally["refreshes_within_leeway"], tally["families_live"]) == ((1, 1) if status == 200 else (0, 0))


@pytest.mark.parametrize(("moment", "length"), [("before", 1_000_000), ("after", 60_000)])
def test_the_connection_ends_in_order_without_a_byte(paired, moment, length):
    """FIN, not RST: what a client reads is an end, with the whole request taken."""
    paired.authority.control.set_fault(LoseReply("token", moment, times=1))
    port = int(paired.authority.issuer.rstrip("/").rsplit(":", 1)[1])
    body = b"grant_type=refresh_token&client_id=x&refresh_token=" + b"y" * length
    with socket.create_connection(("127.0.0.1", port), timeout=20) as wire:
        wire.sendall(
            b"POST /oauth/token HTTP/1.0\r\nHost: 127.0.0.1:%d\r\nContent-Length: %d\r\n"
            b"Content-Type: application/x-www-form-urlencoded\r\n\r\n%s" % (port, len(body), body)
        )
        assert wire.recv(4096) == b""


def test_only_the_struck_connection_ends(paired, device):
    neighbour = HTTPConnection(urlsplit(paired.authority.issuer).netloc, timeout=20)
    neighbour.request("GET", "/activate")
    neighbour.getresponse().read()
    wire = neighbour.sock
    paired.authority.control.set_fault(LoseReply("token", "after", times=1))
    with pytest.raises(httpx2.RemoteProtocolError):
        device.refresh(paired.tokens["refresh_token"])
    neighbour.request("GET", "/activate")
    assert neighbour.getresponse().status == 200
    assert wire is not None and neighbour.sock is wire  # it would have connected anew
    neighbour.close()


def test_until_it_is_lifted(paired, device):
    control = paired.authority.control
    fault = control.set_fault(LoseReply("api", "before"))
    for _ in range(5):
        with pytest.raises(httpx2.RemoteProtocolError):
            device.quote(paired.tokens["access_token"])
    assert control.faults()[0].struck == 5
    control.lift_fault(fault.number)
    assert device.quote(paired.tokens["access_token"]).status_code == 200


def test_faults_strike_one_a_request_in_the_order_they_were_set(paired, device):
    control, token = paired.authority.control, paired.tokens["refresh_token"]
    control.set_fault(RateLimit("token", times=1))
    control.set_fault(LoseReply("token", "before", times=1))
    assert device.refresh(token).status_code == 429
    with pytest.raises(httpx2.RemoteProtocolError):
        device.refresh(token)
    assert device.refresh(token).status_code == 200


@pytest.mark.parametrize("x_ratelimit", [True, False])
@pytest.mark.parametrize("retry_after", ["seconds", "date", "none"])
def test_a_rate_limited_client_is_told_when_to_come_back(paired, device, retry_after, x_ratelimit):
    control, token = paired.authority.control, paired.tokens["refresh_token"]
    control.set_fault(RateLimit("token", times=1, wait_s=90, retry_after=retry_after, x_ratelimit=x_ratelimit))
    reply = device.refresh(token)
    assert (reply.status_code, reply.json()["error"]) == (429, "too_many_requests")
    back_at = now_s(paired.clock) + 90
    limits = {name: value for name, value in reply.headers.items() if name.startswith("x-ratelimit")}
    expected = {"x-ratelimit-limit": "30", "x-ratelimit-remaining": "0", "x-ratelimit-reset": str(back_at)}
    assert limits == (expected if x_ratelimit else {})
    told = reply.headers.get("retry-after")
    if retry_after == "date":
        assert parsedate_to_datetime(told).timestamp() == back_at
    else:
        assert told == ("90" if retry_after == "seconds" else None)
    assert control.tally()["refreshes"] == 0
    assert device.refresh(token).status_code == 200


@pytest.mark.parametrize("fault", [LoseReply("token", "before"), RateLimit("token"), StatusReply("token", 500)])
def test_a_browsers_preflight_is_not_what_a_fault_is_meant_for(paired, device, fault):
    """Fetch 3.3.1: OPTIONS with Access-Control-Request-Method. Any other OPTIONS is a request like all."""
    control = paired.authority.control
    control.set_fault(replace(fault, times=1))
    preflight = {"Origin": "https://app.example", "Access-Control-Request-Method": "POST"}
    assert device.http.options("/oauth/token", headers=preflight).status_code < 500
    assert control.faults()[0].struck == 0
    try:
        assert device.http.options("/oauth/token").status_code in (429, 500)
    except httpx2.RemoteProtocolError:
        assert isinstance(fault, LoseReply)
    assert control.faults() == ()


def test_always_slow_down_holds_even_when_the_person_has_allowed_it(paired, device):
    control, tenant = paired.authority.control, paired.authority.tenant
    begun = device.ask().json()
    code = begun["device_code"]
    approve(begun["verification_uri"], begun["user_code"], tenant.demo_user, tenant.demo_password, lambda: "")
    fault = control.set_fault(SlowDown())
    for interval in (5, 10, 15):
        paired.clock.sleep_ns(60 * NS)
        reply = device.poll(code)
        assert (reply.status_code, reply.json()["error"]) == (429, "slow_down")
        assert f"interval of {interval} seconds" in reply.json()["error_description"]
    assert device.poll("unknown").json()["error"] == "invalid_grant"
    assert device.refresh(paired.tokens["refresh_token"]).status_code == 200
    control.lift_fault(fault.number)
    assert device.poll(code).json()["refresh_token"]


def test_slow_down_for_so_many_polls(paired, device):
    code = device.ask().json()["device_code"]
    paired.authority.control.set_fault(SlowDown(times=1))
    assert device.poll(code).json()["error"] == "slow_down"
    paired.clock.sleep_ns(10 * NS)
    assert device.poll(code).json()["error"] == "authorization_pending"


def test_a_lost_reply_is_told_as_such(clock):
    told = []
    with (
        start_authority(clock, quote_of_day=quote_of_day, on_request=lambda *what: told.append(what)) as authority,
        over_the_wire(authority) as device,
    ):
        for moment in ("before", "after"):
            authority.control.set_fault(LoseReply("device_authorization", moment, times=1))
            with pytest.raises(httpx2.RemoteProtocolError):
                device.ask()
    assert told == [("POST", "/oauth/device/code", 0)] * 2


def test_an_address_cannot_be_made_up(paired):
    """An attempt counts for the address that the connection comes from, whatever X-Forwarded-For says."""
    session = httpx2.Client(base_url=paired.authority.issuer, follow_redirects=True)
    codes = []
    for attempt in range(12):
        session.cookies.clear()
        page = session.get("/activate").text
        csrf = page.split('name="csrf_token" value="')[1].split('"')[0]
        forwarded = {"X-Forwarded-For": f"203.0.113.{attempt}"}
        form = {"csrf_token": csrf, "user_code": "BBBB-BBBB"}
        codes.append(session.post("/activate", data=form, headers=forwarded).status_code)
    session.close()
    assert codes == [400] * 10 + [429] * 2
