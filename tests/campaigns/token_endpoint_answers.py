"""Hypothesis strategies for what a server may answer the auth core: right, nearly right, wrong, and none of it."""

from __future__ import annotations

from hypothesis import strategies as st

from stoa.auth import device_grant, push, refresh

DEVICE_CODE = "device-code-secret"
STATUSES = st.sampled_from([0, 200, 204, 302, 400, 401, 403, 404, 408, 428, 429, 500, 502, 503, 504])
CODES = sorted(
    {*device_grant.ERRORS, *push.ERRORS, *refresh.ERRORS, "server_error", "temporarily_unavailable", "invented", ""}
)
TOO_LONG = st.just(9000).map("x".__mul__)
ODD = st.sampled_from([None, 0, -1, 1.5, True, "", "line\nbreak", [], {}, "7", 10**12]) | TOO_LONG
NO_JSON_OBJECT = st.none()
ERRORS = st.builds(
    lambda code, extra: {"error": code, **extra}, st.sampled_from(CODES), st.just({}) | st.just({"x": 1})
)
DURATIONS = st.integers(1, 4000) | ODD


def members(required: dict, values: dict):
    """A JSON object with the members of `required`, any of them replaced by what `values` has for it, or left out."""
    return st.builds(
        lambda changed, gone: {k: v for k, v in {**required, **changed}.items() if k not in gone},
        st.fixed_dictionaries({}, optional=values),
        st.sets(st.sampled_from(sorted(required)), max_size=1),
    )


GOOD_TOKENS = {"access_token": "at", "token_type": "Bearer", "expires_in": 3600, "refresh_token": "R-new"}
TOKENS = st.just(GOOD_TOKENS) | members(
    GOOD_TOKENS,
    {"expires_in": DURATIONS, "refresh_token": st.just("R-old") | ODD, "token_type": ODD, "access_token": ODD},
)
GOOD_CODE = {
    "device_code": DEVICE_CODE,
    "user_code": "QTZL-MCBW",
    "verification_uri": "https://id.example/activate",
    "expires_in": 900,
    "interval": 5,
}
DEVICE_CODES = st.just(GOOD_CODE) | members(
    GOOD_CODE,
    {
        "expires_in": DURATIONS,
        "interval": st.integers(1, 60) | ODD,
        "verification_uri_complete": st.just("https://id.example/activate?user_code=QTZL-MCBW") | ODD,
        "user_code": ODD,
    },
)
PUSH = {"id": "push|dev_1", "authenticator_type": "oob", "oob_channel": "auth0", "active": True}
AUTHENTICATORS = st.lists(
    st.just(PUSH)
    | members(
        PUSH,
        {
            "id": ODD,
            "authenticator_type": st.just("otp") | ODD,
            "oob_channel": st.just("sms") | ODD,
            "active": st.booleans() | ODD,
        },
    )
    | ODD,
    max_size=3,
)
OOB_CODE = "oob-code-secret"
CHALLENGE = {"challenge_type": "oob", "oob_code": OOB_CODE}
CHALLENGES = st.just(CHALLENGE) | members(
    CHALLENGE,
    {
        "challenge_type": st.just("otp") | ODD,
        "oob_code": ODD,
        "binding_method": st.sampled_from(["prompt", "none"]) | ODD,
        "interval": st.integers(1, 60) | ODD,
    },
)
BODIES = NO_JSON_OBJECT | ERRORS | ERRORS | TOKENS | DEVICE_CODES | CHALLENGES | AUTHENTICATORS
