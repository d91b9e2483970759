"""POSIX TZ rules, against the tz database and Python's zoneinfo."""

from __future__ import annotations

import importlib.resources
from datetime import UTC, datetime
from zoneinfo import ZoneInfo, available_timezones

import pytest

from stoa import timezone
from stoa.timezone import ZoneError, offset, parse

# Their files list each change until 2086 or 2087, for Ramadan moves; no rule can say that.
NO_RULE_CAN_SAY = {"Africa/Casablanca", "Africa/El_Aaiun", "Asia/Gaza", "Asia/Hebron"}


def last_lines():
    """rule -> a zone that has it, from the tz database's files (RFC 9636 3.3: the footer is a TZ string)."""
    rules = {}
    for name in sorted(available_timezones() - NO_RULE_CAN_SAY):
        file = importlib.resources.files("tzdata.zoneinfo").joinpath(name)
        if file.is_file():
            rule = file.read_bytes().rstrip(b"\n").rpartition(b"\n")[2].decode()
            rules.setdefault(rule, name)
    return rules


RULES = last_lines()


def test_the_database_has_every_kind_of_zone():
    assert len(RULES) > 80
    assert {"UTC0", "CET-1CEST,M3.5.0,M10.5.0/3", "AEST-10AEDT,M10.1.0,M4.1.0/3"} <= set(RULES)
    assert any("<" in rule for rule in RULES), "names of digits"
    assert any("/-" in rule for rule in RULES), "a change on the day before"


@pytest.mark.parametrize("rule", sorted(RULES))
def test_a_zone_of_the_database_is_as_zoneinfo_has_it(rule):
    zone, real = parse(rule), ZoneInfo(RULES[rule])
    moments = []
    for year in range(2038, 2050):
        start = int(datetime(year, 1, 1, tzinfo=UTC).timestamp())
        moments += range(start, start + 366 * 86400, 11 * 86400 + 4321)
        if zone[1] is not None:
            for change, before in ((zone[2], zone[0]), (zone[3], zone[1])):
                at = timezone._moment(change, year) - before
                moments += [at - 1, at, at + 1]
    for moment in moments:
        wanted = datetime.fromtimestamp(moment, real).utcoffset()
        assert wanted is not None and offset(zone, moment) == int(wanted.total_seconds()), (rule, moment)


@pytest.mark.parametrize(
    ("rule", "day", "summer"),
    [
        # J counts without the leap day, n with it.
        ("AAA0BBB,J60/0,J300/0", "2028-03-01", True),
        ("AAA0BBB,J60/0,J300/0", "2028-02-29", False),
        ("AAA0BBB,J60/0,J300/0", "2027-03-01", True),
        ("AAA0BBB,59/0,J300/0", "2028-02-29", True),
        ("AAA0BBB,59/0,J300/0", "2027-03-01", True),
        ("AAA0BBB,59/0,J300/0", "2027-02-28", False),
        # Summer all year (RFC 9636 3.3.1).
        ("EST5EDT,0/0,J365/25", "2027-01-01", True),
        ("EST5EDT,0/0,J365/25", "2027-12-31", True),
    ],
)
def test_changes_by_day_of_the_year(rule, day, summer):
    zone = parse(rule)
    noon = int(datetime.fromisoformat(day + "T12:00:00+00:00").timestamp())
    assert offset(zone, noon) == zone[1 if summer else 0]


def test_what_a_rule_leaves_out():
    assert parse("CET-1") == (3600, None, None, None)
    assert parse("XYZ+3:30")[0] == -12600
    assert parse("XYZ3:30:15")[0] == -12615
    # An hour ahead in summer, at two o'clock.
    assert parse("AAA-1BBB,M3.5.0,M10.5.0") == parse("AAA-1BBB-2,M3.5.0/2,M10.5.0/2:00:00")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "is no POSIX rule"),
        ("Europe/Berlin", "has a number out of range"),
        ("CE-1", "is no POSIX rule"),
        ("<+1", "has a name that does not end"),
        ("<>1", "has a name that does not end"),
        ("CET", "has a number out of range"),
        ("CET-25", "has a number out of range"),
        ("CET-1:60", "has a number out of range"),
        ("CET-1CEST", "lacks the dates of summer time"),
        ("CET-1CEST,M3.5.0", "lacks a date of summer time"),
        ("CET-1CEST,M13.5.0,M10.5.0", "has a number out of range"),
        ("CET-1CEST,M3.6.0,M10.5.0", "has a number out of range"),
        ("CET-1CEST,M3.5.7,M10.5.0", "has a number out of range"),
        ("CET-1CEST,M3.5,M10.5.0", "has a date without month.week.day"),
        ("CET-1CEST,J0,J365", "has a number out of range"),
        ("CET-1CEST,366,J365", "has a number out of range"),
        ("CET-1CEST,M3.5.0/168,M10.5.0", "has a number out of range"),
        ("CET-1CEST,M3.5.0,M10.5.0/3x", "goes on after its end"),
        ("CET-1 CEST,M3.5.0,M10.5.0", "is no POSIX rule"),
        ("CET\u00b21", "has a number out of range"),
    ],
)
def test_what_is_no_rule_is_named(text, problem):
    with pytest.raises(ZoneError) as raised:
        parse(text)
    assert raised.value.problem == problem
