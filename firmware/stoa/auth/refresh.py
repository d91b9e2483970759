"""The refresh of an access token (RFC 6749 section 6): one token in, one of five outcomes out.

    effects = step(state, event, now)

`state` is a dict, empty before the first step. While a request is under way it holds the refresh token, so it is not
what goes into sleep memory: `mark(state)` is.

Events                                   meaning
("start", client_id, refresh_token)      begin, or resume after a power cut with the mark as state
("reply", status, body, headers)         body a dict, or None where it was no JSON object; header names in lower case
("lost",)                                the request may have arrived, its answer did not
("unreached",)                           the request cannot have arrived: no name, no connection, no TLS
("tick",)                                the wait is over

Effects                                  meaning
("post", "token", fields)                fields is a tuple of (name, value); send it at once and exactly once
("wait", seconds)                        then say ("tick",)
("outcome", outcome, info)               the end; info is a dict:
    SAME_TOKEN, ROTATED                  access_token, expires_in, refresh_token (None: keep the old one)
    RETRY_LATER                          after: seconds the server asked for, or None; error: code or None
    NEEDS_HUMAN                          error; token_is_dead: only then may the stored token be deleted;
                                         mfa_token: what came with mfa_required, or None
    MISCONFIGURED                        error: the code or the field that is wrong
"""

from stoa.auth import answer

SAME_TOKEN = "same_token"
ROTATED = "rotated"
RETRY_LATER = "retry_later"
NEEDS_HUMAN = "needs_human"
MISCONFIGURED = "misconfigured"

# Auth0's is a sealed session: opaque, and no longer than what the vault can hold.
MFA_TOKEN_MAX = 4096

# A code that is in neither set is not understood, and what is not understood is tried again, ever more rarely.
ERRORS = dict(answer.CLIENT_ERRORS)
ERRORS.update(
    {
        # RFC 6749 5.2: the refresh token is invalid, expired, revoked or issued to another client.
        "invalid_grant": "human",
        # Auth0, Extra Horizon: a second factor is wanted. The administrator may lift the rule again (seeds/000).
        "mfa_required": "human",
        # OpenID Connect Core 3.1.2.6, which servers reuse here: something cannot be done without showing a page.
        "interaction_required": "human",
        # The same: a person must authenticate.
        "login_required": "human",
        # The same: a person must consent.
        "consent_required": "human",
        # RFC 9470 3 and 5: fresher or stronger authentication, which no refresh can give.
        "insufficient_user_authentication": "human",
        "unmet_authentication_requirements": "human",
        # RFC 6749 4.1.2.1: the resource owner or the server denied the request (Auth0: an Action did).
        "access_denied": "human",
    }
)


# Within Okta's and Momentum's grace of 30 s; Auth0's and Cognito's are set by the tenant, 0 to 60 s.
PAUSES_S = (2, 4, 8, 14)


def step(state, event, now):
    """Take one event at `now` (int seconds), change `state` in place, and return a tuple of effects."""
    name, value = _classify(state, event, now)
    row = TABLE.get((state.get("is", "idle"), name))
    if row is None:
        raise ValueError("no row for %s in %s" % (name, state.get("is", "idle")))
    state["is"] = row[0]
    return row[1](state, value)


def mark(state):
    """What may outlive a power cut in sleep memory: that a refresh is in flight, and never its token."""
    return {"is": state.get("is", "idle")}


def _classify(state, event, now):
    kind = event[0]
    if kind == "start":
        return "start", event[1:]
    if kind == "tick":
        return kind, None
    if kind == "unreached" and state.get("pauses", 0) == len(PAUSES_S):
        kind = "gone"
    if kind in ("lost", "unreached", "gone"):
        return kind, {"after": None, "error": None}
    if kind != "reply":
        raise ValueError("unknown event")
    status = event[1]
    kind, value = answer.read(event[2])
    if kind == "tokens":
        # Some servers repeat the token they were sent; nothing has to be written then.
        new = value["refresh_token"]
        return ("same" if new is None or new == state.get("refresh_token") else "rotated"), value
    if kind == "unfit":
        return "misconfigured", {"error": value}
    if status in (502, 504) and kind == "unusable":
        # RFC 9110 15.6.3, 15.6.5: the gateway lost the server's answer, which may have rotated the token.
        return "lost", _when(event, now, None)
    if kind == "unusable" or status == 429 or status >= 500:
        # Whatever the body of an overloaded or broken server says, it is no verdict on the token.
        return "later", _when(event, now, value)
    verdict = ERRORS.get(value)
    if verdict == "human":
        return "human", {
            "error": value,
            "token_is_dead": value == "invalid_grant" and 400 <= status < 500,
            # Auth0: with it the person's authenticators can be listed and challenged.
            "mfa_token": answer.text(event[2], "mfa_token", MFA_TOKEN_MAX) if value == "mfa_required" else None,
        }
    if verdict == "misconfigured":
        return "misconfigured", {"error": value}
    return "later", _when(event, now, value)


def _when(event, now, code):
    # Loaded for the answers that are of no use.
    from stoa.auth import retry_after

    return {"after": retry_after.seconds(event[3], now, event[1]), "error": code}


def _post(state, start):
    state["client_id"], state["refresh_token"] = start
    state.pop("pauses", None)
    return _post_again(state, None)


def _post_again(state, value):
    return (
        (
            "post",
            "token",
            (
                ("grant_type", "refresh_token"),
                ("client_id", state["client_id"]),
                ("refresh_token", state["refresh_token"]),
            ),
        ),
    )


def _pause(state, value):
    pauses = state.get("pauses", 0)
    state["pauses"] = pauses + 1
    return (("wait", PAUSES_S[pauses]),)


def _end(state, outcome, info):
    state.pop("refresh_token", None)
    return (("outcome", outcome, info),)


def _same(state, tokens):
    tokens["refresh_token"] = None
    return _end(state, SAME_TOKEN, tokens)


def _rotated(state, tokens):
    return _end(state, ROTATED, tokens)


def _later(state, info):
    return _end(state, RETRY_LATER, info)


def _give_up(state, start):
    return _end(state, RETRY_LATER, {"after": None, "error": None})


def _human(state, info):
    return _end(state, NEEDS_HUMAN, info)


def _misconfigured(state, info):
    return _end(state, MISCONFIGURED, info)


TABLE = {
    # RFC 6749 6: the client makes a refresh request to the token endpoint.
    ("idle", "start"): ("asking", _post),
    ("over", "start"): ("asking", _post),
    # RFC 9700 4.14.2, as with a lost reply: the power was cut with a refresh in flight. Servers that rotate accept the
    # old token for 0 to 60 s more (Auth0's leeway, Cognito's RetryGracePeriodSeconds): now, then, and not tomorrow.
    ("asking", "start"): ("again", _post),
    # RFC 9110 9.2.2: a client SHOULD NOT automatically retry a failed automatic retry. Cut a second time: whatever
    # browns the board out must not make it hammer the server.
    ("again", "start"): ("over", _give_up),
    # RFC 9700 4.14.2: a server may revoke on reuse; the same grace makes one repetition at once the safe one.
    ("asking", "lost"): ("again", _post_again),
    # RFC 9110 9.2.2: a client SHOULD NOT automatically retry a failed automatic retry.
    ("again", "lost"): ("over", _later),
    # RFC 9110 9.2.2: the request was never applied. Nothing is in doubt, and nothing is urgent.
    ("asking", "unreached"): ("over", _later),
    # RFC 9110 9.2.2: what was never applied may be sent again. An answer was lost and now the network is gone as well,
    # as when Wi-Fi flaps: the old token is good for as long as the server's grace lasts. The server sees none of these.
    ("again", "unreached"): ("pausing", _pause),
    ("pausing", "tick"): ("again", _post_again),
    # RFC 9110 9.2.2: a client SHOULD NOT automatically retry a failed automatic retry; the grace is over by now.
    ("again", "gone"): ("over", _later),
    # RFC 9110 9.2.2: never applied, as before the power was cut in the pause.
    ("pausing", "start"): ("again", _post),
    # RFC 6749 6: without a new refresh token the client keeps the old one.
    ("asking", "same"): ("over", _same),
    ("again", "same"): ("over", _same),
    # RFC 6749 6: given a new one, the client MUST discard the old and replace it with the new.
    ("asking", "rotated"): ("over", _rotated),
    ("again", "rotated"): ("over", _rotated),
    # RFC 6585 4 and RFC 9110 10.2.3: Retry-After says how long to wait.
    ("asking", "later"): ("over", _later),
    ("again", "later"): ("over", _later),
    # RFC 6749 5.2 and RFC 9470 3: only a person can bring the next token.
    ("asking", "human"): ("over", _human),
    ("again", "human"): ("over", _human),
    # RFC 6749 5.2: the client, not the token, is refused.
    ("asking", "misconfigured"): ("over", _misconfigured),
    ("again", "misconfigured"): ("over", _misconfigured),
}
