"""The push under any sequence of answers, time-outs and resets."""

from __future__ import annotations

import json

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from stoa.auth import push
from stoa.auth.polling import SLOW_DOWN_S
from stoa.auth.push import LIFETIME_S
from tests.campaigns.token_endpoint_answers import (
    AUTHENTICATORS,
    BODIES,
    CHALLENGE,
    CHALLENGES,
    PUSH,
    STATUSES,
)

MFA_TOKEN = "mfa-token-secret"
START = ("start", "display", MFA_TOKEN)
ENDS = ("granted", "stopped")


class Push(RuleBasedStateMachine):
    """A caller that keeps the mark in sleep memory before each request, and forgets it when the asking is over."""

    def __init__(self) -> None:
        super().__init__()
        self.state: dict = {}
        self.kept: dict = {}
        self.now = 100
        self.polled_at: int | None = None
        self.challenged_at = 0
        self.oob_code = ""
        # Of this asking.
        self.rung = 0
        self.effect: tuple = ()
        self.step(START)

    @initialize(rings=st.booleans())
    def a_phone_rings(self, rings):
        """Half of the runs begin with a push under way: what comes before ends at the first odd answer."""
        if rings:
            self.step(("reply", 200, [PUSH]))
            self.step(("reply", 200, CHALLENGE))
            self.drawn(3)

    def step(self, event: tuple) -> None:
        was, interval = self.state.get("is", "idle"), self.state.get("interval")
        effects = push.step(self.state, event, self.now)
        assert len(effects) == 1
        self.effect = effects[0]
        kind = self.effect[0]
        if kind in ("get", "post"):
            self.check_request(was, event)
        elif kind == "show":
            self.oob_code = event[2]["oob_code"]
        elif kind == "wait":
            assert isinstance(self.effect[1], int)
            assert 1 <= self.effect[1] <= LIFETIME_S
            assert self.now + self.effect[1] <= max(self.state["expires_at"], self.now + 1)
        elif kind == "granted":
            assert was == "polling" and event[0] == "reply"
            assert event[2]["access_token"] == self.effect[1]["access_token"]
        elif kind == "stopped":
            assert self.effect[1] == self.state["is"]
            # What the log is told is no secret.
            detail = self.state["detail"] or ""
            assert len(detail) <= 64 and "secret" not in detail
        if interval is not None and "interval" in self.state:
            assert self.state["interval"] >= interval
            if event[0] == "reply" and event[2] == {"error": "slow_down"} and kind == "wait":
                assert self.state["interval"] == interval + SLOW_DOWN_S

    def check_request(self, was: str, event: tuple) -> None:
        self.kept = json.loads(json.dumps(push.mark(self.state)))
        if self.effect[0] == "get":
            assert self.effect == ("get", "authenticators", MFA_TOKEN)
            return
        fields = dict(self.effect[2])
        assert fields["mfa_token"] == MFA_TOKEN and fields["client_id"] == "display"
        if self.effect[1] == "challenge":
            # Without the id of a push the server would choose, and might send an SMS.
            asked = {**PUSH, "id": fields["authenticator_id"]}
            assert [each for each in event[2] if isinstance(each, dict) and {**each, **asked} == each]
            self.rung += 1
            assert self.rung == 1, "one asking, one push"
            self.polled_at, self.challenged_at = None, self.now
            return
        assert self.effect[1] == "token" and was == "waiting"
        assert fields["oob_code"] == self.oob_code
        if self.polled_at is not None:
            assert self.now - self.polled_at >= self.state["interval"]
        self.polled_at = self.now
        assert self.now - self.challenged_at < LIFETIME_S

    @precondition(lambda self: self.effect[0] in ("get", "post"))
    @rule(status=STATUSES, body=BODIES, took=st.integers(0, 30))
    def answered(self, status, body, took):
        self.now += took
        self.step(("reply", status, body))

    @precondition(lambda self: self.state["is"] == "asking")
    @rule(body=AUTHENTICATORS)
    def listed(self, body):
        self.step(("reply", 200, body))

    @precondition(lambda self: self.state["is"] == "challenging")
    @rule(body=CHALLENGES)
    def challenged(self, body):
        self.step(("reply", 200, body))

    @precondition(lambda self: self.state["is"] == "polling")
    @rule(code=st.sampled_from(["authorization_pending", "slow_down"]), status=STATUSES, took=st.integers(0, 3))
    def not_yet(self, code, status, took):
        self.now += took
        self.step(("reply", status, {"error": code}))

    @precondition(lambda self: self.effect[0] in ("get", "post"))
    @rule(took=st.integers(0, 60))
    def not_answered(self, took):
        self.now += took
        self.step(("lost",))

    @precondition(lambda self: self.effect[0] == "show")
    @rule(took=st.integers(1, 40))
    def drawn(self, took):
        self.now += took
        self.step(("shown",))

    @precondition(lambda self: self.effect[0] == "wait")
    @rule(over=st.integers(0, 4))
    def waited(self, over):
        self.now += self.effect[1] + over
        self.step(("tick",))

    @precondition(lambda self: self.effect[0] == "wait")
    @rule(part=st.integers(0, 100))
    def woken_too_soon(self, part):
        self.now += self.effect[1] * part // 100
        self.step(("tick",))

    @precondition(lambda self: self.effect[0] not in ENDS)
    @rule()
    def reset_with_its_memory(self):
        self.state, self.now = dict(self.kept), 100
        self.step(START)

    @precondition(lambda self: self.effect[0] in ENDS)
    @rule()
    def asked_again(self):
        self.state, self.rung, self.now = {}, 0, 100
        self.step(START)

    @invariant()
    def its_mark_has_no_secret_and_neither_has_what_has_come_to_an_end(self):
        assert "secret" not in json.dumps(push.mark(self.state))
        assert json.loads(json.dumps(self.state)) == self.state
        assert ("secret" in json.dumps(self.state)) == (self.effect[0] not in ENDS)

    def teardown(self) -> None:
        """With nobody answering any more it ends soon, and long before an mfa_token does."""
        requests, began = 0, self.now
        while self.effect[0] not in ENDS:
            if self.effect[0] == "show":
                self.drawn(3)
            elif self.effect[0] == "wait":
                self.waited(0)
            else:
                requests += 1
                self.not_answered(15)
        assert self.now - began <= LIFETIME_S + 30
        assert requests <= 8
        super().teardown()
