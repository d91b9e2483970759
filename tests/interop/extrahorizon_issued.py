"""What Extra Horizon's endpoints have given out, for requests of the fuzzer to bring."""

from __future__ import annotations

from dataclasses import replace

import pyotp
import pytest

from host_tools.authority import RunningAuthority
from host_tools.authority.core.object_ids import object_id
from host_tools.authority.core.records import User, fingerprint
from host_tools.authority.core.token_endpoint import Credentials, Tokens
from host_tools.authority.core.user_mfa_errors import MfaMethodRequired
from host_tools.clock import NS, VirtualClock

CLIENT_SECRET = "the-secret-of-the-confidential-client"


def issued_by_extrahorizon(
    running: RunningAuthority, clock: VirtualClock
) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    """The values and the bearer tokens of test_schemathesis.Rehearsed: a user with MFA set up, who has turned it off
    since, and two logins that were held while it was on."""
    core, tenant = running._authority, running.tenant
    public = replace(running.control.client(tenant.client_id), client_id="public")
    core.store.put(public)
    core.store.put(replace(public, client_id="confidential", secret_hash=fingerprint(CLIENT_SECRET)))
    (user,) = core.store.find(User)
    sent = Credentials("public")

    def password() -> Tokens:
        clock.sleep_ns(NS)
        return core.user_mfa_grants.password(sent, tenant.demo_user, tenant.demo_password)

    def held() -> str:
        with pytest.raises(MfaMethodRequired) as challenged:
            password()
        return challenged.value.mfa_token

    granted, ended = password(), password()
    core.refresh_tokens.revoke(ended.refresh_token or "", public, whole_grant=False)
    rotated = core.user_mfa_grants.refresh(sent, granted.refresh_token or "")
    recovery, codes = core.user_mfa.add_recovery_codes(user.user_id, "Recovery Codes", ())
    totp = core.user_mfa.add_totp(user.user_id, "Google Authenticator", ("selected",))
    core.authenticators.confirm(totp)
    # Of the same secret, so that one code is right for both.
    unverified = replace(totp, authenticator_id="unverified", active=False)
    core.store.put(unverified)
    core.user_mfa.enable(user.user_id)
    mfa_tokens = [held(), held()]
    core.user_mfa.disable(user.user_id)
    presence_token, _ = core.presence_tokens.issue(user.user_id)
    another_s, _ = core.presence_tokens.issue("another")
    clock.sleep_ns(60 * NS)  # the next login is not too soon
    values = {
        "username": [tenant.demo_user],
        "password": [tenant.demo_password],
        "refresh_token": [rotated.refresh_token or "", granted.refresh_token or "", ended.refresh_token or ""],
        "token": mfa_tokens,
        "method_id": [object_id(each.authenticator_id) for each in (totp, recovery, unverified)],
        "{method_id}": [object_id(each.authenticator_id) for each in (unverified, totp, recovery)],
        "code": [pyotp.TOTP(totp.secret).at(clock.now_ns() // NS), codes[0]],
        "user_id": [object_id(user.user_id)],
        "presenceToken": [presence_token, another_s],
    }
    return values, {"bearer": [granted.access_token, ended.access_token]}
