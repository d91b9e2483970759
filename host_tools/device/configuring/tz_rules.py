"""Time zones by name, as the rules that settings.toml takes: "Europe/Berlin" is "CET-1CEST,M3.5.0,M10.5.0/3".

The rule is the last line of a zone's file in the tz database (RFC 9636 section 3.3). It holds from the last change of
the clock that the file lists. Where something else is announced until then (Cuba, for the winter of 2026), or no rule
can say what is done (Gaza's summer time keeps clear of Ramadan), `wrong_days` tells when it is off.
"""

from __future__ import annotations

import difflib
import io
import os
import zoneinfo
from datetime import date, datetime
from functools import cache
from importlib.resources import files
from pathlib import Path, PurePosixPath
from typing import NamedTuple
from zoneinfo import ZoneInfo

from host_tools.errors import StoaError
from host_tools.firmware_modules import firmware

_DAY_S = 86400
_YEARS_AHEAD = 10
# RFC 9636 section 3.1: a file of version 1 has no footer.
_MAGIC, _WITHOUT_FOOTER = b"TZif", b"\0"


class ZoneUnknown(StoaError):
    """Neither a zone of the tz database nor a rule."""


class Zone(NamedTuple):
    """rule: a POSIX TZ rule. name: of the tz database, or None where the rule was given as it is."""

    rule: str
    name: str | None


@cache
def names() -> frozenset[str]:
    """Every zone of the tz databases at hand."""
    return frozenset(zoneinfo.available_timezones())


def zone_of(text: str) -> Zone:
    """The zone a person means, by its name or by a rule. ZoneUnknown suggests names."""
    if text in names():
        return Zone(rule_of(text), text)
    timezone = firmware("stoa.timezone")
    try:
        timezone.parse(text)
    except timezone.ZoneError:
        close = suggestions(text)
        meant = f"did you mean {' or '.join(close)}?" if close else "write it as Europe/Berlin"
        raise ZoneUnknown(f"{text!r} is no time zone; {meant}") from None
    return Zone(text, None)


def rule_of(name: str) -> str:
    """The rule of a zone in `names()`. ZoneUnknown where its file has none that the display takes."""
    data = _file(name)
    timezone = firmware("stoa.timezone")
    rule = ""
    if data.startswith(_MAGIC) and data[4:5] != _WITHOUT_FOOTER and data.endswith(b"\n"):
        rule = data[:-1].rpartition(b"\n")[2].decode("ascii")
    try:
        timezone.parse(rule)
    except timezone.ZoneError:
        raise ZoneUnknown(f"the tz database has no rule for {name}: give a rule, such as CET-1") from None
    return rule


def wrong_days(zone: Zone, moment: int) -> tuple[date, date] | None:
    """The first and the last day of the ten years from `moment` (epoch s) on which the rule is off; None if none is.

    Looked at once a day: a difference of hours around a change of the clock is missed.
    """
    if zone.name is None:
        return None
    timezone = firmware("stoa.timezone")
    parsed = timezone.parse(zone.rule)
    real = ZoneInfo.from_file(io.BytesIO(_file(zone.name)), key=zone.name)
    wrong = []
    for at in range(moment, moment + _YEARS_AHEAD * 366 * _DAY_S, _DAY_S):
        local = datetime.fromtimestamp(at, real)
        offset = local.utcoffset()
        if offset is not None and int(offset.total_seconds()) != timezone.offset(parsed, at):
            wrong.append(local.date())
    return (wrong[0], wrong[-1]) if wrong else None


def suggestions(text: str) -> list[str]:
    """Names close to what was typed, the closest first: a city alone, another case, a slip of the pen."""
    typed = text.strip().replace(" ", "_").casefold()
    if not typed:
        return []
    by_name = {name.casefold(): name for name in sorted(names())}
    by_city: dict[str, list[str]] = {}
    for folded, name in by_name.items():
        by_city.setdefault(PurePosixPath(folded).name, []).append(name)
    found = [by_name[typed]] if typed in by_name else []
    found += by_city.get(typed, [])
    found += [name for folded, name in by_name.items() if folded.startswith(typed)]
    found += [by_name[close] for close in difflib.get_close_matches(typed, by_name, n=3, cutoff=0.75)]
    city = PurePosixPath(typed).name
    for close in difflib.get_close_matches(city, by_city, n=2, cutoff=0.8):
        found += by_city[close]
    return list(dict.fromkeys(found))[:3]


def zone_here(localtime: Path = Path("/etc/localtime")) -> str | None:
    """The name of this computer's zone, where TZ or the link /etc/localtime tells it."""
    told = os.environ.get("TZ", "").removeprefix(":")
    if told in names():
        return told
    try:
        parts = localtime.resolve(strict=True).parts
    except OSError:
        return None
    for at in range(1, len(parts)):
        if (name := "/".join(parts[at:])) in names():
            return name
    return None


def _file(name: str) -> bytes:
    """The file of a zone: of the package tzdata, which is as new as Stoa's lock, or else of this computer."""
    packaged = files("tzdata").joinpath("zoneinfo", *name.split("/"))
    if packaged.is_file():
        return packaged.read_bytes()
    for folder in zoneinfo.TZPATH:
        path = Path(folder, *name.split("/"))
        if path.is_file():
            return path.read_bytes()
    raise ZoneUnknown(f"the tz database at hand has no {name}: give a rule, such as CET-1")
