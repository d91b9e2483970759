"""A push to the phone: asked for by the client, answered by a person, polled with mfa-oob."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from host_tools.authority import NotNow, snapshot
from host_tools.authority.control import Controls
from host_tools.authority.core.challenges import UnknownChallenge, answered, waited, waits_for_the_phone
from host_tools.authority.core.mfa_errors import MalformedOobCode, SpentMfaToken
from host_tools.authority.core.pacing import Pace
from host_tools.authority.core.records import OobChallenge
from host_tools.authority.core.token_endpoint import Credentials
from host_tools.clock import NS

from .mfa_wire import SECRET, App, add_person, claims_of, demo_person, give, refused
from .test_device_grant import at_once

PENDING = (403, "authorization_pending", "Authorization pending: please repeat the request in a few seconds.")
REJECTED = (403, "invalid_grant", "MFA Authorization rejected.")
EXPIRED = (403, "expired_token", "oob_code is expired")


def too_fast(interval_s: int) -> tuple[int, str, str]:
    return 429, "slow_down", f"You are polling faster than the specified interval of {interval_s} seconds."


@pytest.fixture
def zeno(store, authority):
    person = add_person(store)
    give(authority, person, "push", "Zeno's phone")
    return person


@pytest.fixture
def control(authority):
    return Controls(authority)


@pytest.fixture
def pushed(app, zeno):
    """The mfa_token and the oob_code of a push that nobody has answered."""
    mfa_token = app.mfa_token(zeno)
    return mfa_token, app.challenged(mfa_token)


def test_a_push_waits_for_the_phone_and_its_approval_brings_tokens_once(app, zeno, pushed, control, clock):
    assert refused(app.oob(*pushed)) == PENDING
    (waiting,) = control.pushes()
    assert (waiting.user_id, waiting.client_id, waiting.factor, waiting.status) == (
        zeno.user_id, "app", "push", "pending"
    )  # fmt: skip
    assert control.answer_push(approve=True).status == "approved"
    assert control.pushes() == []
    clock.sleep_ns(5 * NS)
    granted = app.oob(*pushed)
    assert granted.status_code == 200
    assert claims_of(granted.json()["access_token"])["amr"] == ["pwd", "mca", "mfa"]
    assert refused(app.oob(*pushed)) == (403, "expired_token", "mfa_token is invalid")


def test_how_fast_a_push_is_polled_is_a_part_of_the_state(app, pushed, authority, clock):
    assert refused(app.oob(*pushed)) == PENDING
    clock.sleep_ns(5 * NS)
    kept = snapshot.take(authority)
    clock.sleep_ns(5 * NS)
    assert refused(app.oob(*pushed)) == PENDING
    snapshot.put_back(authority, kept)
    clock.set_ns(kept.taken_at)
    assert refused(app.oob(*pushed)) == PENDING


def test_a_refusal_is_final(app, pushed, control, clock):
    control.answer_push(approve=False)
    for _ in range(3):
        assert refused(app.oob(*pushed)) == REJECTED
    clock.sleep_ns(300 * NS)
    assert refused(app.oob(*pushed)) == REJECTED
    with pytest.raises(NotNow):
        control.answer_push(approve=True)


def test_after_a_refusal_another_may_be_asked_for(app, pushed, control):
    control.answer_push(approve=False)
    mfa_token, _ = pushed
    again = app.challenged(mfa_token)
    control.answer_push(approve=True)
    assert app.oob(mfa_token, again).status_code == 200


def test_a_push_is_answered_once(authority, pushed, control):
    (waiting,) = control.pushes()
    authority.challenges.answer(waiting.challenge_id, approve=False)
    with pytest.raises(UnknownChallenge):
        authority.challenges.answer(waiting.challenge_id, approve=True)
    with pytest.raises(UnknownChallenge):
        authority.challenges.answer("never sent", approve=True)


def test_the_first_poll_is_never_too_fast_and_each_that_is_makes_the_interval_longer(app, pushed, clock):
    assert refused(app.oob(*pushed)) == PENDING
    clock.sleep_ns(5 * NS - 1)
    assert refused(app.oob(*pushed)) == too_fast(5)
    clock.sleep_ns(10 * NS - 1)
    assert refused(app.oob(*pushed)) == too_fast(10)
    clock.sleep_ns(15 * NS)
    assert refused(app.oob(*pushed)) == PENDING


def test_who_keeps_the_interval_is_never_told_to_slow_down(app, pushed, clock):
    for _ in range(20):
        assert refused(app.oob(*pushed)) == PENDING
        clock.sleep_ns(5 * NS)


def test_waiting_for_the_phone_writes_nothing_and_so_does_what_is_final(app, pushed, store, control, clock):
    written = store._connection.total_changes
    assert refused(app.oob(*pushed)) == PENDING
    assert refused(app.oob(*pushed)) == too_fast(5)
    clock.sleep_ns(10 * NS)
    assert refused(app.oob(*pushed)) == PENDING
    assert store._connection.total_changes == written
    control.answer_push(approve=False)
    written = store._connection.total_changes
    assert refused(app.oob(*pushed)) == REJECTED
    assert store._connection.total_changes == written


def test_each_push_has_a_pace_of_its_own(app, pushed):
    mfa_token, _ = pushed
    assert refused(app.oob(*pushed)) == PENDING
    assert refused(app.oob(mfa_token, app.challenged(mfa_token))) == PENDING
    assert refused(app.oob(*pushed)) == too_fast(5)


def test_an_approval_is_told_however_soon_it_is_asked_for(app, pushed, control):
    assert refused(app.oob(*pushed)) == PENDING
    assert refused(app.oob(*pushed)) == too_fast(5)
    control.answer_push(approve=True)
    assert app.oob(*pushed).status_code == 200


def test_a_push_lives_five_minutes(app, pushed, control, clock):
    clock.sleep_ns(300 * NS - 1)
    assert refused(app.oob(*pushed)) == PENDING
    assert len(control.pushes()) == 1
    clock.sleep_ns(1)
    assert control.pushes() == []
    with pytest.raises(NotNow):
        control.answer_push(approve=True)
    assert refused(app.oob(*pushed)) == EXPIRED
    assert refused(app.oob(*pushed)) == EXPIRED


def test_an_approval_that_was_not_fetched_in_time_expires(app, pushed, control, clock):
    control.answer_push(approve=True)
    clock.sleep_ns(300 * NS)
    assert refused(app.oob(*pushed)) == EXPIRED


def test_two_pushes_are_answered_apart(app, pushed, control, clock):
    mfa_token, first = pushed
    clock.sleep_ns(1)
    second = app.challenged(mfa_token)
    newest, older = control.pushes()
    assert newest.created_at > older.created_at
    assert control.answer_push(approve=False).challenge_id == newest.challenge_id
    assert refused(app.oob(mfa_token, second)) == REJECTED
    assert refused(app.oob(mfa_token, first)) == PENDING
    control.answer_push(approve=True, challenge_id=older.challenge_id)
    assert app.oob(mfa_token, first).status_code == 200


def test_an_approval_answers_the_request_it_was_asked_for_alone(app, zeno, pushed, control):
    other_token = app.mfa_token(zeno)
    other = app.challenged(other_token)
    _, oob_code = pushed
    assert refused(app.oob(other_token, oob_code))[1:] == (
        "invalid_request", "The oob_code doesn't match the mfa_token"
    )  # fmt: skip
    for waiting in control.pushes():
        control.answer_push(approve=True, challenge_id=waiting.challenge_id)
    assert app.oob(other_token, other).status_code == 200
    assert app.oob(*pushed).status_code == 200


def test_each_persons_pushes_are_their_own(app, zeno, store, authority, pushed, control):
    chrysippus = add_person(store, "chrysippus")
    give(authority, chrysippus, "push", "Another phone")
    app.challenged(app.mfa_token(chrysippus))
    (theirs,) = control.pushes(chrysippus.username)
    assert theirs.user_id == chrysippus.user_id
    control.answer_push(approve=False, user=chrysippus.username)
    assert [each.user_id for each in control.pushes()] == [zeno.user_id]


def test_a_typed_code_is_nothing_to_a_push_and_no_try(app, pushed, control, clock):
    for _ in range(12):
        assert refused(app.oob(*pushed, binding_code="000000")) == PENDING
        clock.sleep_ns(5 * NS)
    control.answer_push(approve=True)
    assert app.oob(*pushed, binding_code="000000").status_code == 200


def test_an_eleventh_push_is_refused_and_six_minutes_bring_one_more(app, zeno, control, clock):
    mfa_token = app.mfa_token(zeno)
    for _ in range(10):
        app.challenged(mfa_token)
    limited = app.challenge(mfa_token, "oob")
    assert refused(limited)[:2] == (429, "too_many_attempts")
    assert limited.headers["retry-after"] == "360"
    assert len(control.pushes()) == 10
    clock.sleep_ns(360 * NS)
    app.challenged(mfa_token)
    assert refused(app.challenge(mfa_token, "oob"))[:2] == (429, "too_many_attempts")


def test_the_display_asks_for_a_push_and_its_refusals_leave_the_refresh_token(
    http, store, tenant, authority, tokens, control, clock
):
    give(authority, demo_person(store, tenant), "push", "Phone")
    display = App(http, tenant.client_id, secret=None)
    authority.mfa.mode = "rule"
    for answer, heard in ((False, REJECTED), (None, EXPIRED), (True, None)):
        mfa_token = display.refresh(tokens["refresh_token"]).json()["mfa_token"]
        oob_code = display.challenged(mfa_token)
        if answer is None:
            clock.sleep_ns(300 * NS)
        else:
            control.answer_push(approve=answer)
        reply = display.oob(mfa_token, oob_code)
        if heard is not None:
            assert refused(reply) == heard
    assert reply.status_code == 200
    authority.mfa.mode = "never"
    assert display.refresh(reply.json()["refresh_token"]).status_code == 200


def test_many_polls_of_one_approval_at_once_bring_tokens_once(app, pushed, control, authority):
    control.answer_push(approve=True)
    client = Credentials("app", SECRET)
    granted, refusals = at_once(lambda: authority.mfa_grants.oob(client, *pushed, None))
    assert len(granted) == 1
    assert {type(error) for error in refusals} <= {SpentMfaToken, MalformedOobCode}


def test_many_answers_at_once_are_one(authority, pushed, control):
    (waiting,) = control.pushes()
    decisions = iter([True, False] * 4)
    answered = []

    def answer() -> None:
        with suppress(UnknownChallenge):
            answered.append(authority.challenges.answer(waiting.challenge_id, next(decisions)))

    at_once(answer)
    assert len(answered) == 1


HAPPENINGS = st.lists(st.tuples(st.integers(0, 100), st.sampled_from(["poll", "approve", "reject"])), max_size=40)


@given(HAPPENINGS)
def test_whatever_happens_a_push_counts_at_most_once_and_a_refusal_is_final(happenings):
    push = OobChallenge("h", "c", "t", "u", "app", "a", "push", None, "pending", 5, 0, 300 * NS)
    pace = Pace(5, push.expires_at)
    now, heard, intervals = 0, [], [5]
    for seconds, happening in happenings:
        now += seconds * NS
        if happening == "poll":
            if waits_for_the_phone(push, now):
                pace, refusal = waited(pace, now)
            else:
                push, refusal = answered(push, None, now)
            heard.append(refusal.description if refusal else "counts")
            intervals.append(pace.interval_s)
        elif push.status == "pending" and now < push.expires_at:
            push = replace(push, status="approved" if happening == "approve" else "rejected")
    assert heard.count("counts") <= 1
    assert heard[:1] != ["Polling faster than the interval."]
    assert intervals == sorted(intervals)
    for final, after in (("counts", "Malformed oob_code"), (REJECTED[2], REJECTED[2]), (EXPIRED[2], EXPIRED[2])):
        if final in heard:
            assert set(heard[heard.index(final) + 1 :]) <= {after}
