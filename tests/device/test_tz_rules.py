"""Zones by name: every rule of the tz database is one the display takes, and its clock shows what zoneinfo does."""

from __future__ import annotations

import io
import struct
from datetime import UTC, date, datetime
from importlib.resources import files
from zoneinfo import ZoneInfo

import pytest

from host_tools.device.configuring import tz_rules
from host_tools.device.configuring.tz_rules import (
    Zone,
    ZoneUnknown,
    names,
    rule_of,
    suggestions,
    wrong_days,
    zone_here,
    zone_of,
)
from stoa import timezone

NOW = int(datetime(2026, 11, 26, tzinfo=UTC).timestamp())
SAMPLE = (
    "UTC",
    "Europe/Berlin",
    "Europe/London",
    "Europe/Dublin",
    "America/New_York",
    "America/St_Johns",
    "America/Nuuk",
    "America/Sao_Paulo",
    "Asia/Kolkata",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
    "Australia/Adelaide",
    "Pacific/Chatham",
    "Pacific/Apia",
    "Antarctica/Troll",
    "Asia/Jerusalem",
    "Africa/Cairo",
)


def real(name):
    """zoneinfo's zone from the very file that the rule is of: this computer's tz database may be another release."""
    return ZoneInfo.from_file(io.BytesIO(files("tzdata").joinpath("zoneinfo", *name.split("/")).read_bytes()), key=name)


def test_the_display_takes_the_rule_of_every_zone():
    assert len(names()) > 500
    for name in names():
        timezone.parse(rule_of(name))


@pytest.mark.parametrize("name", SAMPLE)
@pytest.mark.parametrize("year", [2027, 2028, 2031, 2050])
def test_its_clock_shows_what_zoneinfo_does(name, year):
    zone, zoneinfo = timezone.parse(rule_of(name)), real(name)
    start = int(datetime(year, 1, 1, tzinfo=UTC).timestamp())
    for moment in range(start, start + 366 * 86400, 3 * 3600):
        wanted = datetime.fromtimestamp(moment, zoneinfo).utcoffset()
        assert timezone.offset(zone, moment) == int(wanted.total_seconds()), (name, moment)


def test_a_zone_is_meant_by_its_name_or_by_a_rule():
    assert zone_of("Europe/Berlin") == Zone("CET-1CEST,M3.5.0,M10.5.0/3", "Europe/Berlin")
    assert zone_of("XYZ3") == Zone("XYZ3", None)
    # Both a name and, but for the dates, a rule.
    assert zone_of("EST5EDT") == Zone("EST5EDT,M3.2.0,M11.1.0", "EST5EDT")


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("berlin", "Europe/Berlin"),
        ("europe/berlin", "Europe/Berlin"),
        ("Europe/Belrin", "Europe/Berlin"),
        ("New York", "America/New_York"),
        ("Kolkata", "Asia/Kolkata"),
        ("Kolkatta", "Asia/Kolkata"),
        ("Europ/Paris", "Europe/Paris"),
        ("PST", "PST8PDT"),
    ],
)
def test_a_slip_is_answered_with_the_name_that_was_meant(typed, meant):
    assert suggestions(typed)[0] == meant
    with pytest.raises(ZoneUnknown, match=f"did you mean {meant}"):
        zone_of(typed)


@pytest.mark.parametrize("typed", ["", "Atlantis/Poseidonis", "../../etc/passwd", "CET-1CEST", "posixrules/"])
def test_what_is_no_zone_is_refused(typed):
    with pytest.raises(ZoneUnknown, match="is no time zone"):
        zone_of(typed)


def announced(begin, end, rule):
    """A zone's file by RFC 9636 section 3: an hour ahead of UTC, two from `begin` to `end`, then by the rule."""
    v1 = struct.pack(">5s15x6l", b"TZif2", 0, 0, 0, 0, 1, 4) + struct.pack(">lbb4s", 3600, 0, 0, b"CET\0")
    v2 = struct.pack(">5s15x6l", b"TZif2", 0, 0, 0, 2, 2, 8) + struct.pack(">qqBB", begin, end, 1, 0)
    v2 += struct.pack(">lbblbb8s", 3600, 0, 0, 7200, 1, 4, b"CET\0XST\0")
    return v1 + v2 + b"\n" + rule + b"\n"


def test_days_that_no_rule_can_say_are_told(monkeypatch):
    assert wrong_days(zone_of("Europe/Berlin"), NOW) is None
    assert wrong_days(zone_of("CET-1"), NOW) is None
    day = 86400
    monkeypatch.setattr(tz_rules, "_file", lambda name: announced(NOW + 10 * day, NOW + 20 * day, b"CET-1"))
    zone = zone_of("Europe/Berlin")
    assert wrong_days(zone, NOW) == (date(2026, 12, 6), date(2026, 12, 15))
    assert wrong_days(zone, NOW + 15 * day) == (date(2026, 12, 11), date(2026, 12, 15))
    assert wrong_days(zone, NOW + 20 * day) is None


def zone_file(footer, version=b"2"):
    return b"TZif" + version + b"\0" * 39 + footer


@pytest.mark.parametrize(
    "data",
    [
        zone_file(b"\n\n"),
        zone_file(b"\nCET-10"),
        zone_file(b"\nCET-1\n", b"\0"),
        zone_file(b"\nCET-1CEST\n"),
        b"",
    ],
    ids=["no rule", "cut off", "version 1", "a rule without dates", "empty"],
)
def test_a_file_without_a_rule_is_told(monkeypatch, data):
    monkeypatch.setattr(tz_rules, "_file", lambda name: data)
    with pytest.raises(ZoneUnknown, match="has no rule for Europe/Berlin"):
        rule_of("Europe/Berlin")


def test_a_zone_that_only_this_computer_has(monkeypatch, tmp_path):
    (tmp_path / "Somewhere").mkdir()
    (tmp_path / "Somewhere" / "New").write_bytes(zone_file(b"\n<+09>-9\n"))
    monkeypatch.setattr("zoneinfo.TZPATH", (str(tmp_path),))
    assert rule_of("Somewhere/New") == "<+09>-9"
    with pytest.raises(ZoneUnknown, match="has no Somewhere/Else"):
        rule_of("Somewhere/Else")


def test_this_computer_s_zone(monkeypatch, tmp_path):
    monkeypatch.setenv("TZ", ":Asia/Kolkata")
    assert zone_here() == "Asia/Kolkata"
    monkeypatch.setenv("TZ", "nonsense")
    (tmp_path / "zoneinfo" / "Europe").mkdir(parents=True)
    (tmp_path / "zoneinfo" / "Europe" / "Berlin").touch()
    (tmp_path / "localtime").symlink_to(tmp_path / "zoneinfo" / "Europe" / "Berlin")
    assert zone_here(tmp_path / "localtime") == "Europe/Berlin"
    (tmp_path / "copy").touch()
    assert zone_here(tmp_path / "copy") is None
    assert zone_here(tmp_path / "missing") is None
