"""Recovery codes: good once, each bringing the next, by the grant mfa-recovery-code."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from host_tools.authority.core.mfa_errors import InvalidRecoveryCode, SpentMfaToken
from host_tools.authority.core.records import TokenFamily
from host_tools.authority.core.token_endpoint import Credentials
from host_tools.clock import NS

from .mfa_wire import PHONE, SECRET, code_of, give, refused
from .test_device_grant import at_once

WRONG_RECOVERY_CODE = (403, "invalid_grant", "Invalid recovery_code.")
DEAD = (403, "invalid_grant", "Unknown or invalid refresh token.")
LIMITED = (429, "too_many_attempts")


@pytest.fixture
def recovery_code(app, zeno, clock):
    """Zeno's, who has one-time codes."""
    mfa_token = app.mfa_token(zeno)
    enrolled = app.enrol(mfa_token, "otp")
    assert app.otp(mfa_token, code_of(enrolled["secret"], clock)).status_code == 200
    return enrolled["recovery_codes"][0]


def test_a_recovery_code_is_good_once_and_brings_the_next(app, zeno, recovery_code):
    granted = app.recovery(app.mfa_token(zeno), recovery_code)
    assert granted.status_code == 200
    following = granted.json()["recovery_code"]
    assert re.fullmatch("[A-Z0-9]{24}", following)
    assert following != recovery_code
    mfa_token = app.mfa_token(zeno)
    assert refused(app.recovery(mfa_token, recovery_code)) == WRONG_RECOVERY_CODE
    assert app.recovery(mfa_token, following).status_code == 200


def test_a_recovery_code_is_forgiving_of_case_and_grouping(app, zeno, recovery_code):
    grouped = "-".join(recovery_code[at : at + 4] for at in range(0, 24, 4))
    typed = f" {grouped.lower()} "
    assert app.recovery(app.mfa_token(zeno), typed).status_code == 200


def test_ten_wrong_recovery_codes_stop_even_the_right_one_for_a_while(app, zeno, recovery_code, clock):
    mfa_token = app.mfa_token(zeno)
    for _ in range(10):
        assert refused(app.recovery(mfa_token, "A" * 24)) == WRONG_RECOVERY_CODE
    limited = app.recovery(mfa_token, recovery_code)
    assert refused(limited)[:2] == LIMITED
    assert limited.headers["retry-after"] == "360"
    clock.sleep_ns(360 * NS)
    assert app.recovery(mfa_token, recovery_code).status_code == 200


def test_who_has_no_recovery_code_has_none_that_is_right(app, demo):
    mfa_token = app.mfa_token(demo)
    for odd in ("A" * 24, "-", "\x00", "💥", "a" * 50_000):
        assert refused(app.recovery(mfa_token, odd)) == WRONG_RECOVERY_CODE
    assert refused(app.recovery(mfa_token, ""))[2] == "Missing required parameter: recovery_code"


def test_a_recovery_code_that_brought_nothing_is_not_spent(app, zeno, recovery_code, authority, store, clock):
    authority.mfa.mode = "never"
    refresh_token = app.sign_in(zeno).json()["refresh_token"]
    authority.mfa.mode = "rule"
    mfa_token = app.refresh(refresh_token).json()["mfa_token"]
    (family,) = store.find(TokenFamily, user_id=zeno.user_id, amr="pwd")
    store.put(replace(family, revoked_at=clock.now_ns()))
    assert refused(app.recovery(mfa_token, recovery_code)) == DEAD
    assert app.recovery(app.mfa_token(zeno), recovery_code).status_code == 200


def test_recovery_codes_are_kept_as_hashes(app, zeno, recovery_code, store):
    following = app.recovery(app.mfa_token(zeno), recovery_code).json()["recovery_code"]
    assert recovery_code.encode() not in store.image()
    assert following.encode() not in store.image()


def test_a_recovery_code_stands_in_for_all_that_was_lost(app, zeno, recovery_code, authority):
    give(authority, zeno, "sms", PHONE)
    authority.mfa.factors = 2
    granted = app.recovery(app.mfa_token(zeno), recovery_code)
    assert granted.status_code == 200
    assert len(granted.json()["recovery_code"]) == 24


def test_many_uses_of_one_recovery_code_at_once_bring_one_that_follows(app, zeno, recovery_code, authority):
    mfa_token = app.mfa_token(zeno)
    client = Credentials("app", SECRET)
    granted, refusals = at_once(lambda: authority.mfa_grants.recovery_code(client, mfa_token, recovery_code))
    assert len(granted) == 1
    assert {type(error) for error in refusals} <= {SpentMfaToken, InvalidRecoveryCode}
    assert app.recovery(app.mfa_token(zeno), granted[0].recovery_code).status_code == 200
