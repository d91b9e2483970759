"""One wake, from boot to deep sleep: the only place that orders the steps.

    precautions -> settings -> Wi-Fi -> clock -> access token -> quote -> glass -> deep sleep

Each step goes on or raises: an Obstacle (something is wrong, try again later) or Unanswered (a person is needed).
Either way the last quote stays, the glass says so when it is worth saying, and the board sleeps: no path leads out of
here awake.
"""

from stoa import hardware, log, schedule, sleep_state
from stoa.auth import backoff
from stoa.obstacle import Obstacle, Unanswered, no_panel, no_time, no_wifi

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
# Nobody at the display can do anything about these, or it cannot be drawn on.
NEVER_SAID = ("panel", "hung")


def run():
    """Do one wake. Never returns: deep sleep ends it."""
    memory = hardware.sleep_memory()
    try:
        hardware.start_watchdog()
        until, button = Wake(sleep_state.load(memory), hardware.woken_by()).until()
    except Exception as error:
        # Our own defect, or no memory left.
        until, button = hardware.now() + backoff.delay("defect", 1), False
        try:
            until, button = _report(error, until, memory)
        except Exception:
            # Telling of it is worth less than the sleep.
            pass
    hardware.deep_sleep(until, button)


def _report(error, until, memory):
    """Tell what went wrong; the wake after it, and whether the button may be that."""
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


class Wake:
    """`state` is what the last wake left in sleep memory; woken_by as hardware.woken_by says it."""

    def __init__(self, state, woken_by):
        self._state = state
        self._woken_by = woken_by
        # Woken from a sleep that left no memory: nothing can be counted.
        self._forgetful = not state and woken_by in ("alarm", "button")
        if woken_by == "watchdog" and state and not state.get("awake"):
            # The reason of the last reset stays through a reload; the wake it ended has long been slept off.
            self._woken_by = "boot"
        self._settings = None
        self._left_out = ()
        self._quote = None
        self._etag = None

    def until(self):
        """Do what this wake is for. Returns when the sleep clock is to end the sleep, and whether the button may."""
        log.say("wake", by=self._woken_by)
        state = self._state
        state["wakes"] = schedule.remember_wake(state.get("wakes", []), hardware.now())
        state["awake"] = True
        if self._forgetful and self._woken_by == "alarm":
            # Whether a person was asked is not known either; a cell that browns out at each join would ask all day.
            state["ask_at"] = hardware.now() + schedule.DAY_S
        # Now, for a wake that hangs counts too.
        self._save()
        asked = None
        try:
            self._do()
            ending = "daily"
        except Unanswered as unanswered:
            ending = "needs_human"
            if unanswered.reached:
                state.pop("failures", None)
            if unanswered.reached or state.get("screen") != "error":
                self._show("waiting", {"until": self._day_and_time(self._ask_at())})
        except Obstacle as obstacle:
            ending, asked = obstacle.cause, obstacle.asked
            log.say("obstacle", cause=ending, title=obstacle.title, detail=obstacle.detail)
            self._count_failure(ending)
            if self._is_worth_saying(ending):
                self._show(obstacle.screen, obstacle.content)
        return self._next_wake(ending, asked)

    def _do(self):
        from stoa import precautions

        precautions.check_last_wake(self._state, self._woken_by, self._save)
        self._recall_quote()
        precautions.take(self._state, self._woken_by)
        self._load_settings()
        self._set_clock(self._join())
        self._fetch_quote()
        if not self._show("quote", {}):
            raise no_panel()
        self._state.pop("failures", None)

    def _count_failure(self, cause):
        failures = self._state.setdefault("failures", {})
        failures[cause] = failures.get(cause, 0) + 1
        # Nothing that was refused over the network is worth much with a wrong clock.
        if cause == "unavailable":
            self._state["clock_in_doubt"] = True

    def _is_worth_saying(self, cause):
        if cause in NEVER_SAID:
            return False
        state = self._state
        if cause != "misconfigured" and sleep_state.code_is_good(state, hardware.now()):
            # It is on the glass (trmnl-firmware PR#605: an error was drawn over one).
            return False
        if state["failures"][cause] > backoff.CAUSES[cause][2]:
            return True
        # Of a failure that passes nobody needs to know, unless they pressed the button, or there is no quote yet. After
        # a power cut the router boots more slowly than the display, and what the glass shows is not known.
        if self._woken_by == "button" or not self._quote:
            return True
        return state.get("screen", "quote") not in ("quote", "waiting")

    def _next_wake(self, ending, asked):
        state, settings = self._state, self._settings
        now = hardware.now()
        number = schedule.own_number(hardware.uid())
        if ending in ("daily", "needs_human"):
            second = settings.wake * 60 + number % schedule.JITTER_S
            # The refresh is tried daily, however rarely a person is asked: the rule may have been lifted.
            until = schedule.next_daily(now, second % schedule.DAY_S, settings.zone)
            if ending == "needs_human":
                until = min(until, max(self._ask_at(), now + schedule.SOONEST_S))
        else:
            until = schedule.after_failure(now, ending, state["failures"][ending], asked, number)
        wakes = state.get("wakes") or [now]
        button = schedule.button_may_wake(wakes)
        if not button:
            # To arm it again, as soon as it may be.
            until = min(until, max(wakes[-schedule.BUTTON_WAKES] + schedule.DAY_S, now + schedule.SOONEST_S))
        until = schedule.within_budget(wakes, until, self._forgetful)
        state.pop("awake", None)
        state.pop("hung", None)
        self._save()
        log.say("sleep", until=until, reason=ending)
        return schedule.by_sleep_clock(now, until, state.get("drift", 0)), button

    def _ask_at(self):
        return self._state.get("ask_at", hardware.now() + backoff.HOUR)

    def _load_settings(self):
        import os

        from stoa import settings
        from stoa.obstacle import wrong_setting

        try:
            self._settings = settings.load(os.getenv)
        except settings.SettingError as error:
            raise wrong_setting(error.key, error.problem, error.fix)
        except ValueError:
            # CircuitPython's own parser gave up; at which line, it does not say.
            raise wrong_setting("settings.toml", "has a line that cannot be read", 'write each as KEY = "value"')

    def _join(self):
        from stoa.net import radio

        try:
            return self._pool()
        except radio.RadioError as error:
            raise no_wifi(error.detail, error.refused)

    def _pool(self):
        from stoa.net import radio

        hardware.feed_watchdog()
        return radio.join(self._settings.wifi_ssid, self._settings.wifi_password, self._state)

    def _set_clock(self, pool):
        from stoa import timekeeping

        before = hardware.now()
        known = hardware.clock_is_set()
        if known and not timekeeping.is_due(self._state, before):
            return
        from stoa.net import clock

        if clock.set_from_network(pool, self._settings.ntp):
            timekeeping.was_set(self._state, before, hardware.now())
        elif not known:
            raise no_time(self._settings.ntp)
        else:
            hardware.set_clock(timekeeping.reckoned(self._state, before))
        # What was moved with the clock, or a reset would find the clock moved and the rest not.
        self._save()

    def _fetch_quote(self):
        from stoa import fetch
        from stoa.net.exchanger import Exchanger
        from stoa.sign_in import SignIn

        settings = self._settings
        exchanger = Exchanger(self._pool, hardware.milliseconds)
        # A button that wakes the board again and again is nobody's.
        pressed = self._woken_by == "button" and len(self._state.get("wakes", ())) <= schedule.BUTTON_WAKES // 2
        patient = not pressed and self._woken_by != "boot"
        sign_in = SignIn(settings, exchanger, self._state, self._save, self._show, patient)
        etag = self._etag if self._quote else None
        verdict = fetch.todays_quote(settings.api, etag, exchanger, sign_in)
        if verdict[0] == "new":
            self._keep_quote(verdict[1], verdict[2])

    def _recall_quote(self):
        from stoa import quotes

        kept = self._state.get("quote")
        self._quote, self._etag = kept if kept else quotes.recall(hardware.open_file)

    def _keep_quote(self, quote, etag):
        from stoa import quotes

        self._quote, self._etag = quote, etag
        if quotes.remember(hardware.open_file, quote, etag):
            self._state.pop("quote", None)
        else:
            # A computer has the drive: sleep memory keeps the quote until the power goes.
            self._state["quote"] = (quote, etag)

    def _show(self, screen, content):
        from stoa import glass

        content = dict(content)
        content["quote"] = self._quote
        hardware.feed_watchdog()
        return glass.show(screen, content, self._state, self._save)

    def _save(self):
        left_out = sleep_state.save(hardware.sleep_memory(), self._state)
        if left_out != self._left_out:
            self._left_out = left_out
            log.say("sleep_memory", left_out="+".join(left_out) or None)

    def _day_and_time(self, moment):
        from stoa import timezone

        local = moment + timezone.offset(self._settings.zone, moment)
        return "%s %02d:%02d" % (DAYS[(local // 86400 + 3) % 7], local // 3600 % 24, local // 60 % 60)
