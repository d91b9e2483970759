"""The factors of Okta's API on the wire: what it calls them, and what it tells of each.

A factor's id is the prefix of its kind and the authenticator's own id. One-time codes are GOOGLE's (any app's) or
OKTA's: those of Okta Verify, which a phone for push shows as well.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from host_tools.authority.core.authn_errors import InvalidMember, UnknownFactor
from host_tools.authority.core.mfa_transactions import ENROLLABLE
from host_tools.authority.core.records import Authenticator, Factor

OKTA_VERIFY = "Okta Verify"  # what an authenticator of one-time codes is called that is OKTA's


class Kind(NamedTuple):
    """factorType and provider. prefix: of a factor's id."""

    factor_type: str
    provider: str
    factor: Factor
    prefix: str


# Those that may be enrolled, in the order in which they are offered.
KINDS = (
    Kind("token:software:totp", "OKTA", "otp", "ost"),
    Kind("token:software:totp", "GOOGLE", "otp", "uft"),
    Kind("sms", "OKTA", "sms", "sms"),
    Kind("email", "OKTA", "email", "emf"),
    Kind("push", "OKTA", "push", "opf"),
)
assert {each.factor for each in KINDS} == {*ENROLLABLE}


def kind_of(authenticator: Authenticator) -> Kind:
    verified_by_okta = authenticator.twin_id is not None or authenticator.name == OKTA_VERIFY
    provider = "OKTA" if authenticator.factor != "otp" or verified_by_okta else "GOOGLE"
    return next(each for each in KINDS if (each.factor, each.provider) == (authenticator.factor, provider))


def kind_named(factor_type: str, provider: str) -> Kind:
    """Raises InvalidMember for what nobody may enrol."""
    for each in KINDS:
        if (each.factor_type, each.provider) == (factor_type, provider):
            return each
    at_fault = "factorType" if factor_type not in {each.factor_type for each in KINDS} else "provider"
    known = ", ".join(f"{each.factor_type} of {each.provider}" for each in KINDS)
    raise InvalidMember(at_fault, f"{at_fault}: It is none of {known}.")


def name_for(kind: Kind, phone_number: str) -> str:
    """What an authenticator of this kind is called."""
    return {"otp": OKTA_VERIFY if kind.provider == "OKTA" else "", "sms": phone_number}.get(kind.factor, "")


def wire_id(authenticator: Authenticator) -> str:
    return f"{kind_of(authenticator).prefix}{authenticator.authenticator_id}"


def authenticator_id(factor_id: str) -> str:
    """Raises UnknownFactor for an id that has the prefix of no kind."""
    if factor_id[:3] not in {each.prefix for each in KINDS}:
        raise UnknownFactor(factor_id)
    return factor_id[3:]


def told(authenticator: Authenticator, username: str) -> dict[str, Any]:
    """Of one that the user has, or is about to have."""
    kind = kind_of(authenticator)
    return {
        "id": wire_id(authenticator),
        "factorType": kind.factor_type,
        "provider": kind.provider,
        "vendorName": kind.provider,
        "profile": _profile(authenticator, username),
    }


def offered(kind: Kind) -> dict[str, Any]:
    """Of one that may be enrolled."""
    return {"factorType": kind.factor_type, "provider": kind.provider, "vendorName": kind.provider}


def _profile(authenticator: Authenticator, username: str) -> dict[str, Any]:
    if authenticator.factor == "sms":
        return {"phoneNumber": masked_number(authenticator.name)}
    if authenticator.factor == "email":
        return {"email": masked_address(authenticator.name)}
    if authenticator.factor == "push":
        return {"credentialId": username, "name": authenticator.name}
    return {"credentialId": username}


def masked_number(number: str) -> str:
    """`+1 XXX-XXX-1337`, as Okta shows a North American one; of others all but the last four digits is hidden."""
    if number.startswith("+1") and len(number) == 12:
        return f"+1 XXX-XXX-{number[-4:]}"
    return f"+{'X' * (len(number) - 5)}{number[-4:]}"


def masked_address(address: str) -> str:
    """`d...y@example.com`."""
    local, _, domain = address.rpartition("@")
    return f"{local[0]}...{local[-1]}@{domain}"
