"""The step that asks a person: it gets a code, and polls until the code on the glass is answered or has expired.

Loaded only when somebody is needed: a daily wake has no use for it.
"""

from stoa import hardware, heap, log, tokens
from stoa.auth import device_grant
from stoa.net import exchanger
from stoa.net.usocket import HttpError
from stoa.obstacle import CodeToShow, NoRoom

# Whoever stands before the display answers in the first minutes. After that it asks the server as often as this, with
# the radio off between: a code that nobody answers takes 13 mAh of a MagTag's 420 and not 30.
SOON_MS = 120000
RARELY_S = 30


def run(errand):
    """The next step, "patience.answered" or "patience.unanswered". Raises Obstacle or CodeToShow.

    Run again when the code is on the glass, it goes on from there. Keeps one key of the state: grant, the device grant
    under way.
    """
    state = errand.state
    # Before the answer can come: from its last byte to the first write nothing is loaded.
    vault = tokens.open_vault(errand)
    grant = state.get("grant") or {}
    if not grant.get("device_code"):
        grant = {}
    state["grant"] = grant
    reason, info, wait = _pair(errand, grant)
    state.pop("grant", None)
    errand.shown_ms = None
    log.say("pairing", outcome=reason, detail=None if reason == "granted" else info)
    if reason == "granted":
        errand.answered = True
        tokens.keep(errand, vault, info)
        return "patience.answered"
    if reason == "expired" or reason == "denied":
        return "patience.unanswered"
    errand.save()
    from stoa import discovery

    if reason == "unavailable":
        raise discovery.odd_answer(errand, "it says " + info if info else "no code, or no answer to it", wait)
    raise discovery.refused(info or "nothing more", "Check STOA_CLIENT_ID, STOA_SCOPE and STOA_AUDIENCE.")


def _pair(errand, grant):
    """Run the device grant to its end: ("granted", tokens, None), or (reason, detail, seconds the server asked)."""
    settings = errand.settings
    wait = failure = None
    # On the glass since, or from before a reset, and then it may be good still and counts as asked already.
    is_new = "device_code" not in grant
    if is_new:
        client = {"client_id": settings.client_id, "scope": settings.scope, "audience": settings.audience}
        client.update(errand.asking[1])
        event = ("start", client)
    else:
        event = ("tick",)
    while True:
        (effect,) = device_grant.step(grant, event, hardware.now())
        kind = effect[0]
        if kind == "post":
            event, wait, failure = _post(errand, effect[1], effect[2], wait)
        elif kind == "granted":
            return kind, effect[1], None
        elif kind == "stopped":
            if effect[1] == "unavailable":
                _unask(errand)
                if failure is not None:
                    from stoa import discovery

                    raise discovery.no_reply(failure)
            return effect[1], grant.get("detail"), wait
        elif errand.shown_ms is None:
            errand.is_new = is_new
            # What the glass may know of a grant: not the device code.
            shown = ("user_code", "verification_uri", "verification_uri_complete")
            raise CodeToShow(errand.asking[0], {key: grant[key] for key in shown})
        elif kind == "show":
            event = ("shown",)
        else:
            errand.save()
            _wait(effect[1], grant, hardware.awake_ms() - errand.shown_ms)
            event = ("tick",)


def _post(errand, endpoint, fields, wait):
    """(event for the machine, seconds to be left alone that the server last asked for, HttpError, MemoryError or
    None)."""
    urls = errand.state.get("endpoints")
    if not urls:
        # A new display; for any other it would only be in the way.
        from stoa import discovery

        urls = discovery.endpoints(errand)
    if endpoint == "token":
        hardware.make_drive_writable()
    # After a reset in mid-poll the interval still counts from that poll.
    errand.save()
    try:
        status, body, headers = exchanger.post(errand, urls[endpoint], fields)
    except HttpError as error:
        return ("lost",), wait, error
    except MemoryError as error:
        if isinstance(error, NoRoom) and not errand.made_room:
            raise
        # The code is good, and there may be room for the next poll.
        heap.tell_it_is_full()
        return ("lost",), wait, error
    return ("reply", status, body), exchanger.asked_to_wait(status, headers), None


def _wait(seconds, grant, shown_ms):
    # The last minute as quickly as the first: a join may take ten seconds, and a poll too late loses an answer.
    if shown_ms > SOON_MS and grant["expires_at"] - hardware.now() > 2 * RARELY_S:
        from stoa.net import radio

        seconds = max(seconds, RARELY_S)
        radio.leave()
    hardware.wait(seconds)


def _unask(errand):
    """The code could not be had or answered for a fault of the server's: it does not count as asking, the first time.

    A quarter of an hour awake is a quarter of an hour: a server that gives codes and takes none is left alone too.
    """
    state = errand.state
    state.pop("endpoints", None)
    state.pop("grant", None)
    if (errand.asked or errand.shown_ms is not None) and not state.get("forgiven"):
        state["forgiven"] = True
        state["asked"] -= 1
        state.pop("ask_at", None)
    errand.save()
