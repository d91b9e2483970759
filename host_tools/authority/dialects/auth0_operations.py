"""What Auth0's endpoints take and answer, for the OpenAPI document (reference/wire-facts.md section 1)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from host_tools.authority.core import errors, mfa_errors
from host_tools.authority.core.recipients import LONGEST_EMAIL
from host_tools.authority.dialects.auth0_refusals import REQUIREMENT_TYPES, bearer_refusal, refusal
from host_tools.authority.dialects.browser_applications import userinfo_refusal
from host_tools.authority.dialects.oauth import PASSWORD_GRANT
from host_tools.authority.dialects.oauth_operations import (
    BODY,
    CALL,
    CLIENT_SECRET,
    GRANTS,
    NO_STORE,
    Endpoints,
    Grant,
    sent,
)
from host_tools.authority.openapi_operation import (
    FLAG,
    SOME_TEXT,
    TEXT,
    Operation,
    Refused,
    Reply,
    Schema,
    Security,
    list_of,
    members,
    one_of,
    parameter,
)
from host_tools.authority.parameters import FORM, JSON

_FORM_OR_JSON = (FORM, JSON)
_MFA_TAG = "MFA API"
_MFA_TOKEN = Security(
    "mfa_token",
    {
        "type": "http",
        "scheme": "bearer",
        "description": "The mfa_token of an mfa_required, or an access token for the audience `{issuer}mfa/`.",
    },
)
_HELD: tuple[Refused, ...] = (
    mfa_errors.MalformedMfaToken,
    mfa_errors.ExpiredMfaToken,
    mfa_errors.SpentMfaToken,
)
_OF_CLIENT: tuple[Refused, ...] = (*_HELD, mfa_errors.OtherClientsMfaToken)
_ANSWERED: tuple[Refused, ...] = (*_OF_CLIENT, errors.MfaRequired, errors.InvalidRefreshToken, errors.LimitReached)
_GRANTS = {
    **GRANTS,
    PASSWORD_GRANT: Grant(
        ("username", "password"),
        ("scope", "audience"),
        (
            errors.WrongCredentials,
            errors.LimitReached,
            errors.InvalidTarget,
            errors.MfaRequired,
            errors.DeniedByScript,
        ),
    ),
    "http://auth0.com/oauth/grant-type/mfa-otp": Grant(
        ("mfa_token", "otp"),
        (),
        (*_ANSWERED, mfa_errors.InvalidOtp, mfa_errors.NoOneTimeCodes, mfa_errors.UnsupportedChallengeType),
    ),
    "http://auth0.com/oauth/grant-type/mfa-oob": Grant(
        ("mfa_token", "oob_code"),
        ("binding_code",),
        (
            *_ANSWERED,
            errors.SlowDown,
            mfa_errors.ChallengePending,
            mfa_errors.ChallengeRejected,
            mfa_errors.MalformedOobCode,
            mfa_errors.ExpiredOobCode,
            mfa_errors.OtherOobCode,
            mfa_errors.BindingCodeRequired,
            mfa_errors.InvalidBindingCode,
        ),
    ),
    "http://auth0.com/oauth/grant-type/mfa-recovery-code": Grant(
        ("mfa_token", "recovery_code"), (), (*_ANSWERED, mfa_errors.InvalidRecoveryCode)
    ),
}
_FACTORS = list_of(members({"type": one_of(REQUIREMENT_TYPES.values())}))
_MFA_REQUIRED = members(
    {"error": {"const": "mfa_required"}, "error_description": TEXT, "mfa_token": SOME_TEXT},
    {"mfa_requirements": members({}, {"challenge": _FACTORS, "enroll": _FACTORS})},
)
_PHONE_NUMBER = {"type": "string", "pattern": r"^\+[0-9]{6,15}$"}  # E.164
_WORD = {"type": "string", "pattern": r"^[^ \t\r\n]+$"}
# Sent empty counts as not sent.
_EMAIL = {"type": "string", "pattern": r"^([^ \t\r\n]+@[^@ \t\r\n]+)?$", "maxLength": LONGEST_EMAIL}
_CHANNEL = one_of(("sms", "email", "auth0"))
_AUTHENTICATOR = members(
    {
        "id": SOME_TEXT,
        "authenticator_type": one_of(("otp", "oob", "recovery-code")),
        "type": one_of(REQUIREMENT_TYPES.values()),
        "active": FLAG,
    },
    {"oob_channel": _CHANNEL, "name": TEXT},
)
_ASSOCIATED = members(
    {"authenticator_type": one_of(("otp", "oob"))},
    {
        "oob_channel": _CHANNEL,
        "oob_code": SOME_TEXT,
        "binding_method": {"const": "prompt"},
        "secret": SOME_TEXT,
        "barcode_uri": SOME_TEXT,
        "recovery_codes": list_of(SOME_TEXT),
    },
)
_CHALLENGE = sent(
    ("mfa_token",),
    ("challenge_type", "authenticator_id"),
    {"challenge_type": {"type": "string", "description": "`otp`, `oob`, or both with a space between."}},
)
_CHALLENGED = (
    members({"challenge_type": {"const": "otp"}}),
    members({"challenge_type": {"const": "oob"}, "oob_code": SOME_TEXT}, {"binding_method": {"const": "prompt"}}),
)


def _associate(media_type: str) -> Schema:
    """JSON has lists for what a form writes as a word; it may write the word as well. The first channel counts."""

    def first(word: str, more: str = "") -> Schema:
        text = {"type": "string", "pattern": f"^{word}{more}$"}
        listed = {"type": "array", "prefixItems": [{"const": word}], "items": _WORD if more else False, "minItems": 1}
        return {"anyOf": [text, listed]} if media_type == JSON else text

    def channel(name: str, recipient: Mapping[str, Schema], required: bool = False) -> Schema:
        known = {"authenticator_types": first("oob"), "oob_channels": first(name, "( .*)?")}
        return members({**known, **(recipient if required else {})}, recipient, others=TEXT)

    return {
        "oneOf": [
            members({"authenticator_types": first("otp")}, others=TEXT),
            channel("auth0", {}),
            channel("sms", {"phone_number": _PHONE_NUMBER}, required=True),
            channel("email", {"email": _EMAIL}),
        ]
    }


def operations(grant_types: Iterable[str]) -> tuple[Operation, ...]:
    """All of Auth0's. grant_types: those its token endpoint knows."""
    shapes = {"mfa_required": _MFA_REQUIRED}
    endpoints = Endpoints(refusal, shapes)
    return (
        endpoints.device_authorization("/oauth/device/code"),
        endpoints.token("/oauth/token", {each: _GRANTS[each] for each in grant_types}, _FORM_OR_JSON),
        endpoints.revocation("/oauth/revoke", _FORM_OR_JSON),
        Endpoints(userinfo_refusal(refusal), shapes).userinfo("/userinfo"),
        *_mfa_operations(endpoints, Endpoints(bearer_refusal, shapes)),
        endpoints.metadata("/.well-known/openid-configuration"),
        endpoints.metadata("/.well-known/oauth-authorization-server"),
        endpoints.keys("/.well-known/jwks.json"),
    )


def _mfa_operations(endpoints: Endpoints, bearers: Endpoints) -> tuple[Operation, ...]:
    bearing = (*CALL, errors.InvalidToken, errors.InsufficientScope, *_HELD)
    unknown = mfa_errors.UnknownAuthenticator
    return (
        Operation(
            _MFA_TAG,
            "GET",
            "/mfa/authenticators",
            "List the user's authenticators",
            {
                200: Reply("Those to be confirmed too", (list_of(_AUTHENTICATOR),), NO_STORE),
                **bearers.refused(*bearing),
            },
            security=(_MFA_TOKEN,),
        ),
        Operation(
            _MFA_TAG,
            "DELETE",
            "/mfa/authenticators/{authenticator_id}",
            "Remove an authenticator; an mfa_token is not enough",
            {204: Reply("Removed, and its twin with it", headers=NO_STORE), **bearers.refused(*bearing, unknown)},
            parameters=(parameter("path", "authenticator_id", "As it is listed"),),
            security=(_MFA_TOKEN,),
        ),
        Operation(
            _MFA_TAG,
            "POST",
            "/mfa/associate",
            "Enrol an authenticator, to be confirmed by its first use",
            {
                200: Reply("Enrolled", (_ASSOCIATED,), NO_STORE),
                **bearers.refused(
                    *BODY,
                    *bearing,
                    mfa_errors.AlreadyEnrolled,
                    mfa_errors.UnsupportedChallengeType,
                    errors.LimitReached,
                ),
            },
            {each: _associate(each) for each in (JSON, FORM)},
            security=(_MFA_TOKEN,),
        ),
        Operation(
            _MFA_TAG,
            "POST",
            "/mfa/challenge",
            "Challenge an authenticator",
            {
                200: Reply("Challenged", _CHALLENGED, NO_STORE),
                **endpoints.refused(
                    *BODY,
                    errors.UnauthorizedClient,
                    errors.LimitReached,
                    *_OF_CLIENT,
                    mfa_errors.UnsupportedChallengeType,
                    mfa_errors.AssociationRequired,
                    unknown,
                ),
            },
            dict.fromkeys((JSON, FORM), _CHALLENGE),
            security=(CLIENT_SECRET,),
            anonymous=True,
        ),
    )
