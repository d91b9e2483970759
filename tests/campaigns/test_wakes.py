"""Whole wakes under any weather: what never happens, whatever servers, clocks, people and power do."""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from tests.campaign import extent
from tests.desk import AWAKE_LIMIT_S, DAY_S, WATCHDOG_S, Cut, Desk, Reset, desk_firmware

ISSUER = "https://id.example/"
SETTINGS = {
    "STOA_WIFI_SSID": "home",
    "STOA_WIFI_PASSWORD": "password",
    "STOA_ISSUER": ISSUER,
    "STOA_CLIENT_ID": "display",
    "STOA_API": "https://api.example/quote",
    "STOA_TZ": "CET-1CEST,M3.5.0,M10.5.0/3",
}
DOCUMENT = {
    "issuer": ISSUER,
    "token_endpoint": ISSUER + "token",
    "device_authorization_endpoint": ISSUER + "code",
}
MFA_API = ISSUER + "mfa/"
WITH_MFA_API = {**DOCUMENT, "mfa_challenge_endpoint": MFA_API + "challenge"}
QUOTE = {"date": "2026-03-03", "text": "text", "author": "author", "work": "work", "locus": "1"}
LATER = [
    (500, None, {}),
    (503, {"error": "invalid_grant"}, {"retry-after": "86400"}),
    (200, None, {"content-type": "text/html"}),
    (200, {"hello": "portal"}, {}),
    (429, {"error": "too_many_requests"}, {"retry-after": "9999999"}),
    (429, {"error": "invalid_grant"}, {"x-ratelimit-reset": "1"}),
    (400, {"error": "temporarily_unavailable"}, {}),
]
LOST = ["timeout", "truncated"]
NEVER_SENT = ["dns", "connect", "tls"]
BAD = [*LATER, *LOST, *NEVER_SENT]
REFRESHES = ["rotated", "same", "challenged", *BAD]
REFRESHES += [(403, {"error": code}, {}) for code in ("mfa_required", "interaction_required", "access_denied", "odd")]
REFRESHES += [(400, {"error": code}, {}) for code in ("invalid_grant", "invalid_client", "invalid_scope")]
PUSH = {"id": "push|dev_1", "authenticator_type": "oob", "oob_channel": "auth0", "active": True}
SMS = {"id": "sms|dev_1", "authenticator_type": "oob", "oob_channel": "sms", "active": True}
LISTS = ["a phone", (200, [SMS], {}), (200, [], {}), (401, None, {}), *BAD]
CHALLENGES = [
    "it rings",
    (200, {"challenge_type": "otp"}, {}),
    (401, {"error": "unsupported_challenge_type"}, {}),
    *BAD,
]
OOBS = ["granted", "granted without refresh token", *BAD]
OOBS += [(403, {"error": code}, {}) for code in ("authorization_pending", "invalid_grant", "mfa_required", "odd")]
OOBS += [(429, {"error": "slow_down"}, {}), (403, {"error": "expired_token"}, {})]
POLLS = ["granted", "granted without refresh token", *BAD]
POLLS += [(403, {"error": code}, {}) for code in ("authorization_pending", "access_denied", "invalid_grant", "odd")]
POLLS += [(429, {"error": "slow_down"}, {}), (400, {"error": "slow_down"}, {}), (400, {"error": "expired_token"}, {})]
CODES = ["code", "slow code", "short code", *BAD, (401, {"error": "invalid_client"}, {})]
STALE = 'error="insufficient_user_authentication", max_age="60"'
APIS = ["quote", "same quote", *BAD]
APIS += [(401, None, {"www-authenticate": f"Bearer {why}"}) for why in ('error="invalid_token"', STALE)]
APIS += [(403, None, {"www-authenticate": 'Bearer error="insufficient_scope"'})]
INTERVALS = {"code": 5, "slow code": 11, "short code": 5}
LIFETIMES = {"code": 900, "slow code": 1800, "short code": 20}


def some(answers):
    """What a server answers in one wake, in turn; the last of them again and again. Good ones more often than not."""
    good = [answer for answer in answers if isinstance(answer, str) and answer not in LOST + NEVER_SENT]
    odd = st.lists(st.sampled_from(answers), min_size=1, max_size=4)
    return st.one_of(st.lists(st.sampled_from(good), min_size=1, max_size=1), odd)


ERROR = st.sampled_from([-86400 * 400, -86400, -3000, -20, 20, 3000, 86400, 86400 * 400])
# How things are in a wake where nothing is amiss, and what may be amiss instead.
WELL = {"ntp_error_s": 0, "drive_is_read_only": False, "panel_works": True, "wifi": True, "battery": None}
AMISS = st.one_of(
    *[st.just({})] * 4,
    st.fixed_dictionaries({"ntp_error_s": st.one_of(ERROR, st.none())}),
    st.just({"drive_is_read_only": True}),
    st.just({"panel_works": False}),
    # The real-time clock has lost its time, and sleep memory has not.
    st.just({"clock_ahead_s": None}),
    st.just({"wifi": False}),
    st.fixed_dictionaries({"battery": st.sampled_from([3700, 3400])}),
)


ALL_WELL = {"refresh": ["same"], "poll": ["granted"], "code": ["code"], "api": ["quote"], "discovery": ["document"]}
ALL_WELL |= {"listed": ["a phone"], "challenge": ["it rings"], "oob": ["granted"]}


class Weather(RuleBasedStateMachine):
    """One display, and all that is around it."""

    @initialize()
    def unpack(self):
        self.desk = Desk(self.answer, dict(SETTINGS))
        self.wakes_since_power = []
        self.asked_at = None
        self.tokens = 0
        self.issued = None
        self.polled_at = None
        self.interval = 5
        self.rung, self.rung_at = 0, None
        self.doomed = None
        self.ending = ""
        self.clock_has_lied = False
        self.previous = None
        self.sent, self.refreshes_ended = {}, 0
        self.plan = {}
        self.clocks_jumped = False

    def answer(self, method, url, fields):
        from stoa.net.usocket import HttpError

        if url.endswith("openid-configuration"):
            return self.spoken(self.next("discovery"), WITH_MFA_API)
        if url == MFA_API + "authenticators":
            return self.spoken(self.next("listed"), [SMS, PUSH])
        if url == MFA_API + "challenge":
            return self.challenged(fields)
        if url == SETTINGS["STOA_API"]:
            kind = self.next("api")
            if kind == "same quote":
                return 304, None, {}
            return self.spoken(kind, QUOTE)
        if url == DOCUMENT["device_authorization_endpoint"]:
            kind = self.next("code")
            if not isinstance(kind, str) or kind not in INTERVALS:
                return self.spoken(kind, None)
            self.polled_at, self.interval = None, INTERVALS[kind]
            return 200, self.code(kind), {}
        if fields["grant_type"] != "refresh_token":
            return self.poll("oob" if "oob_code" in fields else "poll")
        kind = self.next("refresh")
        self.forget_what_came_to_an_end()
        if kind not in NEVER_SENT:
            count = self.sent.get(fields["refresh_token"], 0) + 1
            self.sent[fields["refresh_token"]] = count
            assert count <= 2, "one repetition at once, no more"
        assert fields["refresh_token"] == self.issued, "only ever the newest token"
        if (
            isinstance(kind, tuple)
            and kind[1] == {"error": "invalid_grant"}
            and 400 <= kind[0] < 500
            and kind[0] != 429
        ):
            self.doomed = fields["refresh_token"]
        if kind == "challenged":
            return 403, {"error": "mfa_required", "mfa_token": "mfa-secret"}, {}
        if kind in ("rotated", "same"):
            return 200, self.new_tokens(kind == "rotated"), {}
        assert not isinstance(kind, HttpError)
        return self.spoken(kind, None)

    def forget_what_came_to_an_end(self):
        """A refresh with an outcome is over, and the next one begins anew, be it after a reset."""
        ended = len([line for line in self.desk.log if line.startswith("stoa refresh ")])
        if ended > self.refreshes_ended:
            self.sent = {}
        self.refreshes_ended = ended

    def challenged(self, fields):
        assert fields["authenticator_id"] == PUSH["id"], "or somebody might be sent an SMS"
        kind = self.next("challenge")
        if kind not in NEVER_SENT:
            self.rung += 1
            self.rung_at = self.desk.true_s
        self.polled_at, self.interval = None, 5
        return self.spoken(kind, {"challenge_type": "oob", "oob_code": "oob-secret"})

    def poll(self, what):
        now = self.desk.true_s
        if self.polled_at is not None:
            assert now - self.polled_at >= self.interval, "polled too soon"
        self.polled_at = now
        kind = self.next(what)
        if isinstance(kind, str) and kind.startswith("granted"):
            return 200, self.new_tokens(kind == "granted"), {}
        if isinstance(kind, tuple) and kind[1] == {"error": "slow_down"}:
            self.interval += 5
        elif isinstance(kind, str) or kind in LATER[:4]:
            # No answer: the device itself slows down (RFC 8628 3.5), and so never comes sooner.
            self.interval = min(self.interval * 2, 10_000)
        return self.spoken(kind, None)

    def code(self, kind):
        return {
            "device_code": "device-secret",
            "user_code": "QTZL-MCBW",
            "verification_uri": ISSUER + "activate",
            "expires_in": LIFETIMES[kind],
            "interval": INTERVALS[kind],
        }

    def new_tokens(self, rotated):
        body = {"access_token": "access-secret", "token_type": "Bearer", "expires_in": 86400}
        if rotated:
            self.tokens += 1
            self.previous = self.issued
            body["refresh_token"] = self.issued = f"refresh-secret-{self.tokens}"
        return body

    def spoken(self, kind, good):
        from stoa.net.usocket import HttpError

        if isinstance(kind, tuple):
            return kind
        if kind in LOST:
            self.desk.true_s += 15
            return HttpError(kind, "lost", True)
        if kind in NEVER_SENT:
            return HttpError(kind, "not reached", False)
        return 200, good, {"etag": '"1"'}

    def next(self, what):
        answers = self.plan[what]
        return answers.pop(0) if len(answers) > 1 else answers[0]

    @rule(
        refresh=some(REFRESHES),
        poll=some(POLLS),
        code=some(CODES),
        api=some(APIS),
        listed=some(LISTS),
        challenge=some(CHALLENGES),
        oob=some(OOBS),
        discovery=st.sampled_from([["document"]] * 8 + [[(404, None, {})], ["dns"]]),
        how=st.sampled_from(["alarm", "alarm", "alarm", "button"]),
        amiss=AMISS,
        steps=st.one_of(*[st.none()] * 5, st.integers(0, 40)),
        reset=st.booleans(),
    )
    def wake(self, refresh, poll, code, api, listed, challenge, oob, discovery, how, amiss, steps, reset):
        plan = {"refresh": refresh, "poll": poll, "code": code, "api": api, "discovery": discovery}
        plan |= {"listed": listed, "challenge": challenge, "oob": oob}
        self.wake_once(how, plan, amiss, steps, reset)

    def wake_once(self, how, plan, amiss, steps, reset):
        desk = self.desk
        if desk.slept_until is None:
            how = "boot"
        elif how == "button" and not desk.button_is_armed:
            how = "alarm"
        if how == "alarm":
            desk.true_s += desk.slept_until - desk.now()
        desk.woken_by = how
        self.clocks_jumped = self.clocks_jumped or "ntp_error_s" in amiss or desk.ntp_error_s != 0
        self.clock_has_lied = self.clock_has_lied or bool(amiss.get("ntp_error_s"))
        for name, value in (WELL | amiss).items():
            setattr(desk, name, value)
        if "clock_ahead_s" in amiss:
            desk.clock_ahead_s = 946_684_800 - desk.true_s
            self.clocks_jumped = True
        self.plan, self.previous, self.rung = plan, None, 0
        if self.ending != "reset":
            # After a reset the mark of the refresh in flight is there: what was sent before it counts.
            self.sent = {}
        self.doomed = None
        desk.steps_left, desk.ends_by = steps, Reset if reset else Cut
        if how != "boot":
            self.wakes_since_power.append(desk.true_s)
        before = desk.vault_token()
        ending = self.ending = desk.wake()
        self.forget_what_came_to_an_end()
        assert not [line for line in desk.log if " defect " in line], desk.log
        self.check_token(before, ending)
        self.check_asking(how)
        self.check_sleep(ending)

    @rule(times=st.integers(1, 30))
    def somebody_plays_with_the_button(self, times):
        for _ in range(times):
            if self.desk.slept_until is None or not self.desk.button_is_armed:
                break
            self.wake_once("button", {what: list(answers) for what, answers in ALL_WELL.items()}, {}, None, False)

    def check_token(self, before, ending):
        """Deleted on proof alone, replaced as soon as its successor is here."""
        after = self.desk.vault_token()
        if ending == "slept":
            # Deleted by invalid_grant to the refresh grant, for this very token, and by nothing else.
            assert after == (None if self.issued == self.doomed else self.issued)
        else:
            # Cut between the answer and the vault: the old one, or the new; a wake may refresh twice.
            assert after in (before, self.previous, self.issued) or (
                after is None and self.doomed in (before, self.issued)
            )
        self.issued = after

    def check_asking(self, how):
        codes = [name for name, _ in self.desk.shows if name in ("pairing", "mfa")]
        assert len(codes) <= 2
        assert self.rung <= 1, "a wake asks a phone once"
        if not codes and not self.rung:
            return
        if how == "alarm" and self.asked_at is not None and not self.clocks_jumped:
            assert self.desk.began_s - self.asked_at >= 3600 - 60, "asked again within the hour"
        # A code that could not be answered for a fault of the server's does not count as asking.
        counted = [line for line in self.desk.log if "reason=needs_human" in line or "reason=daily" in line]
        self.asked_at = self.desk.true_s if counted else None
        self.clocks_jumped = False

    def check_sleep(self, ending):
        desk = self.desk
        assert desk.true_s - desk.began_s <= AWAKE_LIMIT_S + WATCHDOG_S, "awake too long"
        if ending != "slept":
            desk.slept_until = None
            if ending == "cut":
                self.wakes_since_power.clear()
            self.asked_at = None
            return
        assert 60 <= desk.slept_until - desk.now() <= 2 * DAY_S + 7200
        # A time server that lies within what a sleep clock may be off by passes for drift (timekeeping.DRIFT_MAX_PPM).
        day = DAY_S * 94 // 100 if self.clock_has_lied else DAY_S
        for at in self.wakes_since_power[-60:]:
            within = [other for other in self.wakes_since_power if at - day < other <= at]
            assert len(within) <= 24

    @invariant()
    def no_secret_is_logged_or_shown(self):
        told = " ".join(self.desk.log) + json.dumps([content for _, content in self.desk.shows])
        assert "secret" not in told
        self.desk.log.clear()
        self.refreshes_ended = 0

    @invariant()
    def the_refresh_token_is_in_the_vault_alone(self):
        assert b"refresh-secret" not in self.desk.memory


@pytest.fixture(scope="module", autouse=True)
def firmware():
    with desk_firmware():
        yield


CAMPAIGN = settings(
    max_examples=extent(quick=150, deep=300),
    stateful_step_count=30,
    deadline=None,
    phases=[Phase.explicit, Phase.generate, Phase.shrink],
    suppress_health_check=list(HealthCheck),
    database=None,
)


pytestmark = pytest.mark.timeout(extent(quick=120, deep=900))


# In parts, for one run of thousands keeps a gigabyte of examples.
@pytest.mark.parametrize("part", range(extent(quick=1, deep=15)))
def test_no_weather_breaks_a_promise(part):
    weather = seed(part)(type("Weather", (Weather,), {}))
    run_state_machine_as_test(weather, settings=CAMPAIGN)
