"""The table of requirements.toml, and the page made of it: `python -m tests.interop.requirements`."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
TABLE = Path(__file__).with_name("requirements.toml")
PAGE = ROOT / "docs" / "requirements.md"
CHECKS = "tests/interop/test_requirements_*.py"
SERVERS = ("auth0", "rfc", "oidc-provider")
RUNS = "runs"

_HEAD = f"""# What the documents ask, and what shows it

Made from `tests/interop/{TABLE.name}` by `python -m tests.interop.requirements`: change it there. Every test named
here exists, and ran on every server with a yes, which `test_requirements*.py` beside it check.

## Of a device

Stoa's firmware, at its auth core and on the virtual board, where it also pairs with npm's `oidc-provider`.

| document | it asks | shown by |
|---|---|---|
"""
_SERVERS_HEAD = f"""
## Of an authorization server

The same requests over plain HTTP to three servers: `stoa serve` in its two dialects, and npm's certified
`oidc-provider`. All tests are in `{CHECKS}`.

| document | it asks | `auth0` | `rfc` | `oidc-provider` | shown by |
|---|---|---|---|---|---|
"""


@dataclass(frozen=True)
class DeviceRow:
    """tests: pytest's names, from the root of the repository."""

    id: str
    section: str
    says: str
    tests: tuple[str, ...]


@dataclass(frozen=True)
class ServerRow:
    """test: a function of test_requirements_*.py. servers: of each, RUNS, or why the row does not apply to it."""

    id: str
    section: str
    says: str
    test: str
    servers: dict[str, str]

    def runs_on(self) -> list[str]:
        return [name for name, how in self.servers.items() if how == RUNS]


def device_rows() -> list[DeviceRow]:
    return [DeviceRow(**{**row, "tests": tuple(row["tests"])}) for row in _table()["device"]]


def server_rows() -> list[ServerRow]:
    """Each row says something of each server. KeyError, TypeError: a member is missing or too many."""
    return [ServerRow(servers={name: row.pop(name) for name in SERVERS}, **row) for row in _table()["server"]]


def page() -> str:
    devices = "".join(
        f"| {row.section} | {row.says} | {' '.join(f'`{_short(test)}`' for test in row.tests)} |\n"
        for row in device_rows()
    )
    servers = "".join(
        f"| {row.section} | {row.says} | {' | '.join(_cell(how) for how in row.servers.values())} | `{row.test}` |\n"
        for row in server_rows()
    )
    return _HEAD + devices + _SERVERS_HEAD + servers


def _table() -> dict[str, list[dict[str, Any]]]:
    return tomllib.loads(TABLE.read_text())


def _cell(how: str) -> str:
    return "yes" if how == RUNS else how


def _short(test: str) -> str:
    return test.removeprefix("tests/")


if __name__ == "__main__":
    PAGE.write_text(page())
