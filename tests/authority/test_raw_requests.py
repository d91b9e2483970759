"""Requests that no schema describes, byte for byte over a real connection: each is answered, and none is a fault.

What a document can describe is fuzzed from it, in tests/interop/test_schemathesis.py.
"""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from host_tools.authority import RunningAuthority, start_authority
from host_tools.authority.core.errors import MfaRequired
from host_tools.authority.core.token_endpoint import Credentials
from host_tools.authority.dialects import DIALECT_NAMES
from host_tools.clock import VirtualClock
from tests.campaign import extent

from .conftest import START_NS
from .odd_requests import CLIENT, FORM, JSON, MFA_TOKEN, REAL, as_form, form_body, headers, json_body, nearly_right

ENDPOINTS = {
    "auth0": ("/oauth/token", "/oauth/device/code", "/oauth/revoke", "/mfa/associate", "/mfa/challenge"),
    "okta": (
        *(f"/oauth2/default/v1/{way}" for way in ("token", "device/authorize", "revoke", "introspect")),
        *(f"/api/v1/authn{way}" for way in ("", "/factors", "/factors/ost1/verify", "/cancel")),
    ),
    "rfc": ("/token", "/device_authorization", "/revoke", "/introspect"),
    "extrahorizon": (
        "/auth/v2/oauth2/tokens",
        "/auth/v2/confirmPresence",
        f"/auth/v2/mfa/users/{'0' * 24}/methods",
    ),
}
TOLD = [("error", "error_description"), ("error", "description"), ("name", "message")]
OKTA_ERROR = {"errorCode", "errorSummary", "errorLink", "errorId", "errorCauses"}
SETTINGS = [
    *("mode", "strict", "factors", "tell_requirements", "confidence", "lifetime_s", "user", "client_id", "how", "kind"),
    *("endpoint", "moment", "times", "wait_s", "retry_after", "x_ratelimit", "approve", "challenge_id"),
    *("factor", "name"),
]
CONTROLS = [
    ("PUT", "mfa"),
    ("PUT", "access-tokens"),
    ("POST", "revoke"),
    ("POST", "faults"),
    ("POST", "pushes"),
    ("POST", "users/demo@stoa.example/authenticators"),
]


@dataclass(frozen=True)
class Reply:
    status: int
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True)
class Server:
    running: RunningAuthority
    real: dict[bytes, bytes]

    def filled(self, body: bytes) -> bytes:
        """With real values in the places of REAL."""
        for stand_in, value in self.real.items():
            body = body.replace(stand_in, value)
        return body


@pytest.fixture(scope="module")
def servers() -> Iterator[dict[str, Server]]:
    with ExitStack() as opened:
        clock = VirtualClock(START_NS)
        yield {name: server(opened.enter_context(start_authority(clock, dialect=name))) for name in DIALECT_NAMES}


def server(running: RunningAuthority) -> Server:
    tenant, core = running.tenant, running._authority
    core.store.put(replace(running.control.client(tenant.client_id), grants="device_code refresh_token password mfa"))
    client = Credentials(tenant.client_id)
    running.set_mfa("always")
    with pytest.raises(MfaRequired) as held:
        core.password_grant.exchange(client, tenant.demo_user, tenant.demo_password, None, None, "")
    running.set_mfa("never")
    device_code = core.tokens.authorize_device(client, None, None).device_code
    values = (tenant.client_id, held.value.mfa_token, device_code)
    return Server(running, {name.encode(): value.encode() for name, value in zip(REAL, values, strict=True)})


def sent(server: Server, request: bytes) -> Reply:
    """These very bytes; whatever comes back until the server ends the connection."""
    address = urlsplit(server.running.issuer)
    with socket.create_connection((address.hostname, address.port), timeout=20) as connection:
        connection.sendall(request)
        reply = b"".join(iter(lambda: connection.recv(65536), b""))
    head, _, body = reply.partition(b"\r\n\r\n")
    status, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    return Reply(int(status.split()[1]), headers, body)


def post(path: str, body: bytes, headers: list[tuple[bytes, bytes]], method: str = "POST") -> bytes:
    lines = [f"{method} {path} HTTP/1.1".encode(), b"Host: 127.0.0.1", b"Connection: close"]
    lines += [b"Content-Length: %d" % len(body), *(name + b": " + value for name, value in headers)]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


def is_fair(reply: Reply, answers_empty: bool) -> bool:
    """Not HTTP at all; or a grant, or a refusal as RFC 6749 has them."""
    if reply.body == b"Invalid HTTP request received.":
        return reply.status == 400
    assert reply.headers["cache-control"] == "no-store"
    if reply.status == 200 and not reply.body:
        return answers_empty
    assert reply.headers["content-type"] == "application/json"
    body = json.loads(reply.body)
    if reply.status == 200:
        return True
    if "errorCode" in body:  # of Okta's API
        return 400 <= reply.status < 500 and set(body) == OKTA_ERROR
    # 5.2: error and error_description are of these characters. Extra Horizon's are the same by other names.
    word, sentence = next(pair for pair in TOLD if set(pair) <= body.keys())
    told = [body[word], body[sentence]]
    return 400 <= reply.status < 500 and all(re.fullmatch(r"[ !#-\[\]-~]+", each) for each in told)


CASES = [(dialect, path) for dialect, paths in ENDPOINTS.items() for path in paths]
FUZZED = settings(
    max_examples=extent(100, 1000),
    deadline=None,
    suppress_health_check=list(HealthCheck),
)


@pytest.mark.parametrize(("dialect", "path"), CASES)
@FUZZED
@given(body=form_body | nearly_right().map(as_form) | json_body() | st.binary(max_size=200), headers=headers())
def test_no_request_is_a_fault(servers, dialect, path, body, headers):
    server = servers[dialect]
    assert is_fair(sent(server, post(path, server.filled(body), headers)), path.endswith("revoke"))


@pytest.mark.parametrize(("dialect", "path"), CASES)
@FUZZED
@given(body=form_body | nearly_right().map(as_form))
def test_no_form_is_a_fault(servers, dialect, path, body):
    server = servers[dialect]
    request = post(path, server.filled(body), [(b"Content-Type", FORM), (b"Authorization", b"Bearer x")])
    assert is_fair(sent(server, request), path.endswith("revoke"))


@pytest.mark.parametrize("path", ["/oauth/token", "/oauth/revoke", "/mfa/associate", "/mfa/challenge"])
@FUZZED
@given(body=json_body())
def test_no_json_is_a_fault(servers, path, body):
    server = servers["auth0"]
    request = post(path, server.filled(body), [(b"Content-Type", JSON), (b"Authorization", b"Bearer x")])
    assert is_fair(sent(server, request), path.endswith("revoke"))


@pytest.mark.parametrize(("method", "path"), CONTROLS)
@FUZZED
@given(body=json_body(SETTINGS) | st.binary(max_size=100))
def test_no_control_request_is_a_fault(servers, method, path, body):
    server = servers["auth0"]
    let_in = (b"Authorization", f"Bearer {server.running.control_token}".encode())
    request = post(f"/control/{path}", server.filled(body), [(b"Content-Type", JSON), let_in], method)
    reply = sent(server, request)
    server.running.control.lift_faults()
    assert reply.status in (200, 201) or (
        400 <= reply.status < 500 and {"error", "message"} <= json.loads(reply.body).keys()
    )


@pytest.mark.parametrize("channels", [b"+", b"%20", b"x", b"%09"])
def test_channels_that_are_none_are_refused(servers, channels):
    body = b"authenticator_types=oob&oob_channels=" + channels
    reply = sent(
        servers["auth0"], post("/mfa/associate", body, [(b"Content-Type", FORM), (b"Authorization", b"Bearer x")])
    )
    assert (reply.status, json.loads(reply.body)["error"]) == (400, "invalid_request")


@pytest.mark.parametrize("token", [b"{}", b"[]", b'["x"]', b'[["x"]]', b"[1]"])
def test_an_object_or_a_list_is_no_string(servers, token):
    server = servers["auth0"]
    body = server.filled(b'{"client_id": "A-CLIENT", "token": "x", "token_type_hint": %s}' % token)
    reply = sent(server, post("/oauth/revoke", body, [(b"Content-Type", JSON)]))
    assert (reply.status, json.loads(reply.body)["error"]) == (400, "invalid_request")


@pytest.mark.parametrize("word", ["x\r\ny", "caf\u00e9", '"', "\\", "\x00", "\u202e"])
def test_a_sentence_that_says_what_was_sent_keeps_to_its_characters(servers, word):
    server = servers["auth0"]
    body = json.dumps({"client_id": CLIENT, "mfa_token": MFA_TOKEN, "challenge_type": word}).encode()
    reply = sent(server, post("/mfa/challenge", server.filled(body), [(b"Content-Type", JSON)]))
    assert json.loads(reply.body)["error"] == "unsupported_challenge_type"
    assert is_fair(reply, answers_empty=False)
