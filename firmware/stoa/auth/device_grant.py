"""Pairing: the OAuth 2.0 Device Authorization Grant (RFC 8628), one step per call.

    effects = step(state, event, now)

`state` is a dict, empty before the first step; its keys are the machine's own, but these may be read:
`user_code`, `verification_uri`, `verification_uri_complete` (or None), `expires_at` (s), and once it is over `reason`
and `detail` (a field or error code, fit for a screen; or None). `device_code` is a secret until the machine is over.

Events                        meaning
("start", client)             begin; client has client_id, scope, audience or None, and perhaps acr_values, max_age
("reply", status, body)       the answer to the last post; body is a dict, or None where it was no JSON object
("lost",)                     the last post brought no answer
("shown",)                    the glass shows the code now
("tick",)                     time has passed, or the power was cut and this is a resumption

Effects                       meaning
("post", endpoint, fields)    endpoint is "device_authorization" or "token", fields a tuple of (name, value)
("show",)                     put the code on the glass, then say ("shown",)
("wait", seconds)             then say ("tick",)
("granted", tokens)           see answer.read
("stopped", reason)           "expired" "denied" "unavailable" "misconfigured"
"""

from stoa.auth import answer, polling

GRANT_TYPE = "urn:ietf:params:oauth:grant-type:device_code"

# Auth0 gives 900 s, Okta 600, Google 1800. More is not waited for: at 30 mA an hour awake costs a week of quotes.
LIFETIME_MAX_S = 1800
# Opaque codes are 20 to 300 characters; this leaves room for one that is a JWT.
DEVICE_CODE_MAX = 2048
# Auth0's longest mask, hyphens included, is 20.
USER_CODE_MAX = 40
# The most a version 9 symbol holds at error correction L, and adafruit_miniqr draws no larger one.
URI_MAX = 230

# Every code of RFC 6749 section 5.2 and RFC 8628 section 3.5 that means more than "stop".
ERRORS = dict(answer.CLIENT_ERRORS)
ERRORS.update(
    {
        # RFC 8628 3.5: the request is still pending; the client SHOULD repeat it.
        "authorization_pending": "pending",
        # 3.5: a variant of authorization_pending; the interval grows by 5 seconds.
        "slow_down": "slow_down",
        # 3.5: the authorization request was denied.
        "access_denied": "denied",
        # 3.5: the device_code has expired, and the session has concluded.
        "expired_token": "expired",
        # RFC 6749 5.2: the grant is invalid or expired. Auth0 says expired_token exactly once and this afterwards.
        "invalid_grant": "expired",
    }
)


def step(state, event, now):
    """Take one event at `now` (int seconds), change `state` in place, and return a tuple of effects."""
    _follow_clock(state, now)
    name, value = _classify(state, event, now)
    row = TABLE.get((state.get("is", "idle"), name))
    if row is None:
        raise ValueError("no row for %s in %s" % (name, state.get("is", "idle")))
    state["is"] = row[0]
    return row[1](state, value, now)


def _follow_clock(state, now):
    # A clock set back must not stretch the code's life or hold up the next poll: all moments move with it.
    back = state.get("at", now) - now
    if back > 0:
        for key in ("expires_at", "poll_at", "asked_at"):
            if key in state:
                state[key] -= back
    state["at"] = now


def _classify(state, event, now):
    """The event as the table knows it, and what its action needs."""
    kind = event[0]
    if kind == "start":
        return "start", event[1]
    if kind == "shown":
        return "shown", None
    if kind == "reply" and state.get("is") == "asking":
        code = _read_code(event[2])
        if code is not None:
            return "code", code
    return polling.read(state, event, ERRORS, now)


def _read_code(body):
    """The device authorization response (RFC 8628 section 3.2), or None where it is not one."""
    if not isinstance(body, dict) or body.get("error") is not None:
        return None
    device_code = answer.text(body, "device_code", DEVICE_CODE_MAX)
    user_code = answer.text(body, "user_code", USER_CODE_MAX)
    # Google says verification_url, as the drafts did.
    uri = _uri(body, "verification_uri") or _uri(body, "verification_url")
    lifetime = answer.seconds(body, "expires_in", 0, LIFETIME_MAX_S)
    if device_code is None or user_code is None or uri is None or not lifetime:
        return None
    return {
        "device_code": device_code,
        "user_code": user_code,
        "verification_uri": uri,
        "verification_uri_complete": _uri(body, "verification_uri_complete"),
        "lifetime": lifetime,
        "interval": polling.interval(body),
    }


def _uri(body, key):
    uri = answer.text(body, key, URI_MAX)
    if uri is None or " " in uri or not (uri.startswith("https://") or uri.startswith("http://")):
        return None
    return uri


def _ask(state, client, now):
    now_is = state["is"]
    state.clear()
    state["is"] = now_is
    state["at"] = state["asked_at"] = now
    state["client_id"] = client["client_id"]
    fields = [("client_id", client["client_id"]), ("scope", client["scope"])]
    # acr_values and max_age pass an RFC 9470 challenge on; a server that does not know them ignores them.
    for key in ("audience", "acr_values", "max_age"):
        if client.get(key) is not None:
            fields.append((key, str(client[key])))
    return (("post", "device_authorization", tuple(fields)),)


def _keep_code(state, code, now):
    # Counted from the request, as golang/oauth2 does: the server's clock ran while the answer travelled.
    state["expires_at"] = state["asked_at"] + code.pop("lifetime")
    state.update(code)
    return (("show",),)


def _show(state, value, now):
    return (("show",),)


def _poll(state, value, now):
    return (
        (
            "post",
            "token",
            (("grant_type", GRANT_TYPE), ("device_code", state["device_code"]), ("client_id", state["client_id"])),
        ),
    )


def _grant(state, tokens, now):
    state.pop("device_code", None)
    return (("granted", tokens),)


def _stop(state, reason, detail):
    state.pop("device_code", None)
    state["reason"] = reason
    state["detail"] = detail
    return (("stopped", reason),)


def _expired(state, detail, now):
    # Where the last poll brought no answer, it is not a person who kept silent.
    return _stop(state, "unavailable" if state.get("unheard") else "expired", detail)


def _denied(state, detail, now):
    return _stop(state, "denied", detail)


def _unavailable(state, detail, now):
    return _stop(state, "unavailable", detail)


def _misconfigured(state, detail, now):
    return _stop(state, "misconfigured", detail)


TABLE = {
    # RFC 8628 3.1: the client initiates the flow by requesting a set of verification codes.
    ("idle", "start"): ("asking", _ask),
    # 3.5: on expired_token the client MAY commence a new request but SHOULD wait for user interaction.
    ("over", "start"): ("asking", _ask),
    # 3.1 once more: the power was cut while it asked, and no code was ever shown.
    ("asking", "start"): ("asking", _ask),
    # 3.2: the response has device_code, user_code, verification_uri and expires_in; unknown members are ignored.
    ("asking", "code"): ("showing", _keep_code),
    # 3.2 has no such reply; no code exists, so there is nothing to show and nothing to poll for.
    ("asking", "tokens"): ("over", _unavailable),
    # RFC 6749 5.2, as 8628 3.2 has it: the client failed to authenticate, or may not use this grant or scope.
    ("asking", "misconfigured"): ("over", _misconfigured),
    # RFC 6749 5.2, and nobody has seen a code yet: this is the server's refusal of the client, not a person's.
    ("asking", "denied"): ("over", _misconfigured),
    # 3.5 has these for polls alone. A code that was never shown cannot have expired, be pending, or be polled too
    # fast: the server is confused (Auth0 answers slow_down 429 here too). Later.
    ("asking", "expired"): ("over", _unavailable),
    ("asking", "pending"): ("over", _unavailable),
    ("asking", "slow_down"): ("over", _unavailable),
    # RFC 6749 5.2: any other code ends this attempt.
    ("asking", "error"): ("over", _unavailable),
    # 3.1 again, later: no answer, or not the endpoint's. A code in it was never shown, so that nothing is lost.
    ("asking", "lost"): ("over", _unavailable),
    # 3.1 again, later: time passed and no answer came.
    ("asking", "early"): ("over", _unavailable),
    # 3.3: the client displays user_code and verification_uri and instructs the user. A panel takes 2 to 27 s.
    ("showing", "shown"): ("waiting", polling.shown),
    # 3.3: the client displays both; the power was cut before the glass was done, so it draws again.
    ("showing", "early"): ("showing", _show),
    # 3.2: expires_in is the lifetime of device_code and user_code.
    ("showing", "expired"): ("over", _expired),
    # 3.3: after a power cut the code may be drawn again; the interval since the last reply still counts.
    ("waiting", "shown"): ("waiting", polling.early),
    # 3.5: the client MUST wait at least the interval between polling requests.
    ("waiting", "early"): ("waiting", polling.early),
    # 3.4: the client makes an access token request with the device code.
    ("waiting", "due"): ("polling", _poll),
    # 3.5: the client polls until it expires, whether or not a reply says so.
    ("waiting", "expired"): ("over", _expired),
    # 3.5: authorization_pending: repeat, waiting the interval after this reply.
    ("polling", "pending"): ("waiting", polling.pending),
    # 3.5: slow_down: the interval MUST be increased by 5 seconds for this and all subsequent requests.
    ("polling", "slow_down"): ("waiting", polling.slow_down),
    # 3.5: on a connection timeout clients MUST unilaterally reduce their polling frequency; doubling RECOMMENDED.
    ("polling", "lost"): ("waiting", polling.lost),
    # 3.5, as on a connection timeout: the power was cut while a poll was under way, and its reply is lost.
    ("polling", "due"): ("waiting", polling.lost),
    # 3.5: a response as in RFC 6749 5.1 ends the flow.
    ("polling", "tokens"): ("over", _grant),
    # 3.5: access_denied: the authorization request was denied.
    ("polling", "denied"): ("over", _denied),
    # 3.5: expired_token: the device_code has expired and the session has concluded.
    ("polling", "expired"): ("over", _expired),
    # RFC 6749 5.2: the client itself is refused.
    ("polling", "misconfigured"): ("over", _misconfigured),
    # 3.5: on any other error code the client MUST stop polling.
    ("polling", "error"): ("over", _unavailable),
}
