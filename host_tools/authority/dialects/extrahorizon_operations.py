"""What Extra Horizon's endpoints take and answer, for the OpenAPI document (reference/wire-facts.md section 3)."""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterable, Mapping
from typing import Any

from host_tools.authority.core import errors, finer_errors, mfa_errors, user_mfa_errors
from host_tools.authority.core.object_ids import PATTERN
from host_tools.authority.dialects.extrahorizon_body import (
    LONGEST_TEXT,
    MOST_WORDS,
    BodyFormat,
    EmptyBody,
    FieldFormat,
    MissingFields,
)
from host_tools.authority.dialects.extrahorizon_paths import (
    CONFIRM,
    DISABLE,
    ENABLE,
    HEALTH,
    ME,
    METHODS,
    PRESENCE,
    REMOVE,
    SETTING,
    TOKENS,
)
from host_tools.authority.dialects.extrahorizon_refusals import (
    METHOD_TYPES,
    IdFormat,
    MissingClientCredentials,
    NoPermission,
    NotAuthenticated,
    refusal,
    token_refusal,
)
from host_tools.authority.dialects.oauth import PASSWORD_GRANT, REFRESH_GRANT, Refusal
from host_tools.authority.dialects.oauth_operations import CLIENT_SECRET, NO_STORE, TAG
from host_tools.authority.openapi_operation import (
    COUNT,
    FLAG,
    MOMENT,
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
from host_tools.authority.parameters import FORM, JSON, BodyTooLarge

_MFA_TAG = "Users' own MFA"
_ACCESS_TOKEN = Security("bearer", {"type": "http", "scheme": "bearer"})
_OPTIONAL: Schema = {"type": "string", "maxLength": LONGEST_TEXT}
_REQUIRED: Schema = {**_OPTIONAL, "minLength": 1}
_ID: Schema = {"type": "string", "pattern": PATTERN}
_TYPE = one_of(METHOD_TYPES.values())
_FIELDS: dict[str, tuple[str, ...]] = {
    PASSWORD_GRANT: ("username", "password"),
    REFRESH_GRANT: ("refresh_token",),
    "mfa": ("token", "method_id", "code"),
}
_BODY: tuple[Refused, ...] = (
    EmptyBody,
    BodyFormat,
    MissingFields,
    FieldFormat,
    BodyTooLarge,
    errors.InvalidRequest,
)
_SIGNED_IN: tuple[Refused, ...] = (
    NotAuthenticated,
    errors.InvalidToken,
    finer_errors.ExpiredAccessToken,
    errors.InvalidRequest,
)
_OWN: tuple[Refused, ...] = (*_SIGNED_IN, IdFormat, NoPermission)
_PRESENT: tuple[Refused, ...] = (*_OWN, *_BODY, user_mfa_errors.InvalidPresenceToken)
_RATE: tuple[Refused, ...] = (
    errors.WrongCredentials,
    user_mfa_errors.LoginTooSoon,
    user_mfa_errors.LoginFrozen,
    user_mfa_errors.LoginLocked,
)
_GRANTS: tuple[Refused, ...] = (
    *_BODY,
    MissingClientCredentials,
    errors.InvalidClient,
    finer_errors.WrongClientSecret,
    errors.UnsupportedGrantType,
    errors.UnauthorizedClient,
    *_RATE,
    errors.InvalidRefreshToken,
    finer_errors.ExpiredRefreshToken,
    errors.DeniedByScript,
    user_mfa_errors.MfaMethodRequired,
    mfa_errors.MalformedMfaToken,
    mfa_errors.InvalidOtp,
    mfa_errors.UnknownAuthenticator,
    user_mfa_errors.ReattemptDelay,
)
_TOKENS_GIVEN = members(
    {
        "access_token": SOME_TEXT,
        "token_type": {"const": "bearer"},
        "expires_in": COUNT,
        "user_id": _ID,
        "application_id": _ID,
    },
    {"refresh_token": SOME_TEXT},
)
_OFFERED = {"type": _TYPE, "name": TEXT, "tags": list_of(TEXT)}
_MFA = members({"token": SOME_TEXT, "tokenExpiresIn": COUNT, "methods": list_of(members({"id": _ID, **_OFFERED}))})
_METHOD = {"id": _ID, **_OFFERED, "verified": FLAG, "updateTimestamp": MOMENT, "creationTimestamp": MOMENT}
_SETTING = members(
    {"id": _ID, "methods": list_of(members(_METHOD)), "enabled": FLAG, "failedAttempts": COUNT},
    {"updateTimestamp": MOMENT, "lastFailedAttemptTimestamp": MOMENT},
)
_ADDED = (members({**_METHOD, "secret": SOME_TEXT}), members({**_METHOD, "codes": list_of(SOME_TEXT)}))
_PRESENCE = members({"token": SOME_TEXT, "updateTimestamp": MOMENT, "creationTimestamp": MOMENT})
_USER = members(
    {"id": _ID, "email": TEXT, "activation": FLAG, "failed_count": COUNT}, {"last_failed_timestamp": MOMENT}
)
_AFFECTED = members({"affectedRecords": COUNT})
_PARAMETERS = {"user_id": "The user's own id, as the token endpoint tells it", "method_id": "As it is listed"}


def operations(grant_types: Iterable[str]) -> tuple[Operation, ...]:
    """All of Extra Horizon's. grant_types: those its token endpoint knows."""
    grants: Schema = {"oneOf": [_grant(each) for each in grant_types]}
    unknown, few = mfa_errors.UnknownAuthenticator, user_mfa_errors.NotEnoughMethods
    method = {"type": _TYPE}
    labels = {"name": _OPTIONAL, "tags": {**list_of(_OPTIONAL), "maxItems": MOST_WORDS}}
    confirm = (unknown, user_mfa_errors.NothingToConfirm, mfa_errors.InvalidOtp)
    described = members({"description": TEXT})
    return (
        Operation(
            TAG,
            "POST",
            TOKENS,
            "Exchange a grant for tokens",
            {200: Reply("Granted", (_TOKENS_GIVEN,), NO_STORE), **_refused(token_refusal, _GRANTS)},
            {JSON: grants, FORM: grants},
            security=(CLIENT_SECRET,),
            anonymous=True,
        ),
        _own(
            "POST", PRESENCE, "Give the password again", (_PRESENCE,), (*_SIGNED_IN, *_BODY, *_RATE), _sent("password")
        ),
        _own("GET", SETTING, "The user's MFA and its methods", (_SETTING,), _OWN),
        _own(
            "POST",
            METHODS,
            "Add a method",
            _ADDED,
            (*_PRESENT, user_mfa_errors.TooManyMethods),
            _sent("presenceToken", **method, optional=labels),
        ),
        _own("POST", CONFIRM, "Verify a method", (described,), (*_PRESENT, *confirm), _sent("presenceToken", "code")),
        _own("POST", REMOVE, "Remove a method", (_AFFECTED,), (*_PRESENT, unknown, few), _sent("presenceToken")),
        _own("POST", ENABLE, "Turn MFA on", (_AFFECTED,), (*_PRESENT, few), _sent("presenceToken")),
        _own("POST", DISABLE, "Turn MFA off", (_AFFECTED,), _PRESENT, _sent("presenceToken")),
        _own("GET", ME, "Who is signed in", (_USER,), _SIGNED_IN),
        *(
            Operation(TAG, "GET", path, "Whether it answers", {200: Reply("It does", headers=NO_STORE)})
            for path in HEALTH
        ),
    )


def _own(
    method: str,
    path: str,
    summary: str,
    shapes: tuple[Schema, ...],
    refuses: tuple[Refused, ...],
    body: Schema | None = None,
) -> Operation:
    return Operation(
        _MFA_TAG,
        method,
        path,
        summary,
        {200: Reply("Done", shapes, NO_STORE), **_refused(refusal, refuses)},
        {JSON: body} if body else {},
        tuple(parameter("path", name, says, _ID) for name, says in _PARAMETERS.items() if f"{{{name}}}" in path),
        security=(_ACCESS_TOKEN,),
    )


def _grant(grant_type: str) -> Schema:
    required = {"grant_type": {"const": grant_type}, **dict.fromkeys(_FIELDS[grant_type], _REQUIRED)}
    client = {
        "client_id": {**_OPTIONAL, "description": "Required, unless the client authenticates with HTTP Basic."},
        "client_secret": {**_OPTIONAL, "description": "Of a client that has one; the SDK sends it both ways."},
    }
    return {"title": grant_type, **members(required, client, others=True)}


def _sent(*names: str, optional: Mapping[str, Schema] | None = None, **described: Schema) -> Schema:
    return members({**dict.fromkeys(names, _REQUIRED), **described}, optional, others=True)


def _refused(translate: Refusal, kinds: Iterable[Refused]) -> dict[int, Reply]:
    """By status, what it looks like when each of these is refused."""
    by_status: dict[int, list[tuple[Refused, Any]]] = {}
    for kind in dict.fromkeys(kinds):
        reply = translate(_example(kind))
        by_status.setdefault(reply.status_code, []).append((kind, json.loads(bytes(reply.body))))
    return {status: _reply(status, found) for status, found in sorted(by_status.items())}


def _reply(status: int, found: list[tuple[Refused, Any]]) -> Reply:
    told = [body.get("exh_error", body) for _, body in found]
    lines = [
        f"- {each['code']} `{each['name']}`: {' '.join((inspect.getdoc(kind) or '').split())}"
        for (kind, _), each in zip(found, told, strict=True)
    ]
    shapes = {json.dumps(_shape(body), sort_keys=True): _shape(body) for _, body in found}
    at_token_endpoint = "exh_error" in found[0][1]
    headers = {**NO_STORE, **({"www-authenticate": True} if status == 401 and at_token_endpoint else {})}
    return Reply("\n".join(dict.fromkeys(lines)), tuple(shapes.values()), headers)


def _shape(body: Mapping[str, Any]) -> Schema:
    """Of one refusal: its number, its name and its word are constant."""
    if "exh_error" not in body:
        return members({"code": {"const": body["code"]}, "name": {"const": body["name"]}, "message": TEXT})
    delay = {"remainingDelay": COUNT} if "remainingDelay" in body else {}
    exh = body["exh_error"]
    told = {"code": {"const": exh["code"]}, "name": {"const": exh["name"]}, "description": TEXT, **delay}
    mfa = {"mfa": _MFA} if "mfa" in body else {}
    return members({"error": {"const": body["error"]}, "description": TEXT, "exh_error": members(told), **delay, **mfa})


def _example(kind: Refused) -> errors.OAuthError:
    if issubclass(kind, user_mfa_errors.MfaMethodRequired):
        return kind("", 0, ())
    if issubclass(kind, user_mfa_errors.ReattemptDelay):
        return kind(1000)
    return kind()
