"""When to wake next: a moment in epoch seconds, always in the future. Pure: the clock and the failures come in."""

from stoa.auth import backoff

DAY_S = 86400
# An alarm in the past raises on the board, and one a second ahead may be past when it is set.
SOONEST_S = 60
# Sleep clocks run 9 to 11 s an hour fast (OpenDisplay/Firmware#42), by specification up to 72 min a day
# (portal_calendar): a device sent to sleep for 24 h is awake well before the minute it was meant for.
EARLY_S = 2 * 3600


def utc(moment):
    """Seconds by which local time is ahead of UTC at `moment` (epoch s). In UTC, none."""
    return 0


def next_daily(now, minute, offset_at=utc):
    """The next daily wake: `minute` (0 to 1439) of the local day, strictly after `now`.

    `offset_at` gives the offset of local time at a moment. A wake less than EARLY_S away is this one, come early, and
    tomorrow's is taken: or the device would fetch one quote twice. Unless midnight UTC lies between, when the quote
    changes: then the wake is still to come, and a margin for the same clock keeps it from coming early once more.
    """
    day = (now + offset_at(now)) // DAY_S - 1
    while True:
        moment = _at(day, minute, offset_at)
        ahead = moment - now
        come_early = ahead < EARLY_S and moment // DAY_S == now // DAY_S
        if ahead > 0 and not come_early:
            if ahead < EARLY_S:
                moment += ahead // 16
            return max(moment, now + SOONEST_S)
        day += 1


def after_failure(now, cause, failures, asked=None):
    """The wake after a failure: by backoff.delay, or later if the server asked for that many seconds."""
    wait = backoff.delay(cause, failures)
    if asked is not None and asked > wait:
        wait = asked
    return now + max(wait, SOONEST_S)


def _at(day, minute, offset_at):
    local = day * DAY_S + minute * 60
    # The offset in force is the one at the moment itself, which is known to within an offset; the second look lands.
    moment = local - offset_at(local)
    return local - offset_at(moment)
