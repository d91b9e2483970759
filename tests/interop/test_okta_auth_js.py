"""Okta's own SDK, npm's @okta/okta-auth-js, unmodified: it signs in through each state, and reads the policy."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import httpx2
import pyotp
import pytest

from host_tools.authority import RunningAuthority, start_authority
from host_tools.authority.core.records import User
from host_tools.authority.core.sign_on_policy import SignOnPolicy
from host_tools.clock import NS, now_s
from tests.authority.authorize.application import ASKED, CALLBACK, SPA, VERIFIER, sent_back
from tests.interop.mirrored_clock import MirroredClock
from tests.interop.node_process import NodeProcess

DEVICE = {"deviceToken": "26q43Ak9Eh04p7H6Nnx0m69JqYOrfVBY"}
APP = {"factorType": "token:software:totp", "provider": "GOOGLE"}


class Refused(Exception):
    """What the SDK raised: the members of Okta's error body, and the status."""

    def __init__(self, raised: dict[str, Any]) -> None:
        super().__init__(str(raised))
        self.code, self.status = raised["errorCode"], raised.get("status")
        self.causes = [each["errorSummary"] for each in raised.get("errorCauses") or ()]


class Sdk:
    """The SDK in a process of its own, for one application."""

    def __init__(self, running: RunningAuthority, clock: MirroredClock) -> None:
        self.running, self.clock = running, clock
        self._process = NodeProcess("okta_auth.mjs", clock_file=clock.file)

    def call(self, method: str, **given: Any) -> Any:
        self._process.tell({"call": method, **given})
        heard = self._process.hear()
        if "refused" in heard:
            raise Refused(heard["refused"])
        return heard["value"]

    def sign_in(self, **given: Any) -> dict[str, Any]:
        tenant = self.running.tenant
        known = {"username": tenant.demo_user, "password": tenant.demo_password, "context": DEVICE}
        found: dict[str, Any] = self.call("signIn", given=known | given)
        return found

    def one_time_code(self, secret: str | None = None) -> str:
        self.clock.sleep_ns(30 * NS)  # the one before is spent
        return pyotp.TOTP(secret or self.running.tenant.totp_secret).at(now_s(self.clock))

    def close(self) -> None:
        self._process.close()


@pytest.fixture(scope="module")
def shared(clock: MirroredClock) -> Iterator[tuple[RunningAuthority, Any]]:
    with start_authority(clock, dialect="okta") as running:
        running._authority.store.put(SPA)
        yield running, running.snapshot()


@pytest.fixture
def running(shared: tuple[RunningAuthority, Any], clock: MirroredClock) -> RunningAuthority:
    authority, fresh = shared
    authority.restore(fresh)
    clock.set_ns(fresh.taken_at)
    authority._authority.device_choices.policy = SignOnPolicy()
    authority.set_mfa("always")
    return authority


@pytest.fixture(params=["/oauth2/default", ""])
def issuer(running: RunningAuthority, request: pytest.FixtureRequest) -> str:
    """Where the SDK is told that the server is: as in life, or at our issuer."""
    return f"{running.issuer.rstrip('/')}{request.param}"


@pytest.fixture
def sdk(running: RunningAuthority, clock: MirroredClock) -> Iterator[Sdk]:
    opened = Sdk(running, clock)
    opened.call("begin", issuer=f"{running.issuer}oauth2/default", clientId=SPA.client_id, redirectUri=CALLBACK)
    yield opened
    opened.close()


def forget_factors(running: RunningAuthority) -> None:
    [user] = running._authority.store.find(User, username=running.tenant.demo_user)
    for each in running._authority.authenticators.of(user.user_id):
        running._authority.authenticators.remove(user.user_id, each.authenticator_id)


def newest_code(running: RunningAuthority) -> str:
    found = re.search("[0-9]{6}", running.control.messages()[0].text)
    assert found
    return found[0]


def test_it_signs_in_through_mfa_required_and_reads_the_policy(sdk: Sdk) -> None:
    asked = sdk.sign_in()
    assert (asked["status"], asked["can"]) == ("MFA_REQUIRED", ["cancel"])
    assert asked["policy"] == {
        "allowRememberDevice": True,
        "rememberDeviceLifetimeInMinutes": 15,
        "rememberDeviceByDefault": False,
        "factorsPolicyInfo": {},
    }
    assert asked["policyEvaluation"] == {
        "policyType": "OKTA_SIGN_ON",
        "factorPromptMode": "SESSION",
        "factorLifeTime": "15",
        "factorLifeTimeUnit": "MINUTES",
        "rememberDeviceByDefault": "false",
    }
    [factor] = asked["factors"]
    assert (factor["factorType"], factor["provider"]) == (APP["factorType"], APP["provider"])
    assert sdk.call("status") == "MFA_REQUIRED"
    done = sdk.call("verify", which=APP, given={"passCode": sdk.one_time_code()})
    assert (done["status"], bool(done["sessionToken"])) == ("SUCCESS", True)


def test_a_wrong_code_is_its_own_kind_of_error_and_it_goes_on(sdk: Sdk) -> None:
    sdk.sign_in()
    with pytest.raises(Refused) as refused:
        sdk.call("verify", which=APP, given={"passCode": "000000"})
    assert (refused.value.code, refused.value.status) == ("E0000068", 403)
    assert refused.value.causes == ["Your passcode doesn't match our records. Please try again."]
    assert sdk.call("resume")["status"] == "MFA_REQUIRED"  # by the state token that it keeps
    assert sdk.call("verify", which=APP, given={"passCode": sdk.one_time_code()})["status"] == "SUCCESS"


def test_a_wrong_password_is_told_as_okta_tells_it(sdk: Sdk) -> None:
    with pytest.raises(Refused) as refused:
        sdk.sign_in(password="wrong")
    assert (refused.value.code, refused.value.status, refused.value.causes) == ("E0000004", 401, [])


def test_a_device_that_is_remembered_is_not_challenged_within_the_lifetime(sdk: Sdk, clock: MirroredClock) -> None:
    sdk.sign_in()
    sdk.call("verify", which=APP, given={"passCode": sdk.one_time_code(), "rememberDevice": True})
    clock.sleep_ns(899 * NS)
    assert sdk.sign_in()["status"] == "SUCCESS"
    assert sdk.sign_in(context={"deviceToken": "another"})["status"] == "MFA_REQUIRED"
    clock.sleep_ns(NS)
    asked = sdk.sign_in()
    assert (asked["status"], asked["policy"]["rememberDeviceByDefault"]) == ("MFA_REQUIRED", True)
    sdk.call("verify", which=APP, given={"passCode": sdk.one_time_code(), "rememberDevice": False})
    assert sdk.sign_in()["policy"]["rememberDeviceByDefault"] is False


@pytest.mark.parametrize(("mode", "allowed", "again"), [("DEVICE", True, "SUCCESS"), ("ALWAYS", False, "MFA_REQUIRED")])
def test_the_other_modes(sdk: Sdk, running: RunningAuthority, mode: str, allowed: bool, again: str) -> None:
    policy = replace(SignOnPolicy(), factor_prompt_mode=mode, as_strings=False)
    running._authority.device_choices.policy = policy
    asked = sdk.sign_in()
    assert (asked["policy"]["allowRememberDevice"], asked["policy"]["rememberDeviceLifetimeInMinutes"]) == (allowed, 0)
    assert asked["policyEvaluation"]["factorPromptMode"] == mode
    sdk.call("verify", which=APP, given={"passCode": sdk.one_time_code(), "rememberDevice": True})
    assert sdk.sign_in()["status"] == again


def test_it_cancels(sdk: Sdk) -> None:
    sdk.sign_in()
    sdk.call("cancel")
    with pytest.raises(Refused) as refused:
        sdk.call("status")
    assert refused.value.code == "E0000011"


def test_a_text_message_and_the_way_back(sdk: Sdk, running: RunningAuthority, clock: MirroredClock) -> None:
    running.control.enrol(running.tenant.demo_user, "sms", "+15551234567")
    sdk.sign_in()
    sent = sdk.call("verify", which={"factorType": "sms"})
    assert (sent["status"], sorted(sent["can"])) == ("MFA_CHALLENGE", ["cancel", "prev", "resend", "verify"])
    assert sent["factor"]["profile"] == {"phoneNumber": "+1 XXX-XXX-4567"}
    assert sdk.call("prev")["status"] == "MFA_REQUIRED"
    clock.sleep_ns(30 * NS)
    sdk.call("verify", which={"factorType": "sms"})
    with pytest.raises(Refused) as refused:
        sdk.call("resend", name="sms")
    assert (refused.value.code, refused.value.status) == ("E0000109", 429)
    assert sdk.call("verify", given={"passCode": newest_code(running)})["status"] == "SUCCESS"


@pytest.mark.parametrize(("approve", "status"), [(True, "SUCCESS"), (False, "MFA_CHALLENGE")])
def test_it_polls_a_push(sdk: Sdk, running: RunningAuthority, approve: bool, status: str) -> None:
    running.control.enrol(running.tenant.demo_user, "push")
    sdk.sign_in()
    waiting = sdk.call("verify", which={"factorType": "push"})
    assert (waiting["status"], waiting["factorResult"]) == ("MFA_CHALLENGE", "WAITING")
    running.control.answer_push(approve)
    answered = sdk.call("poll", given={"rememberDevice": True})
    assert (answered["status"], answered.get("factorResult")) == (status, None if approve else "REJECTED")
    assert sdk.sign_in()["status"] == ("SUCCESS" if approve else "MFA_REQUIRED")


def test_it_enrols_and_activates_an_app(sdk: Sdk, running: RunningAuthority) -> None:
    forget_factors(running)
    asked = sdk.sign_in()
    assert asked["status"] == "MFA_ENROLL"
    assert asked["policyEvaluation"]["policyType"] == "MFA_ENROLL"
    pending = sdk.call("enroll", which=APP)
    activation = pending["factor"]["activation"]
    assert (pending["status"], activation["qrcode"]["type"]) == ("MFA_ENROLL_ACTIVATE", "image/png")
    assert httpx2.get(activation["qrcode"]["href"]).content.startswith(b"\x89PNG")
    assert sdk.call("prev")["status"] == "MFA_ENROLL"
    secret = sdk.call("enroll", which=APP)["factor"]["activation"]["sharedSecret"]
    with pytest.raises(Refused) as refused:
        sdk.call("activate", given={"passCode": "000000"})
    assert refused.value.code == "E0000068"
    assert sdk.call("activate", given={"passCode": sdk.one_time_code(secret)})["status"] == "SUCCESS"
    assert sdk.sign_in()["status"] == "MFA_REQUIRED"
    assert sdk.call("verify", which=APP, given={"passCode": sdk.one_time_code(secret)})["status"] == "SUCCESS"


def test_it_enrols_one_factor_and_skips_the_others(sdk: Sdk, running: RunningAuthority) -> None:
    forget_factors(running)
    sdk.sign_in(options={"multiOptionalFactorEnroll": True})
    sdk.call("enroll", which={"factorType": "sms"}, given={"profile": {"phoneNumber": "+1-555-123-4567"}})
    more = sdk.call("activate", given={"passCode": newest_code(running)})
    assert (more["status"], "skip" in more["can"]) == ("MFA_ENROLL", True)
    assert sdk.call("skip")["status"] == "SUCCESS"


def test_it_enrols_a_phone(sdk: Sdk, running: RunningAuthority) -> None:
    forget_factors(running)
    sdk.sign_in()
    assert sdk.call("enroll", which={"factorType": "push"})["factorResult"] == "WAITING"
    running.control.answer_push(True)
    assert sdk.call("poll")["status"] == "SUCCESS"


def test_its_session_token_brings_tokens_that_it_finds_good(sdk: Sdk, running: RunningAuthority, issuer: str) -> None:
    """Its own `getWithoutPrompt` needs a browser's frames; the request is the one that it would make there."""
    sdk.call("begin", issuer=issuer, clientId=SPA.client_id, redirectUri=CALLBACK)
    sdk.sign_in()
    token = sdk.call("verify", which=APP, given={"passCode": sdk.one_time_code()})["sessionToken"]
    asked = ASKED | {"prompt": "none", "sessionToken": token, "scope": "openid email view:balance"}
    code = sent_back(httpx2.get(f"{running.issuer}oauth2/default/v1/authorize", params=asked))["code"]
    found = sdk.call("exchange", code=code, codeVerifier=VERIFIER, nonce=ASKED["nonce"])
    assert found["claims"]["iss"] == running.issuer
    assert found["email"] == running.tenant.demo_user
