"""npm's openid-client as a device of our authority: it pairs, refreshes, and is told of MFA."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx2
import jwt
import pytest

from host_tools.authority import SlowDown
from tests.interop.mirrored_clock import MirroredClock
from tests.interop.openid_client import OpenidClient, Refused
from tests.interop.ours import OwnAuthority, own_authority


@pytest.fixture(scope="module", params=["http", "https"])
def ours(clock: MirroredClock, request: pytest.FixtureRequest) -> Iterator[OwnAuthority]:
    dialect = "rfc" if request.param == "rfc" else "auth0"
    with own_authority(clock, tls=request.param == "https", dialect=dialect) as authority:
        yield authority


@pytest.fixture(scope="module")
def openid_client(clock: MirroredClock, ours: OwnAuthority) -> Iterator[OpenidClient]:
    with OpenidClient(clock, trust=ours.running.ca_file) as client:
        yield client


@pytest.fixture
def device(ours: OwnAuthority, openid_client: OpenidClient) -> OpenidClient:
    """It knows the server; nobody is asked for a second factor yet."""
    ours.running.set_mfa("never")
    ours.running.control.lift_faults()
    ours.heard.requests.clear()
    openid_client.discover(ours.running.issuer, ours.running.tenant.client_id)
    return openid_client


@pytest.fixture
def asked(device: OpenidClient, ours: OwnAuthority) -> dict[str, Any]:
    """What the device has been given to show."""
    return device.ask(scope=ours.running.tenant.scope, audience=ours.running.tenant.audience)


@pytest.fixture
def paired(device: OpenidClient, ours: OwnAuthority, asked: dict[str, Any]) -> dict[str, Any]:
    """The tokens of a device that somebody has just approved."""
    ours.person.approve(asked)
    return device.poll()


def polls(ours: OwnAuthority) -> list[tuple[int, int]]:
    """When, in seconds after the code was given, and what each poll was answered."""
    asked_at = next(
        at for at, path, _ in ours.heard.requests if path in ("/oauth/device/code", "/device_authorization")
    )
    return [(at - asked_at, status) for at, path, status in ours.heard.requests if path in ("/oauth/token", "/token")]


def test_it_finds_the_server_by_its_issuer_alone(device: OpenidClient, ours: OwnAuthority) -> None:
    metadata = device.discover(ours.running.issuer, ours.running.tenant.client_id)
    assert metadata["issuer"] == ours.running.issuer
    assert metadata["device_authorization_endpoint"].startswith(ours.running.issuer)


@pytest.mark.parametrize("ours", ["https"], indirect=True)
def test_it_takes_no_certificate_of_an_authority_it_was_not_given(ours: OwnAuthority, clock: MirroredClock) -> None:
    with OpenidClient(clock) as stranger, pytest.raises(Refused) as refused:
        stranger.discover(ours.running.issuer, ours.running.tenant.client_id)
    assert "certificate" in refused.value.cause


def test_it_pairs_while_a_person_takes_their_time(
    device: OpenidClient, ours: OwnAuthority, asked: dict[str, Any]
) -> None:
    ours.somebody_approves(asked, after_s=12)
    tokens = device.poll()
    assert polls(ours) == [(5, 403), (10, 403), (15, 200)]
    metadata = device.discover(ours.running.issuer, ours.running.tenant.client_id)
    keys = httpx2.get(metadata["jwks_uri"], verify=ours.person.trust).json()
    claims = jwt.decode(
        tokens["access_token"],
        jwt.PyJWK(keys["keys"][0]),
        algorithms=["RS256"],
        audience=ours.running.tenant.audience,
        issuer=ours.running.issuer,
        # pyjwt reads the machine's time, which is not the authority's.
        options={"verify_exp": False, "verify_iat": False},
    )
    assert claims["scope"] == ours.running.tenant.scope
    assert tokens["expires_in"] == 3600


def test_each_refresh_gives_the_next_token_and_an_old_one_ends_them_all(
    device: OpenidClient, paired: dict[str, Any]
) -> None:
    first = paired["refresh_token"]
    second = device.refresh(first)["refresh_token"]
    third = device.refresh(second)["refresh_token"]
    assert len({first, second, third}) == 3
    for token in (first, third):
        with pytest.raises(Refused) as refused:
            device.refresh(token)
        assert (refused.value.error, refused.value.status) == ("invalid_grant", 403)


def test_with_mfa_on_for_everything_a_refresh_is_refused_with_an_mfa_token_and_costs_nothing(
    device: OpenidClient, ours: OwnAuthority, paired: dict[str, Any]
) -> None:
    ours.running.set_mfa("rule")
    with pytest.raises(Refused) as refused:
        device.refresh(paired["refresh_token"])
    assert (refused.value.error, refused.value.status) == ("mfa_required", 403)
    assert refused.value.cause["mfa_token"].startswith("Fe26.2*")
    ours.running.set_mfa("never")
    assert device.refresh(paired["refresh_token"])["access_token"]


def test_told_to_slow_down_it_waits_five_seconds_longer_each_time_and_is_served(
    device: OpenidClient, ours: OwnAuthority, asked: dict[str, Any]
) -> None:
    ours.running.control.set_fault(SlowDown(times=2))
    ours.somebody_approves(asked, after_s=31)
    assert device.poll()["access_token"]
    assert polls(ours) == [(5, 429), (15, 429), (30, 403), (45, 200)]


def test_a_refusal_ends_its_polling(device: OpenidClient, ours: OwnAuthority, asked: dict[str, Any]) -> None:
    ours.person.deny(asked)
    with pytest.raises(Refused) as refused:
        device.poll()
    assert (refused.value.error, refused.value.status) == ("access_denied", 403)
    assert polls(ours) == [(5, 403)]


def test_a_code_nobody_enters_expires_and_is_told_so_once(
    device: OpenidClient, ours: OwnAuthority, asked: dict[str, Any]
) -> None:
    ours.running.control.advance_clock(asked["expires_in"])
    for error in ("expired_token", "invalid_grant"):
        with pytest.raises(Refused) as refused:
            device.poll()
        assert (refused.value.error, refused.value.status) == (error, 403)


def test_what_it_revokes_is_refused_from_then_on(device: OpenidClient, paired: dict[str, Any]) -> None:
    device.revoke(paired["refresh_token"])
    with pytest.raises(Refused) as refused:
        device.refresh(paired["refresh_token"])
    assert refused.value.error == "invalid_grant"


@pytest.mark.parametrize("ours", ["rfc"], indirect=True)
def test_the_wire_of_the_rfcs_serves_it_as_well(
    device: OpenidClient, ours: OwnAuthority, asked: dict[str, Any]
) -> None:
    ours.running.control.set_fault(SlowDown(times=1))
    ours.somebody_approves(asked, after_s=12)
    first = device.poll()["refresh_token"]
    assert polls(ours) == [(5, 400), (15, 200)]
    second = device.refresh(first)["refresh_token"]
    assert second != first
    device.revoke(second)
    with pytest.raises(Refused) as refused:
        device.refresh(second)
    assert (refused.value.error, refused.value.status) == ("invalid_grant", 400)
