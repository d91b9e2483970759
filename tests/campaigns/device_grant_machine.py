"""The device grant under any sequence of answers, time-outs, clock jumps and reboots."""

from __future__ import annotations

import json

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from stoa.auth import device_grant
from stoa.auth.device_grant import LIFETIME_MAX_S
from stoa.auth.polling import SLOW_DOWN_S
from tests.campaigns.token_endpoint_answers import BODIES, DEVICE_CODE, DEVICE_CODES, STATUSES

CLIENT = {"client_id": "display", "scope": "openid offline_access", "audience": None}


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
            self.polled_at = None
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
