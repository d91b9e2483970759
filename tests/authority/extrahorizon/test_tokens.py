"""The grants of the token endpoint: password, refresh_token with rotation, mfa."""

from __future__ import annotations

import base64
from dataclasses import replace

import pytest

from host_tools.authority.core.records import Client, fingerprint
from host_tools.authority.core.user_mfa_grants import MFA_TOKEN_LIFETIME_S
from host_tools.clock import NS

from .extrahorizon_wire import SECOND_NS, TOKENS, Account, refused

SECRET = "an application's secret"
BAD_TOKEN = 400, 131, "INVALID_MFA_TOKEN_EXCEPTION"
WRONG_CODE = 400, 130, "INVALID_MFA_CODE_EXCEPTION"
UNKNOWN_REFRESH = 400, 119, "REFRESH_TOKEN_UNKNOWN_EXCEPTION"
UNKNOWN_ACCESS = 401, 117, "ACCESS_TOKEN_UNKNOWN_EXCEPTION"


@pytest.fixture
def confidential(store, tenant):
    made = replace(store.get(Client, tenant.client_id), client_id="confidential", secret_hash=fingerprint(SECRET))
    store.put(made)
    return made


def basic(client_id: str, secret: str) -> dict[str, str]:
    return {"Authorization": f"Basic {base64.b64encode(f'{client_id}:{secret}'.encode()).decode()}"}


def test_what_is_granted(account, http, tenant):
    granted = account.refresh()
    assert granted.headers["cache-control"] == "no-store"
    told = granted.json()
    assert {**told, "access_token": "", "refresh_token": ""} == {
        "access_token": "",
        "refresh_token": "",
        "token_type": "bearer",
        "expires_in": 300,
        "user_id": account.user_id,
        "application_id": told["application_id"],
    }
    assert len(told["application_id"]) == 24
    # The quote API takes it, as it takes any of this authority's.
    bearer = {"Authorization": f"Bearer {told['access_token']}"}
    assert http.get("/api/quotes/today", headers=bearer).status_code == 200


def test_a_form_is_taken_as_its_documentation_shows_one(account, http, tenant, clock):
    clock.sleep_ns(SECOND_NS)
    form = {"grant_type": "password", "client_id": tenant.client_id}
    form |= {"username": tenant.demo_user, "password": tenant.demo_password}
    assert http.post(TOKENS, data=form).status_code == 200


def test_each_refresh_gives_the_next_token_and_an_old_one_ends_them_all(account):
    first, access_token = account.refresh_token, account.access_token
    second = account.refresh(first).json()["refresh_token"]
    third = account.refresh(second).json()
    assert len({first, second, third["refresh_token"]}) == 3
    assert refused(account.refresh(first)) == UNKNOWN_REFRESH
    assert refused(account.refresh(third["refresh_token"])) == UNKNOWN_REFRESH
    # So have the access tokens that came with them.
    for token in (access_token, third["access_token"]):
        account.access_token = token
        assert refused(account.ask("GET", "/users/v1/me")) == UNKNOWN_ACCESS


def test_a_refresh_token_that_is_too_old_says_so(account, store, tenant, clock):
    store.put(replace(store.get(Client, tenant.client_id), refresh_lifetime_s=60))
    clock.sleep_ns(SECOND_NS)
    account.keep(account.sign_in())
    clock.sleep_ns(60 * NS)
    assert refused(account.refresh()) == (400, 120, "REFRESH_TOKEN_EXPIRED_EXCEPTION")


def test_an_access_token_that_is_too_old_says_so(account, clock):
    clock.sleep_ns(300 * NS)
    assert refused(account.ask("GET", "/users/v1/me")) == (401, 118, "ACCESS_TOKEN_EXPIRED_EXCEPTION")
    account.keep(account.refresh())
    assert account.ask("GET", "/users/v1/me").status_code == 200


@pytest.mark.parametrize("how", ["both", "basic", "body"])
def test_a_confidential_application_says_who_it_is(account, http, tenant, clock, confidential, how):
    """The SDK sends its secret in the body and by HTTP Basic, the documentation by Basic alone."""
    clock.sleep_ns(SECOND_NS)
    body = {"grant_type": "password", "username": tenant.demo_user, "password": tenant.demo_password}
    if how != "basic":
        body |= {"client_id": "confidential", "client_secret": SECRET}
    headers = basic("confidential", SECRET) if how != "body" else {}
    assert http.post(TOKENS, json=body, headers=headers).status_code == 200


WRONG_ID = 401, 123, "OAUTH2_CLIENT_ID_EXCEPTION"
WRONG_SECRET = 401, 124, "OAUTH2_CLIENT_SECRET_EXCEPTION"


@pytest.mark.parametrize(
    ("body", "sent", "expected"),
    [
        ({}, None, (400, 126, "OAUTH2_MISSING_CLIENT_CREDENTIALS_EXCEPTION")),
        ({"client_id": ""}, None, (400, 126, "OAUTH2_MISSING_CLIENT_CREDENTIALS_EXCEPTION")),
        ({"client_id": "nobody"}, None, WRONG_ID),
        ({"client_id": "confidential"}, None, WRONG_SECRET),
        ({"client_id": "confidential", "client_secret": "wrong"}, None, WRONG_SECRET),
        ({"client_id": "confidential", "client_secret": "wrong"}, ("confidential", SECRET), WRONG_SECRET),
        ({"client_id": "confidential", "client_secret": SECRET}, ("confidential", "wrong"), WRONG_SECRET),
        ({"client_id": "confidential"}, ("confidential", "wrong"), WRONG_SECRET),
        ({"client_id": "another"}, ("confidential", SECRET), WRONG_ID),
    ],
)
def test_who_does_not_is_told_what_is_wrong(account, http, confidential, body, sent, expected):
    refresh = {"grant_type": "refresh_token", "refresh_token": account.refresh_token}
    reply = http.post(TOKENS, json=refresh | body, headers=basic(*sent) if sent else {})
    assert refused(reply) == expected
    assert reply.json()["error"] == ("invalid_client" if expected[0] == 401 else "invalid_request")


def test_a_grant_that_the_client_may_not_use(account, store, tenant, clock):
    clock.sleep_ns(SECOND_NS)
    store.put(replace(store.get(Client, tenant.client_id), grants="refresh_token"))
    refusal = account.sign_in()
    assert refused(refusal) == (400, 121, "UNSUPPORTED_GRANT_EXCEPTION")
    assert refusal.json()["error"] == "unauthorized_client"


@pytest.mark.parametrize("grant_type", ["authorization_code", "client_credentials", "MFA", "x" * 1024])
def test_a_grant_that_there_is_not(account, grant_type):
    refusal = account.token(grant_type=grant_type, code="x")
    assert refused(refusal) == (400, 121, "UNSUPPORTED_GRANT_EXCEPTION")
    assert refusal.json()["error"] == "unsupported_grant_type"


# MFA.


def test_what_a_challenge_says(guarded, clock):
    clock.sleep_ns(SECOND_NS)
    asked = guarded.sign_in()
    assert refused(asked) == (400, 129, "MFA_REQUIRED_EXCEPTION")
    told = asked.json()
    assert told["error"] == "mfa_required"
    assert told["description"] == "Multifactor authentication is required for this user"
    assert len(told["mfa"]["token"]) == 40 and set(told["mfa"]["token"]) <= set("0123456789abcdef")
    assert told["mfa"]["tokenExpiresIn"] == 900_000
    assert sorted(told["mfa"]["methods"], key=lambda each: each["type"]) == [
        {"id": guarded.recovery["id"], "type": "recoveryCodes", "name": "Recovery Codes", "tags": []},
        {"id": guarded.totp["id"], "type": "totp", "name": "Google Authenticator", "tags": []},
    ]


def test_what_is_not_verified_is_not_offered_and_does_not_do(guarded):
    other = guarded.add("totp").json()
    mfa_token = guarded.mfa_token()
    guarded.clock.sleep_ns(SECOND_NS)
    offered = {each["id"] for each in guarded.sign_in().json()["mfa"]["methods"]}
    assert offered == {guarded.totp["id"], guarded.recovery["id"]}
    guarded.totp = other
    assert refused(guarded.mfa(mfa_token, other, guarded.code())) == (400, 16, "RESOURCE_UNKNOWN_EXCEPTION")


def test_a_wrong_password_hears_nothing_of_mfa(guarded, clock):
    clock.sleep_ns(SECOND_NS)
    assert refused(guarded.sign_in(password="wrong")) == (400, 106, "AUTHENTICATION_EXCEPTION")


def test_a_totp_code_lets_in_and_is_spent(guarded, clock):
    code = guarded.next_code()
    spaced = f"{code[:3]} {code[3:]}"
    granted = guarded.mfa(guarded.mfa_token(), guarded.totp, spaced)
    guarded.keep(granted)
    assert guarded.ask("GET", "/users/v1/me").status_code == 200
    assert guarded.refresh().status_code == 200
    assert refused(guarded.mfa(guarded.mfa_token(), guarded.totp, code)) == WRONG_CODE


def test_each_recovery_code_lets_in_once(guarded, clock):
    first, second, *_ = guarded.recovery["codes"]
    typed = f" {first[:4]}-{first[4:]} ".lower()
    assert guarded.mfa(guarded.mfa_token(), guarded.recovery, typed).status_code == 200
    mfa_token = guarded.mfa_token()
    assert refused(guarded.mfa(mfa_token, guarded.recovery, first)) == WRONG_CODE
    clock.sleep_ns(SECOND_NS)
    assert guarded.mfa(mfa_token, guarded.recovery, second).status_code == 200


def test_with_its_last_code_the_method_is_gone_and_the_other_still_does(guarded, clock):
    for code in guarded.recovery["codes"]:
        assert guarded.mfa(guarded.mfa_token(), guarded.recovery, code).status_code == 200
    assert [each["type"] for each in guarded.setting()["methods"]] == ["totp"]
    assert guarded.mfa(guarded.mfa_token(), guarded.totp, guarded.next_code()).status_code == 200


def test_a_code_of_one_method_is_none_of_the_other(guarded, clock):
    mfa_token = guarded.mfa_token()
    assert refused(guarded.mfa(mfa_token, guarded.recovery, guarded.next_code())) == WRONG_CODE
    clock.sleep_ns(SECOND_NS)
    assert refused(guarded.mfa(mfa_token, guarded.totp, guarded.recovery["codes"][0])) == WRONG_CODE


def test_a_token_is_spent_by_success_and_not_by_failure(guarded, clock):
    mfa_token = guarded.mfa_token()
    assert refused(guarded.mfa(mfa_token, guarded.totp, guarded.wrong_code())) == WRONG_CODE
    clock.sleep_ns(SECOND_NS)
    assert guarded.mfa(mfa_token, guarded.totp, guarded.next_code()).status_code == 200
    assert refused(guarded.mfa(mfa_token, guarded.totp, guarded.next_code())) == BAD_TOKEN


def test_a_token_lives_a_quarter_of_an_hour(guarded, clock):
    mfa_token = guarded.mfa_token()
    clock.sleep_ns(MFA_TOKEN_LIFETIME_S * NS - 1)
    refusal = guarded.mfa(mfa_token, guarded.totp, guarded.wrong_code())
    assert refused(refusal) == WRONG_CODE
    clock.sleep_ns(1)
    assert refused(guarded.mfa(mfa_token, guarded.totp, guarded.code())) == BAD_TOKEN


def test_a_token_is_one_client_s(guarded, http, store, tenant, clock):
    store.put(replace(store.get(Client, tenant.client_id), client_id="another"))
    mfa_token = guarded.mfa_token()
    other = Account(http, replace(tenant, client_id="another"), clock)
    assert refused(other.mfa(mfa_token, guarded.totp, guarded.next_code())) == BAD_TOKEN
    assert guarded.mfa(mfa_token, guarded.totp, guarded.code()).status_code == 200
