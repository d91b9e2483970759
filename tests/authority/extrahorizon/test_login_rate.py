"""How fast passwords may be tried: 211 within a second, 212 after each tenth failure, 213 after the fiftieth."""

from __future__ import annotations

import pytest

from host_tools.authority.core.token_endpoint import Credentials
from host_tools.authority.core.user_mfa_records import PasswordTries
from host_tools.authority.tenant import provision
from host_tools.authority.tenant_settings import DEMO_USER, TenantSettings, UserSettings
from host_tools.clock import NS
from tests.authority.conftest import ISSUER

from .extrahorizon_wire import SECOND_NS, refused, refused_at_once

WRONG = 400, 106, "AUTHENTICATION_EXCEPTION"
TOO_SOON = 400, 211, "LOGIN_TIMEOUT_EXCEPTION"
FROZEN = 400, 212, "LOGIN_FREEZE_EXCEPTION"
LOCKED = 400, 213, "TOO_MANY_FAILED_ATTEMPTS_EXCEPTION"


def fail(account, times: int) -> None:
    """So many wrong passwords, each as soon as it is looked at."""
    for _ in range(times):
        account.clock.sleep_ns(SECOND_NS)
        reply = account.sign_in(password="wrong")
        if refused(reply) == FROZEN:
            account.clock.sleep_ns(59 * NS)
            reply = account.sign_in(password="wrong")
        assert refused(reply) == WRONG


@pytest.mark.parametrize("first", ["right", "wrong"])
def test_one_login_a_second(account, clock, first):
    clock.sleep_ns(SECOND_NS)
    status = account.sign_in(**({} if first == "right" else {"password": "wrong"})).status_code
    assert status == (200 if first == "right" else 400)
    clock.sleep_ns(SECOND_NS - 1)
    assert refused(account.sign_in()) == TOO_SOON
    clock.sleep_ns(1)  # what came too soon began no second of its own
    assert account.sign_in().status_code == 200


def test_a_right_password_too_soon_is_not_looked_at_and_counts_nothing(account, clock):
    fail(account, 1)
    for _ in range(20):
        assert refused(account.sign_in()) == TOO_SOON
    clock.sleep_ns(SECOND_NS)
    assert account.sign_in().status_code == 200


@pytest.mark.parametrize("failures", [10, 20, 40])
def test_each_tenth_failure_freezes_for_a_minute(account, clock, failures):
    fail(account, failures)
    clock.sleep_ns(60 * NS - 1)
    assert refused(account.sign_in()) == FROZEN
    clock.sleep_ns(1)
    assert account.sign_in().status_code == 200


@pytest.mark.parametrize("failures", [9, 11, 49])
def test_no_other_does(account, clock, failures):
    fail(account, failures)
    clock.sleep_ns(SECOND_NS)
    assert account.sign_in().status_code == 200


def test_after_fifty_there_is_no_login_any_more_until_the_password_is_set_anew(account, clock, store):
    fail(account, 50)
    for wait_s in (1, 60, 366 * 86_400):
        clock.sleep_ns(wait_s * NS)
        assert refused(account.sign_in()) == LOCKED
    provision(store, ISSUER, TenantSettings(users=(UserSettings(DEMO_USER, password="a new one"),)), only=False)
    assert account.sign_in(password="a new one").status_code == 200


def test_a_right_password_ends_the_count(account, clock):
    for _ in range(8):
        fail(account, 9)
        clock.sleep_ns(SECOND_NS)
        assert account.sign_in().status_code == 200


def test_who_confirms_their_presence_waits_after_a_failure_alone(account, clock):
    """The seed's steps follow the login at once."""
    assert account.confirm_presence().status_code == account.confirm_presence().status_code == 200
    assert refused(account.confirm_presence("wrong")) == (401, 106, "AUTHENTICATION_EXCEPTION")
    assert refused(account.confirm_presence()) == (401, 211, "LOGIN_TIMEOUT_EXCEPTION")
    assert refused(account.sign_in()) == TOO_SOON
    for _ in range(9):
        clock.sleep_ns(SECOND_NS)
        account.confirm_presence("wrong")
    clock.sleep_ns(SECOND_NS)
    assert refused(account.confirm_presence()) == (401, 212, "LOGIN_FREEZE_EXCEPTION")


def test_nobody_learns_by_it_who_has_an_account(account, clock):
    for username in (account.tenant.demo_user, "nobody@stoa.example", "\U0001f4a5" * 1000):
        clock.sleep_ns(SECOND_NS)
        told = [refused(account.sign_in(username=username, password="wrong")) for _ in range(2)]
        assert told == [WRONG, TOO_SOON]


def test_a_name_that_nobody_has_is_forgotten_after_a_day(account, clock, store):
    for name in ("a@stoa.example", "b@stoa.example", account.tenant.demo_user):
        account.sign_in(username=name, password="wrong")
    clock.sleep_ns(86_401 * NS)
    account.sign_in(username="c@stoa.example", password="wrong")
    assert len(store.find(PasswordTries)) == 2


def test_a_name_is_one_name_however_it_is_written(account, clock):
    clock.sleep_ns(SECOND_NS)
    account.sign_in(password="wrong")
    assert refused(account.sign_in(username=f" {account.tenant.demo_user.upper()}")) == TOO_SOON


def test_the_look_at_the_rate_and_the_count_are_one_transaction(account, steps):
    account.clock.sleep_ns(SECOND_NS)
    account.sign_in(password="wrong")
    (number, *others) = {number for number, _, kind in steps if kind == "PasswordTries"}
    assert number and not others
    assert [what for _, what, kind in steps if kind == "PasswordTries"] == ["get", "put"]


def test_of_many_passwords_at_once_the_first_alone_is_looked_at(account, authority, tenant, clock):
    clock.sleep_ns(SECOND_NS)
    told = refused_at_once(
        lambda: authority.user_mfa_grants.password(Credentials(tenant.client_id), tenant.demo_user, "wrong")
    )
    assert told == [*["LoginTooSoon"] * 7, "WrongCredentials"]


def test_whom_it_holds_up_can_be_seen(account):
    assert account.ask("GET", "/users/v1/me").json() == {
        "id": account.user_id,
        "email": account.tenant.demo_user,
        "activation": True,
        "failed_count": 0,
    }
    fail(account, 1)
    told = account.ask("GET", "/users/v1/me").json()
    assert (told["failed_count"], told["last_failed_timestamp"]) == (1, "2026-11-22T00:00:01.000Z")
