"""A doorplate and a simulated authorization server: the fixture `stoa_authority` is Stoa's pytest plugin."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from pathlib import Path

import pytest
from doorplate import Doorplate, NotPaired, TryLater

from host_tools.authority import LoseReply, RateLimit, SlowDown
from host_tools.pytest_plugin import StoaAuthority

DAY_S = 86_400


class Glass:
    """What the plate shows, and the person in front of it, who answers each code after `after_s` by `answer`."""

    def __init__(self, authority: StoaAuthority) -> None:
        self.codes: list[str] = []
        self.answer: Callable[[str], object] = authority.approve
        self.after_s = 0.0
        self._authority = authority

    def show(self, user_code: str, address: str) -> None:
        self.codes.append(user_code)
        self._authority.later(self.after_s, lambda: self.answer(user_code))


@pytest.fixture
def glass(stoa_authority: StoaAuthority) -> Glass:
    return Glass(stoa_authority)


@pytest.fixture
def plate(stoa_authority: StoaAuthority, glass: Glass, tmp_path: Path) -> Doorplate:
    return Doorplate(
        stoa_authority.issuer,
        stoa_authority.client_id,
        stoa_authority.audience,
        stoa_authority.scope,
        show=glass.show,
        tokens=tmp_path / "tokens.json",
        sleep=stoa_authority.sleep,
        now=stoa_authority.time,
        trust=ssl.create_default_context(cafile=stoa_authority.ca_file) if stoa_authority.ca_file else None,
    )


def polls(authority: StoaAuthority) -> list[int]:
    """When the plate asked for tokens, in seconds after the test began."""
    return [answered.after_s for answered in authority.requests if answered.path == "/oauth/token"]


@pytest.mark.parametrize("stoa_options", [{"dialect": "auth0"}, {"dialect": "rfc"}], ids=str)
def test_it_is_paired_once_and_reads(stoa_authority: StoaAuthority, plate: Doorplate, glass: Glass) -> None:
    for _ in range(3):
        assert plate.read(stoa_authority.api_url)["text"]
    assert len(glass.codes) == 1


@pytest.mark.stoa(tls=True)
def test_over_tls(stoa_authority: StoaAuthority, plate: Doorplate) -> None:
    assert stoa_authority.issuer.startswith("https:")
    assert plate.read(stoa_authority.api_url)["text"]


def test_it_asks_no_sooner_than_it_may(stoa_authority: StoaAuthority, plate: Doorplate, glass: Glass) -> None:
    glass.after_s = 12
    plate.pair()
    assert polls(stoa_authority) == [5, 10, 15]


def test_told_to_slow_down_it_does(stoa_authority: StoaAuthority, plate: Doorplate) -> None:
    stoa_authority.control.set_fault(SlowDown(times=1))
    plate.pair()
    assert polls(stoa_authority) == [5, 15]


def test_somebody_says_no(stoa_authority: StoaAuthority, plate: Doorplate, glass: Glass) -> None:
    glass.answer = stoa_authority.deny
    with pytest.raises(NotPaired, match="access_denied"):
        plate.pair()


def test_nobody_comes(stoa_authority: StoaAuthority, plate: Doorplate, glass: Glass) -> None:
    glass.answer = lambda user_code: None
    with pytest.raises(NotPaired):
        plate.pair()
    assert len(polls(stoa_authority)) <= 15 * 60 / 5


def test_a_token_that_was_rotated_is_kept(stoa_authority: StoaAuthority, plate: Doorplate, glass: Glass) -> None:
    plate.pair()
    first = plate.refresh_token
    for _ in range(10):
        stoa_authority.control.advance_clock(DAY_S)
        plate.read(stoa_authority.api_url)
    assert plate.refresh_token != first
    examined = stoa_authority.control.examine(plate.refresh_token)
    assert examined is not None and (examined.standing, examined.generation) == ("newest", 10)
    assert len(glass.codes) == 1


def test_mfa_is_turned_on_for_everything(stoa_authority: StoaAuthority, plate: Doorplate, glass: Glass) -> None:
    plate.pair()
    stoa_authority.control.advance_clock(DAY_S)
    stoa_authority.control.set_mfa("rule")
    assert plate.read(stoa_authority.api_url)["text"]
    assert len(glass.codes) == 2


@pytest.mark.stoa(mfa="rule")
def test_at_mfa_required_the_token_is_kept(stoa_authority: StoaAuthority, plate: Doorplate, glass: Glass) -> None:
    """The rule may be lifted again, as it was in the story."""
    plate.pair()
    kept = plate.refresh_token
    stoa_authority.control.advance_clock(DAY_S)
    glass.answer = lambda user_code: None
    with pytest.raises(NotPaired):
        plate.read(stoa_authority.api_url)
    assert plate.refresh_token == kept
    stoa_authority.control.set_mfa("never")
    assert plate.read(stoa_authority.api_url)["text"]
    assert len(glass.codes) == 2


def test_revoked_it_asks_for_a_person(stoa_authority: StoaAuthority, plate: Doorplate, glass: Glass) -> None:
    plate.pair()
    assert stoa_authority.control.revoke(user=stoa_authority.username) == 1
    stoa_authority.control.advance_clock(DAY_S)
    assert plate.read(stoa_authority.api_url)["text"]
    assert len(glass.codes) == 2


def test_a_lost_reply_is_forgiven_within_the_leeway(
    stoa_authority: StoaAuthority, plate: Doorplate, glass: Glass
) -> None:
    plate.pair()
    stoa_authority.control.set_refresh_leeway(stoa_authority.client_id, 600)
    stoa_authority.control.advance_clock(DAY_S)
    stoa_authority.control.set_fault(LoseReply("token", "after", times=1))
    with pytest.raises(TryLater) as later:
        plate.read(stoa_authority.api_url)
    stoa_authority.sleep(later.value.after_s)
    assert plate.read(stoa_authority.api_url)["text"]
    assert len(glass.codes) == 1


def test_it_comes_back_when_it_was_told_to(stoa_authority: StoaAuthority, plate: Doorplate) -> None:
    plate.pair()
    stoa_authority.control.advance_clock(DAY_S)
    stoa_authority.control.set_fault(RateLimit("token", times=1, wait_s=3600))
    with pytest.raises(TryLater) as later:
        plate.read(stoa_authority.api_url)
    assert later.value.after_s == 3600
    assert plate.refresh_token
