"""A device grant in any of its states, and what servers answer it."""

from __future__ import annotations

from stoa.auth.device_grant import step

CLIENT = {"client_id": "display", "scope": "openid offline_access", "audience": "https://api.example/"}
CODE = {
    "device_code": "Ag_EE-ko1p",
    "user_code": "QTZL-MCBW",
    "verification_uri": "https://id.example/activate",
    "verification_uri_complete": "https://id.example/activate?user_code=QTZL-MCBW",
    "expires_in": 900,
    "interval": 5,
}
TOKENS = {"access_token": "at", "refresh_token": "rt", "token_type": "Bearer", "expires_in": 86400}
ASK = (
    "post",
    "device_authorization",
    (("client_id", "display"), ("scope", "openid offline_access"), ("audience", "https://api.example/")),
)
POLL = (
    "post",
    "token",
    (
        ("grant_type", "urn:ietf:params:oauth:grant-type:device_code"),
        ("device_code", "Ag_EE-ko1p"),
        ("client_id", "display"),
    ),
)
# As an epoch is: too long for a float on the boards, so that one in between would show (campaigns/narrow_floats.py).
T = 1_800_000_301


def reply(body, status=200):
    return ("reply", status, body)


def error(code, status=400):
    return ("reply", status, {"error": code})


def machine(name, **code):
    """A machine brought to a state by the events that lead there, and the moment it is then."""
    state: dict = {}
    if name == "idle":
        return state, T
    step(state, ("start", CLIENT), T)
    if name == "asking":
        return state, T
    if name == "over":
        step(state, ("lost",), T + 1)
        return state, T + 1
    step(state, reply({**CODE, **code}), T + 1)
    if name == "showing":
        return state, T + 1
    step(state, ("shown",), T + 10)
    if name == "waiting":
        return state, T + 10
    step(state, ("tick",), T + 10 + state["interval"])
    assert state["is"] == "polling"
    return state, T + 10 + state["interval"]


TOKENS_KEPT = {"access_token": "at", "refresh_token": "rt", "expires_in": 86400}
