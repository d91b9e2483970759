"""A tenant whose quotes want a second factor of the last seven days, under every dialect that has a device flow.

The display pairs, is refused a week later by RFC 9470's challenge, asks for a person with what the challenge says, and
has its quote again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from host_tools.authority import RunningAuthority, examples, start_authority
from host_tools.authority.dialects import DIALECTS
from host_tools.clock import NS, VirtualClock
from tests.home import Home

WITH_A_DEVICE_FLOW = [name for name, each in DIALECTS.items() if "device_authorization" in each.endpoints.values()]
DAY_NS = 86_400 * NS
WEEK_NS = 7 * DAY_NS


@pytest.fixture(params=WITH_A_DEVICE_FLOW)
def dialect(request) -> str:
    return request.param


@pytest.fixture
def start(clock: VirtualClock, tmp_path: Path) -> Iterator[Callable[..., Home]]:
    """A home with the example's authority, its files changed in these places; its user's password is made and told."""
    opened: list[RunningAuthority] = []

    def started(dialect: str, **changed: str) -> Home:
        for path in examples.folder("quotes").iterdir():
            text = path.read_text()
            for was, now in {**changed, 'password = "nothing is ours but time"\n': ""}.items():
                text = text.replace(was, now)
            (tmp_path / path.name).write_text(text)
        authority = start_authority(clock, dialect=dialect, config=tmp_path / "tenant.toml")
        opened.append(authority)
        return Home(authority, clock)

    yield started
    for authority in opened:
        authority.stop()


def test_it_pairs_and_recovers_once_the_factor_is_stale(start, dialect, clock):
    home = start(dialect)
    home.wake_now()
    paired_at = clock.now_ns()
    assert home.names() == ["pairing", "quote"]
    asked = [home.kept_quote()["date"]]
    while clock.now_ns() < paired_at + WEEK_NS - DAY_NS:
        home.wake()
        assert home.names() == ["quote"], "the factor is fresh, and nobody is asked"
        asked.append(home.kept_quote()["date"])
    assert len(asked) == len(set(asked)) >= 6
    while not (home.wake(), "mfa" in home.names())[1]:
        assert clock.now_ns() < paired_at + WEEK_NS + DAY_NS, "it was never asked again"
    assert clock.now_ns() > paired_at + WEEK_NS
    assert home.names() == ["mfa", "quote"]
    home.wake()
    assert home.names() == ["quote"], "and another week is had"
    assert home.onlooker.last("defect") is None


@pytest.mark.parametrize("freshness", ["session", "auth_time"])
def test_by_the_session_as_by_the_token(start, freshness, clock):
    home = start("auth0", **{'freshness = "auth_time"': f'freshness = "{freshness}"'})
    home.wake_now()
    assert home.names() == ["pairing", "quote"]
    clock.sleep_ns(WEEK_NS)
    home.wake()
    assert home.names() == ["mfa", "quote"]


def test_a_stale_factor_that_nobody_renews_keeps_the_last_quote(start, dialect, clock):
    home = start(dialect)
    home.wake_now()
    kept, token = home.kept_quote(), home.token()
    clock.sleep_ns(WEEK_NS)
    home.approves = False
    home.wake()
    assert home.names() == ["mfa", "waiting"]
    assert home.kept_quote() == kept
    assert home.token() is not None and token is not None
    assert home.reason() == "needs_human"
    home.approves = True
    home.press_button()
    assert home.names() == ["mfa", "quote"]


def test_a_tenant_that_asks_no_factor_at_logins_is_asked_by_the_challenge(start, dialect):
    """The challenge's acr_values go along with the next device authorization request, and the page asks for it."""
    home = start(dialect, **{'policy = "always"': 'policy = "never"'})
    home.wake_now()
    assert home.names() == ["pairing", "mfa", "quote"]


def test_a_bare_403_says_nothing_that_a_display_could_act_on(start, clock):
    """It keeps the quote, tries again ever more rarely, and asks nobody: RFC 9470 is what a display needs."""
    home = start("auth0", **{"[[rules]]": 'refusal = "bare"\n\n[[rules]]'})
    home.wake_now()
    kept = home.kept_quote()
    clock.sleep_ns(WEEK_NS)
    before = clock.now_ns()
    for _ in range(10):
        home.wake()
        assert "mfa" not in home.names()
    assert home.kept_quote() == kept
    assert clock.now_ns() - before > DAY_NS // 2
