"""The sign-in API as it is served: which thread answers, what a page does meanwhile, and what a fault says there."""

from __future__ import annotations

import asyncio

import httpx2
import pytest

from host_tools.authority import StatusReply, start_authority
from host_tools.clock import VirtualClock
from tests.authority.conftest import START_NS, quote_of_day
from tests.authority.mfa_wire import PHONE, demo_person, give

from .okta_wire import AUTHN, V1, error

APP = {"factorType": "token:software:totp", "provider": "GOOGLE"}


def on_the_event_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


@pytest.mark.parametrize("state_token", [None, "of a sign-in", "of none"])
def test_a_password_is_hashed_off_the_event_loop(api, authority, monkeypatch, state_token):
    """argon2 is slow on purpose, and everybody else would wait for it."""
    if state_token == "of a sign-in":
        state_token = api.begun()["stateToken"]
    hashed, check_password = [], authority.users.check_password

    def told(*known):
        hashed.append(on_the_event_loop())
        return check_password(*known)

    monkeypatch.setattr(authority.users, "check_password", told)
    assert api.begun(**({"stateToken": state_token} if state_token else {}))["status"] == "MFA_REQUIRED"
    assert hashed == [False]


def test_an_enrolment_is_not_activated_once_a_page_has_given_its_user_a_factor(
    api, authority, store, tenant, monkeypatch
):
    """The page is in a thread of its own: between the look at what is pending and the transaction there is time."""
    person = demo_person(store, tenant)
    for each in authority.authenticators.of(person.user_id):
        authority.authenticators.remove(person.user_id, each.authenticator_id)
    begun = api.post("/factors", {"stateToken": api.begun()["stateToken"], **APP}).json()
    secret = begun["_embedded"]["factor"]["_embedded"]["activation"]["sharedSecret"]
    pending = authority.authn_enrolment._pending

    def looked(*asked):
        found = pending(*asked)
        give(authority, person, "sms", PHONE)
        return found

    monkeypatch.setattr(authority.authn_enrolment, "_pending", looked)
    refused = api.go(begun["_links"]["next"], begun, passCode=api.code(secret=secret))
    assert error(refused) == (403, "E0000079")
    assert authority.authenticators.of(person.user_id, "otp") == []


@pytest.fixture(scope="module")
def running():
    with start_authority(VirtualClock(START_NS), dialect="okta", quote_of_day=quote_of_day) as authority:
        yield authority


def struck(running, path: str, fault: StatusReply) -> httpx2.Response:
    running.control.set_fault(fault)
    reply = httpx2.post(f"{running.issuer.rstrip('/')}{path}")
    assert running.control.faults() == ()
    return reply


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (400, "E0000001"),
        (401, "E0000011"),
        (403, "E0000006"),
        (404, "E0000007"),
        (405, "E0000022"),
        (418, "E0000001"),
        (429, "E0000047"),
        (500, "E0000009"),
        (502, "E0000009"),
        (503, "E0000010"),
        (599, "E0000009"),
    ],
)
@pytest.mark.parametrize("path", [AUTHN, f"{AUTHN}/factors/ostx/verify"])
def test_a_status_has_okta_s_body_there(running, path, status, code):
    reply = struck(running, path, StatusReply("mfa", status, times=1))
    assert error(reply) == (status, code)
    assert reply.json()["errorSummary"].startswith(f"A fault that was set: {status} ")
    assert reply.headers.get("www-authenticate") == ('Bearer realm="fault"' if status == 401 else None)


@pytest.mark.parametrize(
    ("told", "code", "summary"),
    [
        ({"error": "E0000060"}, "E0000060", "A fault that was set: 403 Forbidden."),
        ({"error_description": "Unsupported operation."}, "E0000006", "Unsupported operation."),
        ({"error": "E0000060", "error_description": "Unsupported operation."}, "E0000060", "Unsupported operation."),
    ],
)
def test_it_is_in_the_fault_s_own_words_where_it_has_some(running, told, code, summary):
    reply = struck(running, AUTHN, StatusReply("mfa", 403, times=1, retry_after_s=7, **told))
    assert error(reply) == (403, code)
    assert (reply.json()["errorSummary"], reply.headers["retry-after"]) == (summary, "7")


@pytest.mark.parametrize(("body", "media_type"), [("html", "text/html"), ("empty", "")])
def test_what_stands_before_it_does_not_speak_okta(running, body, media_type):
    reply = struck(running, AUTHN, StatusReply("mfa", 503, times=1, body=body))
    assert (reply.status_code, reply.headers.get("content-type", "").partition(";")[0]) == (503, media_type)
    assert "errorCode" not in reply.text


@pytest.mark.parametrize(
    ("told", "body"),
    [
        (
            {},
            {"error": "temporarily_unavailable", "error_description": "A fault that was set: 503 Service Unavailable."},
        ),
        ({"error": "E1", "error_description": "Later."}, {"error": "E1", "error_description": "Later."}),
    ],
)
def test_at_the_token_endpoint_a_status_has_oauth_s_body(running, told, body):
    reply = struck(running, f"{V1}/token", StatusReply("token", 503, times=1, **told))
    assert (reply.status_code, reply.json()) == (503, body)
