"""npm's @extrahorizon/javascript-sdk as an application of our authority: the steps of seeds/001 in their order, the
login with MFA and its waits, refreshes, and which class it makes of each refusal."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import pyotp
import pytest

from host_tools.authority.core.records import Client, fingerprint
from host_tools.clock import NS, now_s
from tests.interop.extrahorizon_sdk import ExtrahorizonSdk, Refused
from tests.interop.mirrored_clock import MirroredClock
from tests.interop.ours import OwnAuthority, own_authority

TOKENS = "/auth/v2/oauth2/tokens"
ME = "/users/v1/me"
STEP_S = 30


@pytest.fixture(scope="module")
def sdk(clock: MirroredClock) -> Iterator[ExtrahorizonSdk]:
    with ExtrahorizonSdk(clock) as process:
        yield process


@pytest.fixture
def ours(clock: MirroredClock) -> Iterator[OwnAuthority]:
    with own_authority(clock, dialect="extrahorizon") as authority:
        authority.running.control.set_access_token_lifetime(300)
        yield authority


@dataclass
class Application:
    """An application of the demo user's, and what setting MFA up has told it."""

    sdk: ExtrahorizonSdk
    ours: OwnAuthority
    user_id: str = ""
    presence: dict[str, Any] = field(default_factory=dict)
    recovery: dict[str, Any] = field(default_factory=dict)
    totp: dict[str, Any] = field(default_factory=dict)

    @property
    def host(self) -> str:
        return self.ours.running.issuer.replace("127.0.0.1", "localhost")

    @property
    def credentials(self) -> dict[str, str]:
        tenant = self.ours.running.tenant
        return {"username": tenant.demo_user, "password": tenant.demo_password}

    def create(self, **options: Any) -> None:
        self.sdk.create(self.host, clientId=self.ours.running.tenant.client_id, **options)

    def sign_in(self, **changed: str) -> Any:
        """A second after the last login."""
        self.ours.clock.sleep_ns(NS)
        return self.sdk.call("authenticate", credentials=self.credentials | changed)

    def confirm_presence(self) -> None:
        self.presence = self.sdk.call("confirmPresence", password=self.credentials["password"])

    def change(self, call: str, **given: Any) -> Any:
        """By somebody who is present."""
        given = {"given": {"presenceToken": self.presence["token"], **given.pop("given", {})}, **given}
        return self.sdk.call(call, userId=self.user_id, **given)

    def add(self, kind: str, name: str) -> Any:
        method = {"presenceToken": self.presence["token"], "type": kind, "name": name}
        return self.sdk.call("addMfaMethod", userId=self.user_id, method=method)

    def code(self) -> str:
        return pyotp.TOTP(self.totp["secret"]).at(now_s(self.ours.clock))

    def next_code(self) -> str:
        """One that is not spent."""
        self.ours.clock.sleep_ns(STEP_S * NS)
        return self.code()

    def set_up(self) -> None:
        """The steps of seeds/001, in their order."""
        self.user_id = self.sdk.call("me")["id"]
        self.confirm_presence()
        self.recovery = self.add("recoveryCodes", "Recovery Codes")
        self.totp = self.add("totp", "Google Authenticator")
        verified = {"methodId": self.totp["id"], "given": {"code": self.code()}}
        assert self.change("confirmMfaMethodVerification", **verified)["description"]
        assert self.change("enableMfa") == {"affectedRecords": 1}

    def asked(self) -> dict[str, Any]:
        """The `mfa` of a login's MfaRequiredError."""
        with pytest.raises(Refused) as required:
            self.sign_in()
        assert (required.value.own, required.value.exh) == ("MfaRequiredError", "MfaRequiredError")
        return required.value.mfa

    def answer(self, mfa: dict[str, Any], kind: str, code: str) -> Any:
        """As the seed's code does: the first method of the kind that the user has chosen."""
        method = next(each for each in mfa["methods"] if each["type"] == kind)
        answer = {"token": mfa["token"], "methodId": method["id"], "code": code}
        return self.sdk.call("confirmMfa", answer=answer)

    def requests(self) -> list[tuple[str, int]]:
        """What it has sent since this was asked last, and the status of each answer."""
        heard = [(path, status) for _, path, status in self.ours.heard.requests]
        self.ours.heard.requests.clear()
        return heard


@pytest.fixture
def application(sdk: ExtrahorizonSdk, ours: OwnAuthority) -> Application:
    """Signed in."""
    made = Application(sdk, ours)
    made.create()
    made.sign_in()
    made.requests()
    return made


@pytest.fixture
def guarded(application: Application) -> Application:
    application.set_up()
    application.requests()
    return application


def test_the_seeds_steps_in_their_order(application: Application) -> None:
    application.set_up()
    assert len(application.recovery["codes"]) == 10
    assert (application.recovery["type"], application.totp["type"]) == ("recoveryCodes", "totp")
    setting = application.sdk.call("getMfaSetting", userId=application.user_id)
    assert setting["enabled"] is True
    assert {each["type"]: each["verified"] for each in setting["methods"]} == {"recoveryCodes": True, "totp": True}
    own = f"/auth/v2/mfa/users/{application.user_id}"
    assert application.requests() == [
        (ME, 200),
        ("/auth/v2/confirmPresence", 200),
        (f"{own}/methods", 200),
        (f"{own}/methods", 200),
        (f"{own}/methods/{application.totp['id']}/verification/confirm", 200),
        (f"{own}/enable", 200),
        (own, 200),
    ]


def test_a_login_is_required_to_bring_mfa_and_succeeds_by_totp(guarded: Application) -> None:
    mfa = guarded.asked()
    assert (len(mfa["token"]), mfa["tokenExpiresIn"]) == (40, 900_000)
    assert {each["name"] for each in mfa["methods"]} == {"Google Authenticator", "Recovery Codes"}
    tokens = guarded.answer(mfa, "totp", guarded.next_code())
    assert tokens["userId"] == guarded.user_id == guarded.sdk.call("userId")
    assert guarded.sdk.call("me")["id"] == guarded.user_id
    assert guarded.sdk.call("freshTokens")[-1]["refreshToken"] == tokens["refreshToken"]


def test_it_succeeds_by_a_recovery_code_once(guarded: Application) -> None:
    first, second, *_ = guarded.recovery["codes"]
    assert guarded.answer(guarded.asked(), "recoveryCodes", first)["accessToken"]
    mfa = guarded.asked()
    with pytest.raises(Refused) as spent:
        guarded.answer(mfa, "recoveryCodes", first)
    assert (spent.value.own, spent.value.exh) == ("InvalidGrantError", "InvalidMfaCodeError")
    guarded.ours.clock.sleep_ns(NS)
    assert guarded.answer(mfa, "recoveryCodes", second)["accessToken"]


def test_wrong_codes_lead_into_waits_that_grow_and_a_right_one_ends_them(
    guarded: Application, clock: MirroredClock
) -> None:
    mfa = guarded.asked()
    waits = []
    for _ in range(10):
        with pytest.raises(Refused) as wrong:
            guarded.answer(mfa, "totp", "no code")
        assert (wrong.value.exh, wrong.value.code) == ("InvalidMfaCodeError", 130)
        with pytest.raises(Refused) as delayed:
            guarded.answer(mfa, "totp", guarded.code())
        assert delayed.value.own == "InvalidGrantError"
        assert (delayed.value.exh, delayed.value.exh_response["name"]) == (
            "MfaReattemptDelayError",
            "MFA_REATTEMPT_DELAY_EXCEPTION",
        )
        assert delayed.value.response["remainingDelay"] == delayed.value.exh_response["remainingDelay"]
        waits.append(delayed.value.response["remainingDelay"])
        clock.sleep_ns(waits[-1] * 1_000_000)
    assert [waits[0], waits[4], waits[9]] == [1000, 5000, 30_000]  # seeds/001
    assert waits == sorted(waits)
    assert guarded.answer(mfa, "totp", guarded.code())["accessToken"]
    mfa = guarded.asked()
    for error in ("InvalidMfaCodeError", "MfaReattemptDelayError"):
        with pytest.raises(Refused) as again:
            guarded.answer(mfa, "totp", "no code")
        assert again.value.exh == error
    assert again.value.response["remainingDelay"] == 1000


def test_it_refreshes_and_an_old_token_ends_them_all(application: Application) -> None:
    first = application.sdk.call("freshTokens")[-1]["refreshToken"]
    second = application.sdk.call("authenticate", credentials={"refreshToken": first})
    assert second["refreshToken"] != first
    for _ in range(2):
        with pytest.raises(Refused) as reused:
            application.sdk.call("authenticate", credentials={"refreshToken": first})
        assert (reused.value.own, reused.value.exh) == ("InvalidGrantError", "RefreshTokenUnknownError")
    with pytest.raises(Refused) as ended:  # 117, then the refresh that does not help
        application.sdk.call("me")
    assert ended.value.own == "InvalidGrantError"


def test_it_refreshes_by_itself_before_an_access_token_ends(application: Application, clock: MirroredClock) -> None:
    clock.sleep_ns(289 * NS)
    application.sdk.call("me")
    assert application.requests() == [(ME, 200)]
    clock.sleep_ns(2 * NS)
    application.sdk.call("me")
    assert application.requests() == [(TOKENS, 200), (ME, 200)]


@pytest.mark.parametrize(("code", "access_token"), [(118, None), (117, "72bc81dceb58fe53bddee9969d54f76913bb29d8")])
def test_it_refreshes_and_asks_again_where_its_access_token_does_no_more(
    application: Application, clock: MirroredClock, code: int, access_token: str | None
) -> None:
    """An application that was started anew knows its tokens, and not how long they live."""
    kept = application.sdk.call("freshTokens")[-1]
    application.create(refreshToken=kept["refreshToken"], accessToken=access_token or kept["accessToken"])
    clock.sleep_ns(300 * NS)
    assert application.sdk.call("me")["email"] == application.credentials["username"]
    assert application.requests() == [(ME, 401), (TOKENS, 200), (ME, 200)]


def test_off_again_it_asks_no_more_and_methods_can_be_removed(guarded: Application) -> None:
    for method in (guarded.totp, guarded.recovery):
        with pytest.raises(Refused) as needed:
            guarded.change("removeMfaMethod", methodId=method["id"])
        assert (needed.value.own, needed.value.code) == ("NotEnoughMfaMethodsError", 133)
    assert guarded.change("disableMfa") == {"affectedRecords": 1}
    assert guarded.sign_in()["accessToken"]
    for method in (guarded.totp, guarded.recovery):
        assert guarded.change("removeMfaMethod", methodId=method["id"]) == {"affectedRecords": 1}
    setting = guarded.sdk.call("getMfaSetting", userId=guarded.user_id)
    assert (setting["enabled"], setting["methods"]) == (False, [])


def test_a_refresh_that_the_tenant_challenges_is_answered_likewise(guarded: Application) -> None:
    guarded.ours.running.set_mfa("rule")
    kept = guarded.sdk.call("freshTokens")[-1]["refreshToken"]
    with pytest.raises(Refused) as required:
        guarded.sdk.call("authenticate", credentials={"refreshToken": kept})
    assert required.value.own == "MfaRequiredError"
    assert guarded.answer(required.value.mfa, "totp", guarded.next_code())["refreshToken"] != kept


def test_passwords_are_tried_slowly(application: Application, clock: MirroredClock) -> None:
    told = []
    for pause_s in (1, 0, *[1] * 9, 1):
        clock.sleep_ns(pause_s * NS)
        with pytest.raises(Refused) as refused:
            application.sdk.call("authenticate", credentials=application.credentials | {"password": "wrong"})
        assert refused.value.own == "InvalidGrantError"
        told.append(refused.value.exh)
    assert told == ["AuthenticationError", "LoginTimeoutError", *["AuthenticationError"] * 9, "LoginFreezeError"]
    with pytest.raises(Refused) as refused:
        application.confirm_presence()
    assert (refused.value.own, refused.value.status) == ("LoginFreezeError", 401)
    clock.sleep_ns(60 * NS)
    assert application.sign_in()["accessToken"]


STRANGER = "0" * 24
REFUSALS: list[tuple[str, dict[str, Any], str, int]] = [
    ("confirmPresence", {"password": "wrong"}, "AuthenticationError", 401),
    ("confirmPresence", {"password": ""}, "MissingRequiredFieldsError", 400),
    ("confirmPresence", {"password": 1}, "FieldFormatError", 400),
    ("getMfaSetting", {"userId": STRANGER}, "NoPermissionError", 401),
    ("getMfaSetting", {"userId": "x"}, "IDFormatError", 400),
    ("enableMfa", {"given": {"presenceToken": "x"}}, "InvalidPresenceTokenError", 400),
    ("removeMfaMethod", {"methodId": STRANGER}, "ResourceUnknownError", 404),
    ("addMfaMethod", {"method": {"presenceToken": "x", "type": "sms"}}, "FieldFormatError", 400),
    ("addMfaMethod", {"method": {"presenceToken": "x", "type": "totp"}}, "InvalidPresenceTokenError", 400),
]


@pytest.mark.parametrize(("call", "given", "error", "status"), REFUSALS)
def test_each_refusal_is_the_class_that_its_documentation_names(
    guarded: Application, call: str, given: dict[str, Any], error: str, status: int
) -> None:
    usual = {"userId": guarded.user_id, "given": {"presenceToken": guarded.presence["token"]}}
    with pytest.raises(Refused) as refused:
        guarded.sdk.call(call, **usual | given)
    assert (refused.value.own, refused.value.status) == (error, status)


def test_what_is_verified_is_not_verified_again(guarded: Application) -> None:
    with pytest.raises(Refused) as refused:
        guarded.change("confirmMfaMethodVerification", methodId=guarded.totp["id"], given={"code": "123456"})
    assert (refused.value.own, refused.value.code) == ("IllegalArgumentError", 26)


def test_a_confidential_application_sends_its_secret_both_ways(application: Application) -> None:
    tenant, store = application.ours.running.tenant, application.ours.running._authority.store
    client = store.get(Client, tenant.client_id)
    assert client is not None
    store.put(replace(client, secret_hash=fingerprint("an application's secret")))
    for secret, error in ((None, "OAuth2ClientSecretError"), ("wrong", "OAuth2ClientSecretError")):
        application.create(**({"clientSecret": secret} if secret else {}))
        with pytest.raises(Refused) as refused:
            application.sign_in()
        assert (refused.value.own, refused.value.exh) == ("InvalidClientError", error)
    application.create(clientSecret="an application's secret")
    assert application.sign_in()["accessToken"]


def test_who_logs_out_forgets_the_tokens_and_is_nobody(application: Application) -> None:
    """The SDK asks nobody to: it forgets them."""
    assert application.sdk.call("logout") is True
    with pytest.raises(Refused) as refused:
        application.sdk.call("me")
    assert refused.value.own == "UserNotAuthenticatedError"
    assert application.requests() == [(ME, 401)]


def test_it_finds_the_services_in_good_health(application: Application) -> None:
    assert application.sdk.call("health") == [True, True]
