"""One wake, from boot to deep sleep: the only place that orders the steps.

    settings -> Wi-Fi -> clock -> discovery -> access token -> quote -> glass -> deep sleep

Each step either goes on or raises: an Obstacle (something is wrong, try again later) or Unanswered (a person is
needed). Either way the glass says so, the last quote stays, and the board sleeps: no path leads out of here awake.
"""

from stoa import hardware, log, sleep_state
from stoa.obstacle import Obstacle, Unanswered, no_reply, no_time, no_wifi, odd_reply, refused

# An access token this close to its end may be refused by the time it arrives.
REFRESH_MARGIN_S = 60
# The clock drifts by minutes a day in deep sleep (stoa.schedule.EARLY_S): set it anew before it matters.
CLOCK_GOOD_FOR_S = 20 * 3600
# After a defect of our own. Not sooner, for what it did to a server once it may do each time.
AFTER_DEFECT_S = 6 * 3600
SIGN_IN = "The sign-in server"
QUOTES = "The quote server"
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def run():
    """Do one wake. Never returns: deep sleep ends it."""
    try:
        until = Wake(sleep_state.load(hardware.sleep_memory()), hardware.woken_by()).until()
    except Exception as error:
        # Our own defect, or no memory left. A traceback and a sleep: an exception that reached CircuitPython would
        # leave the board awake until the battery is empty.
        _report(error)
        until = hardware.now() + AFTER_DEFECT_S
    hardware.deep_sleep(until)


def _report(error):
    log.say("defect", kind=type(error).__name__, next=hardware.now() + AFTER_DEFECT_S)
    try:
        import traceback

        traceback.print_exception(error)
    except ImportError:
        # MicroPython has it in sys.
        import sys

        sys.print_exception(error)


class Wake:
    """`state` is what the last wake left in sleep memory; it is saved whenever losing it would cost something."""

    def __init__(self, state, woken_by):
        self._state = state
        self._woken_by = woken_by
        self._settings = None
        self._vault = None
        self._exchanger = None
        self._quote = None
        self._etag = None

    def until(self):
        """Do what this wake is for, and return when the next one is due (epoch s)."""
        writable = hardware.make_drive_writable()
        log.say("wake", by=self._woken_by, drive="writable" if writable else "read-only")
        self._recall_quote()
        cause = None
        asked = None
        try:
            self._fetch()
        except Obstacle as obstacle:
            cause, asked = obstacle.cause, obstacle.asked
            log.say("obstacle", cause=cause, title=obstacle.title, detail=obstacle.detail)
        except Unanswered:
            cause = "needs_human"
        return self._finish(cause, asked)

    def _fetch(self):
        """Get today's quote and put it on the glass; what stops it is on the glass when this raises."""
        try:
            self._load_settings()
            self._join()
            self._set_clock()
            endpoints = self._endpoints()
            self._ask_for_quote(endpoints, self._access_token(endpoints))
        except Unanswered:
            self._draw("waiting", {"until": _day_and_time(self._state["ask_at"])})
            raise
        except Obstacle as obstacle:
            if self._settings is not None:
                self._draw(
                    "error",
                    {"title": obstacle.title, "detail": obstacle.detail, "fix": obstacle.fix},
                )
            raise
        self._draw("quote", {})

    def _finish(self, cause, asked):
        from stoa import schedule

        state = self._state
        now = hardware.now()
        failures = state.get("failures", {})
        if cause is None:
            state["failures"] = {}
            until = schedule.next_daily(now, self._settings.wake)
        elif cause == "needs_human":
            until = max(state["ask_at"], now + schedule.SOONEST_S)
        else:
            state["failures"] = {cause: failures.get(cause, 0) + 1}
            until = schedule.after_failure(now, cause, state["failures"][cause], asked)
        self._save()
        log.say("sleep", until=until, reason=cause or "daily")
        return until

    def _load_settings(self):
        import os

        from stoa import settings

        try:
            self._settings = settings.load(os.getenv)
        except settings.SettingError as error:
            self._draw("setting", {"key": error.key, "problem": error.problem, "fix": error.fix})
            raise Obstacle("misconfigured", "Check settings.toml", str(error))
        except ValueError:
            # CircuitPython's own parser gave up; which line, it does not say.
            problem = "a line cannot be read"
            self._draw("setting", {"key": "settings.toml", "problem": problem, "fix": 'write each as KEY = "value"'})
            raise Obstacle("misconfigured", "Check settings.toml", problem)

    def _join(self):
        from stoa.net import radio
        from stoa.net.exchanger import Exchanger

        try:
            self._pool = radio.join(self._settings.wifi_ssid, self._settings.wifi_password)
        except radio.RadioError as error:
            raise no_wifi(error.detail)
        self._exchanger = Exchanger(self._pool, hardware.milliseconds)

    def _set_clock(self):
        set_at = self._state.get("clock_set_at")
        known = hardware.clock_is_set()
        if known and set_at is not None and 0 <= hardware.now() - set_at < CLOCK_GOOD_FOR_S:
            return
        from stoa.net import clock

        if clock.set_from_network(self._pool, self._settings.ntp):
            self._state["clock_set_at"] = hardware.now()
        elif not known:
            raise no_time(self._settings.ntp)

    def _endpoints(self):
        """The machine's names of the endpoints -> URLs, from the last wake or by discovery."""
        issuer = self._settings.issuer
        known = self._state.get("endpoints")
        if known and known["issuer"] == issuer:
            return known
        from stoa.auth import metadata
        from stoa.net.usocket import HttpError

        try:
            status, document, _ = self._exchanger.get(metadata.discovery_url(issuer))
            if status != 200:
                raise odd_reply(SIGN_IN, "discovery answers with status %d" % status)
            token, device = metadata.endpoints(document, issuer)
        except HttpError as error:
            raise no_reply(SIGN_IN, error)
        except metadata.MetadataError as error:
            raise odd_reply(SIGN_IN, error.detail)
        known = {"issuer": issuer, "token": token, "device_authorization": device}
        self._state["endpoints"] = known
        return known

    def _access_token(self, endpoints):
        """An access token that is good for now: the resting one, or by refresh, or by a person."""
        resting = self._state.get("access")
        if resting and resting["until"] - hardware.now() > REFRESH_MARGIN_S:
            return resting["token"]
        self._state.pop("access", None)
        refresh_token = self._open_vault().load()
        if refresh_token is None:
            return self._ask_human(endpoints, "pairing", {})
        return self._refresh(endpoints, refresh_token)

    def _refresh(self, endpoints, refresh_token):
        from stoa import login
        from stoa.auth import refresh

        machine = self._state.get("refresh", {})
        outcome, info = login.refresh(
            machine,
            self._exchanger,
            endpoints["token"],
            self._settings.client_id,
            refresh_token,
            hardware.now,
            self._mark_refresh,
        )
        log.say("refresh", outcome=outcome, error=info.get("error"))
        if outcome == refresh.SAME_TOKEN or outcome == refresh.ROTATED:
            access_token = self._keep(info)
            self._state.pop("refresh", None)
            # Only here: a tenant that challenges every refresh must not nag anew after each pairing.
            self._state.pop("asked", None)
            self._state.pop("ask_at", None)
            self._save()
            return access_token
        self._state.pop("refresh", None)
        if outcome == refresh.RETRY_LATER:
            code = info["error"]
            raise odd_reply(SIGN_IN, "it says " + code if code else "the refresh had no answer", info["after"])
        if outcome == refresh.MISCONFIGURED:
            raise refused(SIGN_IN, info["error"], "Check STOA_CLIENT_ID and the client's grants.")
        if info["token_is_dead"]:
            self._vault.clear()
        return self._ask_human(endpoints, "mfa", {})

    def _mark_refresh(self, mark):
        self._state["refresh"] = mark
        self._save()

    def _ask_human(self, endpoints, screen, challenge):
        """Show a code and wait for a person, unless one was asked too lately. Returns an access token."""
        from stoa import login
        from stoa.auth import backoff

        state = self._state
        resumed = state.get("grant", {}).get("device_code")
        if not resumed and self._woken_by == "alarm" and hardware.now() < state.get("ask_at", 0):
            raise Unanswered()
        settings = self._settings
        client = {"client_id": settings.client_id, "scope": settings.scope, "audience": settings.audience}
        client.update(challenge)
        grant = state.setdefault("grant", {})

        def show(grant):
            state["asked"] = state.get("asked", 0) + (0 if resumed else 1)
            self._save()
            self._draw(
                screen,
                {
                    "user_code": grant["user_code"],
                    "verification_uri": grant["verification_uri"],
                    "verification_uri_complete": grant["verification_uri_complete"],
                },
            )

        def wait(seconds):
            self._save()
            hardware.wait(seconds)

        reason, info = login.pair(grant, self._exchanger, endpoints, client, hardware.now, wait, show)
        state.pop("grant", None)
        log.say("pairing", outcome=reason, detail=None if reason == "granted" else info)
        if "asked" in state:
            state["ask_at"] = hardware.now() + backoff.delay("needs_human", state["asked"])
        if reason == "granted":
            access_token = self._keep(info)
            self._save()
            return access_token
        self._save()
        if reason == "unavailable":
            raise odd_reply(SIGN_IN, "it says " + info if info else "no code could be had")
        if reason == "misconfigured":
            raise refused(SIGN_IN, info or "nothing more", "Check STOA_CLIENT_ID, STOA_SCOPE and STOA_AUDIENCE.")
        raise Unanswered()

    def _keep(self, tokens):
        """Store what a grant or a refresh brought, the refresh token first: it cannot be had again."""
        new = tokens["refresh_token"]
        if new is not None:
            held_by = self._open_vault().store(new)
            log.say("vault", held_by="+".join(held_by) or None)
        if tokens["expires_in"] > REFRESH_MARGIN_S:
            until = hardware.now() + tokens["expires_in"]
            self._state["access"] = {"token": tokens["access_token"], "until": until}
        return tokens["access_token"]

    def _open_vault(self):
        if self._vault is None:
            from stoa.vault import Vault

            self._vault = Vault(hardware.nvm(), open)
        return self._vault

    def _ask_for_quote(self, endpoints, access_token):
        """Fetch today's quote; a token the API does not accept is refreshed once."""
        verdict = self._get_quote(access_token)
        if verdict[0] == "refresh":
            self._state.pop("access", None)
            verdict = self._get_quote(self._access_token(endpoints))
        elif verdict[0] == "human":
            self._state.pop("access", None)
            verdict = self._get_quote(self._ask_human(endpoints, "mfa", verdict[1]))
        kind = verdict[0]
        if kind == "new":
            self._keep_quote(verdict[1], verdict[2])
        elif kind == "later":
            raise odd_reply(QUOTES, verdict[1])
        elif kind == "misconfigured":
            raise refused(QUOTES, verdict[1], "Check STOA_SCOPE and STOA_AUDIENCE.")
        elif kind != "same":
            raise refused(QUOTES, "the new token is not good", "Check STOA_AUDIENCE and STOA_API.")

    def _get_quote(self, access_token):
        from stoa import quotes
        from stoa.net.usocket import HttpError

        headers = {"Authorization": "Bearer " + access_token}
        if self._quote and self._etag:
            headers["If-None-Match"] = self._etag
        try:
            status, body, answered = self._exchanger.get(self._settings.api, headers)
        except HttpError as error:
            raise no_reply(QUOTES, error)
        return quotes.judge(status, answered, body)

    def _recall_quote(self):
        from stoa import quotes

        kept = self._state.get("quote")
        if kept:
            self._quote, self._etag = kept
        else:
            self._quote, self._etag = quotes.recall(open)

    def _keep_quote(self, quote, etag):
        from stoa import quotes

        self._quote, self._etag = quote, etag
        if quotes.remember(open, quote, etag):
            self._state.pop("quote", None)
        else:
            # A computer has the drive: sleep memory keeps the quote until the power goes.
            self._state["quote"] = (quote, etag)

    def _draw(self, screen, content):
        """Draw a screen and refresh the glass, unless it shows that picture already."""
        from stoa import screens

        canvas = hardware.new_canvas()
        content["quote"] = self._quote
        screens.draw(canvas, screen, content)
        picture = canvas.crc()
        changed = picture != self._state.get("glass")
        code = content.get("user_code")
        if code:
            log.say(
                "screen",
                name=screen,
                refreshed=changed,
                user_code=code,
                verification_uri=content["verification_uri"],
                verification_uri_complete=content["verification_uri_complete"],
            )
        else:
            log.say("screen", name=screen, refreshed=changed)
        if changed:
            # Unknown until it is done: after a cut in between, the next wake draws again.
            self._state.pop("glass", None)
            self._save()
            from stoa.panel import BusyStuck

            try:
                hardware.show(canvas.buffer)
                self._state["glass"] = picture
            except BusyStuck:
                log.say("panel", fault="BUSY stuck")
            self._save()

    def _save(self):
        left_out = sleep_state.save(hardware.sleep_memory(), self._state)
        if left_out:
            log.say("sleep_memory", left_out="+".join(left_out))


def _day_and_time(moment):
    days = moment // 86400
    return "%s %02d:%02d UTC" % (DAYS[(days + 3) % 7], moment // 3600 % 24, moment // 60 % 60)
