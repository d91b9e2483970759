"""A push: asking a person's phone by Auth0's MFA API, from the mfa_token of a refused refresh on, one step per call.

    effects = step(state, event, now)

`state` is a dict, empty before the first step, or what `mark` kept of a push that a reset broke off. Until the machine
has come to an end it holds secrets, so that it is not what goes into sleep memory: `mark(state)` is. Once stopped,
`detail` is an error code fit for the log, or None.

Events                                   meaning
("start", client_id, mfa_token)          begin
("reply", status, body)                  the answer to the last request; body a dict or a list, None where it is neither
("lost",)                                the last request brought no answer
("shown",)                               the glass tells the person now
("tick",)                                the wait is over

Effects                                  meaning
("get", "authenticators", token)         of the MFA API; token for the Authorization header; what is wanted is a list
("post", endpoint, fields)               "challenge" of the MFA API, or "token"; fields is a tuple of (name, value)
("show",)                                tell the person to look at their phone, then say ("shown",)
("wait", seconds)                        then say ("tick",)
("granted", tokens)                      see answer.read
("stopped", reason)                      the state it has come to: "no_authenticator" to ask; "asked" before a reset;
                                         "denied" "expired" "another_factor" "unavailable" "misconfigured"

However it stops, nothing is said of the refresh token, and the person may be asked in another way.
"""

from stoa.auth import answer, polling

MFA_OOB = "http://auth0.com/oauth/grant-type/mfa-oob"

# Who has the phone at hand answers at once. With the radio on and a poll each 5 s, two minutes take 4 mAh of a MagTag's
# 420, a third of the code that follows; and an mfa_token, which is older than the push, lives for ten.
LIFETIME_S = 120
# Auth0 seals it as it seals the mfa_token (stoa.auth.refresh).
OOB_CODE_MAX = 4096
# Auth0's have 24: "push|dev_ZUla9SQ6tAIHSz6y".
ID_MAX = 128

# Every code of the mfa-oob grant that means more than "stop".
ERRORS = dict(answer.CLIENT_ERRORS)
ERRORS.update(
    {
        # Auth0, Challenge with push: the challenge has been neither accepted nor rejected.
        "authorization_pending": "pending",
        # The same: polling is too frequent. RFC 8628 3.5: the interval grows by 5 seconds.
        "slow_down": "slow_down",
        # The same: the challenge has been rejected. It is the person's no; to this grant it says nothing of a token.
        "invalid_grant": "denied",
        # RFC 8628 3.5: the authorization request was denied, where a server says it as to a device code.
        "access_denied": "denied",
        # Auth0: the mfa_token or the oob_code is expired.
        "expired_token": "expired",
        # Auth0: one factor more is wanted, which may have to be typed.
        "mfa_required": "another_factor",
    }
)


def step(state, event, now):
    """Take one event at `now` (int seconds by a clock that nobody sets meanwhile), change `state` in place, and return
    a tuple of effects."""
    name, value = _classify(state, event, now)
    row = TABLE.get((state.get("is", "idle"), name))
    if row is None:
        raise ValueError("no row for %s in %s" % (name, state.get("is", "idle")))
    state["is"] = row[0]
    return row[1](state, value, now)


def mark(state):
    """What may outlive a reset in sleep memory: how far the asking had come, and no secret."""
    return {"is": state.get("is", "idle")}


def _classify(state, event, now):
    """The event as the table knows it, and what its action needs."""
    kind = event[0]
    if kind == "start":
        return "start", event[1:]
    if kind == "shown":
        return "shown", None
    if kind == "reply":
        body = event[2]
        if state.get("is") == "asking":
            if not isinstance(body, list):
                return "lost", None
            found = _push_of(body)
            return ("none" if found is None else "found"), found
        if state.get("is") == "challenging":
            if not isinstance(body, dict):
                return "lost", None
            if body.get("error") is not None:
                return "refused", answer.read(body)[1]
            if body.get("challenge_type") is None:
                # A gateway's words, or none.
                return "lost", None
            return ("sent", body) if _is_push(body) else ("none", None)
    return polling.read(state, event, ERRORS, now)


def _push_of(body):
    """The id of the first push among the authenticators that can be asked, or None."""
    for each in body:
        # Auth0's reference has "oob_channel", its guide to push "oob_channels".
        if (
            isinstance(each, dict)
            and each.get("authenticator_type") == "oob"
            and each.get("active") is True
            and "auth0" in (each.get("oob_channel"), each.get("oob_channels"))
        ):
            found = answer.text(each, "id", ID_MAX)
            if found is not None:
                return found
    return None


def _is_push(body):
    """Whether a challenge is to be answered on a phone. With "prompt" for its binding method a code was sent, which
    nobody can type at the display."""
    if body.get("challenge_type") != "oob" or body.get("binding_method") not in (None, "none"):
        return False
    return answer.text(body, "oob_code", OOB_CODE_MAX) is not None


def _list(state, start, now):
    state["client_id"], state["mfa_token"] = start
    return (("get", "authenticators", state["mfa_token"]),)


def _challenge(state, found, now):
    state["asked_at"] = now
    return (
        (
            "post",
            "challenge",
            (
                ("client_id", state["client_id"]),
                ("mfa_token", state["mfa_token"]),
                ("challenge_type", "oob"),
                ("authenticator_id", found),
            ),
        ),
    )


def _keep_code(state, body, now):
    state["oob_code"] = body["oob_code"]
    state["interval"] = polling.interval(body)
    # The phone rings while the glass is drawn, and may have been answered by then.
    state["poll_at"] = now + state["interval"]
    state["expires_at"] = state["asked_at"] + LIFETIME_S
    return (("show",),)


def _poll(state, value, now):
    return (
        (
            "post",
            "token",
            (
                ("grant_type", MFA_OOB),
                ("client_id", state["client_id"]),
                ("mfa_token", state["mfa_token"]),
                ("oob_code", state["oob_code"]),
            ),
        ),
    )


def _grant(state, tokens, now):
    _forget(state)
    return (("granted", tokens),)


def _asked(state, start, now):
    return _stop(state, None, now)


def _stop(state, detail, now):
    _forget(state)
    state["detail"] = detail
    return (("stopped", state["is"]),)


def _forget(state):
    state.pop("mfa_token", None)
    state.pop("oob_code", None)


TABLE = {
    # Auth0, Challenge with push 2: list the authenticators to learn the id of the one to challenge. Without an id the
    # server chooses, and somebody may be sent an SMS for nothing.
    ("idle", "start"): ("asking", _list),
    # RFC 9110 9.2.2: a GET may be repeated. Cut short by a reset before anybody was asked.
    ("asking", "start"): ("asking", _list),
    # RFC 9110 9.2.2: a client SHOULD NOT repeat by itself what it cannot know to be idempotent. Cut short by a reset
    # later than that: the phone may have rung, and one asking is one push.
    ("challenging", "start"): ("asked", _asked),
    ("showing", "start"): ("asked", _asked),
    ("waiting", "start"): ("asked", _asked),
    ("polling", "start"): ("asked", _asked),
    # Auth0, Challenge with push 3: challenge that authenticator, by the mfa_token.
    ("asking", "found"): ("challenging", _challenge),
    # Auth0, Challenge with push 2: there is none among them, or none that is confirmed.
    ("asking", "none"): ("no_authenticator", _stop),
    # Auth0, List authenticators: no list came, but an error or nothing.
    ("asking", "lost"): ("unavailable", _stop),
    # Auth0, Challenge with push 4: the person gets a notification, and the client an oob_code.
    ("challenging", "sent"): ("showing", _keep_code),
    # Auth0, Challenge request: another type, or one with a binding method: a code that the person would have to type.
    ("challenging", "none"): ("no_authenticator", _stop),
    # Auth0, Challenge request: the type is not supported, nothing is enrolled, the mfa_token is not good any more.
    ("challenging", "refused"): ("unavailable", _stop),
    # RFC 9110 9.2.2: not to be repeated. Whether the phone rings is not known.
    ("challenging", "lost"): ("unavailable", _stop),
    # RFC 8628 3.3, as there: the display says what is asked of the person. A panel takes 2 to 27 s.
    ("showing", "shown"): ("waiting", polling.early),
    # RFC 8628 3.5: the client MUST wait at least the interval between polling requests.
    ("waiting", "early"): ("waiting", polling.early),
    # Auth0, Challenge with push 4: poll the token endpoint until the person has answered.
    ("waiting", "due"): ("polling", _poll),
    # RFC 8628 3.5, as there: it ends, whether or not a reply says so.
    ("waiting", "expired"): ("expired", _stop),
    # Auth0, Challenge with push 4: authorization_pending, neither accepted nor rejected.
    ("polling", "pending"): ("waiting", polling.pending),
    # Auth0, Challenge with push 4: slow_down. RFC 8628 3.5: by 5 seconds, for this and all later requests.
    ("polling", "slow_down"): ("waiting", polling.slow_down),
    # RFC 8628 3.5: on a connection timeout clients MUST unilaterally reduce their frequency; doubling RECOMMENDED.
    ("polling", "lost"): ("waiting", polling.lost),
    # Auth0, Challenge with push 4: tokens; polling stops.
    ("polling", "tokens"): ("granted", _grant),
    # Auth0, Challenge with push 4: invalid_grant, rejected; polling stops. What is spent, because the reply with the
    # tokens was lost, may be told so too.
    ("polling", "denied"): ("denied", _stop),
    # Auth0, mfa-oob: the mfa_token or the oob_code has expired, or the display has waited long enough.
    ("polling", "expired"): ("expired", _stop),
    # Auth0, mfa-oob: a further factor is wanted.
    ("polling", "another_factor"): ("another_factor", _stop),
    # RFC 6749 5.2: the client itself is refused. Auth0 has the MFA grant turned off unless an application is given it.
    ("polling", "misconfigured"): ("misconfigured", _stop),
    # RFC 8628 3.5: on any other error code the client MUST stop polling.
    ("polling", "error"): ("unavailable", _stop),
}
