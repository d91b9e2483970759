"""How a wake comes by an access token: the one at rest, a refresh, or a person.

The auth core (stoa.auth) decides; this module carries its effects out: requests, screens, waits, and what is stored.
Nothing secret is logged or shown.
"""

from stoa import hardware, log, vault
from stoa.auth import backoff
from stoa.net.usocket import HttpError
from stoa.obstacle import Unanswered, no_reply, odd_reply, refused

SERVER = "The sign-in server"
# An access token this close to its end may be refused by the time it arrives.
REFRESH_MARGIN_S = 60
# A wake that has lasted so long does not show a second code: hardware.AWAKE_LIMIT_MS ends it.
SECOND_CODE_MS = 5 * 60 * 1000
# What sleep memory keeps of one account and means nothing to another.
OF_ONE_ACCOUNT = ("endpoints", "access", "refresh", "grant", "asked", "ask_at", "forgiven", "no_refresh_token")


class SignIn:
    """One wake's dealings with the authorization server.

    state     what sleep memory keeps; this reads and writes `account` and the keys of OF_ONE_ACCOUNT
    save      keeps `state` now
    show      show(screen, content) puts a screen on the glass and tells whether it is there
    patient   whether a person must not be asked before ask_at: nobody pressed the button or plugged the board in
    """

    def __init__(self, settings, exchanger, state, save, show, patient):
        self.settings = settings
        self.exchanger = exchanger
        self.state = state
        self.save = save
        self.show = show
        self.patient = patient
        self._refreshed = False
        self._person_answered = False
        owner = vault.owner(settings.issuer, settings.client_id)
        self._vault = vault.Vault(hardware.nvm(), hardware.open_file, owner)
        account = int.from_bytes(owner, "little")
        if state.get("account") != account:
            for key in OF_ONE_ACCOUNT:
                state.pop(key, None)
            state["account"] = account

    def access_token(self):
        """An access token that is good for now. Raises Obstacle or Unanswered."""
        resting = self.state.get("access")
        if resting and resting["until"] - hardware.now() > REFRESH_MARGIN_S:
            return resting["token"]
        return self.new_access_token()

    def new_access_token(self):
        """The same, for when the API does not take the one at rest."""
        self.state.pop("access", None)
        refresh_token = self._vault.load()
        if refresh_token is not None:
            if len(self._vault.held_by) < 2:
                # A cut left it on one medium, or a computer had the drive: one more, and it would be on none.
                self._vault.store(refresh_token)
            return self._refresh(refresh_token)
        if self._person_answered:
            raise refused(SERVER, "its new token is not accepted", "Check STOA_AUDIENCE and STOA_API.")
        if self.patient and self.state.get("no_refresh_token"):
            # A code to scan each time an access token ends would be no display but a chore.
            raise refused(SERVER, "no refresh token comes", "Allow the client offline access, then press the button.")
        return self.ask_person("pairing", {})

    def settled(self):
        """The API has answered. After a refresh and no person it proves that nobody is needed: the asking starts anew.

        Not sooner: a tenant that challenges every refresh, or an API that wants fresher authentication than a refresh
        gives, must not nag anew each time.
        """
        if self._refreshed and not self._person_answered:
            forget_asking(self.state)

    def ask_person(self, screen, challenge):
        """Show a code and wait for a person, unless one was asked too lately. Returns an access token.

        challenge: acr_values and max_age of RFC 9470, if the API named any. Raises Obstacle or Unanswered.
        """
        from stoa import asking

        if self._person_answered and hardware.awake_ms() > SECOND_CODE_MS:
            # What is left of the wake may be less than a code's life.
            self.state.setdefault("ask_at", hardware.now() + backoff.HOUR)
            raise Unanswered()
        # Not good enough, if there is one.
        self.state.pop("access", None)
        tokens = asking.ask(self, screen, challenge)
        self._person_answered = True
        return self.keep(tokens)

    def _refresh(self, refresh_token):
        from stoa.auth import refresh

        outcome, info = self._run_refresh(refresh, refresh_token)
        log.say("refresh", outcome=outcome, error=info.get("error"))
        self.state.pop("refresh", None)
        if outcome == refresh.SAME_TOKEN or outcome == refresh.ROTATED:
            self._refreshed = True
            return self.keep(info)
        if outcome == refresh.RETRY_LATER:
            code = info["error"]
            raise self.odd_reply("it says " + code if code else "the refresh had no answer", info["after"])
        if outcome == refresh.MISCONFIGURED:
            raise refused(SERVER, info["error"], "Check STOA_CLIENT_ID and the client's grants.")
        if info["token_is_dead"] and self._is_authentic(self.endpoints()["token"]):
            self._vault.clear()
        return self.ask_person("mfa", {})

    def _run_refresh(self, machine, refresh_token):
        state = dict(self.state.get("refresh", {}))
        event = ("start", self.settings.client_id, refresh_token)
        endpoint = self.endpoints()["token"]
        hardware.make_drive_writable()
        while True:
            (effect,) = machine.step(state, event, hardware.now())
            kind = effect[0]
            if kind == "outcome":
                return effect[1], effect[2]
            if kind == "wait":
                hardware.wait(effect[1])
                event = ("tick",)
                continue
            self.state["refresh"] = machine.mark(state)
            self.save()
            try:
                event = ("reply",) + self.exchanger.post(endpoint, effect[2])
            except HttpError as error:
                event = _without_reply(error)

    def _is_authentic(self, endpoint):
        """Whether nobody on the way can have written the answer: TLS, or this machine itself. Plain HTTP to others is
        for a laboratory (STOA_ALLOW_HTTP), and what it says deletes nothing."""
        from stoa import url

        scheme, host, _, _ = url.split(endpoint)
        return scheme == "https" or url.is_loopback(host)

    def keep(self, tokens):
        """Store what a grant or a refresh brought, the refresh token first: it cannot be had again."""
        new = tokens["refresh_token"]
        if new is not None:
            held_by = self._vault.store(new)
            log.say("vault", held_by="+".join(held_by) or None)
            self.state.pop("no_refresh_token", None)
        elif self._vault.load() is None:
            log.say("vault", held_by=None)
            self.state["no_refresh_token"] = True
        if tokens["expires_in"] > REFRESH_MARGIN_S:
            until = hardware.now() + tokens["expires_in"]
            self.state["access"] = {"token": tokens["access_token"], "until": until}
        self.save()
        return tokens["access_token"]

    def odd_reply(self, detail, wait):
        # The endpoints may have moved: look anew next time.
        self.state.pop("endpoints", None)
        return odd_reply(SERVER, detail, wait)

    def endpoints(self):
        """The auth core's names of the endpoints -> URLs, from an earlier wake or by discovery."""
        known = self.state.get("endpoints")
        if known:
            return known
        from stoa.auth import metadata, retry_after

        issuer = self.settings.issuer
        try:
            status, document, headers = self.exchanger.get(metadata.discovery_url(issuer))
        except HttpError as error:
            raise no_reply(SERVER, error)
        if status != 200 or document is None:
            wait = retry_after.seconds(headers, hardware.now(), status)
            raise odd_reply(SERVER, "no discovery document, status %d" % status, wait)
        try:
            token, device = metadata.endpoints(document, issuer)
        except metadata.MetadataError as error:
            raise refused(SERVER, error.detail, "Check STOA_ISSUER.")
        known = {"token": token, "device_authorization": device}
        self.state["endpoints"] = known
        return known


def forget_asking(state):
    """Nobody is needed: the backoff towards people begins anew."""
    for key in ("asked", "ask_at", "forgiven", "grant"):
        state.pop(key, None)


def _without_reply(error):
    """The refresh machine's event for an exchange that brought no reply."""
    if not error.sent:
        return ("unreached",)
    if error.kind in ("timeout", "truncated"):
        return ("lost",)
    # Somebody answered, and not as a token endpoint does: the same request again at once would bring the same.
    return ("reply", 0, None, {})
