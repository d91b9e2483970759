"""How a wake comes by an access token: the one at rest, a refresh, or a person.

The auth core (stoa.auth) decides; this module carries its effects out: requests, screens, waits, and what is stored.
Nothing secret is logged or shown.
"""

from stoa import hardware, log
from stoa.net.usocket import HttpError
from stoa.obstacle import Unanswered, no_reply, odd_reply, refused

SERVER = "The sign-in server"
# An access token this close to its end may be refused by the time it arrives.
REFRESH_MARGIN_S = 60


class SignIn:
    """One wake's dealings with the authorization server.

    state     what sleep memory keeps; this reads and writes endpoints, access, refresh, grant, asked and ask_at
    save      keeps `state` now
    show      show(screen, content) puts a screen on the glass and returns when it is there
    patient   whether a person must not be asked before ask_at: nobody pressed the button or plugged the board in
    """

    def __init__(self, settings, exchanger, state, save, show, patient):
        self._settings = settings
        self._exchanger = exchanger
        self._state = state
        self._save = save
        self._show = show
        self._patient = patient
        self._vault = None

    def access_token(self):
        """An access token that is good for now. Raises Obstacle or Unanswered."""
        resting = self._state.get("access")
        if resting and resting["until"] - hardware.now() > REFRESH_MARGIN_S:
            return resting["token"]
        return self.new_access_token()

    def new_access_token(self):
        """The same, for when the API does not take the one at rest."""
        self._state.pop("access", None)
        refresh_token = self._open_vault().load()
        if refresh_token is None:
            return self.ask_person("pairing", {})
        return self._refresh(refresh_token)

    def ask_person(self, screen, challenge):
        """Show a code and wait for a person, unless one was asked too lately. Returns an access token.

        challenge: acr_values and max_age of RFC 9470, if the API named any.
        """
        from stoa.auth import backoff

        state = self._state
        grant = state.get("grant")
        if not grant:
            if self._patient and hardware.now() < state.get("ask_at", 0):
                raise Unanswered()
            grant = state["grant"] = {}
        reason, info = self._pair(grant, screen, challenge)
        del state["grant"]
        log.say("pairing", outcome=reason, detail=None if reason == "granted" else info)
        if "asked" in state:
            state["ask_at"] = hardware.now() + backoff.delay("needs_human", state["asked"])
        if reason == "granted":
            if screen == "pairing":
                # There was no token to lose: whatever was asked before, this is a beginning.
                self._forget_asking()
            return self._keep(info)
        self._save()
        if reason == "unavailable":
            raise odd_reply(SERVER, "it says " + info if info else "no code could be had")
        if reason == "misconfigured":
            raise refused(SERVER, info or "nothing more", "Check STOA_CLIENT_ID, STOA_SCOPE and STOA_AUDIENCE.")
        raise Unanswered()

    def _pair(self, grant, screen, challenge):
        """Run the device grant to its end: ("granted", tokens), or (reason, detail)."""
        from stoa.auth import device_grant

        settings = self._settings
        if grant.get("device_code"):
            # Reset while a person was being waited for: the code is good, but the glass may show something else.
            self._show(screen, _asked(grant))
            event = ("tick",)
        else:
            client = {"client_id": settings.client_id, "scope": settings.scope, "audience": settings.audience}
            client.update(challenge)
            event = ("start", client)
        while True:
            (effect,) = device_grant.step(grant, event, hardware.now())
            kind = effect[0]
            if kind == "post":
                try:
                    event = ("reply",) + self._exchanger.post(self._endpoints()[effect[1]], effect[2])[:2]
                except HttpError:
                    event = ("lost",)
            elif kind == "show":
                self._state["asked"] = self._state.get("asked", 0) + 1
                self._save()
                self._show(screen, _asked(grant))
                event = ("shown",)
            elif kind == "wait":
                self._save()
                hardware.wait(effect[1])
                event = ("tick",)
            elif kind == "granted":
                return kind, effect[1]
            else:
                return effect[1], grant.get("detail")

    def _refresh(self, refresh_token):
        from stoa.auth import refresh

        outcome, info = self._run_refresh(refresh, refresh_token)
        log.say("refresh", outcome=outcome, error=info.get("error"))
        self._state.pop("refresh", None)
        if outcome == refresh.SAME_TOKEN or outcome == refresh.ROTATED:
            # Only here: a tenant that challenges every refresh must not nag anew after each pairing.
            self._forget_asking()
            return self._keep(info)
        if outcome == refresh.RETRY_LATER:
            code = info["error"]
            raise odd_reply(SERVER, "it says " + code if code else "the refresh had no answer", info["after"])
        if outcome == refresh.MISCONFIGURED:
            raise refused(SERVER, info["error"], "Check STOA_CLIENT_ID and the client's grants.")
        if info["token_is_dead"]:
            self._vault.clear()
        return self.ask_person("mfa", {})

    def _run_refresh(self, machine, refresh_token):
        state = self._state.get("refresh", {})
        event = ("start", self._settings.client_id, refresh_token)
        endpoint = self._endpoints()["token"]
        while True:
            (effect,) = machine.step(state, event, hardware.now())
            if effect[0] == "outcome":
                return effect[1], effect[2]
            self._state["refresh"] = machine.mark(state)
            self._save()
            try:
                event = ("reply",) + self._exchanger.post(endpoint, effect[2])
            except HttpError as error:
                event = _without_reply(error)

    def _forget_asking(self):
        self._state.pop("asked", None)
        self._state.pop("ask_at", None)

    def _keep(self, tokens):
        """Store what a grant or a refresh brought, the refresh token first: it cannot be had again."""
        new = tokens["refresh_token"]
        if new is not None:
            held_by = self._open_vault().store(new)
            log.say("vault", held_by="+".join(held_by) or None)
        if tokens["expires_in"] > REFRESH_MARGIN_S:
            until = hardware.now() + tokens["expires_in"]
            self._state["access"] = {"token": tokens["access_token"], "until": until}
        self._save()
        return tokens["access_token"]

    def _open_vault(self):
        if self._vault is None:
            from stoa.vault import Vault

            self._vault = Vault(hardware.nvm(), open)
        return self._vault

    def _endpoints(self):
        """The auth core's names of the endpoints -> URLs, from an earlier wake or by discovery."""
        issuer = self._settings.issuer
        known = self._state.get("endpoints")
        if known and known["issuer"] == issuer:
            return known
        from stoa.auth import metadata

        try:
            status, document, _ = self._exchanger.get(metadata.discovery_url(issuer))
            if status != 200:
                raise odd_reply(SERVER, "discovery answers with status %d" % status)
            token, device = metadata.endpoints(document, issuer)
        except HttpError as error:
            raise no_reply(SERVER, error)
        except metadata.MetadataError as error:
            raise odd_reply(SERVER, error.detail)
        known = {"issuer": issuer, "token": token, "device_authorization": device}
        self._state["endpoints"] = known
        return known


def _asked(grant):
    """What the glass may know of a grant: not the device code."""
    return {key: grant[key] for key in ("user_code", "verification_uri", "verification_uri_complete")}


def _without_reply(error):
    """The refresh machine's event for an exchange that brought no reply."""
    if not error.sent:
        return ("unreached",)
    if error.kind in ("timeout", "truncated"):
        return ("lost",)
    # Somebody answered, and not as a token endpoint does: the same request again at once would bring the same.
    return ("reply", 0, None, {})
