"""Every endpoint and every wrong input: the vendor's own body with its number and status, and never a 500."""

from __future__ import annotations

import json

import pytest

from host_tools.authority.core import errors
from host_tools.authority.dialects.extrahorizon_body import LONGEST_TEXT, MOST_WORDS
from host_tools.authority.dialects.extrahorizon_refusals import REFUSALS, code_of, refusal, token_refusal
from host_tools.authority.parameters import LARGEST_BODY

from .extrahorizon_wire import PRESENCE, STRANGER, TOKENS, refused

EMPTY = 400, 13, "EMPTY_BODY_EXCEPTION"
MISSING = 400, 14, "MISSING_REQUIRED_FIELDS_EXCEPTION"
FIELD = 400, 15, "FIELD_FORMAT_EXCEPTION"
FORMAT = 400, 22, "BODY_FORMAT_EXCEPTION"
ILLEGAL = 400, 26, "ILLEGAL_ARGUMENT_EXCEPTION"
ID = 400, 12, "ID_FORMAT_EXCEPTION"
DENIED = 401, 10, "NO_PERMISSION_EXCEPTION"
NOBODY = 401, 104, "USER_NOT_AUTHENTICATED_EXCEPTION"
UNKNOWN = 401, 117, "ACCESS_TOKEN_UNKNOWN_EXCEPTION"

OWN = "/auth/v2/mfa/users/{user_id}"
METHOD = f"{OWN}/methods/{{method_id}}"
# Each POST with the members it wants, all of them texts.
POSTS: list[tuple[str, dict[str, str]]] = [
    (TOKENS, {"grant_type": "password", "username": "a", "password": "b"}),
    (TOKENS, {"grant_type": "refresh_token", "refresh_token": "a"}),
    (TOKENS, {"grant_type": "mfa", "token": "a", "method_id": "b", "code": "c"}),
    (PRESENCE, {"password": "a"}),
    (f"{OWN}/methods", {"presenceToken": "a", "type": "totp"}),
    (f"{METHOD}/verification/confirm", {"presenceToken": "a", "code": "b"}),
    (f"{METHOD}/remove", {"presenceToken": "a"}),
    (f"{OWN}/enable", {"presenceToken": "a"}),
    (f"{OWN}/disable", {"presenceToken": "a"}),
]
GETS = [OWN, "/users/v1/me"]
PATHS = [*dict.fromkeys(path for path, _ in POSTS)]
MEMBERS = [(path, members, name) for path, members in POSTS for name in members]
PROTECTED = [("POST", path) for path, _ in POSTS if path != TOKENS] + [("GET", path) for path in GETS]


@pytest.fixture
def send(account):
    """A request of the person who is signed in, to a path with the ids filled in."""

    def sent(method: str, path: str, user_id: str | None = None, method_id: str = STRANGER, **request):
        filled = path.format(user_id=user_id or account.user_id, method_id=method_id)
        headers = {"Authorization": f"Bearer {account.access_token}"} if path != TOKENS else {}
        headers |= request.pop("headers", {})
        return account.http.request(method, filled, headers=headers, **request)

    return sent


JSON_TYPE = {"Content-Type": "application/json"}
BODIES = [
    (b"", JSON_TYPE, EMPTY),
    (b"", {}, EMPTY),
    (b" \n", JSON_TYPE, EMPTY),
    (b"{", JSON_TYPE, FORMAT),
    (b"[]", JSON_TYPE, FORMAT),
    (b'"text"', JSON_TYPE, FORMAT),
    (b"null", JSON_TYPE, FORMAT),
    (b"1", JSON_TYPE, FORMAT),
    (b"[" * 100_000 + b"]" * 100_000, JSON_TYPE, (413, 22, "BODY_FORMAT_EXCEPTION")),
    (b"[" * 20_000, JSON_TYPE, FORMAT),
    (b'{"a": 1' + b"0" * 5000 + b"}", JSON_TYPE, FORMAT),  # Python reads no integer of more than 4,300 digits
    (b'{"a": 1, "a": 2}', JSON_TYPE, FORMAT),
    (b'{"a": "\xff"}', JSON_TYPE, FORMAT),
    (b'{"a": "\\ud800"}', JSON_TYPE, FORMAT),
    (b'{"a": "' + b"x" * LARGEST_BODY + b'"}', JSON_TYPE, (413, 22, "BODY_FORMAT_EXCEPTION")),
    (b"{}", {"Content-Type": "text/plain"}, FORMAT),
    (b"{}", {}, FORMAT),
    (b"{}", {"Content-Type": "multipart/form-data; boundary=x"}, FORMAT),
    (b"{}", JSON_TYPE, MISSING),
    (b'{"x": {"y": [null]}}', {"Content-Type": "application/json; charset=utf-8"}, MISSING),
]


@pytest.mark.parametrize(("content", "headers", "expected"), BODIES)
def test_a_body_that_is_none(send, content, headers, expected):
    for path in PATHS:
        assert refused(send("POST", path, content=content, headers=headers)) == expected, path


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (..., MISSING),
        ("", MISSING),
        (None, FIELD),
        (1, FIELD),
        (True, FIELD),
        ([], FIELD),
        (["a"], FIELD),
        ({}, FIELD),
        (1e400, FIELD),
        ("x" * (LONGEST_TEXT + 1), FIELD),
    ],
)
def test_a_member_that_is_wrong_or_not_there(send, value, expected):
    for path, members, name in MEMBERS:
        sent = {**members, name: value}
        if value is ...:
            del sent[name]
        reply = send("POST", path, content=json.dumps(sent), headers=JSON_TYPE)
        assert refused(reply) == expected, (path, name)
        assert f" {name} " in (reply.json().get("message") or reply.json()["description"])
        if path == TOKENS:
            assert reply.json()["error"] == "invalid_request"


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"type": "sms"}, FIELD),
        ({"type": "TOTP"}, FIELD),
        ({"name": 1}, FIELD),
        ({"name": None}, FIELD),
        ({"name": "x" * (LONGEST_TEXT + 1)}, FIELD),
        ({"tags": "selected"}, FIELD),
        ({"tags": None}, FIELD),
        ({"tags": {"a": "b"}}, FIELD),
        ({"tags": [1]}, FIELD),
        ({"tags": [["a"]]}, FIELD),
        ({"tags": ["x" * (LONGEST_TEXT + 1)]}, FIELD),
        ({"tags": ["x"] * (MOST_WORDS + 1)}, FIELD),
    ],
)
def test_what_a_method_may_not_be_called(send, changed, expected):
    members = {"presenceToken": "a", "type": "totp", **changed}
    assert refused(send("POST", f"{OWN}/methods", json=members)) == expected


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"client_id": 1}, FIELD),
        ({"client_id": ["a"]}, FIELD),
        ({"client_id": "x" * (LONGEST_TEXT + 1)}, FIELD),
        ({"client_id": "x", "client_secret": None}, FIELD),
        ({"client_id": "\x00"}, (401, 123, "OAUTH2_CLIENT_ID_EXCEPTION")),
        ({"client_id": "\U0001f4a5"}, (401, 123, "OAUTH2_CLIENT_ID_EXCEPTION")),
        ({}, (400, 126, "OAUTH2_MISSING_CLIENT_CREDENTIALS_EXCEPTION")),
    ],
)
def test_a_client_that_is_none(send, changed, expected):
    for members in (members for path, members in POSTS if path == TOKENS):
        assert refused(send("POST", TOKENS, json=members | changed)) == expected, members


@pytest.mark.parametrize(
    "form", ["", "grant_type=mfa&grant_type=mfa", "&".join(f"{n}=1" for n in range(60)), "grant_type=%ff"]
)
def test_a_form_that_is_wrong(send, form):
    reply = send("POST", TOKENS, content=form, headers={"Content-Type": "application/x-www-form-urlencoded"})
    assert refused(reply) == (MISSING if not form else FORMAT)


def test_only_the_token_endpoint_takes_forms(send):
    for path in PATHS[1:]:
        assert refused(send("POST", path, data={"presenceToken": "a"})) == FORMAT, path


@pytest.mark.parametrize("value", ["", "Bearer", "Bearer  ", "Basic eDp5", "Digest x", "Bearer\tx"])
def test_who_is_nobody(send, value):
    for method, path in PROTECTED:
        assert refused(send(method, path, headers={"Authorization": value})) == NOBODY, path


@pytest.mark.parametrize("token", ["x", "x y", "e30.e30.e30", "\xff", "x" * 10_000, "Fe26.2*x"])
def test_a_token_that_was_never_issued(send, token):
    for method, path in PROTECTED:
        reply = send(method, path, headers={"Authorization": f"Bearer {token}".encode("latin-1")})
        assert refused(reply) == UNKNOWN, path


def test_two_authorization_headers_are_one_too_many(account):
    headers = [("Authorization", f"Bearer {account.access_token}")] * 2
    for method, path in PROTECTED:
        filled = path.format(user_id=account.user_id, method_id=STRANGER)
        assert refused(account.http.request(method, filled, headers=headers)) == ILLEGAL, path


@pytest.mark.parametrize("user_id", ["x", "0" * 23, "0" * 25, "g" * 24, "auth0|" + "0" * 24, "%00", "é" * 24])
def test_an_id_that_is_none(send, user_id):
    for method, path in (each for each in PROTECTED if "{user_id}" in each[1]):
        body = {"json": {"presenceToken": "a", "type": "totp", "code": "b"}} if method == "POST" else {}
        assert refused(send(method, path, user_id=user_id, **body)) == ID, path
        assert refused(send(method, path, user_id=STRANGER, **body)) == DENIED, path


@pytest.mark.parametrize("method_id", ["x", "0" * 23, "g" * 24])
def test_an_id_of_a_method_that_is_none(send, account, method_id):
    body = {"presenceToken": account.confirm_presence().json()["token"], "code": "b"}
    for path in (path for path in PATHS if "{method_id}" in path):
        assert refused(send("POST", path, method_id=method_id, json=body)) == ID, path
        assert refused(send("POST", path, json=body)) == (404, 16, "RESOURCE_UNKNOWN_EXCEPTION"), path


@pytest.mark.parametrize("path", [*PATHS, *GETS, "/auth/v2/health"])
def test_another_method(send, path):
    allowed = "POST" if path in PATHS else "GET"
    for method in {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"} - {allowed}:
        reply = send(method, path)
        assert (reply.status_code, reply.headers["allow"]) == (405, allowed)
        if method != "HEAD":
            assert refused(reply) == (405, 26, "ILLEGAL_ARGUMENT_EXCEPTION")


@pytest.mark.parametrize(
    "path", ["/oauth/token", "/token", "/auth/v2/oauth2/tokens/", "/auth/v2", "/.well-known/jwks.json"]
)
def test_there_is_nothing_else(http, path):
    assert http.get(path).status_code == 404


def test_every_refusal_there_is_has_a_number_and_a_name():
    kinds = [errors.OAuthError]
    for kind in kinds:
        kinds += kind.__subclasses__()
    assert len(kinds) > 40
    for kind in kinds:
        error = kind.__new__(kind)
        vars(error).update(interval_s=5, retry_after_s=60, mfa_token="x", expires_in_ms=1, methods=(), remaining_ms=1)
        for translate in (refusal, token_refusal):
            assert 400 <= translate(error).status_code < 500, kind
        assert code_of(error).name.endswith("_EXCEPTION")


def test_a_number_has_one_name():
    assert len({(each.code, each.name) for each in REFUSALS.values()}) == len({each.code for each in REFUSALS.values()})


def test_whether_it_answers(http):
    for path in ("/auth/v2/health", "/users/v1/health"):
        assert (http.get(path).status_code, http.get(path).content) == (200, b"")
