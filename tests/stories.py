"""The wakes that a display's memory and time are measured by: each is prepared, and then lived once."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from host_tools.authority import start_authority
from host_tools.authority.core.user_code import ALPHABETS, UserCodes
from host_tools.bundle import PRESERVED, SLOTS, build_bundle
from host_tools.clock import VirtualClock
from host_tools.virtual_board.runtimes import Runtime
from host_tools.virtual_board.wake import Wake
from tests.home import MONDAY_MORNING_NS, Home

# Shorter than a day, so that each morning begins with a refresh.
ACCESS_TOKEN_S = 3600
# What a wake prints that found no room for something.
NO_ROOM = re.compile("cause=memory|MemoryError|stoa memory free=")


@dataclass(frozen=True)
class Story:
    """prepare: bring a new display to the moment before the wake. live: have it. screens: what the glass then shows."""

    prepare: Callable[[Home], None]
    live: Callable[[Home], Wake]
    screens: tuple[str, ...]


def found_no_room(wake: Wake) -> list[str]:
    """The lines in which a wake says so."""
    return [line for line in wake.console if NO_ROOM.search(line)]


def out_of_its_box(home: Home) -> None:
    """A new display."""


def on_a_morning(home: Home) -> None:
    """A morning like any other: the refresh token is rotated."""
    home.wake_now()
    home.board.sleep()


def after_mfa_came_for_everything(home: Home) -> None:
    """The morning on which MFA is asked of everything."""
    on_a_morning(home)
    home.authority.set_mfa("rule")


def _with_a_phone_that_says_no(home: Home) -> None:
    after_mfa_came_for_everything(home)
    home.enrol_a_phone()
    home.on_the_phone = False


def after_the_grant_was_revoked(home: Home) -> None:
    """The morning after."""
    on_a_morning(home)
    home.authority.control.revoke()


def _with_no_server_in_reach(home: Home) -> None:
    on_a_morning(home)
    home.board.faults.set("refused")
    # Pressed, so that the glass says what is wrong.
    home.board.press(home.board.board.buttons["refresh"])


STORIES = {
    # A new display is paired and shows its first quote.
    "pair": Story(out_of_its_box, Home.wake_now, ("pairing", "quote")),
    # A morning: refresh, rotation, a new quote.
    "daily": Story(on_a_morning, Home.wake_now, ("quote",)),
    # The button, with an access token that is good and a quote that is still today's (304).
    "same": Story(Home.wake_now, Home.press_button, ()),  # type: ignore[arg-type]
    # MFA on every request: the code under the quote, an answer, the next quote.
    "mfa": Story(after_mfa_came_for_everything, Home.wake_now, ("mfa", "quote")),
    # The same with a phone to ask, which is asked first: a no there, and then the code.
    "push": Story(_with_a_phone_that_says_no, Home.wake_now, ("push", "mfa", "quote")),
    # The grant was revoked: the same, after invalid_grant.
    "re-pair": Story(after_the_grant_was_revoked, Home.wake_now, ("mfa", "quote")),
    # The server cannot be reached, and somebody pressed the button: an error under the quote.
    "error": Story(_with_no_server_in_reach, Home.wake_now, ("error",)),
}


def tell(name: str, runtime: Runtime | None = None, port: int = 0, chance: int = 1) -> tuple[Home, Wake]:
    """Prepare the story on CPython and live its wake on `runtime`, from bytecode where it has an `mpy_cross`.

    chance: the seed of its user codes. Told twice with one port, it brings the same pictures. AssertionError if the
    glass does not come to show what it should.
    """
    story = STORIES[name]
    clock = VirtualClock(MONDAY_MORNING_NS)
    letters = Random(chance)

    def letters_of_chance(codes: UserCodes) -> str:
        return "".join(letters.choices(ALPHABETS[codes.charset], k=codes.length))

    drawn, UserCodes.generate = UserCodes.generate, letters_of_chance
    try:
        with start_authority(clock, port=port, access_token_ttl=ACCESS_TOKEN_S) as authority:
            home = Home(authority, clock)
            story.prepare(home)
            if runtime is not None:
                home.board.runtime = runtime
                if runtime.mpy_cross is not None:
                    home.board.install(build_bundle(home.board.board, runtime.mpy_cross), PRESERVED, SLOTS)
            wake = story.live(home)
    finally:
        UserCodes.generate = drawn
    assert tuple(home.names()) == story.screens, (home.names(), wake.console)
    return home, wake
