"""What a wake does about a phone that it may ask: when, how often, and what becomes of its tokens. On the desk."""

from __future__ import annotations

import itertools

import pytest

from stoa import sleep_state, vault
from stoa.auth import answer, push
from stoa.net.usocket import HttpError
from stoa.obstacle import NoRoom
from tests.campaigns.test_wakes import DOCUMENT, ISSUER, QUOTE, SETTINGS
from tests.desk import NOON, Desk, Reset, desk_firmware
from tests.unit.phone import CHALLENGE, ENROLLED, SMS, TOTP

CHALLENGES = ISSUER + "mfa/challenge"
WITH_PUSH = {**DOCUMENT, "mfa_challenge_endpoint": CHALLENGES}
MFA = 403, {"error": "mfa_required", "mfa_token": "Fe26.2*mfa-secret"}, {}
PENDING = 403, {"error": "authorization_pending"}, {}
REJECTED = 403, {"error": "invalid_grant", "error_description": "MFA Authorization rejected."}, {}
CODE = {"device_code": "code-secret", "user_code": "QTZL-MCBW", "verification_uri": ISSUER + "activate"}
TOKENS = {"access_token": "access-secret", "token_type": "Bearer", "expires_in": 3600}


def granted(refresh_token=None):
    return 200, {**TOKENS, **({"refresh_token": refresh_token} if refresh_token else {})}, {}


@pytest.fixture(scope="module", autouse=True)
def firmware():
    with desk_firmware():
        yield


class Tenant:
    """A tenant that challenges every refresh, and what it was asked.

    Each answer is (status, body, headers), an error to be raised, or a list of them in turn, the last for ever.
    """

    def __init__(self, settings=None, **state):
        self.document = WITH_PUSH
        self.refresh = MFA
        self.listed = 200, ENROLLED, {}
        self.challenge = 200, CHALLENGE, {}
        self.oob = PENDING
        self.code = 200, {**CODE, "expires_in": 900, "interval": 5}, {}
        self.device = PENDING
        self.api = 200, QUOTE, {}
        self.asked = []
        self.desk = Desk(self.answer, {**SETTINGS, **(settings or {})})
        self.desk.clock_ahead_s = 0
        self.desk.woken_by = "alarm"
        sleep_state.save(self.desk.memory, {"clock_set_at": NOON, **state})
        owner = vault.owner(ISSUER, SETTINGS["STOA_CLIENT_ID"])
        vault.Vault(self.desk.nvm, self.desk.open_file, owner).store("refresh-secret-1")

    def answer(self, method, url, fields):
        what = self.what(method, url, fields)
        self.asked.append((what, self.desk.true_s))
        if what == "document":
            return 200, self.document, {}
        given = getattr(self, what)
        if isinstance(given, list):
            given = given.pop(0) if len(given) > 1 else given[0]
        return given

    def what(self, method, url, fields):
        if method == "GET":
            found = {SETTINGS["STOA_API"]: "api", ISSUER + "mfa/authenticators": "listed"}
            return found.get(url, "document")
        if url == CHALLENGES:
            assert fields["mfa_token"] == "Fe26.2*mfa-secret" and fields["authenticator_id"] == "push|dev_1"
            return "challenge"
        if url == DOCUMENT["device_authorization_endpoint"]:
            return "code"
        if fields["grant_type"] == push.MFA_OOB:
            assert (fields["mfa_token"], fields["oob_code"]) == ("Fe26.2*mfa-secret", CHALLENGE["oob_code"])
            return "oob"
        return "refresh" if fields["grant_type"] == "refresh_token" else "device"

    def wake(self, by=None):
        if by is not None:
            self.desk.woken_by = by
        self.asked.clear()
        self.desk.log.clear()
        ending = self.desk.wake()
        assert not self.told("defect"), self.desk.log
        return ending

    def wake_when_it_is_due(self):
        self.desk.true_s = self.desk.slept_until
        return self.wake("alarm")

    def count(self, what):
        return [asked for asked, _ in self.asked].count(what)

    def shows(self):
        return [name for name, _ in self.desk.shows]

    def told(self, event):
        return [line for line in self.desk.log if line.startswith(f"stoa {event} ")]

    @property
    def state(self):
        return sleep_state.load(self.desk.memory)


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


# Who is asked, and who is not.


@pytest.mark.parametrize(
    ("change", "asked"),
    [
        ({}, True),
        ({"settings": {"STOA_PUSH": "on"}}, True),
        ({"settings": {"STOA_PUSH": "off"}}, False),
        ({"document": DOCUMENT}, False),
        ({"document": {**WITH_PUSH, "mfa_challenge_endpoint": "http://id.example/mfa/challenge"}}, False),
        ({"refresh": (403, {"error": "mfa_required"}, {})}, False),
        ({"refresh": (403, {"error": "mfa_required", "mfa_token": "line\nbreak"}, {})}, False),
        ({"refresh": (403, {"error": "mfa_required", "mfa_token": 7}, {})}, False),
        ({"refresh": (403, {"error": "interaction_required", "mfa_token": "Fe26.2*mfa-secret"}, {})}, False),
        ({"refresh": (400, {"error": "invalid_grant", "mfa_token": "Fe26.2*mfa-secret"}, {})}, False),
    ],
)
def test_a_phone_is_asked_where_server_and_settings_allow_it_and_nowhere_else(change, asked):
    tenant = Tenant(change.pop("settings", None))
    for name, value in change.items():
        setattr(tenant, name, value)
    tenant.wake()
    assert (tenant.count("listed") > 0) is (tenant.count("challenge") > 0) is asked
    assert tenant.shows() == ([*(["push"] if asked else []), "mfa", "waiting"])


def test_nobody_is_sent_an_sms():
    tenant = Tenant()
    tenant.listed = 200, [SMS, TOTP], {}
    tenant.wake()
    assert tenant.count("listed") == 1 and tenant.count("challenge") == 0
    assert tenant.shows() == ["mfa", "waiting"]
    assert tenant.told("push") == ["stoa push detail=none outcome=no_authenticator"]


def test_what_an_older_program_knew_of_the_server_is_asked_for_anew():
    old = {"token": DOCUMENT["token_endpoint"], "device_authorization": DOCUMENT["device_authorization_endpoint"]}
    account = int.from_bytes(vault.owner(ISSUER, SETTINGS["STOA_CLIENT_ID"]), "little")
    tenant = Tenant(endpoints=old, account=account)
    tenant.wake()
    assert tenant.count("document") == 1 and tenant.count("challenge") == 1
    tenant.wake_when_it_is_due()
    assert tenant.count("document") == 0 and tenant.count("challenge") == 1


# How often.


def test_a_push_and_the_code_after_it_are_one_asking():
    with_push, without = Tenant(), Tenant({"STOA_PUSH": "off"})
    for tenant in (with_push, without):
        for n in range(1, 4):
            tenant.wake() if n == 1 else tenant.wake_when_it_is_due()
            assert tenant.state["asked"] == n
    assert with_push.count("challenge") == 1
    # Two minutes later, and what list, challenge and glass take.
    assert 0 <= with_push.desk.slept_until - without.desk.slept_until < 3 * 200


def test_once_answered_in_vain_it_counts_as_a_code_does():
    tenant = Tenant()
    tenant.oob = granted("refresh-secret-2")
    tenant.wake()
    assert tenant.state["asked"] == 4
    assert tenant.state["ask_at"] - tenant.desk.now() > 7 * 3600
    assert "push" not in tenant.state


@pytest.mark.parametrize(("by", "asked"), [("alarm", 0), ("button", 1), ("boot", 1)])
def test_sooner_than_it_may_it_asks_whom_pressed_the_button_or_plugged_it_in(by, asked):
    account = int.from_bytes(vault.owner(ISSUER, SETTINGS["STOA_CLIENT_ID"]), "little")
    tenant = Tenant(asked=3, ask_at=NOON + 3600, account=account)
    tenant.wake(by)
    assert tenant.count("listed") == tenant.count("challenge") == asked


def test_no_authenticator_rings_in_quiet_hours():
    tenant = Tenant({"STOA_QUIET": "11:00-14:00", "STOA_TZ": "UTC0"})
    tenant.wake("alarm")
    assert tenant.count("listed") == tenant.count("challenge") == tenant.count("code") == 0
    tenant.wake_when_it_is_due()
    assert tenant.desk.began_s % 86400 >= 14 * 3600
    assert tenant.count("challenge") == 1


def test_a_wake_asks_one_phone_once_whatever_the_api_says_of_the_token_it_brought():
    tenant = Tenant()
    tenant.oob = granted("refresh-secret-2")
    tenant.api = 401, None, {"www-authenticate": 'Bearer error="invalid_token"'}
    tenant.wake("button")
    assert tenant.count("challenge") == 1
    assert tenant.shows() == ["push", "mfa", "waiting"]
    assert tenant.state["asked"] == 5, "one, three for the answer in vain, and the code"


@pytest.mark.parametrize("by", ["boot", "alarm"])
def test_reset_again_and_again_it_asks_the_phone_once(by):
    """The reset comes after ever more that the board has done, and between two resets nothing is slept."""
    challenged = 0
    for steps in range(1, 120):
        tenant = Tenant()
        tenant.desk.steps_left, tenant.desk.ends_by = steps, Reset
        rung = 0
        for _ in range(4):
            ending = tenant.wake()
            rung += tenant.count("challenge")
            if ending == "slept":
                break
            tenant.desk.steps_left = steps
            tenant.desk.woken_by = by
        assert rung <= 1, steps
        challenged += rung
        # The asking is over by now, or was never begun; the next one may ask the phone again.
        tenant.desk.steps_left = None
        tenant.wake("boot")
        if "push" not in tenant.state:
            tenant.wake("button")
            assert tenant.count("challenge") == 1
    assert challenged > 50


def test_after_a_reset_at_the_push_the_code_is_asked_for_and_counts():
    tenant = Tenant()
    # document 2, refresh 2, list 2, challenge 2, glass 1, wait 1, and in the midst of the poll.
    tenant.desk.steps_left, tenant.desk.ends_by = 11, Reset
    assert tenant.wake() == "reset"
    assert tenant.shows() == ["push"] and tenant.count("oob") == 1
    assert tenant.state["push"] == {"is": "polling"} and tenant.state["asked"] == 1
    tenant.wake("boot")
    assert tenant.shows() == ["mfa", "waiting"]
    assert tenant.told("push") == ["stoa push detail=none outcome=asked"]
    assert tenant.state["asked"] == 2 and "push" not in tenant.state


def test_after_a_defect_at_the_push_the_phone_is_left_alone():
    tenant = Tenant()
    answered = tenant.desk.answer

    def broken(method, url, fields):
        if tenant.what(method, url, fields) == "oob":
            raise KeyError
        return answered(method, url, fields)

    tenant.desk.answer = broken
    assert tenant.desk.wake() == "slept"
    assert tenant.told("defect") and tenant.count("challenge") == 1
    tenant.desk.answer = answered
    tenant.wake_when_it_is_due()
    assert tenant.count("challenge") == 0 and tenant.shows() == ["mfa", "waiting"]


def test_while_a_code_on_the_glass_can_be_answered_no_authenticator_rings():
    tenant = Tenant({"STOA_PUSH": "off"})
    tenant.desk.steps_left, tenant.desk.ends_by = 20, Reset
    assert tenant.wake() == "reset"
    assert tenant.shows() == ["mfa"] and "push" not in tenant.state
    del tenant.desk.settings["STOA_PUSH"]
    tenant.device = granted("refresh-secret-2")
    tenant.wake("boot")
    assert tenant.count("listed") == tenant.count("challenge") == tenant.count("code") == 0
    assert tenant.shows()[-1] == "quote"


def test_another_account_has_another_phone():
    tenant = Tenant(push={"is": "polling"}, account=7)
    tenant.wake()
    assert tenant.count("challenge") == 1


def test_a_panel_that_shows_nothing_does_not_make_the_phone_ring_at_each_wake():
    tenant = Tenant()
    tenant.desk.panel_works = False
    rung = 0
    for _ in range(4):
        tenant.wake() if tenant.desk.slept_until is None else tenant.wake_when_it_is_due()
        assert "reason=panel" in tenant.told("sleep")[0]
        rung += tenant.count("challenge")
    assert rung == 1


def test_a_rule_that_was_lifted_forgets_the_asking():
    tenant = Tenant(push={"is": "polling"}, account=int.from_bytes(vault.owner(ISSUER, "display"), "little"))
    tenant.refresh = granted("refresh-secret-2")
    tenant.wake()
    assert tenant.shows() == ["quote"] and "push" not in tenant.state


# Room, and secrets.


@pytest.mark.parametrize("what", ["listed", "challenge", "oob"])
def test_a_request_without_room_is_taken_up_again_and_the_phone_rings_once(what):
    tenant = Tenant()
    tenant.oob = granted("refresh-secret-2")
    setattr(tenant, what, [NoRoom(), getattr(tenant, what)])
    tenant.wake()
    assert tenant.shows() == ["push", "quote"]
    # The first of the two has not left the board.
    assert tenant.count(what) == 2
    assert len(tenant.told("memory")) == 1
    assert tenant.desk.vault_token() == "refresh-secret-2"


def test_no_secret_of_a_push_is_told_shown_or_kept_in_sleep_memory():
    tenant = Tenant()
    kept = []
    show, exchange = tenant.desk.show, tenant.desk.exchange

    def listening(*arguments):
        kept.append(bytes(tenant.desk.memory))
        return exchange(*arguments)

    def looking(screen, content, state, save):
        kept.append(bytes(tenant.desk.memory) + repr(content).encode())
        return show(screen, content, state, save)

    tenant.desk.exchange, tenant.desk.show = listening, looking
    tenant.oob = [PENDING, PENDING, granted("refresh-secret-2")]
    tenant.wake()
    assert tenant.shows() == ["push", "quote"]
    assert not [memory for memory in kept if b"Fe26.2" in memory or b"refresh-secret" in memory]
    assert "secret" not in " ".join(tenant.desk.log)
