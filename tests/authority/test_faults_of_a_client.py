"""Faults that strike the requests of one client, by whatever way it says who it is, and nobody else's."""

from __future__ import annotations

import asyncio
import base64
import json
import pickle
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote_plus

import httpx2
import pytest

from host_tools.authority import (
    DelayReply,
    LoseReply,
    MalformedReply,
    RateLimit,
    SlowDown,
    StatusReply,
    TruncateReply,
    wire_faults,
)
from host_tools.authority.wire_clients import Overheard
from host_tools.clock import NS
from host_tools.rehearsal.person import approve

from .conftest import DEVICE_CODE_GRANT, Display, Prepared

OTHER = "another client: 100%+"
STRUCK = 418


@dataclass
class Two:
    """The paired display's client, and another of the same tenant."""

    prepared: Prepared
    device: Display

    @property
    def client_id(self) -> str:
        return self.prepared.authority.tenant.client_id

    def strike(self, endpoint: str = "token", client_id: str | None = None) -> None:
        fault = StatusReply(endpoint, STRUCK, client_id=client_id or self.client_id)
        self.prepared.authority.control.set_fault(fault)

    def is_struck(self, method: str, path: str, **sent: Any) -> bool:
        reply = self.device.http.request(method, path, **sent)
        assert reply.status_code < 500
        return reply.status_code == STRUCK


@pytest.fixture
def two(paired: Prepared, device: Display) -> Two:
    store = paired.authority._authority.store
    store.put(replace(paired.authority.control.client(paired.authority.tenant.client_id), client_id=OTHER))
    return Two(paired, device)


def basic(client_id: str, secret: str = "x") -> dict[str, str]:
    pair = f"{quote_plus(client_id)}:{secret}".encode()
    return {"Authorization": f"Basic {base64.b64encode(pair).decode()}"}


def bearer(payload: bytes = b"", **claims: Any) -> dict[str, str]:
    """A token that nobody has signed."""
    parts = (b'{"alg": "RS256"}', payload or json.dumps(claims).encode(), b"sig")
    return {"Authorization": f"Bearer {'.'.join(base64.urlsafe_b64encode(each).decode().strip('=') for each in parts)}"}


WAYS: dict[str, Callable[[str], dict[str, Any]]] = {
    "form": lambda it: {"method": "POST", "path": "/oauth/token", "data": {"client_id": it, "grant_type": "x"}},
    "json": lambda it: {"method": "POST", "path": "/oauth/token", "json": {"grant_type": "x", "client_id": it}},
    "basic": lambda it: {"method": "POST", "path": "/oauth/token", "headers": basic(it), "data": {"grant_type": "x"}},
    "query": lambda it: {"method": "GET", "path": "/oauth/token", "params": {"client_id": it}},
    "client_id": lambda it: {"method": "GET", "path": "/api/quotes/today", "headers": bearer(client_id=it)},
    "azp": lambda it: {"method": "GET", "path": "/api/quotes/today", "headers": bearer(azp=it, client_id=7)},
    "mfa": lambda it: {"method": "DELETE", "path": "/mfa/authenticators/x", "headers": bearer(azp=it)},
    "mfa form": lambda it: {"method": "POST", "path": "/mfa/challenge", "data": {"client_id": it}},
}


@pytest.mark.parametrize("endpoint", ["token", "api", "mfa"])
@pytest.mark.parametrize("way", WAYS)
def test_it_strikes_that_client_alone(two, way, endpoint):
    there = {"/oauth/token": "token", "/api/quotes/today": "api"}.get(WAYS[way]("")["path"], "mfa")
    for named, other in ((two.client_id, OTHER), (OTHER, two.client_id)):
        two.prepared.authority.control.lift_faults()
        two.strike(endpoint, named)
        assert two.is_struck(**WAYS[way](named)) == (there == endpoint)
        assert not two.is_struck(**WAYS[way](other))
        assert not two.is_struck(**WAYS[way](""))


def test_a_real_access_token_says_whose_it_is(two):
    two.strike("api")
    assert two.device.quote(two.prepared.tokens["access_token"]).status_code == STRUCK


def test_a_query_names_no_client_where_it_is_not_read(two):
    two.strike()
    assert not two.is_struck("POST", "/oauth/token", params={"client_id": two.client_id}, data={"grant_type": "x"})


KINDS = {
    "lose_reply": lambda it: LoseReply("token", "before", client_id=it),
    "rate_limit": lambda it: RateLimit("token", client_id=it),
    "status": lambda it: StatusReply("token", 503, client_id=it),
    "delay": lambda it: DelayReply("token", 1000, client_id=it),
    "truncate": lambda it: TruncateReply("token", client_id=it),
    "malformed": lambda it: MalformedReply("token", "empty", client_id=it),
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_may_be_of_a_client_and_the_request_is_still_there(two, kind):
    control, token = two.prepared.authority.control, two.prepared.tokens["refresh_token"]
    control.set_fault(KINDS[kind](OTHER))
    before = two.prepared.clock.now_ns()
    assert two.device.refresh(token).json()["access_token"]  # its body was read, and read again
    assert (control.faults()[0].struck, two.prepared.clock.now_ns()) == (0, before)
    try:
        reply = two.device.refresh(token, client_id=OTHER)
        assert reply.status_code in (403, 429, 503)
    except httpx2.RemoteProtocolError:
        assert kind in ("lose_reply", "truncate")
    assert control.faults()[0].struck == 1


def test_slow_down_is_of_the_client_that_polls(two):
    tenant, control = two.prepared.authority.tenant, two.prepared.authority.control
    control.set_fault(SlowDown(client_id=OTHER))

    def poll(client_id: str) -> Any:
        begun = two.device.ask(client_id=client_id).json()
        approve(begun["verification_uri"], begun["user_code"], tenant.demo_user, tenant.demo_password, lambda: "")
        return two.device.poll(begun["device_code"], client_id=client_id).json()

    assert poll(two.client_id)["access_token"]
    assert poll(OTHER)["error"] == "slow_down"


def test_the_first_that_was_set_for_this_client_or_for_all_strikes(two):
    control = two.prepared.authority.control
    control.set_fault(StatusReply("token", 501, times=1, client_id=OTHER))
    control.set_fault(StatusReply("token", 502, times=1))
    control.set_fault(StatusReply("token", 503, times=1, client_id=two.client_id))
    token = two.prepared.tokens["refresh_token"]
    assert [two.device.refresh(token).status_code for _ in range(3)] == [502, 503, 200]
    assert [each.fault.status for each in control.faults()] == [501]


def test_nobody_reads_a_request_where_no_fault_names_a_client(two, monkeypatch):
    async def never(*asked: object) -> None:
        raise AssertionError

    monkeypatch.setattr(wire_faults, "client_of", never)
    control = two.prepared.authority.control
    control.set_fault(SlowDown(client_id=OTHER))  # which the device grant knows without
    control.set_fault(LoseReply("mfa", "before", client_id=OTHER))  # of another endpoint
    control.set_fault(StatusReply("token", STRUCK, times=1))
    token = two.prepared.tokens["refresh_token"]
    assert [two.device.refresh(token).status_code for _ in range(2)] == [STRUCK, 200]


FORM, JSON = "application/x-www-form-urlencoded", "application/json"
HOSTILE: dict[str, dict[str, Any]] = {
    "nothing": {},
    "no type": {"content": b"client_id=%b", "headers": {"Content-Type": ""}},
    "another type": {"content": b"client_id=%b", "headers": {"Content-Type": "multipart/form-data"}},
    "twice": {"content": b"client_id=%b&client_id=%b", "headers": {"Content-Type": FORM}},
    "too many": {"content": b"client_id=%b" + b"&a=b" * 60, "headers": {"Content-Type": FORM}},
    "no UTF-8": {"content": b"client_id=%b&a=\xff", "headers": {"Content-Type": FORM}},
    "too large": {"content": b"client_id=%b&a=" + b"x" * 100_000, "headers": {"Content-Type": FORM}},
    "much too large": {"content": b"client_id=%b&a=" + b"x" * 5_000_000, "headers": {"Content-Type": FORM}},
    "a list": {"content": b'["client_id", "%b"]', "headers": {"Content-Type": JSON}},
    "of another type": {"content": b'{"client_id": ["%b"]}', "headers": {"Content-Type": JSON}},
    "half": {"content": b'{"client_id": "%b"', "headers": {"Content-Type": JSON}},
    "deep": {"content": b"[" * 60_000, "headers": {"Content-Type": JSON}},
    "a lone surrogate": {"content": b'{"client_id": "%b\\ud800"}', "headers": {"Content-Type": JSON}},
    "no base64": {"headers": {"Authorization": "Basic *"}},
    "base64 of no text": {"headers": {"Authorization": "Basic //8="}},
    "base64 of nothing": {"headers": {"Authorization": "Basic =="}},
    "base64 of no name": {"headers": basic("")},
    "an opaque token": {"headers": {"Authorization": "Bearer Fe26.2*x*y"}},
    "no token": {"headers": {"Authorization": "Bearer"}},
    "two dots": {"headers": {"Authorization": "Bearer .."}},
    "no header in it": {"headers": {"Authorization": "Bearer e30.e30.x"}},
    "no JSON in it": {"headers": bearer(b"client_id")},
    "no UTF-8 in it": {"headers": bearer(b'{"client_id": "\xff"}')},
    "a number in it": {"headers": bearer(b"1")},
    "a list in it": {"headers": bearer(b'["client_id"]')},
    "depths in it": {"headers": bearer(b"[" * 5_000)},
    "no ASCII in it": {"headers": {"Authorization": b"Bearer \xff.\xff.\xff"}},
    "a long token": {"headers": {"Authorization": "Bearer " + "a" * 200_000 + ".a.a"}},
    "a list of names": {"headers": bearer(client_id=["x"], azp={"x": 1})},
    "two headers": {"headers": [("Authorization", "Bearer x"), ("Authorization", "Bearer y")]},
}


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("name", HOSTILE)
def test_what_names_no_client_strikes_nothing_and_is_no_fault_of_ours(two, name, moment):
    sent = dict(HOSTILE[name])
    if "content" in sent:
        sent["content"] = sent["content"].replace(b"%b", two.client_id.encode())
    control = two.prepared.authority.control
    paths = [("POST", "/oauth/token"), ("POST", "/mfa/challenge"), ("GET", "/api/quotes/today")]
    unstruck = [two.device.http.request(method, path, **sent).status_code for method, path in paths]
    for endpoint in ("token", "mfa", "api"):
        control.set_fault(StatusReply(endpoint, STRUCK, moment, client_id=two.client_id))
    assert [two.device.http.request(method, path, **sent).status_code for method, path in paths] == unstruck
    assert [each.struck for each in control.faults()] == [0, 0, 0]
    assert max(unstruck) < 500


def test_no_more_is_kept_of_a_request_than_any_may_have():
    """The application refuses it by what it has heard then; the rest passes by."""
    sent = iter([{"type": "http.request", "body": b"x" * 50_000, "more_body": True}] * 100)

    async def receive() -> dict[str, Any]:
        return next(sent)

    asyncio.run(Overheard(receive).hear_out())
    assert len([*sent]) == 98


def test_faults_live_on_in_a_snapshot(two):
    authority = two.prepared.authority
    two.strike()
    for fault in KINDS.values():
        authority.control.set_fault(fault(OTHER))
    set_then, kept = authority.control.faults(), pickle.dumps(authority.snapshot())
    authority.control.lift_faults()
    authority.restore(pickle.loads(kept))
    assert authority.control.faults() == set_then
    assert two.device.refresh("any").status_code == STRUCK


def test_a_poll_is_delayed_and_slowed_down(two):
    """`slow_down` is the poll's own answer; what the connection does to it is another matter."""
    code = two.device.ask().json()["device_code"]
    control = two.prepared.authority.control
    control.set_fault(SlowDown(client_id=two.client_id))
    control.set_fault(DelayReply("token", 1000, client_id=two.client_id))
    before = two.prepared.clock.now_ns()
    form = {"grant_type": DEVICE_CODE_GRANT, "device_code": code, "client_id": two.client_id}
    assert two.device.http.post("/oauth/token", data=form).json()["error"] == "slow_down"
    assert two.prepared.clock.now_ns() == before + NS
    assert [each.struck for each in control.faults()] == [1, 1]
