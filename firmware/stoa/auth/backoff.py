"""How long to stay asleep after a failure, by its cause.

Neighbours erred both ways: TRMNL capped at 15 min and three devices died in a weekend's outage (trmnl-firmware#336),
then waited for a button after 3 failures and whole fleets stood still until touched (#626). Hence doubling, a cap that
costs little, and never a button. A failed wake is 12 s at 100 mA, 0.33 mAh: at a cap of 6 h an outage costs 1.3 mAh a
day, and its first day brings eight wakes.

`failures` counts since the cause last ended. For "needs_human" that is when a refresh succeeds and at no other time:
a tenant that challenges every refresh would otherwise nag its owner daily after each new pairing.
"""

MINUTE = 60
HOUR = 3600

DAY = 24 * HOUR

# cause: (first delay, longest delay) in seconds, and after how many failures the glass says so. TRMNL shows an error
# after an hour of trying, or to somebody who woke the device (trmnl-firmware PR#635): 5 + 10 + 20 + 40 min.
CAUSES = {
    # A code nobody answered, or a person who said no. Asking sooner than an hour is nagging, and so is asking daily;
    # the refresh is tried each day all the same.
    "needs_human": (1 * HOUR, 7 * DAY, 0),
    # Name lookup, connection, TLS, 5xx, a proxy's page: most outages last minutes.
    "unavailable": (5 * MINUTE, 6 * HOUR, 4),
    # No access point in reach, or one that does not answer.
    "wifi": (5 * MINUTE, 6 * HOUR, 4),
    # No time from the network: certificates cannot be checked, so that nothing else can go on.
    "clock": (5 * MINUTE, 6 * HOUR, 4),
    # The glass cannot be drawn on: a broken wire, or another panel than the profile's. Nobody can be asked anything.
    "panel": (1 * HOUR, 24 * HOUR, 0),
    # Only an edit of settings.toml or of the tenant ends it, and an edit restarts a board that is plugged in.
    "misconfigured": (6 * HOUR, 24 * HOUR, 0),
    # Only a charger ends it, and to look costs next to nothing: the radio stays off.
    "low_battery": (12 * HOUR, 12 * HOUR, 0),
    # A wake that the watchdog ended. Not sooner, for what it did to a server once it may do each time.
    "hung": (6 * HOUR, 24 * HOUR, 0),
    # No room in the heap, which is a new one at each boot: what was in the way may have been one answer of a server.
    "memory": (1 * HOUR, 24 * HOUR, 0),
    # Our own; the same holds as for a wake that hung.
    "defect": (6 * HOUR, 24 * HOUR, 0),
}
# What a code counts that was answered, and the next refresh was challenged all the same: the answer changed nothing,
# so that asking again is worth little.
ANSWERED_IN_VAIN = 3


def delay(cause, failures):
    """Seconds to sleep after the given number of failures in a row (1 or more)."""
    wait, longest, _ = CAUSES[cause]
    while failures > 1 and wait < longest:
        wait *= 2
        failures -= 1
    return wait if wait < longest else longest
