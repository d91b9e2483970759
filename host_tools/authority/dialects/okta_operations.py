"""What Okta's endpoints take and answer, for the OpenAPI document."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping

from host_tools.authority.core import authn_errors
from host_tools.authority.core.authn_errors import AuthnRefused
from host_tools.authority.core.faults import Endpoint
from host_tools.authority.core.sign_on_policy import LIFETIME_UNITS, POLICY_TYPES, PROMPT_MODES
from host_tools.authority.dialects.browser_applications import userinfo_refusal
from host_tools.authority.dialects.oauth_operations import GRANTS, NO_STORE, Endpoints
from host_tools.authority.dialects.okta_authn import FACTOR, LONGEST_DEVICE_TOKEN, LONGEST_RELAY_STATE, QR
from host_tools.authority.dialects.okta_factors import KINDS
from host_tools.authority.dialects.okta_refusals import API, refusal
from host_tools.authority.dialects.okta_transactions import PATH
from host_tools.authority.openapi_operation import (
    COUNT,
    FLAG,
    MOMENT,
    SOME_TEXT,
    TEXT,
    Operation,
    Reply,
    Schema,
    api_error,
    list_of,
    members,
    one_of,
    parameter,
)
from host_tools.authority.parameters import JSON

TAG = "Authentication API"
_TEXT: Schema = {"type": ["string", "null"]}  # what is null counts as not sent
_FLAG: Schema = {"type": ["boolean", "null"]}
_QUOTED: Schema = {"type": ["string", "integer", "boolean"]}

_LINK = members({"href": SOME_TEXT, "hints": members({"allow": list_of(TEXT)})}, {"name": TEXT})
_LINKS = members({}, {**dict.fromkeys(("next", "cancel", "prev", "skip"), _LINK), "resend": list_of(_LINK)})
_PICTURE = members({"href": SOME_TEXT, "type": {"const": "image/png"}})
_USER = members(
    {
        "id": SOME_TEXT,
        "passwordChanged": {"type": "null"},
        "profile": members(dict.fromkeys(("login", "firstName", "lastName", "locale", "timeZone"), TEXT)),
    }
)
_ACTIVATION = members(
    {},
    {
        "timeStep": COUNT,
        "sharedSecret": SOME_TEXT,
        "encoding": {"const": "base32"},
        "keyLength": COUNT,
        "expiresAt": MOMENT,
        "factorResult": TEXT,
        "_links": members({}, {"qrcode": _PICTURE, "activate": _LINK}),
    },
)
_FACTOR = members(
    {
        "factorType": one_of(dict.fromkeys(each.factor_type for each in KINDS)),
        "provider": one_of(dict.fromkeys(each.provider for each in KINDS)),
        "vendorName": TEXT,
    },
    {
        "id": SOME_TEXT,
        "profile": members({}, dict.fromkeys(("credentialId", "phoneNumber", "email", "name"), TEXT)),
        "status": one_of(("NOT_SETUP", "ACTIVE")),
        "enrollment": {"const": "OPTIONAL"},
        "_links": members({}, {"verify": _LINK, "enroll": _LINK}),
        "_embedded": members({"activation": _ACTIVATION}),
    },
)
_POLICY = members(
    {
        "allowRememberDevice": FLAG,
        "rememberDeviceLifetimeInMinutes": COUNT,
        "rememberDeviceByDefault": FLAG,
        "factorsPolicyInfo": members({}, others=members({"autoPushEnabled": FLAG})),
    }
)
_EVALUATION = members(
    {
        "policyType": one_of(POLICY_TYPES),
        "factorPromptMode": one_of(PROMPT_MODES),
        "factorLifeTime": _QUOTED,
        "factorLifeTimeUnit": one_of(LIFETIME_UNITS),
        "rememberDeviceByDefault": _QUOTED,
    }
)
_TRANSACTION = members(
    {
        "expiresAt": MOMENT,
        "status": one_of(("SUCCESS", "MFA_REQUIRED", "MFA_CHALLENGE", "MFA_ENROLL", "MFA_ENROLL_ACTIVATE")),
        "_embedded": members(
            {"user": _USER},
            {"factors": list_of(_FACTOR), "factor": _FACTOR, "policy": _POLICY, "policyEvaluation": _EVALUATION},
        ),
    },
    {
        **dict.fromkeys(("stateToken", "sessionToken", "relayState"), SOME_TEXT),
        "factorResult": one_of(("WAITING", "REJECTED", "TIMEOUT")),
        "_links": _LINKS,
    },
)
_LOCKED_OUT = members({"status": {"const": "LOCKED_OUT"}, "_links": _LINKS})
_STATE = {"stateToken": SOME_TEXT}
_FACTOR_ID = parameter("path", "factor_id", "As the transaction has it")
_WISHES = (
    parameter("query", "rememberDevice", "Whether not to be challenged on this device, as the policy has it.", FLAG),
    parameter("query", "autoPush", "Whether a push is to be sent by itself from now on.", FLAG),
)
_READ = (authn_errors.NotWellFormed, authn_errors.BodyTooLong, authn_errors.MediaTypeRefused)
_HELD = (*_READ, authn_errors.InvalidMember, authn_errors.InvalidStateToken)
_TURN = (*_HELD, authn_errors.StateNotAllowed)
_SENT = (
    authn_errors.SmsTooSoon,
    authn_errors.EmailTooSoon,
    authn_errors.TooManySms,
    authn_errors.TooManyChallenges,
)
_GIVEN = (
    *_TURN,
    *_SENT,
    authn_errors.UnknownFactor,
    authn_errors.InvalidPasscode,
    authn_errors.PasscodeReplayed,
    authn_errors.UserLocked,
)


def operations(grant_types: Iterable[str], endpoints: Mapping[str, Endpoint]) -> tuple[Operation, ...]:
    """All of Okta's. grant_types: those its token endpoint knows. endpoints: where each of its OAuth endpoints is."""
    oauth, grants = Endpoints(refusal, {}), {each: GRANTS[each] for each in grant_types}
    described: dict[Endpoint, Callable[[str], Operation]] = {
        "device_authorization": oauth.device_authorization,
        "token": lambda path: oauth.token(path, grants),
        "revocation": oauth.revocation,
        "introspection": oauth.introspection,
        "userinfo": Endpoints(userinfo_refusal(refusal), {}).userinfo,
        "discovery": oauth.metadata,
        "jwks": oauth.keys,
    }
    of_oauth = [described[endpoint](path) for path, endpoint in endpoints.items() if endpoint in described]
    return (*of_oauth, *_authn_operations())


def _authn_operations() -> tuple[Operation, ...]:
    state = _object(_STATE)
    passcode, first = _object(_STATE, {"passCode": _TEXT}), _object(_STATE, {"passCode": SOME_TEXT})
    return (
        _post(
            "",
            "Sign in with a password, or look where a sign-in stands",
            _primary(),
            (*_HELD, authn_errors.AuthenticationFailed, authn_errors.LockedOut),
            (_TRANSACTION, _LOCKED_OUT),
        ),
        _post("/introspect", "Look where a sign-in stands", state, _HELD),
        _post("/factors", "Enrol a factor", _enrol(), (*_TURN, *_SENT, authn_errors.InvalidPhoneNumber)),
        _of_factor("verify", "Give a factor", passcode, (*_GIVEN, authn_errors.WrongParameterType), _WISHES),
        _of_factor(
            "verify/resend", "Have its challenge sent again", state, (*_TURN, *_SENT, authn_errors.UnknownFactor)
        ),
        _of_factor("lifecycle/activate", "Activate a factor by its first passcode", first, _GIVEN),
        _of_factor("lifecycle/activate/poll", "Ask whether a phone has answered", state, _GIVEN),
        _of_factor(
            "lifecycle/resend",
            "Have the message that activates it sent again",
            state,
            (*_TURN, *_SENT, authn_errors.UnknownFactor),
        ),
        _post("/previous", "Go back to the choice of a factor", state, _TURN),
        _post("/skip", "Enrol no further factor", state, _TURN),
        _post("/cancel", "End a sign-in", state, _HELD, (members({}, {"relayState": SOME_TEXT}),)),
        _post(
            "/recovery/unlock",
            "Unlock an account, which no tenant here allows",
            _object({"username": SOME_TEXT}),
            (*_READ, authn_errors.InvalidMember, authn_errors.UnlockNotAllowed),
            (),
        ),
        Operation(
            TAG,
            "GET",
            QR,
            "The QR code of an enrolment",
            {
                200: Reply("A picture", headers=NO_STORE),
                **_refused(authn_errors.UnknownAddress, authn_errors.UnknownFactor),
            },
            parameters=(
                parameter("path", "user_id", "Whose"),
                _FACTOR_ID,
                parameter("path", "qr", "A secret that the transaction has"),
            ),
        ),
    )


def _post(
    way: str,
    summary: str,
    body: Schema,
    refuses: tuple[type[AuthnRefused], ...],
    shapes: tuple[Schema, ...] = (_TRANSACTION,),
    parameters: tuple[Schema, ...] = (),
) -> Operation:
    told = {200: Reply("Where it stands", shapes, NO_STORE)} if shapes else {}
    replies = {**told, **_refused(*refuses)}
    return Operation(TAG, "POST", f"{PATH}{way}", summary, replies, {JSON: body}, parameters)


def _of_factor(
    way: str,
    summary: str,
    body: Schema,
    refuses: tuple[type[AuthnRefused], ...],
    wishes: tuple[Schema, ...] = (),
) -> Operation:
    return _post(f"{FACTOR.removeprefix(PATH)}/{way}", summary, body, refuses, parameters=(_FACTOR_ID, *wishes))


def _object(required: Mapping[str, Schema], optional: Mapping[str, Schema] | None = None) -> Schema:
    """Members that are not known are ignored."""
    return members(required, optional, others=True)


def _primary() -> Schema:
    device = {"deviceToken": {"type": ["string", "null"], "maxLength": LONGEST_DEVICE_TOKEN}}
    options = dict.fromkeys(("multiOptionalFactorEnroll", "warnBeforePasswordExpired"), _FLAG)
    optional = {
        "relayState": {"type": ["string", "null"], "maxLength": LONGEST_RELAY_STATE},
        "context": _or_null(_object({}, device)),
        "options": _or_null(_object({}, options)),
    }
    password = _object(dict.fromkeys(("username", "password"), SOME_TEXT), {**optional, "stateToken": _TEXT})
    return {"anyOf": [password, _object(_STATE, {**optional, "username": _TEXT, "password": _TEXT})]}


def _enrol() -> Schema:
    def kind(factor_type: str, provider: str) -> Schema:
        named = {"factorType": {"const": factor_type}, "provider": {"const": provider}}
        number = {"phoneNumber": {"type": "string", "pattern": r"^\+[0-9]{6,15}$"}}  # E.164
        if factor_type == "sms":
            return _object({**_STATE, **named, "profile": _object(number)})
        return _object({**_STATE, **named}, {"profile": _or_null(_object({}, {"phoneNumber": _TEXT}))})

    return {"oneOf": [kind(each.factor_type, each.provider) for each in KINDS]}


def _or_null(schema: Schema) -> Schema:
    return {**schema, "type": ["object", "null"]}


def _refused(*kinds: type[AuthnRefused]) -> dict[int, Reply]:
    """By status, what Okta's table has of each of these."""
    by_status: dict[int, dict[str, str]] = {}
    for kind in dict.fromkeys(kinds):
        code, status, _ = API[next(each for each in kind.__mro__ if each in API)]
        line = f"- `{code}`: {' '.join((inspect.getdoc(kind) or '').split())}"
        told = by_status.setdefault(status, {})
        told[code] = f"{told[code]}\n{line}" if code in told else line
    return {
        status: Reply("\n".join(told.values()), (api_error(told),), NO_STORE)
        for status, told in sorted(by_status.items())
    }
