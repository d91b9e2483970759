"""The real-time clock, set from the network by the published adafruit_ntp."""

from stoa import hardware, heap, timekeeping


def keep_right(state, pool, server):
    """Set the clock if that is due, or where no server answers, by what is known of its drift.

    Returns whether the time is known. `state`: see timekeeping.
    """
    before = hardware.now()
    known = hardware.clock_is_set()
    if known and not timekeeping.is_due(state, before):
        return True
    if _set(pool, server):
        timekeeping.was_set(state, before, hardware.now())
        return True
    if known:
        hardware.set_clock(timekeeping.reckoned(state, before))
    return known


def _set(pool, server):
    """Set the clock to UTC. False when no server answered well."""
    import adafruit_ntp
    import rtc

    try:
        rtc.RTC().datetime = adafruit_ntp.NTP(pool, server=server).datetime
    except MemoryError:
        heap.tell_it_is_full()
        return False
    except (OSError, ArithmeticError, RuntimeError, ValueError):
        # RuntimeError: CircuitPython is out of sockets. ValueError: a year that the clock cannot hold.
        return False
    return True
