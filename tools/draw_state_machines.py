#!/usr/bin/env python3
"""Write docs/state-machines.md from the tables of the auth core and of what decides beside it.

    python tools/draw_state_machines.py            rewrite the page
    python tools/draw_state_machines.py --check    say whether it is stale, by the exit status

The reason for a row is the comment above it in the source, so that it costs the board no byte. A row without one shares
that of the row before.
"""

from __future__ import annotations

import ast
import sys
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
STOA = ROOT / "firmware" / "stoa"
PAGE = ROOT / "docs" / "state-machines.md"

INTRODUCTION = """# State machines

Made from the tables in `firmware/stoa` by `tools/draw_state_machines.py`: change them there. What is not a row cannot
happen. The reason for a row is the comment above it in the source; *3.5* without an RFC is a section of RFC 8628, and
*Auth0* is its documentation: the MFA API, and the guide to challenging with push with its steps.
"""


@dataclass(frozen=True)
class Row:
    key: tuple[str, ...]
    value: tuple[str, ...]
    reason: str
    line: int


@dataclass(frozen=True)
class Table:
    title: str
    path: str
    name: str
    columns: tuple[str, ...]
    is_machine: bool = False


STEP = ("state", "event", "next", "action", "why")
TABLES = (
    Table("Pairing: the device grant", "auth/device_grant.py", "TABLE", STEP, is_machine=True),
    Table(
        "What the token endpoint's error means to a pairing",
        "auth/device_grant.py",
        "ERRORS",
        ("error", "event", "why"),
    ),
    Table("The refresh", "auth/refresh.py", "TABLE", STEP, is_machine=True),
    Table(
        "What the token endpoint's error means to a refresh", "auth/refresh.py", "ERRORS", ("error", "verdict", "why")
    ),
    Table("A push: asking the phone", "auth/push.py", "TABLE", STEP, is_machine=True),
    Table("What the token endpoint's error means to a push", "auth/push.py", "ERRORS", ("error", "event", "why")),
    Table(
        "Errors that refuse the client, at whichever grant",
        "auth/answer.py",
        "CLIENT_ERRORS",
        ("error", "verdict", "why"),
    ),
    Table("What the quote API's answer means", "quotes.py", "ANSWERS", ("status", "challenge", "verdict", "why")),
    Table(
        "How long to sleep after a failure",
        "auth/backoff.py",
        "CAUSES",
        ("cause", "first", "longest", "failures before the glass says so", "why"),
    ),
)


def rows(table: Table) -> list[Row]:
    """The rows of a table as its source has them, in order."""
    path = STOA / table.path
    source = path.read_text()
    comments = _comments(path)
    found: list[Row] = []
    for literal in _literals(ast.parse(source), table.name):
        reason = ""
        for key, value in zip(literal.keys, literal.values, strict=True):
            assert key is not None, f"{path}: ** in {table.name}"
            reason = _above(comments, key.lineno) or reason
            found.append(Row(_cells(key), _cells(value), reason, key.lineno))
    if not found:
        raise SystemExit(f"{path} has no table {table.name}")
    return found


def page() -> str:
    return "\n".join([INTRODUCTION, *(line for table in TABLES for line in _section(table))])


def _literals(module: ast.Module, name: str) -> Iterator[ast.Dict]:
    """The dict displays that make up `name`: NAME = {...} and NAME.update({...})."""
    for node in module.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == name and isinstance(node.value, ast.Dict):
            yield node.value
        elif (
            isinstance(node, ast.Expr)
            and isinstance(node.value, ast.Call)
            and ast.unparse(node.value.func) == f"{name}.update"
            and isinstance(node.value.args[0], ast.Dict)
        ):
            yield node.value.args[0]


def _cells(node: ast.expr) -> tuple[str, ...]:
    if isinstance(node, ast.Tuple):
        return tuple(cell for element in node.elts for cell in _cells(element))
    if isinstance(node, ast.Constant):
        return ("any other" if node.value is None else str(node.value),)
    return (ast.unparse(node),)


def _comments(path: Path) -> dict[int, str]:
    """Line number -> text, of the comments that have a line to themselves."""
    with tokenize.open(path) as file:
        return {
            token.start[0]: token.string.lstrip("# ")
            for token in tokenize.generate_tokens(file.readline)
            if token.type == tokenize.COMMENT and not token.line[: token.start[1]].strip()
        }


def _above(comments: dict[int, str], line: int) -> str:
    text: list[str] = []
    while line - 1 in comments:
        line -= 1
        text.insert(0, comments[line])
    return " ".join(text)


def _section(table: Table) -> Iterator[str]:
    found = rows(table)
    yield f"## {table.title}"
    yield ""
    yield f"`firmware/stoa/{table.path}`, `{table.name}`"
    yield ""
    if table.is_machine:
        yield from _diagram(found)
    yield "| " + " | ".join(table.columns) + " |"
    yield "|" + "---|" * len(table.columns)
    for row in found:
        code = [f"`{cell}`" for cell in (*row.key, *row.value)]
        yield "| " + " | ".join([*code, row.reason.replace("|", "\\|")]) + " |"
    yield ""


def _diagram(found: list[Row]) -> Iterator[str]:
    arrows: dict[tuple[str, str], list[str]] = {}
    for row in found:
        arrows.setdefault((row.key[0], row.value[0]), []).append(row.key[1])
    yield "```mermaid"
    yield "stateDiagram-v2"
    yield "    [*] --> idle"
    for (state, following), events in arrows.items():
        yield f"    {state} --> {following}: {', '.join(events)}"
    yield "```"
    yield ""


def main() -> int:
    made = page()
    if "--check" in sys.argv[1:]:
        stale = not PAGE.exists() or PAGE.read_text() != made
        if stale:
            print(f"{PAGE.relative_to(ROOT)} is stale: run python tools/draw_state_machines.py")
        return int(stale)
    PAGE.write_text(made)
    return 0


if __name__ == "__main__":
    sys.exit(main())
