"""Checks of the values that controls take; each refusal names the field and what it may be."""

from __future__ import annotations

from collections.abc import Collection

from host_tools.authority.errors import InvalidSetting


def check_choice(field: str, value: object, choices: Collection[str]) -> None:
    if not isinstance(value, str) or value not in choices:
        raise InvalidSetting(field, f"is {value!r:.60}; it must be one of {', '.join(choices)}")


def check_count(field: str, value: object, least: int, most: int) -> None:
    # bool is an int to Python, and `true` is no number to whoever sent it.
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise InvalidSetting(field, f"is {value!r:.60}; it must be a whole number from {least} to {most}")


def check_flag(field: str, value: object) -> None:
    if not isinstance(value, bool):
        raise InvalidSetting(field, f"is {value!r:.60}; it must be true or false")


def check_text(field: str, value: object, longest: int = 200) -> None:
    if not isinstance(value, str) or not 0 < len(value) <= longest:
        raise InvalidSetting(field, f"must be a text of 1 to {longest} characters")
