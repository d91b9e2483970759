"""A paired display through a day of each fault: it sleeps, keeps to its budget, and is well again by itself."""

import pytest

from host_tools.clock import NS
from host_tools.virtual_board.faults import KINDS

ARGUMENTS = {
    "battery": ":3000",
    "button-floating": ":BUTTON_A",
    "button-stuck": ":BUTTON_A",
    "drip": ":100",
    "ntp-wrong": ":8640000",
    "power": ":flash:1:torn",
    "sleep-clock": ":9000",
    "truncate": ":40",
}
FAULTS = [name + ARGUMENTS.get(name, "") for name in KINDS]
FAULTS += ["wifi-password:15", "brown-out:400", "hard-fault:400", "hang:net.recv", "ntp-wrong:-8640000", "battery:0"]
# A rotated token may be lost with these, and this server has no grace: even a perfect device would have to ask.
MAY_LOSE_A_TOKEN = ("power", "lost-reply", "stall", "truncate", "content-type", "huge-body")
DAY_NS = 86_400 * NS


@pytest.mark.parametrize("fault", FAULTS)
def test_a_day_of_it(home, fault):
    home.wake_now()
    home.board.faults.set(fault)
    began_ns, wakes, seen = home.clock.now_ns(), [], []
    while home.clock.now_ns() < began_ns + 30 * 3600 * NS:
        if home.board.state.sleeping is not None:
            assert home.board.state.sleeping.until_ns is not None, "a wake with no alarm set"
        home.board.sleep()
        home.screens.clear()
        wakes.append(home.board.wake())
        assert wakes[-1].failure() is None
        seen += home.names()
    for wake in wakes:
        day = [each for each in wakes if wake.began_ns <= each.began_ns < wake.began_ns + DAY_NS]
        assert len(day) <= 24
    home.board.faults.clear()
    home.wake()
    seen += home.names()
    home.wake()
    assert home.reason() == "daily"
    if fault.partition(":")[0] not in MAY_LOSE_A_TOKEN:
        assert not {"pairing", "mfa"} & set(seen + home.names()), "no reason to ask a person"
