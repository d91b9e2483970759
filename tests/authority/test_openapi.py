"""The OpenAPI document says what is answered, no more and no less."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import schemathesis
from starlette.routing import Mount
from starlette.testclient import TestClient

from host_tools.authority import openapi, pages
from host_tools.authority.app import create_app
from host_tools.authority.control import Controls
from host_tools.authority.control import routes as control_api
from host_tools.authority.core.authority import Authority
from host_tools.authority.dialects import DIALECT_NAMES, DIALECTS, auth0_refusals, okta_refusals, rfc
from host_tools.authority.tenant import Tenant
from host_tools.clock import NS

from .conforming import Conforming
from .conftest import DEVICE_CODE_GRANT, ISSUER, Browser, Display, quote_of_day
from .mfa_wire import SECRET, add_app, add_person, code_of, demo_person, give, wrong

CONTROL_TOKEN = "the control token"
REFUSALS = {
    "auth0": (auth0_refusals.refusal, auth0_refusals.REPLIES),
    "okta": (okta_refusals.refusal, okta_refusals.OAUTH),
    "rfc": (rfc.refusal, rfc.REPLIES),
}
# The address, how many grants it has, and what is said of a parameter that is missing.
TOKEN_ENDPOINTS = {
    "auth0": ("/oauth/token", 7, "Missing required parameter: {}"),
    "okta": ("/oauth2/default/v1/token", 3, "The required parameter '{}' is missing."),
    "rfc": ("/token", 3, "Missing required parameter: {}"),
    "extrahorizon": ("/auth/v2/oauth2/tokens", 3, "The field {} is required"),
}
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


@pytest.fixture(params=DIALECT_NAMES)
def dialect(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def document(dialect: str) -> dict[str, Any]:
    return described(dialect)


def described(dialect: str) -> dict[str, Any]:
    return openapi.document(ISSUER, openapi.operations(DIALECTS[dialect], controlled=True))


def app_of(dialect: str, authority: Authority) -> Any:
    control = control_api.route(Controls(authority), ISSUER, CONTROL_TOKEN)
    return create_app(authority, quote_of_day, None, control, dialect)


@pytest.fixture
def api(dialect: str, authority: Authority, tenant: Tenant) -> Iterator[TestClient]:
    """All of it, asked by whoever has the control token."""
    headers = {"Authorization": f"Bearer {CONTROL_TOKEN}"}
    with TestClient(app_of(dialect, authority), ISSUER, follow_redirects=False, headers=headers) as client:
        yield client


def test_it_is_told_to_anybody_and_holds_no_secret(api, tenant, document):
    del api.headers["Authorization"]
    reply = api.get("/openapi.json")
    assert (reply.status_code, reply.headers["content-type"]) == (200, "application/json")
    assert reply.json() == document
    secrets = (CONTROL_TOKEN, tenant.client_id, tenant.demo_user, tenant.demo_password, tenant.totp_secret)
    assert [secret for secret in secrets if secret in reply.text] == []


def test_without_a_control_api_none_is_described(http):
    assert [path for path in http.get("/openapi.json").json()["paths"] if path.startswith("/control")] == []


def test_it_is_openapi(document):
    schemathesis.openapi.from_dict(document).validate()
    operations = [each for path in document["paths"].values() for each in path.values()]
    assert len({each["operationId"] for each in operations}) == len(operations)


def test_every_route_for_programs_is_described(api, authority, dialect, document):
    """The pages are for people."""
    for_people = {
        route.path for route in pages.routes(authority, DIALECTS[dialect].logout, DIALECTS[dialect].authorize)
    }
    told = {route.path for route in api.app.routes if not isinstance(route, Mount)} - for_people
    told |= {f"/control{route.path}" for route in control_api.resources(Controls(authority), ISSUER)}
    assert {re.sub(":[a-z]+}", "}", path) for path in told} == set(document["paths"])


def test_every_method_that_is_answered_is_described(api, document):
    answered, told = set(), set()
    for path, operations in document["paths"].items():
        told |= {(method.upper(), path) for method in operations}
        for method in METHODS:
            if api.request(method, re.sub("{[^}]*}", "1", path)).status_code != 405:
                answered.add((method, path))
    assert answered == told


@pytest.mark.parametrize("dialect", [*REFUSALS], indirect=True)
def test_every_refusal_of_a_dialect_is_one_of_some_operation(dialect, document):
    told = set()
    for operations in document["paths"].values():
        for operation in operations.values():
            for status, reply in operation["responses"].items():
                for content in reply.get("content", {}).values():
                    told |= {(int(status), code) for code in codes(content["schema"])}
    statuses = {status for status, _ in REFUSALS[dialect][1].values()}
    assert statuses <= {status for status, _ in told}
    if dialect == "okta":
        assert {(status, code) for code, status, _ in okta_refusals.API.values()} - told == {(405, "E0000022")}
    if dialect == "auth0":
        assert {(status, kind.error) for kind, (status, _) in auth0_refusals.REPLIES.items()} <= told


def codes(schema: dict[str, Any]) -> list[str]:
    properties = schema.get("properties", {})
    of_error = properties.get("error") or properties.get("errorCode", {})
    found = [*of_error.get("enum", []), *([of_error["const"]] if "const" in of_error else [])]
    return found + [code for each in schema.get("anyOf", []) for code in codes(each)]


def test_each_grant_wants_the_parameters_it_is_said_to(api, tenant, dialect, document):
    path, grants, missing = TOKEN_ENDPOINTS[dialect]
    body = document["paths"][path]["post"]["requestBody"]["content"]["application/x-www-form-urlencoded"]["schema"]
    assert len(body["oneOf"]) == grants
    for grant in body["oneOf"]:
        sent = dict.fromkeys(grant["required"], "x") | {"grant_type": grant["title"], "client_id": tenant.client_id}
        assert api.post(path, data=sent).json()["error"] not in ("invalid_request", "unsupported_grant_type")
        for name in grant["required"]:
            without = {each: value for each, value in sent.items() if each != name}
            assert missing.format(name) in api.post(path, data=without).json().values()


CONTROLS = [
    (method, path, schema)
    for path, operations in described("auth0")["paths"].items()
    for method, operation in operations.items()
    if path.startswith("/control") and "requestBody" in operation
    for body in [operation["requestBody"]["content"]["application/json"]["schema"]]
    for schema in body.get("oneOf", [body])
]


@pytest.mark.parametrize("dialect", ["auth0"], indirect=True)
@pytest.mark.parametrize(("method", "path", "schema"), CONTROLS)
def test_each_control_takes_the_members_it_is_said_to(api, tenant, method, path, schema):
    """What it says of a member that is wrong is what the document says of it."""
    path = path.replace("{client_id}", tenant.client_id).replace("{user}", tenant.demo_user)
    right = {name: sample(schema["properties"][name]) for name in schema["required"]}

    def said(**changed: Any) -> str:
        reply = api.request(method.upper(), path, json={**right, **changed})
        assert reply.status_code == 422, reply.text
        return reply.json()["message"]

    known = [name for name in schema["properties"] if name != "kind"]  # which says whose members these are
    assert sorted(re.findall(r"[a-z_]+", said(odd=1).partition("known are")[2])) == sorted(known)
    for name in known:
        member = next(each for each in schema["properties"][name].get("anyOf", [schema["properties"][name]]))
        if name in schema["required"]:
            assert f"{name} " in said(**{name: None})
        if "enum" in member:
            assert said(**{name: "odd"}).endswith(f"must be one of {', '.join(member['enum'])}")
        elif member["type"] == "integer":
            least, most = member["minimum"], member["maximum"]
            assert said(**{name: -1}).endswith(f"must be a whole number from {least} to {most}")
        elif member["type"] == "boolean":
            assert said(**{name: 1}).endswith("must be true or false")
        elif "maxLength" in member:
            assert said(**{name: "x" * (member["maxLength"] + 1)}).endswith(
                f"a text of 1 to {member['maxLength']} characters"
            )


def sample(schema: dict[str, Any]) -> Any:
    """Some value that fits."""
    if "const" in schema:
        return schema["const"]
    return schema["enum"][0] if "enum" in schema else {"integer": 1, "boolean": True, "string": "text"}[schema["type"]]


@pytest.fixture
def conforming(dialect: str, authority: Authority, tenant: Tenant, document: dict[str, Any]) -> Iterator[Conforming]:
    with Conforming(app_of(dialect, authority), ISSUER, document) as client:
        yield client


@pytest.mark.parametrize("dialect", ["auth0"], indirect=True)
def test_auth0s_real_replies_are_as_described(conforming, authority, store, tenant, clock):
    display, browser = Display(conforming, tenant), Browser(TestClient(conforming.app, ISSUER), tenant, clock)
    waiting, denied, begun = (
        display.ask().json(),
        display.ask().json(),
        display.ask(scope=f"{tenant.scope} openid").json(),
    )
    browser.decide(denied["user_code"], "deny")
    browser.decide(begun["user_code"])
    for device_code in (each["device_code"] for each in (waiting, waiting, denied, begun)):
        tokens = display.poll(device_code).json()
    clock.sleep_ns(900 * NS)
    for _ in range(2):
        display.poll(waiting["device_code"])
    display.refresh(display.refresh(tokens["refresh_token"]).json()["refresh_token"], scope="everything")
    display.refresh("never-issued")
    display.ask(client_id="nobody")
    display.ask(audience="https://elsewhere.example/")
    display.poll("x", grant_type="client_credentials")
    conforming.post("/oauth/token", content=b"x" * 70_000, headers={"Content-Type": "application/json"})
    conforming.post("/oauth/revoke", json={"client_id": tenant.client_id, "token": "any"})
    quote = display.quote(tokens["access_token"])
    display.quote(tokens["access_token"], **{"If-None-Match": quote.headers["etag"]})
    display.quote("no token")
    conforming.get("/api/quotes/today")

    authority.mfa.mode, authority.mfa.tell_requirements = "always", True
    app, zeno = add_app(conforming, store, tenant), add_person(store)
    app.sign_in(replace(zeno, password="wrong"))
    mfa_token = app.mfa_token(zeno)
    app.challenge(mfa_token)
    enrolled = app.enrol(mfa_token, "otp")
    app.otp(mfa_token, wrong(code_of(enrolled["secret"], clock)))
    app.otp(mfa_token, code_of(enrolled["secret"], clock))
    app.otp(mfa_token, "spent")
    app.authenticators(mfa_token)
    mfa_token = app.mfa_token(zeno)
    app.challenge(mfa_token)
    app.challenge(mfa_token, "oob")
    app.associate(mfa_token, authenticator_types=["otp"])
    app.authenticators(mfa_token)
    app.recovery(mfa_token, enrolled["recovery_codes"][0])
    pushed = app.mfa_token(demo_person(store, tenant))
    give(authority, demo_person(store, tenant), "push", "Phone")
    oob_code = app.challenged(pushed)
    for _ in range(2):
        app.oob(pushed, oob_code)
    app.authenticators("no token")
    app.remove("no token", "none")
    while app.otp(pushed, "wrong").status_code != 429:
        pass
    assert conforming.answered >= {
        (200, ""),
        (304, ""),
        *((400, code) for code in ("invalid_request", "invalid_scope", "invalid_target", "unsupported_grant_type")),
        *((401, code) for code in ("invalid_client", "invalid_token", "expired_token", "unsupported_challenge_type")),
        *((403, code) for code in ("authorization_pending", "access_denied", "expired_token", "invalid_grant")),
        *((403, code) for code in ("mfa_required", "association_required")),
        (413, "invalid_request"),
        (429, "slow_down"),
        (429, "too_many_attempts"),
    }


@pytest.mark.parametrize("dialect", ["rfc"], indirect=True)
def test_the_rfcs_real_replies_are_as_described(conforming, authority, store, tenant, clock):
    client = {"client_id": tenant.client_id}
    begun = conforming.post("/device_authorization", data=client).json()
    polled = {**client, "grant_type": DEVICE_CODE_GRANT, "device_code": begun["device_code"]}
    for _ in range(2):
        conforming.post("/token", data=polled)
    Browser(TestClient(conforming.app, ISSUER), tenant, clock).decide(begun["user_code"])
    tokens = conforming.post("/token", data=polled).json()
    refresh = {**client, "grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    authority.mfa.mode = "rule"
    conforming.post("/token", data=refresh)
    authority.mfa.mode = "never"
    rotated = conforming.post("/token", data=refresh).json()
    app = add_app(conforming, store, tenant)
    for token in (rotated["access_token"], rotated["refresh_token"], "any"):
        conforming.post("/introspect", data={"client_id": app.client_id, "client_secret": SECRET, "token": token})
    conforming.post("/introspect", data={**client, "token": "any"})
    conforming.post("/revoke", data={**client, "token": rotated["refresh_token"]})
    conforming.post("/token", data=refresh)
    for path in ("/jwks", "/.well-known/oauth-authorization-server", "/.well-known/openid-configuration"):
        conforming.get(path)
    assert conforming.answered == {
        (200, ""),
        *((400, code) for code in ("authorization_pending", "slow_down", "interaction_required", "invalid_grant")),
        (401, "invalid_client"),
    }
