"""A refresh that was challenged, and what a second factor makes of it; several factors, one after the other."""

from __future__ import annotations

from dataclasses import replace

import pytest

from host_tools.authority.core.errors import InvalidRefreshToken
from host_tools.authority.core.records import Client, TokenFamily
from host_tools.authority.core.token_endpoint import Credentials
from host_tools.clock import NS

from .mfa_wire import PHONE, App, add_app, claims_of, give, refused, text_of
from .test_device_grant import at_once

SPENT = (403, "expired_token", "mfa_token is invalid")
DEAD = (403, "invalid_grant", "Unknown or invalid refresh token.")


@pytest.fixture
def demo_sms(authority, demo):
    return give(authority, demo, "sms", PHONE)


@pytest.fixture
def challenged(http, display, tokens, tenant, authority):
    """The display as a client of the MFA API, its refresh token, and the mfa_token of a refresh with it."""
    authority.mfa.mode = "rule"
    refresh_token = tokens["refresh_token"]
    return App(http, tenant.client_id, secret=None), refresh_token, display.refresh(refresh_token).json()["mfa_token"]


def test_the_answer_to_a_challenged_refresh_is_a_rotated_token(challenged, code, clock, store, display):
    app, refresh_token, mfa_token = challenged
    clock.sleep_ns(120 * NS)
    granted = app.otp(mfa_token, code()).json()
    assert granted.keys() == {"access_token", "refresh_token", "scope", "expires_in", "token_type"}
    assert granted["refresh_token"] != refresh_token
    now = clock.now_ns()
    claims = claims_of(granted["access_token"])
    assert (claims["amr"], claims["auth_time"]) == (["pwd", "otp", "mfa"], now // NS)
    assert display.quote(granted["access_token"]).status_code == 200
    (family,) = store.find(TokenFamily)
    assert (family.amr, family.auth_time_at, family.used_at, family.generation) == ("pwd otp mfa", now, now, 1)


def test_what_was_given_for_a_refresh_holds_for_later_ones(challenged, code, authority, clock):
    app, _, mfa_token = challenged
    granted = app.otp(mfa_token, code()).json()
    given_at = clock.now_ns() // NS
    authority.mfa.mode = "never"
    clock.sleep_ns(86_400 * NS)
    later = claims_of(app.refresh(granted["refresh_token"]).json()["access_token"])
    assert (later["amr"], later["auth_time"]) == (["pwd", "otp", "mfa"], given_at)


def test_the_challenged_token_is_taken_again_within_the_leeway_alone(challenged, code, authority, store, tenant, clock):
    app, refresh_token, mfa_token = challenged
    store.put(replace(store.get(Client, tenant.client_id), refresh_leeway_s=3))
    newest = app.otp(mfa_token, code()).json()["refresh_token"]
    authority.mfa.mode = "never"
    clock.sleep_ns(3 * NS - 1)
    assert app.refresh(refresh_token).status_code == 200
    clock.sleep_ns(1)
    assert refused(app.refresh(refresh_token)) == DEAD
    assert refused(app.refresh(newest)) == DEAD


def test_a_client_that_keeps_its_token_is_given_no_other(http, store, tenant, authority, demo, code):
    app = add_app(http, store, tenant, refresh_rotates=False)
    refresh_token = app.sign_in(demo).json()["refresh_token"]
    authority.mfa.mode = "rule"
    mfa_token = app.refresh(refresh_token).json()["mfa_token"]
    assert "refresh_token" not in app.otp(mfa_token, code()).json()
    assert app.refresh(refresh_token).json()["error"] == "mfa_required"


def test_a_challenged_refresh_for_less_brings_less(challenged, code):
    app, refresh_token, _ = challenged
    mfa_token = app.refresh(refresh_token, scope="offline_access").json()["mfa_token"]
    assert app.otp(mfa_token, code()).json()["scope"] == "offline_access"


@pytest.mark.parametrize("meanwhile", ["revoked", "used", "expired", "forgotten"])
def test_a_refresh_token_that_died_while_it_was_held_brings_nothing(
    challenged, code, authority, store, tenant, clock, meanwhile
):
    app, refresh_token, mfa_token = challenged
    (family,) = store.find(TokenFamily)
    newest = None
    if meanwhile == "used":
        authority.mfa.mode = "never"
        newest = app.refresh(refresh_token).json()["refresh_token"]
    else:
        authority.refresh_tokens.end({"revoked": "revoke", "expired": "expire", "forgotten": "delete"}[meanwhile])
    assert refused(app.otp(mfa_token, code())) == DEAD
    if newest is not None:
        # It was not presented again: this is no reuse, and the family lives.
        assert store.get(TokenFamily, family.family_id).revoked_at is None
        assert app.refresh(newest).status_code == 200


def test_a_refresh_token_that_was_used_within_the_leeway_brings_a_sibling(
    challenged, code, authority, store, tenant, clock
):
    app, refresh_token, mfa_token = challenged
    store.put(replace(store.get(Client, tenant.client_id), refresh_leeway_s=60))
    authority.mfa.mode = "never"
    other = app.refresh(refresh_token).json()["refresh_token"]
    sibling = app.otp(mfa_token, code()).json()["refresh_token"]
    assert sibling != other
    assert app.refresh(sibling).status_code == 200


def test_a_refresh_may_be_challenged_many_times_and_answered_once(challenged, code, clock):
    app, refresh_token, first = challenged
    second = app.refresh(refresh_token).json()["mfa_token"]
    assert app.otp(second, code()).status_code == 200
    clock.sleep_ns(30 * NS)
    assert refused(app.otp(first, code())) == DEAD


def test_a_refusal_leaves_the_refresh_token_as_it_was(challenged, authority, clock):
    app, refresh_token, mfa_token = challenged
    for refusal in (app.otp(mfa_token, "x"), app.oob(mfa_token, "x"), app.recovery(mfa_token, "x")):
        assert refused(refusal)[1] == "invalid_grant"
    clock.sleep_ns(600 * NS)
    assert refused(app.otp(mfa_token, "x"))[1] == "expired_token"
    authority.mfa.mode = "never"
    assert app.refresh(refresh_token).status_code == 200


def test_a_chain_of_a_refresh_ends_with_one_rotation(challenged, demo_sms, authority, code, store):
    app, refresh_token, _ = challenged
    authority.mfa.factors = 2
    mfa_token = app.refresh(refresh_token).json()["mfa_token"]
    second = app.otp(mfa_token, code()).json()["mfa_token"]
    assert store.find(TokenFamily)[0].generation == 0
    granted = app.oob(second, app.challenged(second), binding_code=text_of(authority)).json()
    assert granted["refresh_token"] != refresh_token
    assert store.find(TokenFamily)[0].generation == 1


def test_with_two_factors_the_first_is_answered_with_mfa_required_again(app, demo, authority, code, clock):
    give(authority, demo, "sms", PHONE)
    authority.mfa.factors = 2
    first = app.mfa_token(demo)
    clock.sleep_ns(300 * NS)
    chained = app.otp(first, code())
    assert chained.status_code == 403
    assert chained.json().keys() == {"error", "error_description", "mfa_token"}
    assert chained.json()["error"] == "mfa_required"
    second = chained.json()["mfa_token"]
    assert second != first
    assert refused(app.otp(first, code(30))) == SPENT
    clock.sleep_ns(599 * NS)  # it has ten minutes of its own
    assert refused(app.challenge(second, "otp"))[1] == "unsupported_challenge_type"
    granted = app.oob(second, app.challenged(second), binding_code=text_of(authority))
    assert granted.status_code == 200
    assert claims_of(granted.json()["access_token"])["amr"] == ["pwd", "otp", "mfa", "sms"]


def test_the_same_factor_twice_is_not_two(app, demo, authority, code, clock):
    give(authority, demo, "sms", PHONE)
    authority.mfa.factors = 2
    second = app.otp(app.mfa_token(demo), code()).json()["mfa_token"]
    clock.sleep_ns(30 * NS)
    assert refused(app.otp(second, code()))[:2] == (401, "unsupported_challenge_type")
    assert app.oob(second, app.challenged(second), binding_code=text_of(authority)).status_code == 200


def test_who_has_one_factor_is_not_locked_out_for_it(app, demo, authority, code):
    authority.mfa.factors = 3
    assert app.otp(app.mfa_token(demo), code()).status_code == 200


def test_the_requirements_are_told_in_early_access_alone(app, demo, demo_sms, zeno, authority, code):
    authority.mfa.tell_requirements = True
    authority.mfa.factors = 2
    give(authority, demo, "push", "Phone")
    give(authority, demo, "email", demo.username)
    told = app.sign_in(demo).json()
    assert told.keys() == {"error", "error_description", "mfa_token", "mfa_requirements"}
    (kind,) = told["mfa_requirements"]
    types = [each["type"] for each in told["mfa_requirements"][kind]]
    assert (kind, sorted(types)) == ("challenge", ["email", "otp", "phone", "push-notification", "recovery-code"])
    chained = app.otp(told["mfa_token"], code()).json()["mfa_requirements"]
    assert {"type": "otp"} not in chained["challenge"]
    assert {"type": "phone"} in chained["challenge"]
    assert app.sign_in(zeno).json()["mfa_requirements"] == {
        "enroll": [{"type": "otp"}, {"type": "phone"}, {"type": "email"}, {"type": "push-notification"}]
    }


def test_what_is_not_confirmed_is_no_requirement_that_is_met(app, zeno, authority):
    authority.mfa.tell_requirements = True
    app.enrol(app.mfa_token(zeno), "otp")
    assert list(app.sign_in(zeno).json()["mfa_requirements"]) == ["enroll"]


def test_many_answers_to_one_refresh_at_once_rotate_it_once(challenged, demo_sms, authority, store, tenant):
    app, refresh_token, _ = challenged
    mfa_tokens = [app.refresh(refresh_token).json()["mfa_token"] for _ in range(8)]
    challenges = []
    for mfa_token in mfa_tokens:
        known = {each.message_id for each in authority.outbox.newest()}
        oob_code = app.challenged(mfa_token)
        (message,) = (each for each in authority.outbox.newest() if each.message_id not in known)
        challenges.append((mfa_token, oob_code, message.text[:6]))
    left = iter(challenges)
    client = Credentials(tenant.client_id)
    granted, refusals = at_once(lambda: authority.mfa_grants.oob(client, *next(left)))
    assert (len(granted), {type(error) for error in refusals}) == (1, {InvalidRefreshToken})
    assert store.find(TokenFamily)[0].generation == 1
