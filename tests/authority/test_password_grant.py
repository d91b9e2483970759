"""The resource owner password grant: what Auth0's MFA API starts from, and how its access tokens are come by."""

from __future__ import annotations

import pytest

from host_tools.authority.core.records import Client, Event
from host_tools.clock import NS

from .mfa_wire import (
    ALL_MFA_SCOPES,
    MFA_AUDIENCE,
    SECRET,
    add_app,
    add_person,
    claims_of,
    code_of,
    demo_person,
    refused,
)

WRONG_PASSWORD = (403, "invalid_grant", "Wrong email or password.")


@pytest.fixture
def app(http, store, tenant):
    return add_app(http, store, tenant)


@pytest.fixture
def zeno(store):
    return add_person(store)


@pytest.fixture
def demo(store, tenant):
    return demo_person(store, tenant)


def test_the_right_password_brings_tokens(app, zeno, tenant, display, clock):
    granted = app.sign_in(zeno)
    assert granted.status_code == 200
    assert granted.headers["cache-control"] == "no-store"
    body = granted.json()
    assert body.keys() == {"access_token", "refresh_token", "scope", "expires_in", "token_type"}
    assert (body["scope"], body["expires_in"], body["token_type"]) == ("read:quotes offline_access", 86400, "Bearer")
    claims = claims_of(body["access_token"])
    assert (claims["sub"], claims["client_id"], claims["aud"]) == (zeno.user_id, "app", [tenant.audience])
    assert (claims["amr"], claims["auth_time"]) == (["pwd"], clock.now_ns() // NS)
    assert display.quote(body["access_token"]).status_code == 200
    assert app.refresh(body["refresh_token"]).status_code == 200


def test_a_name_is_forgiving_of_case_and_space(app, zeno):
    assert app.sign_in(zeno, username=f" {zeno.username.upper()} ").status_code == 200


def test_without_offline_access_there_is_no_refresh_token(app, zeno):
    assert "refresh_token" not in app.sign_in(zeno, "read:quotes").json()


def test_openid_brings_an_id_token_without_amr(app, zeno):
    id_token = app.sign_in(zeno, "openid").json()["id_token"]
    claims = claims_of(id_token)
    assert (claims["sub"], claims["aud"]) == (zeno.user_id, "app")
    assert "amr" not in claims


def test_a_wrong_password_and_an_unknown_person_are_told_alike(app, zeno):
    assert refused(app.sign_in(zeno, password="wrong")) == WRONG_PASSWORD
    assert refused(app.sign_in(zeno, username="nobody@stoa.example")) == WRONG_PASSWORD


def test_ten_wrong_passwords_stop_even_the_right_one_for_a_while(app, zeno, clock):
    for _ in range(10):
        assert refused(app.sign_in(zeno, password="wrong")) == WRONG_PASSWORD
    limited = app.sign_in(zeno)
    assert refused(limited)[:2] == (429, "too_many_attempts")
    assert limited.headers["retry-after"] == "360"
    clock.sleep_ns(360 * NS - 1)
    assert app.sign_in(zeno).headers["retry-after"] == "1"
    clock.sleep_ns(1)
    assert app.sign_in(zeno).status_code == 200


def test_right_passwords_are_not_counted(app, zeno):
    assert {app.sign_in(zeno).status_code for _ in range(12)} == {200}


@pytest.mark.parametrize("missing", ["username", "password"])
def test_what_is_missing_is_named(app, zeno, missing):
    assert refused(app.sign_in(zeno, **{missing: ""})) == (
        400, "invalid_request", f"Missing required parameter: {missing}"
    )  # fmt: skip


def test_another_api_is_refused_before_the_password_is_tried(app, zeno, store):
    assert refused(app.sign_in(zeno, audience="https://elsewhere.example/"))[:2] == (400, "invalid_target")
    assert store.find(Event) == []


def test_a_client_that_may_not_is_told(http, store, tenant, zeno):
    app = add_app(http, store, tenant, grants="refresh_token mfa")
    assert refused(app.sign_in(zeno))[:2] == (403, "unauthorized_client")


@pytest.mark.parametrize("secret", ["another", "", SECRET.upper(), "tök€n"])
def test_a_client_has_to_know_its_secret(app, zeno, secret):
    reply = app.sign_in(zeno, client_secret=secret)
    assert refused(reply)[:2] == (401, "invalid_client")
    assert reply.headers["www-authenticate"] == 'Basic realm="token"'


def test_a_client_may_say_who_it_is_by_http_basic(http, app, zeno):
    fields = {"grant_type": "password", "username": zeno.username, "password": zeno.password}
    assert http.post("/oauth/token", data=fields, auth=("app", SECRET.replace(" ", "+"))).status_code == 200
    assert refused(http.post("/oauth/token", data=fields, auth=("app", "another")))[:2] == (401, "invalid_client")
    both = http.post("/oauth/token", data=fields | {"client_secret": SECRET}, auth=("app", SECRET))
    assert refused(both)[:2] == (400, "invalid_request")
    another = http.post("/oauth/token", data=fields | {"client_id": "another"}, auth=("app", SECRET))
    assert refused(another)[:2] == (400, "invalid_request")


def test_json_is_read_as_auth0_reads_it(http, app, zeno):
    fields = {"client_id": "app", "client_secret": SECRET, "grant_type": "password"}
    known = {"username": zeno.username, "password": zeno.password}
    assert http.post("/oauth/token", json=fields | known).status_code == 200
    for odd in (None, 5, {"a": "b"}, ["zeno"], ["zeno", None], [[]]):
        assert refused(http.post("/oauth/token", json=fields | known | {"username": odd}))[:2] == (
            400, "invalid_request"
        )  # fmt: skip


@pytest.mark.parametrize("odd", ["' OR 1=1 --", "\x00", "💥" * 1000, "a" * 60_000, "%00"])
def test_odd_names_and_passwords_are_only_wrong(app, zeno, odd):
    assert refused(app.sign_in(zeno, username=odd)) == WRONG_PASSWORD
    assert refused(app.sign_in(zeno, password=odd)) == WRONG_PASSWORD


def test_what_was_asked_is_held_until_a_second_factor_is_given(app, demo, authority, tenant, clock):
    authority.mfa.mode = "always"
    challenged = app.sign_in(demo, "openid read:quotes offline_access")
    assert challenged.status_code == 403
    assert challenged.headers["cache-control"] == "no-store"
    body = challenged.json()
    assert body.keys() == {"error", "error_description", "mfa_token"}
    assert (body["error"], body["error_description"]) == ("mfa_required", "Multifactor authentication required")
    granted = app.otp(body["mfa_token"], code_of(tenant.totp_secret, clock)).json()
    assert granted["scope"] == "read:quotes offline_access openid"
    assert claims_of(granted["id_token"])["amr"] == ["pwd", "otp", "mfa"]
    assert claims_of(granted["access_token"])["aud"] == [tenant.audience]
    refreshed = app.refresh(granted["refresh_token"]).json()
    # Auth0: `amr` is in the ID token of the login that had MFA alone.
    assert "amr" not in claims_of(refreshed["id_token"])
    assert claims_of(refreshed["access_token"])["amr"] == ["pwd", "otp", "mfa"]


def test_an_access_token_for_the_mfa_api_lasts_ten_minutes_and_is_good_for_that_api_alone(
    app, zeno, authority, display, clock
):
    authority.mfa.mode = "always"  # and still nobody is challenged who has no second factor
    granted = app.sign_in(zeno, f"{ALL_MFA_SCOPES} read:quotes offline_access openid", audience=MFA_AUDIENCE)
    body = granted.json()
    assert body.keys() == {"access_token", "scope", "expires_in", "token_type"}
    assert (body["scope"], body["expires_in"]) == (ALL_MFA_SCOPES, 600)
    claims = claims_of(body["access_token"])
    assert (claims["aud"], claims["exp"] - claims["iat"]) == ([MFA_AUDIENCE], 600)
    assert display.quote(body["access_token"]).status_code == 401
    clock.sleep_ns(600 * NS - 1)
    assert app.authenticators(body["access_token"]).status_code == 200
    clock.sleep_ns(1)
    assert refused(app.authenticators(body["access_token"]))[:2] == (401, "invalid_token")


def test_the_mfa_api_lifetime_is_not_the_tenants_setting(app, zeno, authority):
    authority.access_tokens.ttl_s = 30
    assert app.sign_in(zeno, ALL_MFA_SCOPES, audience=MFA_AUDIENCE).json()["expires_in"] == 600
    assert app.sign_in(zeno).json()["expires_in"] == 30


def test_who_has_a_second_factor_gives_it_for_the_mfa_api_whatever_the_policy(app, demo, authority, tenant, clock):
    assert authority.mfa.mode == "never"
    mfa_token = app.mfa_token(demo, scope="enroll", audience=MFA_AUDIENCE)
    granted = app.otp(mfa_token, code_of(tenant.totp_secret, clock)).json()
    assert (granted["scope"], granted["expires_in"]) == ("enroll", 600)
    assert claims_of(granted["access_token"])["aud"] == [MFA_AUDIENCE]


def test_email_alone_is_no_factor_that_guards_the_mfa_api(app, zeno, authority):
    authority.authenticators.confirm(
        authority.authenticators.enrol(zeno.user_id, "email", "z@stoa.example").authenticator
    )
    assert app.sign_in(zeno, ALL_MFA_SCOPES, audience=MFA_AUDIENCE).status_code == 200
    authority.authenticators.confirm(authority.authenticators.enrol(zeno.user_id, "sms", "+15551234567").authenticator)
    assert app.sign_in(zeno, ALL_MFA_SCOPES, audience=MFA_AUDIENCE).json()["error"] == "mfa_required"


def test_an_ordinary_access_token_opens_nothing_of_the_mfa_api(app, zeno):
    access_token = app.sign_in(zeno).json()["access_token"]
    assert refused(app.authenticators(access_token))[:2] == (401, "invalid_token")
    assert refused(app.associate(access_token, authenticator_types=["otp"]))[:2] == (401, "invalid_token")


def test_the_display_may_not_ask_for_passwords(http, store, tenant, demo):
    assert "password" not in store.get(Client, tenant.client_id).grants.split()
    fields = {"grant_type": "password", "client_id": tenant.client_id, "username": demo.username, "password": "x"}
    assert refused(http.post("/oauth/token", data=fields))[:2] == (403, "unauthorized_client")
