"""The wait after a wrong code: how long it is, that no code is looked at in it, and what ends it."""

from __future__ import annotations

import pytest

from host_tools.authority.core.reattempt_delay import LONGEST_S, delay_s, remaining_ms
from host_tools.authority.core.token_endpoint import Credentials
from host_tools.clock import NS

from .extrahorizon_wire import SECOND_NS, refused, refused_at_once

DELAYED = 400, 134, "MFA_REATTEMPT_DELAY_EXCEPTION"
WRONG = 400, 130, "INVALID_MFA_CODE_EXCEPTION"


@pytest.mark.parametrize(("failures", "seconds"), [(1, 1), (5, 5), (10, 30)])
def test_it_goes_through_the_three_points_of_the_seed(failures, seconds):
    assert delay_s(failures) == seconds


def test_it_grows_and_ends_somewhere():
    delays = [delay_s(failures) for failures in range(60)]
    assert delays[:11] == [0, 1, 1, 2, 3, 5, 7, 10, 14, 21, 30]
    assert delays == sorted(delays)
    assert delays[-1] == delay_s(10**9) == LONGEST_S


@pytest.mark.parametrize(
    ("passed_ns", "left_ms"),
    [(0, 5000), (1, 5000), (1_000_000, 4999), (5 * NS - 1, 1), (5 * NS, 0), (50 * NS, 0)],
)
def test_what_is_left_of_it_is_enough(passed_ns, left_ms):
    assert remaining_ms(5, 100 * NS, 100 * NS + passed_ns) == left_ms


def test_nobody_waits_who_has_not_failed():
    assert remaining_ms(0, None, 10 * NS) == 0


def test_each_wrong_code_is_followed_by_the_wait_of_the_table(guarded, clock):
    mfa_token = guarded.mfa_token()
    for failures, seconds in enumerate((1, 1, 2, 3, 5, 7, 10, 14, 21, 30), start=1):
        assert refused(guarded.mfa(mfa_token, guarded.totp, guarded.wrong_code())) == WRONG
        early = guarded.mfa(mfa_token, guarded.totp, guarded.wrong_code())
        assert refused(early) == DELAYED
        told = early.json()
        assert told["remainingDelay"] == told["exh_error"]["remainingDelay"] == seconds * 1000
        assert guarded.setting()["failedAttempts"] == failures  # asking early is no failure
        clock.sleep_ns(seconds * NS - 1)
        assert refused(guarded.mfa(mfa_token, guarded.totp, guarded.wrong_code())) == DELAYED
        clock.sleep_ns(1)


@pytest.mark.parametrize("kind", ["totp", "recoveryCodes"])
def test_a_right_code_in_the_wait_is_refused_and_not_spent(guarded, clock, kind):
    mfa_token = guarded.mfa_token()
    method = guarded.totp if kind == "totp" else guarded.recovery
    right = guarded.next_code() if kind == "totp" else guarded.recovery["codes"][3]
    assert refused(guarded.mfa(mfa_token, method, guarded.wrong_code())) == WRONG
    for _ in range(3):
        assert refused(guarded.mfa(mfa_token, method, right)) == DELAYED
    clock.sleep_ns(SECOND_NS)
    assert guarded.mfa(mfa_token, method, right).status_code == 200


def test_the_wait_is_the_user_s_whichever_token_and_method_they_come_with(guarded, clock):
    first, second = guarded.mfa_token(), guarded.mfa_token()
    assert refused(guarded.mfa(first, guarded.totp, guarded.wrong_code())) == WRONG
    assert refused(guarded.mfa(second, guarded.recovery, guarded.recovery["codes"][0])) == DELAYED
    assert refused(guarded.mfa(second, {"id": "0" * 24}, "x")) == DELAYED


def test_a_success_ends_the_wait_and_the_count(guarded, clock):
    mfa_token = guarded.mfa_token()
    for _ in range(4):
        assert refused(guarded.mfa(mfa_token, guarded.totp, guarded.wrong_code())) == WRONG
        clock.sleep_ns(3 * NS)
    setting = guarded.setting()
    assert setting["failedAttempts"] == 4 and setting["lastFailedAttemptTimestamp"].startswith("2026-11-22T00:00:")
    assert guarded.mfa(mfa_token, guarded.totp, guarded.next_code()).status_code == 200
    setting = guarded.setting()
    assert setting["failedAttempts"] == 0 and "lastFailedAttemptTimestamp" not in setting
    mfa_token = guarded.mfa_token()
    guarded.mfa(mfa_token, guarded.totp, guarded.wrong_code())
    assert guarded.mfa(mfa_token, guarded.totp, guarded.code()).json()["remainingDelay"] == 1000


def test_the_password_alone_ends_neither(guarded, clock):
    mfa_token = guarded.mfa_token()
    for _ in range(3):
        guarded.mfa(mfa_token, guarded.totp, guarded.wrong_code())
        clock.sleep_ns(2 * NS)
    guarded.mfa_token()
    assert guarded.setting()["failedAttempts"] == 3


def test_what_proves_nothing_about_a_user_delays_nobody(guarded):
    unknown = guarded.mfa("0" * 40, guarded.totp, "000000")
    assert refused(unknown) == (400, 131, "INVALID_MFA_TOKEN_EXCEPTION")
    other = guarded.mfa(guarded.mfa_token(), {"id": "0" * 24}, "000000")
    assert refused(other) == (400, 16, "RESOURCE_UNKNOWN_EXCEPTION")
    assert guarded.setting()["failedAttempts"] == 0


def test_wait_code_and_cost_are_one_transaction(guarded, steps):
    """So that of many codes at once one is looked at: between the look at the wait and the count nobody else looks."""
    mfa_token = guarded.mfa_token()
    steps.clear()
    assert refused(guarded.mfa(mfa_token, guarded.totp, guarded.wrong_code())) == WRONG
    (number, *others) = {number for number, _, kind in steps if kind in ("UserMfa", "MfaTransaction")}
    assert number and not others
    assert [what for _, what, kind in steps if kind == "UserMfa"] == ["get", "put"]


def test_of_many_codes_at_once_the_first_alone_is_looked_at(guarded, authority, tenant):
    mfa_token, wrong = guarded.mfa_token(), guarded.wrong_code()
    told = refused_at_once(
        lambda: authority.user_mfa_grants.mfa(Credentials(tenant.client_id), mfa_token, guarded.totp["id"], wrong)
    )
    assert told == ["InvalidOtp", *["ReattemptDelay"] * 7]
    assert guarded.setting()["failedAttempts"] == 1
