"""RFC 8628 with Auth0's statuses and sentences, seen from the device."""

from __future__ import annotations

import re
import threading
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from host_tools.authority.core.device_grants import polled
from host_tools.authority.core.errors import InvalidGrant, InvalidRefreshToken, OAuthError
from host_tools.authority.core.pacing import Pace
from host_tools.authority.core.records import Client, DeviceGrant
from host_tools.authority.core.token_endpoint import Credentials
from host_tools.authority.core.user_code import UserCodes
from host_tools.clock import NS


def error(reply) -> tuple[int, str, str]:
    return reply.status_code, reply.json()["error"], reply.json()["error_description"]


PENDING = (403, "authorization_pending", "User has yet to authorize device code.")
EXPIRED = (403, "expired_token", "The device code has expired.")
SPENT = (403, "invalid_grant", "Invalid or expired device code.")
DENIED = (403, "access_denied", "User cancelled the confirmation prompt.")


def too_fast(interval: int) -> tuple[int, str, str]:
    return 429, "slow_down", f"You are polling faster than the specified interval of {interval} seconds."


def test_the_device_gets_all_it_needs_to_ask_a_person(display):
    reply = display.ask()
    begun = reply.json()
    assert reply.status_code == 200
    assert reply.headers["cache-control"] == "no-store"
    assert set(begun) == {
        "device_code", "user_code", "verification_uri", "verification_uri_complete", "expires_in", "interval"
    }  # fmt: skip
    assert re.fullmatch(r"[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}", begun["user_code"])
    assert begun["verification_uri"] == "http://127.0.0.1:8080/activate"
    assert begun["verification_uri_complete"] == f"http://127.0.0.1:8080/activate?user_code={begun['user_code']}"
    assert (begun["expires_in"], begun["interval"]) == (900, 5)
    assert len(begun["device_code"]) >= 43  # 256 bits


def test_the_first_poll_is_never_too_fast(display):
    assert error(display.poll(display.ask().json()["device_code"])) == PENDING


def test_each_poll_that_is_too_fast_makes_the_interval_five_seconds_longer(display, clock):
    code = display.ask().json()["device_code"]
    assert error(display.poll(code)) == PENDING
    clock.sleep_ns(5 * NS - 1)
    assert error(display.poll(code)) == too_fast(5)
    clock.sleep_ns(9 * NS)
    assert error(display.poll(code)) == too_fast(10)
    clock.sleep_ns(15 * NS)
    assert error(display.poll(code)) == PENDING


def test_a_device_that_keeps_the_interval_is_never_told_to_slow_down(display, clock):
    code = display.ask().json()["device_code"]
    for _ in range(20):
        assert error(display.poll(code)) == PENDING
        clock.sleep_ns(5 * NS)


def test_expiry_is_told_exactly_once(display, clock):
    code = display.ask().json()["device_code"]
    clock.sleep_ns(900 * NS - 1)
    assert error(display.poll(code)) == PENDING
    clock.sleep_ns(1)
    assert error(display.poll(code)) == EXPIRED
    assert error(display.poll(code)) == SPENT
    assert error(display.poll(code)) == SPENT


def test_tokens_are_given_once(display, browser):
    begun = display.ask().json()
    browser.decide(begun["user_code"])
    granted = display.poll(begun["device_code"])
    assert granted.status_code == 200
    assert granted.headers["cache-control"] == "no-store"
    assert granted.json().keys() == {"access_token", "refresh_token", "scope", "expires_in", "token_type"}
    assert granted.json()["token_type"] == "Bearer"
    assert granted.json()["expires_in"] == 86400
    assert error(display.poll(begun["device_code"])) == SPENT


def test_an_approval_that_was_not_fetched_in_time_expires(display, browser, clock):
    begun = display.ask().json()
    browser.decide(begun["user_code"])
    clock.sleep_ns(900 * NS)
    assert error(display.poll(begun["device_code"])) == EXPIRED


def test_a_refusal_is_told(display, browser):
    begun = display.ask().json()
    page = browser.decide(begun["user_code"], "deny")
    assert "Not connected" in page.text
    assert error(display.poll(begun["device_code"])) == DENIED
    assert error(display.poll(begun["device_code"])) == DENIED


def test_a_user_code_is_answered_once(display, browser):
    begun = display.ask().json()
    browser.decide(begun["user_code"])
    again = browser.type_code(begun["user_code"])
    assert again.status_code == 400
    assert "No device is waiting with this code" in again.text


def test_an_expired_user_code_is_unknown(display, browser, clock):
    begun = display.ask().json()
    clock.sleep_ns(900 * NS)
    assert "No device is waiting with this code" in browser.type_code(begun["user_code"]).text


def test_without_offline_access_there_is_no_refresh_token(display, browser):
    begun = display.ask(scope="read:quotes").json()
    browser.decide(begun["user_code"])
    granted = display.poll(begun["device_code"]).json()
    assert "refresh_token" not in granted
    assert granted["scope"] == "read:quotes"


def test_scopes_the_client_may_not_have_are_left_out(display, browser):
    begun = display.ask(scope="offline_access read:quotes delete:everything").json()
    browser.decide(begun["user_code"])
    assert display.poll(begun["device_code"]).json()["scope"] == "read:quotes offline_access"


def test_a_device_code_is_bound_to_its_client(display, browser, store, tenant):
    other = replace(store.get(Client, tenant.client_id), client_id="another")
    store.put(other)
    begun = display.ask().json()
    browser.decide(begun["user_code"])
    assert error(display.poll(begun["device_code"], client_id="another")) == SPENT
    assert display.poll(begun["device_code"]).status_code == 200


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"client_id": "nobody"}, (401, "invalid_client")),
        ({"client_id": ""}, (400, "invalid_request")),
        ({"audience": "https://elsewhere.example/"}, (400, "invalid_target")),
    ],
)
def test_a_wrong_device_request_is_refused(display, changed, expected):
    assert error(display.ask(**changed))[:2] == expected


def test_a_wrong_token_request_is_refused(display, http):
    assert error(display.poll("never-issued")) == SPENT
    assert error(display.poll("x", client_id="nobody"))[:2] == (401, "invalid_client")
    assert error(display.poll(""))[2] == "Missing required parameter: device_code"
    assert error(http.post("/oauth/token", data={"grant_type": "implicit"}))[:2] == (400, "unsupported_grant_type")
    assert error(http.post("/oauth/token", data={}))[:2] == (400, "invalid_request")


def test_json_bodies_are_read_at_the_token_endpoint_as_auth0_does(display, http, tenant):
    code = display.ask().json()["device_code"]
    fields = {"client_id": tenant.client_id, "device_code": code}
    reply = http.post("/oauth/token", json={**fields, "grant_type": "urn:ietf:params:oauth:grant-type:device_code"})
    assert error(reply) == PENDING


def test_the_device_code_is_not_kept_in_the_clear(display, store):
    code = display.ask().json()["device_code"]
    assert code not in repr(store.find(DeviceGrant))


def test_a_code_is_understood_however_it_is_typed():
    for entry in ("WDJB-MJHT", "wdjbmjht", " wdjb mjht ", "Wdjb_Mjht.", "w-d-j-b-m-j-h-t"):
        assert UserCodes().normalised(entry) == "WDJBMJHT"
    for entry in ("", "WDJB-MJH", "WDJB-MJHTX", "12345678", "W" * 10_000, "<script>"):
        assert UserCodes().normalised(entry) is None


MOMENTS = st.lists(st.tuples(st.integers(0, 400), st.sampled_from(["poll", "approve", "deny"])), max_size=40)


@given(MOMENTS)
def test_whatever_happens_tokens_and_expiry_come_at_most_once(moments):
    grant = DeviceGrant("h", "WDJBMJHT", "c", "s", "a", "pending", 5, 0, 900 * NS, None, None, None, "")
    pace = Pace(grant.interval_s, grant.expires_at)
    now, heard, intervals = 0, [], [5]
    for seconds, happening in moments:
        now += seconds * NS
        if happening == "poll":
            grant, pace, refusal = polled(grant, pace, now)
            heard.append(refusal.error if refusal else "tokens")
            intervals.append(pace.interval_s)
        elif grant.status == "pending" and now < grant.expires_at:
            grant = replace(grant, status="approved" if happening == "approve" else "denied")
    assert heard.count("tokens") <= 1
    assert heard.count("expired_token") <= 1
    assert "slow_down" not in heard[:1]
    assert intervals == sorted(intervals)
    for final in ("tokens", "expired_token"):
        if final in heard:
            assert set(heard[heard.index(final) + 1 :]) <= {"invalid_grant"}


def test_many_polls_at_once_get_tokens_once(display, browser, authority, tenant):
    begun = display.ask().json()
    browser.decide(begun["user_code"])
    client = Credentials(tenant.client_id)
    granted, refused = at_once(lambda: authority.tokens.redeem_device_code(client, begun["device_code"]))
    assert (len(granted), {type(error) for error in refused}) == (1, {InvalidGrant})


def test_many_refreshes_at_once_rotate_once(tokens, authority, tenant):
    client = Credentials(tenant.client_id)
    granted, refused = at_once(lambda: authority.tokens.refresh(client, tokens["refresh_token"], None))
    assert (len(granted), {type(error) for error in refused}) == (1, {InvalidRefreshToken})


def at_once(call, times=8):
    """The results and the refusals of many threads that call together."""
    start = threading.Barrier(times)
    granted, refused = [], []

    def run() -> None:
        start.wait()
        try:
            granted.append(call())
        except OAuthError as error:
            refused.append(error)

    threads = [threading.Thread(target=run) for _ in range(times)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(granted) + len(refused) == times
    return granted, refused


@given(st.text())
def test_normalising_gives_a_code_or_nothing(entry):
    code = UserCodes().normalised(entry)
    assert code is None or re.fullmatch(r"[BCDFGHJKLMNPQRSTVWXZ]{8}", code)
