"""Requests that no schema describes, byte for byte over a real connection: each is answered, and none is a fault.

What a document can describe is fuzzed from it, in tests/interop/test_schemathesis.py.
"""

from __future__ import annotations

import base64
import json
import re
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote_from_bytes, urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from host_tools.authority import RunningAuthority, start_authority
from host_tools.authority.core.errors import MfaRequired
from host_tools.authority.core.token_endpoint import Credentials
from host_tools.authority.dialects import DIALECT_NAMES
from host_tools.clock import VirtualClock
from tests.campaign import extent

from .conftest import DEVICE_CODE_GRANT, START_NS

ENDPOINTS = {
    "auth0": ("/oauth/token", "/oauth/device/code", "/oauth/revoke", "/mfa/associate", "/mfa/challenge"),
    "rfc": ("/token", "/device_authorization", "/revoke", "/introspect"),
}
FORM = b"application/x-www-form-urlencoded"
JSON = b"application/json"
GRANT_TYPES = [
    DEVICE_CODE_GRANT,
    "refresh_token",
    "password",
    *(f"http://auth0.com/oauth/grant-type/mfa-{kind}" for kind in ("otp", "oob", "recovery-code")),
]
NAMES = [
    *("grant_type", "client_id", "client_secret", "device_code", "refresh_token", "scope", "audience", "token"),
    *("username", "password", "mfa_token", "otp", "oob_code", "binding_code", "recovery_code"),
    *("authenticator_types", "oob_channels", "phone_number", "email", "challenge_type", "authenticator_id"),
]
CLIENT, MFA_TOKEN, DEVICE_CODE = REAL = ("the client", "the mfa_token", "the device code")  # stand for real ones
CONTROLS = [
    ("PUT", "mfa"),
    ("PUT", "access-tokens"),
    ("POST", "revoke"),
    ("POST", "faults"),
    ("POST", "pushes"),
    ("POST", "users/demo@stoa.example/authenticators"),
]
SETTINGS = [
    *("mode", "strict", "factors", "tell_requirements", "confidence", "lifetime_s", "user", "client_id", "how", "kind"),
    *(
        "endpoint",
        "moment",
        "times",
        "wait_s",
        "retry_after",
        "x_ratelimit",
        "approve",
        "challenge_id",
        "factor",
        "name",
    ),
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
        core.tokens.password(client, tenant.demo_user, tenant.demo_password, None, None, "")
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
    # 5.2: error and error_description are of these characters.
    told = [body["error"], body["error_description"]]
    return 400 <= reply.status < 500 and all(re.fullmatch(r"[ !#-\[\]-~]+", each) for each in told)


any_text = st.text(st.characters(codec=None), max_size=20)  # lone surrogates too
quoted = st.binary(max_size=20).map(lambda value: quote_from_bytes(value).encode())
form_value = st.one_of(
    st.sampled_from(
        [CLIENT.encode(), b"", b"%", b"%zz", b"%00", b"%ff", b"%ed%a0%80", b"+", b"%F0%9F%92%A5", b"otp oob"]
    ),
    st.sampled_from([each.encode() for each in GRANT_TYPES]),
    quoted,
    st.binary(max_size=20),
)
form_name = st.sampled_from([each.encode() for each in NAMES]) | quoted | st.binary(max_size=5)
form_body = st.lists(st.tuples(form_name, form_value), max_size=8).map(
    lambda pairs: b"&".join(name + b"=" + value for name, value in pairs)
)


class Members(list[tuple[str, Any]]):
    """A JSON object that may say a thing twice."""


json_leaf = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    any_text,
    st.sampled_from([*REAL, *GRANT_TYPES, "", "otp", "oob", 10**30]),
)
json_value = st.recursive(
    json_leaf,
    lambda inner: st.lists(inner, max_size=3) | st.lists(st.tuples(any_text, inner), max_size=3).map(Members),
    max_leaves=6,
)


def written(value: Any, ascii_only: bool) -> str:
    if isinstance(value, Members):
        inner = (f"{json.dumps(name, ensure_ascii=ascii_only)}:{written(each, ascii_only)}" for name, each in value)
        return "{" + ",".join(inner) + "}"
    if isinstance(value, list):
        return "[" + ",".join(written(each, ascii_only) for each in value) + "]"
    return json.dumps(value, ensure_ascii=ascii_only)


@st.composite
def json_body(draw: st.DrawFn, names: list[str] = NAMES) -> bytes:
    member = st.tuples(st.sampled_from(names) | any_text, json_value | json_leaf)
    text = written(draw(st.lists(member, max_size=8).map(Members) | json_value), draw(st.booleans()))
    return text.encode(draw(st.sampled_from(["utf-8"] * 6 + ["utf-8-sig", "utf-16", "utf-32"])), "surrogatepass")


header_value = st.binary(max_size=40).map(lambda value: value.translate(None, b"\r\n"))
content_type = st.one_of(
    st.sampled_from([FORM, JSON] * 3),
    st.sampled_from(
        [
            FORM + b"; charset=utf-16",
            FORM.upper() + b";charset=\xff",
            JSON + b'; charset="utf-7',
            JSON + b";;;",
            b"multipart/form-data; boundary=x",
            b"text/plain",
            b";",
            b"",
        ]
    ),
    header_value,
)
authorization = st.one_of(
    st.binary(max_size=30).map(lambda value: b"Basic " + base64.b64encode(value)),
    st.tuples(quoted, quoted).map(lambda pair: b"Basic " + base64.b64encode(b":".join(pair))),
    st.sampled_from(
        [b"Basic", b"Basic ====", b"basic  Og==", b"Bearer", b"Bearer Fe26.2*", b"Bearer a b", b"Negotiate x"]
    ),
    st.text("abcABC019-_.=", max_size=60).map(lambda value: b"Bearer Fe26." + value.encode()),
    header_value.map(lambda value: b"Bearer " + value),
    header_value,
)


@st.composite
def headers(draw: st.DrawFn) -> list[tuple[bytes, bytes]]:
    named = [(b"Content-Type", each) for each in draw(st.lists(content_type, min_size=1, max_size=2))]
    named += [(b"Authorization", each) for each in draw(st.lists(authorization, max_size=2))]
    if draw(st.booleans()):
        named.append((b"X-Huge", b"x" * draw(st.sampled_from([1, 8_000, 60_000]))))
    return named


CASES = [(dialect, path) for dialect, paths in ENDPOINTS.items() for path in paths]
FUZZED = settings(
    max_examples=extent(40, 1500),
    deadline=None,
    suppress_health_check=list(HealthCheck),
)


@pytest.mark.parametrize(("dialect", "path"), CASES)
@FUZZED
@given(body=form_body | json_body() | st.binary(max_size=200), headers=headers())
def test_no_request_is_a_fault(servers, dialect, path, body, headers):
    server = servers[dialect]
    assert is_fair(sent(server, post(path, server.filled(body), headers)), path.endswith("revoke"))


@pytest.mark.parametrize(("dialect", "path"), CASES)
@FUZZED
@given(body=form_body)
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
    body = server.filled(b'{"client_id": "the client", "token": "x", "token_type_hint": %s}' % token)
    reply = sent(server, post("/oauth/revoke", body, [(b"Content-Type", JSON)]))
    assert (reply.status, json.loads(reply.body)["error"]) == (400, "invalid_request")


@pytest.mark.parametrize("word", ["x\r\ny", "caf\u00e9", '"', "\\", "\x00", "\u202e"])
def test_a_sentence_that_says_what_was_sent_keeps_to_its_characters(servers, word):
    server = servers["auth0"]
    body = json.dumps({"client_id": CLIENT, "mfa_token": MFA_TOKEN, "challenge_type": word}).encode()
    reply = sent(server, post("/mfa/challenge", server.filled(body), [(b"Content-Type", JSON)]))
    assert json.loads(reply.body)["error"] == "unsupported_challenge_type"
    assert is_fair(reply, answers_empty=False)
