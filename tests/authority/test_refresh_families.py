"""Refresh token families by the client's settings: rotating or not, expiring or not, idle, leeway."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from host_tools.authority.core.records import Client, RefreshToken, TokenFamily
from host_tools.authority.core.refresh_tokens import standing
from host_tools.clock import NS

from .mfa_wire import add_app, add_person, refreshed, refused

DEAD = (403, "invalid_grant", "Unknown or invalid refresh token.")
DAY_NS = 86_400 * NS
YEARS_NS = 20 * 365 * DAY_NS


def test_a_rotating_client_is_given_another_each_time(app_with, store):
    app, token = app_with()
    held = [token]
    for _ in range(3):
        held.append(refreshed(app, held[-1]))
    assert len(set(held)) == 4


def test_a_client_that_keeps_its_token_is_given_none_and_uses_it_again_and_again(app_with, store, clock):
    app, token = app_with(refresh_rotates=False)
    for _ in range(5):
        assert refreshed(app, token) == token
        clock.sleep_ns(DAY_NS)
    assert len(store.find(RefreshToken)) == 1


@pytest.mark.parametrize("rotates", [True, False])
def test_without_a_lifetime_a_family_lasts_for_years(app_with, store, clock, rotates):
    app, token = app_with(refresh_rotates=rotates)
    assert store.find(TokenFamily)[0].expires_at is None
    clock.sleep_ns(YEARS_NS)
    token = refreshed(app, token)
    clock.sleep_ns(YEARS_NS)
    assert refreshed(app, token)


@pytest.mark.parametrize("rotates", [True, False])
def test_a_lifetime_is_absolute(app_with, clock, rotates):
    app, token = app_with(refresh_rotates=rotates, refresh_lifetime_s=100)
    for _ in range(9):
        clock.sleep_ns(10 * NS)
        token = refreshed(app, token)
    clock.sleep_ns(10 * NS - 1)
    token = refreshed(app, token)
    clock.sleep_ns(1)
    assert refused(app.refresh(token)) == DEAD


@pytest.mark.parametrize("rotates", [True, False])
def test_an_idle_lifetime_begins_again_with_each_use(app_with, clock, rotates):
    app, token = app_with(refresh_rotates=rotates, refresh_idle_s=60)
    for _ in range(10):
        clock.sleep_ns(60 * NS - 1)
        token = refreshed(app, token)
    clock.sleep_ns(60 * NS)
    assert refused(app.refresh(token)) == DEAD


def test_the_sooner_of_both_lifetimes_ends_it(app_with, clock):
    app, token = app_with(refresh_lifetime_s=100, refresh_idle_s=60)
    clock.sleep_ns(59 * NS)
    token = refreshed(app, token)
    clock.sleep_ns(41 * NS)
    assert refused(app.refresh(token)) == DEAD


def test_a_challenged_refresh_is_no_use_and_lets_it_go_idle(app_with, authority, clock):
    app, token = app_with(refresh_idle_s=60)
    authority.mfa.mode = "rule"
    for _ in range(5):
        clock.sleep_ns(11 * NS)
        assert app.refresh(token).json()["error"] == "mfa_required"
    authority.mfa.mode = "never"
    clock.sleep_ns(5 * NS)
    assert refused(app.refresh(token)) == DEAD


def test_siblings_of_one_lost_reply_are_both_the_newest(app_with, clock):
    app, token = app_with(refresh_leeway_s=10)
    lost = refreshed(app, token)
    sibling = refreshed(app, token)
    another = refreshed(app, token)
    assert len({token, lost, sibling, another}) == 4
    newest = refreshed(app, sibling)
    # Of the others each is the token before the newest now: good within the leeway, reuse after it.
    assert refreshed(app, lost)
    clock.sleep_ns(10 * NS)
    assert refused(app.refresh(another)) == DEAD
    assert refused(app.refresh(newest)) == DEAD


def test_the_leeway_counts_from_the_rotation_and_not_from_the_last_retry(app_with, clock):
    app, token = app_with(refresh_leeway_s=10)
    refreshed(app, token)
    for _ in range(3):
        clock.sleep_ns(3 * NS)
        refreshed(app, token)
    clock.sleep_ns(NS)
    assert refused(app.refresh(token)) == DEAD


@pytest.mark.parametrize("waited_ns", [0, 10 * NS - 1, 3600 * NS])
def test_a_second_to_last_token_ends_the_family_whatever_the_leeway(app_with, clock, waited_ns):
    app, first = app_with(refresh_leeway_s=10_000)
    second = refreshed(app, first)
    third = refreshed(app, second)
    clock.sleep_ns(waited_ns)
    assert refused(app.refresh(first)) == DEAD
    assert refused(app.refresh(second)) == DEAD
    assert refused(app.refresh(third)) == DEAD


def test_without_a_leeway_the_previous_token_ends_the_family_at_once(app_with):
    app, first = app_with(refresh_leeway_s=0)
    second = refreshed(app, first)
    assert refused(app.refresh(first)) == DEAD
    assert refused(app.refresh(second)) == DEAD


def test_a_wrong_scope_uses_no_token_up(app_with):
    app, token = app_with()
    assert refused(app.refresh(token, scope="write:quotes"))[:2] == (400, "invalid_scope")
    assert refreshed(app, token) != token


def test_a_family_is_its_clients_alone(app_with, http, store, tenant):
    app, token = app_with()
    other = add_app(http, store, tenant, "other")
    assert refused(other.refresh(token)) == DEAD
    assert other.token(token=token).status_code == 400  # and no reuse is made of it
    assert refreshed(app, token)


def test_a_client_that_stops_rotating_is_given_one_more_to_keep(app_with, store, clock):
    app, first = app_with(refresh_leeway_s=60)
    second = refreshed(app, first)
    store.put(replace(store.get(Client, "app"), refresh_rotates=False))
    kept = refreshed(app, second)
    assert kept not in (first, second)
    for _ in range(3):
        clock.sleep_ns(DAY_NS)
        assert refreshed(app, kept) == kept
    # The rotating family is gone, and that somebody brings one of it is no reuse of the token that is kept.
    assert [refused(app.refresh(each)) for each in (first, second)] == [DEAD] * 2
    assert refreshed(app, kept) == kept


def test_a_client_that_begins_to_rotate_swaps_the_token_it_kept(app_with, store):
    app, kept = app_with(refresh_rotates=False, refresh_leeway_s=60)
    assert refreshed(app, kept) == kept
    store.put(replace(store.get(Client, "app"), refresh_rotates=True))
    first = refreshed(app, kept)
    assert refused(app.refresh(kept)) == DEAD  # deleted, not reused: the leeway forgives no lost reply here
    second = refreshed(app, first)
    assert len({kept, first, second}) == 3
    assert refreshed(app, second)


def test_beginning_to_rotate_ends_what_the_users_other_devices_kept(app_with, store, zeno):
    app, kept = app_with(refresh_rotates=False)
    other_device = app.sign_in(zeno).json()["refresh_token"]
    other_person = app.sign_in(add_person(store, "chrysippus")).json()["refresh_token"]
    elsewhere, others_client = app_with("other", refresh_rotates=False)
    store.put(replace(store.get(Client, "app"), refresh_rotates=True))
    assert refreshed(app, kept) != kept
    assert refused(app.refresh(other_device)) == DEAD
    assert refreshed(app, other_person)
    assert refreshed(elsewhere, others_client)


def test_a_client_may_be_set_to_and_fro(app_with, store):
    app, token = app_with()
    held = [token]
    for rotates in (False, True, False, True):
        store.put(replace(store.get(Client, "app"), refresh_rotates=rotates))
        held.append(refreshed(app, held[-1]))
    assert len(set(held)) == 5
    assert len(store.find(RefreshToken)) == 1
    assert refreshed(app, held[-1])


def test_a_client_that_stops_rotating_within_a_lost_replys_leeway_is_given_the_newest(app_with, store):
    app, first = app_with(refresh_leeway_s=10)
    lost = refreshed(app, first)
    store.put(replace(store.get(Client, "app"), refresh_rotates=False))
    newest = refreshed(app, first)
    assert newest not in (first, lost)
    assert refreshed(app, newest) == newest


def test_turning_expiry_on_ends_no_family_that_began_without(app_with, store, clock):
    app, token = app_with()
    store.put(replace(store.get(Client, "app"), refresh_lifetime_s=60))
    clock.sleep_ns(DAY_NS)
    assert refreshed(app, token)


def family_of(client: Client, began_at: int, **changed) -> TokenFamily:
    family = TokenFamily(
        family_id="f",
        client_id=client.client_id,
        user_id="u",
        scope="read:quotes",
        audience=client.audience,
        auth_time_at=began_at,
        amr="pwd",
        generation=0,
        rotated_at=began_at,
        used_at=began_at,
        rotates=True,
        expires_at=None,
        revoked_at=None,
    )
    return replace(family, **changed)


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("present"), st.integers(0, 12)),
        st.tuples(st.just("wait"), st.sampled_from([0, 1, 9, 10, 11, 59, 60])),
    ),
    max_size=30,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS, leeway_s=st.sampled_from([0, 10]), idle_s=st.sampled_from([None, 60]))
def test_whatever_is_presented_only_the_newest_and_its_predecessor_are_ever_taken(
    authority, store, tenant, clock, steps, leeway_s, idle_s
):
    """Against a model that knows nothing but when each token was issued, and in which generation."""
    kept = store.get(Client, tenant.client_id)
    client = replace(kept, refresh_leeway_s=leeway_s, refresh_idle_s=idle_s, refresh_lifetime_s=None)
    family = family_of(client, clock.now_ns())
    store.put(family)
    issued = [(authority.refresh_tokens._issue(family), 0)]
    rotated_at = used_at = clock.now_ns()
    newest, dead = 0, False
    for what, number in steps:
        if what == "wait":
            clock.sleep_ns(number * NS)
            continue
        token, generation = issued[number % len(issued)]
        now = clock.now_ns()
        idle = idle_s is not None and now >= used_at + idle_s * NS
        in_leeway = generation == newest - 1 and now < rotated_at + leeway_s * NS
        taken = not dead and not idle and (generation == newest or in_leeway)
        presented = authority.refresh_tokens.presented(token, client)
        assert (presented.standing in ("newest", "within leeway")) is taken
        if taken:
            if generation == newest:
                newest, rotated_at = newest + 1, now
            used_at = now
            issued.append((authority.refresh_tokens.use(presented, client), newest))
        elif not idle:
            dead = True
    store.delete(RefreshToken, family_id="f")


def test_the_standing_of_a_token_is_a_matter_of_its_generation_and_the_time(store, tenant):
    client = replace(store.get(Client, tenant.client_id), refresh_leeway_s=10)
    family = family_of(client, 50 * NS, generation=5, expires_at=100 * NS)
    table = [
        (5, 55, "newest"),
        (4, 59, "within leeway"),
        (4, 60, "reused"),
        (3, 55, "reused"),
        (5, 100, "dead"),
        (4, 100, "dead"),
    ]
    assert [(generation, at, standing(family, generation, client, at * NS)) for generation, at, _ in table] == table
    assert standing(replace(family, revoked_at=1), 5, client, 55 * NS) == "dead"
