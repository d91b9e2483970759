"""How long a server asks to be left alone: Retry-After (RFC 9110 section 10.2.3), else Auth0's X-RateLimit-Reset."""

from stoa import civil, digits

# A server may slow a display down; it may not put it to sleep for a year.
LIMIT_S = 86400

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def seconds(headers, now, status):
    """Seconds from `now` (epoch s), 0 to LIMIT_S, or None where the server names no time that can be read."""
    text = headers.get("retry-after")
    if text is not None:
        text = text.strip()
        wait = _number(text)
        if wait is None:
            moment = http_date(text)
            wait = None if moment is None else moment - now
    else:
        # Many send it with every answer, to say when the present window ends: it is a wish with a 429 alone.
        wait = _number(headers.get("x-ratelimit-reset", "").strip()) if status == 429 else None
        # Auth0 and GitHub give the UTC epoch, others the seconds that remain.
        if wait is not None and wait >= 1000000000:
            wait -= now
    if wait is None:
        return None
    return min(max(wait, 0), LIMIT_S)


def http_date(text):
    """Epoch seconds of an IMF-fixdate, the one form servers may send: "Sun, 06 Nov 1994 08:49:37 GMT"; else None."""
    words = text.split()
    if len(words) != 6 or words[5] != "GMT" or words[2] not in _MONTHS:
        return None
    day, year = _number(words[1]), _number(words[3])
    clock = [_number(part) for part in words[4].split(":")]
    if day is None or year is None or None in clock or len(clock) != 3:
        return None
    if not (1 <= day <= 31 and 1970 <= year <= 9999 and clock[0] < 24 and clock[1] < 60 and clock[2] <= 60):
        return None
    days = civil.day_number(year, _MONTHS.index(words[2]) + 1, day)
    return days * 86400 + clock[0] * 3600 + clock[1] * 60 + clock[2]


def _number(text):
    # Ten digits reach the year 2286; more would be no time and a burden on a 31-bit small int.
    return digits.number(text, 10)
