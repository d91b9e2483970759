"""Enrolling by Auth0's MFA API: the first authenticator by an mfa_token, more by an access token (wire-facts 1.5)."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlsplit

import pytest

from host_tools.authority.core.records import Authenticator
from host_tools.clock import NS

from .mfa_wire import MFA_AUDIENCE, PHONE, add_app, code_in, code_of, refused, wrong

RECOVERY_CODE = re.compile("[A-Z0-9]{24}")
MALFORMED = "invalid_grant", "Malformed mfa_token"


def test_the_first_authenticator_is_a_one_time_code(app, zeno, clock):
    mfa_token = app.mfa_token(zeno)
    enrolled = app.enrol(mfa_token, "otp")
    assert enrolled.keys() == {"authenticator_type", "secret", "barcode_uri", "recovery_codes"}
    (recovery_code,) = enrolled["recovery_codes"]
    assert enrolled["authenticator_type"] == "otp"
    assert RECOVERY_CODE.fullmatch(recovery_code)
    uri = urlsplit(enrolled["barcode_uri"])
    assert (uri.scheme, uri.netloc, uri.path) == ("otpauth", "totp", f"/127.0.0.1:{zeno.username.replace('@', '%40')}")
    assert parse_qs(uri.query) == {
        "secret": [enrolled["secret"]],
        "issuer": ["127.0.0.1"],
        "algorithm": ["SHA1"],
        "digits": ["6"],
        "period": ["30"],
    }
    granted = app.otp(mfa_token, code_of(enrolled["secret"], clock))
    assert granted.status_code == 200
    assert "recovery_code" not in granted.json()
    assert {each["type"]: each["active"] for each in app.listed(app.mfa_token(zeno))} == {
        "otp": True, "recovery-code": True
    }  # fmt: skip
    assert app.recovery(app.mfa_token(zeno), recovery_code).status_code == 200


@pytest.mark.parametrize(
    ("channel", "sent", "recipient", "listed_as"),
    [
        ("sms", {"phone_number": PHONE}, PHONE, "phone"),
        ("sms", {"phone_number": "+1 555 123 4567"}, PHONE, "phone"),
        ("sms", {"phone_number": "+1 (555) 123-4567"}, PHONE, "phone"),
        ("email", {"email": "stoic@porch.example"}, "stoic@porch.example", "email"),
        ("email", {}, "zeno@stoa.example", "email"),
        ("email", {"phone_number": PHONE}, "zeno@stoa.example", "email"),
    ],
)
def test_the_first_authenticator_is_a_message(app, zeno, authority, channel, sent, recipient, listed_as):
    mfa_token = app.mfa_token(zeno)
    enrolled = app.enrol(mfa_token, channel, **sent)
    assert enrolled.keys() == {"authenticator_type", "oob_channel", "oob_code", "binding_method", "recovery_codes"}
    assert (enrolled["authenticator_type"], enrolled["oob_channel"]) == ("oob", channel)
    assert (enrolled["binding_method"], len(enrolled["recovery_codes"])) == ("prompt", 1)
    (message,) = authority.outbox.newest()
    assert (message.channel, message.recipient, message.user_id) == (channel, recipient, zeno.user_id)
    assert re.fullmatch(r"\d{6} is your verification code for Quotes on paper\.", message.text)
    granted = app.oob(mfa_token, enrolled["oob_code"], binding_code=code_in(message.text))
    assert granted.status_code == 200
    assert {each["type"]: each["active"] for each in app.listed(app.mfa_token(zeno))} == {
        listed_as: True, "recovery-code": True
    }  # fmt: skip


def test_the_first_authenticator_is_a_phone_for_push(app, zeno, authority, store, clock):
    mfa_token = app.mfa_token(zeno)
    enrolled = app.enrol(mfa_token, "auth0")
    assert enrolled.keys() == {"authenticator_type", "oob_channel", "oob_code", "barcode_uri", "recovery_codes"}
    assert (enrolled["authenticator_type"], enrolled["oob_channel"]) == ("oob", "auth0")
    (phone,) = (each for each in store.find(Authenticator, user_id=zeno.user_id) if each.factor == "push")
    uri = urlsplit(enrolled["barcode_uri"])
    assert (uri.scheme, uri.netloc, uri.path) == ("otpauth", "totp", "/127.0.0.1:zeno%40stoa.example")
    assert parse_qs(uri.query)["enrollment_tx_id"] == [phone.authenticator_id]
    assert "secret" not in parse_qs(uri.query)
    assert app.oob(mfa_token, enrolled["oob_code"]).json()["error"] == "authorization_pending"
    (push,) = authority.challenges.pending(zeno.user_id)
    authority.challenges.answer(push.challenge_id, approve=True)
    clock.sleep_ns(5 * NS)
    assert app.oob(mfa_token, enrolled["oob_code"]).status_code == 200
    # Guardian has one-time codes as well.
    assert {each["type"]: each["active"] for each in app.listed(app.mfa_token(zeno))} == {
        "push-notification": True, "otp": True, "recovery-code": True
    }  # fmt: skip


def test_a_phones_one_time_code_confirms_it_for_push_too(app, zeno, store, clock):
    mfa_token = app.mfa_token(zeno)
    enrolled = app.enrol(mfa_token, "auth0")
    (codes,) = store.find(Authenticator, user_id=zeno.user_id, factor="otp")
    assert app.otp(mfa_token, code_of(codes.secret, clock)).status_code == 200
    assert all(each["active"] for each in app.listed(app.mfa_token(zeno)))
    assert app.recovery(app.mfa_token(zeno), enrolled["recovery_codes"][0]).status_code == 200


def test_an_mfa_token_enrols_the_first_alone(app, demo):
    mfa_token = app.mfa_token(demo)
    reply = app.associate(mfa_token, authenticator_types=["otp"])
    assert refused(reply) == (403, "access_denied", "User is already enrolled.")
    assert len(app.listed(mfa_token)) == 1


def test_an_enrolment_begun_before_the_first_was_confirmed_comes_too_late(app, zeno, authority, clock):
    # Who knows the password alone begins one of each, and waits for the owner to enrol.
    texted, coded = app.mfa_token(zeno), app.mfa_token(zeno)
    sms = app.enrol(texted, "sms", phone_number=PHONE)
    theirs = app.enrol(coded, "otp")
    owner = app.mfa_token(zeno)
    email = app.enrol(owner, "email")
    codes = {each.channel: code_in(each.text) for each in authority.outbox.newest()}
    assert app.oob(owner, email["oob_code"], binding_code=codes["email"]).status_code == 200
    late = app.oob(texted, sms["oob_code"], binding_code=codes["sms"])
    assert refused(late) == (403, "access_denied", "User is already enrolled.")
    assert refused(app.otp(coded, code_of(theirs["secret"], clock)))[:2] == (400, "unsupported_challenge_type")
    again = app.mfa_token(zeno)
    listed = app.listed(again)
    assert {each["type"] for each in listed if each["active"]} == {"email", "recovery-code"}
    assert [each["type"] for each in listed].count("recovery-code") == 1
    for stranger in (sms, theirs):
        reply = app.recovery(again, stranger["recovery_codes"][0])
        assert refused(reply) == (403, "invalid_grant", "Invalid recovery_code.")


def test_enrolling_again_takes_the_place_of_what_was_not_confirmed(app, zeno, authority, clock):
    mfa_token = app.mfa_token(zeno)
    first = app.enrol(mfa_token, "otp")
    second = app.enrol(mfa_token, "otp")
    # The recovery code of an enrolment that was given up is no recovery code.
    assert first["recovery_codes"] != second["recovery_codes"]
    assert len(app.listed(mfa_token)) == 2
    assert refused(app.otp(mfa_token, code_of(first["secret"], clock)))[1] == "invalid_grant"
    assert app.otp(mfa_token, code_of(second["secret"], clock)).status_code == 200
    again = app.mfa_token(zeno)
    assert refused(app.recovery(again, first["recovery_codes"][0]))[1] == "invalid_grant"
    assert app.recovery(again, second["recovery_codes"][0]).status_code == 200


@pytest.mark.parametrize(
    ("choice", "active"),
    [("otp", ["otp", "recovery-code"]), ("push", ["otp", "push-notification", "recovery-code"])],
)
def test_a_person_may_choose_among_what_was_begun(app, zeno, authority, clock, choice, active):
    mfa_token = app.mfa_token(zeno)
    push = app.enrol(mfa_token, "auth0")
    otp = app.enrol(mfa_token, "otp")
    if choice == "otp":
        assert app.otp(mfa_token, code_of(otp["secret"], clock)).status_code == 200
    else:
        (waiting,) = authority.challenges.pending(zeno.user_id)
        authority.challenges.answer(waiting.challenge_id, approve=True)
        assert app.oob(mfa_token, push["oob_code"]).status_code == 200
    again = app.mfa_token(zeno)
    assert sorted(each["type"] for each in app.listed(again) if each["active"]) == active
    brought, other = (otp, push) if choice == "otp" else (push, otp)
    assert refused(app.recovery(again, other["recovery_codes"][0]))[1] == "invalid_grant"
    assert app.recovery(again, brought["recovery_codes"][0]).status_code == 200


def test_many_enrolments_leave_no_heap_behind(app, zeno, store):
    mfa_token = app.mfa_token(zeno)
    for _ in range(20):
        app.enrol(mfa_token, "otp")
    assert len(store.find(Authenticator, user_id=zeno.user_id)) == 2


def test_an_access_token_enrols_another_and_stands_in_for_the_mfa_token(app, demo, tenant, clock, authority):
    mfa_token = app.mfa_token(demo, scope="enroll read:authenticators", audience=MFA_AUDIENCE)
    access_token = app.otp(mfa_token, code_of(tenant.totp_secret, clock)).json()["access_token"]
    enrolled = app.enrol(access_token, "sms", phone_number=PHONE)
    assert enrolled.keys() == {"authenticator_type", "oob_channel", "oob_code", "binding_method", "recovery_codes"}
    (message,) = authority.outbox.newest()
    granted = app.oob(access_token, enrolled["oob_code"], binding_code=code_in(message.text)).json()
    assert (granted["scope"], granted["expires_in"]) == ("enroll read:authenticators", 600)
    assert {each["type"] for each in app.listed(granted["access_token"]) if each["active"]} == {
        "otp", "phone", "recovery-code"
    }  # fmt: skip
    # Once: the token it was confirmed with is spent for this, and still good for the API.
    assert refused(app.oob(access_token, enrolled["oob_code"], binding_code="000000"))[1] == "expired_token"
    codes = app.enrol(access_token, "otp")
    assert "recovery_codes" not in codes
    assert app.otp(access_token, code_of(codes["secret"], clock)).status_code == 200


def test_an_access_token_that_enrols_nothing_is_no_mfa_token(app, zeno):
    access_token = app.mfa_access_token(zeno)
    assert refused(app.otp(access_token, "000000")) == (403, *MALFORMED)
    assert refused(app.challenge(access_token)) == (403, *MALFORMED)


def test_an_access_token_enrols_with_its_scope_alone(app, zeno):
    access_token = app.mfa_access_token(zeno, "read:authenticators remove:authenticators")
    assert refused(app.associate(access_token, authenticator_types=["otp"]))[:2] == (403, "insufficient_scope")
    assert app.listed(access_token) == []


def test_what_an_access_token_enrols_is_confirmed_by_its_own_client(app, zeno, http, store, tenant):
    other = add_app(http, store, tenant, "other")
    access_token = app.mfa_access_token(zeno)
    app.enrol(access_token, "otp")
    assert refused(other.otp(access_token, "000000"))[1:] == (
        "invalid_request", "mfa_token not issued to this client"
    )  # fmt: skip


def test_an_eleventh_message_is_refused_and_the_hour_brings_one_more(app, zeno, authority, clock):
    access_token = app.mfa_access_token(zeno)
    for _ in range(10):
        app.enrol(access_token, "sms", phone_number=PHONE)
    types = {"authenticator_types": ["oob"], "oob_channels": ["sms"], "phone_number": PHONE}
    limited = app.associate(access_token, **types)
    assert refused(limited)[:2] == (429, "too_many_attempts")
    assert limited.headers["retry-after"] == "3600"
    assert len(authority.outbox.newest()) == 10
    # E-mails are of the same bucket: a person is not to be flooded by any way.
    assert app.associate(access_token, authenticator_types=["oob"], oob_channels=["email"]).status_code == 429
    clock.sleep_ns(3600 * NS)
    app.enrol(app.mfa_access_token(zeno), "sms", phone_number=PHONE)
    assert app.associate(app.mfa_access_token(zeno), **types).status_code == 429


def test_a_wrong_first_use_confirms_nothing(app, zeno, authority, clock):
    mfa_token = app.mfa_token(zeno)
    secret = app.enrol(mfa_token, "otp")["secret"]
    sms = app.enrol(mfa_token, "sms", phone_number=PHONE)
    code = code_in(authority.outbox.newest()[0].text)
    assert refused(app.otp(mfa_token, wrong(code_of(secret, clock))))[1] == "invalid_grant"
    assert refused(app.oob(mfa_token, sms["oob_code"], binding_code=wrong(code)))[1] == "invalid_grant"
    assert not any(each["active"] for each in app.listed(mfa_token))
