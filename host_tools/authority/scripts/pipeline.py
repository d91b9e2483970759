"""A tenant's scripts, one after the other: its Rules, then its Actions, as Auth0 has them. The last word counts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from host_tools.authority.core.claims import Claims
from host_tools.authority.core.policies import Directive
from host_tools.authority.core.post_login import Attempt, Verdict
from host_tools.authority.scripts import actions, directives, rules
from host_tools.authority.scripts.engine import Engine, Overrun, Turn
from host_tools.authority.scripts.script import Script, ScriptFailed, run
from host_tools.clock import NS

# What whoever asked is told of a script that failed without words of its own; the log has more.
_FAILED = "A script of the tenant failed."


@dataclass
class Printed:
    """What scripts wrote to their console: the script's name and its line."""

    lines: list[tuple[str, str]] = field(default_factory=list)


class Pipeline:
    """The judge that core/post_login.py asks. `printed`, where given, collects what scripts print."""

    def __init__(self, engine: Engine, scripts: Sequence[Script], issuer: str, printed: Printed | None = None) -> None:
        self.scripts = tuple(scripts)
        self._engine = engine
        self._issuer = issuer
        self._printed = printed

    def __call__(self, attempt: Attempt) -> Verdict:
        """A script that fails denies, and is named."""
        try:
            with self._engine.turn() as turn:
                directive, claims = self._rules(turn, attempt)
                asked = self._actions(turn, attempt)
        except Overrun:
            return Verdict(denied=_FAILED, faults=("the engine has ended",))
        except _Denied as denied:
            return Verdict(denied=denied.reason, faults=denied.faults)
        merged = Claims({**claims.access, **asked.access_claims}, {**claims.id, **asked.id_claims})
        return Verdict(asked.mfa or directive, claims=merged)

    def _rules(self, turn: Turn, attempt: Attempt) -> tuple[Directive | None, Claims]:
        passed = rules.first(attempt, self._issuer)
        directive, claims = None, Claims()
        for script in self._of("rule"):
            with _naming(script):
                found = self._run(turn, script, passed.given(script.secrets, attempt.now * 1000 // NS))
                if "denied" in found:
                    raise _Denied(str(found["denied"]) or "Access denied.")
                passed = rules.after(passed, found)
                directive, claims = rules.outcome(passed)
        return directive, claims

    def _actions(self, turn: Turn, attempt: Attempt) -> actions.Asked:
        asked = actions.Asked()
        seen = actions.event(attempt, self._issuer)
        for script in self._of("action"):
            with _naming(script):
                actions.take(
                    asked, self._run(turn, script, actions.given(seen, script.secrets, attempt.now * 1000 // NS))
                )
                for wanted in (asked.access_claims, asked.id_claims):
                    kept = directives.claims(wanted)
                    wanted.clear()
                    wanted.update(kept)
            if asked.denied is not None:
                raise _Denied(asked.denied or "Access denied.")
        return asked

    def _of(self, kind: str) -> Iterator[Script]:
        return (script for script in self.scripts if script.kind == kind)

    def _run(self, turn: Turn, script: Script, given: str) -> dict[str, object]:
        try:
            found = run(turn, script, given)
        except ScriptFailed as failed:
            self._keep(script, failed.printed)
            raise
        lines = found.get("lines")
        self._keep(script, lines if isinstance(lines, list) else ())
        return found

    def _keep(self, script: Script, lines: Sequence[object]) -> None:
        if self._printed is not None:
            self._printed.lines += [(script.name, str(line)) for line in lines]


class _Denied(Exception):
    def __init__(self, reason: str, faults: tuple[str, ...] = ()) -> None:
        super().__init__(reason)
        self.reason = reason
        self.faults = faults


@contextmanager
def _naming(script: Script) -> Iterator[None]:
    try:
        yield
    except ScriptFailed as failed:
        raise _Denied(failed.told or _FAILED, (f"{script.kind} {script.name}: {failed}"[:400],)) from failed
