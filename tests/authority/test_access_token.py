"""Discovery, keys and access tokens, read by a library that is not the one that made them (PyJWT)."""

from __future__ import annotations

import joserfc.jwt
import jwt
import pytest

from host_tools.authority.core.access_tokens import TokenVerifier, signing_key
from host_tools.authority.core.errors import InvalidToken
from host_tools.clock import NS


def test_discovery_names_what_there_is(http):
    found = http.get("/.well-known/openid-configuration").json()
    assert found["issuer"] == "http://127.0.0.1:8080/"  # Auth0's ends in a slash
    assert found["token_endpoint"] == "http://127.0.0.1:8080/oauth/token"
    assert found["device_authorization_endpoint"] == "http://127.0.0.1:8080/oauth/device/code"
    assert "grant_types_supported" not in found  # Auth0 has none
    assert http.get("/.well-known/oauth-authorization-server").json() == found
    for name in ("token_endpoint", "device_authorization_endpoint", "revocation_endpoint"):
        assert http.post(found[name]).json()["error"] == "invalid_request"


def test_an_independent_library_accepts_the_access_token(http, tokens, tenant, clock):
    keys = http.get(http.get("/.well-known/openid-configuration").json()["jwks_uri"]).json()
    header = jwt.get_unverified_header(tokens["access_token"])
    key = jwt.PyJWKSet.from_dict(keys)[header["kid"]]
    # The clock is virtual, so PyJWT is not asked to judge the times; they are compared below.
    options = {"verify_exp": False, "verify_iat": False, "require": ["iss", "exp", "aud", "sub", "iat", "jti"]}
    claims = jwt.decode(tokens["access_token"], key, ["RS256"], options, audience=tenant.audience, issuer=tenant.issuer)
    now = clock.now_ns() // NS
    assert header["typ"] == "at+jwt"
    assert header["alg"] == "RS256"
    assert claims["aud"] == [tenant.audience]
    assert claims["client_id"] == claims["azp"] == tenant.client_id
    assert claims["scope"] == tenant.scope
    assert (claims["iat"], claims["exp"], claims["auth_time"]) == (now, now + 86400, now)
    assert claims["amr"] == ["pwd"]


def test_the_published_keys_are_public(http):
    (key,) = http.get("/.well-known/jwks.json").json()["keys"]
    assert key.keys() == {"kty", "use", "alg", "kid", "n", "e"}


def test_a_refresh_keeps_the_time_and_manner_of_authentication(display, tokens, clock):
    clock.sleep_ns(3600 * NS)
    refreshed = display.refresh(tokens["refresh_token"]).json()
    before = jwt.decode(tokens["access_token"], options={"verify_signature": False})
    after = jwt.decode(refreshed["access_token"], options={"verify_signature": False})
    assert after["iat"] == before["iat"] + 3600
    assert (after["auth_time"], after["amr"]) == (before["auth_time"], before["amr"])
    assert after["jti"] != before["jti"]


@pytest.mark.parametrize("type_", ["JWT", None, "at+jwt+more"])
def test_a_jwt_of_another_kind_opens_nothing(display, tokens, store, clock, type_):
    """RFC 9068 4: an ID token of the same issuer is signed with the same key."""
    key = signing_key(store, clock)
    claims = jwt.decode(tokens["access_token"], options={"verify_signature": False})
    header = {"alg": "RS256", "kid": key.kid} | ({"typ": type_} if type_ else {})
    assert display.quote(joserfc.jwt.encode(header, claims, key)).status_code == 401
    assert display.quote(joserfc.jwt.encode(header | {"typ": "at+jwt"}, claims, key)).status_code == 200


def test_a_token_is_refused_by_another_audience_and_another_issuer(authority, tokens, tenant, clock):
    keys = authority.access_tokens.public_keys()
    TokenVerifier(keys, tenant.issuer, tenant.audience, clock).claims(tokens["access_token"])
    for issuer, audience in ((tenant.issuer, "https://other.example/"), ("http://other/", tenant.audience)):
        with pytest.raises(InvalidToken):
            TokenVerifier(keys, issuer, audience, clock).claims(tokens["access_token"])
