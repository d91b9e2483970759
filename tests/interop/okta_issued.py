"""What a request to Okta's sign-in API can bring, by its address: sign-ins that wait for that very request."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pyotp

from host_tools.authority import RunningAuthority
from host_tools.authority.core.records import Authenticator, User
from host_tools.authority.core.users import hash_password
from host_tools.authority.dialects.okta_authn import FACTOR, QR
from host_tools.authority.dialects.okta_factors import wire_id
from host_tools.authority.dialects.okta_transactions import PATH
from host_tools.clock import NS, VirtualClock

NEWCOMER = ("new@stoa.example", "a password of somebody without a factor")
Values = dict[str, list[str]]


def issue_okta(running: RunningAuthority, clock: VirtualClock) -> dict[str, Values]:
    """By the path of the operation; the first value of each opens most."""
    core, tenant, control = running._authority, running.tenant, running.control
    core.store.put(User("00unewcomer", NEWCOMER[0], hash_password(NEWCOMER[1])))
    control.set_mfa("always")
    demo = (tenant.demo_user, tenant.demo_password)
    factors = {each.factor: each for each in control.authenticators(tenant.demo_user)}
    app = next(each for each in control.authenticators(tenant.demo_user) if each.secret == tenant.totp_secret)

    def begun(who: tuple[str, str], more: bool = False) -> str:
        return core.authn.begin(*who, enrols_more=more).state_token

    def challenged(factor: str) -> str:
        state_token = begun(demo)
        core.authn_factors.verify(state_token, factors[factor].authenticator_id, None)
        return state_token

    def enrolling(factor: str, name: str = "", more: bool = False) -> tuple[str, Authenticator]:
        state_token = begun(NEWCOMER, more)
        made = core.authn_enrolment.begin(state_token, factor, name).factor  # type: ignore[arg-type]
        assert made is not None
        return state_token, made

    def code(secret: str) -> str:
        return pyotp.TOTP(secret).at(clock.now_ns() // NS)

    texted, pushed = challenged("sms"), challenged("push")
    by_app, made = enrolling("otp")
    mailed, to_mail = enrolling("email")
    waiting, phone = enrolling("push")
    skipping = begun(NEWCOMER, more=True)
    clock.sleep_ns(31 * NS)  # messages may be sent again
    picture = core.authn.look(by_app).qr
    required, choosing = begun(demo), begun(NEWCOMER)
    core.store.put(_enrolled(core, skipping))
    control.set_mfa("never")
    spoilt = [required, texted, by_app, "00never"]

    def at(state_token: str, factor: Authenticator | None = None, passcode: str = "000000") -> Values:
        values = {"stateToken": [state_token, *spoilt], "passCode": [passcode, "000000"]}
        if factor is not None:
            values["factor_id"] = [wire_id(factor), wire_id(factors["sms"]), wire_id(made), "ostnone"]
        return values

    return {
        PATH: {"username": [tenant.demo_user], "password": [tenant.demo_password], "stateToken": [required, *spoilt]},
        f"{PATH}/introspect": at(required),
        f"{PATH}/factors": at(choosing) | {"phoneNumber": ["+15551234567"]},
        f"{FACTOR}/verify": at(required, app, code(tenant.totp_secret)),
        f"{FACTOR}/verify/resend": at(texted, factors["sms"]),
        f"{FACTOR}/lifecycle/activate": at(by_app, made, code(made.secret)),
        f"{FACTOR}/lifecycle/activate/poll": at(waiting, phone),
        f"{FACTOR}/lifecycle/resend": at(mailed, to_mail),
        f"{PATH}/previous": at(pushed),
        f"{PATH}/skip": at(skipping),
        f"{PATH}/cancel": at(required),
        QR: {"user_id": ["00unewcomer"], "factor_id": [wire_id(made)], "qr": [picture]},
    }


def _enrolled(core: Any, state_token: str) -> Any:
    """The transaction as if a factor had been enrolled in it: then the others may be skipped."""
    return replace(core.authn_enrolment._transactions.find(state_token), enrolled="one")
