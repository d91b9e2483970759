"""Refresh tokens of a public client: rotation, reuse, leeway, revocation."""

from __future__ import annotations

from dataclasses import replace

import pytest

from host_tools.authority.core.records import Client, RefreshToken, TokenFamily
from host_tools.clock import NS

DEAD = (403, {"error": "invalid_grant", "error_description": "Unknown or invalid refresh token."})


def answer(reply):
    return reply.status_code, reply.json()


def set_client(store, tenant, **changed) -> None:
    store.put(replace(store.get(Client, tenant.client_id), **changed))


def test_each_refresh_gives_new_tokens_of_the_same_scope(display, tokens):
    once = display.refresh(tokens["refresh_token"])
    assert once.status_code == 200
    assert once.headers["cache-control"] == "no-store"
    twice = display.refresh(once.json()["refresh_token"]).json()
    assert len({tokens["refresh_token"], once.json()["refresh_token"], twice["refresh_token"]}) == 3
    assert twice["scope"] == tokens["scope"]
    assert display.quote(twice["access_token"]).status_code == 200


def test_reuse_of_an_older_token_ends_the_family(display, tokens):
    newest = display.refresh(tokens["refresh_token"]).json()["refresh_token"]
    assert answer(display.refresh(tokens["refresh_token"])) == DEAD
    assert answer(display.refresh(newest)) == DEAD


def test_reuse_ends_only_its_own_family(display, browser, tokens):
    begun = display.ask().json()
    browser.decide(begun["user_code"])
    other = display.poll(begun["device_code"]).json()["refresh_token"]
    display.refresh(tokens["refresh_token"])
    display.refresh(tokens["refresh_token"])
    assert display.refresh(other).status_code == 200


def test_within_the_leeway_a_lost_reply_is_forgiven(display, tokens, store, tenant, clock):
    set_client(store, tenant, refresh_leeway_s=3)
    lost = display.refresh(tokens["refresh_token"]).json()["refresh_token"]
    clock.sleep_ns(3 * NS - 1)
    again = display.refresh(tokens["refresh_token"])
    assert again.status_code == 200
    assert again.json()["refresh_token"] != lost
    assert display.refresh(again.json()["refresh_token"]).status_code == 200


def test_after_the_leeway_the_previous_token_is_reuse(display, tokens, store, tenant, clock):
    set_client(store, tenant, refresh_leeway_s=3)
    newest = display.refresh(tokens["refresh_token"]).json()["refresh_token"]
    clock.sleep_ns(3 * NS)
    assert answer(display.refresh(tokens["refresh_token"])) == DEAD
    assert answer(display.refresh(newest)) == DEAD


def test_within_the_leeway_the_second_to_last_token_is_still_reuse(display, tokens, store, tenant):
    set_client(store, tenant, refresh_leeway_s=60)
    second = display.refresh(tokens["refresh_token"]).json()["refresh_token"]
    third = display.refresh(second).json()["refresh_token"]
    assert answer(display.refresh(tokens["refresh_token"])) == DEAD
    assert answer(display.refresh(third)) == DEAD


def test_rotation_does_not_extend_the_lifetime(display, tokens, store, tenant, clock):
    lifetime = store.get(Client, tenant.client_id).refresh_lifetime_s
    clock.sleep_ns((lifetime - 1) * NS)
    last = display.refresh(tokens["refresh_token"]).json()["refresh_token"]
    clock.sleep_ns(1 * NS)
    assert answer(display.refresh(last)) == DEAD


def test_a_refresh_may_ask_for_less_and_not_for_more(display, tokens):
    less = display.refresh(tokens["refresh_token"], scope="offline_access").json()
    assert less["scope"] == "offline_access"
    assert display.quote(less["access_token"]).status_code == 403
    more = display.refresh(less["refresh_token"], scope="read:quotes write:quotes")
    assert (more.status_code, more.json()["error"]) == (400, "invalid_scope")
    # RFC 9700: the new refresh token's scope is the old one's, and a refused request has not used it up.
    assert display.refresh(less["refresh_token"]).json()["scope"] == tokens["scope"]


def test_a_refresh_token_is_bound_to_its_client(display, tokens, store, tenant):
    store.put(replace(store.get(Client, tenant.client_id), client_id="another"))
    assert answer(display.refresh(tokens["refresh_token"], client_id="another")) == DEAD
    assert display.refresh(tokens["refresh_token"]).status_code == 200


def test_revocation_ends_the_family_and_says_nothing(display, http, tokens, tenant):
    newest = display.refresh(tokens["refresh_token"]).json()["refresh_token"]
    for token in (newest, "never-issued"):
        reply = http.post("/oauth/revoke", data={"client_id": tenant.client_id, "token": token})
        assert (reply.status_code, reply.content) == (200, b"")
    assert answer(display.refresh(newest)) == DEAD


def test_only_hashes_of_refresh_tokens_are_kept(tokens, store):
    kept = repr(store.find(RefreshToken)) + repr(store.find(TokenFamily))
    assert tokens["refresh_token"] not in kept
    assert len(store.find(RefreshToken)) == 1


@pytest.mark.parametrize("token", ["x", "v1." + "A" * 60, "' OR 1=1 --", "tök€n", "a" * 60_000])
def test_an_unknown_refresh_token_is_invalid(display, token):
    assert answer(display.refresh(token)) == DEAD
