"""Asking the token endpoint whether a person has answered (RFC 8628 section 3.5): what device grant and push share.

Keys of a machine's state: interval (s), poll_at and expires_at (moments in s), unheard (the last poll had no answer).
"""

from stoa.auth import answer

# RFC 8628 section 3.2: if no interval is provided, clients MUST use 5 as the default.
DEFAULT_INTERVAL_S = 5
# Section 3.5: slow_down increases the interval by 5 seconds for this and all subsequent requests.
SLOW_DOWN_S = 5
# As long as a code is waited for.
INTERVAL_MAX_S = 1800


def interval(body):
    """Seconds between two polls, as the answer that began them says."""
    return answer.seconds(body, "interval", DEFAULT_INTERVAL_S, INTERVAL_MAX_S)


def read(state, event, known, now):
    """("tick",), ("lost",) or ("reply", status, body) as a machine's table knows it, and what its action needs.

    known: the token endpoint's error -> event. Raises ValueError for another event.
    """
    kind = event[0]
    late = "expires_at" in state and now >= state["expires_at"]
    if kind == "tick":
        if late:
            return "expired", None
        return ("due" if now >= state.get("poll_at", now + 1) else "early"), None
    if kind == "lost":
        return ("expired" if late else "lost"), None
    if kind != "reply":
        raise ValueError("unknown event")
    kind, value = answer.read(event[2])
    if kind == "tokens":
        return "tokens", value
    if kind == "unfit":
        return "misconfigured", value
    if kind == "unusable":
        return ("expired" if late else "lost"), None
    name = known.get(value, "error")
    if late and name in ("pending", "slow_down"):
        return "expired", None
    return name, value


# Actions for the machines' tables, by the event that leads to them: (state, value, now) -> a tuple of effects.


def early(state, value, now):
    # Never past the expiry, so that it is noticed when it comes.
    until = state["poll_at"] if state["poll_at"] < state["expires_at"] else state["expires_at"]
    return (("wait", until - now if until > now else 1),)


def shown(state, value, now):
    state["poll_at"] = now + state["interval"]
    return early(state, value, now)


def pending(state, value, now):
    state.pop("unheard", None)
    return shown(state, value, now)


def slow_down(state, value, now):
    state["interval"] += SLOW_DOWN_S
    return pending(state, value, now)


def lost(state, value, now):
    state["interval"] *= 2
    state["unheard"] = True
    return shown(state, value, now)
