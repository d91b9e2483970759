"""Wakes of the firmware within this process: a desk stands in for board, glass and network, and counts.

For what needs hundreds of thousands of wakes. What runs is the firmware's own wake, sign-in, auth core, vault, schedule
and sleep memory; `stoa.hardware`, `stoa.glass`, radio, clock and HTTP are replaced.
"""

from __future__ import annotations

import importlib
import io
import runpy
import sys
import types
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from unittest.mock import patch

STEPS = ("sign_in", "patience", "pushing", "asking", "fetch")
FIRMWARE = ("wake", "precautions", *STEPS, "discovery", "tokens", "ending", "net.clock")
REPLACED = ("hardware", "inputs", "glass", "net.radio", "net.exchanger")
DAY_S = 86400
NOON = 1_772_452_800


def _of_hardware() -> dict:
    """The names of stoa.hardware, which imports what only a board has."""
    board = {name: types.ModuleType(name) for name in ("alarm", "board", "board_profile")}
    vars(board["board_profile"])["PROFILE"] = {}
    with patch.dict(sys.modules, board):
        return runpy.run_path(str(Path(__file__).resolve().parents[1] / "firmware" / "stoa" / "hardware.py"))


# As long as this a wake feeds its watchdog, and this long after the last time it is reset.
AWAKE_LIMIT_S = _of_hardware()["AWAKE_LIMIT_MS"] // 1000
WATCHDOG_S = _of_hardware()["WATCHDOG_S"]


class Slept(BaseException):
    """Deep sleep. Not an Exception: nothing in the firmware may survive it."""


class Cut(BaseException):
    """The power has gone."""


class Reset(BaseException):
    """The board was reset, by the watchdog or by hand."""


class File(io.BytesIO):
    def __init__(self, files: dict[str, bytearray], path: str) -> None:
        super().__init__(bytes(files[path]))
        self._content = files[path]

    def write(self, data) -> int:
        self._content[self.tell() : self.tell() + len(data)] = data
        return super().write(data)


class Desk:
    """A board, its home, and whoever is in it.

    answer      answer(method, url, fields or None) -> (status, JSON object or None, headers), or an HttpError is raised
    settings    STOA_ keys
    true_s      the time there is; the board's clock is `clock_ahead_s` ahead of it
    steps_left  None, or after how many things the board does its power goes or it is reset
    shows       the screens drawn in this wake, each (name, content)
    """

    def __init__(self, answer: Callable, settings: dict[str, str]) -> None:
        from stoa import quotes, vault

        self.answer = answer
        self.settings = settings
        self.true_s = NOON
        self.clock_ahead_s = 946_684_800 - NOON
        self.ntp_error_s: int | None = 0
        self.wifi = True
        self.memory = bytearray(4096)
        self.nvm = bytearray(b"\xff" * 8192)
        self.files = {path: bytearray(module.initial_file()) for module in (vault, quotes) for path in module.PATHS}
        self.drive_is_read_only = False
        self.panel_works = True
        self.battery: int | None = None
        self.woken_by = "boot"
        self.button_is_armed = False
        self.slept_until: int | None = None
        self.shows: list[tuple[str, dict]] = []
        self.began_s = NOON
        self.steps_left: int | None = None
        self.ends_by: type[BaseException] = Cut
        self.log: list[str] = []
        self.failure: AssertionError | None = None

    def step(self) -> None:
        if self.steps_left is not None:
            self.steps_left -= 1
            if self.steps_left < 0:
                self.steps_left = None
                raise self.ends_by

    def wake(self) -> str:
        """One wake; "slept", "cut" or "reset"."""
        self.shows.clear()
        self.began_s = self.true_s
        try:
            with _at(self):
                sys.modules["stoa.wake"].run()
        except Slept:
            return "slept"
        except Cut:
            if self.failure is not None:
                raise self.failure from None
            self.memory[:] = bytes(len(self.memory))
            self.clock_ahead_s = 946_684_800 - self.true_s
            return "cut"
        except Reset:
            return "reset"
        raise AssertionError("the wake came back awake")

    def vault_token(self) -> str | None:
        from stoa import vault

        owner = vault.owner(self.settings["STOA_ISSUER"], self.settings["STOA_CLIENT_ID"])
        return vault.Vault(self.nvm, self.open_file, owner).load()

    # What follows is stoa.hardware, as far as a wake uses it.

    def now(self) -> int:
        return self.true_s + self.clock_ahead_s

    def milliseconds(self) -> int:
        return (self.true_s - self.began_s) * 1000

    def wait(self, seconds: int) -> None:
        self.step()
        assert seconds > 0
        self.true_s += seconds
        if self.true_s - self.began_s > AWAKE_LIMIT_S + WATCHDOG_S:
            raise Reset

    def open_file(self, path: str, mode: str = "r") -> File:
        if path not in self.files or ("+" in mode and self.drive_is_read_only):
            raise OSError(30 if path in self.files else 2)
        return File(self.files, path)

    def deep_sleep(self, until: int, button: bool = True) -> None:
        self.slept_until = max(until, self.now() + 60)
        self.button_is_armed = button
        raise Slept

    # And stoa.glass, stoa.net.clock's way to a time server, stoa.net.exchanger.

    def show(self, screen: str, content: dict, state: dict, save: Callable) -> bool:
        state.pop("screen", None)
        self.step()
        if not self.panel_works:
            self.true_s += 40
            return False
        self.true_s += 3
        self.shows.append((screen, content))
        state["screen"] = screen
        save()
        return True

    def set_clock(self, pool: object, server: str) -> bool:
        self.step()
        if self.ntp_error_s is None:
            self.true_s += 1
            return False
        self.clock_ahead_s = self.ntp_error_s
        return True

    def join(self, ssid: str, password: str, known: dict) -> None:
        from stoa.net.radio import RadioError

        self.true_s += 2
        if not self.wifi:
            raise RadioError("No network with that ssid")

    def exchange(self, method: str, url: str, fields: tuple | None):
        self.step()
        self.true_s += 1
        try:
            answered = self.answer(method, url, None if fields is None else dict(fields))
        except AssertionError as failure:
            # The firmware would survive it, and the test with it.
            self.failure = failure
            raise Cut from failure
        # A cut here loses a reply that the server has given.
        self.step()
        if isinstance(answered, Exception):
            raise answered
        return answered


@contextmanager
def _at(desk: Desk) -> Iterator[None]:
    _present[:] = [desk]
    yield
    _present.clear()


_present: list[Desk] = []


def _bound(name: str) -> Callable:
    return lambda *arguments, **named: getattr(_present[0], name)(*arguments, **named)


@contextmanager
def desk_firmware() -> Iterator[None]:
    """The firmware's wake on the stand-ins, for as long as this lasts; afterwards every module is as it was."""
    import stoa
    import stoa.log
    import stoa.net

    names = [f"stoa.{name}" for name in FIRMWARE + REPLACED]
    before = {name: sys.modules.pop(name, None) for name in names}
    packages = {"stoa": stoa, "stoa.net": stoa.net}
    attributes = {}
    for name in names:
        package, _, leaf = name.rpartition(".")
        attributes[name] = getattr(packages[package], leaf, None)
        with suppress(AttributeError):
            delattr(packages[package], leaf)
    os = sys.modules["os"]
    getenv, say = os.getenv, stoa.log.say
    try:
        for name, module in _stand_ins().items():
            sys.modules[name] = module
            package, _, leaf = name.rpartition(".")
            setattr(packages[package], leaf, module)
        for name in FIRMWARE:
            importlib.import_module(f"stoa.{name}")
        sys.modules["stoa.net.clock"]._set = _bound("set_clock")
        os.getenv = lambda key, default=None: _present[0].settings.get(key) if _present else getenv(key, default)
        stoa.log.say = lambda event, **fields: _present[0].log.append(stoa.log.line(event, fields))
        yield
    finally:
        os.getenv, stoa.log.say = getenv, say
        for name in names:
            package, _, leaf = name.rpartition(".")
            sys.modules.pop(name, None)
            if before[name] is not None:
                sys.modules[name] = before[name]
            if attributes[name] is not None:
                setattr(packages[package], leaf, attributes[name])
            else:
                with suppress(AttributeError):
                    delattr(packages[package], leaf)


def _stand_ins() -> dict[str, types.ModuleType]:
    hardware = types.ModuleType("stoa.hardware")
    for name in ("now", "milliseconds", "wait", "open_file", "deep_sleep"):
        setattr(hardware, name, _bound(name))
    hardware.set_clock = lambda moment: setattr(_present[0], "clock_ahead_s", moment - _present[0].true_s)
    hardware.clock_is_set = lambda: _present[0].now() >= 1_704_067_200
    hardware.sleep_memory = lambda: _present[0].memory
    hardware.nvm = lambda: _present[0].nvm
    hardware.start_watchdog = hardware.feed_watchdog = hardware.make_drive_writable = lambda: None
    inputs = types.ModuleType("stoa.inputs")
    inputs.woken_by = lambda: _present[0].woken_by
    inputs.battery_mv = lambda: _present[0].battery
    inputs.uid = lambda: b"\x02desk\x01"
    inputs.wipe_held = lambda woken: False
    glass = types.ModuleType("stoa.glass")
    glass.show = _bound("show")
    radio = types.ModuleType("stoa.net.radio")
    radio.join, radio.leave = _bound("join"), _bound("step")

    class RadioError(Exception):
        def __init__(self, detail: str) -> None:
            super().__init__(detail)
            self.detail, self.refused = detail, False

    radio.RadioError = RadioError
    exchanger = types.ModuleType("stoa.net.exchanger")

    def reach(errand) -> None:
        from stoa.net.usocket import HttpError

        try:
            errand.join()
        except RadioError as error:
            raise HttpError("connect", error.detail) from error

    def post(errand, url: str, fields: tuple):
        reach(errand)
        return _present[0].exchange("POST", url, fields)

    def get(errand, url: str, headers: dict | None = None, kind: type = dict):
        reach(errand)
        return _present[0].exchange("GET", url, None)

    def asked_to_wait(status: int, headers: dict) -> int | None:
        from stoa.auth import retry_after

        return retry_after.seconds(headers, _present[0].now(), status)

    exchanger.post, exchanger.get, exchanger.asked_to_wait = post, get, asked_to_wait
    hardware.awake_ms = _bound("milliseconds")
    modules = (hardware, inputs, glass, radio, exchanger)
    return {module.__name__: module for module in modules}
