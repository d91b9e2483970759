"""Asking a person: a code on the glass, polling until it is answered or has expired, and when to ask again.

Loaded only when somebody is needed: a daily wake has no use for it.
"""

from stoa import hardware, log, schedule
from stoa.auth import backoff, device_grant, retry_after
from stoa.net import radio
from stoa.net.usocket import HttpError
from stoa.obstacle import Unanswered, no_panel, no_reply, refused
from stoa.sign_in import SERVER, forget_asking

# Whoever stands before the display answers in the first minutes. After that it asks the server as often as this, with
# the radio off between: a code that nobody answers takes 13 mAh of a MagTag's 420 and not 30.
SOON_MS = 120000
RARELY_S = 30


def ask(sign_in, screen, challenge):
    """The tokens that a person's answer brings (answer.read). Raises Obstacle or Unanswered.

    screen: "pairing" or "mfa". challenge: acr_values and max_age of RFC 9470, if the API named any.
    """
    return _Asking(sign_in).ask(screen, challenge)


class _Asking:
    """Keeps its keys of the state: asked (codes shown), ask_at (not before), grant (the device grant under way)."""

    def __init__(self, sign_in):
        self._sign_in = sign_in
        self._settings = sign_in.settings
        self._state = sign_in.state
        self._save = sign_in.save

    def ask(self, screen, challenge):
        state = self._state
        grant = state.get("grant") or {}
        if not grant.get("device_code"):
            self._wait_for_the_hour(screen)
            grant = {}
        state["grant"] = grant
        reason, info, wait = self._pair(grant, screen, challenge)
        state.pop("grant", None)
        log.say("pairing", outcome=reason, detail=None if reason == "granted" else info)
        if reason in ("granted", "expired", "denied"):
            # An hour from the end of the code's life, not from its beginning.
            self._leave_alone()
        if reason == "granted":
            self._answered(screen)
            return info
        self._save()
        if reason == "unavailable":
            raise self._sign_in.odd_reply("it says " + info if info else "no code, or no answer to it", wait)
        if reason == "misconfigured":
            raise refused(SERVER, info or "nothing more", "Check STOA_CLIENT_ID, STOA_SCOPE and STOA_AUDIENCE.")
        raise Unanswered()

    def _wait_for_the_hour(self, screen):
        """Raise Unanswered where nobody woke the display, and it is too soon to ask again, or quiet hours."""
        if not self._sign_in.patient:
            return
        now = hardware.now()
        ask_at = self._out_of_quiet(max(now, self._state.get("ask_at", 0)))
        if now < ask_at:
            self._state["ask_at"] = ask_at
            # Whoever has nothing to refresh has spoken to no server in this wake.
            raise Unanswered(reached=screen != "pairing")

    def _answered(self, screen):
        if screen == "pairing" and self._state["asked"] == 1:
            # The first code of all, and it was answered: nobody has been kept waiting.
            forget_asking(self._state)
        elif screen == "mfa":
            self._state["asked"] += backoff.ANSWERED_IN_VAIN
            self._leave_alone()

    def _pair(self, grant, screen, challenge):
        """Run the device grant to its end: ("granted", tokens, None), or (reason, detail, seconds the server asked)."""
        settings = self._settings
        wait = failure = shown_ms = None
        # Reset while a person was being waited for: the code may be good still, and counts as asked already.
        resumed = "device_code" in grant
        if resumed:
            event = ("tick",)
        else:
            client = {"client_id": settings.client_id, "scope": settings.scope, "audience": settings.audience}
            client.update(challenge)
            event = ("start", client)
        while True:
            (effect,) = device_grant.step(grant, event, hardware.now())
            kind = effect[0]
            if kind == "post":
                endpoint = self._sign_in.endpoints()[effect[1]]
                if effect[1] == "token":
                    hardware.make_drive_writable()
                # After a reset in mid-poll the interval still counts from that poll.
                self._save()
                try:
                    status, body, headers = self._sign_in.exchanger.post(endpoint, effect[2])
                    wait = retry_after.seconds(headers, hardware.now(), status)
                    event = ("reply", status, body)
                    failure = None
                except HttpError as error:
                    failure = error
                    event = ("lost",)
            elif kind == "granted":
                return kind, effect[1], None
            elif kind == "stopped":
                if effect[1] == "unavailable":
                    self._unask(shown_ms is not None)
                    if failure is not None:
                        raise no_reply(SERVER, failure)
                return effect[1], grant.get("detail"), wait
            else:
                if shown_ms is None:
                    self._show_code(grant, screen, not resumed)
                    shown_ms = hardware.awake_ms()
                if kind == "show":
                    event = ("shown",)
                else:
                    self._save()
                    self._wait(effect[1], grant, hardware.awake_ms() - shown_ms)
                    event = ("tick",)

    def _wait(self, seconds, grant, on_glass_ms):
        # The last minute as quickly as the first: a join may take ten seconds, and a poll too late loses an answer.
        if on_glass_ms > SOON_MS and grant["expires_at"] - hardware.now() > 2 * RARELY_S:
            seconds = max(seconds, RARELY_S)
            radio.leave()
        hardware.wait(seconds)

    def _show_code(self, grant, screen, is_new):
        # What the glass may know of a grant: not the device code.
        code = {key: grant[key] for key in ("user_code", "verification_uri", "verification_uri_complete")}
        if not self._sign_in.show(screen, code):
            self._state.pop("grant", None)
            raise no_panel()
        if is_new:
            self._state["asked"] = self._state.get("asked", 0) + 1
        self._leave_alone()

    def _unask(self, shown):
        """The code could not be answered for a fault of the server's: it does not count as asking, the first time.

        A quarter of an hour awake is a quarter of an hour: a server that gives codes and takes none is left alone too.
        """
        self._state.pop("endpoints", None)
        self._state.pop("grant", None)
        if shown and not self._state.get("forgiven"):
            self._state["forgiven"] = True
            self._state["asked"] -= 1
            self._state.pop("ask_at", None)
        self._save()

    def _leave_alone(self):
        # Not there only if power went between showing and counting.
        asked = self._state.setdefault("asked", 1)
        self._state["ask_at"] = self._out_of_quiet(hardware.now() + backoff.delay("needs_human", asked))

    def _out_of_quiet(self, moment):
        end = schedule.quiet_end(moment, self._settings.quiet, self._settings.zone)
        if end != moment:
            # On the morning after MFA came for everybody, a fleet must not ask in one second.
            later = end + schedule.own_number(hardware.uid()) % schedule.JITTER_S
            if schedule.quiet_end(later, self._settings.quiet, self._settings.zone) == later:
                return later
        return end
