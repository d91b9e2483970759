"""A home for the virtual board: an authority on the same virtual clock, and a person who may approve."""

from __future__ import annotations

import io
from dataclasses import dataclass, field, replace
from typing import Any

from PIL import Image

from host_tools.authority import RunningAuthority
from host_tools.boards import load_board
from host_tools.clock import NS, VirtualClock
from host_tools.rehearsal.demo_household import DemoHousehold
from host_tools.rehearsal.household import settings_toml, unpack_board
from host_tools.rehearsal.onlooker import Onlooker
from host_tools.rehearsal.story import PERSON_TAKES_NS
from host_tools.virtual_board.controllers.glass import Glass
from host_tools.virtual_board.fat import mounted
from host_tools.virtual_board.runtimes import Runtime
from host_tools.virtual_board.state import BoardState
from host_tools.virtual_board.wake import DEEP_SLEEP, Wake

MAGTAG = "adafruit_magtag_2.9_grayscale"
FEATHER = "adafruit_feather_esp32s3_4mbflash_2mbpsram"
FEATHER_V2 = "adafruit_feather_esp32_v2"
# 2026-03-02 09:00 UTC, a Monday.
MONDAY_MORNING_NS = 1_772_442_000 * NS


@dataclass
class Screen:
    name: str
    shown: dict[str, str]
    picture: Image.Image


@dataclass
class Home:
    """`screens`: what the glass showed since the last wake began. `approves`: whether the person answers a code.

    `on_the_phone`: what they tap at a push, True for yes, or None for nothing.
    """

    authority: RunningAuthority
    clock: VirtualClock
    board_id: str = MAGTAG
    runtime: Runtime | None = None
    approves: bool = True
    on_the_phone: bool | None = None
    uid: bytes = b"\x02stoa\x07"
    screens: list[Screen] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.person = DemoHousehold(self.authority, self.clock, approves=True)
        self.account = self.person.account()
        self.onlooker = Onlooker(self._see)
        known = load_board(self.board_id)
        state = BoardState.new(known, uid=self.uid)
        self.board = unpack_board(known, state, self.clock, self.account, self.runtime, onlooker=self.onlooker)
        self.console: list[str] = []

    def wake(self) -> Wake:
        """Sleep until the next wake is due, and have it."""
        self.board.sleep()
        return self.wake_now()

    def wake_now(self) -> Wake:
        self.screens.clear()
        self.onlooker.new_wake()
        wake = self.board.wake()
        self.console += wake.console
        assert wake.ending == DEEP_SLEEP, wake.console
        return wake

    def press_button(self) -> Wake:
        self.board.press(self.board.board.buttons["refresh"])
        return self.wake()

    def settle(self, **changes: str) -> None:
        """The owner edits settings.toml."""
        self.write_settings(settings_toml(replace(self.account, **changes)))

    def write_settings(self, text: bytes) -> None:
        self.board.install({"settings.toml": text})

    def drive_file(self, path: str) -> bytes:
        with mounted(self.board.state.flash) as drive:
            return drive.read_file("/" + path)

    def believe_endpoints(self, token: str, device_authorization: str, mfa: str | None = None) -> None:
        """What discovery told the display at some earlier wake."""
        from stoa import sleep_state

        memory = self.board.state.sleep_memory
        known = {"token": token, "device_authorization": device_authorization, "mfa": mfa}
        sleep_state.save(memory, {**sleep_state.load(memory), "endpoints": known})

    def token(self) -> str | None:
        """The refresh token in flash."""
        return self._vault().load()

    def token_held_by(self) -> tuple[str, ...]:
        """The media that hold the newest refresh token."""
        vault = self._vault()
        vault.load()
        return vault.held_by

    def kept_quote(self) -> dict[str, str] | None:
        """The quote the display has now."""
        from stoa import quotes, sleep_state

        kept = sleep_state.load(self.board.state.sleep_memory).get("quote") or quotes.recall(self._read_drive)
        return kept[0]

    def enrol_a_phone(self) -> None:
        """The person sets up push at the tenant."""
        self.authority.control.enrol(self.authority.tenant.demo_user, "push")

    def names(self) -> list[str]:
        return [screen.name for screen in self.screens]

    def reason(self) -> str:
        return (self.onlooker.last("sleep") or {})["reason"]

    def _vault(self) -> Any:
        from stoa import vault

        owner = vault.owner(self.account.issuer, self.account.client_id)
        return vault.Vault(self.board.state.nvm, self._read_drive, owner)

    def _read_drive(self, path: str, mode: str) -> io.BytesIO:
        return io.BytesIO(self.drive_file(path.lstrip("/")))

    def _see(self, name: str, shown: dict[str, str], glass: Glass) -> None:
        self.screens.append(Screen(name, shown, glass.image()))
        if name == "push" and self.on_the_phone is not None:
            self.clock.schedule(PERSON_TAKES_NS, self._tap)
        if shown and self.approves:
            self.clock.schedule(PERSON_TAKES_NS, lambda: self.person.approve(shown))

    def _tap(self) -> None:
        # A push may have been answered together with a later one.
        if self.authority.control.pushes():
            self.authority.control.answer_push(bool(self.on_the_phone))


def is_whole(home: Home) -> bool:
    """The display is well again once the world is."""
    home.settle()
    home.wake()
    return home.names()[-1:] in (["quote"], []) and home.reason() == "daily"
