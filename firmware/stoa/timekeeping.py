"""The clock: set from the network once a day, and what it taught about the clock that runs in deep sleep.

`drift` is how much faster the board's clock runs than the true one, in parts per million: its RC oscillator is off by
0.3 % (OpenDisplay/Firmware#42) to 5 % (portal_calendar), minutes a day, and much the same tomorrow.
"""

# Set it anew before the minutes matter.
GOOD_FOR_S = 20 * 3600
# Over less time the second that NTP rounds to would count too much: 46 ppm of 6 hours.
LEARN_FROM_S = 6 * 3600
# The 5 % of the specification, and a little. What is off by more has jumped, not drifted.
DRIFT_MAX_PPM = 60000
# Nobody is left alone for longer (backoff.CAUSES, and a night), and no access token is believed to live longer.
FURTHEST_S = 31 * 86400
# A day of the worst drift is 72 min. Moving what is remembered by a little is harmless, by a lot is the point.
JUMP_S = 300


def is_due(state, now):
    """Whether to ask the network for the time."""
    set_at = state.get("clock_set_at")
    return set_at is None or state.get("clock_in_doubt", False) or not 0 <= now - set_at < GOOD_FOR_S


def was_set(state, before, now):
    """Take note that the clock said `before` and says `now`, which is true."""
    set_at = state.get("clock_set_at")
    corrected = state.pop("corrected", (0, 0))[1]
    if set_at is not None:
        counted = before + corrected - set_at
        passed = now - set_at
        if counted >= LEARN_FROM_S and passed > 0:
            drift = (counted - passed) * 1000000 // passed
            if -DRIFT_MAX_PPM <= drift <= DRIFT_MAX_PPM:
                # Half the old: the oscillator follows the room's temperature.
                state["drift"] = (state.get("drift", drift) + drift) // 2
    jump = now - before
    if jump > JUMP_S or jump < -JUMP_S:
        _move(state, jump, now)
    state["clock_set_at"] = now
    state.pop("clock_in_doubt", None)


def reckoned(state, now):
    """What the time is by the drift, where the network does not tell it; the clock is to be set to that.

    `state` remembers under "corrected" when this was last done, and by how many seconds in all.
    """
    last, in_all = state.get("corrected", (state.get("clock_set_at", now), 0))
    drift = state.get("drift", 0)
    gained = (now - last) * drift // (1000000 + drift)
    state["corrected"] = (now - gained, in_all + gained)
    return now - gained


def _move(state, by, now):
    """Shift what is remembered: durations stay what they were; a jump of the clock neither frees nor jails anyone."""
    if "ask_at" in state:
        state["ask_at"] = _moved(state["ask_at"], by, now, FURTHEST_S)
    if "access" in state:
        state["access"]["until"] = _moved(state["access"]["until"], by, now, FURTHEST_S)
    if "wakes" in state:
        state["wakes"] = [_moved(wake, by, now, 0) for wake in state["wakes"]]
    grant = state.get("grant", {})
    for key in ("at", "asked_at", "poll_at", "expires_at"):
        if key in grant:
            grant[key] = _moved(grant[key], by, now, FURTHEST_S)


def _moved(moment, by, now, ahead):
    """`moment` after a jump `by`; as it is where it was not that clock's, and never more than `ahead` seconds from now.

    A clock that lost its time while sleep memory kept its own jumps back to where the moments are from.
    """
    if moment + by > now + ahead:
        return min(moment, now + ahead)
    return moment + by
