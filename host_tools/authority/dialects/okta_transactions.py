"""A sign-in on Okta's wire: its state, what is embedded in it, and the links that lead on (JSON HAL)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from host_tools.authority.core.authenticators import STEP_S
from host_tools.authority.core.authn_transactions import Standing
from host_tools.authority.core.device_choices import DeviceChoices
from host_tools.authority.core.records import Authenticator, User
from host_tools.authority.dialects import okta_factors, okta_policy
from host_tools.authority.dialects.okta_factors import KINDS
from host_tools.clock import NS

PATH = "/api/v1/authn"
_CODE_DIGITS = 6
_RESENDS = ("sms", "email", "push")


class Rendering:
    def __init__(self, issuer: str, devices: DeviceChoices) -> None:
        self._base = f"{issuer.rstrip('/')}{PATH}"
        self._users = f"{issuer.rstrip('/')}/api/v1/users"
        self._devices = devices

    def body(self, standing: Standing) -> dict[str, Any]:
        told: dict[str, Any] = {"expiresAt": moment(standing.expires_at), "status": standing.status}
        if standing.state_token:
            told = {"stateToken": standing.state_token, **told}
        if standing.relay_state:
            told["relayState"] = standing.relay_state
        if standing.session_token:
            told["sessionToken"] = standing.session_token
        if standing.factor_result:
            told["factorResult"] = standing.factor_result
        told["_embedded"] = {"user": _user(standing.user), **self._embedded(standing)}
        if standing.state_token:
            told["_links"] = self._links(standing)
        return told

    def locked_out(self) -> dict[str, Any]:
        return {"status": "LOCKED_OUT", "_links": {"next": self._link("recovery/unlock", "unlock")}}

    def _embedded(self, standing: Standing) -> dict[str, Any]:
        embedded: dict[str, Any] = {}
        username, policy = standing.user.username, self._devices.policy
        if standing.status == "MFA_REQUIRED":
            embedded["factors"] = [
                {**okta_factors.told(each, username), "_links": {"verify": self._factor_link(each, "verify")}}
                for each in standing.factors
            ]
        elif standing.status == "MFA_ENROLL":
            embedded["factors"] = self._offered(standing)
        elif standing.factor is not None:
            embedded["factor"] = okta_factors.told(standing.factor, username)
            if standing.status == "MFA_ENROLL_ACTIVATE" and standing.qr:
                embedded["factor"]["_embedded"] = {"activation": self._activation(standing, standing.factor)}
        user_id, device = standing.user.user_id, standing.device
        remembers = self._devices.by_default(user_id, device)
        if standing.status in ("MFA_REQUIRED", "MFA_CHALLENGE"):
            pushes = okta_policy.pushing(standing.factors, self._devices.sends_push(user_id, device))
            embedded["policy"] = okta_policy.shipped(policy, remembers, pushes)
        evaluation = okta_policy.evaluation(policy, standing.status, remembers)
        if evaluation is not None:
            embedded["policyEvaluation"] = evaluation
        return embedded

    def _offered(self, standing: Standing) -> list[dict[str, Any]]:
        """What may be enrolled, and what was in this sign-in."""
        has = {okta_factors.kind_of(each) for each in standing.factors}
        return [
            {**okta_factors.offered(each), "status": "ACTIVE", "enrollment": "OPTIONAL"}
            if each in has
            else {
                **okta_factors.offered(each),
                "status": "NOT_SETUP",
                "enrollment": "OPTIONAL",
                "_links": {"enroll": self._link("factors")},
            }
            for each in KINDS
        ]

    def _activation(self, standing: Standing, factor: Authenticator) -> dict[str, Any]:
        user, factor_id = quote(standing.user.user_id, safe=""), okta_factors.wire_id(factor)
        qr = {"href": f"{self._users}/{user}/factors/{factor_id}/qr/{standing.qr}", "type": "image/png"}
        if factor.factor == "otp":
            return {
                "timeStep": STEP_S,
                "sharedSecret": factor.secret,
                "encoding": "base32",
                "keyLength": _CODE_DIGITS,
                "_links": {"qrcode": qr},
            }
        if standing.factor_result == "WAITING" and standing.challenge_expires_at is not None:
            return {"expiresAt": moment(standing.challenge_expires_at), "_links": {"qrcode": qr}}
        return {
            "factorResult": standing.factor_result,
            "_links": {"activate": self._factor_link(factor, "lifecycle/activate")},
        }

    def _links(self, standing: Standing) -> dict[str, Any]:
        links: dict[str, Any] = {}
        factor, waits = standing.factor, standing.factor_result == "WAITING"
        if standing.status == "MFA_CHALLENGE" and factor is not None:
            links["next"] = self._factor_link(factor, "verify", "poll" if waits else "verify")
        elif standing.status == "MFA_ENROLL_ACTIVATE" and factor is not None:
            way = "lifecycle/activate/poll" if waits else "lifecycle/activate"
            links["next"] = self._factor_link(factor, way, "poll" if waits else "activate")
        links["cancel"] = self._link("cancel")
        if standing.status in ("MFA_CHALLENGE", "MFA_ENROLL_ACTIVATE"):
            links["prev"] = self._link("previous")
        if standing.may_skip:
            links["skip"] = self._link("skip", "skip")
        if factor is not None and factor.factor in _RESENDS:
            if standing.status == "MFA_CHALLENGE":
                links["resend"] = [self._factor_link(factor, "verify/resend", factor.factor)]
            elif factor.factor != "push":
                links["resend"] = [self._factor_link(factor, "lifecycle/resend", factor.factor)]
        return links

    def _factor_link(self, factor: Authenticator, way: str, name: str | None = None) -> dict[str, Any]:
        return self._link(f"factors/{okta_factors.wire_id(factor)}/{way}", name)

    def _link(self, way: str, name: str | None = None) -> dict[str, Any]:
        named = {} if name is None else {"name": name}
        return {**named, "href": f"{self._base}/{way}", "hints": {"allow": ["POST"]}}


def moment(at_ns: int) -> str:
    """`2015-11-03T10:15:57.000Z`."""
    seconds, rest = divmod(at_ns, NS)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest // 1_000_000:03d}Z"


def _user(user: User) -> dict[str, Any]:
    """Its names are made of the address, all that is known of a person here."""
    names = [each.capitalize() for each in user.username.partition("@")[0].split(".") if each]
    profile = {
        "login": user.username,
        "firstName": names[0] if names else "",
        "lastName": " ".join(names[1:]),
        "locale": "en",
        "timeZone": "UTC",
    }
    return {"id": user.user_id, "passwordChanged": None, "profile": profile}
