"""Whose scripts may ask: a client's own origins, at the endpoints that scripts have a use for, without cookies."""

from __future__ import annotations

import pytest

from .application import ORIGIN

EVIL = "https://evil.example"
ASKED = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type,auth0-client"}


def allowed(reply) -> str | None:
    assert "access-control-allow-credentials" not in reply.headers
    return reply.headers.get("access-control-allow-origin")


@pytest.mark.parametrize("path", ["/oauth/token", "/oauth/revoke", "/mfa/challenge"])
def test_a_client_s_own_origin_may_ask(application, path):
    http = application.person.http
    before = http.options(path, headers={"Origin": ORIGIN, **ASKED})
    assert (before.status_code, allowed(before)) == (200, ORIGIN)
    assert "auth0-client" in before.headers["access-control-allow-headers"].lower()
    asked = http.post(path, data={"grant_type": "x", "client_id": "spa"}, headers={"Origin": ORIGIN})
    assert allowed(asked) == ORIGIN and "origin" in asked.headers["vary"].lower()


@pytest.mark.parametrize(
    "origin", [EVIL, "null", ORIGIN + ".evil.example", "http://app.example", ORIGIN + ":8443", "*"]
)
def test_no_other_may(application, origin):
    http = application.person.http
    before = http.options("/oauth/token", headers={"Origin": origin, **ASKED})
    assert (before.status_code, allowed(before)) == (400, None)
    assert allowed(http.post("/oauth/token", data={"grant_type": "x"}, headers={"Origin": origin})) is None


@pytest.mark.parametrize("path", ["/activate", "/sign-in", "/outbox", "/phone", "/control/state", "/"])
def test_no_page_and_no_control_is_for_another_site(application, path):
    assert allowed(application.person.http.get(path, headers={"Origin": ORIGIN})) is None


def test_the_public_documents_may_be_read_by_the_application(application):
    for path in ("/.well-known/openid-configuration", "/.well-known/jwks.json"):
        assert allowed(application.person.http.get(path, headers={"Origin": ORIGIN})) == ORIGIN


@pytest.mark.parametrize("origin", [None, ORIGIN, EVIL])
@pytest.mark.parametrize("path", ["/.well-known/openid-configuration", "/userinfo"])
def test_a_cache_is_told_that_the_origin_counts_even_where_none_came(application, path, origin):
    """A kept reply without the CORS headers would else be given to a script."""
    reply = application.person.http.get(path, headers={"Origin": origin} if origin else {})
    assert reply.headers["vary"] == "Origin"
