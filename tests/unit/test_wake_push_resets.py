"""A push that a reset, the watchdog or a defect broke off: the phone rings once, and the code follows. On the desk."""

from __future__ import annotations

import pytest

from tests.desk import DAY_S, NOON, Reset, desk_firmware
from tests.unit.mfa_tenant import ACCOUNT, Tenant, granted


@pytest.fixture(scope="module", autouse=True)
def firmware():
    with desk_firmware():
        yield


@pytest.mark.parametrize("by", ["boot", "alarm"])
def test_reset_again_and_again_it_asks_the_phone_once(by):
    """The reset comes after ever more that the board has done, and between two resets nothing is slept."""
    challenged = 0
    for steps in range(1, 120):
        tenant = Tenant()
        tenant.desk.steps_left, tenant.desk.ends_by = steps, Reset
        rung = 0
        for _ in range(4):
            ending = tenant.wake()
            rung += tenant.count("challenge")
            if ending == "slept":
                break
            tenant.desk.steps_left = steps
            tenant.desk.woken_by = by
        assert rung <= 1, steps
        challenged += rung
        # The asking is over by now, or was never begun; the next one may ask the phone again.
        tenant.desk.steps_left = None
        tenant.wake("boot")
        if "push" not in tenant.state:
            tenant.wake("button")
            assert tenant.count("challenge") == 1
    assert challenged > 50


def test_after_a_reset_at_the_push_the_code_is_asked_for_and_counts():
    tenant = Tenant()
    # document 2, refresh 2, list 2, challenge 2, glass 1, wait 1, and in the midst of the poll.
    tenant.desk.steps_left, tenant.desk.ends_by = 11, Reset
    assert tenant.wake() == "reset"
    assert tenant.shows() == ["push"] and tenant.count("oob") == 1
    assert tenant.state["push"] == {"is": "polling"} and tenant.state["asked"] == 1
    tenant.wake("boot")
    assert tenant.shows() == ["mfa", "waiting"]
    assert tenant.told("push") == ["stoa push detail=none outcome=asked"]
    assert tenant.state["asked"] == 2 and "push" not in tenant.state


def test_after_a_defect_at_the_push_the_phone_is_left_alone():
    tenant = Tenant()
    answered = tenant.desk.answer

    def broken(method, url, fields):
        if tenant.what(method, url, fields) == "oob":
            raise KeyError
        return answered(method, url, fields)

    tenant.desk.answer = broken
    assert tenant.desk.wake() == "slept"
    assert tenant.told("defect") and tenant.count("challenge") == 1
    tenant.desk.answer = answered
    tenant.wake_when_it_is_due()
    assert tenant.count("challenge") == 0 and tenant.shows() == ["mfa", "waiting"]


def test_while_a_code_on_the_glass_can_be_answered_no_authenticator_rings():
    tenant = Tenant({"STOA_PUSH": "off"})
    tenant.desk.steps_left, tenant.desk.ends_by = 20, Reset
    assert tenant.wake() == "reset"
    assert tenant.shows() == ["mfa"] and "push" not in tenant.state
    del tenant.desk.settings["STOA_PUSH"]
    tenant.device = granted("refresh-secret-2")
    tenant.wake("boot")
    assert tenant.count("listed") == tenant.count("challenge") == tenant.count("code") == 0
    assert tenant.shows()[-1] == "quote"


def push_cut_short(by, begun_by="alarm", **state):
    """A tenant whose display is reset in the midst of its first poll for a phone's answer, and then wakes so."""
    tenant = Tenant(**state)
    tenant.desk.steps_left, tenant.desk.ends_by = 11, Reset
    assert tenant.wake(begun_by) == "reset"
    assert tenant.count("challenge") == tenant.count("oob") == 1
    tenant.desk.woken_by = by
    return tenant


def test_a_push_that_the_watchdog_ended_is_taken_up_and_the_code_that_it_promised_comes():
    tenant = push_cut_short(by="watchdog")
    assert tenant.wake() == "slept"
    assert tenant.shows() == ["mfa", "waiting"]
    assert tenant.count("challenge") == 0
    assert "reason=needs_human" in tenant.told("sleep")[0]
    # And the watchdog of some other day is taken up again.
    assert "hung" not in tenant.state


def test_so_it_does_where_somebody_pressed_the_button_sooner_than_the_display_would_have_asked():
    in_a_week = NOON + 7 * DAY_S
    tenant = push_cut_short(by="watchdog", begun_by="button", account=ACCOUNT, asked=9, ask_at=in_a_week)
    tenant.wake()
    assert tenant.shows() == ["mfa", "waiting"] and tenant.count("challenge") == 0
    assert tenant.state["ask_at"] >= in_a_week


@pytest.mark.parametrize("steps", [0, 3])
def test_what_hangs_again_after_a_push_has_hung(steps):
    tenant = push_cut_short(by="watchdog")
    tenant.desk.steps_left = steps
    assert tenant.wake() == "reset"
    assert tenant.wake() == "slept"
    assert tenant.asked == [] and tenant.shows() == []
    assert "reason=hung" in tenant.told("sleep")[0]
    assert tenant.desk.slept_until - tenant.desk.now() >= 6 * 3600
    # Slept off, it is asked after as ever, and the phone is not.
    tenant.wake_when_it_is_due()
    assert tenant.shows() == ["mfa", "waiting"] and tenant.count("challenge") == 0
