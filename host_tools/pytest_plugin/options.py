"""What a test wants of its authority: the ini file says it for all, `stoa_options` and the marker for some."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

MARKER = (
    "stoa(dialect='auth0', config=None, tls=False, clock='virtual', mfa=None): "
    "what the test wants of the stoa_authority fixture"
)
_CLOCKS = ("virtual", "real")
# As pytest.ini has them, each behind `stoa_`.
_INI = {
    "dialect": "whose wire stoa_authority speaks: auth0 (the default), okta, rfc or extrahorizon",
    "config": "a tenant file for stoa_authority, relative to this file",
    "clock": "virtual (the default): time stands still until it is moved; real",
    "mfa": "never, always, adaptive or rule; left out, what the tenant file says, or never",
}


@dataclass(frozen=True)
class Options:
    """dialect and mfa are checked by who knows them, the authority."""

    dialect: str = "auth0"
    config: Path | None = None
    tls: bool = False
    clock: str = "virtual"
    mfa: str | None = None


_NAMES = tuple(Options.__dataclass_fields__)


def add_ini(parser: pytest.Parser) -> None:
    for name, told in _INI.items():
        parser.addini(f"stoa_{name}", told, default=None)
    parser.addini("stoa_tls", "stoa_authority answers over https", type="bool", default=False)


def chosen(request: pytest.FixtureRequest, by_fixture: Mapping[str, Any]) -> Options:
    """The ini file's, those of the fixture `stoa_options`, those of the markers: what is nearer to the test counts.

    Raises pytest.UsageError.
    """
    __tracebackhide__ = True
    ini = request.config
    beside_ini = ini.inipath.parent if ini.inipath else ini.rootpath
    by_ini = {name: value for name in _NAMES if (value := ini.getini(f"stoa_{name}"))}
    wanted = _checked(by_ini, "the ini file", beside_ini, prefix="stoa_")
    beside_test = request.path.parent
    wanted |= _checked(by_fixture, "the fixture stoa_options", beside_test)
    for marker in reversed(list(request.node.iter_markers("stoa"))):
        if marker.args:
            raise pytest.UsageError(f"@pytest.mark.stoa takes options by name alone: {_known()}")
        wanted |= _checked(marker.kwargs, "@pytest.mark.stoa", beside_test)
    return Options(**wanted)


def _checked(given: Mapping[str, Any], where: str, beside: Path, prefix: str = "") -> dict[str, Any]:
    """These options, a path among them made absolute from the folder of what names it."""
    __tracebackhide__ = True

    def refuse(name: str, message: str) -> pytest.UsageError:
        return pytest.UsageError(f"{where}: {prefix}{name} {message}")

    if not isinstance(given, Mapping):
        raise pytest.UsageError(f"{where} gives a {type(given).__name__}; give a dict of {_known()}")
    checked = dict(given)
    for name, value in checked.items():
        if name not in _NAMES:
            raise refuse(name, f"is no option of stoa_authority; there are {_known()}")
        if name == "config" and value is not None:
            if not isinstance(value, str | os.PathLike):
                raise refuse(name, f"is {value!r:.60}; it must be the path of a tenant file")
            checked[name] = beside / value
        if name == "tls" and not isinstance(value, bool):
            raise refuse(name, f"is {value!r:.60}; it must be True or False")
        if name == "clock" and value not in _CLOCKS:
            raise refuse(name, f"is {value!r:.60}; it must be one of {', '.join(_CLOCKS)}")
    return checked


def _known() -> str:
    return ", ".join(_NAMES)
