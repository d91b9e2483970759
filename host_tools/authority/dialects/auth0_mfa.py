"""Auth0's MFA API on the wire: /mfa/authenticators, /mfa/associate, /mfa/challenge, the mfa grants (wire-facts 1.5)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from host_tools.authority.core.authenticators import masked
from host_tools.authority.core.authority import Authority
from host_tools.authority.core.challenges import Sent
from host_tools.authority.core.errors import InvalidRequest, InvalidToken
from host_tools.authority.core.faults import Endpoint
from host_tools.authority.core.mfa_api import AuthenticatorName, Enrolment
from host_tools.authority.core.otpauth import enrolment_uri
from host_tools.authority.core.records import Authenticator, Factor
from host_tools.authority.dialects import oauth
from host_tools.authority.dialects.auth0_refusals import REQUIREMENT_TYPES, bearer_refusal, refusal
from host_tools.authority.dialects.oauth import Call
from host_tools.authority.parameters import FORM, JSON, Parameters

ENDPOINTS: dict[str, Endpoint] = {
    "/mfa/authenticators": "mfa",
    "/mfa/associate": "mfa",
    "/mfa/challenge": "mfa",
}
_ID_PREFIXES = {
    "otp": "totp",
    "sms": "sms",
    "email": "email",
    "push": "push",
    "recovery-code": "recovery-code",
}
_FACTOR_OF = {prefix: factor for factor, prefix in _ID_PREFIXES.items()}
_CHANNELS: dict[str, Factor] = {"sms": "sms", "email": "email", "auth0": "push"}
_RECIPIENTS = {"sms": "phone_number", "email": "email"}
_CHANNEL_OF: dict[str, str] = {factor: channel for channel, factor in _CHANNELS.items()}


def routes(authority: Authority) -> list[Route]:
    endpoints = _Endpoints(authority)
    return [
        oauth.bodyless("/mfa/authenticators", "GET", endpoints.authenticators, bearer_refusal),
        oauth.bodyless("/mfa/authenticators/{authenticator_id}", "DELETE", endpoints.remove, bearer_refusal),
        oauth.post("/mfa/associate", endpoints.associate, bearer_refusal, (JSON, FORM)),
        oauth.post("/mfa/challenge", endpoints.challenge, refusal, (JSON, FORM)),
    ]


def _otp(authority: Authority, call: Call) -> Response:
    sent = call.sent
    return oauth.granted(authority.mfa_grants.otp(call.credentials, sent.required("mfa_token"), sent.required("otp")))


def _oob(authority: Authority, call: Call) -> Response:
    sent = call.sent
    mfa_token, oob_code = sent.required("mfa_token"), sent.required("oob_code")
    return oauth.granted(authority.mfa_grants.oob(call.credentials, mfa_token, oob_code, sent.get("binding_code")))


def _recovery_code(authority: Authority, call: Call) -> Response:
    mfa_token, code = call.sent.required("mfa_token"), call.sent.required("recovery_code")
    return oauth.granted(authority.mfa_grants.recovery_code(call.credentials, mfa_token, code))


GRANTS: dict[str, Callable[[Authority, Call], Response]] = {
    "http://auth0.com/oauth/grant-type/mfa-otp": _otp,
    "http://auth0.com/oauth/grant-type/mfa-oob": _oob,
    "http://auth0.com/oauth/grant-type/mfa-recovery-code": _recovery_code,
}


class _Endpoints:
    def __init__(self, authority: Authority) -> None:
        self._authority = authority

    def authenticators(self, call: Call, path: Mapping[str, Any]) -> Response:
        listed = self._authority.mfa_api.authenticators(_bearer(call))
        return JSONResponse([_listed(each) for each in listed], headers=oauth.NO_STORE)

    def remove(self, call: Call, path: Mapping[str, Any]) -> Response:
        self._authority.mfa_api.remove(_bearer(call), _named(path["authenticator_id"]))
        return Response(status_code=204, headers=oauth.NO_STORE)

    def associate(self, call: Call) -> Response:
        sent = call.sent
        factor = _factor(sent)
        name = sent.get(_RECIPIENTS[factor]) if factor in _RECIPIENTS else None
        enrolment = self._authority.mfa_api.associate(_bearer(call), factor, name)
        return JSONResponse(self._enrolled(enrolment), headers=oauth.NO_STORE)

    def challenge(self, call: Call) -> Response:
        sent = call.sent
        wanted = sent.get("authenticator_id")
        challenged = self._authority.mfa_api.challenge(
            call.credentials,
            sent.required("mfa_token"),
            (sent.get("challenge_type") or "otp oob").split(),
            _named(wanted) if wanted else None,
        )
        body = {"challenge_type": "otp"} if challenged is None else {"challenge_type": "oob", **_sent(challenged)}
        return JSONResponse(body, headers=oauth.NO_STORE)

    def _enrolled(self, enrolment: Enrolment) -> dict[str, Any]:
        made = enrolment.authenticator
        body: dict[str, Any] = {"authenticator_type": "otp" if made.factor == "otp" else "oob"}
        if enrolment.sent is not None:
            body |= {"oob_channel": _CHANNEL_OF[made.factor], **_sent(enrolment.sent)}
        if made.factor == "otp":
            body["secret"] = made.secret
        if made.factor in ("otp", "push"):
            body["barcode_uri"] = enrolment_uri(self._authority.issuer, enrolment.username, made)
        if enrolment.recovery_code is not None:
            body["recovery_codes"] = [enrolment.recovery_code]
        return body


def _bearer(call: Call) -> str:
    if call.bearer is None:
        raise InvalidToken("Send the mfa_token, or an access token, as a Bearer token.")
    return call.bearer


def _factor(sent: Parameters) -> Factor:
    types = sent.required("authenticator_types").split()
    if types == ["otp"]:
        return "otp"
    if types != ["oob"]:
        raise InvalidRequest("authenticator_types is one of otp, oob.")
    channel, *_ = sent.required("oob_channels").split() or [""]
    if channel not in _CHANNELS:
        raise InvalidRequest(f"oob_channels is one of {', '.join(_CHANNELS)}.")
    return _CHANNELS[channel]


def _listed(authenticator: Authenticator) -> dict[str, Any]:
    factor = authenticator.factor
    body: dict[str, Any] = {
        "id": f"{_ID_PREFIXES[factor]}|dev_{authenticator.authenticator_id}",
        "authenticator_type": factor if factor in ("otp", "recovery-code") else "oob",
        "type": REQUIREMENT_TYPES[factor],
        "active": bool(authenticator.active),
    }
    if factor in _CHANNEL_OF:
        body |= {"oob_channel": _CHANNEL_OF[factor], "name": masked(authenticator)}
    return body


def _sent(sent: Sent) -> dict[str, str]:
    return {"oob_code": sent.oob_code, **({"binding_method": "prompt"} if sent.prompt else {})}


def _named(wire_id: str) -> AuthenticatorName:
    """A prefix that we give to none is no factor's, so that nothing is called so."""
    prefix, _, authenticator_id = wire_id.partition("|dev_")
    return AuthenticatorName(_FACTOR_OF.get(prefix, ""), authenticator_id)
