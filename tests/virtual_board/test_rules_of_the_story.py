"""The two rules of seeds/000 as they stand there, and the display: stopped by the first, spared by the second."""

from __future__ import annotations

from pathlib import Path

from host_tools.authority.scripts import Script

RULES = Path(__file__).parents[1] / "authority" / "scripts"


def put(authority, name: str) -> None:
    authority.control.scripts.put([Script("rule", "MFA", (RULES / f"{name}.js").read_text())])


def refreshes(wake) -> list[int]:
    return [each.status for each in wake.exchanges if each.path == "/oauth/token"]


def factors_given(authority) -> int:
    return sum(each.kind == "mfa_succeeded" for each in authority.control.events())


def test_the_first_stops_the_display_until_a_person_comes(home, authority):
    home.wake_now()
    put(authority, "challenges_everything")
    home.approves = False
    assert refreshes(home.wake())[0] == 403
    assert (home.names(), home.reason()) == (["mfa", "waiting"], "needs_human")
    home.approves = True
    home.press_button()
    assert home.names() == ["mfa", "quote"]
    assert factors_given(authority) == 1
    authority.control.scripts.put([])
    assert refreshes(home.wake()) == [200]


def test_the_second_lets_it_refresh_and_still_challenges_the_first_login(home, authority):
    put(authority, "spares_displays")
    home.wake_now()
    assert (home.names(), factors_given(authority)) == (["pairing", "quote"], 1)
    for _ in range(3):
        assert refreshes(home.wake()) == [200]
        assert home.names() == ["quote"]
    assert factors_given(authority) == 1
