"""What becomes of a push, and of the tokens: a yes, a no, a silence, and whatever else may be answered. On the desk."""

from __future__ import annotations

import itertools

import pytest

from stoa.auth import answer, device_grant, push
from stoa.net.usocket import HttpError
from stoa.obstacle import NoRoom
from tests.desk import AWAKE_LIMIT_S, desk_firmware
from tests.unit.mfa_tenant import CODE, MFA, PENDING, REJECTED, TOKENS, Tenant, granted


@pytest.fixture(scope="module", autouse=True)
def firmware():
    with desk_firmware():
        yield


def test_a_yes_on_the_phone_brings_the_quote_and_no_code_is_asked_for():
    tenant = Tenant()
    tenant.oob = [PENDING, granted("refresh-secret-2")]
    assert tenant.wake() == "slept"
    assert tenant.shows() == ["push", "quote"]
    assert [asked for asked, _ in tenant.asked] == [
        "document",
        "refresh",
        "listed",
        "challenge",
        "oob",
        "oob",
        "api",
    ]
    assert tenant.desk.vault_token() == "refresh-secret-2"
    assert "reason=daily" in tenant.told("sleep")[0]
    assert tenant.told("push") == ["stoa push outcome=granted"]


def test_the_token_it_brought_is_in_the_vault_before_the_display_does_anything_else():
    tenant = Tenant()
    tenant.oob = granted("refresh-secret-2")
    held = []
    tenant.desk.answer = lambda *request: (held.append(tenant.desk.vault_token()), tenant.answer(*request))[1]
    steps = []
    step = tenant.desk.step
    tenant.desk.step = lambda: (steps.append(tenant.desk.vault_token()), step())[1]
    tenant.wake()
    # Nothing the board does lies between the answer and the vault but the answer's own end.
    at = steps.index("refresh-secret-2")
    assert steps[at - 1] == "refresh-secret-1" and held[-1] == "refresh-secret-2"
    assert tenant.asked[-2][0] == "oob" and len(steps) - at == 3, "the API's two, and the glass"


def test_a_yes_without_a_refresh_token_keeps_the_old_one():
    tenant = Tenant()
    tenant.oob = granted()
    tenant.wake()
    assert tenant.shows() == ["push", "quote"]
    assert tenant.desk.vault_token() == "refresh-secret-1"
    assert "no_refresh_token" not in tenant.state


def test_a_no_on_the_phone_leads_to_the_code_in_the_same_wake():
    tenant = Tenant()
    tenant.oob = REJECTED
    tenant.device = granted("refresh-secret-2")
    tenant.wake()
    assert tenant.shows() == ["push", "mfa", "quote"]
    assert tenant.told("push") == ["stoa push detail=invalid_grant outcome=denied"]
    assert tenant.desk.vault_token() == "refresh-secret-2"


def test_a_phone_that_nobody_looks_at_is_waited_for_two_minutes_and_then_the_code_comes():
    tenant = Tenant()
    tenant.device = granted("refresh-secret-2")
    tenant.wake()
    assert tenant.shows() == ["push", "mfa", "quote"]
    polled = [at for what, at in tenant.asked if what == "oob"]
    challenged = next(at for what, at in tenant.asked if what == "challenge")
    assert all(later - sooner >= 5 for sooner, later in itertools.pairwise(polled))
    # Each with a join of 2 s and an answer of 1 s.
    assert len(polled) == 14
    asked_for_a_code = next(at for what, at in tenant.asked if what == "code")
    assert push.LIFETIME_S <= asked_for_a_code - challenged <= push.LIFETIME_S + 5


def test_a_silence_and_the_longest_code_after_it_end_while_the_watchdog_is_fed_however_slow_all_else_is():
    tenant = Tenant()
    tenant.refresh = [HttpError("timeout", "lost", True), MFA]
    tenant.code = 200, {**CODE, "expires_in": 10 * device_grant.LIFETIME_MAX_S, "interval": 5}, {}
    join, exchange, show = tenant.desk.join, tenant.desk.exchange, tenant.desk.show

    def slow(do, seconds):
        def doing(*arguments):
            tenant.desk.true_s += seconds
            return do(*arguments)

        return doing

    # As stoa.hardware.WATCHDOG_S has them, with what the desk takes: a join, an exchange, and BUSY.
    tenant.desk.join, tenant.desk.exchange, tenant.desk.show = slow(join, 13), slow(exchange, 29), slow(show, 37)
    assert tenant.wake("boot") == "slept"
    assert tenant.shows() == ["push", "mfa", "waiting"]
    lasted = tenant.desk.true_s - tenant.desk.began_s
    assert push.LIFETIME_S + device_grant.LIFETIME_MAX_S < lasted <= AWAKE_LIMIT_S


# Nothing that it may be answered costs the token.

CODES = sorted({*push.ERRORS, "unsupported_challenge_type", "association_required", "too_many_attempts", "odd", ""})
STATUSES = (200, 204, 302, 400, 401, 403, 404, 429, 500, 503)
BODIES = [{"error": code} for code in CODES]
BODIES += [None, {}, [], {"error": None}, {"error": 7}, {"error": "a\nb"}, {"hello": "portal"}]
BODIES += [{"access_token": "x" * (answer.ACCESS_TOKEN_MAX + 1), "token_type": "Bearer"}]
BODIES += [{**TOKENS, "token_type": "DPoP"}, {**TOKENS, "refresh_token": 7}, {**TOKENS, "refresh_token": "x" * 5000}]
BODIES += [{"error": "mfa_required", "mfa_token": "Fe26.2*another"}, {"error": "invalid_grant", **TOKENS}]
BROKEN = [HttpError(kind, "odd", sent) for kind in ("dns", "connect", "tls", "timeout") for sent in (False, True)]
BROKEN += [HttpError(kind, "odd", True) for kind in ("truncated", "too_big", "redirect", "protocol")]
BROKEN += [MemoryError(), NoRoom()]
ANSWERS = [(status, body, {}) for body in BODIES for status in STATUSES] + BROKEN


@pytest.mark.parametrize("what", ["oob", "challenge", "listed"])
def test_nothing_that_is_answered_deletes_the_refresh_token_and_the_code_comes(what):
    for given in ANSWERS:
        tenant = Tenant()
        setattr(tenant, what, given)
        assert tenant.wake() == "slept"
        assert tenant.desk.vault_token() == "refresh-secret-1", given
        expected = ["push", "mfa", "waiting"] if what == "oob" else ["mfa", "waiting"]
        assert tenant.shows() == expected, (given, tenant.desk.log)
        assert "reason=needs_human" in tenant.told("sleep")[0]
        assert tenant.state["asked"] == 1
        # What found no room has not left the board, and is taken up once more.
        tries = 2 if what == "challenge" and isinstance(given, NoRoom) else 1
        assert tenant.count("challenge") == (0 if what == "listed" else tries)


def test_a_yes_whose_reply_was_lost_is_followed_by_the_code_and_the_old_token_is_not_presented_meanwhile():
    """It may have been rotated away: presented, it would end the family, and at Auth0 the grant (RFC 9700 4.14.2)."""
    tenant = Tenant()
    tenant.oob = [PENDING, HttpError("timeout", "lost", True), REJECTED]
    tenant.device = granted("refresh-secret-3")
    tenant.wake()
    assert tenant.shows() == ["push", "mfa", "quote"]
    assert tenant.count("refresh") == 1
    assert tenant.desk.vault_token() == "refresh-secret-3"


def test_no_secret_of_a_push_is_told_shown_or_kept_in_sleep_memory():
    tenant = Tenant()
    kept = []
    show, exchange = tenant.desk.show, tenant.desk.exchange

    def listening(*arguments):
        kept.append(bytes(tenant.desk.memory))
        return exchange(*arguments)

    def looking(screen, content, state, save):
        # Once it is drawn, for that keeps the state too.
        shown = show(screen, content, state, save)
        kept.append(bytes(tenant.desk.memory) + repr(content).encode())
        return shown

    tenant.desk.exchange, tenant.desk.show = listening, looking
    tenant.oob = [PENDING, PENDING, granted("refresh-secret-2")]
    tenant.wake()
    assert tenant.shows() == ["push", "quote"]
    assert not [memory for memory in kept if b"Fe26.2" in memory or b"refresh-secret" in memory]
    assert "secret" not in " ".join(tenant.desk.log)
