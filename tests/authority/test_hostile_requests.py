"""Bodies, methods and encodings nobody honest sends: always a clear 4xx in OAuth's shape."""

from __future__ import annotations

import base64
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
ENDPOINTS = ["/oauth/device/code", "/oauth/token", "/oauth/revoke"]


def refused(reply, status=400) -> bool:
    assert reply.headers["cache-control"] == "no-store"
    return (reply.status_code, reply.json()["error"]) == (status, "invalid_request")


@pytest.mark.parametrize("path", ENDPOINTS)
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_a_wrong_method_is_an_oauth_error(http, path, method):
    reply = http.request(method, path)
    assert refused(reply, 405)
    assert reply.headers["allow"] == "POST"


@pytest.mark.parametrize("path", ENDPOINTS)
@pytest.mark.parametrize("media_type", [None, "text/plain", "multipart/form-data; boundary=x", "application/xml", ";"])
def test_a_wrong_content_type_is_an_oauth_error(http, path, media_type):
    headers = {"Content-Type": media_type} if media_type else {}
    assert refused(http.post(path, content=b"client_id=x", headers=headers))


def test_the_device_endpoint_takes_forms_only(http, tenant):
    assert refused(http.post("/oauth/device/code", json={"client_id": tenant.client_id}))


@pytest.mark.parametrize("path", ENDPOINTS)
def test_a_repeated_parameter_is_refused(http, tenant, path):
    body = f"client_id={tenant.client_id}&client_id={tenant.client_id}&grant_type=refresh_token&refresh_token=x&token=x"
    reply = http.post(path, content=body, headers=FORM)
    assert refused(reply)
    assert reply.json()["error_description"] == "A parameter is included more than once."


@pytest.mark.parametrize("path", [*ENDPOINTS, "/activate"])
def test_a_body_over_64_kb_is_refused(http, path):
    http.get("/activate")
    reply = http.post(path, content=b"client_id=" + b"a" * 65_536, headers=FORM)
    assert reply.status_code == 413


def test_a_body_of_64_kb_is_read(http):
    reply = http.post("/oauth/device/code", content=b"client_id=" + b"a" * 65_526, headers=FORM)
    assert (reply.status_code, reply.json()["error"]) == (401, "invalid_client")


@pytest.mark.parametrize(
    "body",
    [
        b"\xff\xfe\x00c",
        b"client_id=%ff%fe",
        b"client_id=%ed%a0%80",
        b"&".join(b"p%d=1" % number for number in range(60)),
        b"",
        b"=&=",
        b"client_id",
        b"\x00\x01\x02",
    ],
)
@pytest.mark.parametrize("path", ENDPOINTS)
def test_an_odd_form_is_refused(http, path, body):
    assert refused(http.post(path, content=body, headers=FORM))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b'[["client_id", "x"]]',
        b'"client_id"',
        b'{"client_id": 5}',
        b'{"client_id": {"a": "b"}}',
        b'{"client_id": ["a"]}',
        b'{"client_id": "a", "client_id": "b"}',
        b'{"client_id": "\\ud800", "grant_type": "refresh_token", "refresh_token": "x"}',
        b"[" * 60_000,
        b'{"a":' * 10_000,
        b"\xff",
    ],
)
def test_an_odd_json_body_is_refused(http, body):
    assert refused(http.post("/oauth/token", content=body, headers={"Content-Type": "application/json"}))


@pytest.mark.parametrize("client_id", ["' OR '1'='1", "x'; DROP TABLE clients; --", "%00", "\x00", "💥", "../../etc"])
def test_a_client_id_is_only_ever_looked_up(http, display, client_id):
    assert display.ask(client_id=client_id).json()["error"] == "invalid_client"
    assert display.ask().status_code == 200


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(body=st.binary(max_size=400))
@pytest.mark.parametrize("media_type", ["application/x-www-form-urlencoded", "application/json"])
def test_no_body_is_a_fault(http, body, media_type):
    reply = http.post("/oauth/token", content=body, headers={"Content-Type": media_type})
    assert 400 <= reply.status_code < 500
    assert reply.json()["error"]


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(token=st.from_regex(r"[A-Za-z0-9_-]{0,40}\.[A-Za-z0-9_-]{0,40}\.[A-Za-z0-9_-]{0,20}", fullmatch=True))
def test_no_token_is_a_fault(display, token):
    assert display.quote(token).status_code == 401


@pytest.mark.parametrize("header", [[], "x", None, 5, {"alg": 5}, {"alg": "RS256", "kid": []}, {"alg": "none"}])
def test_a_token_whose_header_is_odd_json_is_invalid(display, header):
    encoded = base64.urlsafe_b64encode(json.dumps(header).encode()).decode().rstrip("=")
    assert display.quote(f"{encoded}.e30.x").status_code == 401
