"""What finds no room when a phone is asked: the code comes all the same, and no phone rings twice. On the desk."""

from __future__ import annotations

import builtins
import sys

import pytest

from stoa import heap, log
from stoa.auth import push
from stoa.obstacle import NoRoom
from tests.campaigns.test_wakes import DOCUMENT
from tests.desk import desk_firmware
from tests.unit.mfa_tenant import PENDING, REJECTED, Tenant, granted


@pytest.fixture(scope="module", autouse=True)
def firmware():
    with desk_firmware():
        yield


@pytest.fixture
def not_loaded(monkeypatch):
    """Modules that find no room when they are loaded, and how often yet."""
    load, times = builtins.__import__, {}

    def without_room(name, *arguments):
        if times.get(name, 0):
            times[name] -= 1
            raise MemoryError
        return load(name, *arguments)

    monkeypatch.setattr(builtins, "__import__", without_room)
    return times


def once_shown(tenant, screen, then):
    """Call `then` when the screen is on the glass."""
    show = tenant.desk.show

    def showing(name, *arguments):
        shown = show(name, *arguments)
        if name == screen:
            then()
        return shown

    tenant.desk.show = showing


def fails_once(monkeypatch, owner, name, at=lambda *arguments: True):
    """The next call of a function that `at` is true of finds no room."""
    call, failed = getattr(owner, name), []

    def without_room(*arguments, **named):
        if not failed and at(*arguments):
            failed.append(arguments)
            raise MemoryError
        return call(*arguments, **named)

    monkeypatch.setattr(owner, name, without_room)
    return failed


# Room enough at the second try.


@pytest.mark.parametrize("what", ["listed", "challenge", "oob"])
def test_a_request_without_room_is_taken_up_again_and_the_phone_rings_once(what):
    tenant = Tenant()
    tenant.oob = granted("refresh-secret-2")
    setattr(tenant, what, [NoRoom(), getattr(tenant, what)])
    tenant.wake()
    assert tenant.shows() == ["push", "quote"]
    # The first of the two has not left the board.
    assert tenant.count(what) == 2
    assert len(tenant.told("memory")) == 1
    assert tenant.desk.vault_token() == "refresh-secret-2"


def test_a_step_that_cannot_be_loaded_at_first_asks_the_phone_at_the_second_try(not_loaded):
    tenant = Tenant()
    tenant.oob = granted("refresh-secret-2")
    not_loaded["stoa.pushing"] = 1
    once_shown(tenant, "push", lambda: not_loaded.update({"stoa.pushing": 1}))
    tenant.wake()
    assert tenant.shows() == ["push", "quote"] and tenant.count("challenge") == 1
    assert len(tenant.told("memory")) == 2


def test_each_step_of_a_wake_has_its_own_second_try():
    tenant = Tenant()
    tenant.oob, tenant.device = REJECTED, granted("refresh-secret-2")
    requests = "refresh", "listed", "code", "api"
    for what in requests:
        setattr(tenant, what, [NoRoom(), getattr(tenant, what)])
    tenant.wake()
    assert tenant.shows() == ["push", "mfa", "quote"]
    assert [tenant.count(what) for what in requests] == [2, 2, 2, 2]
    assert len(tenant.told("memory")) == 4


# And where there is none, the code.


def check_code(tenant, before=()):
    """A wake that showed `before`, and then a code that nobody answered, has ended as one without a push."""
    assert tenant.shows() == [*before, "mfa", "waiting"]
    assert tenant.desk.vault_token() == "refresh-secret-1"
    assert "reason=needs_human" in tenant.told("sleep")[0]
    assert tenant.state["asked"] == 1 and "push" not in tenant.state


def test_a_push_that_cannot_be_loaded_is_a_code(not_loaded):
    tenant = Tenant()
    not_loaded["stoa.pushing"] = 2
    tenant.wake()
    check_code(tenant)
    assert tenant.count("listed") == 0 and len(tenant.told("memory")) == 2
    tenant.wake_when_it_is_due()
    assert tenant.shows() == ["push", "mfa", "waiting"]


def test_a_push_that_cannot_be_loaded_again_when_the_phone_has_rung_is_a_code(not_loaded):
    tenant = Tenant()
    once_shown(tenant, "push", lambda: not_loaded.update({"stoa.pushing": 2}))
    tenant.wake()
    check_code(tenant, before=["push"])
    assert tenant.count("challenge") == 1 and tenant.count("oob") == 0


@pytest.mark.parametrize("what", ["listed", "challenge"])
def test_a_request_that_finds_no_room_twice_is_a_code(what):
    tenant = Tenant()
    setattr(tenant, what, NoRoom())
    tenant.wake()
    check_code(tenant)
    assert tenant.count(what) == 2, "neither has left the board"


@pytest.mark.parametrize("event", ["start", "reply"])
def test_room_that_runs_out_before_the_phone_rings_is_a_code(monkeypatch, event):
    tenant = Tenant()
    failed = fails_once(monkeypatch, push, "step", lambda state, given, now: given[0] == event)
    tenant.wake()
    assert failed and tenant.count("challenge") == 0
    check_code(tenant)


@pytest.mark.parametrize("event", ["shown", "tick"])
def test_room_that_runs_out_while_the_phone_rings_is_a_code(monkeypatch, event):
    tenant = Tenant()
    failed = fails_once(monkeypatch, push, "step", lambda state, given, now: given[0] == event)
    tenant.wake()
    assert failed and tenant.count("challenge") == 1
    check_code(tenant, before=["push"])


def test_a_challenge_that_was_sent_is_not_sent_again_however_little_room_there_was_for_its_answer(monkeypatch):
    tenant = Tenant()
    tenant.challenge = MemoryError()
    # Not even for the words of that.
    failed = fails_once(monkeypatch, heap, "tell_it_is_full")
    tenant.wake()
    assert failed and tenant.count("challenge") == 1
    check_code(tenant)


def test_a_push_that_cannot_be_drawn_ends_the_wake_and_the_phone_does_not_ring_again():
    tenant = Tenant()
    show = tenant.desk.show

    def without_room(screen, *arguments):
        if screen == "push":
            raise MemoryError
        return show(screen, *arguments)

    tenant.desk.show = without_room
    tenant.wake()
    assert tenant.count("challenge") == 1 and "reason=memory" in tenant.told("sleep")[0]
    tenant.wake_when_it_is_due()
    assert tenant.count("challenge") == 0
    check_code(tenant)


# What was in the way of it.

WITHOUT_A_PUSH = {
    "switched off": {"settings": {"STOA_PUSH": "off"}},
    "no MFA API": {"document": DOCUMENT},
    "in quiet hours": {"settings": {"STOA_QUIET": "11:00-14:00", "STOA_TZ": "UTC0"}},
    "in vain": {"oob": (403, {"error": "unauthorized_client"}, {})},
    "nobody looks": {"oob": PENDING},
}


@pytest.mark.parametrize("why", [*WITHOUT_A_PUSH, "no room"])
def test_the_mfa_token_is_let_go_of_before_a_code_is_asked_for(monkeypatch, not_loaded, why):
    asking, held = sys.modules["stoa.asking"], []
    run = asking.run
    monkeypatch.setattr(asking, "run", lambda errand: (held.append(errand.mfa_token), run(errand))[1])
    changes = dict(WITHOUT_A_PUSH.get(why, {}))
    tenant = Tenant(changes.pop("settings", None))
    for name, value in changes.items():
        setattr(tenant, name, value)
    if why == "no room":
        not_loaded["stoa.pushing"] = 2
    tenant.wake("button")
    assert tenant.shows()[-2:] == ["mfa", "waiting"]
    # Before the code is on the glass, and after.
    assert held == [None, None]


# A yes, and no room after it.


def test_room_that_runs_out_when_the_token_is_stored_ends_the_wake_and_the_next_one_has_its_quote(monkeypatch):
    tenant = Tenant()
    tenant.oob = granted("refresh-secret-2")
    failed = fails_once(monkeypatch, log, "say", lambda event: event == "push")
    tenant.wake()
    assert failed and "reason=memory" in tenant.told("sleep")[0]
    assert "mfa" not in tenant.shows() and tenant.count("code") == 0
    assert tenant.desk.vault_token() == "refresh-secret-2"
    tenant.wake_when_it_is_due()
    assert tenant.shows() == ["quote"] and tenant.count("challenge") == tenant.count("refresh") == 0


# A push on the glass, and no room for the code that it promises.


def without_room_for_the_code(not_loaded):
    tenant = Tenant()
    once_shown(tenant, "push", lambda: not_loaded.update({"stoa.asking": 2}))
    tenant.wake()
    assert "reason=memory" in tenant.told("sleep")[0] and tenant.count("challenge") == 1
    assert 60 <= tenant.desk.slept_until - tenant.desk.now() <= 150
    return tenant


def test_the_code_that_a_push_promises_comes_soon_with_a_new_heap(not_loaded):
    tenant = without_room_for_the_code(not_loaded)
    tenant.wake_when_it_is_due()
    assert tenant.shows() == ["mfa", "waiting"] and tenant.count("challenge") == 0
    assert "memory_soon" not in tenant.state


def test_it_comes_soon_once_and_then_as_after_any_shortage(not_loaded):
    tenant = without_room_for_the_code(not_loaded)
    not_loaded["stoa.asking"] = 2
    tenant.wake_when_it_is_due()
    assert "push" in tenant.state and "reason=memory" in tenant.told("sleep")[0]
    assert tenant.desk.slept_until - tenant.desk.now() >= 3600
