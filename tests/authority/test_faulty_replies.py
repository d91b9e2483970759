"""Replies of another status, cut off, or damaged, over a real server: what a client sees, and what has been done."""

from __future__ import annotations

import json
import socket
from typing import get_args
from urllib.parse import urlsplit

import httpx2
import pytest

from host_tools.authority import LoseReply, MalformedReply, RateLimit, StatusReply, TruncateReply, start_authority
from host_tools.authority.core.fault_kinds import Malformation
from host_tools.authority.wire_replies import Reply, malformed

from .conftest import over_the_wire, quote_of_day

MOMENTS = [("before", 0, "newest"), ("after", 1, "reused")]


def done(paired) -> tuple[int, str]:
    """Refreshes so far, and what the token is worth that was sent."""
    control = paired.authority.control
    return control.tally()["refreshes"], control.examine(paired.tokens["refresh_token"]).standing


def refreshed(paired, device, fault):
    paired.authority.control.set_fault(fault)
    return device.refresh(paired.tokens["refresh_token"])


def over_a_socket(paired, method: str, path: str, body: bytes = b"") -> tuple[bytes, bytes]:
    """Head and body as they come, until the connection ends."""
    address = urlsplit(paired.authority.issuer)
    with socket.create_connection((address.hostname, address.port), timeout=20) as wire:
        wire.sendall(
            b"%s %s HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nContent-Length: %d\r\n"
            b"Content-Type: application/x-www-form-urlencoded\r\nAuthorization: Bearer %s\r\n\r\n%s"
            % (method.encode(), path.encode(), len(body), paired.tokens["access_token"].encode(), body)
        )
        head, _, got = b"".join(iter(lambda: wire.recv(65536), b"")).partition(b"\r\n\r\n")
    return head, got


def promised(head: bytes) -> int:
    return int(dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:])[b"content-length"])


@pytest.mark.parametrize(("moment", "refreshes", "standing"), MOMENTS)
@pytest.mark.parametrize("status", [400, 404, 418, 499, 500, 502, 599])
def test_a_status_was_answered_before_the_request_was_processed_or_after(
    paired, device, status, moment, refreshes, standing
):
    reply = refreshed(paired, device, StatusReply("token", status, moment, times=1))
    assert (reply.status_code, {*reply.json()}) == (status, {"error", "error_description"})
    assert reply.headers["cache-control"] == "no-store"
    assert done(paired) == (refreshes, standing)
    assert paired.authority.control.faults() == ()


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, "invalid_request"),
        (401, "invalid_client"),
        (403, "access_denied"),
        (429, "temporarily_unavailable"),
        (500, "server_error"),
        (503, "temporarily_unavailable"),
    ],
)
def test_an_oauth_error_is_one_that_goes_with_the_status(paired, device, status, error):
    told = refreshed(paired, device, StatusReply("token", status)).json()
    assert told["error"] == error
    assert str(status) in told["error_description"]


def test_an_oauth_error_is_the_one_that_was_asked_for(paired, device):
    fault = StatusReply("token", 400, error="invalid_grant", error_description="Of a deposed king.", retry_after_s=7)
    reply = refreshed(paired, device, fault)
    assert reply.json() == {"error": "invalid_grant", "error_description": "Of a deposed king."}
    assert reply.headers["retry-after"] == "7"
    assert paired.authority.control.tally()["families_live"] == 1


@pytest.mark.parametrize(("status", "title"), [(502, "502 Bad Gateway"), (599, "599 Error")])
def test_a_page_is_what_a_proxy_would_send(paired, device, status, title):
    reply = refreshed(paired, device, StatusReply("token", status, body="html", retry_after_s=0))
    assert (reply.status_code, reply.headers["content-type"]) == (status, "text/html; charset=utf-8")
    assert f"<h1>{title}</h1>" in reply.text
    assert reply.headers["retry-after"] == "0"


def test_a_status_may_come_alone(paired, device):
    reply = refreshed(paired, device, StatusReply("token", 504, body="empty"))
    assert (reply.status_code, reply.content, reply.headers["content-length"]) == (504, b"", "0")
    assert "content-type" not in reply.headers and "retry-after" not in reply.headers


@pytest.mark.parametrize(
    ("endpoint", "path", "scheme"), [("token", "/oauth/token", "Basic"), ("mfa", "/mfa/x", "Bearer")]
)
def test_a_401_says_how_to_be_let_in(paired, device, endpoint, path, scheme):
    paired.authority.control.set_fault(StatusReply(endpoint, 401, body="empty"))
    path = "/mfa/authenticators" if endpoint == "mfa" else path
    assert device.http.get(path).headers["www-authenticate"].startswith(f"{scheme} ")


def test_a_large_request_is_read_before_it_is_refused(paired):
    """Closing on unread bytes would reset the connection, and the reply might not arrive."""
    paired.authority.control.set_fault(StatusReply("token", 503, times=1))
    head, body = over_a_socket(paired, "POST", "/oauth/token", b"x" * 3_000_000)
    assert head.startswith(b"HTTP/1.1 503 ") and len(body) == promised(head)


@pytest.mark.parametrize(("keep_bytes", "kept"), [(None, "half"), (0, 0), (1, 1), (40, 40), (1_000_000, "all but one")])
def test_a_truncated_reply_ends_within_its_body(paired, keep_bytes, kept):
    control = paired.authority.control
    whole = over_a_socket(paired, "GET", "/api/quotes/today")[1]
    control.set_fault(TruncateReply("api", times=1, keep_bytes=keep_bytes))
    head, body = over_a_socket(paired, "GET", "/api/quotes/today")
    assert head.startswith(b"HTTP/1.1 200 ") and promised(head) == len(whole)
    assert body == whole[: {"half": len(whole) // 2, "all but one": len(whole) - 1}.get(kept, kept)]
    assert over_a_socket(paired, "GET", "/api/quotes/today")[1] == whole


def test_a_truncated_refresh_was_processed(paired, device):
    with pytest.raises(httpx2.RemoteProtocolError, match="without sending complete message body"):
        refreshed(paired, device, TruncateReply("token", times=1))
    assert done(paired) == (1, "reused")


@pytest.mark.parametrize(
    ("endpoint", "method", "path"), [("revocation", "POST", "/oauth/revoke"), ("api", "HEAD", "/api/quotes/today")]
)
def test_where_there_is_no_body_to_truncate_the_reply_is_lost(paired, endpoint, method, path):
    paired.authority.control.set_fault(TruncateReply(endpoint, times=1))
    form = f"client_id={paired.authority.tenant.client_id}&token=any".encode() if method == "POST" else b""
    assert over_a_socket(paired, method, path, form) == (b"", b"")
    assert over_a_socket(paired, method, path, form)[0].startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize("fault", [LoseReply("token", "before"), LoseReply("token", "after"), TruncateReply("token")])
def test_a_connection_that_is_to_end_is_no_fault_of_ours(clock, capfd, fault):
    with start_authority(clock, quote_of_day=quote_of_day) as running, over_the_wire(running) as device:
        running.control.set_fault(fault)
        with pytest.raises(httpx2.RemoteProtocolError):
            device.refresh("any")
        running.settle()
    assert capfd.readouterr().err == ""


def test_only_the_truncated_connection_ends(paired, device):
    with httpx2.Client(base_url=paired.authority.issuer, timeout=20) as kept:
        assert kept.get("/activate").status_code == 200
        with pytest.raises(httpx2.RemoteProtocolError):
            refreshed(paired, device, TruncateReply("token", times=1))
        assert kept.get("/activate").status_code == 200


def is_json(body: bytes) -> bool:
    try:
        json.loads(body.decode())
    except (ValueError, RecursionError):
        return False
    return True


DAMAGED = {
    "not_json": lambda body, right: body.startswith(b"<html>"),
    "cut_json": lambda body, right: right.startswith(body) and 0 < len(body) < len(right),
    "empty": lambda body, right: body == b"",
    "not_utf8": lambda body, right: json.loads(body.decode("latin-1")) == {"café": True, **json.loads(right)},
    "array": lambda body, right: json.loads(body) == [json.loads(right)],
    "nulls": lambda body, right: json.loads(body) == dict.fromkeys(json.loads(right)),
    "wrong_types": lambda body, right: json.loads(body) == {name: [told] for name, told in json.loads(right).items()},
    "text_numbers": lambda body, right: (
        json.loads(body) == {name: str(told) if type(told) is int else told for name, told in json.loads(right).items()}
    ),
    "deep_json": lambda body, right: body == b"[" * 100_000 + b"]" * 100_000,
    "long_json": lambda body, right: len(body) == 2_000_000 and json.loads(body) == json.loads(right),
    "other_type": lambda body, right: body == right,
}
NO_JSON = {"not_json", "cut_json", "empty", "not_utf8", "deep_json"}


def test_every_way_to_be_malformed_is_tested():
    assert {*DAMAGED} == {*get_args(Malformation)}


@pytest.mark.parametrize("how", DAMAGED)
def test_a_malformed_reply_has_another_body_and_the_same_status(paired, device, how):
    document = "/.well-known/openid-configuration"
    right = device.http.get(document)
    paired.authority.control.set_fault(MalformedReply("discovery", how, times=1))
    reply = device.http.get(document)
    assert reply.status_code == 200
    assert int(reply.headers["content-length"]) == len(reply.content)
    assert reply.headers["content-type"] == ("text/html" if how == "other_type" else "application/json")
    assert reply.headers["cache-control"] == right.headers["cache-control"]
    assert DAMAGED[how](reply.content, right.content)
    assert is_json(reply.content) == (how not in NO_JSON)
    assert device.http.get(document).content == right.content


@pytest.mark.parametrize("how", DAMAGED)
def test_a_malformed_refresh_was_processed(paired, device, how):
    reply = refreshed(paired, device, MalformedReply("token", how, times=1))
    assert (reply.status_code, done(paired)) == (200, (1, "reused"))
    if how == "text_numbers":
        assert reply.json()["expires_in"] == "86400"


@pytest.mark.parametrize("how", DAMAGED)
def test_a_refusal_can_be_malformed_too(paired, device, how):
    paired.authority.control.set_fault(MalformedReply("token", how))
    assert device.refresh("never issued").status_code == 403
    assert paired.authority.control.tally()["refreshes_refused"] == 1


@pytest.mark.parametrize("how", DAMAGED)
def test_what_has_no_json_in_it_can_be_malformed(paired, device, how):
    """Auth0's revocation answers nothing; a list has values as an object has."""
    control, tenant = paired.authority.control, paired.authority.tenant
    control.set_fault(MalformedReply("revocation", how))
    form = {"client_id": tenant.client_id, "token": "any"}
    assert device.http.post("/oauth/revoke", data=form).status_code == 200
    control.set_fault(MalformedReply("api", how))
    quote = device.quote(paired.tokens["access_token"])
    assert quote.status_code == 200
    bearer = {"Authorization": f"Bearer {paired.tokens['access_token']}", "If-None-Match": quote.headers["etag"]}
    unchanged = device.http.get("/api/quotes/today", headers=bearer)
    assert (unchanged.status_code, unchanged.content) == (304, b"")
    assert device.http.head("/api/quotes/today", headers=bearer).status_code == 304
    assert paired.authority.control.faults()[1].struck == 3


@pytest.mark.parametrize(
    ("how", "body"),
    [
        ("array", b'[["x", 1, true]]'),
        ("nulls", b"[null, null, null]"),
        ("wrong_types", b'[["x"], [1], [true]]'),
        ("text_numbers", b'["x", "1", true]'),
        ("not_utf8", b'{"caf\xe9": true}'),
    ],
)
def test_a_list_is_damaged_value_by_value(how, body):
    assert malformed(Reply(200, (), b'["x", 1, true]'), how).body == body


def test_faults_of_all_kinds_strike_in_the_order_they_were_set(paired, device):
    control, token = paired.authority.control, paired.tokens["refresh_token"]
    for fault in (
        StatusReply("token", 500, times=2),
        LoseReply("token", "before", times=1),
        MalformedReply("token", "empty", times=1),
        RateLimit("token", times=1),
    ):
        control.set_fault(fault)
    assert [device.refresh("x").status_code for _ in range(2)] == [500, 500]
    with pytest.raises(httpx2.RemoteProtocolError):
        device.refresh("x")
    reply = device.refresh("x")
    assert (reply.status_code, reply.content) == (403, b"")
    assert device.refresh("x").status_code == 429
    assert device.refresh(token).status_code == 200
