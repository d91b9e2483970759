"""A script of the tenant: a Rule or a post-login Action, and the engine's text for it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Literal, get_args

from host_tools.authority.scripts.engine import Engine, Overrun, Turn

Kind = Literal["rule", "action"]
KINDS: tuple[str, ...] = get_args(Kind)
# What each kind calls the texts that are handed to it.
SECRETS: Mapping[Kind, str] = {"rule": "configuration", "action": "secrets"}
Asked = Engine | Turn
LARGEST_SCRIPT = 100 * 1024  # Auth0's for an Action's code (docs-v2, "Actions Limitations")
_HERE = Path(__file__).parent
_LINE = re.compile(r"<input>:(\d{1,9})")
# A rule is one function expression; the ; that an editor adds at its end makes it a statement.
_WRAPPED: Mapping[Kind, str] = {
    "rule": "({text}\n)",
    "action": "(function (exports, module, require) {{ {text}\n}})",
}
_OVERRUN = "did not end in time, or used too much memory, and was stopped"
# QuickJS's words for its own limits.
_LIMITS = {
    "InternalError: interrupted": "ran longer than 0.2 s",
    "InternalError: out of memory": "used more than 16 MB",
}


@dataclass(frozen=True)
class Script:
    """name: for the log. secrets: `event.secrets` of an Action, `configuration` of a Rule."""

    kind: Kind
    name: str
    text: str = field(repr=False)
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def wrapped(self) -> str:
        text = self.text.rstrip().removesuffix(";") if self.kind == "rule" else self.text
        return _WRAPPED[self.kind].format(text=text)


class ScriptFailed(Exception):
    """A script that threw, ran too long or left nothing that can be used.

    The message is for the tenant's owner; `told` is what whoever asked may know. printed: its console's lines.
    """

    def __init__(self, message: str, told: str = "", printed: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.told = told
        self.printed = printed


def check(engine: Asked, script: Script) -> None:
    """Raises ScriptFailed for what the engine does not take for JavaScript, with its line."""
    looked_at = f"(function () {{ return {script.wrapped}\n}})"
    try:
        found = engine.ask(script=looked_at)
    except Overrun:
        raise ScriptFailed(_OVERRUN) from None
    if "error" in found:
        raise ScriptFailed(_placed(script, str(found["error"])))


def run(engine: Asked, script: Script, given: str) -> dict[str, Any]:
    """What its harness tells of it. given: JSON. Raises ScriptFailed."""
    try:
        found = engine.ask(harness=_harness(script.kind), script=script.wrapped, given=given)
    except Overrun:
        raise ScriptFailed(_OVERRUN, "The script did not end in time.") from None
    lines = found.get("lines")
    printed = tuple(str(line) for line in lines) if isinstance(lines, list) else ()
    if "fault" in found:
        if found["fault"] != "threw":
            raise ScriptFailed(str(found["fault"]), printed=printed)
        message = _placed(script, f"{found.get('error')}\n{found.get('stack')}")
        raise ScriptFailed(f"threw {message}", str(found.get("message")), printed)
    if "error" in found:
        raise ScriptFailed(_placed(script, str(found["error"])), printed=printed)
    return found


def _placed(script: Script, error: str) -> str:
    """An error of QuickJS's on one line, with the script's line that it is of: what is put around it comes after."""
    first = error.split("\n", 1)[0]
    line = _LINE.search(error.partition("\n")[2])
    words = _LIMITS.get(first, first)
    last = script.text.count("\n") + 1
    place = f" (line {min(int(line[1]), last)})" if line else ""
    return " ".join(words.split())[:300] + place


@cache
def _harness(kind: Kind) -> str:
    shared = (_HERE / "shared.js").read_text(encoding="utf-8")
    return (_HERE / f"{kind}.js").read_text(encoding="utf-8").replace("  /* shared.js */\n", shared)
