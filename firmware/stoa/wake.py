"""One wake, from boot to deep sleep: the only place that orders the steps.

    settings -> Wi-Fi -> clock -> access token -> quote -> glass -> deep sleep

Each step goes on or raises: an Obstacle (something is wrong, try again later) or Unanswered (a person is needed).
Either way the glass says so, the last quote stays, and the board sleeps: no path leads out of here awake.
"""

from stoa import hardware, log, sleep_state
from stoa.obstacle import Obstacle, Unanswered, no_reply, no_time, no_wifi, odd_reply, refused

# The clock drifts by minutes a day in deep sleep (stoa.schedule.EARLY_S): set it anew before it matters.
CLOCK_GOOD_FOR_S = 20 * 3600
# After a defect of our own. Not sooner, for what it did to a server once it may do each time.
AFTER_DEFECT_S = 6 * 3600
SERVER = "The quote server"
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def run():
    """Do one wake. Never returns: deep sleep ends it."""
    memory = hardware.sleep_memory()
    try:
        until = Wake(sleep_state.load(memory), hardware.woken_by()).until()
    except Exception as error:
        # Our own defect, or no memory left.
        until = hardware.now() + AFTER_DEFECT_S
        try:
            _report(error, until, memory)
        except Exception:
            # Telling of it is worth less than the sleep.
            pass
    hardware.deep_sleep(until)


def _report(error, until, memory):
    log.say("defect", kind=type(error).__name__, until=until)
    # What the last wake left may be what this one tripped over.
    sleep_state.save(memory, sleep_state.essence(sleep_state.load(memory)))
    try:
        import traceback

        traceback.print_exception(error)
    except ImportError:
        # MicroPython has it in sys.
        import sys

        sys.print_exception(error)


class Wake:
    """`state` is what the last wake left in sleep memory; woken_by as hardware.woken_by says it."""

    def __init__(self, state, woken_by):
        self._state = state
        self._woken_by = woken_by
        self._settings = None
        self._left_out = ()
        self._quote = None
        self._etag = None

    def until(self):
        """Do what this wake is for, and return when the next one is due (epoch s)."""
        log.say("wake", by=self._woken_by)
        self._recall_quote()
        cause = asked = None
        try:
            self._load_settings()
            self._set_clock(self._join())
            self._fetch_quote()
            if not self._show("quote", {}):
                cause = "panel"
        except Unanswered:
            cause = "needs_human"
            self._show("waiting", {"until": _day_and_time(self._ask_at())})
        except Obstacle as obstacle:
            cause, asked = obstacle.cause, obstacle.asked
            log.say("obstacle", cause=cause, title=obstacle.title, detail=obstacle.detail)
            if cause != "panel":
                self._show(obstacle.screen, obstacle.content)
        return self._next_wake(cause, asked)

    def _next_wake(self, cause, asked):
        from stoa import schedule

        state = self._state
        now = hardware.now()
        if cause is None:
            state["failures"] = {}
            until = schedule.next_daily(now, self._settings.wake)
        elif cause == "needs_human":
            until = max(self._ask_at(), now + schedule.SOONEST_S)
        else:
            failures = state.get("failures", {}).get(cause, 0) + 1
            state["failures"] = {cause: failures}
            until = schedule.after_failure(now, cause, failures, asked)
        self._save()
        log.say("sleep", until=until, reason=cause or "daily")
        return until

    def _ask_at(self):
        return self._state.get("ask_at", hardware.now() + 3600)

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
            return radio.join(self._settings.wifi_ssid, self._settings.wifi_password)
        except radio.RadioError as error:
            raise no_wifi(error.detail)

    def _set_clock(self, pool):
        set_at = self._state.get("clock_set_at")
        known = hardware.clock_is_set()
        if known and set_at is not None and 0 <= hardware.now() - set_at < CLOCK_GOOD_FOR_S:
            return
        from stoa.net import clock

        if clock.set_from_network(pool, self._settings.ntp):
            self._state["clock_set_at"] = hardware.now()
        elif not known:
            raise no_time(self._settings.ntp)

    def _fetch_quote(self):
        """Get today's quote. A token the API does not accept is refreshed once; a person is asked once."""
        from stoa.net import radio
        from stoa.net.exchanger import Exchanger
        from stoa.sign_in import SignIn

        settings = self._settings
        exchanger = Exchanger(lambda: radio.join(settings.wifi_ssid, settings.wifi_password), hardware.milliseconds)
        sign_in = SignIn(settings, exchanger, self._state, self._save, self._show, self._woken_by == "alarm")
        access_token = sign_in.access_token()
        tried = []
        while True:
            verdict = self._get_quote(exchanger, access_token)
            kind = verdict[0]
            if kind in tried or kind not in ("refresh", "human"):
                break
            tried.append(kind)
            if kind == "refresh":
                access_token = sign_in.new_access_token()
            else:
                self._state.pop("access", None)
                access_token = sign_in.ask_person("mfa", verdict[1])
        if kind == "misconfigured":
            raise refused(SERVER, verdict[1], "Check STOA_SCOPE and STOA_AUDIENCE.")
        if kind in tried:
            raise refused(SERVER, "a new token is not good enough", "Check STOA_AUDIENCE and STOA_API.")
        sign_in.settled()
        if kind == "new":
            self._keep_quote(verdict[1], verdict[2])

    def _get_quote(self, exchanger, access_token):
        from stoa import quotes
        from stoa.net.usocket import HttpError

        headers = {"Authorization": "Bearer " + access_token}
        if self._quote and self._etag:
            headers["If-None-Match"] = self._etag
        try:
            status, body, answered = exchanger.get(self._settings.api, headers)
        except HttpError as error:
            raise no_reply(SERVER, error)
        verdict = quotes.judge(status, answered, body)
        if verdict[0] == "later":
            from stoa.auth import retry_after

            raise odd_reply(SERVER, verdict[1], retry_after.seconds(answered, hardware.now()))
        if verdict[0] == "same" and "If-None-Match" not in headers:
            raise odd_reply(SERVER, "status 304 out of turn")
        return verdict

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
        return glass.show(screen, content, self._state, self._save)

    def _save(self):
        left_out = sleep_state.save(hardware.sleep_memory(), self._state)
        if left_out != self._left_out:
            self._left_out = left_out
            log.say("sleep_memory", left_out="+".join(left_out) or None)


def _day_and_time(moment):
    days = moment // 86400
    return "%s %02d:%02d UTC" % (DAYS[(days + 3) % 7], moment // 3600 % 24, moment // 60 % 60)
