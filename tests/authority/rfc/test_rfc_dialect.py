"""The wire of the RFCs alone: 8628 and 6749's statuses, 8414's discovery, 7009's revocation."""

from __future__ import annotations

from dataclasses import replace

import jwt
import pytest
from starlette.testclient import TestClient

from host_tools.authority.core import errors
from host_tools.authority.core.faults import RateLimit
from host_tools.authority.core.records import Client
from host_tools.authority.dialects import rfc
from host_tools.clock import NS
from tests.authority.conftest import DEVICE_CODE_GRANT, ISSUER, Browser

from .rfc_wire import error

DEAD = (400, "invalid_grant")


def test_the_device_endpoint_answers_as_section_3_2_has_it(display):
    reply = display.ask()
    begun = reply.json()
    assert (reply.status_code, reply.headers["cache-control"]) == (200, "no-store")
    assert begun["verification_uri"] == f"{ISSUER}activate"
    assert begun["verification_uri_complete"] == f"{ISSUER}activate?user_code={begun['user_code']}"
    assert (begun["expires_in"], begun["interval"]) == (900, 5)


def test_all_that_a_poll_may_hear_is_a_400(display, browser, clock):
    begun = display.ask().json()
    code = begun["device_code"]
    assert error(display.poll(code)) == (400, "authorization_pending")
    assert error(display.poll(code)) == (400, "slow_down")
    browser.decide(begun["user_code"], "deny")
    assert error(display.poll(code)) == (400, "access_denied")
    clock.sleep_ns(900 * NS)
    assert error(display.poll(code)) == (400, "expired_token")
    assert error(display.poll(code)) == (400, "invalid_grant")
    assert error(display.poll("never-issued")) == (400, "invalid_grant")


def test_an_approved_device_gets_its_tokens_once(display, browser, http):
    begun = display.ask().json()
    browser.decide(begun["user_code"])
    granted = display.poll(begun["device_code"])
    assert (granted.status_code, granted.headers["cache-control"], granted.headers["pragma"]) == (
        200, "no-store", "no-cache"
    )  # fmt: skip
    assert granted.json().keys() == {"access_token", "refresh_token", "scope", "expires_in", "token_type"}
    quote = http.get("/api/quotes/today", headers={"Authorization": f"Bearer {granted.json()['access_token']}"})
    assert quote.status_code == 200
    assert error(display.poll(begun["device_code"])) == (400, "invalid_grant")


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"grant_type": ""}, (400, "invalid_request")),
        ({"grant_type": "implicit"}, (400, "unsupported_grant_type")),
        ({"grant_type": "password"}, (400, "unsupported_grant_type")),
        ({"grant_type": "http://auth0.com/oauth/grant-type/mfa-otp"}, (400, "unsupported_grant_type")),
        ({"grant_type": "refresh_token"}, (400, "invalid_request")),
        ({"grant_type": "refresh_token", "refresh_token": "never-issued"}, DEAD),
        ({"grant_type": "refresh_token", "refresh_token": "x", "client_id": "nobody"}, (401, "invalid_client")),
        ({"grant_type": "refresh_token", "refresh_token": "x", "client_id": ""}, (400, "invalid_request")),
    ],
)
def test_a_wrong_token_request_is_a_400_or_a_401(display, fields, expected):
    assert error(display.token(**fields)) == expected


def test_a_client_that_may_not_use_a_grant_is_told(store, tenant, display):
    store.put(replace(store.get(Client, tenant.client_id), grants="device_code"))
    assert error(display.token("refresh_token", refresh_token="x")) == (400, "unauthorized_client")


def test_an_unknown_client_is_challenged(display):
    reply = display.ask(client_id="nobody")
    assert error(reply) == (401, "invalid_client")
    assert reply.headers["www-authenticate"] == 'Basic realm="token"'


def test_an_unknown_resource_is_an_invalid_target(display):
    assert error(display.ask(resource="https://elsewhere.example/")) == (400, "invalid_target")


def test_a_refresh_rotates_and_reuse_ends_the_family(display, tokens):
    newest = display.refresh(tokens["refresh_token"]).json()["refresh_token"]
    assert error(display.refresh(newest, scope="write:everything")) == (400, "invalid_scope")
    assert error(display.refresh(tokens["refresh_token"])) == DEAD
    assert error(display.refresh(newest)) == DEAD


def test_a_challenged_refresh_needs_interaction_and_is_not_used_up(display, tokens, authority):
    authority.mfa.mode = "rule"
    for _ in range(3):
        reply = display.refresh(tokens["refresh_token"])
        assert error(reply) == (400, "interaction_required")
        assert "Fe26" not in reply.text  # there is nothing here that takes an mfa_token
    authority.mfa.mode = "never"
    assert display.refresh(tokens["refresh_token"]).status_code == 200


def test_nothing_of_auth0_is_served(http):
    for path in (
        "/oauth/token",
        "/oauth/device/code",
        "/mfa/challenge",
        "/mfa/authenticators",
        "/.well-known/jwks.json",
    ):
        assert http.post(path).status_code == 404


def test_the_token_endpoint_takes_forms_alone(http, tenant):
    assert error(http.post("/token", json={"client_id": tenant.client_id})) == (400, "invalid_request")
    assert error(http.post("/token", data={"client_id": "a" * 70_000})) == (413, "invalid_request")
    assert error(http.get("/token")) == (405, "invalid_request")
    twice = "client_id=a&client_id=b&grant_type=refresh_token"
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    assert error(http.post("/token", content=twice, headers=form)) == (400, "invalid_request")


def test_every_refusal_there_is_has_a_status():
    kinds = [errors.OAuthError]
    for kind in kinds:
        kinds += kind.__subclasses__()
    made = {kind: kind.__new__(kind) for kind in kinds}
    told = {kind: rfc.refusal(error).status_code for kind, error in made.items() if kind is not errors.LimitReached}
    assert {kind.__name__ for kind, status in told.items() if status not in (400, 401, 413)} == set()
    assert rfc.refusal(errors.LimitReached(60)).headers["retry-after"] == "60"


def test_a_rate_limit_is_a_429(clock):
    reply = rfc.too_many_requests(RateLimit("token", wait_s=30), 100)
    assert (reply.status_code, reply.headers["retry-after"]) == (429, "30")


@pytest.mark.parametrize("document", ["oauth-authorization-server", "openid-configuration"])
def test_the_discovery_document_names_what_is_there(http, document, tokens, tenant):
    metadata = http.get(f"/.well-known/{document}").json()
    assert metadata["issuer"] == ISSUER
    for name in ("token", "device_authorization", "revocation", "introspection"):
        path = metadata[f"{name}_endpoint"].removeprefix(ISSUER)
        assert error(http.post(f"/{path}", data={})) == (400, "invalid_request")
    keys = http.get(f"/{metadata['jwks_uri'].removeprefix(ISSUER)}").json()
    (key,) = (jwt.PyJWK(each) for each in keys["keys"])
    assert "d" not in keys["keys"][0]
    without_times = {"verify_exp": False, "verify_iat": False}
    claims = jwt.decode(tokens["access_token"], key, ["RS256"], audience=tenant.audience, options=without_times)
    assert claims["iss"] == metadata["issuer"]
    grants = {DEVICE_CODE_GRANT, "refresh_token", "authorization_code", "implicit"}
    assert set(metadata["grant_types_supported"]) == grants
    assert metadata["response_modes_supported"] == ["query", "fragment", "form_post", "web_message"]
    assert metadata["response_types_supported"] == ["code", "token", "id_token", "id_token token"]
    assert metadata["code_challenge_methods_supported"] == ["S256"]
    assert metadata["authorization_endpoint"] == f"{ISSUER}authorize"
    assert http.get(f"/{metadata['userinfo_endpoint'].removeprefix(ISSUER)}").status_code == 401
    assert metadata["token_endpoint_auth_methods_supported"] == ["none", "client_secret_basic", "client_secret_post"]
    assert "none" not in metadata["introspection_endpoint_auth_methods_supported"]
    assert "mfa_challenge_endpoint" not in metadata


def test_revocation_says_nothing_of_an_unknown_token(http, tenant):
    for unknown in ("never-issued", "\x00", "a.b.c"):
        reply = http.post("/revoke", data={"client_id": tenant.client_id, "token": unknown})
        assert (reply.status_code, reply.content) == (200, b"")
    assert error(http.post("/revoke", data={"client_id": "nobody", "token": "x"})) == (401, "invalid_client")
    assert error(http.post("/revoke", data={"client_id": tenant.client_id})) == (400, "invalid_request")


def test_an_access_token_is_no_token_that_can_be_revoked(http, tenant, tokens, clock, store):
    """RFC 7009 2.2.1. One that has expired, or is somebody else's, is as good as unknown (2.2)."""
    store.put(replace(store.get(Client, tenant.client_id), client_id="another"))
    fields = {"client_id": tenant.client_id, "token": tokens["access_token"]}
    for hint in ({}, {"token_type_hint": "access_token"}, {"token_type_hint": "refresh_token"}):
        assert error(http.post("/revoke", data=fields | hint)) == (400, "unsupported_token_type")
    assert error(http.post("/revoke", data=fields | {"client_id": "nobody"})) == (401, "invalid_client")
    assert http.post("/revoke", data=fields | {"client_id": "another"}).status_code == 200, "it is told nothing"
    bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
    assert http.get("/api/quotes/today", headers=bearer).status_code == 200
    foreign = jwt.encode({"iss": "https://elsewhere.example/", "aud": "x", "exp": 2**40}, "k" * 32)
    assert http.post("/revoke", data=fields | {"token": foreign}).status_code == 200
    clock.sleep_ns(tokens["expires_in"] * NS)
    assert http.post("/revoke", data=fields).status_code == 200


def test_a_slash_too_many_is_another_address_and_none_of_ours(http, tokens):
    for path in ("/token/", "/revoke/", "/activate/", "/api/quotes/today/", "//token", "/nothing-here"):
        assert (http.post(path).status_code, "location" in http.post(path).headers) == (404, False), path


def test_a_person_pairs_through_the_same_pages(http, tenant, clock, display, authority):
    authority.mfa.mode = "always"
    begun = display.ask().json()
    with TestClient(http.app, base_url=ISSUER) as client:
        assert "Connected" in Browser(client, tenant, clock).decide(begun["user_code"]).text
    claims = jwt.decode(display.poll(begun["device_code"]).json()["access_token"], options={"verify_signature": False})
    assert claims["amr"] == ["pwd", "otp", "mfa"]
