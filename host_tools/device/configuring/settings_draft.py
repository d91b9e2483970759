"""The settings.toml that is to be, between the file as it is and what its owner says: the firmware judges each value.

`QUESTIONS` is every key there is, with the option that gives it and the words that ask for it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from host_tools.device.configuring import settings_check, settings_file, tz_rules
from host_tools.device.configuring.settings_check import ALLOW_HTTP, STACK, STACK_SIZE, ZONE, Problem, problem_of
from host_tools.device.configuring.settings_file import SettingsFileError, Value
from host_tools.device.configuring.tz_rules import Zone
from host_tools.errors import StoaError
from host_tools.firmware_modules import firmware

PASSWORD, ISSUER, CLIENT_ID = "STOA_WIFI_PASSWORD", "STOA_ISSUER", "STOA_CLIENT_ID"
MASK = "********"


class SettingRefused(StoaError):
    """A value that the display would refuse, or one that is missing."""


@dataclass(frozen=True)
class Question:
    """option: how the value is given. words: how it is asked for; "" is never asked. may_be_left_out: by nothing."""

    key: str
    option: str
    words: str = ""
    may_be_left_out: bool = False


QUESTIONS = (
    Question(ALLOW_HTTP, "--allow-http", may_be_left_out=True),
    Question("STOA_WIFI_SSID", "--ssid", "Wi-Fi network"),
    Question(PASSWORD, f"--password-stdin, --password-file or {PASSWORD} in the environment", "Wi-Fi password"),
    Question(ISSUER, "--issuer", "Issuer, the address of the authorization server"),
    Question(CLIENT_ID, "--client-id", "Client id of the display there"),
    Question("STOA_AUDIENCE", "--audience", "Audience, where the issuer wants one; - for none", may_be_left_out=True),
    Question("STOA_SCOPE", "--scope", may_be_left_out=True),
    Question("STOA_API", "--api", "Address of today's quote"),
    Question("STOA_WAKE", "--wake-at", "Time to wake, HH:MM", may_be_left_out=True),
    Question(ZONE, "--time-zone", "Time zone, as Europe/Berlin", may_be_left_out=True),
    Question("STOA_QUIET", "--quiet-hours", may_be_left_out=True),
    Question("STOA_PUSH", "--push", may_be_left_out=True),
    Question("STOA_NTP", "--ntp", may_be_left_out=True),
)
_BY_KEY = {question.key: question for question in QUESTIONS}


@dataclass(frozen=True)
class Change:
    """old or new is None where no line sets the key. A password is MASK in both; that of an open network is ""."""

    key: str
    old: str | None
    new: str | None


class Draft:
    """text: the file as it is, b"" for none. name: of the file, for people. SettingsFileError if it is no TOML."""

    def __init__(self, text: bytes, name: str) -> None:
        if not text.strip(b"\0"):
            # A power cut may leave a file's length without its content: there is nothing of its owner's in it.
            text = b""
        if wrong := settings_file.syntax_error(text):
            raise SettingsFileError(
                f"{name}, line {wrong[0]} {wrong[1]}: put it right, or move the file away; nothing was written"
            )
        self._text = text
        self._given: dict[str, str | None] = {}
        self._zone: Zone | None = None

    def present(self, key: str) -> str | None:
        """What is given or in the file, as a person would write it; None where it is nowhere."""
        if key in self._given:
            return self._zone.name or self._zone.rule if key == ZONE and self._zone else self._given[key]
        value = settings_file.value(self._text, key)
        if key == ZONE and value is not None and (name := self._zone_noted(value)):
            return name
        return value

    def give(self, key: str, typed: str) -> None:
        """Set a key, or leave it out for "" where it may be. SettingRefused, ZoneUnknown, SettingsFileError."""
        question = _BY_KEY[key]
        zone = None
        value: str | None = typed
        if not typed and question.may_be_left_out:
            value = None
        elif key == ZONE:
            zone = tz_rules.zone_of(typed)
            value = zone.rule
        if value is not None:
            settings_file.check_text(key, value)
        if wrong := problem_of(key, value, self._allows_http()):
            raise SettingRefused(f"{key} {wrong[0]}: {wrong[1]}")
        self._given[key] = value
        if key == ZONE:
            self._zone = zone

    def issuer(self) -> str:
        return self.present(ISSUER) or ""

    def check(self, moment: int) -> list[Problem]:
        """The warnings about the file that is to be. SettingRefused names what is missing, or the first that is wrong.

        moment: now, in epoch s, for the zone's coming days.
        """
        found = settings_check.check(self.text())
        wrong = [problem for problem in found if problem.level == "error"]
        for problem in wrong:
            if problem.line is not None:
                raise SettingRefused(str(problem))
        if wrong:
            missing = "; ".join(f"{problem.key} ({_BY_KEY[problem.key].option})" for problem in wrong)
            raise SettingRefused(f"missing: {missing}. Give what is missing, or run this in a terminal to be asked")
        return [*found, *self._days_off(moment)]

    def changes(self) -> list[Change]:
        """What is not in the file as it is meant."""
        return [
            Change(key, _masked(key, settings_file.value(self._text, key)), _masked(key, _text(new)))
            for key, new in self._changes().items()
        ]

    def pairs_anew(self) -> bool:
        """Whether the pairing that may be there belongs to another issuer or client than the new file's."""
        before = [settings_file.value(self._text, key) for key in (ISSUER, CLIENT_ID)]
        after = [self._value(key) for key in (ISSUER, CLIENT_ID)]
        owner = firmware("stoa.vault").owner
        return all(before) and all(after) and bool(owner(*before) != owner(*after))

    def text(self) -> bytes:
        """The file that is to be. SettingsFileError."""
        changes = self._changes()
        return settings_file.edited(self._text, changes, self._notes(changes)) if changes else self._text

    def _days_off(self, moment: int) -> Iterator[Problem]:
        rule, name = self._value(ZONE), self.present(ZONE)
        if rule is None or name is None or name == rule:
            return
        if days := tz_rules.wrong_days(Zone(rule, name), moment):
            said = f"keeps another time than {name} from {days[0]} to {days[1]}"
            yield Problem("warning", ZONE, None, said, "no rule can say those days; run `stoa config` again after them")

    def _value(self, key: str) -> str | None:
        return self._given[key] if key in self._given else settings_file.value(self._text, key)

    def _allows_http(self) -> bool:
        return self._value(ALLOW_HTTP) == "1"

    def _changes(self) -> dict[str, Value | None]:
        changes: dict[str, Value | None] = {
            key: self._given[key]
            for key in _BY_KEY
            if key in self._given and self._given[key] != settings_file.value(self._text, key)
        }
        if settings_file.value(self._text, STACK) is None:
            changes[STACK] = STACK_SIZE
        return changes

    def _notes(self, changes: dict[str, Value | None]) -> dict[str, str]:
        """The zone's name, beside the rule: nobody knows a zone by its rule. A comment of the owner's stays."""
        there = settings_file.note(self._text, ZONE)
        if ZONE not in changes or (there and there not in tz_rules.names()):
            return {}
        return {ZONE: (self._zone.name if self._zone else None) or ""}

    def _zone_noted(self, rule: str) -> str | None:
        name = settings_file.note(self._text, ZONE)
        return name if name in tz_rules.names() and tz_rules.rule_of(name) == rule else None


def default_of(key: str) -> str | None:
    """What the firmware takes where no line sets the key; None where there is nothing."""
    settings = firmware("stoa.settings")
    return next((row[2] for row in settings.TABLE if row[0] == key and row[2] is not settings.REQUIRED), None)


def _masked(key: str, value: str | None) -> str | None:
    return MASK if key == PASSWORD and value else value


def _text(value: Value | None) -> str | None:
    return None if value is None else str(value)
