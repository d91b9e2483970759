"""A push in any of its states, and what Auth0 answers it."""

from __future__ import annotations

from stoa.auth.push import step
from tests.unit.pairing import T, reply

START = ("start", "display", "Fe26.2*mfa")
# As Auth0's reference and its guide to push have them: they differ in the name of the channel's member.
PUSH = {"id": "push|dev_1", "authenticator_type": "oob", "oob_channel": "auth0", "name": "phone", "active": True}
SMS = {"id": "sms|dev_2", "authenticator_type": "oob", "oob_channel": "sms", "name": "+1123XXXXX", "active": True}
TOTP = {"id": "totp|dev_3", "authenticator_type": "otp", "active": True}
RECOVERY = {"id": "recovery-code|dev_4", "authenticator_type": "recovery-code", "active": True}
ENROLLED = [RECOVERY, SMS, PUSH, TOTP]
CHALLENGE = {"challenge_type": "oob", "oob_code": "Fe26.2*oob"}
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


def error(code, status=403):
    return ("reply", status, {"error": code})


def stopped(reason):
    return (("stopped", reason),)


def machine(name, **challenge):
    """A machine brought to a state by the events that lead there, and the moment it is then.

    challenge: members that the answer to it has beside Auth0's.
    """
    state: dict = {}
    sent = {**CHALLENGE, **challenge}
    way = [
        (START, 0),
        (reply(ENROLLED), 1),
        (reply(sent), 2),
        (("shown",), 5),
        (("tick",), 2 + sent.get("interval", 5)),
    ]
    now = T
    for event, later in way[: ("idle", "asking", "challenging", "showing", "waiting", "polling").index(name)]:
        now = T + later
        step(state, event, now)
    assert state.get("is", "idle") == name
    return state, now
