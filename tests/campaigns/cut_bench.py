"""One display, prepared for a story, whose wake can be cut again and again from the same moment.

The board, the authority and the clock go back there together. `judge` says what must hold once the power is back.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from random import Random

from host_tools.authority import RunningAuthority, start_authority
from host_tools.authority.core.records import LoginSession, User
from host_tools.authority.core.user_code import ALPHABETS, UserCodes
from host_tools.bundle import PRESERVED, build_bundle
from host_tools.clock import NS, VirtualClock
from host_tools.virtual_board.fat import FatDrive, mounted
from host_tools.virtual_board.power import Cut
from host_tools.virtual_board.runtimes import Runtime
from host_tools.virtual_board.wake import POWER_LOST, Wake
from tests.campaigns import broken_boards
from tests.home import MONDAY_MORNING_NS, Home
from tests.stories import (
    ACCESS_TOKEN_S,
    after_mfa_came_for_everything,
    after_the_grant_was_revoked,
    found_no_room,
    on_a_morning,
    out_of_its_box,
)

GRACE_S = 30
POWER_IS_BACK_NS = 2 * NS
# Boots, the first included: where one finds no room with a code on the glass, or a push, the next goes on two minutes
# later; where that finds none either, the code has expired by the third.
TRIES = 3
# The authority's refresh tokens, wherever they lie.
TOKEN = re.compile(rb"v1\.[\w-]{60}")
# By itself: no person was needed. Asked: one was, and no device could have done without. Lost: one was that a perfect
# device would not have needed, a computer having the drive. Not reached: the wake had fewer calls than the uncut one
# (a reply that came in one piece instead of two), and went well.
OUTCOMES = ("by itself", "asked", "lost", "not reached", "failed")
# Of the tenant's log, more than a story has.
EVENTS = 1000
NEEDLESS = "asks a person, and no perfect device would"
NO_QUOTE = "no quote"


def power_on(home: Home) -> None:
    """A battery was taken out and put back: what was cut once is cut again."""
    on_a_morning(home)
    home.board.power_off()


def with_a_phone_that_says_yes(home: Home) -> None:
    """MFA is asked of everything, and the person has a phone to be asked on."""
    after_mfa_came_for_everything(home)
    home.enrol_a_phone()
    home.on_the_phone = True


STORIES: dict[str, Callable[[Home], None]] = {
    "pair": out_of_its_box,
    "rotate": on_a_morning,
    "mfa": after_mfa_came_for_everything,
    "push": with_a_phone_that_says_yes,
    "re-pair": after_the_grant_was_revoked,
    "power-on": power_on,
}


class Bench:
    """One story, ready to be cut: `calls` and `flash` operations are what there is to cut.

    broken: a kind of broken_boards, or "". read_only: a computer has the drive from the moment the story is prepared.
    """

    def __init__(
        self,
        story: str,
        authority: RunningAuthority,
        clock: VirtualClock,
        seed: int = 1,
        broken: str = "",
        read_only: bool = False,
        runtime: Runtime | None = None,
    ) -> None:
        self.story, self.seed = story, seed
        self.authority, self.clock = authority, clock
        self.home = Home(authority, clock, runtime=runtime)
        self.board = self.home.board
        noise = Random(seed)
        self.board.state.uid = noise.randbytes(6)
        self.board.state.nvm[:] = noise.randbytes(len(self.board.state.nvm))
        self.home.person.approve = self._approve  # type: ignore[method-assign]
        self._session = self._signed_in()
        bundle = build_bundle(self.board.board)
        spoilt = broken_boards.spoil(broken, bundle) if broken else {}
        self.board.install(spoilt)
        self._program = {path: content for path, content in {**bundle, **spoilt}.items() if path not in PRESERVED}
        self._program["settings.toml"] = self.home.drive_file("settings.toml")
        self._written = {path: len(bundle[path]) for path in PRESERVED}
        self._codes = Random()
        # How many wakes after a cut said that they found no room, and came to no quote. A collector that takes any word
        # for an address keeps too much now and then.
        self.short_of_memory = 0
        with self.codes():
            STORIES[story](self.home)
            if read_only:
                self.hold_the_drive()
            self._board, self._authority = self.board.state.copy(), authority.snapshot()
            self.held = self.tokens_in_flash()
            self.begin()
            self.uncut = self.wake()
        assert self.uncut.failure() is None and self.home.reason() == "daily", self.uncut.console
        self.calls, self.flash = self.uncut.calls, self.uncut.supply.flash
        self._picture = self.board.state.glass

    def hold_the_drive(self) -> None:
        """A computer is plugged in. A morning later, in the story of mornings, nvm alone has the newest token."""
        self.board.faults.set("drive-read-only")
        if self.story == "rotate":
            self.home.wake()
            self.board.sleep()

    @contextmanager
    def codes(self) -> Iterator[None]:
        """User codes are the seed's: how many calls it takes to draw one depends on it."""

        def next_code(codes: UserCodes) -> str:
            return "".join(self._codes.choice(ALPHABETS[codes.charset]) for _ in range(codes.length))

        chance, UserCodes.generate = UserCodes.generate, next_code
        self._codes.seed(self.seed)
        try:
            yield
        finally:
            UserCodes.generate = chance

    def begin(self) -> None:
        """Go back to the moment before the story's wake."""
        self.board.restore(self._board)
        self.authority.restore(self._authority)
        self.clock.set_ns(self._authority.taken_at)
        self._codes.seed(self.seed + 1)

    def wake(self) -> Wake:
        self.home.screens.clear()
        self.home.onlooker.new_wake()
        return self.board.wake()

    def run(self, cut: Cut) -> tuple[str, str]:
        """(one of OUTCOMES, what was wrong or "") of the story cut there, and of the boot that follows."""
        with self.codes():
            self.begin()
            self.board.cut_power(cut)
            wake = self.wake()
            if wake.ending != POWER_LOST:
                return ("not reached", "") if wake.failure() is None else ("failed", str(wake.failure()))
            self.let_power_return()
            before = self.asked(), self.rung()
            wrong = self.come_back()
            asked = self.asked_since(before)
        if not wrong:
            return ("asked" if asked else "by itself"), ""
        met = wake.supply.flash[-1] if cut.of == "flash" else wake.supply.calls[-1]
        lost = wrong == NEEDLESS and self.board.faults.drive_read_only
        return ("lost" if lost else "failed"), f"{wrong} (cut at {' '.join(map(str, met))})"

    def come_back(self) -> str:
        """Boot, and where there was no room sleep and wake again. What was wrong with the display, or ""."""
        short = False
        for _ in range(TRIES):
            before, needs_nobody = (self.asked(), self.rung()), self.perfect_device_needs_nobody()
            after = self.wake()
            wrong = self.judge(after, self.asked_since(before), needs_nobody)
            no_room = bool(found_no_room(after))
            # Where a code was on the glass, and has expired since, a display leaves its person alone for an hour.
            left_alone = short and self.home.onlooker.reason(after) == "needs_human"
            if not wrong.startswith(NO_QUOTE) or not (no_room or left_alone):
                break
            short = short or no_room
            self.short_of_memory += no_room
            self.board.sleep()
        return wrong

    def let_power_return(self) -> None:
        # What was sent before the cut is processed, and counted, before anything else is.
        self.authority.settle()
        self.clock.skip_ns(POWER_IS_BACK_NS)

    def judge(self, after: Wake, asked: int, needs_nobody: bool) -> str:
        """What is wrong with a display whose power is back, and which asked so often in this wake, or ""."""
        failure = after.failure()
        if failure is not None:
            return failure
        damaged = self.damaged()
        if damaged:
            return f"damaged on the drive: {', '.join(damaged[:3])}, {len(damaged)} files"
        if asked and needs_nobody:
            return NEEDLESS
        if asked > 1:
            return f"asks {asked} times"
        reason = self.home.onlooker.reason(after)
        if reason != "daily":
            return f"{NO_QUOTE}: {reason}, {self.home.onlooker.obstacle()}, {after.console}"
        if self.board.state.glass != self._picture:
            return "the glass shows something else than today's quote"
        token = self.home.token()
        standing = self.authority.control.examine(token) if token else None
        if standing is None or standing.standing != "newest":
            return f"its token is {standing and standing.standing}"
        return ""

    def damaged(self) -> list[str]:
        """The files of the program, and settings.toml, that are not what was deployed."""
        with mounted(self.board.state.flash) as drive:
            return [path for path, content in self._program.items() if _read(drive, path) != content]

    def slots_lost(self) -> list[str]:
        """The files the firmware writes that are not there, or not in their size, any more."""
        with mounted(self.board.state.flash) as drive:
            return [path for path, size in self._written.items() if len(_read(drive, path) or b"") != size]

    def tokens_in_flash(self) -> set[str]:
        """Every refresh token that lies whole in flash or nvm, by its looks: the vault is not asked."""
        state = self.board.state
        content = bytes(state.flash.content), bytes(state.nvm[: len(state.nvm)])
        return {token.decode() for medium in content for token in TOKEN.findall(medium)}

    def perfect_device_needs_nobody(self) -> bool:
        """Whether a device that lost nothing it could have kept would show the quote without a person.

        It has what lay in flash when the wake began, and what lies there now: a token the server gave out and the
        power's end overtook is kept by nobody. Whether one of these is good still, the authority says. RAM and sleep
        memory, with the access token and the device code in them, are gone with the power for everybody.
        """
        if self.authority.control.mfa.mode == "rule":
            return False
        found = [self.authority.control.examine(token) for token in self.held | self.tokens_in_flash()]
        return any(each is not None and each.standing in ("newest", "within leeway") for each in found)

    def asked(self) -> int:
        return self.authority.control.tally()["device_grants_asked"]

    def rung(self) -> int:
        """How often the person's phone was asked."""
        return [event.kind for event in self.authority.control.events(EVENTS)].count("challenge_sent")

    def asked_since(self, before: tuple[int, int]) -> int:
        """How often a person was since there were so many codes and pushes; one and the other are one asking."""
        return max(self.asked() - before[0], self.rung() - before[1])

    def _signed_in(self) -> LoginSession:
        """A person who signed in once, with a second factor: to do so for each code would take most of the time."""
        now = self.clock.now_ns()
        (user,) = self.authority._authority.store.find(User)
        return LoginSession("", now, now + 86_400 * NS, user.user_id, now, "pwd otp mfa", None, None, None)

    def _approve(self, shown: dict[str, str]) -> None:
        """UnknownUserCode for a code that is not good."""
        code = UserCodes().normalised(shown["user_code"])
        self.authority._authority.device_grants.answer(code, self._session, allow=True)


def _read(drive: FatDrive, path: str) -> bytes | None:
    try:
        return drive.read_file("/" + path)
    except OSError:
        return None


@contextmanager
def bench(
    story: str, seed: int = 1, broken: str = "", read_only: bool = False, runtime: Runtime | None = None
) -> Iterator[Bench]:
    """seed: of what flash held before, the board's number and the user codes. broken: a kind of broken_boards."""
    clock = VirtualClock(MONDAY_MORNING_NS)
    with start_authority(clock, access_token_ttl=ACCESS_TOKEN_S, refresh_leeway=GRACE_S) as authority:
        yield Bench(story, authority, clock, seed, broken, read_only, runtime)
