"""The auth core's machines under any sequence of answers, time-outs, clock jumps and reboots."""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from stoa.auth import device_grant, refresh
from stoa.auth.device_grant import LIFETIME_MAX_S, SLOW_DOWN_S
from tests.campaign import extent

# 20 parts of 600 examples for each of two machines make 24,000 in the deep profile.
CAMPAIGN = settings(
    max_examples=extent(quick=100, deep=600),
    stateful_step_count=40,
    # Explaining traces each line, for minutes: what fails would be told as a time-out.
    phases=[Phase.explicit, Phase.generate, Phase.shrink],
    suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow],
)

CLIENT = {"client_id": "display", "scope": "openid offline_access", "audience": None}
DEVICE_CODE = "device-code-secret"
STATUSES = st.sampled_from([0, 200, 204, 302, 400, 401, 403, 404, 408, 428, 429, 500, 502, 503, 504])
CODES = sorted({*device_grant.ERRORS, *refresh.ERRORS, "server_error", "temporarily_unavailable", "invented", ""})
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
BODIES = NO_JSON_OBJECT | ERRORS | ERRORS | TOKENS | DEVICE_CODES


class DeviceGrant(RuleBasedStateMachine):
    """A caller that does what the effects say, on a clock that jumps."""

    def __init__(self) -> None:
        super().__init__()
        self.state: dict = {}
        self.now = 1_800_000_000
        # Seconds that the machine's clock has counted forwards, and seconds that have truly passed.
        self.counted = self.passed = 0
        self.jumped = False
        self.polled_at: tuple[int, int] | None = None
        self.intervals: list[int] = []
        self.asked_at = 0
        self.effect: tuple = ()
        self.happened = 0
        self.step(("start", CLIENT))

    @initialize(body=DEVICE_CODES, shown=st.booleans())
    def a_code_comes(self, body, shown):
        """Half of the runs begin with a code on the glass: what comes before ends at the first odd answer."""
        if shown:
            self.step(("reply", 200, body))
            if self.effect == ("show",):
                self.drawn(3)

    def rarely(self) -> bool:
        """For what would end nearly every run before it got anywhere."""
        self.happened += 1
        return self.happened % 8 == 0

    # What the caller does.

    def let_pass(self, seconds: int) -> None:
        self.now += seconds
        self.counted += seconds
        self.passed += seconds

    def step(self, event: tuple) -> None:
        was = self.state.get("is")
        interval = self.state.get("interval")
        effects = device_grant.step(self.state, event, self.now)
        assert len(effects) == 1
        self.effect = effects[0]
        kind = self.effect[0]
        if event[0] == "start":
            self.polled_at, self.asked_at = None, self.counted
            assert self.effect[:2] == ("post", "device_authorization")
        elif kind == "post":
            assert self.effect[1] == "token"
            self.check_poll()
        elif kind == "wait":
            assert isinstance(self.effect[1], int)
            assert 1 <= self.effect[1] <= LIFETIME_MAX_S
            # Never past the expiry, but for the second that a wait must have.
            assert self.now + self.effect[1] <= max(self.state["expires_at"], self.now + 1)
        elif kind == "granted":
            assert was == "polling"
            assert event[0] == "reply"
            assert event[2]["access_token"] == self.effect[1]["access_token"]
        elif kind == "stopped":
            assert self.effect[1] in ("expired", "denied", "unavailable", "misconfigured")
        if interval is not None and "interval" in self.state and was in ("waiting", "polling"):
            assert self.state["interval"] >= interval
            if event[0] == "reply" and event[2] == {"error": "slow_down"} and kind == "wait":
                assert self.state["interval"] == interval + SLOW_DOWN_S
        # Whatever was answered or not, a code that has run out is not polled for.
        if kind in ("post", "wait", "show") and "expires_at" in self.state and event[0] == "tick":
            assert self.now < self.state["expires_at"]

    def check_poll(self) -> None:
        if self.polled_at is not None:
            counted, passed = self.polled_at
            assert self.counted - counted >= self.state["interval"]
            # A clock set forwards is believed; else the seconds have truly passed.
            assert self.jumped or self.passed - passed >= self.state["interval"]
        self.polled_at = self.counted, self.passed
        self.jumped = False

    # What happens to it.

    @precondition(lambda self: self.effect[0] == "post")
    @rule(status=STATUSES, body=BODIES, took=st.integers(0, 30))
    def answered(self, status, body, took):
        if self.rarely():
            self.let_pass(took)
            self.step(("reply", status, body))

    @precondition(lambda self: self.state["is"] == "polling")
    @rule(code=st.sampled_from(["authorization_pending", "slow_down"]), status=STATUSES, took=st.integers(0, 3))
    def not_yet(self, code, status, took):
        self.let_pass(took)
        self.step(("reply", status, {"error": code}))

    @precondition(lambda self: self.state["is"] == "asking")
    @rule(body=DEVICE_CODES)
    def code(self, body):
        self.step(("reply", 200, body))

    @precondition(lambda self: self.effect[0] == "post")
    @rule(took=st.integers(0, 60))
    def not_answered(self, took):
        self.let_pass(took)
        self.step(("lost",))

    @precondition(lambda self: self.effect[0] == "show")
    @rule(took=st.integers(1, 27))
    def drawn(self, took):
        self.let_pass(took)
        self.step(("shown",))

    @precondition(lambda self: self.effect[0] == "wait")
    @rule(over=st.integers(0, 4))
    def waited(self, over):
        self.let_pass(self.effect[1] + over)
        self.step(("tick",))

    @precondition(lambda self: self.effect[0] == "wait")
    @rule(over=st.integers(0, 4000))
    def overslept(self, over):
        if self.rarely():
            self.waited(over)

    @precondition(lambda self: self.effect[0] == "wait")
    @rule(part=st.integers(0, 100))
    def woken_too_soon(self, part):
        self.let_pass(self.effect[1] * part // 100)
        self.step(("tick",))

    @rule(by=st.integers(-30, 30) | st.integers(-900_000_000, 900_000_000))
    def clock_is_set(self, by):
        if by > 30 and not self.rarely():
            return
        by = max(by, -self.now)
        self.now += by
        if by > 0:
            self.counted += by
            self.jumped = True

    @precondition(lambda self: self.effect[0] not in ("granted", "stopped"))
    @rule(took=st.integers(0, 10))
    def reset_with_its_memory(self, took):
        self.state = json.loads(json.dumps(self.state))
        self.let_pass(took)
        self.step(("tick",))

    @rule(took=st.integers(0, 10))
    def power_lost(self, took):
        if not self.rarely():
            return
        self.state = {}
        self.let_pass(took)
        self.step(("start", CLIENT))

    @precondition(lambda self: self.effect[0] in ("granted", "stopped"))
    @rule(later=st.integers(0, 100_000))
    def asked_again(self, later):
        self.let_pass(later)
        self.step(("start", CLIENT))

    @invariant()
    def it_is_plain_data_and_keeps_no_secret_longer_than_it_needs_it(self):
        text = json.dumps(self.state)
        assert json.loads(text) == self.state
        if self.effect[0] in ("granted", "stopped"):
            assert self.state["is"] == "over"
            assert DEVICE_CODE not in text

    def teardown(self) -> None:
        """With nobody answering any more, it ends by the code's expiry, and soon enough for a battery."""
        polls = 0
        began = self.passed
        while self.effect[0] not in ("granted", "stopped"):
            if self.effect[0] == "post":
                polls += 1
                self.let_pass(15)
                self.step(("lost",))
            elif self.effect[0] == "show":
                self.let_pass(3)
                self.step(("shown",))
            else:
                self.let_pass(self.effect[1])
                self.step(("tick",))
        assert self.passed - began <= LIFETIME_MAX_S + 20
        assert polls <= 12
        super().teardown()


class Refresh(RuleBasedStateMachine):
    """A caller that keeps the mark in sleep memory before each post, and loses it now and then."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 1_800_000_000
        self.token = "R-old"
        self.state: dict = {}
        self.kept: dict = {}
        # Posts of this token that the server may have acted upon since sleep memory was last lost.
        self.processed = 0
        self.waited = 0
        self.step(("start", "display", self.token))

    def step(self, event: tuple) -> None:
        if event[0] == "start" and self.state.get("is", "idle") in ("idle", "over"):
            self.processed = 0
        if event[0] == "start":
            self.waited = 0
        effects = refresh.step(self.state, event, self.now)
        assert len(effects) == 1
        self.effect = effects[0]
        if self.effect[0] == "post":
            assert dict(self.effect[2]) == {
                "grant_type": "refresh_token",
                "client_id": "display",
                "refresh_token": self.token,
            }
            self.processed += 1
            assert self.processed <= 2
            self.kept = json.loads(json.dumps(refresh.mark(self.state)))
        elif self.effect[0] == "wait":
            assert isinstance(self.effect[1], int)
            assert self.effect[1] > 0
            self.waited += self.effect[1]
            # Auth0's longest leeway is 60 s; what it takes to try must not outlast it.
            assert self.waited <= 30
        else:
            self.check_outcome(event)

    def check_outcome(self, event: tuple) -> None:
        _, outcome, info = self.effect
        assert self.state["is"] == "over"
        if info.get("token_is_dead"):
            assert outcome == refresh.NEEDS_HUMAN
            assert event[0] == "reply"
            assert event[2].get("error") == "invalid_grant"
            assert 400 <= event[1] < 500
            assert event[1] != 429
        if outcome in (refresh.SAME_TOKEN, refresh.ROTATED):
            assert event[2]["access_token"] == info["access_token"]
            new = info["refresh_token"]
            assert (new is not None) == (outcome == refresh.ROTATED)
            assert new is None or new == event[2]["refresh_token"] != self.token
        elif outcome == refresh.RETRY_LATER:
            assert info["after"] is None or 0 <= info["after"] <= 86400
        else:
            assert outcome in (refresh.NEEDS_HUMAN, refresh.MISCONFIGURED)
            assert info["error"]

    @precondition(lambda self: self.effect[0] == "post")
    @rule(
        status=STATUSES,
        body=BODIES,
        after=st.none() | st.sampled_from(["0", "30", "soon", "-4", "Sun, 06 Nov 1994 08:49:37 GMT"]),
    )
    def answered(self, status, body, after):
        self.step(("reply", status, body, {} if after is None else {"retry-after": after}))

    @precondition(lambda self: self.effect[0] == "post")
    @rule()
    def answer_lost(self):
        self.step(("lost",))

    @precondition(lambda self: self.effect[0] == "post")
    @rule()
    def never_sent(self):
        self.processed -= 1
        self.step(("unreached",))

    @precondition(lambda self: self.effect[0] == "wait")
    @rule()
    def waited_for(self):
        self.now += self.effect[1]
        self.step(("tick",))

    @rule(by=st.integers(-900_000_000, 900_000_000))
    def clock_is_set(self, by):
        self.now += by

    @precondition(lambda self: self.effect[0] != "outcome")
    @rule()
    def reset_with_its_memory(self):
        self.state = dict(self.kept)
        self.step(("start", "display", self.token))

    @precondition(lambda self: self.effect[0] != "outcome")
    @rule()
    def power_lost(self):
        self.state = {}
        self.step(("start", "display", self.token))

    @precondition(lambda self: self.effect[0] == "outcome")
    @rule(anew=st.booleans())
    def next_wake(self, anew):
        if self.effect[1] == refresh.ROTATED:
            self.token = self.effect[2]["refresh_token"]
        if anew:
            self.state = {}
        self.step(("start", "display", self.token))

    @invariant()
    def its_mark_has_no_token_and_neither_has_what_is_over(self):
        mark = json.dumps(refresh.mark(self.state))
        assert self.token not in mark
        assert json.loads(mark) == refresh.mark(self.state)
        assert (self.token in json.dumps(self.state)) == (self.state["is"] != "over")

    def teardown(self) -> None:
        """With the network gone for good it ends, within the pauses it has."""
        steps = 0
        while self.effect[0] != "outcome":
            steps += 1
            assert steps <= 2 * len(refresh.PAUSES_S) + 3
            if self.effect[0] == "wait":
                self.step(("tick",))
            else:
                self.processed -= 1
                self.step(("unreached",))
        super().teardown()


# In parts, each with examples of its own: in one run of thousands Hypothesis remembers them all, a gigabyte.
PARTS = range(extent(quick=1, deep=20))


@pytest.mark.parametrize("machine", [DeviceGrant, Refresh])
@pytest.mark.parametrize("part", PARTS)
def test_any_sequence(machine, part):
    seeded = seed(part)(type(machine.__name__, (machine,), {}))
    run_state_machine_as_test(seeded, settings=CAMPAIGN)
