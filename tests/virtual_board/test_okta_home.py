"""A display at home with an authority that speaks as Okta does: it finds its way by the issuer alone."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from host_tools.authority import RunningAuthority, start_authority
from host_tools.clock import VirtualClock
from tests.home import Home


@pytest.fixture
def authority(clock: VirtualClock) -> Iterator[RunningAuthority]:
    with start_authority(clock, access_token_ttl=3600, dialect="okta") as running:
        yield running


def test_it_pairs_and_shows_a_quote(home: Home) -> None:
    home.wake_now()
    assert home.names() == ["pairing", "quote"]
    shown = home.screens[0].shown
    assert len(shown["user_code"]) == 8 and shown["user_code"].isalpha()
    assert home.reason() == "daily"


def test_it_refreshes_each_morning(home: Home) -> None:
    home.wake_now()
    first = home.token()
    home.wake()
    assert home.names() == ["quote"]
    assert home.token() not in (None, first)


def test_it_recovers_from_mfa_on_everything(home: Home, authority: RunningAuthority) -> None:
    home.wake_now()
    kept = home.token()
    authority.set_mfa("rule")
    home.approves = False
    home.wake()
    assert home.names() == ["mfa", "waiting"]
    assert home.token() == kept  # a challenge deletes nothing
    assert home.kept_quote() is not None
    home.approves = True
    home.press_button()
    assert home.names() == ["mfa", "quote"]
    assert home.token() not in (None, kept)


def test_a_challenge_that_is_lifted_costs_nothing(home: Home, authority: RunningAuthority) -> None:
    home.wake_now()
    home.approves = False
    authority.set_mfa("rule")
    home.wake()
    authority.set_mfa("never")
    home.wake()
    assert home.names()[-1] == "quote"


def test_what_is_revoked_is_asked_for_anew(home: Home, authority: RunningAuthority) -> None:
    home.wake_now()
    authority.control.revoke()
    home.wake()
    assert home.names() == ["mfa", "quote"]
