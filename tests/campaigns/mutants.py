"""The tables of the firmware, each row of them changed once: what the unit tests have to notice.

A mutant is a row removed, sent to another state, given another action, or given another verdict.
"""

from __future__ import annotations

import importlib
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.campaigns import forked

UNIT = Path(__file__).resolve().parents[1] / "unit"


@dataclass(frozen=True)
class Tested:
    """A table and the unit tests that answer for it."""

    module: str
    name: str
    tests: tuple[str, ...]
    # What a row can be changed to; for a machine its states and actions.
    is_machine: bool = False
    # Modules that copied the table when they were loaded.
    copied_by: tuple[str, ...] = ()

    @property
    def table(self) -> dict:
        return getattr(importlib.import_module(self.module), self.name)


PUSH_TESTS = ("test_push.py", "test_push_answers.py")
GRANT_TESTS = ("test_device_grant.py", "test_device_grant_answers.py", "test_device_grant_time.py")
TABLES = {
    "device grant": Tested("stoa.auth.device_grant", "TABLE", GRANT_TESTS, is_machine=True),
    "refresh": Tested("stoa.auth.refresh", "TABLE", ("test_refresh.py",), is_machine=True),
    "push": Tested("stoa.auth.push", "TABLE", PUSH_TESTS, is_machine=True),
    "errors to a push": Tested("stoa.auth.push", "ERRORS", PUSH_TESTS),
    "errors to a device grant": Tested("stoa.auth.device_grant", "ERRORS", GRANT_TESTS),
    "errors to a refresh": Tested("stoa.auth.refresh", "ERRORS", ("test_refresh.py",)),
    "errors of the client": Tested(
        "stoa.auth.answer",
        "CLIENT_ERRORS",
        (*GRANT_TESTS, *PUSH_TESTS, "test_refresh.py"),
        copied_by=("stoa.auth.device_grant", "stoa.auth.push", "stoa.auth.refresh"),
    ),
    "answers of the API": Tested("stoa.quotes", "ANSWERS", ("test_quotes.py",)),
    "causes of a failure": Tested("stoa.auth.backoff", "CAUSES", ("test_backoff.py", "test_schedule.py")),
}

# Mutants that do the same as the row they change: table, pattern of what they are, and why.
EQUIVALENT = (
    ("device grant", r"\('showing', 'shown'\) does pending", "before the first poll none has been lost"),
    (
        "push",
        r"\('(asking|challenging|waiting)', '(none|lost|expired)'\) does _asked",
        "it stops without a code for the log either way",
    ),
    ("refresh", r"\('(asking', 'unreached|again', 'gone)'\) does _give_up", "nothing is known there either"),
    ("answers of the API", r"\(401, 'invalid_token'\) removed", "any other 401 means the same"),
)


def is_equivalent(name: str, what: str) -> bool:
    return any(name == table and re.fullmatch(pattern, what) for table, pattern, _ in EQUIVALENT)


Change = Callable[[dict], None]


def mutants(tested: Tested) -> Iterator[tuple[str, Change]]:
    """(what it is, what makes it) for every row."""
    table = tested.table
    for key, value in table.items():
        yield f"{key} removed", lambda table, key=key: table.pop(key)
        for other, words in _others(tested, table, value):
            yield f"{key} {words}", lambda table, key=key, other=other: table.update({key: other})


def _others(tested: Tested, table: dict, value: Any) -> Iterator[tuple[Any, str]]:
    if tested.is_machine:
        following, action = value
        for state in sorted({row[0] for row in table.values()} - {following}):
            yield (state, action), f"leads to {state}"
        for other in sorted({row[1] for row in table.values()} - {action}, key=lambda action: action.__name__):
            yield (following, other), f"does {other.__name__}"
    elif isinstance(value, tuple):
        for at, number in enumerate(value):
            yield (*value[:at], number * 2 + 1, *value[at + 1 :]), f"has {number * 2 + 1} for {number}"
    else:
        for other in sorted({*table.values(), "no such verdict"} - {value}):
            yield other, f"means {other}"


def is_noticed(tested: Tested, change: Change) -> bool:
    """Whether the unit tests fail with the change made."""
    code = forked.run(lambda: _change(tested, change), [str(UNIT / name) for name in tested.tests])
    if code not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED, pytest.ExitCode.INTERRUPTED):
        raise RuntimeError(f"the tests of {tested.name} could not be run: pytest ended with {code}")
    return code != pytest.ExitCode.OK


def _change(tested: Tested, change: Change) -> None:
    change(tested.table)
    for module in tested.copied_by:
        importlib.reload(sys.modules[module])
