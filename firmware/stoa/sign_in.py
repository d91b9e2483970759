"""The step that brings an access token: the one at rest, or a refresh. Where a person is needed, `patience` is next.

The auth core (stoa.auth.refresh) decides; this module carries its effects out: requests, waits, and what is stored.
Nothing secret is logged.
"""

from stoa import discovery, hardware, log, tokens
from stoa.auth import refresh
from stoa.net import exchanger
from stoa.net.usocket import HttpError
from stoa.obstacle import NoRoom


def run(errand):
    """The next step of the errand, "fetch" or "patience.may_ask". Raises Obstacle."""
    state = errand.state
    vault = tokens.open_vault(errand)
    errand.access_token = tokens.resting(state)
    if errand.access_token is not None:
        return "fetch"
    refresh_token = vault.load()
    if refresh_token is not None:
        if len(vault.held_by) < 2:
            # A cut left it on one medium, or a computer had the drive: one more, and it would be on none.
            vault.store(refresh_token)
        return _refresh(errand, vault, refresh_token)
    if errand.answered:
        raise discovery.refused("its new token is not accepted", "Check STOA_AUDIENCE and STOA_API.")
    if errand.patient and state.get("no_refresh_token"):
        # A code to scan each time an access token ends would be no display but a chore.
        raise discovery.refused("no refresh token comes", "Allow the client offline access, then press the button.")
    errand.asking = "pairing", {}
    return "patience.may_ask"


def _refresh(errand, vault, refresh_token):
    endpoint = discovery.endpoints(errand)["token"]
    outcome, info = _run_machine(errand, endpoint, refresh_token)
    log.say("refresh", outcome=outcome, error=info.get("error"))
    errand.state.pop("refresh", None)
    if outcome == refresh.SAME_TOKEN or outcome == refresh.ROTATED:
        errand.refreshed = True
        tokens.keep(errand, vault, info)
        errand.save()
        return "fetch"
    if outcome == refresh.RETRY_LATER:
        code = info["error"]
        raise discovery.odd_answer(errand, "it says " + code if code else "the refresh had no answer", info["after"])
    if outcome == refresh.MISCONFIGURED:
        raise discovery.refused(info["error"], "Check STOA_CLIENT_ID and the client's grants.")
    if info["token_is_dead"] and _is_authentic(endpoint):
        vault.clear()
    errand.asking = "mfa", {}
    errand.mfa_token = info["mfa_token"]
    return "patience.may_ask"


def _run_machine(errand, endpoint, refresh_token):
    state = dict(errand.state.get("refresh", {}))
    event = ("start", errand.settings.client_id, refresh_token)
    hardware.make_drive_writable()
    while True:
        (effect,) = refresh.step(state, event, hardware.now())
        kind = effect[0]
        if kind == "outcome":
            return effect[1], effect[2]
        if kind == "wait":
            hardware.wait(effect[1])
            event = ("tick",)
            continue
        before = errand.state.get("refresh")
        try:
            errand.state["refresh"] = refresh.mark(state)
            errand.save()
            event = ("reply",) + exchanger.post(errand, endpoint, effect[2])
        except HttpError as error:
            event = _without_reply(error)
        except NoRoom:
            # Nothing was sent: what the mark said before is true. Of another MemoryError that is not known.
            errand.state["refresh"] = before or {}
            raise


def _without_reply(error):
    """The refresh machine's event for an exchange that brought no reply."""
    if not error.sent:
        return ("unreached",)
    if error.kind in ("timeout", "truncated"):
        return ("lost",)
    # Somebody answered, and not as a token endpoint does: the same request again at once would bring the same.
    return ("reply", 0, None, {})


def _is_authentic(endpoint):
    """Whether nobody on the way can have written the answer: TLS, or this machine itself. Plain HTTP to others is for a
    laboratory (STOA_ALLOW_HTTP), and what it says deletes nothing."""
    from stoa import url

    scheme, host, _, _ = url.split(endpoint)
    return scheme == "https" or url.is_loopback(host)
