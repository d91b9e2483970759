"""Auth0's MFA API: listing, challenging and removing authenticators (wire-facts 1.5)."""

from __future__ import annotations

import re
from functools import partial

import pytest

from host_tools.clock import NS

from .mfa_wire import MFA_AUDIENCE, PHONE, SECRET, add_app, code_in, code_of, refused
from .mfa_wire import give as give_authenticator


@pytest.fixture
def give(authority):
    return partial(give_authenticator, authority)


def test_each_kind_of_authenticator_is_listed_as_auth0_does(app, zeno, give):
    given = [give(zeno, "push", "Phone"), give(zeno, "sms", PHONE), give(zeno, "email", zeno.username)]
    listed = app.authenticators(app.mfa_token(zeno))
    assert listed.status_code == 200
    assert listed.headers["cache-control"] == "no-store"
    by_kind = {each["id"].split("|")[0]: each for each in listed.json()}
    assert by_kind.keys() == {"push", "totp", "sms", "email", "recovery-code"}
    for kind, made in zip(("push", "sms", "email"), given, strict=True):
        assert by_kind[kind].pop("id") == f"{kind}|dev_{made.authenticator_id}"
    for kind in ("totp", "recovery-code"):
        assert re.fullmatch(rf"{kind}\|dev_\w{{16}}", by_kind[kind].pop("id"))
    assert by_kind == {
        "push": {
            "authenticator_type": "oob",
            "type": "push-notification",
            "oob_channel": "auth0",
            "name": "Phone",
            "active": True,
        },
        "totp": {"authenticator_type": "otp", "type": "otp", "active": True},
        "sms": {
            "authenticator_type": "oob",
            "type": "phone",
            "oob_channel": "sms",
            "name": "+1555XXXXXXX",
            "active": True,
        },
        "email": {
            "authenticator_type": "oob",
            "type": "email",
            "oob_channel": "email",
            "name": "zen***@stoa.example",
            "active": True,
        },
        "recovery-code": {"authenticator_type": "recovery-code", "type": "recovery-code", "active": True},
    }


def test_who_has_nothing_is_listed_with_nothing(app, zeno):
    assert app.authenticators(app.mfa_token(zeno)).json() == []


def test_what_is_not_confirmed_is_listed_as_not_active(app, zeno):
    mfa_token = app.mfa_token(zeno)
    app.enrol(mfa_token, "otp")
    assert {each["type"]: each["active"] for each in app.listed(mfa_token)} == {"otp": False, "recovery-code": False}


def test_nobody_elses_authenticators_are_listed(app, zeno, demo, give):
    give(zeno, "sms", PHONE)
    assert [each["type"] for each in app.listed(app.mfa_token(demo))] == ["otp"]


def test_an_access_token_lists_with_its_scope_alone(app, zeno):
    assert app.authenticators(app.mfa_access_token(zeno, "read:authenticators")).json() == []
    reply = app.authenticators(app.mfa_access_token(zeno, "enroll remove:authenticators"))
    assert refused(reply)[:2] == (403, "insufficient_scope")


def test_an_mfa_token_past_its_ten_minutes_or_used_lists_nothing(app, demo, tenant, clock):
    late, spent = app.mfa_token(demo), app.mfa_token(demo)
    assert app.otp(spent, code_of(tenant.totp_secret, clock)).status_code == 200
    assert refused(app.authenticators(spent)) == (401, "expired_token", "mfa_token is invalid")
    clock.sleep_ns(600 * NS - 1)
    assert app.authenticators(late).status_code == 200
    clock.sleep_ns(1)
    assert refused(app.authenticators(late)) == (401, "expired_token", "mfa_token is expired")


def test_a_one_time_code_needs_no_challenge_and_may_have_one(app, demo, tenant, clock):
    mfa_token = app.mfa_token(demo)
    challenged = app.challenge(mfa_token, "otp")
    assert (challenged.status_code, challenged.json()) == (200, {"challenge_type": "otp"})
    assert challenged.headers["cache-control"] == "no-store"
    assert app.challenge(mfa_token, "oob otp").json() == {"challenge_type": "otp"}
    assert app.otp(mfa_token, code_of(tenant.totp_secret, clock)).status_code == 200


def test_a_message_is_challenged_with_a_prompt_and_a_push_without(app, zeno, give, authority):
    sms, push = give(zeno, "sms", PHONE), give(zeno, "push", "Phone")
    mfa_token = app.mfa_token(zeno)
    texted = app.challenge(mfa_token, "oob", authenticator_id=f"sms|dev_{sms.authenticator_id}").json()
    assert (texted.keys(), texted["challenge_type"], texted["binding_method"]) == (
        {"challenge_type", "oob_code", "binding_method"}, "oob", "prompt"
    )  # fmt: skip
    pushed = app.challenge(mfa_token, "oob", authenticator_id=f"push|dev_{push.authenticator_id}").json()
    assert (pushed.keys(), pushed["challenge_type"]) == ({"challenge_type", "oob_code"}, "oob")
    assert len(authority.outbox.newest()) == len(authority.challenges.pending()) == 1


def test_the_clients_order_of_types_counts_and_a_push_goes_before_a_message(app, zeno, give, authority):
    for factor, name in (("email", zeno.username), ("sms", PHONE)):
        give(zeno, factor, name)
    mfa_token = app.mfa_token(zeno)
    app.challenged(mfa_token)
    assert [each.channel for each in authority.outbox.newest()] == ["sms"]
    give(zeno, "push", "Phone")
    assert "binding_method" not in app.challenge(mfa_token, "oob otp").json()
    assert app.challenge(mfa_token, "otp oob").json() == {"challenge_type": "otp"}


def test_challenging_by_form_is_read_as_well(app, demo):
    fields = {"client_id": "app", "client_secret": SECRET, "mfa_token": app.mfa_token(demo), "challenge_type": "otp"}
    assert app.http.post("/mfa/challenge", data=fields).json() == {"challenge_type": "otp"}


@pytest.mark.parametrize(
    ("types", "told"),
    [
        ("oob", "The user does not support the requested challenge type (oob). Supported type: otp."),
        ("sms", "Unsupported challenge_type: sms."),
        ("otp webauthn", "Unsupported challenge_type: webauthn."),
        (" ", "Unsupported challenge_type: none."),
    ],
)
def test_what_the_person_or_the_tenant_has_not_is_unsupported(app, demo, types, told):
    assert refused(app.challenge(app.mfa_token(demo), types)) == (401, "unsupported_challenge_type", told)


def test_out_of_band_alone_supports_no_one_time_code(app, zeno, give):
    give(zeno, "sms", PHONE)
    assert refused(app.challenge(app.mfa_token(zeno), "otp")) == (
        401,
        "unsupported_challenge_type",
        "The user does not support the requested challenge type (otp). Supported type: oob.",
    )


def test_who_has_nothing_has_to_enrol_first(app, zeno):
    mfa_token = app.mfa_token(zeno)
    assert refused(app.challenge(mfa_token))[:2] == (403, "association_required")
    app.enrol(mfa_token, "otp")  # and is not challenged by what is not confirmed
    assert refused(app.challenge(mfa_token))[:2] == (403, "association_required")


def test_nobody_elses_authenticator_can_be_challenged(app, zeno, demo, give, authority):
    give(zeno, "sms", PHONE)
    theirs = give(demo, "sms", "+15557654321")
    reply = app.challenge(app.mfa_token(zeno), authenticator_id=f"sms|dev_{theirs.authenticator_id}")
    assert refused(reply)[:2] == (404, "not_found")
    assert authority.outbox.newest() == []


def test_an_mfa_token_is_bound_to_its_client(app, http, store, tenant, demo):
    other = add_app(http, store, tenant, "other")
    reply = other.challenge(app.mfa_token(demo))
    assert refused(reply) == (400, "invalid_request", "mfa_token not issued to this client")


def test_a_client_without_the_mfa_grant_may_not_challenge(http, store, tenant, app, demo):
    mfa_token = app.mfa_token(demo)
    without = add_app(http, store, tenant, "app", grants="password refresh_token")
    assert refused(without.challenge(mfa_token))[:2] == (403, "unauthorized_client")
    assert refused(without.otp(mfa_token, "000000"))[:2] == (403, "unauthorized_client")


def test_the_client_has_to_know_its_secret(app, demo):
    mfa_token = app.mfa_token(demo)
    app.secret = "another"
    assert refused(app.challenge(mfa_token))[:2] == (401, "invalid_client")
    assert refused(app.otp(mfa_token, "000000"))[:2] == (401, "invalid_client")


def test_an_mfa_token_is_not_enough_to_remove_one(app, demo, give):
    sms = give(demo, "sms", PHONE)
    mfa_token = app.mfa_token(demo)
    reply = app.remove(mfa_token, f"sms|dev_{sms.authenticator_id}")
    assert refused(reply)[:2] == (401, "invalid_token")
    assert "phone" in {each["type"] for each in app.listed(mfa_token)}


def test_an_authenticator_is_removed_once(app, demo, give, remover, authority):
    sms = give(demo, "sms", PHONE)
    wire_id = f"sms|dev_{sms.authenticator_id}"
    removed = app.remove(remover, wire_id)
    assert (removed.status_code, removed.content) == (204, b"")
    assert "phone" not in {each["type"] for each in app.listed(remover)}
    assert refused(app.remove(remover, wire_id)) == (404, "not_found", "No such authenticator.")


@pytest.mark.parametrize("removed", ["push-notification", "otp"])
def test_push_and_its_one_time_codes_leave_together(app, zeno, give, authority, clock, removed):
    give(zeno, "sms", PHONE)
    push = give(zeno, "push", "Phone")
    codes = next(each for each in authority.authenticators.of(zeno.user_id, "otp"))
    mfa_token = app.mfa_token(zeno, scope="remove:authenticators read:authenticators", audience=MFA_AUDIENCE)
    bearer = app.otp(mfa_token, code_of(codes.secret, clock)).json()["access_token"]
    gone = push if removed == "push-notification" else codes
    (wire_id,) = (each["id"] for each in app.listed(bearer) if each["id"].endswith(gone.authenticator_id))
    assert app.remove(bearer, wire_id).status_code == 204
    assert {each["type"] for each in app.listed(bearer)} == {"phone", "recovery-code"}


def test_nobody_elses_authenticator_can_be_removed(app, zeno, give, remover):
    theirs = give(zeno, "sms", PHONE)
    assert refused(app.remove(remover, f"sms|dev_{theirs.authenticator_id}"))[:2] == (404, "not_found")
    assert "phone" in {each["type"] for each in app.listed(app.mfa_token(zeno))}


NO_SMS_ID = [
    "totp|dev_{}",
    "push|dev_{}",
    "otp|dev_{}",
    "SMS|dev_{}",
    "|dev_{}",
    "dev_{}",
    "{}",
    "sms|{}",
    "sms|dev_{}|dev_{}",
]


@pytest.mark.parametrize("another", NO_SMS_ID)
def test_an_id_is_a_whole_name_and_no_other_prefix_goes_with_it(app, demo, give, remover, authority, another):
    sms = give(demo, "sms", PHONE)
    wire_id = another.format(sms.authenticator_id, sms.authenticator_id)
    mfa_token = app.mfa_token(demo)
    assert refused(app.challenge(mfa_token, authenticator_id=wire_id))[:2] == (404, "not_found")
    assert authority.outbox.newest() == []
    assert refused(app.remove(remover, wire_id))[:2] == (404, "not_found")
    assert "phone" in {each["type"] for each in app.listed(remover)}
    assert app.challenge(mfa_token, authenticator_id=f"sms|dev_{sms.authenticator_id}").status_code == 200


def test_removing_takes_its_scope(app, zeno, give):
    bearer = app.mfa_access_token(zeno, "enroll read:authenticators")
    email = give(zeno, "email", zeno.username)
    reply = app.remove(bearer, f"email|dev_{email.authenticator_id}")
    assert refused(reply)[:2] == (403, "insufficient_scope")


def test_after_the_last_has_gone_the_next_is_the_first_again(app, zeno, give, authority):
    bearer = app.mfa_access_token(zeno)
    sms = give(zeno, "sms", PHONE)
    assert app.remove(bearer, f"sms|dev_{sms.authenticator_id}").status_code == 204
    assert app.listed(bearer) == []
    assert "recovery_codes" in app.enrol(app.mfa_token(zeno), "otp")


def test_the_recovery_code_can_be_let_go_and_the_factor_stays(app, demo, give, remover):
    give(demo, "sms", PHONE)
    (wire_id,) = (each["id"] for each in app.listed(remover) if each["type"] == "recovery-code")
    assert app.remove(remover, wire_id).status_code == 204
    assert {each["type"] for each in app.listed(remover)} == {"otp", "phone"}


def test_a_removed_phone_approves_nothing(app, demo, give, remover, authority, clock):
    push = give(demo, "push", "Phone")
    mfa_token = app.mfa_token(demo)
    oob_code = app.challenged(mfa_token)
    assert app.remove(remover, f"push|dev_{push.authenticator_id}").status_code == 204
    (challenge,) = authority.challenges.pending(demo.user_id)
    authority.challenges.answer(challenge.challenge_id, approve=True)
    assert refused(app.oob(mfa_token, oob_code)) == (403, "invalid_grant", "Malformed oob_code")


def test_a_removed_number_answers_nothing(app, demo, give, remover, authority):
    sms = give(demo, "sms", PHONE)
    mfa_token = app.mfa_token(demo)
    oob_code = app.challenged(mfa_token)
    code = code_in(authority.outbox.newest()[0].text)
    app.remove(remover, f"sms|dev_{sms.authenticator_id}")
    assert refused(app.oob(mfa_token, oob_code, binding_code=code)) == (403, "invalid_grant", "Malformed oob_code")
