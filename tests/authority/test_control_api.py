"""The control API over HTTP, on a real server: who may, what is taken, how it is refused."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from host_tools.authority import start_authority
from host_tools.authority.control.routes import resources
from host_tools.authority.core.faults import ENDPOINTS, FAULTS
from host_tools.authority.core.records import fingerprint
from host_tools.clock import RealClock

from .conftest import START_NS, over_the_wire, quote_of_day

PATHS = {
    "/state": "GET, HEAD",
    "/clock": "GET, PUT, HEAD",
    "/clock/advance": "POST",
    "/mfa": "GET, PUT, HEAD",
    "/access-tokens": "GET, PUT, HEAD",
    "/clients": "GET, HEAD",
    "/clients/x": "GET, PATCH, HEAD",
    "/revoke": "POST",
    "/faults": "GET, POST, DELETE, HEAD",
    "/faults/1": "GET, DELETE, HEAD",
    "/users/demo@stoa.example/authenticators": "GET, POST, HEAD",
    "/pushes": "GET, POST, HEAD",
    "/messages": "GET, HEAD",
    "/events": "GET, HEAD",
    "/tally": "GET, HEAD",
    "/refresh-tokens/x": "GET, HEAD",
}
MFA = {"mode": "never", "strict": False, "factors": 1, "tell_requirements": False, "confidence": "judged"}


@pytest.fixture
def control(paired) -> Iterator[httpx2.Client]:
    bearer = {"Authorization": f"Bearer {paired.authority.control_token}"}
    with httpx2.Client(base_url=paired.authority.control_url, headers=bearer) as client:
        yield client


def refused(reply: httpx2.Response) -> tuple[int, str, str | None]:
    body = reply.json()
    assert body["message"]
    return reply.status_code, body["error"], body.get("field")


@pytest.mark.parametrize(
    "sent",
    [
        [],
        [("Authorization", "Bearer")],
        [("Authorization", "Bearer wrong")],
        [("Authorization", b"Bearer \xff\xfe")],
        [("Authorization", "Basic {token}")],
        [("Authorization", "{token}")],
        [("Authorization", "Bearer {token}"), ("Authorization", "Bearer {token}")],
        [("Cookie", "control_token={token}")],
    ],
)
@pytest.mark.parametrize("path", ["/state", "/nothing-here", "/revoke"])
def test_without_the_token_nothing_is_learnt(paired, device, path, sent):
    token = paired.authority.control_token
    headers = [
        (name.encode(), value if isinstance(value, bytes) else value.format(token=token).encode())
        for name, value in sent
    ]
    for method in ("GET", "POST"):
        reply = httpx2.request(method, paired.authority.control_url + path, headers=headers)
        assert refused(reply) == (401, "unauthorized", None)
        assert reply.headers["www-authenticate"].startswith('Bearer realm="control"')
        assert token not in reply.text
    assert device.refresh(paired.tokens["refresh_token"]).status_code == 200


def test_the_token_is_new_at_each_start(paired, clock):
    with start_authority(clock, quote_of_day=quote_of_day) as other:
        assert other.control_token != paired.authority.control_token
        assert len(other.control_token) >= 43  # 256 bits
        bearer = {"Authorization": f"Bearer {paired.authority.control_token}"}
        assert httpx2.get(f"{other.control_url}/state", headers=bearer).status_code == 401


def test_the_state_is_all_there_is_to_know(paired, control):
    control.put("/mfa", json={"mode": "always"})
    control.post("/faults", json={"kind": "slow_down"})
    state = control.get("/state").json()
    tenant = paired.authority.tenant
    tally = state.pop("tally")
    assert (tally["refreshes"], tally["families_live"]) == (0, 1)
    assert state == {
        "issuer": paired.authority.issuer,
        "clock": {"now": "2026-11-22T00:00:00Z", "can_be_set": True},
        "mfa": MFA | {"mode": "always"},
        "access_tokens": {"lifetime_s": 86400},
        "clients": [
            {
                "client_id": tenant.client_id,
                "name": "Stoa display",
                "refresh_leeway_s": 0,
                "refresh_lifetime_s": 31_557_600,
                "metadata": {"device_type": "display"},
            }
        ],
        "faults": [{"number": state["faults"][0]["number"], "kind": "slow_down", "times": None, "struck": 0}],
    }
    for name in ("clock", "mfa", "access-tokens", "clients", "faults"):
        part = state[name.replace("-", "_")]
        assert control.get(f"/{name}").json() == (part if isinstance(part, dict) else {name: part})


def test_nothing_secret_is_told(paired, control):
    tenant, token = paired.authority.tenant, paired.tokens["refresh_token"]
    told = control.get("/state").text + control.get(f"/refresh-tokens/{fingerprint(token)}").text
    assert tenant.client_id in told
    for secret in (tenant.demo_password, tenant.totp_secret, token, paired.authority.control_token):
        assert secret not in told


def test_the_clock(paired, control):
    assert control.post("/clock/advance", json={"seconds": 90}).json()["now"] == "2026-11-22T00:01:30Z"
    assert control.put("/clock", json={"now": "2026-11-23T00:00:00Z"}).json()["now"] == "2026-11-23T00:00:00Z"
    assert paired.clock.now_ns() == START_NS + 86_400 * 10**9
    assert refused(control.put("/clock", json={"now": "2026-11-22T00:00:00Z"})) == (422, "invalid_setting", "now")


def test_a_real_clock_is_a_conflict_that_names_the_remedy():
    with start_authority(RealClock(), quote_of_day=quote_of_day) as authority:
        bearer = {"Authorization": f"Bearer {authority.control_token}"}
        reply = httpx2.post(f"{authority.control_url}/clock/advance", json={"seconds": 1}, headers=bearer)
        assert httpx2.get(f"{authority.control_url}/clock", headers=bearer).json()["can_be_set"] is False
    assert refused(reply) == (409, "not_now", None)
    assert "--clock virtual" in reply.json()["message"]


def test_mfa_and_lifetimes(paired, control, device):
    assert control.put("/mfa", json={"mode": "rule"}).json() == MFA | {"mode": "rule"}
    assert device.refresh(paired.tokens["refresh_token"]).json()["error"] == "mfa_required"
    control.put("/mfa", json={"mode": "never"})
    control.put("/access-tokens", json={"lifetime_s": 60})
    assert device.refresh(paired.tokens["refresh_token"]).json()["expires_in"] == 60


def test_a_clients_leeway(paired, control, device):
    path = f"/clients/{paired.authority.tenant.client_id}"
    assert control.patch(path, json={"refresh_leeway_s": 30}).json()["refresh_leeway_s"] == 30
    assert control.get(path).json()["refresh_leeway_s"] == 30
    token = paired.tokens["refresh_token"]
    assert [device.refresh(token).status_code for _ in range(2)] == [200, 200]
    for reply in (control.get("/clients/x"), control.patch("/clients/x", json={"refresh_leeway_s": 1})):
        assert refused(reply) == (404, "not_found", None)


def test_revoking(paired, control, device):
    user = paired.authority.tenant.demo_user
    sha256 = fingerprint(paired.tokens["refresh_token"])
    before = control.get(f"/refresh-tokens/{sha256}").json()
    assert control.post("/revoke", json={"user": user, "how": "revoke"}).json() == {"families": 1}
    after = control.get(f"/refresh-tokens/{sha256}").json()
    assert (before["standing"], before["revoked"], after["standing"], after["revoked"]) == (
        "newest",
        False,
        "dead",
        True,
    )
    assert device.refresh(paired.tokens["refresh_token"]).json()["error"] == "invalid_grant"
    assert control.post("/revoke", json={}).json() == {"families": 0}
    assert control.get("/tally").json()["families_live"] == 0
    assert refused(control.get(f"/refresh-tokens/{'0' * 64}")) == (404, "not_found", None)
    assert refused(control.get("/refresh-tokens/0")) == (422, "invalid_setting", "sha256")


def test_a_fault_is_set_seen_and_lifted(paired, control, device):
    made = control.post("/faults", json={"kind": "lose_reply", "endpoint": "api", "moment": "after", "times": 3})
    assert made.status_code == 201
    fault = made.json()
    path = f"/faults/{fault['number']}"
    with pytest.raises(httpx2.RemoteProtocolError):
        device.quote(paired.tokens["access_token"])
    assert control.get(path).json() == fault | {"struck": 1}
    assert control.get("/faults").json() == {"faults": [fault | {"struck": 1}]}
    assert control.delete(path).json() == {"lifted": 1}
    assert refused(control.delete(path)) == (404, "not_found", None)
    assert refused(control.get(path)) == (404, "not_found", None)
    assert device.quote(paired.tokens["access_token"]).status_code == 200
    for _ in range(2):
        control.post("/faults", json={"kind": "rate_limit", "endpoint": "token", "retry_after": "none"})
    assert control.delete("/faults").json() == {"lifted": 2}


def test_no_fault_strikes_the_control_api_itself(control, paired):
    for endpoint in ENDPOINTS:
        control.post("/faults", json={"kind": "lose_reply", "endpoint": endpoint, "moment": "before"})
    assert len(control.get("/faults").json()["faults"]) == len(ENDPOINTS)
    assert all(fault["struck"] == 0 for fault in control.get("/faults").json()["faults"])


@pytest.mark.parametrize(
    ("method", "path", "body", "field"),
    [
        ("PUT", "/mfa", {"mode": "on"}, "mode"),
        ("PUT", "/mfa", {"mode": True}, "mode"),
        ("PUT", "/mfa", {}, "mode"),
        ("PUT", "/mfa", {"mode": "rule", "modus": 1}, "modus"),
        ("PUT", "/access-tokens", {"lifetime_s": "60"}, "lifetime_s"),
        ("PUT", "/clock", {"now": 0}, "now"),
        ("POST", "/clock/advance", {"seconds": 1.5}, "seconds"),
        ("POST", "/clock/advance", {"seconds": 10**18}, "seconds"),
        ("POST", "/revoke", {"user": "nobody"}, "user"),
        ("POST", "/revoke", {"client_id": 7}, "client_id"),
        ("POST", "/revoke", {"how": None}, "how"),
        ("POST", "/revoke", {"all": True}, "all"),
        ("POST", "/faults", {}, "kind"),
        ("POST", "/faults", {"kind": "fire"}, "kind"),
        ("POST", "/faults", {"kind": ["slow_down"]}, "kind"),
        ("POST", "/faults", {"kind": "slow_down", "endpoint": "token"}, "endpoint"),
        ("POST", "/faults", {"kind": "lose_reply", "endpoint": "token"}, "moment"),
        ("POST", "/faults", {"kind": "lose_reply", "endpoint": "activate", "moment": "after"}, "endpoint"),
        ("POST", "/faults", {"kind": "lose_reply", "endpoint": "token", "moment": "after", "times": -1}, "times"),
        ("POST", "/faults", {"kind": "rate_limit", "endpoint": "token", "wait_s": False}, "wait_s"),
        ("POST", "/faults", {"kind": "rate_limit", "endpoint": "token", "self": 1}, "self"),
    ],
)
def test_a_wrong_member_is_named_and_changes_nothing(paired, control, method, path, body, field):
    before = control.get("/state").json()
    reply = control.request(method, path, json=body)
    assert refused(reply) == (422, "invalid_setting", field)
    assert reply.json()["message"].startswith(f"{field} ")
    assert control.get("/state").json() == before


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"mode=rule",
        b'"rule"',
        b"[]",
        b"null",
        b'{"mode": NaN}',
        b'{"mode": "rule"',
        b'{"mode": "\xff"}',
        b'{"mode": "\\ud800"}',
        b'{"\\ud800": 1}',
        b"[" * 50_000,
        b'{"mode": ' + b"9" * 10_000 + b"}",
    ],
    ids=lambda body: repr(body[:16]),
)
def test_what_is_not_a_json_object_is_malformed(paired, control, body):
    reply = control.put("/mfa", content=body, headers={"Content-Type": "application/json"})
    assert refused(reply) == (400, "malformed", None)


def test_a_member_that_comes_twice_is_named(control):
    body = b'{"mode": "never", "mode": "rule"}'
    reply = control.put("/mfa", content=body, headers={"Content-Type": "application/json; charset=utf-8"})
    assert refused(reply) == (400, "malformed", "mode")
    assert control.get("/mfa").json() == MFA


@pytest.mark.parametrize("media_type", ["application/x-www-form-urlencoded", "text/plain", ""])
def test_another_media_type_is_not_taken(control, media_type):
    reply = control.put("/mfa", content=b'{"mode": "rule"}', headers={"Content-Type": media_type})
    assert refused(reply) == (415, "unsupported_media_type", None)


def test_a_huge_body_is_too_large(control):
    reply = control.put(
        "/mfa", content=b'{"mode": "' + b"x" * 70_000 + b'"}', headers={"Content-Type": "application/json"}
    )
    assert refused(reply) == (413, "too_large", None)


@pytest.mark.parametrize("path", ["/", "/nothing", "/state/", "/faults/x", "/faults/-1", "/clock/advance/1"])
def test_there_is_nothing_elsewhere(paired, control, path):
    assert refused(control.get(paired.authority.control_url + path)) == (404, "not_found", None)


@pytest.mark.parametrize("path", PATHS)
def test_a_method_that_is_not_known_is_told_the_known_ones(control, path):
    known = PATHS[path].split(", ")
    for method in {"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"} - {*known}:
        reply = control.request(method, path)
        assert refused(reply) == (405, "method_not_allowed", None)
        assert reply.headers["allow"] == PATHS[path]


def test_head_is_get_without_the_body(control):
    reply = control.head("/state")
    assert (reply.status_code, reply.content) == (200, b"")


def test_no_reply_is_kept_by_a_cache(control):
    for reply in (control.get("/state"), control.get("/nothing"), control.put("/mfa", json={})):
        assert reply.headers["cache-control"] == "no-store"


def test_a_foreign_name_does_not_reach_it(control):
    assert control.get("/state", headers={"Host": "attacker.example"}).status_code == 400


def test_neither_token_nor_body_is_logged(clock, capfd, caplog):
    told = []
    with start_authority(clock, quote_of_day=quote_of_day, on_request=lambda *what: told.append(what)) as authority:
        bearer = {"Authorization": f"Bearer {authority.control_token}"}
        httpx2.put(f"{authority.control_url}/mfa", json={"mode": "rule"}, headers=bearer)
        httpx2.put(f"{authority.control_url}/mfa", json={"mode": "rule"}, headers={"Authorization": "Bearer wrong"})
        logged = "".join(capfd.readouterr()) + caplog.text
        assert authority.control_token not in logged + json.dumps(told)
    assert told == [("PUT", "/control/mfa", 200), ("PUT", "/control/mfa", 401)]


def test_python_and_http_are_the_same_controls(paired, control):
    with over_the_wire(paired.authority) as device:
        control.post("/faults", json={"kind": "slow_down", "times": 2})
        (active,) = paired.authority.control.faults()
        assert active.fault.times == 2
        paired.authority.control.set_mfa("always")
        assert control.get("/mfa").json() == MFA | {"mode": "always"}
        device.poll(device.ask().json()["device_code"])
        assert control.get("/faults").json()["faults"][0]["struck"] == 1
        assert control.get("/tally").json() == paired.authority.control.tally()


def test_a_second_factor_a_push_and_a_message(paired, control, device):
    """What a test turns of a person: gives them a phone, and taps on it."""
    user = paired.authority.tenant.demo_user
    made = control.post(f"/users/{user}/authenticators", json={"factor": "push"})
    assert (made.status_code, made.json()["factor"], made.json()["active"]) == (200, "push", True)
    assert re.fullmatch("[A-Z0-9]{24}", made.json()["recovery_code"])
    second = control.post(f"/users/{user}/authenticators", json={"factor": "sms", "name": "+15550100"}).json()
    assert (second["name"], "recovery_code" in second) == ("+15550100", False)
    listed = control.get(f"/users/{user}/authenticators").json()["authenticators"]
    assert sorted(each["factor"] for each in listed if each["active"]) == ["otp", "otp", "push", "recovery-code", "sms"]
    control.put("/mfa", json={"mode": "rule"})
    held = device.refresh(paired.tokens["refresh_token"]).json()["mfa_token"]
    client = {"client_id": paired.authority.tenant.client_id, "mfa_token": held, "challenge_type": "oob"}
    sent = device.http.post("/mfa/challenge", json=client).json()
    (push,) = control.get("/pushes").json()["pushes"]
    assert push["status"] == "pending"
    assert control.post("/pushes", json={"approve": True, "user": user}).json()["status"] == "approved"
    assert refused(control.post("/pushes", json={"approve": True}))[:2] == (409, "not_now")
    grant = {"grant_type": "http://auth0.com/oauth/grant-type/mfa-oob", "oob_code": sent["oob_code"]}
    assert device.http.post("/oauth/token", data=client | grant).status_code == 200
    kinds = [each["kind"] for each in control.get("/events").json()["events"]]
    assert kinds[:2] == ["mfa_succeeded", "challenge_sent"]
    assert control.get("/messages").json() == {"messages": []}


def test_the_page_about_it_names_all_there_is(paired):
    page = (Path(__file__).parents[2] / "docs" / "control-api.md").read_text()
    addresses = {each.path.replace(":int", "") for each in resources(paired.authority.control, "")}
    assert len(addresses) == len(PATHS)
    missing = [f"`{word}`" for word in (*addresses, *FAULTS, *ENDPOINTS) if f"`{word}`" not in page]
    assert not missing
