"""What an authority tells whoever started it, and whose time its people live in."""

from __future__ import annotations

import httpx2
import pyotp
import pytest

from host_tools.authority import start_authority
from host_tools.clock import NS, RealClock, VirtualClock, now_s
from host_tools.rehearsal.person import PersonStuck, approve

DAY_NS = 86400 * NS


def pair(running, one_time_code):
    tenant = running.tenant
    form = {"client_id": tenant.client_id, "scope": tenant.scope}
    grant = httpx2.post(f"{running.issuer}oauth/device/code", data=form).json()
    approve(grant["verification_uri"], grant["user_code"], tenant.demo_user, tenant.demo_password, one_time_code)
    return grant


def test_requests_are_told_by_method_path_and_status_alone():
    told = []
    with start_authority(RealClock(), on_request=lambda *what: told.append(what)) as running:
        httpx2.get(f"{running.issuer}activate?user_code=SECR-ETXX")
        httpx2.post(f"{running.issuer}oauth/token", data={"grant_type": "refresh_token", "refresh_token": "secret"})
    assert [line[:2] for line in told] == [("GET", "/activate"), ("POST", "/oauth/token")]
    assert told[1][2] >= 400
    assert "secret" not in str(told).lower()


def test_a_telephone_keeps_the_time_of_its_owner():
    real = RealClock()
    ahead = VirtualClock(real.now_ns() + 3 * DAY_NS)
    with start_authority(ahead, mfa="always", person_clock=real) as running:
        totp = pyotp.TOTP(running.tenant.totp_secret)
        with pytest.raises(PersonStuck):
            pair(running, lambda: totp.at(now_s(ahead)))
        pair(running, totp.now)
