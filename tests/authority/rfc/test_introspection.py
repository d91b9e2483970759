"""RFC 7662: what the rfc dialect tells a resource server of a token."""

from __future__ import annotations

import base64
from dataclasses import replace

import httpx2
import jwt
import pytest

from host_tools.authority.core.records import Client, fingerprint
from host_tools.clock import NS
from tests.authority.conftest import ISSUER

from .rfc_wire import error

SECRET = "a resource server's secret: 100%"
DEAD = (400, "invalid_grant")


@pytest.fixture
def resource_server(store, tenant):
    """A confidential client that may introspect: its id and its secret."""
    display = store.get(Client, tenant.client_id)
    store.put(replace(display, client_id="quotes api", name="Quotes", secret_hash=fingerprint(SECRET), grants=""))
    return "quotes api", SECRET


@pytest.fixture
def introspect(http, resource_server):
    def asked(token: str) -> dict:
        reply = http.post("/introspect", data=credentials(resource_server) | {"token": token})
        assert reply.status_code == 200, reply.text
        assert reply.headers["cache-control"] == "no-store"
        return reply.json()

    return asked


def credentials(client: tuple[str, str]) -> dict[str, str]:
    return {"client_id": client[0], "client_secret": client[1]}


def test_an_access_token_is_introspected(introspect, tokens, tenant, clock):
    told = introspect(tokens["access_token"])
    claims = jwt.decode(tokens["access_token"], options={"verify_signature": False})
    assert told == {
        "active": True,
        "token_type": "Bearer",
        **{name: claims[name] for name in ("iss", "sub", "aud", "client_id", "scope", "exp", "iat", "jti")},
        "auth_time": claims["auth_time"],
        "amr": ["pwd"],
        "sid": claims["sid"],
    }
    assert (told["client_id"], told["aud"], told["exp"] - told["iat"]) == (tenant.client_id, [tenant.audience], 86400)
    clock.sleep_ns(86_400 * NS)
    assert introspect(tokens["access_token"]) == {"active": False}


def test_a_refresh_token_is_introspected_and_not_used(introspect, display, tokens, tenant, store, clock):
    client = store.get(Client, tenant.client_id)
    lifetime = client.refresh_lifetime_s
    told = introspect(tokens["refresh_token"])
    sub = jwt.decode(tokens["access_token"], options={"verify_signature": False})["sub"]
    assert told == {
        "active": True,
        "client_id": tenant.client_id,
        "sub": sub,
        "scope": tokens["scope"],
        "exp": clock.now_ns() // NS + lifetime,
    }
    newest = display.refresh(tokens["refresh_token"]).json()["refresh_token"]
    assert introspect(tokens["refresh_token"]) == {"active": False}  # and that it was looked at is no reuse
    assert introspect(newest)["active"] is True
    store.put(replace(client, refresh_leeway_s=60))
    assert introspect(tokens["refresh_token"])["active"] is True
    clock.sleep_ns(lifetime * NS)
    assert introspect(newest) == {"active": False}


def test_a_refresh_token_that_never_ends_has_no_exp(introspect, display, browser, store, tenant):
    store.put(replace(store.get(Client, tenant.client_id), refresh_lifetime_s=None))
    assert "exp" not in introspect(display.paired(browser)["refresh_token"])


def test_the_exp_of_a_refresh_token_is_the_first_of_its_ends(introspect, display, browser, store, tenant, clock):
    """Its lifetime, its idleness, and for the token before the newest the leeway."""
    client = store.get(Client, tenant.client_id)
    began = clock.now_ns() // NS
    store.put(replace(client, refresh_lifetime_s=100, refresh_idle_s=60, refresh_leeway_s=30))
    first = display.paired(browser)["refresh_token"]
    assert introspect(first)["exp"] == began + 60
    clock.sleep_ns(20 * NS)
    second = display.refresh(first).json()["refresh_token"]
    assert (introspect(first)["exp"], introspect(second)["exp"]) == (began + 50, began + 80)
    clock.sleep_ns(25 * NS)
    third = display.refresh(second).json()["refresh_token"]
    assert (introspect(second)["exp"], introspect(third)["exp"]) == (began + 75, began + 100)
    clock.sleep_ns(55 * NS - 1)
    assert introspect(third)["active"] is True
    clock.sleep_ns(1)
    assert introspect(third) == {"active": False}
    store.put(replace(client, refresh_lifetime_s=None, refresh_leeway_s=30))
    endless = display.paired(browser)["refresh_token"]
    assert "exp" not in introspect(display.refresh(endless).json()["refresh_token"])
    assert introspect(endless)["exp"] == began + 130


def test_of_a_revoked_family_nothing_is_active(introspect, display, tokens, http, tenant):
    newer = display.refresh(tokens["refresh_token"]).json()
    assert introspect(newer["access_token"])["active"] is True
    revoked = http.post("/revoke", data={"client_id": tenant.client_id, "token": newer["refresh_token"]})
    assert (revoked.status_code, revoked.content) == (200, b"")
    for gone in (tokens["access_token"], newer["access_token"], newer["refresh_token"], tokens["refresh_token"]):
        assert introspect(gone) == {"active": False}
    assert error(display.refresh(newer["refresh_token"])) == DEAD


def test_reuse_ends_the_access_tokens_too(introspect, display, tokens):
    newer = display.refresh(tokens["refresh_token"]).json()
    display.refresh(tokens["refresh_token"])
    assert introspect(newer["access_token"]) == {"active": False}


def test_an_access_token_without_a_family_is_active_for_its_time(introspect, display, browser):
    assert introspect(display.paired(browser, scope="read:quotes")["access_token"])["active"] is True


def test_what_is_none_of_ours_is_not_active(introspect, display, browser, tokens):
    id_token = display.paired(browser, scope="openid")["id_token"]
    header, payload, signature = tokens["access_token"].split(".")
    forged = jwt.encode({"iss": ISSUER, "aud": "x", "exp": 2**40}, "k" * 32, headers={"typ": "at+jwt"})
    odd = [id_token, forged, f"{header}.{payload}.", f"{header}..{signature}", "x", "a.b.c", "\x00", "💥", "a" * 50_000]
    assert [introspect(token) for token in odd] == [{"active": False}] * len(odd)


def test_introspection_is_for_who_has_a_secret(http, resource_server, tenant, tokens):
    fields = {"token": tokens["access_token"]}
    assert error(http.post("/introspect", data=fields | {"client_id": tenant.client_id})) == (401, "invalid_client")
    assert error(http.post("/introspect", data=fields)) == (400, "invalid_request")
    wrong = fields | credentials((resource_server[0], "another"))
    assert error(http.post("/introspect", data=wrong)) == (401, "invalid_client")
    without = {"client_id": resource_server[0], **fields}
    assert error(http.post("/introspect", data=without)) == (401, "invalid_client")
    missing = http.post("/introspect", data=credentials(resource_server))
    assert error(missing) == (400, "invalid_request")


def test_the_secret_may_come_by_http_basic(http, resource_server, tokens):
    fields = {"token": tokens["access_token"]}

    def basic(text: str) -> httpx2.Response:
        value = base64.b64encode(text.encode()).decode()
        return http.post("/introspect", data=fields, headers={"Authorization": f"Basic {value}"})

    # RFC 6749 2.3.1: both are form-encoded first.
    assert basic("quotes+api:a+resource+server%27s+secret%3A+100%25").json()["active"] is True
    assert error(basic("quotes+api:another")) == (401, "invalid_client")
    for odd in ("", ":", "quotes+api", ":secret", "\x00"):
        assert error(basic(odd)) == (401, "invalid_client"), odd
    malformed = http.post("/introspect", data=fields, headers={"Authorization": "Basic %%%"})
    assert error(malformed) == (401, "invalid_client")
    both = http.post("/introspect", data=fields | credentials(resource_server), auth=("quotes+api", "x"))
    assert error(both) == (400, "invalid_request")
