"""Local time by a POSIX TZ rule (POSIX.1, 8.3), such as "CET-1CEST,M3.5.0,M10.5.0/3": integers, and no table of zones.

The form is that of RFC 9636 section 3.3, by which the last line of every file of the tz database is such a rule:
hours of a change may be negative or past midnight, -167 to 167.
"""

from stoa import civil, digits

DAY_S = 86400
UTC = (0, None, None, None)


class ZoneError(Exception):
    """The text is no rule; `problem` says why in a few words."""

    def __init__(self, problem):
        super().__init__(problem)
        self.problem = problem


def parse(text):
    """The zone that `text` describes: (seconds ahead of UTC, the same in summer or None, its begin, its end).

    A change is (kind, a, b, c, seconds after local midnight); kind "M": month, week, weekday; "J": day 1 to 365 without
    leap days; "n": day 0 to 365. Raises ZoneError.
    """
    at = _name(text, 0)
    west, at = _time(text, at, 24)
    standard = -west
    if at == len(text):
        return standard, None, None, None
    at = _name(text, at)
    summer = standard + 3600
    if text[at : at + 1] not in ("", ","):
        west, at = _time(text, at, 24)
        summer = -west
    if at == len(text):
        raise ZoneError("lacks the dates of summer time")
    begin, at = _change(text, at)
    end, at = _change(text, at)
    if at != len(text):
        raise ZoneError("goes on after its end")
    return standard, summer, begin, end


def offset(zone, moment):
    """Seconds by which local time is ahead of UTC at `moment` (epoch s)."""
    standard, summer, begin, end = zone
    if summer is None:
        return standard
    year = civil.year_of((moment + standard) // DAY_S)
    begins = _moment(begin, year) - standard
    ends = _moment(end, year) - summer
    if begins < ends:
        return summer if begins <= moment < ends else standard
    # South of the equator the year begins and ends in summer.
    return standard if ends <= moment < begins else summer


def _moment(change, year):
    """Epoch seconds of a change as if local time were UTC."""
    kind, a, b, c, seconds = change
    if kind == "M":
        first = civil.day_number(year, a, 1)
        # 1970-01-01 was a Thursday; weekday 0 is Sunday.
        day = first + (c - first - 4) % 7 + (b - 1) * 7
        if day >= civil.day_number(year + a // 12, a % 12 + 1, 1):
            # Week 5 is the last one of the month, be it the fourth.
            day -= 7
    else:
        day = civil.day_number(year, 1, 1) + a
        if kind == "J":
            day += 1 if a >= 60 and civil.is_leap(year) else 0
            day -= 1
    return day * DAY_S + seconds


def _name(text, at):
    """Past an abbreviation: three letters or more, or anything of letters, digits and signs in <>."""
    start = at
    if text[at : at + 1] == "<":
        at = text.find(">", at)
        if at < start + 4:
            raise ZoneError("has a name that does not end")
        return at + 1
    while at < len(text) and ("a" <= text[at] <= "z" or "A" <= text[at] <= "Z"):
        at += 1
    if at - start < 3:
        raise ZoneError("is no POSIX rule")
    return at


def _time(text, at, most):
    """(seconds, past it) of [+-]h[h[h]][:mm[:ss]]."""
    sign = 1
    if text[at : at + 1] in ("+", "-"):
        sign = -1 if text[at] == "-" else 1
        at += 1
    hours, at = _number(text, at, 0, most)
    seconds = hours * 3600
    for unit in (60, 1):
        if text[at : at + 1] != ":":
            break
        part, at = _number(text, at + 1, 0, 59)
        seconds += part * unit
    return sign * seconds, at


def _change(text, at):
    if text[at : at + 1] != ",":
        raise ZoneError("lacks a date of summer time")
    at += 1
    kind = text[at : at + 1]
    b = c = 0
    if kind == "M":
        a, at = _number(text, at + 1, 1, 12)
        b, at = _after_dot(text, at, 1, 5)
        c, at = _after_dot(text, at, 0, 6)
    elif kind == "J":
        a, at = _number(text, at + 1, 1, 365)
    else:
        kind = "n"
        a, at = _number(text, at, 0, 365)
    # POSIX: changes come at 02:00:00 unless the rule says otherwise.
    seconds = 7200
    if text[at : at + 1] == "/":
        seconds, at = _time(text, at + 1, 167)
    return (kind, a, b, c, seconds), at


def _after_dot(text, at, least, most):
    if text[at : at + 1] != ".":
        raise ZoneError("has a date without month.week.day")
    return _number(text, at + 1, least, most)


def _number(text, at, least, most):
    start = at
    while at < len(text) and at < start + 3 and "0" <= text[at] <= "9":
        at += 1
    value = digits.number(text[start:at], 3)
    if value is None or not least <= value <= most:
        raise ZoneError("has a number out of range")
    return value, at
