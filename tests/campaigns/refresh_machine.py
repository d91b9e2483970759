"""The refresh under any sequence of answers, lost replies, clock jumps and reboots."""

from __future__ import annotations

import json

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from stoa.auth import refresh
from tests.campaigns.token_endpoint_answers import BODIES, STATUSES


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
