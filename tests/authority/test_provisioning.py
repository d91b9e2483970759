"""A tenant's settings over a store that has users and clients already: what is kept, what is new, what is gone."""

from __future__ import annotations

import json
from dataclasses import astuple, replace

import pyotp
import pytest

from host_tools.authority.core.authority import Authority
from host_tools.authority.core.errors import InvalidClient, OAuthError, WrongOneTimeCode, WrongPassword
from host_tools.authority.core.records import (
    Authenticator,
    Client,
    DeviceGrant,
    LoginSession,
    RefreshToken,
    TokenFamily,
    User,
)
from host_tools.authority.core.token_endpoint import Credentials
from host_tools.authority.tenant import ListedTenant, demo_tenant, provision
from host_tools.authority.tenant_settings import AuthenticatorSettings, ClientSettings, TenantSettings, UserSettings
from host_tools.clock import NS

from .conftest import ISSUER

SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
OTP = AuthenticatorSettings("otp")
ANNA = UserSettings("anna@stoa.example", "hers", authenticators=(OTP,))
BEN = UserSettings("ben@stoa.example")
HALL = ClientSettings(name="Hall", client_id="hall", grants=("device_code", "refresh_token", "password"))
KITCHEN = ClientSettings(name="Kitchen")


@pytest.fixture
def started(store):
    """Start with these users and clients, as the file has them."""

    def start(users=(ANNA, BEN), clients=(HALL, KITCHEN), only: bool = True) -> ListedTenant:
        return provision(store, ISSUER, TenantSettings(users=users, clients=clients), only)

    return start


def signed_in(authority: Authority, client_id: str = "hall", username: str = "anna@stoa.example") -> str:
    """A refresh token of this user for this client."""
    password = {"anna@stoa.example": "hers"}[username]
    tokens = authority.password_grant.exchange(Credentials(client_id), username, password, None, None, "127.0.0.1")
    assert tokens.refresh_token is not None
    return tokens.refresh_token


def test_who_is_there_again_is_the_same(store, started):
    first = started()
    before = store.find(User), store.find(Authenticator), store.find(Client)
    again = started()
    assert [user.user_id for user in store.find(User)] == [user.user_id for user in before[0]]
    assert store.find(Authenticator) == before[1]
    assert store.find(Client) == before[2]
    assert again.clients == first.clients
    assert again.clients[0].client_id == "hall"
    assert again.clients[1].client_id not in ("hall", "")


def test_tokens_live_on_and_what_is_changed_holds(authority, store, started, clock):
    started()
    token = signed_in(authority)
    started(clients=(replace(HALL, name="The hall", refresh_idle_s=60), KITCHEN))
    assert store.get(Client, "hall").name == "The hall"
    clock.sleep_ns(59 * NS)
    token = authority.tokens.refresh(Credentials("hall"), token, None).refresh_token
    clock.sleep_ns(60 * NS)
    with pytest.raises(OAuthError, match="invalid_grant"):
        authority.tokens.refresh(Credentials("hall"), token, None)


def test_a_client_that_is_named_by_its_name_alone_keeps_its_id_when_it_moves_in_the_file(started):
    first = started(clients=(HALL, KITCHEN))
    again = started(clients=(KITCHEN, ClientSettings(name="New"), HALL))
    assert again.clients[0].client_id == first.clients[1].client_id
    assert len({client.client_id for client in again.clients}) == 3


def test_an_id_that_the_file_gives_to_another_client_is_not_taken_for_its_name(started, store):
    kitchen = started(clients=(KITCHEN,)).clients[0].client_id
    again = started(clients=(ClientSettings(name="Other", client_id=kitchen), KITCHEN))
    assert again.clients[1].client_id != kitchen
    assert {client.client_id: client.name for client in store.find(Client)} == {
        kitchen: "Other",
        again.clients[1].client_id: "Kitchen",
    }


def test_a_user_who_is_gone_takes_all_along(authority, store, started):
    started()
    token = signed_in(authority)
    begun = authority.tokens.authorize_device(Credentials("hall"), None, None)
    _, session = authority.sessions.begin()
    _, session = authority.sessions.sign_in(session, store.find(User, username="anna@stoa.example")[0])
    code = authority.user_codes.normalised(begun.user_code)
    session = authority.sessions.enter_code(session, begun.user_code, "127.0.0.1")
    authority.device_grants.answer(code, session, allow=True)
    started(users=(BEN,))
    assert [user.username for user in store.find(User)] == ["ben@stoa.example"]
    for kind in (Authenticator, TokenFamily, RefreshToken, DeviceGrant):
        assert store.find(kind) == [], kind
    assert store.find(LoginSession, user_id=session.user_id) == []
    with pytest.raises(OAuthError, match="invalid_grant"):
        authority.tokens.refresh(Credentials("hall"), token, None)
    with pytest.raises(OAuthError, match="invalid_grant"):
        authority.tokens.redeem_device_code(Credentials("hall"), begun.device_code)


def test_a_client_that_is_gone_takes_its_tokens_along_and_no_others(authority, store, started):
    other = replace(HALL, client_id="other")
    started(clients=(HALL, other))
    gone, kept = signed_in(authority, "hall"), signed_in(authority, "other")
    authority.tokens.authorize_device(Credentials("hall"), None, None)
    started(clients=(other,))
    with pytest.raises(InvalidClient):
        authority.tokens.refresh(Credentials("hall"), gone, None)
    assert store.find(DeviceGrant) == []
    assert [family.client_id for family in store.find(TokenFamily)] == ["other"]
    assert len(store.find(RefreshToken)) == 1
    assert authority.tokens.refresh(Credentials("other"), kept, None).access_token


def test_without_a_file_nothing_is_removed(authority, store, started):
    started()
    token = signed_in(authority)
    tenant = demo_tenant(store, ISSUER)
    assert {user.username for user in store.find(User)} == {"anna@stoa.example", "ben@stoa.example", tenant.demo_user}
    assert {client.name for client in store.find(Client)} == {"Hall", "Kitchen", "Stoa display"}
    assert authority.tokens.refresh(Credentials("hall"), token, None).access_token


def test_a_password_of_the_file_holds_and_one_it_leaves_open_is_new_each_time(authority, started):
    first, again = started(), started()
    assert first.users[0].password == again.users[0].password == ""
    assert authority.users.check_password("Anna@Stoa.Example ", "hers", "").username == "anna@stoa.example"
    assert len({first.users[1].password, again.users[1].password, ""}) == 3
    assert authority.users.check_password("ben@stoa.example", again.users[1].password, "")
    with pytest.raises(WrongPassword):
        authority.users.check_password("ben@stoa.example", first.users[1].password, "")


def test_a_secret_that_was_made_is_kept_and_a_code_that_was_spent_stays_spent(authority, store, started, clock):
    secret = started().users[0].authenticators[0].totp_secret
    user_id = store.find(User, username="anna@stoa.example")[0].user_id
    code = pyotp.TOTP(secret).at(clock.now_ns() // NS)
    authority.authenticators.check_one_time_code(user_id, code)
    assert started().users[0].authenticators[0].totp_secret == secret
    with pytest.raises(WrongOneTimeCode):
        authority.authenticators.check_one_time_code(user_id, code)


def test_another_secret_takes_the_place_of_the_one_before(authority, store, started, clock):
    before = started()
    user_id = store.find(User, username="anna@stoa.example")[0].user_id
    spent = pyotp.TOTP(before.users[0].authenticators[0].totp_secret).at(clock.now_ns() // NS)
    authority.authenticators.check_one_time_code(user_id, spent)
    after = started(users=(replace(ANNA, authenticators=(AuthenticatorSettings("otp", "", SECRET),)),))
    assert after.users[0].authenticators[0].totp_secret == ""
    (held,) = store.find(Authenticator)
    assert (held.secret, held.last_totp_step) == (SECRET, 0)
    assert before.users[0].authenticators[0].totp_secret not in (SECRET, "")
    code = pyotp.TOTP(SECRET).at(clock.now_ns() // NS)
    assert authority.authenticators.check_one_time_code(held.user_id, code).secret == SECRET


def test_a_user_has_exactly_the_authenticators_that_are_listed(authority, store, started):
    phone = AuthenticatorSettings("push", "Phone")
    text = AuthenticatorSettings("sms", "+15550100123")
    mail = AuthenticatorSettings("email", "anna@stoa.example")
    started(users=(replace(ANNA, authenticators=(phone, OTP, text), recovery_code="K6LGLV3RSH3V"),))
    user_id = store.find(User)[0].user_id
    held = authority.authenticators.of(user_id)
    assert [each.factor for each in held] == ["push", "otp", "otp", "sms", "recovery-code"]
    started(users=(replace(ANNA, authenticators=(phone, OTP, text), recovery_code="K6LGLV3RSH3V"),))
    assert authority.authenticators.of(user_id, active=None) == held
    authority.authenticators.enrol(user_id, "sms", "+15550100999")
    started(users=(replace(ANNA, authenticators=(mail, text)),))
    after = authority.authenticators.of(user_id, active=None)
    assert [(each.factor, each.name) for each in after] == [("email", "anna@stoa.example"), ("sms", "+15550100123")]
    assert after[1].authenticator_id == held[3].authenticator_id
    started(users=(replace(ANNA, authenticators=()),))
    assert store.find(Authenticator) == []


def test_without_a_list_what_was_enrolled_stays(authority, store, started):
    started(users=(BEN,))
    user_id = store.find(User)[0].user_id
    enrolled = authority.authenticators.enrol(user_id, "sms", "+15550100999").authenticator
    authority.authenticators.confirm(enrolled)
    before = store.find(Authenticator)
    started(users=(BEN,))
    assert store.find(Authenticator) == before
    assert len(before) == 2  # and its recovery code


def test_a_phone_for_push_shows_one_time_codes_too_and_both_stay(authority, store, started):
    users = (replace(ANNA, authenticators=(AuthenticatorSettings("push", "Phone"),)),)
    (listed,) = started(users=users).users[0].authenticators
    push, code = authority.authenticators.of(store.find(User)[0].user_id)
    assert (push.factor, push.twin_id, push.secret) == ("push", code.authenticator_id, "")
    assert (code.factor, code.twin_id, code.secret) == ("otp", push.authenticator_id, listed.totp_secret)
    started(users=users)
    assert authority.authenticators.of(push.user_id) == [push, code]


def test_a_recovery_code_is_good_again_at_the_next_start(authority, store, started):
    users = (replace(ANNA, recovery_code="K6LGLV3RSH3V"),)
    started(users=users)
    user_id = store.find(User)[0].user_id
    following = authority.authenticators.use_recovery_code(user_id, "k6lg-lv3r-sh3v")
    started(users=users)
    assert authority.authenticators.use_recovery_code(user_id, "K6LGLV3RSH3V") != following
    assert len(authority.authenticators.of(user_id, "recovery-code", active=None)) == 1


def test_what_is_told_of_the_tenant_are_its_first_user_and_its_first_client_for_devices(started):
    app = ClientSettings(client_id="app", grants=("password",), audience="urn:app", default_scopes=("a",))
    provided = started(users=(BEN, ANNA), clients=(app, HALL))
    tenant = provided.tenant
    assert (tenant.client_id, tenant.audience, tenant.scope) == ("hall", HALL.audience, "read:quotes offline_access")
    assert (tenant.demo_user, tenant.demo_password) == ("ben@stoa.example", provided.users[0].password)
    assert tenant.totp_secret == ""
    assert started(users=(ANNA,), clients=(app,)).tenant.client_id == "app"
    assert started(users=(ANNA,)).tenant.totp_secret == started(users=(ANNA,)).users[0].authenticators[0].totp_secret


def test_all_are_listed_and_of_secrets_those_alone_that_were_made(started):
    code = AuthenticatorSettings("otp", "", SECRET)
    users = (UserSettings("anna@stoa.example", "hers", "K6LGLV3RSH3V", (code, AuthenticatorSettings("push", "P"))), BEN)
    provided = started(users=users, clients=(replace(HALL, secret="0123456789abcdef"),))
    listed = provided.listed()
    made = provided.users[0].authenticators[1].totp_secret
    assert listed == {
        "users": [
            {
                "username": "anna@stoa.example",
                "authenticators": [{"factor": "otp"}, {"factor": "push", "name": "P", "totp_secret": made}],
            },
            {"username": "ben@stoa.example", "password": provided.users[1].password},
        ],
        "clients": [
            {
                "client_id": "hall",
                "name": "Hall",
                "grants": HALL.grants,
                "scopes": HALL.scopes,
                "default_scopes": HALL.default_scopes,
                "audience": HALL.audience,
            }
        ],
    }
    told = json.dumps(listed) + str(astuple(provided.tenant))
    for secret in ("hers", "K6LGLV3RSH3V", SECRET, "0123456789abcdef"):
        assert secret not in told
