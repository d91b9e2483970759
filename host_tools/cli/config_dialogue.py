"""What `stoa config` asks and tells. Questions and remarks go to stderr, results to stdout; no password to either."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass

import typer

from host_tools.device.configuring.issuer_check import Report
from host_tools.device.configuring.settings_check import ZONE, Problem
from host_tools.device.configuring.settings_draft import PASSWORD, QUESTIONS, Change, Draft, Question, default_of
from host_tools.device.configuring.tz_rules import zone_here
from host_tools.errors import StoaError

_NONE = "-"
_COLOURS = {"ok": typer.colors.GREEN, "warning": typer.colors.YELLOW, "error": typer.colors.RED}
_INTERRUPTED = 130


@dataclass
class Outcome:
    """What became of a settings.toml. issuer: what was found about it, None where it was not asked.

    pairs_anew: the display will, once it reads the changes.
    """

    target: str
    warnings: Sequence[Problem]
    changes: Sequence[Change]
    pairs_anew: bool = False
    issuer: Report | None = None
    written: bool = False


class Dialogue:
    """asks: whether there is somebody to ask."""

    def __init__(self, asks: bool, as_json: bool) -> None:
        self._asks = asks
        self._as_json = as_json

    def remark(self, text: str) -> None:
        typer.echo(text, err=True)

    def ask(self, draft: Draft, given: Collection[str]) -> None:
        """Whatever has words and is not given, until the draft takes the answer."""
        if not self._asks:
            return
        try:
            for question in QUESTIONS:
                if question.words and question.key not in given:
                    self._ask(draft, question)
        except typer.Abort:
            raise typer.Exit(_INTERRUPTED) from None

    def is_willing(self) -> bool:
        """Whether the settings are to be written although the display could not sign in with them."""
        if not self._asks:
            return False
        try:
            return typer.confirm("Write the settings all the same?", err=True)
        except typer.Abort:
            raise typer.Exit(_INTERRUPTED) from None

    def tell_findings(self, report: Report) -> None:
        if self._as_json:
            return
        for finding in report.findings:
            level = typer.style(f"{finding.level:8}", fg=_COLOURS[finding.level])
            remedy = f": {finding.remedy}" if finding.remedy else ""
            typer.echo(f"{level}{finding.subject}: {finding.text}{remedy}")

    def tell(self, outcome: Outcome) -> None:
        if outcome.written and outcome.pairs_anew:
            self.remark("The pairing belongs to issuer and client: the display will ask to be paired anew")
        if self._as_json:
            issuer = outcome.issuer
            told = {
                "target": outcome.target,
                "written": outcome.written,
                "changes": [asdict(change) for change in outcome.changes],
                "warnings": [asdict(warning) for warning in outcome.warnings],
                "issuer": {"failed": issuer.failed, "findings": list(map(asdict, issuer.findings))} if issuer else None,
            }
            typer.echo(json.dumps(told, indent=2))
            return
        for warning in outcome.warnings:
            typer.echo(f"{typer.style('warning ', fg=_COLOURS['warning'])}{warning}")
        for change in outcome.changes if outcome.written else ():
            for sign, value, colour in (("-", change.old, typer.colors.RED), ("+", change.new, typer.colors.GREEN)):
                if value is not None:
                    typer.secho(f"{sign} {change.key} = {_quoted(value)}", fg=colour)
        if outcome.written:
            typer.echo(f"Written: {outcome.target}")
        elif not outcome.changes:
            typer.echo(f"Nothing to change: {outcome.target}")

    def _ask(self, draft: Draft, question: Question) -> None:
        while True:
            try:
                draft.give(question.key, self._typed(draft, question))
                return
            except StoaError as error:
                self.remark(f"  {error}")

    def _typed(self, draft: Draft, question: Question) -> str:
        present = draft.present(question.key)
        if question.key == PASSWORD:
            empty = "keeps the one that is there; --open-network takes it out" if present else "for an open network"
            words = f"{question.words} (not shown; empty {empty})"
            typed: str = typer.prompt(words, default="", show_default=False, hide_input=True, err=True)
            return typed or present or ""
        if present is None and question.key == ZONE:
            present = zone_here()
        default = present or default_of(question.key) or ("" if question.may_be_left_out else None)
        typed = typer.prompt(question.words, default=default, show_default=bool(default), err=True)
        return "" if typed == _NONE and question.may_be_left_out else typed


def tell_problems(file: str, problems: Sequence[Problem], as_json: bool) -> None:
    """What is wrong with a file, in the form editors take."""
    errors = sum(problem.level == "error" for problem in problems)
    warnings = len(problems) - errors
    if as_json:
        told = {"file": file, "ok": not errors, "problems": [asdict(problem) for problem in problems]}
        typer.echo(json.dumps(told, indent=2))
        return
    for problem in problems:
        at = "" if problem.line is None else f":{problem.line}"
        typer.echo(f"{file}{at}: {typer.style(problem.level, fg=_COLOURS[problem.level])}: {problem}")
    typer.echo(f"{file}: {_counted(errors, 'error')}, {_counted(warnings, 'warning')}" if problems else f"{file}: good")


def _counted(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def _quoted(value: str) -> str:
    return value if value.isdigit() else json.dumps(value, ensure_ascii=False)
