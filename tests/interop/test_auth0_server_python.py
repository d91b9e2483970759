"""PyPI's auth0-server-python as a client of our MFA API, over https: list, associate, challenge, verify.

It speaks to `https://{domain}` alone and checks the certificate: httpx takes our CA from SSL_CERT_FILE. Its own way to
a challenge is a session whose refresh is answered with mfa_required.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pyotp
import pytest

from host_tools.authority import RunningAuthority, start_authority
from host_tools.clock import NS, VirtualClock
from tests.interop.auth0_site import RECOVERY_CODE, SCOPE, STATE, TENANT, Site

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    from auth0_server_python.error import (
        MfaChallengeError,
        MfaEnrollmentError,
        MfaListAuthenticatorsError,
        MfaRequiredError,
        MfaVerifyError,
    )

pytestmark = pytest.mark.anyio
HOUR_NS = 3600 * NS


def told(refused: pytest.ExceptionInfo[Any]) -> str:
    """The error code that the authority answered with."""
    code: str = refused.value.cause["error"]
    return code


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
def clock() -> VirtualClock:
    """An hour behind the machine's: the SDK checks an ID token's `iat` and `exp` by that, and tests let time pass."""
    return VirtualClock(time.time_ns() - HOUR_NS)


@pytest.fixture(scope="module")
def prepared(clock: VirtualClock, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningAuthority]:
    config = tmp_path_factory.mktemp("tenant") / "tenant.toml"
    config.write_text(TENANT)
    with start_authority(clock, config=config, tls=True) as authority:
        yield authority


@pytest.fixture
def running(prepared: RunningAuthority, monkeypatch: pytest.MonkeyPatch) -> Iterator[RunningAuthority]:
    """The authority, at each test as at its start but for the time, and its CA where httpx looks for one."""
    monkeypatch.setenv("SSL_CERT_FILE", str(prepared.ca_file))
    snapshot = prepared.snapshot()
    yield prepared
    prepared.restore(snapshot)


@pytest.fixture
async def site(running: RunningAuthority, clock: VirtualClock) -> AsyncIterator[Site]:
    made = Site(running, clock, "keeper")
    yield made
    await made.close()


@pytest.fixture
async def rotating_site(running: RunningAuthority, clock: VirtualClock) -> AsyncIterator[Site]:
    made = Site(running, clock, "rotator")
    yield made
    await made.close()


async def test_it_takes_no_certificate_of_an_authority_it_was_not_given(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.session_of("owner")
    required = await site.challenged()
    monkeypatch.delenv("SSL_CERT_FILE")
    with pytest.raises(MfaListAuthenticatorsError) as refused:
        await site.client.mfa.list_authenticators({"mfa_token": required.mfa_token})
    assert "CERTIFICATE_VERIFY_FAILED" in str(refused.value.__cause__)


async def test_it_is_told_what_would_do(site: Site) -> None:
    site.session_of("owner")
    required = await site.challenged()
    assert required.mfa_requirements.enroll is None
    types = {each.type for each in required.mfa_requirements.challenge}
    assert types == {"otp", "phone", "email", "push-notification", "recovery-code"}
    site.session_of("nobody")
    required = await site.challenged()
    assert required.mfa_requirements.challenge is None
    types = {each.type for each in required.mfa_requirements.enroll}
    assert types == {"otp", "phone", "email", "push-notification"}


async def test_it_lists_every_kind_of_authenticator(site: Site) -> None:
    site.session_of("owner")
    required = await site.challenged()
    listed = await site.client.mfa.list_authenticators({"mfa_token": required.mfa_token})
    assert all(each.active for each in listed)
    kinds = [(each.authenticator_type, each.oob_channel, each.type, each.name) for each in listed]
    assert sorted(kinds, key=repr) == [
        ("oob", "auth0", "push-notification", "The owner's phone"),
        ("oob", "email", "email", "own***@stoa.example"),
        ("oob", "sms", "phone", "+1555XXXXXXX"),
        ("otp", None, "otp", None),
        ("otp", None, "otp", None),
        ("recovery-code", None, "recovery-code", None),
    ]


async def test_a_one_time_code_refreshes_the_session(site: Site) -> None:
    site.session_of("owner")
    required = await site.challenged()
    challenge = await site.client.mfa.challenge_authenticator({"mfa_token": required.mfa_token, "factor_type": "otp"})
    assert (challenge.challenge_type, challenge.oob_code) == ("otp", None)
    with pytest.raises(MfaVerifyError) as refused:
        await site.client.mfa.verify({"mfa_token": required.mfa_token, "otp": "not one"})
    assert told(refused) == "invalid_grant"
    verified = await site.client.mfa.verify(
        {"mfa_token": required.mfa_token, "otp": site.one_time_code(), "persist": True}
    )
    assert (verified.token_type, verified.refresh_token, verified.recovery_code) == ("Bearer", None, None)
    # The session has the new access token now, and is not challenged again until that is over.
    assert await site.client.get_access_token() == verified.access_token
    with pytest.raises(MfaVerifyError) as spent:
        await site.client.mfa.verify({"mfa_token": required.mfa_token, "otp": site.one_time_code()})
    assert told(spent) == "expired_token"


@pytest.mark.parametrize(("factor", "listed_as"), [("sms", "phone"), ("email", "email")])
async def test_the_code_of_a_message_refreshes_the_session(site: Site, factor: str, listed_as: str) -> None:
    site.session_of("owner")
    mfa_token = (await site.challenged()).mfa_token
    listed = await site.client.mfa.list_authenticators({"mfa_token": mfa_token})
    (authenticator_id,) = (each.id for each in listed if each.type == listed_as)
    challenge = await site.client.mfa.challenge_authenticator(
        {"mfa_token": mfa_token, "factor_type": factor, "authenticator_id": authenticator_id}
    )
    assert (challenge.challenge_type, challenge.binding_method) == ("oob", "prompt")
    answer = {"mfa_token": mfa_token, "oob_code": challenge.oob_code}
    with pytest.raises(MfaVerifyError, match="binding_code is required"):
        await site.client.mfa.verify(answer)
    verified = await site.client.mfa.verify(answer | {"binding_code": site.code_in_message(factor)})
    assert verified.scope == SCOPE


async def test_a_push_is_waited_for_until_the_phone_approves_it(site: Site) -> None:
    site.session_of("owner")
    mfa_token = (await site.challenged()).mfa_token
    challenge = await site.client.mfa.challenge_authenticator({"mfa_token": mfa_token, "factor_type": "auth0"})
    assert (challenge.challenge_type, challenge.binding_method) == ("oob", None)
    answer = {"mfa_token": mfa_token, "oob_code": challenge.oob_code}
    with pytest.raises(MfaVerifyError) as pending:
        await site.client.mfa.verify(answer)
    assert told(pending) == "authorization_pending"
    with pytest.raises(MfaVerifyError) as hurried:
        await site.client.mfa.verify(answer)
    assert told(hurried) == "slow_down"
    site.running.control.answer_push(approve=True)
    assert (await site.client.mfa.verify(answer)).access_token


async def test_a_push_that_is_refused_is_final(site: Site) -> None:
    refresh_token = site.session_of("owner")
    mfa_token = (await site.challenged()).mfa_token
    challenge = await site.client.mfa.challenge_authenticator({"mfa_token": mfa_token, "factor_type": "auth0"})
    site.running.control.answer_push(approve=False)
    for _ in range(2):
        with pytest.raises(MfaVerifyError, match=r"MFA Authorization rejected\."):
            await site.client.mfa.verify({"mfa_token": mfa_token, "oob_code": challenge.oob_code})
    site.running.set_mfa("never")
    assert site.token(grant_type="refresh_token", refresh_token=refresh_token).status_code == 200


async def test_a_recovery_code_brings_the_next_one(site: Site) -> None:
    code = RECOVERY_CODE
    for _ in range(2):
        site.session_of("owner")
        mfa_token = (await site.challenged()).mfa_token
        verified = await site.client.mfa.verify({"mfa_token": mfa_token, "recovery_code": code})
        assert len(verified.recovery_code) == 24
        assert verified.recovery_code != code
        code = verified.recovery_code
    site.session_of("owner")
    mfa_token = (await site.challenged()).mfa_token
    with pytest.raises(MfaVerifyError) as spent:
        await site.client.mfa.verify({"mfa_token": mfa_token, "recovery_code": RECOVERY_CODE})
    assert told(spent) == "invalid_grant"


@pytest.mark.parametrize("factor", ["otp", "sms", "email", "auth0"])
async def test_the_first_authenticator_is_associated_and_confirmed(site: Site, factor: str) -> None:
    site.session_of("nobody")
    mfa_token = (await site.challenged()).mfa_token
    assert await site.client.mfa.list_authenticators({"mfa_token": mfa_token}) == []
    recipient = {"sms": {"phone_number": "+15557654321"}, "email": {"email": "nobody@porch.example"}}
    enrolled = await site.client.mfa.enroll_authenticator(
        {"mfa_token": mfa_token, "factor_type": factor, **recipient.get(factor, {})}
    )
    (recovery_code,) = enrolled.recovery_codes
    if factor == "otp":
        assert pyotp.parse_uri(enrolled.barcode_uri).secret == enrolled.secret
        answer = {"otp": site.one_time_code(enrolled.secret)}
    elif factor == "auth0":
        assert (enrolled.oob_channel, enrolled.binding_method) == ("auth0", None)
        assert enrolled.barcode_uri.startswith("otpauth://totp/")
        site.running.control.answer_push(approve=True, user="nobody@stoa.example")
        answer = {"oob_code": enrolled.oob_code}
    else:
        assert (enrolled.oob_channel, enrolled.binding_method) == (factor, "prompt")
        answer = {"oob_code": enrolled.oob_code, "binding_code": site.code_in_message(factor)}
    verified = await site.client.mfa.verify({"mfa_token": mfa_token, **answer})
    assert verified.access_token

    site.session_of("nobody")
    again = (await site.challenged()).mfa_token
    listed = await site.client.mfa.list_authenticators({"mfa_token": again})
    assert all(each.active for each in listed)
    assert len(listed) == (3 if factor == "auth0" else 2)
    with pytest.raises(MfaEnrollmentError, match="User is already enrolled"):
        await site.client.mfa.enroll_authenticator({"mfa_token": again, "factor_type": "otp"})
    assert (await site.client.mfa.verify({"mfa_token": again, "recovery_code": recovery_code})).recovery_code


async def test_who_has_nothing_is_told_to_associate_first(site: Site) -> None:
    site.session_of("nobody")
    mfa_token = (await site.challenged()).mfa_token
    with pytest.raises(MfaChallengeError) as refused:
        await site.client.mfa.challenge_authenticator({"mfa_token": mfa_token, "factor_type": "otp"})
    assert told(refused) == "association_required"


async def test_a_chain_of_two_factors_is_walked_with_a_token_for_each(site: Site) -> None:
    site.session_of("owner")
    site.running.control.set_mfa("always", factors=2)
    first = (await site.challenged()).mfa_token
    with pytest.raises(MfaRequiredError) as chained:
        await site.client.mfa.verify({"mfa_token": first, "otp": site.one_time_code()})
    assert "otp" not in {each.type for each in chained.value.mfa_requirements.challenge}
    second = chained.value.mfa_token
    challenge = await site.client.mfa.challenge_authenticator({"mfa_token": second, "factor_type": "auth0"})
    site.running.control.answer_push(approve=True)
    assert (await site.client.mfa.verify({"mfa_token": second, "oob_code": challenge.oob_code})).access_token


# It calls a method of pydantic's that is deprecated.
@pytest.mark.filterwarnings("ignore:The `dict` method is deprecated:DeprecationWarning")
async def test_the_id_token_of_a_first_sign_in_passes_its_checks_and_begins_a_session(site: Site) -> None:
    """By the discovery document, the keys it names, `iss`, `aud`, `exp` and `iat`."""
    site.session_of("owner")
    mfa_token = (await site.challenged()).mfa_token
    site.store.kept.clear()
    verified = await site.client.mfa.verify({"mfa_token": mfa_token, "otp": site.one_time_code(), "persist": True})
    session = await site.client.get_session()
    assert session["id_token"] == verified.id_token
    assert (await site.client.get_user())["sub"]
    assert await site.client.get_access_token() == verified.access_token


async def test_a_rotated_refresh_token_is_in_the_answer(rotating_site: Site) -> None:
    refresh_token = rotating_site.session_of("owner")
    mfa_token = (await rotating_site.challenged()).mfa_token
    verified = await rotating_site.client.mfa.verify(
        {"mfa_token": mfa_token, "otp": rotating_site.one_time_code(), "persist": True}
    )
    assert verified.refresh_token not in (None, refresh_token)
    rotating_site.running.set_mfa("never")
    fields = {"grant_type": "refresh_token", "refresh_token": verified.refresh_token}
    assert rotating_site.token(**fields).status_code == 200
    # The SDK (1.0.0b20) keeps the token it had: it is for who uses it to keep the one it was given.
    assert rotating_site.store.kept[STATE]["refresh_token"] == refresh_token
