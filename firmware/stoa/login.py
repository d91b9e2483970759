"""The two ways to an access token, carried out: the auth core's effects become requests, screens and waits.

    outcome, info = refresh(...)      one of stoa.auth.refresh's five outcomes
    reason, info = pair(...)          "granted" with the tokens, or why the device grant stopped

Both take a stoa.net.exchanger.Exchanger. Neither logs, stores or shows anything that is secret.
"""

from stoa.net.usocket import HttpError


def refresh(state, exchanger, token_endpoint, client_id, refresh_token, now, before_post):
    """Run the refresh machine to its end. `before_post` is called before each request, with its mark to keep."""
    from stoa.auth import refresh as machine

    event = ("start", client_id, refresh_token)
    while True:
        for effect in machine.step(state, event, now()):
            if effect[0] == "outcome":
                return effect[1], effect[2]
            before_post(machine.mark(state))
            try:
                event = ("reply",) + exchanger.post(token_endpoint, effect[2])
            except HttpError as error:
                event = _without_reply(error)


def _without_reply(error):
    if not error.sent:
        return ("unreached",)
    if error.kind in ("timeout", "truncated"):
        return ("lost",)
    # Somebody answered, and not as a token endpoint does: the same request again at once would bring the same.
    return ("reply", 0, None, {})


def pair(state, exchanger, endpoints, client, now, wait, show):
    """Run the device grant to its end. `endpoints` maps the machine's names to URLs; `show(state)` draws the code and
    returns when the glass is done; `wait(seconds)` keeps the device awake."""
    from stoa.auth import device_grant

    if state.get("device_code"):
        # Cut off while waiting for an answer: the code is still good, and the glass may show something else by now.
        show(state)
        event = ("tick",)
    else:
        event = ("start", client)
    while True:
        (effect,) = device_grant.step(state, event, now())
        kind = effect[0]
        if kind == "post":
            try:
                event = ("reply",) + exchanger.post(endpoints[effect[1]], effect[2])[:2]
            except HttpError:
                event = ("lost",)
        elif kind == "show":
            show(state)
            event = ("shown",)
        elif kind == "wait":
            wait(effect[1])
            event = ("tick",)
        elif kind == "granted":
            return kind, effect[1]
        else:
            return effect[1], state.get("detail")
