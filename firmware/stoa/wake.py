"""One wake, from boot to deep sleep: the only place that orders the steps.

    precautions -> settings -> Wi-Fi -> clock -> access token -> quote -> glass -> deep sleep

Each step goes on or raises: an Obstacle (something is wrong, try again later) or Unanswered (a person is needed).
Either way the last quote stays, the glass says so when it is worth saying, and the board sleeps: no path leads out of
here awake.
"""

from stoa import hardware, heap, log, sleep_state
from stoa.obstacle import CodeToShow, NoRoom, Obstacle, Unanswered

# As backoff.CAUSES has it, for a wake that cannot load that either.
DEFECT_S = 6 * 3600
# What every step of an errand needs.
NETWORK = "stoa.net"
# Half of schedule.BUTTON_WAKES.
NOBODYS_PRESSES = 8


def run():
    """Do one wake. Never returns: deep sleep ends it."""
    memory = hardware.sleep_memory()
    try:
        hardware.start_watchdog()
        until, button = Wake(sleep_state.load(memory), _woken_by()).until()
    except Exception as error:
        # Our own defect.
        until, button = hardware.now() + DEFECT_S, False
        try:
            heap.make_room()
            from stoa import ending

            until, button = ending.report(error, until, memory)
        except Exception:
            # Telling more of it is worth less than the sleep.
            print("stoa defect kind=" + type(error).__name__)
    hardware.deep_sleep(until, button)


def _woken_by():
    from stoa import inputs

    return inputs.woken_by()


class Wake:
    """`state` is what the last wake left in sleep memory; woken_by as inputs.woken_by says it."""

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
        self._begin()
        asked = None
        try:
            self._do()
            reason = "daily"
        except Unanswered as unanswered:
            reason = "needs_human"
            self._end_unanswered(unanswered.reached)
        except Obstacle as obstacle:
            reason, asked = obstacle.cause, obstacle.asked
            self._end_before(obstacle)
        except MemoryError:
            # What was loaded goes with the frames that held it; the words are drawn in the room that leaves.
            reason = "memory"
            self._end_before(None)
        heap.make_room()
        from stoa import ending

        return ending.next_wake(self._state, self._settings, reason, asked, self._forgetful, self._save)

    def _begin(self):
        from stoa import schedule

        state = self._state
        state["wakes"] = schedule.remember_wake(state.get("wakes", []), hardware.now())
        state["awake"] = True
        if self._forgetful and self._woken_by == "alarm":
            # Whether a person was asked is not known either; a cell that browns out at each join would ask all day.
            state["ask_at"] = hardware.now() + schedule.DAY_S
        # Now, for a wake that hangs counts too.
        self._save()

    def _do(self):
        self._take_precautions()
        self._load_settings()
        heap.make_room()
        self._set_clock(self._join())
        heap.make_room()
        self._fetch_quote()
        self._must_show("quote", {})
        self._state.pop("failures", None)

    def _end_unanswered(self, reached):
        heap.make_room()
        if reached:
            self._state.pop("failures", None)
        if reached or self._state.get("screen") != "error":
            self._tell("waiting", None)

    def _end_before(self, obstacle):
        heap.make_room()
        from stoa import ending

        if obstacle is None:
            from stoa.trouble import no_memory

            obstacle = no_memory()
        cause = obstacle.cause
        log.say("obstacle", cause=cause, title=obstacle.title, detail=obstacle.detail)
        ending.count_failure(self._state, cause)
        self._save()
        if ending.is_worth_saying(self._state, cause, self._woken_by, self._quote):
            self._tell(obstacle.screen, obstacle.content)

    def _next_code_at(self):
        from stoa import ending

        return ending.next_code_at(self._state, self._settings)

    def _take_precautions(self):
        from stoa import precautions

        precautions.check_last_wake(self._state, self._woken_by, self._save)
        self._recall_quote()
        precautions.take(self._state, self._woken_by)

    def _load_settings(self):
        import os

        from stoa import settings
        from stoa.trouble import wrong_setting

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
            from stoa.trouble import no_wifi

            raise no_wifi(error.detail, error.refused)

    def _pool(self):
        from stoa.net import radio

        hardware.feed_watchdog()
        return radio.join(self._settings.wifi_ssid, self._settings.wifi_password, self._state)

    def _set_clock(self, pool):
        from stoa.net import clock

        if not clock.keep_right(self._state, pool, self._settings.ntp):
            from stoa.trouble import no_time

            raise no_time(self._settings.ntp)
        # What was moved with the clock, or a reset would find the clock moved and the rest not.
        self._save()

    def _fetch_quote(self):
        from stoa.errand import Errand

        # A button that wakes the board again and again is nobody's.
        pressed = self._woken_by == "button" and len(self._state.get("wakes", ())) <= NOBODYS_PRESSES
        patient = not pressed and self._woken_by != "boot"
        etag = self._etag if self._quote else None
        errand = Errand(self._settings, self._state, self._save, self._pool, patient, etag)
        step = "sign_in"
        while step:
            heap.make_room(NETWORK)
            came = _take(step, errand)
            if isinstance(came, CodeToShow):
                self._must_show(came.screen, came.content)
                errand.shown_ms = hardware.awake_ms()
                came = "patience.shown"
            elif isinstance(came, NoRoom):
                # A collector that takes any word for an address may keep 20 KB of what was let go (in 128 KB, about 1
                # re-pairing in 1,000), or all lies badly. Loaded anew, the libraries too, the step mostly finds room.
                heap.tell_it_is_full()
                if not errand.made_room:
                    errand.made_room = True
                    heap.make_room()
                    continue
                if step != "pushing":
                    raise came
                # Whoever cannot be asked so is asked by a code. A phone that has rung is not asked again.
                errand.push = errand.shown_ms = errand.mfa_token = None
                came = "asking"
            errand.made_room = False
            step = came
        if errand.new_quote:
            self._keep_quote(errand.new_quote[0], errand.new_quote[1])

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

    def _must_show(self, screen, content):
        shown = False
        try:
            shown = self._show(screen, content)
        finally:
            if not shown:
                # Whatever code it was, nobody has seen it.
                self._state.pop("grant", None)
        if not shown:
            from stoa.trouble import no_panel

            raise no_panel()

    def _tell(self, screen, content):
        try:
            self._show(screen, content or {"until": self._next_code_at()})
        except MemoryError:
            # What the wake comes to does not depend on whether it could be drawn.
            heap.tell_it_is_full()

    def _show(self, screen, content):
        content["quote"] = self._quote
        hardware.feed_watchdog()
        try:
            return self._draw(screen, content)
        except MemoryError:
            # As for a step: what lay badly is let go of. A picture drawn twice is the same picture.
            heap.tell_it_is_full()
            return self._draw(screen, content)

    def _draw(self, screen, content):
        heap.make_room()
        from stoa import glass

        return glass.show(screen, content, self._state, self._save)

    def _save(self):
        left_out = sleep_state.save(hardware.sleep_memory(), self._state)
        if left_out != self._left_out:
            self._left_out = left_out
            log.say("sleep_memory", left_out="+".join(left_out) or None)


def _take(step, errand):
    """Take a step of the errand, the name of a module or of a function in one.

    Returns the next, or the CodeToShow or NoRoom that was raised: caught further out, where the frame stays, it would
    leave words there that the collector takes for addresses of what is let go.
    """
    module, _, name = step.partition(".")
    name = name or "run"
    try:
        take = getattr(__import__("stoa." + module, None, None, (name,)), name)
    except MemoryError:
        # It has not begun.
        return NoRoom()
    try:
        return take(errand)
    except CodeToShow as code:
        return code
    except NoRoom as error:
        return error
    except MemoryError:
        if step != "pushing" or errand.answered:
            raise
        # Nobody knows how far it came, so not a second time.
        errand.made_room = True
        return NoRoom()
