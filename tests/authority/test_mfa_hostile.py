"""What nobody honest sends to the MFA API: always a clear 4xx in OAuth's shape."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from host_tools.authority.core import errors, resource_errors, user_mfa_errors
from host_tools.authority.dialects import auth0_refusals

from .mfa_wire import PHONE, SECRET, refused

MALFORMED = "invalid_grant", "Malformed mfa_token"


BEARERS = [
    (None, "invalid_token"),
    ("Bearer", "invalid_token"),
    ("Bearer ", "invalid_token"),
    ("Basic YXBwOng=", "invalid_token"),
    ("Bearer x.y.z", "invalid_token"),
    ("Bearer Fe26.2*never*issued", "invalid_grant"),
    ("bearer Fe26.", "invalid_grant"),
    ("Bearer tök€n".encode(), "invalid_token"),
    (b"Bearer \xff\xfe", "invalid_token"),
    ("Bearer " + "a" * 60_000, "invalid_token"),
]


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/mfa/authenticators"), ("POST", "/mfa/associate"), ("DELETE", "/mfa/authenticators/x")],
)
def test_a_bad_bearer_token_is_a_401(app, method, path):
    body = {"json": {"authenticator_types": ["otp"]}} if method == "POST" else {}
    for authorization, error in BEARERS:
        headers = {} if authorization is None else {"Authorization": authorization}
        reply = app.http.request(method, path, headers=headers, **body)
        assert refused(reply)[:2] == (401, error), authorization
        assert reply.headers["www-authenticate"] == 'Bearer realm="mfa", error="invalid_token"'


def test_two_authorization_headers_are_refused(app, zeno):
    mfa_token = app.mfa_token(zeno)
    headers = [("Authorization", f"Bearer {mfa_token}")] * 2
    assert refused(app.http.get("/mfa/authenticators", headers=headers))[:2] == (400, "invalid_request")


BODIES = [
    {},
    {"authenticator_types": []},
    {"authenticator_types": ["sms"]},
    {"authenticator_types": ["otp", "oob"]},
    {"authenticator_types": "oob otp"},
    {"authenticator_types": [None]},
    {"authenticator_types": None},
    {"authenticator_types": {"otp": True}},
    {"authenticator_types": [["otp"]]},
    {"authenticator_types": 5},
    {"authenticator_types": " "},
    {"authenticator_types": ["oob"]},
    {"authenticator_types": ["oob"], "oob_channels": []},
    {"authenticator_types": ["oob"], "oob_channels": " "},
    {"authenticator_types": ["oob"], "oob_channels": ["pigeon"]},
    {"authenticator_types": ["oob"], "oob_channels": ["voice"], "phone_number": PHONE},
    {"authenticator_types": ["oob"], "oob_channels": ["sms"]},
    {"authenticator_types": ["oob"], "oob_channels": ["sms"], "email": "a@b.example"},
    {"authenticator_types": ["oob"], "oob_channels": ["sms"], "phone_number": "5551234567"},
    {"authenticator_types": ["oob"], "oob_channels": ["sms"], "phone_number": "+12345"},
    {"authenticator_types": ["oob"], "oob_channels": ["sms"], "phone_number": "+1234567890123456"},
    {"authenticator_types": ["oob"], "oob_channels": ["sms"], "phone_number": "+١٢٣٤٥٦٧٨"},
    {"authenticator_types": ["oob"], "oob_channels": ["sms"], "phone_number": "+1555123456\n7"},
    {"authenticator_types": ["oob"], "oob_channels": ["sms"], "phone_number": None},
    {"authenticator_types": ["oob"], "oob_channels": ["email"], "email": "nobody"},
    {"authenticator_types": ["oob"], "oob_channels": ["email"], "email": "@b.example"},
    {"authenticator_types": ["oob"], "oob_channels": ["email"], "email": "a@"},
    {"authenticator_types": ["oob"], "oob_channels": ["email"], "email": "a@b.example\nBcc: c@d.example"},
    {"authenticator_types": ["oob"], "oob_channels": ["email"], "email": "a" * 250 + "@b.example"},
    {"authenticator_types": ["oob"], "oob_channels": ["email"], "email": "a b@c.example"},
    {"authenticator_types": ["oob"], "oob_channels": ["email"], "email": " a@b.example"},
]


def test_an_odd_enrolment_is_a_400_and_leaves_nothing(app, zeno, authority):
    mfa_token = app.mfa_token(zeno)
    for body in BODIES:
        assert refused(app.associate(mfa_token, **body))[:2] == (400, "invalid_request"), body
    assert app.listed(mfa_token) == []
    assert authority.outbox.newest() == []


def test_an_unknown_authenticator_is_not_found(app, demo):
    mfa_token = app.mfa_token(demo)
    for odd in ("sms|dev_unknown", "x", "|dev_", "' OR 1=1 --", "\x00", "💥", "a" * 9999):
        assert refused(app.challenge(mfa_token, authenticator_id=odd))[:2] == (404, "not_found"), odd


@pytest.mark.parametrize("name", ["mfa_token", "challenge_type", "authenticator_id", "client_id"])
def test_an_odd_value_is_a_400(app, demo, name):
    body = {"client_id": "app", "client_secret": SECRET, "mfa_token": app.mfa_token(demo), "challenge_type": "otp"}
    for odd in (None, 5, {"a": "b"}, [None], ["a b"], [["a"]], True):
        assert refused(app.http.post("/mfa/challenge", json=body | {name: odd}))[:2] == (400, "invalid_request"), odd


def test_an_mfa_token_never_given_out_is_malformed(app):
    for odd in ("x", "Fe26.2*never*issued", "' OR 1=1 --", "\x00", "💥", "a" * 50_000):
        assert refused(app.challenge(odd)) == (403, *MALFORMED)
        assert refused(app.otp(odd, "123456")) == (403, *MALFORMED)
        assert refused(app.oob(odd, "x")) == (403, *MALFORMED)
        assert refused(app.recovery(odd, "x")) == (403, *MALFORMED)


@pytest.mark.parametrize("path", ["/mfa/associate", "/mfa/challenge"])
def test_an_odd_json_body_is_a_400(app, path):
    for body in (b"", b"[]", b"null", b"{", b'"x"', b"[" * 50_000, b'{"mfa_token":"\\ud800"}', b"\xff"):
        reply = app.http.post(path, content=body, headers={"Content-Type": "application/json"})
        assert refused(reply)[:2] == (400, "invalid_request"), body[:20]


@pytest.mark.parametrize("path", ["/mfa/associate", "/mfa/challenge"])
def test_a_wrong_content_type_is_a_400(app, path):
    for media_type in ("", "text/plain", "application/xml", "multipart/form-data; boundary=x", ";"):
        reply = app.http.post(path, content=b"{}", headers={"Content-Type": media_type} if media_type else {})
        assert refused(reply)[:2] == (400, "invalid_request"), media_type


@pytest.mark.parametrize("path", ["/mfa/associate", "/mfa/challenge"])
def test_a_huge_body_is_a_413(app, path):
    reply = app.http.post(path, json={"mfa_token": "a" * 70_000})
    assert refused(reply)[:2] == (413, "invalid_request")


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/mfa/authenticators", "GET"),
        ("/mfa/authenticators/x", "DELETE"),
        ("/mfa/associate", "POST"),
        ("/mfa/challenge", "POST"),
    ],
)
def test_a_wrong_method_is_told_the_right_one(app, path, allowed):
    for method in {"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"} - {allowed}:
        reply = app.http.request(method, path)
        assert refused(reply)[:2] == (405, "invalid_request"), method
        assert reply.headers["allow"] == allowed


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(body=st.binary(max_size=300))
@pytest.mark.parametrize("path", ["/mfa/associate", "/mfa/challenge"])
def test_no_body_is_a_fault(app, path, body):
    reply = app.http.post(path, content=body, headers={"Content-Type": "application/json", "Authorization": "Bearer x"})
    assert 400 <= reply.status_code < 500


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=8,
)


NAMES = st.sampled_from(["authenticator_types", "oob_channels", "phone_number", "email", "authenticator_id"])


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(body=st.dictionaries(NAMES, JSON | st.sampled_from([["otp"], ["oob"], ["sms"], "auth0", "email"]), max_size=4))
def test_no_enrolment_is_a_fault(app, zeno, body):
    reply = app.associate(app.mfa_token(zeno), **body)
    assert reply.status_code in (200, 400, 429)


def test_an_odd_id_is_not_found(app, remover):
    odd = ["sms%7Cdev_x", "%00", "%ff%fe", "%F0%9F%92%A5", "..%2f..%2fetc", "' OR 1=1 --", "a" * 5000, "x?y=z", "|dev_"]
    assert {each: app.remove(remover, each).status_code for each in odd} == dict.fromkeys(odd, 404)
    assert len(app.listed(remover)) == 1


def test_every_refusal_there_is_has_a_status_and_a_sentence():
    kinds = [errors.OAuthError]
    for kind in kinds:
        kinds += kind.__subclasses__()
    # What resources refuse is no dialect's; where users switch their own MFA is no dialect but Extra Horizon's.
    elsewhere = {resource_errors.__name__, user_mfa_errors.__name__}
    core = [kind for kind in kinds if kind.error and kind.__module__.startswith("host_tools.authority.core")]
    named = [kind for kind in core if kind.__module__ not in elsewhere]
    assert len(named) > 30
    for kind in named:
        error = kind.__new__(kind)
        vars(error).update(interval_s=5, retry_after_s=60, mfa_token="x", requirements=None)
        reply = auth0_refusals.refusal(error)
        assert 400 <= reply.status_code < 500, kind
        assert b'"error_description":"' in reply.body, kind
