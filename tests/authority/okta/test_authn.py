"""Okta's sign-in API, state by state: what each request comes to, what each state embeds and leads to."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import pytest
import zxingcpp
from PIL import Image

from host_tools.authority.core.records import User
from host_tools.clock import NS
from tests.authority.mfa_wire import PHONE, add_person, demo_person, give

from .okta_wire import AUTHN, ERROR_ID, Api, error

BASE = f"http://127.0.0.1:8080{AUTHN}"


@pytest.fixture
def nobody(authority, store, tenant):
    """The demo user has no factor yet."""
    person = demo_person(store, tenant)
    for each in authority.authenticators.of(person.user_id, active=None):
        authority.authenticators.remove(person.user_id, each.authenticator_id)
    return person


@pytest.fixture
def everything(authority, store, tenant):
    """The demo user has each factor there is: an app's codes, sms, email, a phone."""
    person = demo_person(store, tenant)
    give(authority, person, "sms", PHONE)
    give(authority, person, "email", person.username)
    give(authority, person, "push", "Gibson")
    return person


def newest_code(authority) -> str:
    return re.search("[0-9]{6}", authority.outbox.newest()[0].text)[0]


def place(transaction, kind: str) -> int:
    return [each["factorType"] for each in transaction["_embedded"]["factors"]].index(kind)


def link(way: str, **named: str):
    return {**named, "href": f"{BASE}/{way}", "hints": {"allow": ["POST"]}}


def test_with_no_second_factor_asked_for_a_password_brings_a_session_token(api, authority, store, tenant):
    authority.mfa.mode = "never"
    done = api.begun(relayState="/deep/link")
    [user] = store.find(User)
    assert done == {
        "expiresAt": "2026-11-22T00:05:00.000Z",
        "status": "SUCCESS",
        "relayState": "/deep/link",
        "sessionToken": done["sessionToken"],
        "_embedded": {
            "user": {
                "id": user.user_id,
                "passwordChanged": None,
                "profile": {
                    "login": tenant.demo_user,
                    "firstName": "Demo",
                    "lastName": "",
                    "locale": "en",
                    "timeZone": "UTC",
                },
            }
        },
    }
    assert len(done["sessionToken"]) > 40


def test_a_challenge_has_the_factors_and_the_policy_in_both_shapes(api, everything):
    told = api.begun()
    assert (told["status"], told["expiresAt"]) == ("MFA_REQUIRED", "2026-11-22T00:05:00.000Z")
    assert re.fullmatch(r"00[A-Za-z0-9_-]{40}", told["stateToken"])
    assert told["_links"] == {"cancel": link("cancel")}
    embedded = told["_embedded"]
    assert set(embedded) == {"user", "factors", "policy", "policyEvaluation"}
    factors = [(each["factorType"], each["provider"], each["profile"]) for each in embedded["factors"]]
    credential = {"credentialId": everything.username}
    assert sorted(factors, key=str) == sorted(
        [
            ("token:software:totp", "GOOGLE", credential),
            ("sms", "OKTA", {"phoneNumber": "+1 XXX-XXX-4567"}),
            ("email", "OKTA", {"email": "d...o@stoa.example"}),
            ("push", "OKTA", credential | {"name": "Gibson"}),
            ("token:software:totp", "OKTA", credential),  # of the phone
        ],
        key=str,
    )
    for each in embedded["factors"]:
        assert each["vendorName"] == each["provider"]
        assert each["_links"] == {"verify": link(f"factors/{each['id']}/verify")}
    assert {each["id"][:3] for each in embedded["factors"]} == {"uft", "ost", "sms", "emf", "opf"}
    [push] = [each["id"] for each in embedded["factors"] if each["factorType"] == "push"]
    assert embedded["policy"] == {
        "allowRememberDevice": True,
        "rememberDeviceLifetimeInMinutes": 15,
        "rememberDeviceByDefault": False,
        "factorsPolicyInfo": {push: {"autoPushEnabled": False}},
    }
    assert embedded["policyEvaluation"]["factorLifeTime"] == "15"


def test_a_state_token_says_where_its_sign_in_stands(api):
    told = api.begun(relayState="back")
    for way in ("", "/introspect"):
        looked = api.post(way, {"stateToken": told["stateToken"]})
        assert (looked.status_code, looked.json()) == (200, told)


def test_a_right_code_completes_it_once(api, clock):
    told = api.begun(relayState="back")
    done = api.verify(told, api.code()).json()
    assert (done["status"], done["relayState"]) == ("SUCCESS", "back")
    assert "stateToken" not in done and "_links" not in done and "policy" not in done["_embedded"]
    for way, body in (("", {}), ("/cancel", {}), ("/previous", {})):
        assert error(api.post(way, {"stateToken": told["stateToken"], **body})) == (401, "E0000011")
    assert error(api.verify(told, api.code())) == (401, "E0000011")


def test_a_wrong_code_is_refused_and_the_sign_in_goes_on(api):
    told = api.begun()
    refused = api.verify(told, api.wrong_code())
    assert error(refused) == (403, "E0000068")
    assert refused.json()["errorSummary"] == "Invalid Passcode/Answer"
    assert refused.json()["errorCauses"] == [
        {"errorSummary": "Your passcode doesn't match our records. Please try again."}
    ]
    assert api.verify(told, api.code()).json()["status"] == "SUCCESS"


def test_a_code_counts_once(api):
    assert api.verify(api.begun(), api.code()).json()["status"] == "SUCCESS"
    assert error(api.verify(api.begun(), api.code())) == (403, "E0000082")


def test_only_the_factor_that_is_named_counts(api, everything, authority):
    told = api.begun()
    of_phone = next(
        at
        for at, each in enumerate(told["_embedded"]["factors"])
        if (each["factorType"], each["provider"]) == ("token:software:totp", "OKTA")
    )
    assert error(api.verify(told, api.code(), of_phone)) == (403, "E0000068")  # the app's code


def test_too_many_wrong_codes_lock_the_user_out_of_further_ones(api):
    told = api.begun()
    answers = [error(api.verify(told, api.wrong_code())) for _ in range(11)]
    assert answers == [(403, "E0000068")] * 10 + [(403, "E0000069")]
    assert error(api.verify(told, api.code())) == (403, "E0000069")


def test_a_text_message_is_sent_and_typed_back(api, everything, authority, clock):
    told = api.begun()
    sent = api.verify(told, at=place(told, "sms")).json()
    factor = sent["_embedded"]["factor"]
    assert (sent["status"], factor["factorType"]) == ("MFA_CHALLENGE", "sms")
    assert sent["_embedded"]["policy"] == told["_embedded"]["policy"]
    assert "policyEvaluation" not in sent["_embedded"]
    assert sent["_links"] == {
        "next": link(f"factors/{factor['id']}/verify", name="verify"),
        "cancel": link("cancel"),
        "prev": link("previous"),
        "resend": [link(f"factors/{factor['id']}/verify/resend", name="sms")],
    }
    first = newest_code(authority)
    assert authority.outbox.newest()[0].text == f"{first} is your verification code."
    resend = sent["_links"]["resend"][0]
    assert error(api.go(resend, sent)) == (429, "E0000109")
    clock.sleep_ns(30 * NS)
    assert api.go(resend, sent).json()["status"] == "MFA_CHALLENGE"
    if newest_code(authority) != first:
        assert error(api.go(sent["_links"]["next"], sent, passCode=first)) == (403, "E0000068")
    done = api.go(sent["_links"]["next"], sent, passCode=newest_code(authority)).json()
    assert done["status"] == "SUCCESS"


def test_messages_are_limited(api, everything, clock):
    told = api.begun()
    sent = api.verify(told, at=place(told, "email")).json()
    assert error(api.go(sent["_links"]["resend"][0], sent)) == (429, "E0000118")
    answers = []
    for _ in range(10):
        clock.sleep_ns(30 * NS)
        answers.append(api.go(sent["_links"]["resend"][0], sent).status_code)
    assert answers == [200] * 9 + [429]
    back = api.go(sent["_links"]["prev"], sent).json()
    assert error(api.verify(back, at=place(back, "sms"))) == (403, "E0000150")


def push_of(api: Api, told):
    return api.verify(told, at=place(told, "push"))


@pytest.mark.parametrize(("approve", "result"), [(True, "SUCCESS"), (False, "REJECTED"), (None, "TIMEOUT")])
def test_a_push_is_polled_until_somebody_answers(api, everything, authority, clock, approve, result):
    told = api.begun()
    waiting = push_of(api, told).json()
    assert (waiting["status"], waiting["factorResult"]) == ("MFA_CHALLENGE", "WAITING")
    poll = waiting["_links"]["next"]
    assert poll["name"] == "poll"
    assert [each["name"] for each in waiting["_links"]["resend"]] == ["push"]
    assert api.go(poll, waiting).json() == {**waiting, "expiresAt": api.go(poll, waiting).json()["expiresAt"]}
    if approve is None:
        for _ in range(10):
            clock.sleep_ns(30 * NS)
            answered = api.go(poll, waiting).json()
    else:
        authority.challenges.answer(authority.challenges.pending()[0].challenge_id, approve)
        answered = api.go(poll, waiting).json()
    if approve:
        assert answered["status"] == "SUCCESS"
        return
    assert (answered["status"], answered["factorResult"]) == ("MFA_CHALLENGE", result)
    assert answered["_links"]["next"]["name"] == "verify"
    again = api.go(answered["_links"]["next"], answered).json()  # another is sent
    assert again["factorResult"] == "WAITING"
    authority.challenges.answer(authority.challenges.pending()[0].challenge_id, True)
    assert api.go(again["_links"]["next"], again).json()["status"] == "SUCCESS"


def test_a_push_may_be_sent_by_itself_where_the_user_wishes(api, everything, authority):
    def sends() -> bool:
        [info] = api.begun()["_embedded"]["policy"]["factorsPolicyInfo"].values()
        return info["autoPushEnabled"]

    for wish, answers in (("true", False), ("true", True), ("false", True)):
        before = sends()
        waiting = push_of(api, api.begun()).json()
        authority.challenges.answer(authority.challenges.pending()[0].challenge_id, answers)
        api.go(waiting["_links"]["next"], waiting, {"autoPush": wish})
        assert sends() is ((wish == "true") if answers else before)  # kept once it was approved
    api.device = "another"
    assert sends() is False


def test_two_factors_where_the_tenant_wants_two(api, everything, authority):
    authority.mfa.factors = 2
    told = api.begun()
    more = api.verify(told, api.code(), place(told, "token:software:totp")).json()
    assert (more["status"], more["stateToken"]) == ("MFA_REQUIRED", told["stateToken"])
    assert error(api.verify(more, api.code(30), place(told, "token:software:totp"))) == (403, "E0000079")
    sent = api.verify(more, at=place(more, "sms")).json()
    assert api.go(sent["_links"]["next"], sent, passCode=newest_code(authority)).json()["status"] == "SUCCESS"


# Of a user without a factor.


def test_who_has_no_factor_is_to_enrol_one(api, nobody):
    told = api.begun()
    assert (told["status"], told["_links"]) == ("MFA_ENROLL", {"cancel": link("cancel")})
    assert set(told["_embedded"]) == {"user", "factors", "policyEvaluation"}
    assert told["_embedded"]["policyEvaluation"]["policyType"] == "MFA_ENROLL"
    offered = [(each["factorType"], each["provider"]) for each in told["_embedded"]["factors"]]
    assert offered == [
        ("token:software:totp", "OKTA"),
        ("token:software:totp", "GOOGLE"),
        ("sms", "OKTA"),
        ("email", "OKTA"),
        ("push", "OKTA"),
    ]
    for each in told["_embedded"]["factors"]:
        assert (each["status"], each["enrollment"]) == ("NOT_SETUP", "OPTIONAL")
        assert each["_links"] == {"enroll": link("factors")}


def enrolled(api, told, kind, provider="OKTA", **profile):
    body = {"stateToken": told["stateToken"], "factorType": kind, "provider": provider}
    return api.post("/factors", body | ({"profile": profile} if profile else {}))


def test_a_picture_is_of_the_factor_that_is_enrolled_now(api, http, nobody, store):
    def picture(of):
        return urlsplit(of["_embedded"]["factor"]["_embedded"]["activation"]["_links"]["qrcode"]["href"]).path

    told = api.begun()
    first = enrolled(api, told, "token:software:totp", "GOOGLE").json()
    api.go(first["_links"]["prev"], first)
    now = enrolled(api, told, "token:software:totp", "GOOGLE").json()
    zeno = add_person(store)
    his = enrolled(api, api.begun(username=zeno.username, password=zeno.password), "token:software:totp", "OKTA").json()
    ids = [each["_embedded"]["factor"]["id"] for each in (first, now)]
    secret = picture(now).rpartition("/")[2]
    of_his_with_our_secret = f"{picture(his).rpartition('/')[0]}/{secret}"
    for address in (picture(first), picture(now).replace(ids[1], ids[0]), of_his_with_our_secret):
        assert error(http.get(address)) == (404, "E0000008")
    assert http.get(picture(now)).status_code == 200


@pytest.mark.parametrize("provider", ["OKTA", "GOOGLE"])
def test_an_app_is_enrolled_by_its_qr_code_and_activated_by_its_first_passcode(api, http, nobody, clock, provider):
    pending = enrolled(api, api.begun(), "token:software:totp", provider).json()
    factor = pending["_embedded"]["factor"]
    activation = factor["_embedded"]["activation"]
    assert (pending["status"], factor["provider"]) == ("MFA_ENROLL_ACTIVATE", provider)
    assert {**activation, "sharedSecret": "", "_links": ""} == {
        "timeStep": 30,
        "sharedSecret": "",
        "encoding": "base32",
        "keyLength": 6,
        "_links": "",
    }
    assert pending["_links"] == {
        "next": link(f"factors/{factor['id']}/lifecycle/activate", name="activate"),
        "cancel": link("cancel"),
        "prev": link("previous"),
    }
    assert activation["_links"]["qrcode"]["type"] == "image/png"
    assert api.post("", {"stateToken": pending["stateToken"]}).json() == pending
    address = urlsplit(activation["_links"]["qrcode"]["href"]).path
    picture = http.get(address)
    assert picture.headers["content-type"] == "image/png"
    [read] = zxingcpp.read_barcodes(Image.open(io.BytesIO(picture.content)))
    assert parse_qs(urlsplit(read.text).query)["secret"] == [activation["sharedSecret"]]
    # Whoever does not know the address's secret sees no picture.
    assert error(http.get(address[:-4] + "0000")) == (404, "E0000008")
    assert error(http.get(address.replace(factor["id"], "ostother"))) == (404, "E0000008")
    assert error(http.get(re.sub("users/[^/]+", "users/00uother", address))) == (404, "E0000008")

    next_link = pending["_links"]["next"]
    assert error(api.go(next_link, pending, passCode="000000")) == (403, "E0000068")
    done = api.go(next_link, pending, passCode=api.code(secret=activation["sharedSecret"])).json()
    assert done["status"] == "SUCCESS"
    assert error(http.get(address)) == (404, "E0000008")
    [known] = api.begun()["_embedded"]["factors"]
    assert (known["factorType"], known["provider"], known["id"]) == (factor["factorType"], provider, factor["id"])


@pytest.mark.parametrize(("kind", "profile"), [("sms", {"phoneNumber": "+1-555-415-1337"}), ("email", {})])
def test_a_message_activates_what_it_goes_to(api, nobody, authority, clock, kind, profile):
    pending = enrolled(api, api.begun(), kind, **profile).json()
    factor = pending["_embedded"]["factor"]
    shown = {"sms": {"phoneNumber": "+1 XXX-XXX-1337"}, "email": {"email": "d...o@stoa.example"}}[kind]
    assert (pending["status"], factor["profile"]) == ("MFA_ENROLL_ACTIVATE", shown)
    assert "_embedded" not in factor
    [resend] = pending["_links"]["resend"]
    assert resend == link(f"factors/{factor['id']}/lifecycle/resend", name=kind)
    clock.sleep_ns(30 * NS)
    assert api.go(resend, pending).json()["status"] == "MFA_ENROLL_ACTIVATE"
    assert len(authority.outbox.newest()) == 2
    done = api.go(pending["_links"]["next"], pending, passCode=newest_code(authority)).json()
    assert done["status"] == "SUCCESS"


@pytest.mark.parametrize("way", ["lifecycle/activate/poll", "lifecycle/activate"])
def test_a_phone_is_activated_by_its_first_answer(api, http, nobody, authority, clock, way):
    pending = enrolled(api, api.begun(), "push").json()
    factor = pending["_embedded"]["factor"]
    assert (pending["status"], pending["factorResult"]) == ("MFA_ENROLL_ACTIVATE", "WAITING")
    assert pending["_links"]["next"] == link(f"factors/{factor['id']}/lifecycle/activate/poll", name="poll")
    activation = factor["_embedded"]["activation"]
    assert activation["expiresAt"] == "2026-11-22T00:05:00.000Z"
    assert http.get(urlsplit(activation["_links"]["qrcode"]["href"]).path).status_code == 200
    assert api.post("", {"stateToken": pending["stateToken"]}).json() == pending

    def asked():
        return api.post(f"/factors/{factor['id']}/{way}", {"stateToken": pending["stateToken"]})

    assert asked().json()["factorResult"] == "WAITING"
    authority.challenges.answer(authority.challenges.pending()[0].challenge_id, False)
    refused = asked().json()
    assert (refused["factorResult"], refused["_links"]["next"]["name"]) == ("REJECTED", "activate")
    assert asked().json()["factorResult"] == "WAITING"  # sent anew
    authority.challenges.answer(authority.challenges.pending()[0].challenge_id, True)
    assert asked().json()["status"] == "SUCCESS"
    kinds = {(each["factorType"], each["provider"]) for each in api.begun()["_embedded"]["factors"]}
    assert kinds == {("push", "OKTA"), ("token:software:totp", "OKTA")}


def test_nobody_is_given_a_recovery_code_that_they_were_not_told(api, nobody, authority):
    pending = enrolled(api, api.begun(), "token:software:totp").json()
    secret = pending["_embedded"]["factor"]["_embedded"]["activation"]["sharedSecret"]
    api.go(pending["_links"]["next"], pending, passCode=api.code(secret=secret))
    assert [each.factor for each in authority.authenticators.of(nobody.user_id, active=None)] == ["otp"]


def test_more_factors_are_offered_to_who_wants_them_and_may_be_skipped(api, nobody, authority):
    told = api.begun(options={"multiOptionalFactorEnroll": True})
    assert error(api.post("/skip", {"stateToken": told["stateToken"]})) == (403, "E0000079")
    pending = enrolled(api, told, "email").json()
    more = api.go(pending["_links"]["next"], pending, passCode=newest_code(authority)).json()
    assert (more["status"], more["_links"]["skip"]) == ("MFA_ENROLL", link("skip", name="skip"))
    statuses = {each["factorType"]: each["status"] for each in more["_embedded"]["factors"]}
    assert statuses == {"token:software:totp": "NOT_SETUP", "sms": "NOT_SETUP", "email": "ACTIVE", "push": "NOT_SETUP"}
    assert error(enrolled(api, more, "email")) == (403, "E0000079")
    pending = enrolled(api, more, "sms", phoneNumber=PHONE).json()
    back = api.go(pending["_links"]["prev"], pending).json()
    assert (back["status"], "skip" in back["_links"]) == ("MFA_ENROLL", True)
    assert api.go(back["_links"]["skip"], back).json()["status"] == "SUCCESS"
    assert [each["factorType"] for each in api.begun()["_embedded"]["factors"]] == ["email"]


def test_what_one_sign_in_begins_no_other_may_confirm(api, nobody, authority):
    """Who knows the password alone keeps the key of an enrolment, and waits for the owner to have a factor."""
    stranger, owner = api.begun(), api.begun()
    theirs = enrolled(api, stranger, "email").json()
    factor_id = theirs["_embedded"]["factor"]["id"]
    body = {"stateToken": owner["stateToken"], "passCode": newest_code(authority)}
    assert error(api.post(f"/factors/{factor_id}/lifecycle/activate", body)) == (403, "E0000079")
    pending = enrolled(api, owner, "token:software:totp").json()
    secret = pending["_embedded"]["factor"]["_embedded"]["activation"]["sharedSecret"]
    assert api.go(pending["_links"]["next"], pending, passCode=api.code(secret=secret)).json()["status"] == "SUCCESS"
    code = newest_code(authority)
    assert error(api.go(theirs["_links"]["next"], theirs, passCode=code)) == (403, "E0000079")
    assert error(enrolled(api, stranger, "sms", phoneNumber=PHONE)) == (403, "E0000079")
    back = api.go(theirs["_links"]["prev"], theirs).json()
    assert error(enrolled(api, back, "sms", phoneNumber=PHONE)) == (403, "E0000079")


# The machine as a table: in each state, each request.

REQUESTS = {
    "verify": ("/factors/{}/verify", {"passCode": "x"}),
    "verify resend": ("/factors/{}/verify/resend", {}),
    "enrol": ("/factors", {"factorType": "token:software:totp", "provider": "GOOGLE"}),
    "activate": ("/factors/{}/lifecycle/activate", {"passCode": "x"}),
    "poll": ("/factors/{}/lifecycle/activate/poll", {"passCode": "x"}),
    "activate resend": ("/factors/{}/lifecycle/resend", {}),
    "previous": ("/previous", {}),
    "skip": ("/skip", {}),
    "look": ("", {}),
    "cancel": ("/cancel", {}),
}
NOT_NOW = (403, "E0000079")
WRONG = (403, "E0000068")
# For the user's sms; what is not in a row is not that state's turn.
MACHINE = {
    "MFA_REQUIRED": {"verify": WRONG, "look": "MFA_REQUIRED", "cancel": "cancelled"},
    "MFA_CHALLENGE": {
        "verify": WRONG,
        "verify resend": (429, "E0000109"),
        "previous": "MFA_REQUIRED",
        "look": "MFA_CHALLENGE",
        "cancel": "cancelled",
    },
    "MFA_ENROLL": {"enrol": "MFA_ENROLL_ACTIVATE", "look": "MFA_ENROLL", "cancel": "cancelled"},
    "MFA_ENROLL_ACTIVATE": {
        "activate": WRONG,
        "poll": WRONG,
        "activate resend": (429, "E0000109"),
        "previous": "MFA_ENROLL",
        "look": "MFA_ENROLL_ACTIVATE",
        "cancel": "cancelled",
    },
}


@pytest.mark.parametrize("request_name", REQUESTS)
@pytest.mark.parametrize("state", MACHINE)
def test_each_request_in_each_state(api, authority, request, state, request_name):
    person = request.getfixturevalue("nobody" if state.startswith("MFA_ENROLL") else "everything")
    told = api.begun()
    factor_id = "smsnone"
    if state == "MFA_ENROLL_ACTIVATE":
        told = enrolled(api, told, "sms", phoneNumber=PHONE).json()
        factor_id = told["_embedded"]["factor"]["id"]
    elif not state.startswith("MFA_ENROLL"):
        factor_id = told["_embedded"]["factors"][place(told, "sms")]["id"]
        if state == "MFA_CHALLENGE":
            told = api.verify(told, at=place(told, "sms")).json()
    assert told["status"] == state
    way, body = REQUESTS[request_name]
    reply = api.post(way.format(factor_id), {"stateToken": told["stateToken"], **body})
    expected = MACHINE[state].get(request_name, NOT_NOW)
    if expected == "cancelled":
        assert (reply.status_code, reply.json()) == (200, {})
    elif isinstance(expected, str):
        assert (reply.status_code, reply.json()["status"]) == (200, expected)
    else:
        assert error(reply) == expected
        if expected == NOT_NOW:
            sentence = "This operation is not allowed in the current authentication state."
            assert reply.json()["errorSummary"] == sentence
            assert reply.json()["errorCauses"] == [{"errorSummary": sentence}]
            assert api.post("", {"stateToken": told["stateToken"]}).json()["status"] == state
    assert person


def test_another_factor_than_the_one_that_is_challenged_is_not_its_turn(api, everything):
    told = api.begun()
    sent = api.verify(told, at=place(told, "sms")).json()
    assert error(api.verify(told, api.code(), place(told, "token:software:totp"))) == NOT_NOW
    back = api.go(sent["_links"]["prev"], sent).json()
    assert api.verify(back, api.code(), place(back, "token:software:totp")).json()["status"] == "SUCCESS"


def test_cancel_brings_the_relay_state_back_and_ends_the_state_token(api, authority):
    told = api.begun(relayState="/back")
    cancelled = api.go(told["_links"]["cancel"], told)
    assert (cancelled.status_code, cancelled.json()) == (200, {"relayState": "/back"})
    assert error(api.verify(told, api.code())) == (401, "E0000011")


# The state token's life.


def test_a_state_token_s_life_begins_anew_with_each_request(api, clock):
    told = api.begun()
    for _ in range(3):
        clock.sleep_ns(299 * NS)
        told = api.post("", {"stateToken": told["stateToken"]}).json()
    clock.sleep_ns(300 * NS)
    for reply in (api.post("", {"stateToken": told["stateToken"]}), api.verify(told, api.code())):
        assert error(reply) == (401, "E0000011")
        assert reply.json()["errorSummary"] == "Invalid token provided"


@pytest.mark.parametrize("state_token", ["00never", "x", "\u00e9", "Fe26.2*"])
def test_one_that_was_never_issued_is_not_good(api, state_token):
    assert error(api.post("", {"stateToken": state_token})) == (401, "E0000011")


def test_a_user_who_is_gone_takes_the_sign_in_along(api, store):
    told = api.begun()
    store.delete(User)
    assert error(api.post("", {"stateToken": told["stateToken"]})) == (401, "E0000011")


# The password.


@pytest.mark.parametrize("changed", [{"password": "wrong"}, {"username": "nobody@stoa.example"}])
def test_a_wrong_password_and_an_unknown_user_are_told_alike(api, changed):
    reply = api.sign_in(**changed)
    assert error(reply) == (401, "E0000004")
    assert (reply.json()["errorSummary"], reply.json()["errorCauses"]) == ("Authentication failed", [])


def test_who_tries_too_often_is_locked_out_and_the_tenant_says_whether_that_is_told(api, policy):
    for _ in range(10):
        api.sign_in(password="wrong")
    assert error(api.sign_in()) == (401, "E0000004")
    policy(show_lockout_failures=True)
    locked = api.sign_in()
    unlock = link("recovery/unlock", name="unlock")
    assert (locked.status_code, locked.json()) == (200, {"status": "LOCKED_OUT", "_links": {"next": unlock}})
    assert error(api.post(unlock["href"], {"username": "demo@stoa.example"})) == (403, "E0000032")


def test_policies_challenge_as_they_do_at_the_pages(api, authority, clock):
    statuses = {}
    for mode in ("never", "always", "adaptive", "rule"):
        authority.mfa.mode = mode
        statuses[mode] = api.begun()["status"]
    required = "MFA_REQUIRED"
    assert statuses == {"never": "SUCCESS", "always": required, "adaptive": "SUCCESS", "rule": required}
    api.device = "a new one"
    authority.mfa.mode = "adaptive"
    assert api.begun()["status"] == "MFA_REQUIRED"
    api.through()
    assert api.begun()["status"] == "SUCCESS"  # known by its deviceToken
    api.device = ""
    assert api.begun()["status"] == "MFA_REQUIRED"


def test_each_error_has_an_id_of_its_own(api):
    ids = {api.sign_in(password="wrong").json()["errorId"] for _ in range(3)}
    assert len(ids) == 3 and all(ERROR_ID.fullmatch(each) for each in ids)


def test_names_are_made_of_the_address(api, authority, store):
    authority.mfa.mode = "never"
    [user] = store.find(User)
    store.put(replace(user, username="anna.maria.berg@stoa.example"))
    profile = api.begun(username="anna.maria.berg@stoa.example")["_embedded"]["user"]["profile"]
    assert (profile["firstName"], profile["lastName"]) == ("Anna", "Maria Berg")
