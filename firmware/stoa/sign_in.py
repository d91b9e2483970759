"""How a wake comes by an access token: the one at rest, a refresh, or a person.

The auth core (stoa.auth) decides; this module carries its effects out: requests, screens, waits, and what is stored.
Nothing secret is logged or shown.
"""

from stoa import hardware, log, vault
from stoa.net.usocket import HttpError
from stoa.obstacle import Obstacle, Unanswered, no_reply, odd_reply, refused

SERVER = "The sign-in server"
# An access token this close to its end may be refused by the time it arrives.
REFRESH_MARGIN_S = 60
# What sleep memory keeps of one account and means nothing to another.
OF_ONE_ACCOUNT = ("endpoints", "access", "refresh", "grant", "asked", "ask_at", "no_refresh_token")


class SignIn:
    """One wake's dealings with the authorization server.

    state     what sleep memory keeps; this reads and writes `account` and the keys of OF_ONE_ACCOUNT
    save      keeps `state` now
    show      show(screen, content) puts a screen on the glass and tells whether it is there
    patient   whether a person must not be asked before ask_at: nobody pressed the button or plugged the board in
    """

    def __init__(self, settings, exchanger, state, save, show, patient):
        self._settings = settings
        self._exchanger = exchanger
        self._state = state
        self._save = save
        self._show = show
        self._patient = patient
        self._refreshed = False
        owner = vault.owner(settings.issuer, settings.client_id)
        self._vault = vault.Vault(hardware.nvm(), hardware.open_file, owner)
        account = int.from_bytes(owner, "little")
        if state.get("account") != account:
            for key in OF_ONE_ACCOUNT:
                state.pop(key, None)
            state["account"] = account

    def access_token(self):
        """An access token that is good for now. Raises Obstacle or Unanswered."""
        resting = self._state.get("access")
        if resting and resting["until"] - hardware.now() > REFRESH_MARGIN_S:
            return resting["token"]
        return self.new_access_token()

    def new_access_token(self):
        """The same, for when the API does not take the one at rest."""
        self._state.pop("access", None)
        refresh_token = self._vault.load()
        if refresh_token is not None:
            return self._refresh(refresh_token)
        if self._patient and self._state.get("no_refresh_token"):
            # A code to scan each time an access token ends would be no display but a chore.
            raise refused(SERVER, "no refresh token comes", "Allow the client offline access, then press the button.")
        return self.ask_person("pairing", {})

    def settled(self):
        """The API has answered. After a refresh that is the one proof that nobody is needed: the asking starts anew.

        Not sooner: a tenant that challenges every refresh, or an API that wants fresher authentication than a refresh
        gives, must not nag anew each time.
        """
        if self._refreshed:
            self._forget_asking()

    def ask_person(self, screen, challenge):
        """Show a code and wait for a person, unless one was asked too lately. Returns an access token.

        challenge: acr_values and max_age of RFC 9470, if the API named any.
        """
        state = self._state
        grant = state.get("grant") or {}
        if not grant.get("device_code"):
            if self._patient and hardware.now() < state.get("ask_at", 0):
                raise Unanswered()
            grant = {}
        state["grant"] = grant
        reason, info, wait = self._pair(grant, screen, challenge)
        state.pop("grant", None)
        log.say("pairing", outcome=reason, detail=None if reason == "granted" else info)
        if reason in ("granted", "expired", "denied"):
            # An hour from the end of the code's life, not from its beginning.
            self._leave_alone()
        if reason == "granted":
            if screen == "pairing" and state["asked"] == 1:
                # The first code of all, and it was answered: nobody has been kept waiting.
                self._forget_asking()
            return self._keep(info)
        self._save()
        if reason == "unavailable":
            raise self._odd_reply("it says " + info if info else "no code, or no answer to it", wait)
        if reason == "misconfigured":
            raise refused(SERVER, info or "nothing more", "Check STOA_CLIENT_ID, STOA_SCOPE and STOA_AUDIENCE.")
        raise Unanswered()

    def _pair(self, grant, screen, challenge):
        """Run the device grant to its end: ("granted", tokens, None), or (reason, detail, seconds the server asked)."""
        from stoa.auth import device_grant, retry_after

        settings = self._settings
        wait = failure = None
        shown = False
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
                endpoint = self._endpoints()[effect[1]]
                try:
                    status, body, headers = self._exchanger.post(endpoint, effect[2])
                    wait = retry_after.seconds(headers, hardware.now())
                    event = ("reply", status, body)
                    failure = None
                except HttpError as error:
                    failure = error
                    event = ("lost",)
            elif kind == "granted":
                return kind, effect[1], None
            elif kind == "stopped":
                if effect[1] == "unavailable":
                    self._unask(shown)
                    if failure is not None:
                        raise no_reply(SERVER, failure)
                return effect[1], grant.get("detail"), wait
            else:
                if not shown:
                    self._show_code(grant, screen, not resumed)
                    shown = True
                if kind == "show":
                    event = ("shown",)
                else:
                    self._save()
                    hardware.wait(effect[1])
                    event = ("tick",)

    def _show_code(self, grant, screen, is_new):
        # What the glass may know of a grant: not the device code.
        code = {key: grant[key] for key in ("user_code", "verification_uri", "verification_uri_complete")}
        if not self._show(screen, code):
            self._state.pop("grant", None)
            raise Obstacle("panel", "The panel does not answer", "BUSY never fell.")
        if is_new:
            self._state["asked"] = self._state.get("asked", 0) + 1
        self._leave_alone()

    def _unask(self, shown):
        """The code could not be answered for a fault of the server's: it does not count as asking."""
        self._state.pop("endpoints", None)
        self._state.pop("grant", None)
        if shown:
            self._state["asked"] -= 1
            self._state.pop("ask_at", None)
        self._save()

    def _leave_alone(self):
        from stoa.auth import backoff

        # Not there only if power went between showing and counting.
        asked = self._state.setdefault("asked", 1)
        self._state["ask_at"] = hardware.now() + backoff.delay("needs_human", asked)

    def _refresh(self, refresh_token):
        from stoa.auth import refresh

        outcome, info = self._run_refresh(refresh, refresh_token)
        log.say("refresh", outcome=outcome, error=info.get("error"))
        self._state.pop("refresh", None)
        if outcome == refresh.SAME_TOKEN or outcome == refresh.ROTATED:
            self._refreshed = True
            return self._keep(info)
        if outcome == refresh.RETRY_LATER:
            code = info["error"]
            raise self._odd_reply("it says " + code if code else "the refresh had no answer", info["after"])
        if outcome == refresh.MISCONFIGURED:
            raise refused(SERVER, info["error"], "Check STOA_CLIENT_ID and the client's grants.")
        if info["token_is_dead"] and self._is_authentic(self._endpoints()["token"]):
            self._vault.clear()
        return self.ask_person("mfa", {})

    def _run_refresh(self, machine, refresh_token):
        state = dict(self._state.get("refresh", {}))
        event = ("start", self._settings.client_id, refresh_token)
        endpoint = self._endpoints()["token"]
        while True:
            (effect,) = machine.step(state, event, hardware.now())
            kind = effect[0]
            if kind == "outcome":
                return effect[1], effect[2]
            if kind == "wait":
                hardware.wait(effect[1])
                event = ("tick",)
                continue
            self._state["refresh"] = machine.mark(state)
            self._save()
            try:
                event = ("reply",) + self._exchanger.post(endpoint, effect[2])
            except HttpError as error:
                event = _without_reply(error)

    def _is_authentic(self, endpoint):
        """Whether nobody on the way can have written the answer: TLS, or this machine itself. Plain HTTP to others is
        for a laboratory (STOA_ALLOW_HTTP), and what it says deletes nothing."""
        from stoa import url

        scheme, host, _, _ = url.split(endpoint)
        return scheme == "https" or url.is_loopback(host)

    def _keep(self, tokens):
        """Store what a grant or a refresh brought, the refresh token first: it cannot be had again."""
        new = tokens["refresh_token"]
        if new is not None:
            held_by = self._vault.store(new)
            log.say("vault", held_by="+".join(held_by) or None)
            self._state.pop("no_refresh_token", None)
        elif self._vault.load() is None:
            log.say("vault", held_by=None)
            self._state["no_refresh_token"] = True
        if tokens["expires_in"] > REFRESH_MARGIN_S:
            until = hardware.now() + tokens["expires_in"]
            self._state["access"] = {"token": tokens["access_token"], "until": until}
        self._save()
        return tokens["access_token"]

    def _forget_asking(self):
        for key in ("asked", "ask_at", "grant"):
            self._state.pop(key, None)

    def _odd_reply(self, detail, wait):
        # The endpoints may have moved: look anew next time.
        self._state.pop("endpoints", None)
        return odd_reply(SERVER, detail, wait)

    def _endpoints(self):
        """The auth core's names of the endpoints -> URLs, from an earlier wake or by discovery."""
        known = self._state.get("endpoints")
        if known:
            return known
        from stoa.auth import metadata, retry_after

        issuer = self._settings.issuer
        try:
            status, document, headers = self._exchanger.get(metadata.discovery_url(issuer))
        except HttpError as error:
            raise no_reply(SERVER, error)
        if status != 200 or document is None:
            wait = retry_after.seconds(headers, hardware.now())
            raise odd_reply(SERVER, "no discovery document, status %d" % status, wait)
        try:
            token, device = metadata.endpoints(document, issuer)
        except metadata.MetadataError as error:
            raise refused(SERVER, error.detail, "Check STOA_ISSUER.")
        known = {"token": token, "device_authorization": device}
        self._state["endpoints"] = known
        return known


def _without_reply(error):
    """The refresh machine's event for an exchange that brought no reply."""
    if not error.sent:
        return ("unreached",)
    if error.kind in ("timeout", "truncated"):
        return ("lost",)
    # Somebody answered, and not as a token endpoint does: the same request again at once would bring the same.
    return ("reply", 0, None, {})
