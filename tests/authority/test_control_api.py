"""The control API over HTTP, on a real server: who may, what is taken, how it is refused."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any, get_args

import httpx2
import pytest

from host_tools.authority import start_authority
from host_tools.authority.control.routes import resources
from host_tools.authority.core.fault_kinds import ENDPOINTS, FAULTS, Malformation
from host_tools.authority.core.records import fingerprint
from host_tools.authority.dialects import auth0
from host_tools.clock import RealClock

from .conftest import START_NS, over_the_wire, quote_of_day

PATHS = {
    "/state": "GET, HEAD",
    "/clock": "GET, PUT, HEAD",
    "/clock/advance": "POST",
    "/mfa": "GET, PUT, HEAD",
    "/scripts": "GET, PUT, HEAD",
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
        "scripts": {"rules": [], "actions": []},
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
        "faults": [
            {
                "number": state["faults"][0]["number"],
                "kind": "slow_down",
                "times": None,
                "client_id": None,
                "struck": 0,
            }
        ],
    }
    for name in ("clock", "mfa", "scripts", "access-tokens", "clients", "faults"):
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
    here = {*auth0.ENDPOINTS.values(), "api"}
    sent = [
        {"endpoint": endpoint, **members}
        for endpoint in here
        for members in FAULT_MEMBERS.values()
        if members["kind"] != "slow_down"
    ]
    for fault in sent:
        assert control.post("/faults", json=fault).status_code == 201
    assert len(control.get("/faults").json()["faults"]) == len(sent)
    assert all(fault["struck"] == 0 for fault in control.get("/faults").json()["faults"])


FAULT_MEMBERS: dict[str, dict[str, Any]] = {
    "lose_reply": {"kind": "lose_reply", "moment": "after"},
    "rate_limit": {"kind": "rate_limit"},
    "slow_down": {"kind": "slow_down"},
    "status": {"kind": "status", "status": 503},
    "delay": {"kind": "delay", "delay_ms": 10},
    "truncate": {"kind": "truncate"},
    "malformed": {"kind": "malformed", "how": "empty"},
}


@pytest.mark.parametrize("kind", FAULTS)
def test_every_kind_is_told_as_it_was_set(paired, control, kind):
    """All members in Python's order, and none is kept that was not asked for."""
    sent = FAULT_MEMBERS[kind] | ({} if kind == "slow_down" else {"endpoint": "token"})
    sent |= {"times": 3, "client_id": paired.authority.tenant.client_id}
    told = control.post("/faults", json=sent).json()
    assert {name: told[name] for name in sent} == sent
    assert [*told][:2] == ["number", "kind"]
    assert {*told} - {"number", "kind", "struck"} == {each.name for each in fields(FAULTS[kind])}


DIALECT_LACKS = [("auth0", "introspection"), ("rfc", "mfa")]


@pytest.mark.parametrize(("dialect", "endpoint"), DIALECT_LACKS)
@pytest.mark.parametrize("kind", [kind for kind in FAULTS if kind != "slow_down"])
def test_a_fault_that_could_never_strike_is_refused(clock, kind, dialect, endpoint):
    with start_authority(clock, quote_of_day=quote_of_day, dialect=dialect) as running:
        bearer = {"Authorization": f"Bearer {running.control_token}"}
        for there in ENDPOINTS:
            fault = FAULT_MEMBERS[kind] | {"endpoint": there}
            reply = httpx2.post(f"{running.control_url}/faults", json=fault, headers=bearer)
            if there == endpoint:
                assert refused(reply) == (422, "invalid_setting", "endpoint")
                assert "it has token, device_authorization, authorization, revocation" in reply.json()["message"]
            else:
                assert reply.status_code == 201
        assert len(running.control.faults()) == len(ENDPOINTS) - 1


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
        ("POST", "/faults", {"kind": "slow_down", "client_id": "nobody's"}, "client_id"),
        ("POST", "/faults", {"kind": "slow_down", "client_id": 7}, "client_id"),
        ("POST", "/faults", {"kind": "slow_down", "client_id": ""}, "client_id"),
        ("POST", "/faults", {"kind": "slow_down", "client_id": "x" * 201}, "client_id"),
        ("POST", "/faults", {"kind": "truncate", "endpoint": "jwks", "client_id": "any"}, "client_id"),
        ("POST", "/faults", {"kind": "status", "endpoint": "token"}, "status"),
        ("POST", "/faults", {"kind": "status", "endpoint": "token", "status": 200}, "status"),
        ("POST", "/faults", {"kind": "status", "endpoint": "token", "status": "503"}, "status"),
        ("POST", "/faults", {"kind": "status", "endpoint": "token", "status": 503, "body": "json"}, "body"),
        ("POST", "/faults", {"kind": "status", "endpoint": "token", "status": 503, "moment": "during"}, "moment"),
        ("POST", "/faults", {"kind": "status", "endpoint": "token", "status": 400, "error": 'a"b'}, "error"),
        ("POST", "/faults", {"kind": "status", "endpoint": "token", "status": 400, "error": "a\r\nb"}, "error"),
        ("POST", "/faults", {"kind": "status", "endpoint": "token", "status": 400, "error": ["a"]}, "error"),
        (
            "POST",
            "/faults",
            {"kind": "status", "endpoint": "token", "status": 400, "body": "html", "error_description": "a"},
            "error_description",
        ),
        (
            "POST",
            "/faults",
            {"kind": "status", "endpoint": "token", "status": 503, "retry_after_s": -1},
            "retry_after_s",
        ),
        ("POST", "/faults", {"kind": "delay", "endpoint": "token"}, "delay_ms"),
        ("POST", "/faults", {"kind": "delay", "endpoint": "token", "delay_ms": 9}, "delay_ms"),
        ("POST", "/faults", {"kind": "delay", "endpoint": "token", "delay_ms": 600_001}, "delay_ms"),
        ("POST", "/faults", {"kind": "delay", "endpoint": "token", "delay_ms": 10.5}, "delay_ms"),
        ("POST", "/faults", {"kind": "truncate", "endpoint": "token", "keep_bytes": -1}, "keep_bytes"),
        ("POST", "/faults", {"kind": "truncate", "endpoint": "token", "keep_bytes": True}, "keep_bytes"),
        ("POST", "/faults", {"kind": "malformed", "endpoint": "token"}, "how"),
        ("POST", "/faults", {"kind": "malformed", "endpoint": "token", "how": "oddly"}, "how"),
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


STORY = Path(__file__).parent / "scripts"
RULE = "function (user, context, callback) { callback(null, user, context); }"
ACTION = "exports.onExecutePostLogin = async (event, api) => {};"


def test_the_rules_of_the_story_take_effect_on_the_very_next_request(paired, control, device):
    token = paired.tokens["refresh_token"]
    texts = [(STORY / f"{name}.js").read_text() for name in ("challenges_everything", "spares_displays")]
    told = {"rules": [{"name": "MFA", "text": texts[0]}], "actions": []}
    assert control.put("/scripts", json={"rules": told["rules"]}).json() == told
    refused_by_rule = device.refresh(token)
    assert (refused_by_rule.status_code, refused_by_rule.json()["error"]) == (403, "mfa_required")
    control.put("/scripts", json={"rules": [{"text": texts[1]}]})
    renewed = device.refresh(token)
    assert renewed.status_code == 200
    control.put("/scripts", json={"rules": [{"text": texts[0]}]})
    assert device.refresh(renewed.json()["refresh_token"]).status_code == 403
    assert control.put("/scripts", json={"rules": []}).json() == {"rules": [], "actions": []}
    assert device.refresh(renewed.json()["refresh_token"]).status_code == 200


def test_a_kind_of_script_that_is_left_out_stays_and_names_may_be(control):
    rules = [{"name": "first", "text": RULE}, {"name": "rule", "text": f"{RULE};"}]
    control.put("/scripts", json={"rules": [rules[0], {"text": rules[1]["text"]}]})
    actions = [{"name": "step up", "text": ACTION}]
    for sent in ({"actions": actions}, {}):
        assert control.put("/scripts", json=sent).json() == {"rules": rules, "actions": actions}
    assert control.put("/scripts", json={"rules": []}).json() == {"rules": [], "actions": actions}
    assert control.get("/scripts").json() == control.get("/state").json()["scripts"]


def test_what_scripts_are_given_is_taken_used_and_never_told(clock, capfd, caplog):
    """A script may say it itself, and that is its owner's business; here it says which of the two it has."""
    secret, logged = "a secret of the house", []
    action = "exports.onExecutePostLogin = async (event, api) => { api.access.deny(`${event.secrets.KEY.length}`); };"
    with start_authority(clock, quote_of_day=quote_of_day, on_request=lambda *what: logged.append(what)) as running:
        bearer = {"Authorization": f"Bearer {running.control_token}"}
        with httpx2.Client(base_url=running.control_url, headers=bearer) as control:
            sent = {
                "rules": [{"text": RULE, "configuration": {"KEY": secret}}],
                "actions": [{"text": action, "secrets": {"KEY": secret}}],
            }
            told = [control.put("/scripts", json=sent), control.get("/scripts"), control.get("/state")]
            # A kind that stays keeps what it was given.
            told.append(control.put("/scripts", json={"rules": []}))
            told.append(control.put("/scripts", json={"actions": [{"text": "(", "secrets": {"KEY": secret}}]}))
            told.append(control.put("/scripts", json={"actions": [{"text": action, "secrets": [secret]}]}))
            told.append(httpx2.get(f"{running.issuer}openapi.json"))
            assert [reply.status_code for reply in told] == [200, 200, 200, 200, 422, 422, 200]
            assert running.control.scripts.all()[0].secrets == {"KEY": secret}
            told.append(control.get("/events"))
        assert [reply for reply in told if secret in reply.text] == []
        assert secret not in repr(running.control.scripts.all())
    assert secret not in "".join(capfd.readouterr()) + caplog.text + json.dumps(logged)


@pytest.mark.parametrize(
    ("body", "field", "said"),
    [
        ({"rule": []}, "rule", "is not known here; known are rules, actions"),
        ({"rules": None}, None, None),
        ({"rules": {}}, "rules", "must be a list of {name, text, configuration}"),
        ({"actions": "x"}, "actions", "must be a list of {name, text, secrets}"),
        ({"rules": ["x"]}, "rules[0]", "must be an object with name, text and configuration"),
        ({"rules": [{}]}, "rules[0].text", "must be a text of 1 to 60000 characters"),
        ({"rules": [{"text": ""}]}, "rules[0].text", "must be a text of 1 to 60000 characters"),
        ({"rules": [{"text": RULE}, {"text": [RULE]}]}, "rules[1].text", "must be a text of 1 to 60000 characters"),
        ({"rules": [{"text": RULE, "name": ""}]}, "rules[0].name", "must be a text of 1 to 200 characters"),
        ({"rules": [{"text": RULE, "name": 7}]}, "rules[0].name", "must be a text of 1 to 200 characters"),
        ({"rules": [{"text": RULE, "name": "a\nb"}]}, "rules[0].name", "must be a line that can be read"),
        (
            {"rules": [{"text": RULE, "secrets": {}}]},
            "rules[0].secrets",
            "is not known here; known are name, text, configuration",
        ),
        (
            {"actions": [{"text": ACTION, "secrets": {"KEY": 7}}]},
            "actions[0].secrets",
            "must be an object of 50 texts of 4096 characters at most",
        ),
        (
            {"actions": [{"text": ACTION, "secrets": {"KEY": "x" * 4097}}]},
            "actions[0].secrets",
            "must be an object of 50 texts of 4096 characters at most",
        ),
        (
            {"actions": [{"text": ACTION, "secrets": {f"{number}": "" for number in range(51)}}]},
            "actions[0].secrets",
            "must be an object of 50 texts of 4096 characters at most",
        ),
        ({"rules": [{"text": RULE}] * 21}, "rules", "are 21; a tenant has 20 at most"),
        ({"actions": [{"text": ACTION}] * 21}, "actions", "are 21; a tenant has 20 at most"),
        (
            {"rules": [{"text": RULE}, {"name": "MFA", "text": "function (user) {\n  if (\n}"}]},
            "rules[1].text",
            "is no rule: SyntaxError: unexpected token in expression: '}' (line 3); correct MFA",
        ),
        (
            {"actions": [{"text": "\nexports.onExecutePostLogin = ("}]},
            "actions[0].text",
            "is no action: SyntaxError: unexpected token in expression: '}' (line 2); correct action",
        ),
    ],
)
def test_a_script_that_is_not_taken_is_named_and_leaves_those_in_force(control, body, field, said):
    before = control.put("/scripts", json={"rules": [{"name": "kept", "text": RULE}]}).json()
    reply = control.put("/scripts", json=body)
    if field is None:  # null is as good as left out
        assert reply.json() == before
        return
    assert refused(reply) == (422, "invalid_setting", field)
    assert reply.json()["message"] == f"{field} {said}"
    assert control.get("/scripts").json() == before


def test_scripts_of_more_than_a_body_holds_are_too_large(control):
    padded = f"{RULE}{' ' * 50_000}"
    assert control.put("/scripts", json={"rules": [{"text": padded}]}).status_code == 200
    assert refused(control.put("/scripts", json={"rules": [{"text": padded * 2}]})) == (413, "too_large", None)


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
    words = (*addresses, *FAULTS, *ENDPOINTS, *get_args(Malformation))
    missing = [f"`{word}`" for word in words if f"`{word}`" not in page]
    assert not missing
