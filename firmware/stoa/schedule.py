"""When to wake next: a moment in epoch seconds, always in the future. Pure: clock, failures and zone come in.

The one table is auth.backoff.CAUSES; the rest is what holds for every row: no wake is due sooner than SOONEST_S, none
falls into quiet hours that would ask a person, and no cause, no server and no stuck button brings more than
WAKES_A_DAY in any 24 hours.
"""

import binascii

from stoa import timezone
from stoa.auth import backoff

DAY_S = 86400
# An alarm in the past raises on the board, and one a second ahead may be past when it is set.
SOONEST_S = 60
# Sleep clocks run 9 to 11 s an hour fast (OpenDisplay/Firmware#42), by specification up to 72 min a day
# (portal_calendar): a device sent to sleep for 24 h is awake well before the minute it was meant for.
EARLY_S = 2 * 3600
# A device that went on polling woke 6,600 times a day (TRMNL, trmnl-firmware#482).
WAKES_A_DAY = 24
# What a button may use of them. A pin left floating wakes the board at once, each time (circuitpython#7425): the
# rest is for the clock.
BUTTON_WAKES = 16
# Where sleep memory does not outlive a sleep nothing can be counted, and an hour between wakes keeps to the budget.
FORGETFUL_S = DAY_S // WAKES_A_DAY
# Every display of a fleet has its own moment in these minutes, the same each day.
JITTER_S = 300


def own_number(uid):
    """A number that differs from device to device and stays the same on one, from the chip's identity."""
    return binascii.crc32(uid) & 0xFFFFFFFF


def next_daily(now, second, zone=timezone.UTC):
    """The next daily wake: `second` (0 to 86399) of the local day, strictly after `now`.

    A wake less than EARLY_S away is this one, come early, and tomorrow's is taken: or the device would fetch one quote
    twice. Unless midnight UTC lies between, when the quote changes: then the wake is still to come, and a margin for
    the same clock keeps it from coming early once more.
    """
    day = (now + timezone.offset(zone, now)) // DAY_S - 1
    while True:
        moment = moment_of(day, second, zone)
        ahead = moment - now
        come_early = ahead < EARLY_S and moment // DAY_S == now // DAY_S
        if ahead > 0 and not come_early:
            if ahead < EARLY_S:
                moment += ahead // 16
            return max(moment, now + SOONEST_S)
        day += 1


def moment_of(day, second, zone):
    """Epoch seconds of a second of a local day (days since 1970-01-01).

    Where the clock skips it, by the offset before the change; where it comes twice, the first (RFC 5545 3.3.5).
    """
    local = day * DAY_S + second
    before = local - timezone.offset(zone, local - DAY_S)
    after = local - timezone.offset(zone, local + DAY_S)
    if local - before == timezone.offset(zone, before) or local - after != timezone.offset(zone, after):
        return before
    return after


def quiet_end(now, quiet, zone):
    """When the quiet hours that `now` lies in end; `now` itself outside them.

    `quiet`: begin and end in minutes after midnight, or None.
    """
    if quiet is None:
        return now
    begin, end = quiet
    local = now + timezone.offset(zone, now)
    minute = local % DAY_S // 60
    if not (begin <= minute < end if begin <= end else minute >= begin or minute < end):
        return now
    day = local // DAY_S
    if minute >= end:
        day += 1
    # Never back: at a change of the clock the end may come twice.
    return max(moment_of(day, end * 60, zone), now)


def after_failure(now, cause, failures, asked=None, number=0):
    """The wake after a failure: by backoff.delay, or later if the server asked for that many seconds.

    `number` is own_number: it adds up to an eighth, so that what failed together does not come back together.
    """
    wait = backoff.delay(cause, failures)
    if asked is not None and asked > wait:
        wait = asked
    return now + max(wait, SOONEST_S) + number % (wait // 8)


def remember_wake(wakes, now):
    """The moments of the last day's wakes, oldest first, with this one."""
    # One in the future is from before the clock was set back: it still counts.
    recent = [min(wake, now) for wake in wakes if now - wake < DAY_S]
    recent.append(now)
    return recent[-WAKES_A_DAY:]


def button_may_wake(wakes):
    """Whether the button may end the next sleep, or it has had its part of the day's wakes."""
    return len(wakes) < BUTTON_WAKES


def within_budget(wakes, until, forgetful=False):
    """`until`, or later where it would be one wake too many. `wakes`: as remember_wake gives them, not empty."""
    if forgetful:
        until = max(until, wakes[-1] + FORGETFUL_S)
    if len(wakes) >= WAKES_A_DAY:
        until = max(until, wakes[-WAKES_A_DAY] + DAY_S)
    return until


def by_sleep_clock(now, until, drift):
    """What a sleep clock that is off by `drift` (timekeeping.py) will show at the true moment `until`."""
    return until + (until - now) * drift // 1000000
