"""A user's own second factor: presence, methods and their verification, the switch."""

from __future__ import annotations

import re

import pytest

from host_tools.authority.core.object_ids import object_id
from host_tools.authority.core.presence_tokens import LIFETIME_S
from host_tools.authority.core.records import Authenticator, User
from host_tools.authority.core.user_mfa import MOST_METHODS
from host_tools.authority.core.users import hash_password
from host_tools.clock import NS

from .extrahorizon_wire import SECOND_NS, Account, refused

NO_PRESENCE = 400, 132, "INVALID_PRESENCE_TOKEN_EXCEPTION"
FEW = 400, 133, "NOT_ENOUGH_MFA_METHODS_EXCEPTION"
UNKNOWN = 404, 16, "RESOURCE_UNKNOWN_EXCEPTION"
ILLEGAL = 400, 26, "ILLEGAL_ARGUMENT_EXCEPTION"
WRONG_CODE = 400, 130, "INVALID_MFA_CODE_EXCEPTION"
OBJECT_ID = re.compile("[0-9a-f]{24}")
CHANGES = ["/methods", "/enable", "/disable", "/methods/{totp}/remove", "/methods/{totp}/verification/confirm"]


@pytest.fixture
def present(account):
    account.presence_token = account.confirm_presence().json()["token"]
    return account


def test_the_seeds_steps_in_their_order(account, clock):
    presence = account.confirm_presence().json()
    assert presence.keys() == {"token", "updateTimestamp", "creationTimestamp"}
    assert presence["creationTimestamp"] == "2026-11-22T00:00:00.000Z"
    account.presence_token = presence["token"]

    recovery = account.add("recoveryCodes", name="Recovery Codes").json()
    codes = recovery.pop("codes")
    assert len(codes) == len({*codes}) == 10
    totp = account.add("totp", name="Google Authenticator", tags=["selected", "a tag"]).json()
    account.totp = totp
    assert {**totp, "secret": ""} == {
        "id": totp["id"],
        "type": "totp",
        "name": "Google Authenticator",
        "tags": ["selected", "a tag"],
        "verified": False,
        "updateTimestamp": "2026-11-22T00:00:00.000Z",
        "creationTimestamp": "2026-11-22T00:00:00.000Z",
        "secret": "",
    }
    assert account.setting()["enabled"] is False
    clock.sleep_ns(5 * NS)
    assert account.verify(totp, account.code()).json().keys() == {"description"}
    assert account.change("/enable").json() == {"affectedRecords": 1}

    setting = account.setting()
    verified = {**totp, "verified": True, "updateTimestamp": "2026-11-22T00:00:05.000Z"}
    del verified["secret"]
    assert sorted(setting.pop("methods"), key=lambda each: each["type"]) == [recovery, verified]
    assert setting == {
        "id": account.user_id,
        "enabled": True,
        "failedAttempts": 0,
        "updateTimestamp": "2026-11-22T00:00:05.000Z",
    }
    assert all(OBJECT_ID.fullmatch(each) for each in (account.user_id, totp["id"], recovery["id"]))


def test_no_secret_of_a_method_is_told_a_second_time(guarded, clock):
    mfa_token = guarded.mfa_token()
    assert mfa_token
    listed = guarded.ask("GET", guarded.path()).text + guarded.sign_in().text
    assert [each for each in (guarded.totp["secret"], *guarded.recovery["codes"]) if each in listed] == []


def test_recovery_codes_are_kept_as_hashes(guarded, store):
    kept = "".join(each.secret for each in store.find(Authenticator, factor="recovery-code"))
    assert [code for code in guarded.recovery["codes"] if code in kept] == []


@pytest.mark.parametrize("rest", CHANGES)
@pytest.mark.parametrize("token", ["0" * 40, "a guess", "expired", "another user's"])
def test_nothing_is_changed_without_presence(present, clock, store, authority, rest, token):
    totp = present.add("totp").json()
    if token == "expired":
        clock.sleep_ns(LIFETIME_S * NS)
        present.keep(present.sign_in())  # the access token has ended before
    elif token == "another user's":
        present.presence_token, _ = authority.presence_tokens.issue("auth0|" + "1" * 24)
    else:
        present.presence_token = token
    before = store.image()
    assert refused(present.change(rest.format(totp=totp["id"]), type="totp", code="123456")) == NO_PRESENCE
    assert store.image() == before


def test_a_presence_token_is_good_for_many_changes_until_its_time_is_over(present, clock):
    clock.sleep_ns((LIFETIME_S - 1) * NS)
    present.keep(present.sign_in())
    assert [present.add("totp").status_code for _ in range(3)] == [200] * 3
    clock.sleep_ns(SECOND_NS)
    assert refused(present.add("totp")) == NO_PRESENCE


def test_another_user_is_nobody_s_business(guarded, store, http, tenant, clock):
    store.put(User("auth0|" + "2" * 24, "zeno@stoa.example", hash_password("zeno's password")))
    zeno = Account(http, tenant, clock)
    zeno.keep(zeno.sign_in(username="zeno@stoa.example", password="zeno's password"))
    assert zeno.user_id == "2" * 24
    own = zeno.setting()
    assert (own["methods"], own["enabled"]) == ([], False)
    zeno.presence_token = zeno.confirm_presence("zeno's password").json()["token"]
    # Somebody else's method is unknown at one's own address, and their address is closed.
    assert refused(zeno.remove(guarded.totp)) == UNKNOWN
    zeno.user_id = guarded.user_id
    denied = 401, 10, "NO_PERMISSION_EXCEPTION"
    assert refused(zeno.ask("GET", zeno.path())) == denied
    for rest in CHANGES:
        assert refused(zeno.change(rest.format(totp=guarded.totp["id"]), type="totp", code="1")) == denied


@pytest.mark.parametrize("made", [[], ["recoveryCodes"], ["totp"], ["unverified", "recoveryCodes"]])
def test_it_cannot_be_turned_on_with_less(present, made):
    for kind in made:
        method = present.add(kind.replace("unverified", "totp")).json()
        if kind == "totp":
            present.totp = method
            assert present.verify(method, present.code()).status_code == 200
    assert refused(present.change("/enable")) == FEW
    assert present.setting()["enabled"] is False


def test_a_wrong_code_verifies_nothing(present):
    present.totp = present.add("totp").json()
    for code in (present.wrong_code(), "", "abc", "1" * 1000):
        reply = present.verify(present.totp, code or " ")
        assert refused(reply) == WRONG_CODE
    assert present.setting()["methods"][0]["verified"] is False
    other = present.add("totp").json()
    assert refused(present.verify(other, present.code())) == WRONG_CODE  # the first one's
    assert present.verify(present.totp, present.code()).status_code == 200


def test_what_needs_no_verification_has_none(guarded):
    assert refused(guarded.verify(guarded.totp, guarded.next_code())) == ILLEGAL
    assert refused(guarded.verify(guarded.recovery, guarded.recovery["codes"][0])) == ILLEGAL
    assert refused(guarded.verify({"id": "0" * 24}, "123456")) == UNKNOWN


def test_off_and_on_again(guarded, clock):
    assert guarded.change("/disable").json() == {"affectedRecords": 1}
    clock.sleep_ns(SECOND_NS)
    assert guarded.sign_in().status_code == 200
    assert guarded.change("/enable").status_code == 200
    guarded.mfa_token()


def test_while_it_is_on_what_it_takes_stays(guarded):
    for method in (guarded.totp, guarded.recovery):
        assert refused(guarded.remove(method)) == FEW
    spare = guarded.add("recoveryCodes").json()
    assert guarded.remove(guarded.recovery).json() == {"affectedRecords": 1}
    assert refused(guarded.remove(spare)) == FEW
    assert guarded.remove(guarded.add("totp").json()).status_code == 200  # never verified: nothing hangs on it
    assert guarded.change("/disable").status_code == 200
    assert [guarded.remove(each).status_code for each in (spare, guarded.totp)] == [200, 200]
    assert refused(guarded.remove(guarded.totp)) == UNKNOWN
    assert guarded.setting()["methods"] == []


def test_to_remove_one_leaves_the_others(guarded):
    """Auth0's MFA API lets the recovery code go with the last factor; here each method is its own."""
    guarded.change("/disable")
    guarded.remove(guarded.totp)
    assert [each["id"] for each in guarded.setting()["methods"]] == [guarded.recovery["id"]]


def test_there_is_an_end_to_methods(present):
    assert [present.add("totp").status_code for _ in range(MOST_METHODS)] == [200] * MOST_METHODS
    assert refused(present.add("recoveryCodes")) == ILLEGAL


def test_what_the_control_api_gives_is_a_method(account, authority, clock):
    made = authority.authenticators.enrol(f"auth0|{account.user_id}", "otp")
    authority.authenticators.confirm(made.authenticator)
    account.totp = {"id": object_id(made.authenticator.authenticator_id), "secret": made.authenticator.secret}
    account.presence_token = account.confirm_presence().json()["token"]
    assert account.change("/enable").status_code == 200  # a recovery code came with it
    (recovery,) = (each for each in account.setting()["methods"] if each["type"] == "recoveryCodes")
    assert account.mfa(account.mfa_token(), recovery, made.recovery_code).status_code == 200
    assert [each["type"] for each in account.setting()["methods"]] == ["totp"]  # its only code is spent
    assert account.mfa(account.mfa_token(), account.totp, account.code()).status_code == 200


@pytest.mark.parametrize(
    ("key", "digits"), [("auth0|" + "ab" * 12, "ab" * 12), ("ab" * 12, "ab" * 12), ("a client's name", None)]
)
def test_ids_are_told_in_24_digits(key, digits):
    told = object_id(key)
    assert OBJECT_ID.fullmatch(told) and told == object_id(key)
    assert digits in (None, told)
