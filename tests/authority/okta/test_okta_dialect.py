"""Okta's device endpoints and discovery, its limits, what scripts may ask: the wire beside the sign-in API."""

from __future__ import annotations

import re
from email.utils import parsedate_to_datetime

import httpx2
import jwt
import pytest

from host_tools.authority import LoseReply, RateLimit, start_authority
from host_tools.authority.dialects.okta import DIALECT
from host_tools.clock import NS, VirtualClock
from tests.authority.authorize.application import ORIGIN, SPA
from tests.authority.conftest import ISSUER, START_NS, quote_of_day

from .okta_wire import AUTHN, V1, OktaDisplay, error

SENTENCES = {
    "authorization_pending": "The device authorization is pending. Please try again later.",
    "slow_down": "Slow down the polling frequency. Please try again later.",
    "expired_token": "The device code has expired.",
    "access_denied": "The resource owner or authorization server denied the request.",
    "invalid_grant": "The device code is invalid or has expired.",
    "mfa_required": "Verify with an additional authenticator to complete the sign-in process.",
}
DISCOVERY = [
    f"{server}/.well-known/{name}"
    for server in ("", "/oauth2/default")
    for name in ("openid-configuration", "oauth-authorization-server")
]


def refused(reply, code: str, status: int = 400) -> bool:
    return (reply.status_code, reply.json()) == (status, {"error": code, "error_description": SENTENCES[code]})


def test_what_a_device_is_given(display, authority):
    authority.device_grants.lifetime_s = DIALECT.device_flow.lifetime_s
    begun = display.ask().json()
    assert re.fullmatch("[B-Z]{8}", begun["user_code"])
    assert re.fullmatch("[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", begun["device_code"])
    assert begun == {
        "device_code": begun["device_code"],
        "user_code": begun["user_code"],
        "verification_uri": f"{ISSUER}activate",
        "verification_uri_complete": f"{ISSUER}activate?user_code={begun['user_code']}",
        "expires_in": 600,
        "interval": 5,
    }


def test_the_code_is_shown_as_the_device_shows_it(browser, display):
    begun = display.ask().json()
    assert f'id="shown-code">{begun["user_code"]}</p>' in browser.see(f"/activate?user_code={begun['user_code']}").text


def test_it_polls_pairs_refreshes_and_revokes(display, browser, http, tenant):
    begun = display.ask(scope=f"{tenant.scope} openid").json()
    assert refused(display.poll(begun["device_code"]), "authorization_pending")
    assert refused(display.poll(begun["device_code"]), "slow_down")
    assert "Connected" in browser.decide(begun["user_code"]).text
    tokens = display.poll(begun["device_code"]).json()
    claims = jwt.decode(tokens["access_token"], options={"verify_signature": False})
    assert (claims["iss"], claims["amr"]) == (ISSUER, ["pwd", "otp", "mfa"])
    assert tokens["id_token"]
    assert refused(display.poll(begun["device_code"]), "invalid_grant")
    rotated = display.refresh(tokens["refresh_token"]).json()
    assert rotated["refresh_token"] != tokens["refresh_token"]
    quote = http.get("/api/quotes/today", headers={"Authorization": f"Bearer {rotated['access_token']}"})
    assert quote.json()["author"]
    sent = {"client_id": tenant.client_id, "token": rotated["refresh_token"], "token_type_hint": "refresh_token"}
    revoked = http.post(f"{V1}/revoke", data=sent)
    assert (revoked.status_code, revoked.content) == (200, b"")
    assert display.refresh(rotated["refresh_token"]).json()["error_description"] == (
        "The refresh token is invalid or expired."
    )


def test_a_code_that_is_refused_and_one_that_expires(display, browser, clock):
    begun, other = display.ask().json(), display.ask().json()
    browser.decide(begun["user_code"], "deny")
    assert refused(display.poll(begun["device_code"]), "access_denied")
    clock.sleep_ns(3600 * NS)
    assert refused(display.poll(other["device_code"]), "expired_token")
    assert refused(display.poll(other["device_code"]), "invalid_grant")


def test_a_challenged_refresh_is_told_so_and_has_no_mfa_token(display, browser, authority):
    tokens = display.paired(browser)
    authority.mfa.mode = "rule"
    assert refused(display.refresh(tokens["refresh_token"]), "mfa_required", 403)
    authority.mfa.mode = "always"
    assert display.refresh(tokens["refresh_token"]).status_code == 200


@pytest.mark.parametrize("path", DISCOVERY)
def test_the_documents_of_both_servers_name_their_own_endpoints_and_one_issuer(http, path):
    told = http.get(path).json()
    assert told["issuer"] == ISSUER
    server = "oauth2/default/v1" if path.startswith("/oauth2/default") else "oauth2/v1"
    for name, way in (
        ("authorization_endpoint", "authorize"),
        ("token_endpoint", "token"),
        ("device_authorization_endpoint", "device/authorize"),
        ("jwks_uri", "keys"),
        ("userinfo_endpoint", "userinfo"),
        ("revocation_endpoint", "revoke"),
        ("introspection_endpoint", "introspect"),
        ("end_session_endpoint", "logout"),
    ):
        assert told[name] == f"{ISSUER}{server}/{way}"
        assert http.get(f"/{server}/{way}").status_code != 404
    assert "mfa_challenge_endpoint" not in told
    assert http.get(f"/{server}/keys").json()["keys"][0]["kty"] == "RSA"


def test_a_code_of_one_server_is_good_at_the_other(http, tenant, browser):
    """In life they are two; here they are one by two names."""
    sent = {"client_id": tenant.client_id, "scope": tenant.scope}
    begun = http.post("/oauth2/v1/device/authorize", data=sent).json()
    browser.decide(begun["user_code"])
    assert OktaDisplay(http, tenant).poll(begun["device_code"]).json()["refresh_token"]


def test_no_other_vendor_s_address_is_there(http):
    for path in ("/oauth/token", "/token", "/mfa/challenge", "/oauth2/token", f"{AUTHN}/", f"{AUTHN}/recovery"):
        assert http.post(path, json={}).status_code == 404


@pytest.mark.parametrize("path", [AUTHN, f"{AUTHN}/factors/ostx/verify", f"{V1}/token", "/api/quotes/today"])
def test_a_rate_limit_is_told_in_okta_s_way(path):
    clock = VirtualClock(START_NS)
    endpoint = {AUTHN: "mfa", f"{V1}/token": "token", "/api/quotes/today": "api"}.get(path, "mfa")
    with start_authority(clock, dialect="okta", quote_of_day=quote_of_day) as running:
        running.control.set_fault(RateLimit(endpoint, wait_s=7))
        reply = httpx2.request("GET" if endpoint == "api" else "POST", f"{running.issuer.rstrip('/')}{path}")
        assert error(reply) == (429, "E0000047")
        assert reply.json()["errorSummary"] == "API call exceeded rate limit due to too many requests."
        limits = {name: value for name, value in reply.headers.items() if "limit" in name}
        assert limits == {
            "x-rate-limit-limit": "600",
            "x-rate-limit-remaining": "0",
            "x-rate-limit-reset": str(START_NS // NS + 7),
        }
        assert parsedate_to_datetime(reply.headers["date"]).timestamp() == START_NS // NS
        running.control.lift_faults()
        running.control.set_fault(LoseReply(endpoint, "before", times=1))
        with pytest.raises(httpx2.RemoteProtocolError):
            httpx2.request("GET" if endpoint == "api" else "POST", f"{running.issuer.rstrip('/')}{path}")


@pytest.mark.parametrize("path", [AUTHN, f"{AUTHN}/factors/ostx/verify", f"{AUTHN}/cancel", f"{V1}/token"])
def test_scripts_of_a_client_s_origin_may_ask_as_its_sdk_does(http, store, path):
    """With credentials: fetch lets no script see a reply that does not allow them."""
    store.put(SPA)
    wanted = "content-type,x-okta-user-agent-extended,x-device-fingerprint"
    asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": wanted}
    before = http.options(path, headers={"Origin": ORIGIN, **asked})
    assert before.status_code == 200
    assert before.headers["access-control-allow-origin"] == ORIGIN
    assert before.headers["access-control-allow-credentials"] == "true"
    reply = http.post(path, json={}, headers={"Origin": ORIGIN})
    assert reply.headers["access-control-allow-origin"] == ORIGIN
    assert "X-Rate-Limit-Reset" in reply.headers["access-control-expose-headers"]
    foreign = http.options(path, headers={"Origin": "https://evil.example", **asked})
    assert (foreign.status_code, foreign.headers.get("access-control-allow-origin")) == (400, None)


@pytest.mark.parametrize(
    ("text", "mask", "lifetime_s"),
    [
        ("", "********", 600),
        ('device_flow.mask = "****-****"', "****-****", 600),
        ("device_flow.lifetime_s = 900", "********", 900),
        ('device_flow.charset = "digits"', "***-***-***", 600),
    ],
)
def test_the_device_flow_of_a_tenant_file_is_okta_s_where_it_says_nothing(tmp_path, text, mask, lifetime_s):
    file = tmp_path / "tenant.toml"
    file.write_text(text)
    with start_authority(VirtualClock(START_NS), dialect="okta", config=file) as running:
        assert running._authority.user_codes.mask == mask
        assert running._authority.device_grants.lifetime_s == lifetime_s


def test_users_are_called_as_okta_calls_them_and_the_policy_of_the_file_holds(tmp_path):
    file = tmp_path / "tenant.toml"
    file.write_text('[sign_on_policy]\nfactor_lifetime = 2\nfactor_lifetime_unit = "HOURS"\n[mfa]\npolicy = "always"\n')
    with start_authority(VirtualClock(START_NS), dialect="okta", config=file) as running:
        tenant = running.tenant
        sent = {"username": tenant.demo_user, "password": tenant.demo_password}
        told = httpx2.post(f"{running.issuer}api/v1/authn", json=sent).json()["_embedded"]
    assert re.fullmatch("00u[A-Za-z0-9]{17}", told["user"]["id"])
    assert told["policy"]["rememberDeviceLifetimeInMinutes"] == 120
    assert (told["policyEvaluation"]["factorLifeTime"], told["policyEvaluation"]["factorLifeTimeUnit"]) == (
        "2",
        "HOURS",
    )
