"""A fuzzer that nobody here wrote, on every operation of the OpenAPI document, over real HTTP.

Each request meets an authority as it was when everything had just been issued, so that what it brings is good; and most
bring something that is. What is not in the document at all, tests/authority/test_raw_requests.py sends.
"""

from __future__ import annotations

import base64
import random
import re
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pyotp
import pytest
import requests
import schemathesis
from argon2 import PasswordHasher
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.config import SchemathesisConfig
from schemathesis.core import NOT_SET
from schemathesis.generation.meta import TestPhase
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from host_tools.authority import RateLimit, RunningAuthority, Snapshot, openapi, start_authority, tenant_file
from host_tools.authority.core import users
from host_tools.authority.core.errors import MfaRequired
from host_tools.authority.core.fault_kinds import Endpoint
from host_tools.authority.core.mfa_api import AuthenticatorName
from host_tools.authority.core.records import AuthorizationCode, DeviceGrant, User, fingerprint
from host_tools.authority.core.token_endpoint import MFA_SCOPES, Credentials
from host_tools.authority.dialects import DIALECTS, DialectName
from host_tools.authority.dialects.okta_transactions import PATH
from host_tools.authority.tenant_settings import QUOTES_API, ApiSettings
from host_tools.authority.wire_faults import endpoints_of
from host_tools.clock import NS, VirtualClock
from tests.authority.authorize.application import CALLBACK
from tests.campaign import extent
from tests.interop.extrahorizon_issued import CLIENT_SECRET, issued_by_extrahorizon
from tests.interop.okta_issued import issue_okta

START_NS = 1_795_305_600 * NS  # 2026-11-22T00:00:00Z
GUARDED = Path(__file__).parent / "guarded" / "tenant.toml"
RECOVERY_CODE = "K6LGLV3RSH3VERMKET8L7QKU"
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
# By itself it does not know 413 for a refusal: what breaks the document may be too large besides, found out first.
CONFIG = SchemathesisConfig.from_dict({"checks": {"negative_data_rejection": {"expected-statuses": ["4xx"]}}})
FUZZED = settings(
    max_examples=extent(6, 300),
    derandomize=extent(True, False),
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)


_MFA = "http://auth0.com/oauth/grant-type/mfa-"
_DEVICE_CODE = "urn:ietf:params:oauth:grant-type:device_code"
GRANTED = {
    "auth0": {_DEVICE_CODE, "refresh_token", "authorization_code", "password", f"{_MFA}otp", f"{_MFA}recovery-code"},
    "okta": {_DEVICE_CODE, "refresh_token", "authorization_code"},
    "rfc": {_DEVICE_CODE, "refresh_token", "authorization_code"},
    "extrahorizon": {"password", "refresh_token", "mfa"},
}


@dataclass
class Rehearsed:
    """A server on which everything has been issued that a request can bring.

    values: by the name of the parameter, what it may bring; where another's means something else, by its path and the
    name, or, of one in the path, by the name in braces. bearers: by the security scheme, what an Authorization header
    may. The first of each opens most. endpoints: what a fault may strike. at: by an operation's path, what goes before
    `values` there.
    """

    running: RunningAuthority
    clock: VirtualClock
    snapshot: Snapshot
    values: dict[str, list[str]]
    bearers: dict[str, list[str]]
    endpoints: list[Endpoint]
    http: requests.Session
    at: dict[str, dict[str, list[str]]]
    answered: dict[str, set[int]] = field(default_factory=dict)
    granted: set[str | None] = field(default_factory=set)  # the grant types that brought tokens

    def answers(self, case: schemathesis.Case) -> None:
        """Send this request, with real values for most of what it has, and check the reply against the document."""
        self.running.restore(self.snapshot)
        self.clock.set_ns(self.snapshot.taken_at)
        negative = {where.value: case.meta.is_negative_at(where) for where in case.meta.components}
        # What schemathesis goes through one by one, and is right itself, brings nothing but what is good.
        loaded = case.meta.phase.name == TestPhase.COVERAGE and not any(negative.values())
        body = None if case.body is NOT_SET else case.body  # whose text is not the same in each run
        dice = Dice(repr((case.operation.label, case.path_parameters, body, dict(case.headers))), loaded)
        self._turn_switches(dice)
        self._here = self.values | self.at.get(case.operation.path, {})
        if not negative.get("path"):
            case.path_parameters = {
                name: self._real(dice, f"{{{name}}}" if f"{{{name}}}" in self.values else name, value)
                for name, value in case.path_parameters.items()
            }
        if not negative.get("header"):
            case.headers.update({name: self._real(dice, name, value) for name, value in case.headers.items()})
        if isinstance(case.body, dict):
            # A text may be wrong by its format alone: `now` is put right only where nothing is to be wrong.
            kept = ["now", "factor"] if negative.get("body") else []
            case.body = {
                name: value if name in kept else self._real(dice, name, value, case.path)
                for name, value in case.body.items()
            }
        self._authenticate(case, dice)
        # Of the rest, what was wrong may have been put right here.
        checks = [*CHECKS, *([negative_data_rejection] if negative.get("body") else [])]
        reply = case.call_and_validate(self.running.issuer.rstrip("/"), session=self.http, checks=checks)
        self.answered.setdefault(case.operation.label, set()).add(reply.status_code)
        if reply.status_code == 200 and isinstance(case.body, dict):
            self.granted.add(case.body.get("grant_type"))

    def _turn_switches(self, dice: Dice) -> None:
        control = self.running.control
        if dice.falls(4):
            control.set_mfa(dice.choice(["rule", "always"]), strict=True, factors=2, tell_requirements=dice.falls(2))
        if dice.falls(16):
            for endpoint in self.endpoints:
                control.set_fault(RateLimit(endpoint, retry_after=dice.choice(["seconds", "date", "none"])))

    def _real(self, dice: Dice, name: str, value: Any, path: str = "") -> Any:
        """A value that is wrong by the document stays: it is no text, or an empty one, or too long a one."""
        name = f"{path} {name}" if f"{path} {name}" in self.values else name
        if name in ("rules", "actions") and isinstance(value, list):
            return [
                {
                    key: "MFA" if key == "name" and isinstance(of, str) and of else self._real(dice, key, of)
                    for key, of in each.items()
                }
                if isinstance(each, dict)
                else each
                for each in value
            ]
        if name not in self._here or not isinstance(value, str) or not 0 < len(value) <= 200 or dice.falls(6):
            return value
        return dice.first_or_any(self._here[name])

    def _authenticate(self, case: schemathesis.Case, dice: Dice) -> None:
        """Let it in, seven times in eight."""
        schemes = [name for each in case.operation.definition.raw.get("security", ()) for name in each]
        if not schemes or dice.falls(8):
            return
        if schemes == ["client_secret"]:
            case.headers.pop("Authorization", None)
            if isinstance(case.body, dict):
                case.body.pop("client_secret", None)
                ways = ["public", "public", "body", "basic"]  # introspection is for those with a secret alone
                way = dice.choice(ways[::-1] if case.path.endswith("/introspect") else ways)
                case.body["client_id"] = "public" if way == "public" else "confidential"
                if way == "body":
                    case.body["client_secret"] = CLIENT_SECRET
                elif way == "basic":
                    pair = base64.b64encode(f"confidential:{CLIENT_SECRET}".encode()).decode()
                    case.headers["Authorization"] = f"Basic {pair}"
        else:
            case.headers["Authorization"] = f"Bearer {dice.first_or_any(self.bearers[schemes[0]])}"


class Dice:
    """Chance that falls the same for the same request. loaded: it never falls, and the first of all is chosen."""

    def __init__(self, request: str, loaded: bool) -> None:
        self._random = random.Random(zlib.crc32(request.encode(errors="surrogatepass")))
        self._loaded = loaded

    def falls(self, one_in: int) -> bool:
        return not self._loaded and self._random.randrange(one_in) == 0

    def choice(self, values: list[str]) -> str:
        return values[0] if self._loaded else self._random.choice(values)

    def first_or_any(self, values: list[str]) -> str:
        return values[0] if self.falls(2) else self.choice(values)


def issue(running: RunningAuthority, clock: VirtualClock) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    """The values and the bearer tokens of Rehearsed."""
    core, tenant, control = running._authority, running.tenant, running.control
    display = control.client(tenant.client_id)
    public = replace(display, client_id="public", grants="device_code refresh_token password mfa authorization_code")
    core.store.put(public)
    core.store.put(replace(public, client_id="confidential", secret_hash=fingerprint(CLIENT_SECRET)))
    (user,) = core.store.find(User)
    for factor, name in (("sms", "+15551234567"), ("email", None), ("push", None)):
        control.enrol(tenant.demo_user, factor, name)
    for each in core.authenticators.of(user.user_id, "recovery-code", active=None):
        core.store.put(replace(each, secret=fingerprint(RECOVERY_CODE)))
    by_factor = {each.factor: each for each in core.authenticators.of(user.user_id)}
    sent = Credentials("public")

    def begun(status: str) -> str:
        device_code = core.tokens.authorize_device(sent, f"{tenant.scope} openid", None).device_code
        (grant,) = core.store.find(DeviceGrant, device_code_hash=fingerprint(device_code))
        core.store.put(replace(grant, status=status, user_id=user.user_id, auth_time_at=clock.now_ns(), amr="pwd"))
        return device_code

    def password(scope: str, audience: str | None = None) -> Any:
        return core.password_grant.exchange(sent, tenant.demo_user, tenant.demo_password, scope, audience, "127.0.0.1")

    def authorization_code() -> str:
        code = "a code that no browser has brought"
        now = clock.now_ns()
        core.store.put(
            AuthorizationCode(
                code_hash=fingerprint(code),
                client_id="public",
                redirect_uri=CALLBACK,
                code_challenge="",  # what is optional, as a verifier, is seldom sent with all the rest
                nonce="",
                user_id=user.user_id,
                scope=tenant.scope,
                audience=tenant.audience,
                auth_time_at=now,
                amr="pwd",
                factor_given=False,
                claims="",
                expires_at=now + 60 * NS,
                request_id="",
                spent_at=None,
                family_id=None,
            )
        )
        return code

    def held(scope: str, audience: str | None = None) -> str:
        with pytest.raises(MfaRequired) as challenged:
            password(scope, audience)
        return challenged.value.mfa_token

    def one_time_code() -> str:
        return pyotp.TOTP(tenant.totp_secret).at(clock.now_ns() // NS)

    granted = password(f"{tenant.scope} openid")
    rotated = core.tokens.refresh(sent, granted.refresh_token, None)
    spent = held(" ".join(MFA_SCOPES), f"{running.issuer}mfa/")
    for_mfa_api = core.mfa_grants.otp(sent, spent, one_time_code())
    clock.sleep_ns(30 * NS)  # that code is spent: on to the next
    control.set_mfa("always")
    mfa_tokens = [held(tenant.scope) for _ in range(3)]
    control.set_mfa("never")

    def challenged(factor: str) -> str:
        named = AuthenticatorName(factor, by_factor[factor].authenticator_id)
        return core.mfa_api.challenge(sent, mfa_tokens[0], ["oob"], named).oob_code

    oob_codes = [challenged("push"), challenged("sms"), challenged("push")]
    texted = core.outbox.newest()[0].text.split()[0]
    control.answer_push(approve=True)  # the newest
    named = AuthenticatorName("push", by_factor["push"].authenticator_id)
    oob_code = core.mfa_api.challenge(sent, mfa_tokens[2], ["oob"], named).oob_code
    control.answer_push(approve=True)
    with_factor = core.mfa_grants.oob(sent, mfa_tokens.pop(), oob_code, None)
    core.session_renewal.begin(with_factor.access_token, "email")
    # Of a client that never asks: it is there to be looked at and lifted, and never strikes.
    core.store.put(replace(public, client_id="silent"))
    waiting = control.set_fault(RateLimit("token", client_id="silent"))
    values = {
        "device_code": [begun(status) for status in ("approved", "pending", "denied", "spent")],
        "refresh_token": [rotated.refresh_token, granted.refresh_token],
        "token": [rotated.refresh_token, granted.refresh_token, granted.access_token],
        "username": [tenant.demo_user],
        "password": [tenant.demo_password],
        "mfa_token": [*mfa_tokens, spent],
        "otp": [one_time_code()],
        "oob_code": oob_codes,
        "binding_code": [texted],
        "recovery_code": [RECOVERY_CODE],
        "scope": [tenant.scope, f"{tenant.scope} openid", "read:quotes"],
        "audience": [tenant.audience, f"{running.issuer}mfa/"],
        "resource": [tenant.audience],
        "challenge_type": ["otp", "oob", "otp oob"],
        "authenticator_id": [
            f"{'totp' if factor == 'otp' else factor}|dev_{each.authenticator_id}" for factor, each in by_factor.items()
        ],
        "client_id": [tenant.client_id],
        "user": [tenant.demo_user],
        "sha256": [fingerprint(rotated.refresh_token), fingerprint(granted.refresh_token)],
        "number": [waiting.number],
        "text": ["() => {}"],  # the engine takes it for a rule and for an action
        "code": [authorization_code()],
        "/gateway/otp/verify code": [core.outbox.newest()[0].text.split()[0]],
        "factor": ["email", "otp"],
        "X-Original-Method": ["GET", "POST"],
        "X-Original-URI": ["/catsdogs/cats/?how", "/api/quotes/today", "/bank/transfer", "/bank/..%2f"],
        "redirect_uri": [CALLBACK],
        "now": ["2026-11-23T00:00:00Z", "2026-11-30T01:00:00+01:00"],
    }
    bearers = {
        "access_token": [granted.access_token, for_mfa_api.access_token],
        "bearer": [with_factor.access_token, granted.access_token, for_mfa_api.access_token],
        "mfa_token": [for_mfa_api.access_token, granted.access_token, *mfa_tokens, spent, "Fe26.2*none"],
        "control_token": [running.control_token],
    }
    return values, bearers


@pytest.fixture(scope="module")
def auth0() -> Iterator[Rehearsed]:
    with rehearsed("auth0") as found:
        yield found


@pytest.fixture(scope="module")
def okta() -> Iterator[Rehearsed]:
    with rehearsed("okta") as found:
        yield found


@pytest.fixture(scope="module")
def rfc() -> Iterator[Rehearsed]:
    with rehearsed("rfc") as found:
        yield found


@pytest.fixture(scope="module")
def extrahorizon() -> Iterator[Rehearsed]:
    with rehearsed("extrahorizon") as found:
        yield found


@contextmanager
def cheap_passwords() -> Iterator[None]:
    """At its real cost argon2 would take most of the time, of known users and of unknown ones."""
    cheap = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(users, "_hasher", cheap)
        patched.setattr(users, "_NOBODY", cheap.hash(""))
        yield


@contextmanager
def rehearsed(dialect: DialectName) -> Iterator[Rehearsed]:
    clock = VirtualClock(START_NS)
    config = GUARDED if dialect == "auth0" else None
    with (
        cheap_passwords(),
        start_authority(clock, dialect=dialect, config=config) as running,
        requests.Session() as http,
    ):
        served = http.get(f"{running.issuer}openapi.json").json()
        assert served == document(dialect, running.issuer)  # what is fuzzed is what this server has
        values, bearers = issued_by_extrahorizon(running, clock) if dialect == "extrahorizon" else issue(running, clock)
        endpoints = sorted({*endpoints_of(DIALECTS[dialect], apis_of(dialect)).values()})
        at = issue_okta(running, clock) if dialect == "okta" else {}
        yield Rehearsed(running, clock, running.snapshot(), values, bearers, endpoints, http, at)


def document(dialect: DialectName, issuer: str = "http://127.0.0.1/") -> dict[str, Any]:
    return openapi.document(issuer, openapi.operations(DIALECTS[dialect], True, apis_of(dialect)))


def apis_of(dialect: DialectName) -> tuple[ApiSettings, ...]:
    """The gateway and the control API are the same for every dialect, and are fuzzed with Auth0's."""
    return tenant_file.load(GUARDED).apis if dialect == "auth0" else (QUOTES_API,)


def answering(dialect: DialectName) -> Iterator[tuple[str, Callable[..., None]]]:
    """A test for each operation, and its name.

    schemathesis names all of one function alike (with pytest 9), and of tests of one name xdist runs the first alone.
    """
    described = document(dialect)
    schema = schemathesis.openapi.from_dict(described, config=CONFIG)
    for path, methods in described["paths"].items():
        for method in methods:
            if dialect != "auth0" and path not in DIALECTS[dialect].endpoints:
                continue

            def answers(case: schemathesis.Case, request: pytest.FixtureRequest) -> None:
                request.getfixturevalue(dialect).answers(case)

            answers.__name__ = f"test_{dialect}_{method}_{re.sub('[^a-z0-9]+', '_', path.strip('/').lower())}"
            yield answers.__name__, schema.include(path=path, method=method.upper()).parametrize()(FUZZED(answers))


globals().update(answering("auth0"))
globals().update(answering("okta"))
globals().update(answering("rfc"))
globals().update(answering("extrahorizon"))


@pytest.mark.parametrize("dialect", ["auth0", "okta", "rfc", "extrahorizon"])
def test_it_got_past_the_first_check_everywhere(request: pytest.FixtureRequest, dialect: str) -> None:
    """Of all that has been fuzzed in this run, above."""
    answered = request.getfixturevalue(dialect).answered
    refusing = {f"POST {PATH}/recovery/unlock"}  # whoever asks
    assert {each for each, statuses in answered.items() if min(statuses) >= 400} - refusing == set()
    # By operation alone a grant that is always refused would not be missed. For mfa-oob four values have to fit.
    assert request.getfixturevalue(dialect).granted >= GRANTED[dialect]
