"""The controls in Python: what they change, what they tell, what they refuse."""

from __future__ import annotations

import threading

import pytest

from host_tools.authority import InvalidSetting, LoseReply, NotNow, RateLimit, SlowDown, start_authority
from host_tools.authority.control import Controls
from host_tools.authority.core.authority import Authority
from host_tools.authority.core.records import OobChallenge, RefreshToken, TokenFamily, fingerprint
from host_tools.authority.core.tally import COUNTED
from host_tools.clock import NS, RealClock, VirtualClock

from .conftest import ISSUER, quote_of_day

DAY_NS = 86_400 * NS


@pytest.fixture
def control(authority):
    return Controls(authority)


@pytest.mark.parametrize("how", ["revoke", "expire", "delete"])
def test_a_revoked_family_is_refused_and_the_access_token_lives_on(control, display, tokens, how):
    assert control.revoke(how=how) == 1
    assert control.tally()["families_live"] == 0
    reply = display.refresh(tokens["refresh_token"])
    assert (reply.status_code, reply.json()["error"]) == (403, "invalid_grant")
    assert display.quote(tokens["access_token"]).status_code == 200
    assert control.revoke(how=how) == 0


def test_examining_tells_each_ending(control, display, tokens):
    token = tokens["refresh_token"]
    assert control.examine(token).standing == "newest"
    newer = display.refresh(token).json()["refresh_token"]
    assert (control.examine(token).standing, control.examine(newer).standing) == ("reused", "newest")
    assert control.examine(sha256=fingerprint(newer)).generation == 1
    control.revoke(how="expire")
    assert control.examine(newer).standing == "dead"
    control.revoke(how="delete")
    assert control.examine(newer).standing == "dead"  # only live families are ended
    assert control.examine("never issued") is None


def test_revoking_is_of_a_user_or_a_client(control, store, tenant, tokens):
    (family,) = store.find(TokenFamily)
    store.put(TokenFamily(**vars(family) | {"family_id": "other's", "user_id": "auth0|other"}))
    store.put(TokenFamily(**vars(family) | {"family_id": "another's", "client_id": "another"}))
    assert control.revoke(user=f" {tenant.demo_user.upper()}", client_id=tenant.client_id) == 1
    assert control.revoke(user=tenant.demo_user) == 1
    assert control.revoke(client_id=tenant.client_id) == 1
    assert control.revoke() == 0


def test_the_leeway_can_be_changed_while_it_runs(control, tenant, display, tokens):
    display.refresh(tokens["refresh_token"])
    control.set_refresh_leeway(tenant.client_id, 10)
    assert control.examine(tokens["refresh_token"]).standing == "within leeway"
    assert display.refresh(tokens["refresh_token"]).status_code == 200
    assert control.tally()["refreshes_within_leeway"] == 1


def test_the_access_token_lifetime_can_be_changed_while_it_runs(control, display, tokens):
    control.set_access_token_lifetime(7)
    assert display.refresh(tokens["refresh_token"]).json()["expires_in"] == 7


TENANT_FILE = """
mfa.policy = "adaptive"
users = [{ username = "anna@stoa.example" }]
clients = [{ name = "Hall", refresh_token.leeway = 7 }]
"""


@pytest.mark.parametrize("file", ["", TENANT_FILE], ids=["demo", "tenant file"])
def test_what_is_switched_ends_with_the_process_and_who_is_there_does_not(clock, tmp_path, file):
    """docs/tenant-file.md: each start begins with its options and its tenant file."""
    config, database = tmp_path / "tenant.toml", tmp_path / "authority.db"
    config.write_text(file, encoding="utf-8")
    states = []
    for _ in range(2):
        with start_authority(
            clock, database=database, config=config if file else None, access_token_ttl=60, quote_of_day=quote_of_day
        ) as running:
            control, client_id = running.control, running.tenant.client_id
            leeway = control.client(client_id).refresh_leeway_s
            states.append((vars(control.mfa) | {}, control.access_token_lifetime_s, leeway, control.faults()))
            owned = [each.factor for each in control.authenticators(running.tenant.demo_user)]
            control.set_mfa("rule", strict=True, factors=2, tell_requirements=True, confidence="low")
            control.set_access_token_lifetime(61)
            control.set_refresh_leeway(client_id, 30)
            control.set_fault(SlowDown())
            control.enrol(running.tenant.demo_user, "push")
    assert states[0] == states[1]
    assert (states[0][0]["mode"], states[0][2]) == (("adaptive", 7) if file else ("never", 0))
    assert "push" in owned


def test_what_happened_is_counted(control, display, browser):
    denied, allowed, unanswered = (display.ask().json() for _ in range(3))
    browser.decide(denied["user_code"], "deny")
    browser.decide(allowed["user_code"])
    for begun in (denied, allowed, unanswered):
        display.poll(begun["device_code"])
    tokens = display.poll(allowed["device_code"])
    assert tokens.status_code == 403  # fetched already
    counted = {name: number for name, number in control.tally().items() if number}
    assert counted == {
        "device_grants_asked": 3,
        "device_grants_approved": 1,
        "device_grants_denied": 1,
        "device_grants_redeemed": 1,
        "device_polls": 4,
        "families_begun": 1,
        "families_live": 1,
    }


def test_refreshes_are_counted_by_their_end(control, display, tokens):
    newer = display.refresh(tokens["refresh_token"]).json()["refresh_token"]
    control.set_mfa("rule")
    display.refresh(newer)
    control.set_mfa("never")
    display.refresh(tokens["refresh_token"])  # reuse
    display.refresh(newer)  # its family is dead
    tally = control.tally()
    assert (tally["refreshes"], tally["refreshes_challenged"], tally["refreshes_refused"]) == (1, 1, 2)
    assert (tally["families_ended_by_reuse"], tally["families_live"]) == (1, 0)
    assert {*tally} == {*COUNTED, "families_live"}


def test_the_clock_moves_everything_on_it(control, clock, display, tokens):
    happened = []
    clock.schedule(30 * NS, lambda: happened.append(clock.now_ns()))
    start = clock.now_ns()
    control.advance_clock(86_400)
    assert happened == [start + 30 * NS]
    assert control.now == "2026-11-23T00:00:00Z"
    assert display.quote(tokens["access_token"]).status_code == 401
    control.set_clock("2026-11-24T01:00:00+01:00")
    assert control.now == "2026-11-24T00:00:00Z"
    control.set_clock("2026-11-24T00:00:00Z")
    assert clock.now_ns() == start + 2 * DAY_NS


@pytest.mark.parametrize(
    ("now", "message"),
    [
        ("yesterday", "write it as"),
        ("2026-11-24T00:00:00", "no offset"),
        ("2026-11-21T23:59:59Z", "within ten years from 2026-11-22T00:00:00Z"),
        ("2037-01-01T00:00:00Z", "within ten years"),
        ("0001-01-01T00:00:00+23:59", "within ten years"),
        ("9999-12-31T23:59:59-23:59", "within ten years"),
        (12, "text"),
    ],
)
def test_a_time_that_cannot_be_is_refused(control, clock, now, message):
    before = clock.now_ns()
    with pytest.raises(InvalidSetting, match=message) as refused:
        control.set_clock(now)
    assert (refused.value.field, clock.now_ns()) == ("now", before)


@pytest.mark.parametrize("move", [lambda it: it.advance_clock(1), lambda it: it.set_clock("2026-11-22T00:00:00Z")])
def test_real_time_cannot_be_set(store, tenant, move):
    control = Controls(Authority(store, RealClock(), ISSUER))
    assert not control.clock_can_be_set
    with pytest.raises(NotNow, match="--clock virtual"):
        move(control)


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("endpoint", lambda it: LoseReply("pages", "before")),
        ("moment", lambda it: LoseReply("token", "during")),
        ("times", lambda it: LoseReply("token", "before", times=0)),
        ("times", lambda it: SlowDown(times=True)),
        ("times", lambda it: RateLimit("token", times=1.0)),
        ("wait_s", lambda it: RateLimit("token", wait_s=-1)),
        ("wait_s", lambda it: RateLimit("token", wait_s=None)),
        ("retry_after", lambda it: RateLimit("token", retry_after="http-date")),
        ("x_ratelimit", lambda it: RateLimit("token", x_ratelimit=1)),
        ("client_id", lambda it: LoseReply("discovery", "before", client_id="any")),
        ("client_id", lambda it: it.set_fault(RateLimit("token", client_id="nobody's"))),
        ("endpoint", lambda it: it.set_fault(RateLimit("introspection"))),  # Auth0 has none
        ("mode", lambda it: it.set_mfa(["rule"])),
        ("seconds", lambda it: it.advance_clock(-1)),
        ("lifetime_s", lambda it: it.set_access_token_lifetime(0)),
        ("refresh_leeway_s", lambda it: it.set_refresh_leeway("x", 86_401)),
        ("client_id", lambda it: it.set_refresh_leeway("nobody's", 1)),
        ("client_id", lambda it: it.revoke(client_id="nobody's")),
        ("user", lambda it: it.revoke(user="nobody")),
        ("how", lambda it: it.revoke(how="kindly")),
        ("number", lambda it: it.lift_fault(1)),
        ("sha256", lambda it: it.examine(sha256="A" * 64)),
    ],
)
def test_a_wrong_value_is_refused_by_its_name(control, tokens, field, wrong):
    with pytest.raises(InvalidSetting, match=f"^{field} ") as refused:
        wrong(control)
    assert refused.value.field == field
    assert control.tally()["families_live"] == 1


def test_a_number_never_lifts_another_fault(authority, control):
    first = control.set_fault(SlowDown(times=1))
    kept = authority.faults.active()
    control.lift_fault(first.number)
    second = control.set_fault(SlowDown())
    authority.faults.put_back(kept)
    third = control.set_fault(SlowDown())
    assert len({first.number, second.number, third.number}) == 3
    assert control.lift_faults() == 2


def test_years_leave_nothing_behind(store, clock, control, display, browser):
    """A display that is paired anew every half year, and refreshes in between."""
    for _ in range(8):
        begun = display.ask().json()
        browser.decide(begun["user_code"])
        token = display.poll(begun["device_code"]).json()["refresh_token"]
        for _ in range(3):
            clock.sleep_ns(61 * DAY_NS)
            token = display.refresh(token).json()["refresh_token"]
    families = store.find(TokenFamily)
    assert len(families) == 2  # a family lives for 365.25 days, and the last was begun 366 after the last but two
    assert {each.family_id for each in store.find(RefreshToken)} == {each.family_id for each in families}
    assert len(store.find(RefreshToken)) == 8
    assert control.tally()["families_begun"] == 8


def test_a_virtual_clock_set_back_forgets_what_was_scheduled():
    clock, happened = VirtualClock(10 * NS), []
    clock.schedule(NS, lambda: happened.append("of the run before"))
    clock.set_ns(5 * NS)
    clock.schedule(NS, lambda: happened.append("of this run"))
    clock.sleep_ns(10 * NS)
    assert (clock.now_ns(), happened) == (15 * NS, ["of this run"])


@pytest.fixture
def pushed(control, display, authority, tokens, tenant):
    """Two pushes of one moment: their oob_codes, in their order, and what asks for one."""
    control.enrol(tenant.demo_user, "push")
    control.set_mfa("rule")
    held = display.refresh(tokens["refresh_token"]).json()["mfa_token"]
    wanted = {"client_id": tenant.client_id, "mfa_token": held, "challenge_type": "oob"}
    return [display.http.post("/mfa/challenge", json=wanted).json()["oob_code"] for _ in range(2)]


def test_the_newest_push_is_answered_though_the_clock_stood_still(control, pushed, store):
    control.answer_push(approve=True)
    status = {each.oob_code_hash: each.status for each in store.find(OobChallenge)}
    assert [status[fingerprint(code)] for code in pushed] == ["pending", "approved"]


def test_of_many_answers_to_two_pushes_two_hold(control, pushed):
    start, outcomes = threading.Barrier(8), []

    def answer() -> None:
        start.wait()
        try:
            outcomes.append(control.answer_push(approve=True).status)
        except NotNow:
            outcomes.append("not now")

    threads = [threading.Thread(target=answer) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["approved"] * 2 + ["not now"] * 6
