"""A push in any of its states, and what Auth0 answers it."""

from __future__ import annotations

from stoa.auth.push import step

START = ("start", "display", "Fe26.2*mfa")
# As Auth0's reference and its guide to push have them: they differ in the name of the channel's member.
PUSH = {"id": "push|dev_1", "authenticator_type": "oob", "oob_channel": "auth0", "name": "phone", "active": True}
SMS = {"id": "sms|dev_2", "authenticator_type": "oob", "oob_channel": "sms", "name": "+1123XXXXX", "active": True}
TOTP = {"id": "totp|dev_3", "authenticator_type": "otp", "active": True}
RECOVERY = {"id": "recovery-code|dev_4", "authenticator_type": "recovery-code", "active": True}
ENROLLED = [RECOVERY, SMS, PUSH, TOTP]
CHALLENGE = {"challenge_type": "oob", "oob_code": "Fe26.2*oob"}
TOKENS = {"access_token": "at", "refresh_token": "rt", "token_type": "Bearer", "expires_in": 86400}
TOKENS_KEPT = {"access_token": "at", "refresh_token": "rt", "expires_in": 86400}
LIST = ("get", "authenticators", "Fe26.2*mfa")
ASK = (
    "post",
    "challenge",
    (
        ("client_id", "display"),
        ("mfa_token", "Fe26.2*mfa"),
        ("challenge_type", "oob"),
        ("authenticator_id", "push|dev_1"),
    ),
)
POLL = (
    "post",
    "token",
    (
        ("grant_type", "http://auth0.com/oauth/grant-type/mfa-oob"),
        ("client_id", "display"),
        ("mfa_token", "Fe26.2*mfa"),
        ("oob_code", "Fe26.2*oob"),
    ),
)
# As an epoch is: too long for a float on the boards, so that one in between would show (campaigns/narrow_floats.py).
T = 1_800_000_301


def reply(body, status=200):
    return ("reply", status, body)


def error(code, status=403):
    return ("reply", status, {"error": code})


def stopped(reason):
    return (("stopped", reason),)


def machine(name):
    """A machine brought to a state by the events that lead there, and the moment it is then."""
    state: dict = {}
    ways = {
        "idle": [],
        "asking": [(START, 0)],
        "challenging": [(START, 0), (reply(ENROLLED), 1)],
        "showing": [(START, 0), (reply(ENROLLED), 1), (reply(CHALLENGE), 2)],
        "waiting": [(START, 0), (reply(ENROLLED), 1), (reply(CHALLENGE), 2), (("shown",), 5)],
        "polling": [(START, 0), (reply(ENROLLED), 1), (reply(CHALLENGE), 2), (("shown",), 5), (("tick",), 7)],
    }
    now = T
    for event, later in ways[name]:
        now = T + later
        step(state, event, now)
    assert state.get("is", "idle") == name
    return state, now
