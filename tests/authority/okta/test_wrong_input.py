"""Every address of Okta's API, with every wrong input: its own error body, its code and status, and never a 500."""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from host_tools.authority.dialects.okta_authn import LONGEST_RELAY_STATE
from tests.authority.mfa_wire import demo_person

from .okta_wire import AUTHN, V1, Api, error

FACTOR = "/factors/ost0/"
# Way; the members it must have, with such values as fit.
RIGHT = {
    "": {"username": "demo@stoa.example", "password": "x"},
    "/introspect": {"stateToken": "x"},
    "/factors": {"stateToken": "x", "factorType": "token:software:totp", "provider": "GOOGLE"},
    f"{FACTOR}verify": {"stateToken": "x"},
    f"{FACTOR}verify/resend": {"stateToken": "x"},
    f"{FACTOR}lifecycle/activate": {"stateToken": "x", "passCode": "1"},
    f"{FACTOR}lifecycle/activate/poll": {"stateToken": "x", "passCode": "1"},
    f"{FACTOR}lifecycle/resend": {"stateToken": "x"},
    "/previous": {"stateToken": "x"},
    "/skip": {"stateToken": "x"},
    "/cancel": {"stateToken": "x"},
    "/recovery/unlock": {"username": "x"},
}
NOT_FORMED = (400, "E0000003")
INVALID = (400, "E0000001")
BODIES = {
    "empty": b"",
    "cut": b"{",
    "null": b"null",
    "list": b"[]",
    "text": b'"stateToken"',
    "twice": b'{"stateToken": "a", "stateToken": "b"}',
    "surrogate": b'{"stateToken": "\\ud800", "username": "x", "password": "x"}',
    "not UTF-8": b'{"stateToken": "\xff"}',
    "deep": b"[" * 60_000,
    "deep object": b'{"a":' * 10_000,
    "NaN": b'{"stateToken": NaN}',
    "a number of many digits": b'{"stateToken": ' + b"9" * 5000 + b"}",
}
JSON = {"Content-Type": "application/json"}


@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize("way", RIGHT)
def test_a_body_that_is_no_object(http, way, body):
    reply = http.post(f"{AUTHN}{way}", content=BODIES[body], headers=JSON)
    assert error(reply) == NOT_FORMED
    assert reply.json()["errorSummary"] == "The request body was not well-formed."


@pytest.mark.parametrize("way", RIGHT)
def test_a_body_that_is_too_large(http, way):
    body = json.dumps({**RIGHT[way], "x": "y" * 65_536}).encode()
    assert error(http.post(f"{AUTHN}{way}", content=body, headers=JSON)) == (413, "E0000003")


@pytest.mark.parametrize(
    "media_type", [None, "text/plain", "application/x-www-form-urlencoded", ";", "application/xml"]
)
@pytest.mark.parametrize("way", RIGHT)
def test_a_body_that_is_not_said_to_be_json(http, way, media_type):
    headers = {"Content-Type": media_type} if media_type else {}
    assert error(http.post(f"{AUTHN}{way}", content=b"{}", headers=headers)) == (400, "E0000021")


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE", "OPTIONS"])
@pytest.mark.parametrize("way", RIGHT)
def test_another_method(http, way, method):
    reply = http.request(method, f"{AUTHN}{way}")
    assert error(reply) == (405, "E0000022")
    assert reply.headers["allow"] == "POST"


MISSING = [(way, name) for way, right in RIGHT.items() for name in right]


@pytest.mark.parametrize("value", [..., None, ""])
@pytest.mark.parametrize(("way", "name"), MISSING)
def test_a_member_that_is_missing(api, way, name, value):
    body = {each: fit for each, fit in RIGHT[way].items() if each != name}
    reply = api.post(way, body if value is ... else body | {name: value})
    assert error(reply) == INVALID
    if way:
        assert reply.json()["errorSummary"] == f"Api validation failed: {name}"
        assert reply.json()["errorCauses"] == [{"errorSummary": f"{name}: The field cannot be left blank"}]
    else:
        assert reply.json()["errorSummary"] == "Api validation failed: authRequest"
        cause = "The 'username' and 'password' attributes are required in this context."
        assert reply.json()["errorCauses"] == [{"errorSummary": cause}]


@pytest.mark.parametrize("value", [5, 1.5, True, ["x"], {"x": "y"}])
@pytest.mark.parametrize(("way", "name"), MISSING)
def test_a_member_of_another_type(api, way, name, value):
    assert error(api.post(way, RIGHT[way] | {name: value})) == NOT_FORMED


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"context": "x"}, NOT_FORMED),
        ({"context": {"deviceToken": 5}}, NOT_FORMED),
        ({"context": {"deviceToken": "x" * 33}}, INVALID),
        ({"options": []}, NOT_FORMED),
        ({"options": {"multiOptionalFactorEnroll": "true"}}, NOT_FORMED),
        ({"options": {"warnBeforePasswordExpired": 1}}, NOT_FORMED),
        ({"relayState": 1}, NOT_FORMED),
        ({"relayState": "x" * (LONGEST_RELAY_STATE + 1)}, INVALID),
        ({"stateToken": 1}, NOT_FORMED),
        ({"token": 1}, NOT_FORMED),
        ({"password": "x" * 10_000}, (401, "E0000004")),
        ({"username": "\x00"}, (401, "E0000004")),
        ({"token": "an activation token"}, (401, "E0000004")),
        ({"context": None, "options": None, "relayState": None, "unknown": [1]}, (401, "E0000004")),
    ],
)
def test_what_a_sign_in_takes(api, changed, expected):
    assert error(api.post("", RIGHT[""] | changed)) == expected


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"factorType": "token"}, INVALID),
        ({"provider": "RSA"}, INVALID),
        ({"factorType": "push", "provider": "GOOGLE"}, INVALID),
        ({"profile": "x"}, NOT_FORMED),
        ({"factorType": "sms", "provider": "OKTA", "profile": {"phoneNumber": 5}}, NOT_FORMED),
    ],
)
def test_what_enrolling_takes(api, changed, expected):
    assert error(api.post("/factors", RIGHT["/factors"] | changed)) == expected


@pytest.mark.parametrize("profile", [None, {}, {"phoneNumber": ""}, {"phoneNumber": "12"}, {"phoneNumber": "+1"}])
def test_a_phone_number_that_is_none(api, authority, store, tenant, profile):
    for each in authority.authenticators.of(
        authority.users.check_password(tenant.demo_user, tenant.demo_password, "").user_id
    ):
        authority.authenticators.remove(each.user_id, each.authenticator_id)
    told = api.begun()
    body = {"stateToken": told["stateToken"], "factorType": "sms", "provider": "OKTA", "profile": profile}
    reply = api.post("/factors", body)
    assert error(reply) == (400, "E0000098")
    assert reply.json()["errorSummary"] == "This phone number is invalid."


@pytest.mark.parametrize("way", [way for way in RIGHT if "stateToken" in RIGHT[way]])
def test_a_state_token_that_is_not_good(api, way):
    assert error(api.post(way, RIGHT[way])) == (401, "E0000011")


@pytest.mark.parametrize("factor_id", ["ostnone", "none", "x", "%00", "\u00e9", "opf", "x" * 3000, "ost%2e%2e"])
def test_a_factor_that_is_not_the_user_s(api, factor_id):
    told = api.begun()
    reply = api.post(f"/factors/{factor_id}/verify", {"stateToken": told["stateToken"], "passCode": "x"})
    assert error(reply) == (404, "E0000007")
    assert reply.json()["errorSummary"].startswith("Not found: Resource not found: ")


def test_a_recovery_code_is_no_factor_of_okta_s(api, authority, store, tenant):
    person = demo_person(store, tenant)
    enrolled = authority.authenticators.enrol(person.user_id, "otp", "")
    [code] = [
        each for each in authority.authenticators.of(person.user_id, active=None) if each.factor == "recovery-code"
    ]
    authority.authenticators.confirm(enrolled.authenticator)
    told = api.begun()
    assert len(told["_embedded"]["factors"]) == 2
    for kind in ("ost", "uft", "opf"):
        reply = api.post(f"/factors/{kind}{code.authenticator_id}/verify", {"stateToken": told["stateToken"]})
        assert error(reply) == (404, "E0000007")


@pytest.mark.parametrize("name", ["rememberDevice", "autoPush"])
def test_a_wish_that_is_no_yes_and_no_no(api, name):
    told = api.begun()
    reply = api.verify(told, api.code(), **{name: "maybe"})
    assert error(reply) == (400, "E0000037")
    assert reply.json()["errorSummary"] == f"Type mismatch exception.  {name} is true or false."
    assert api.verify(told, api.code(), **{name: "TRUE"}).json()["status"] == "SUCCESS"


@pytest.mark.parametrize("method", ["POST", "DELETE"])
def test_the_picture_is_looked_at_and_nothing_else(http, method):
    reply = http.request(method, "/api/v1/users/00u1/factors/ost1/qr/00x")
    assert error(reply) == (405, "E0000022")
    assert reply.headers["allow"] == "GET"
    assert error(http.get("/api/v1/users/00u1/factors/ost1/qr/00x")) == (404, "E0000008")
    assert error(http.get("/api/v1/users/00u1/factors/x/qr/00x")) == (404, "E0000007")


# What OAuth's endpoints refuse has RFC 6749's shape, and Okta's sentences.

OAUTH = [
    ("device/authorize", {"scope": "openid"}, 401, "invalid_client", "No client credentials found."),
    (
        "device/authorize",
        {"client_id": "nobody"},
        401,
        "invalid_client",
        "Client authentication failed. Either the client or the client credentials are invalid.",
    ),
    (
        "device/authorize",
        {"client_id": "CLIENT", "audience": "https://elsewhere.example"},
        400,
        "unsupported_api_resource",
        "The api resource is not supported by the authorization server.",
    ),
    ("token", {"client_id": "CLIENT"}, 400, "invalid_request", "The required parameter 'grant_type' is missing."),
    (
        "token",
        {"client_id": "CLIENT", "grant_type": "client_credentials"},
        400,
        "unsupported_grant_type",
        "The authorization grant type is not supported by the authorization server.",
    ),
    (
        "token",
        {"client_id": "CLIENT", "grant_type": "authorization_code", "code": "x", "redirect_uri": "x"},
        400,
        "unauthorized_client",
        "The client is not authorized to use the provided grant type.",
    ),
    (
        "token",
        {"client_id": "CLIENT", "grant_type": "refresh_token"},
        400,
        "invalid_request",
        "The required parameter 'refresh_token' is missing.",
    ),
    (
        "token",
        {"client_id": "CLIENT", "grant_type": "refresh_token", "refresh_token": "never issued"},
        400,
        "invalid_grant",
        "The refresh token is invalid or expired.",
    ),
    (
        "token",
        {
            "client_id": "CLIENT",
            "grant_type": "urn:ietf:params:oauth:grant-type:device_code",
            "device_code": "never issued",
        },
        400,
        "invalid_grant",
        "The device code is invalid or has expired.",
    ),
    ("revoke", {"client_id": "CLIENT"}, 400, "invalid_request", "The 'token' parameter is required."),
    ("introspect", {"client_id": "CLIENT"}, 400, "invalid_request", "The 'token' parameter is required."),
    ("introspect", {"token": "x"}, 401, "invalid_client", "No client credentials found."),
]


@pytest.mark.parametrize(("way", "sent", "status", "code", "sentence"), OAUTH)
def test_what_oauth_s_endpoints_refuse(http, tenant, way, sent, status, code, sentence):
    fields = {name: tenant.client_id if value == "CLIENT" else value for name, value in sent.items()}
    reply = http.post(f"{V1}/{way}", data=fields)
    assert (reply.status_code, reply.json()) == (status, {"error": code, "error_description": sentence})


@pytest.mark.parametrize("way", ["device/authorize", "token", "revoke", "introspect"])
def test_what_no_oauth_endpoint_takes(http, way):
    assert http.post(f"{V1}/{way}", content=b"x" * 70_000).status_code == 400  # no form
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    assert http.post(f"{V1}/{way}", content=b"a=" + b"x" * 70_000, headers=form).status_code == 413
    twice = http.post(f"{V1}/{way}", content=b"client_id=a&client_id=b", headers=form)
    assert twice.json()["error_description"] == "The request contained multiple parameters with the same name."
    assert http.get(f"{V1}/{way}").status_code == 405


def test_userinfo_wants_a_token(http):
    reply = http.get(f"{V1}/userinfo", headers={"Authorization": "Bearer x"})
    assert (reply.status_code, reply.json()["error"]) == (401, "invalid_token")
    assert reply.json()["error_description"] == "The access token is invalid."


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(body=st.binary(max_size=300), way=st.sampled_from(sorted(RIGHT)))
def test_no_body_is_a_fault(http, body, way):
    assert 400 <= http.post(f"{AUTHN}{way}", content=body, headers=JSON).status_code < 500


json_value = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=4), inner, max_size=2),
    max_leaves=4,
)
NAMES = ["username", "password", "stateToken", "passCode", "context", "options", "relayState", "factorType", "provider"]


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    way=st.sampled_from(sorted(RIGHT)), odd=st.dictionaries(st.sampled_from([*NAMES, "profile", "token"]), json_value)
)
def test_no_member_is_a_fault(api: Api, way, odd):
    body = json.dumps(RIGHT[way] | odd).encode()
    reply = api.http.post(f"{AUTHN}{way}", content=body, headers=JSON)
    assert 400 <= reply.status_code < 500
    error(reply)
