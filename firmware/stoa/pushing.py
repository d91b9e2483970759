"""The step that asks a person's phone, and says so on the glass. Whatever comes of it but a yes, `asking` is next.

Loaded only where a refresh was refused for want of a second factor, and the server takes challenges. The auth core
(stoa.auth.push) decides. Nothing that is answered here touches the stored refresh token, but tokens that replace it.
"""

from stoa import hardware, heap, log, tokens
from stoa.auth import push
from stoa.net import exchanger
from stoa.net.usocket import HttpError
from stoa.obstacle import CodeToShow, NoRoom


def run(errand):
    """The next step, "patience.answered" or "asking". Raises CodeToShow, and is run again when that is on the glass.

    Keeps two keys of the state: push, the mark of the push under way, as long as its asking lasts; and no_push, that
    this tenant lets nobody answer so.
    """
    # Before the answer can come: from its last byte to the first write nothing is loaded.
    vault = tokens.open_vault(errand)
    if errand.push is None:
        event = "start", errand.settings.client_id, errand.mfa_token
        errand.push = errand.state.get("push", {}), event
        # Up to 4 KB, in the way of whatever comes after.
        errand.mfa_token = None
    outcome, info = _run_machine(errand)
    errand.push = errand.shown_ms = None
    if outcome == "granted":
        errand.answered = True
        errand.state.pop("no_push", None)
        tokens.keep(errand, vault, info)
        log.say("push", outcome=outcome)
        return "patience.answered"
    log.say("push", outcome=outcome, detail=info)
    if outcome == "misconfigured" or outcome == "another_factor":
        # A yes would be in vain again. Whoever has mended it presses the button.
        errand.state["no_push"] = True
    return "asking"


def _run_machine(errand):
    """("granted", tokens), or (why it stopped, the server's code or None)."""
    while True:
        state, event = errand.push
        state = dict(state)
        (effect,) = push.step(state, event, hardware.awake_ms() // 1000)
        kind = effect[0]
        if kind == "granted":
            return kind, effect[1]
        if kind == "stopped":
            return effect[1], state["detail"]
        if kind == "show":
            errand.is_new = True
            errand.push = state, ("shown",)
            raise CodeToShow("push", {})
        if kind == "wait":
            hardware.wait(effect[1])
            event = ("tick",)
        else:
            event = _exchange(errand, effect[1], effect[2], push.mark(state))
        # Not sooner: a step that found no room for its request is run again, and is to come to the same one.
        errand.push = state, event


def _exchange(errand, endpoint, value, mark):
    """The machine's event for what an exchange brought."""
    # Known by now: they took the refresh.
    urls = errand.state["endpoints"]
    errand.state["push"] = mark
    errand.save()
    try:
        if endpoint == "authenticators":
            reply = exchanger.get(errand, urls["mfa"] + endpoint, {"Authorization": "Bearer " + value}, list)
        elif endpoint == "token":
            reply = exchanger.post(errand, urls["token"], value)
        else:
            reply = exchanger.post(errand, urls["mfa"] + endpoint, value)
    except HttpError:
        return ("lost",)
    except MemoryError as error:
        if isinstance(error, NoRoom) and not errand.made_room:
            raise
        # As for a code: there may be room for the next poll.
        heap.tell_it_is_full()
        return ("lost",)
    return "reply", reply[0], reply[1]
