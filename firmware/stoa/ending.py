"""What a wake comes to: a failure counted and perhaps told, and when the next one is due."""

from stoa import hardware, inputs, log, schedule, sleep_state
from stoa.auth import backoff

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
# Nobody at the display can do anything about these, or it cannot be drawn on.
NEVER_SAID = ("panel", "hung")
# Whoever reads a code on the glass has mostly answered it by then.
SOON_S = 120


def count_failure(state, cause):
    failures = state.setdefault("failures", {})
    failures[cause] = failures.get(cause, 0) + 1
    # Nothing that was refused over the network is worth much with a wrong clock.
    if cause == "unavailable":
        state["clock_in_doubt"] = True


def is_worth_saying(state, cause, woken_by, quote):
    """Whether the glass is to say what failed, after count_failure. `quote`: the last one, or None."""
    if cause in NEVER_SAID:
        return False
    if cause != "misconfigured" and sleep_state.code_is_good(state, hardware.now()):
        # It is on the glass (trmnl-firmware PR#605: an error was drawn over one).
        return False
    if state["failures"][cause] > backoff.CAUSES[cause][2]:
        return True
    # Of a failure that passes nobody needs to know, unless they pressed the button, or there is no quote yet. After a
    # power cut the router boots more slowly than the display, and what the glass shows is not known.
    if woken_by == "button" or not quote:
        return True
    return state.get("screen", "quote") not in ("quote", "waiting")


def next_wake(state, settings, reason, asked, forgetful, save):
    """(when the sleep clock is to end the sleep, whether the button may), for a wake that ended for `reason`.

    asked: seconds that a server asked to be left alone, or None. forgetful: sleep memory does not outlive a sleep.
    """
    now = hardware.now()
    number = schedule.own_number(inputs.uid())
    soon_before = state.pop("memory_soon", False)
    if reason in ("daily", "needs_human"):
        second = settings.wake * 60 + number % schedule.JITTER_S
        # The refresh is tried daily, however rarely a person is asked: the rule may have been lifted.
        until = schedule.next_daily(now, second % schedule.DAY_S, settings.zone)
        if reason == "needs_human":
            until = min(until, max(_ask_at(state, now), now + schedule.SOONEST_S))
    elif reason == "memory" and not soon_before and ("push" in state or sleep_state.code_is_good(state, now + SOON_S)):
        # With a new heap the answer to the code on the glass may be had, or the code that a push on the glass promises.
        # Once, and not again and again.
        state["memory_soon"] = True
        until = now + SOON_S
    else:
        until = schedule.after_failure(now, reason, state["failures"][reason], asked, number)
    wakes = state.get("wakes") or [now]
    button = schedule.button_may_wake(wakes)
    if not button:
        # To arm it again, as soon as it may be.
        until = min(until, max(wakes[-schedule.BUTTON_WAKES] + schedule.DAY_S, now + schedule.SOONEST_S))
    until = schedule.within_budget(wakes, until, forgetful)
    state.pop("awake", None)
    state.pop("hung", None)
    save()
    log.say("sleep", until=until, reason=reason)
    return schedule.by_sleep_clock(now, until, state.get("drift", 0)), button


def next_code_at(state, settings):
    """When a person is asked next, in words: "Tue 09:15"."""
    from stoa import timezone

    moment = _ask_at(state, hardware.now())
    local = moment + timezone.offset(settings.zone, moment)
    return "%s %02d:%02d" % (DAYS[(local // 86400 + 3) % 7], local // 3600 % 24, local // 60 % 60)


def _ask_at(state, now):
    return state.get("ask_at", now + backoff.HOUR)


def report(error, until, memory):
    """Tell of a defect on the console. Returns the wake after it, `until` if it can be, and whether the button may be
    that."""
    log.say("defect", kind=type(error).__name__, until=until)
    # What the last wake left may be what this one tripped over.
    state = sleep_state.essence(sleep_state.load(memory))
    sleep_state.save(memory, state)
    wakes = state.get("wakes") or [hardware.now()]
    try:
        import traceback

        traceback.print_exception(error)
    except ImportError:
        # MicroPython has it in sys.
        import sys

        sys.print_exception(error)
    return schedule.within_budget(wakes, until), schedule.button_may_wake(wakes)
