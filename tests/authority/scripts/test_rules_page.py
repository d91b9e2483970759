"""docs/rules.md, and the scripts' engine: each says what the other does."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from host_tools.authority.scripts import LARGEST_SCRIPT, MOST_SCRIPTS, actions, rules
from host_tools.authority.scripts.directives import FACTOR_TYPES, LARGEST_CLAIMS, PROVIDERS
from host_tools.authority.scripts.engine import DEADLINE_S
from host_tools.authority.scripts.sandbox import MEMORY_BYTES, TIME_S
from host_tools.cli.rule import _SENTENCES

from ..conftest import ISSUER
from .conftest import text_of

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "rules.md").read_text(encoding="utf-8")
STORY = re.findall(r"```js\n(.+?)```", PAGE, re.DOTALL)
TRIED = re.findall(r"^\$ stoa rule try (mfa|spared)\.js([^|\n]*)\n((?:[^$`].*\n)+)", PAGE, re.MULTILINE)


def without_blanks(text: str) -> str:
    return re.sub(r"[ \t]+\n", "\n", text)


def test_the_rules_on_the_page_are_those_of_the_story():
    assert [without_blanks(text_of(name)) for name in ("challenges_everything", "spares_displays")] == STORY


@pytest.mark.parametrize(("name", "options", "printed"), TRIED)
def test_what_is_printed_on_the_page_is_printed(tmp_path, name, options, printed):
    file = tmp_path / f"{name}.js"
    file.write_text(STORY[("mfa", "spared").index(name)])
    command = [sys.executable, "-m", "host_tools.cli", "rule", "try", str(file), *options.split()]
    assert subprocess.run(command, capture_output=True, text=True, timeout=60).stdout == printed


def test_the_page_shows_all_three():
    assert len(TRIED) == 3


def test_the_page_names_all_that_a_script_sees_and_may_say(attempt):
    context = [*rules.first(attempt, ISSUER).context]
    event = json.loads(actions.given(actions.event(attempt, ISSUER), {}, 0))["event"]
    words = {f"api.{method}" for method in actions._METHODS} | {*PROVIDERS} | {*FACTOR_TYPES} | {*_SENTENCES}
    words |= {each for each in context if each != "issuer"} | {f"event.{each}" for each in event}
    assert [word for word in sorted(words) if not re.search(rf"\b{re.escape(word)}\b", PAGE)] == []


def test_the_page_has_the_limits():
    limits = {
        "processor": f"{TIME_S} s",
        "memory": f"{MEMORY_BYTES >> 20} MB",
        "time by the clock": f"{DEADLINE_S} s;",
        "claims": f"{LARGEST_CLAIMS >> 10} KB",
        "its text": f"{LARGEST_SCRIPT >> 10} KB in a tenant file;",
        "how many": f"{MOST_SCRIPTS} of each kind",
    }
    assert [name for name, limit in limits.items() if f"| {name} | {limit}" not in PAGE] == []
