"""What the control API takes and answers, for the OpenAPI document."""

from __future__ import annotations

from collections.abc import Mapping
from typing import get_args

from host_tools.authority.control.fault_schemas import FAULT, FAULT_SENT
from host_tools.authority.control.routes import PREFIX
from host_tools.authority.control.script_wire import LONGEST_SECRET, LONGEST_TEXT, MOST_SECRETS
from host_tools.authority.core.events import EVENT_KINDS
from host_tools.authority.core.mfa_transactions import ENROLLABLE
from host_tools.authority.core.outbox import Channel
from host_tools.authority.core.policies import CONFIDENCES, MFA_MODES
from host_tools.authority.core.records import Factor
from host_tools.authority.core.refresh_tokens import Ending, Standing
from host_tools.authority.core.tally import COUNTED
from host_tools.authority.openapi_operation import (
    COUNT,
    FLAG,
    MOMENT,
    SOME_TEXT,
    TEXT,
    Operation,
    Reply,
    Schema,
    Security,
    list_of,
    members,
    one_of,
    or_null,
    parameter,
)
from host_tools.authority.parameters import JSON
from host_tools.authority.scripts import LARGEST_SCRIPT, MOST_SCRIPTS, SECRETS
from host_tools.authority.tenant_settings import LONGEST_ACCESS_TOKEN_LIFETIME_S, LONGEST_LEEWAY_S, MOST_FACTORS

_CONTROL_TOKEN = Security(
    "control_token", {"type": "http", "scheme": "bearer", "description": "`stoa serve --json` prints it."}
)
_NO_STORE = {"cache-control": True}


def _refused(what: str, *codes: str, field: bool = False, **headers: bool) -> Reply:
    named = {"field": TEXT} if field else {}
    body = members({"error": one_of(codes), "message": TEXT}, named)
    return Reply(what, (body,), {**_NO_STORE, **headers})


_UNAUTHORIZED = _refused("The token is missing or wrong", "unauthorized", **{"www-authenticate": True})
_UNKNOWN = _refused("No such client, user, fault or token", "not_found")
_NOT_NOW = _refused("The authority cannot do it as it runs", "not_now")
_INVALID = _refused("One member is unknown, missing, or not what it may be", "invalid_setting", field=True)
_OF_BODIES = {
    400: _refused("Not a JSON object in UTF-8, or a member comes twice", "malformed", field=True),
    413: _refused("The body is too large", "too_large"),
    415: _refused("The Content-Type is another", "unsupported_media_type"),
    422: _INVALID,
}


def _counted(least: int, most: int) -> Schema:
    return {"type": "integer", "minimum": least, "maximum": most}


def _told(body: Schema) -> Reply:
    return Reply("What holds now", (body,), _NO_STORE)


def _switched(body: Schema) -> Reply:
    what = "What holds from now on, until the server ends: it starts with its options and its tenant file again"
    return Reply(what, (body,), _NO_STORE)


def _resource(
    path: str, summary: str, replies: Mapping[int, Reply], method: str = "GET", body: Schema | None = None
) -> Operation:
    parameters = [parameter("path", *_PATH_PARAMETERS[name]) for name in _PATH_PARAMETERS if f"{{{name}}}" in path]
    return Operation(
        "Control",
        method,
        f"{PREFIX}{path}",
        summary,
        {**replies, 401: _UNAUTHORIZED, **({} if body is None else _OF_BODIES)},
        {} if body is None else {JSON: body},
        tuple(parameters),
        (_CONTROL_TOKEN,),
    )


_PATH_PARAMETERS: dict[str, tuple[str, str, Schema]] = {
    "client_id": ("client_id", "Of a client", SOME_TEXT),
    "number": ("number", "Of a fault that is set", COUNT),
    "user": ("user", "The user's name, an e-mail address", {"type": "string", "minLength": 1, "maxLength": 200}),
    "sha256": ("sha256", "Of a refresh token, in hex", {"type": "string", "pattern": "^[0-9a-f]{64}$"}),
}
_NAME: Schema = {"type": "string", "minLength": 1, "maxLength": 200}
_SECRETS_SENT: Schema = {
    "type": "object",
    "additionalProperties": {"type": "string", "maxLength": LONGEST_SECRET},
    "maxProperties": MOST_SECRETS,
}
_CLOCK = members({"now": MOMENT, "can_be_set": FLAG})
_MFA_SETTING = {
    "mode": one_of(MFA_MODES),
    "strict": FLAG,
    "factors": _counted(1, MOST_FACTORS),
    "tell_requirements": FLAG,
    "confidence": one_of((*CONFIDENCES, "judged")),
}
_MFA = members(_MFA_SETTING)
_LIFETIME = members({"lifetime_s": _counted(1, LONGEST_ACCESS_TOKEN_LIFETIME_S)})
_LEEWAY = {"refresh_leeway_s": _counted(0, LONGEST_LEEWAY_S)}
_CLIENT = members(
    {
        "client_id": SOME_TEXT,
        "name": TEXT,
        **_LEEWAY,
        "refresh_lifetime_s": or_null(COUNT),
        "metadata": members({}, others=TEXT),
    }
)
_SCRIPT = {"name": _NAME, "text": {"type": "string", "minLength": 1, "maxLength": LARGEST_SCRIPT}}
_TEXT_SENT = {"type": "string", "minLength": 1, "maxLength": LONGEST_TEXT}
_SCRIPTS = members({f"{kind}s": list_of(members(_SCRIPT)) for kind in SECRETS})
_SCRIPTS_SENT = members(
    {},
    {
        f"{kind}s": or_null(
            {
                **list_of(members({"text": _TEXT_SENT}, {"name": _NAME, secrets: _SECRETS_SENT})),
                "maxItems": MOST_SCRIPTS,
                "description": "JavaScript that the engine takes; left out, they stay as they are.",
            }
        )
        for kind, secrets in SECRETS.items()
    },
)
_CLIENTS = members({"clients": list_of(_CLIENT)})
_FAULTS = members({"faults": list_of(FAULT)})
_LIFTED = members({"lifted": COUNT})
_TALLY = members(dict.fromkeys((*COUNTED, "families_live"), COUNT))
_STATE = members(
    {
        "issuer": SOME_TEXT,
        "clock": _CLOCK,
        "mfa": _MFA,
        "scripts": _SCRIPTS,
        "access_tokens": _LIFETIME,
        "clients": list_of(_CLIENT),
        "faults": list_of(FAULT),
        "tally": _TALLY,
    }
)
_AUTHENTICATOR = members(
    {"authenticator_id": SOME_TEXT, "factor": one_of(get_args(Factor)), "active": FLAG},
    {"name": TEXT, "totp_secret": SOME_TEXT, "recovery_code": SOME_TEXT},
)
_PUSH = members(
    {
        **dict.fromkeys(("challenge_id", "user_id", "client_id"), SOME_TEXT),
        "status": one_of(("pending", "approved", "rejected")),
        "expires": MOMENT,
    }
)
_MESSAGE = members(
    {
        **dict.fromkeys(("message_id", "user_id", "recipient", "text"), TEXT),
        "channel": one_of(get_args(Channel)),
        "sent": MOMENT,
    }
)
_EVENT = members(
    {
        "number": COUNT,
        "happened": MOMENT,
        "kind": one_of(EVENT_KINDS),
        "client_id": or_null(TEXT),
        "user_id": or_null(TEXT),
        "detail": TEXT,
    }
)
_EXAMINED = members(
    {
        "standing": one_of(get_args(Standing)),
        "generation": COUNT,
        "newest_generation": COUNT,
        "family_id": SOME_TEXT,
        "client_id": SOME_TEXT,
        "expires": or_null(MOMENT),
        "revoked": FLAG,
    }
)
# A member that may be left out may be null as well.
_MFA_SENT = members(
    {"mode": _MFA_SETTING["mode"]}, {name: or_null(each) for name, each in _MFA_SETTING.items() if name != "mode"}
)
_REVOKED = members({}, {"user": or_null(_NAME), "client_id": or_null(_NAME), "how": one_of(get_args(Ending))})
_ENROLLED = members({"factor": one_of(ENROLLABLE)}, {"name": or_null(_NAME)})
_ANSWER = members({"approve": FLAG}, {"user": or_null(_NAME), "challenge_id": or_null(TEXT)})

OPERATIONS = (
    _resource("/state", "Everything at once", {200: _told(_STATE)}),
    _resource("/clock", "The time", {200: _told(_CLOCK)}),
    _resource(
        "/clock", "Let time pass until then", {200: _told(_CLOCK), 409: _NOT_NOW}, "PUT", members({"now": MOMENT})
    ),
    _resource(
        "/clock/advance",
        "Let so much time pass",
        {200: _told(_CLOCK), 409: _NOT_NOW},
        "POST",
        members({"seconds": _counted(0, 10 * 366 * 86_400)}),
    ),
    _resource("/mfa", "When a second factor is asked for", {200: _told(_MFA)}),
    _resource("/mfa", "Ask for a second factor, or not", {200: _switched(_MFA)}, "PUT", _MFA_SENT),
    _resource("/scripts", "The tenant's rules and actions", {200: _told(_SCRIPTS)}),
    _resource("/scripts", "Have these and no others", {200: _switched(_SCRIPTS)}, "PUT", _SCRIPTS_SENT),
    _resource("/access-tokens", "How long access tokens live", {200: _told(_LIFETIME)}),
    _resource(
        "/access-tokens", "Have those issued from now on live so long", {200: _switched(_LIFETIME)}, "PUT", _LIFETIME
    ),
    _resource("/clients", "The clients", {200: _told(_CLIENTS)}),
    _resource("/clients/{client_id}", "One client", {200: _told(_CLIENT), 404: _UNKNOWN}),
    _resource(
        "/clients/{client_id}", "Change a client", {200: _switched(_CLIENT), 404: _UNKNOWN}, "PATCH", members(_LEEWAY)
    ),
    _resource("/revoke", "End refresh-token families", {200: _told(members({"families": COUNT}))}, "POST", _REVOKED),
    _resource("/faults", "What goes wrong", {200: _told(_FAULTS)}),
    _resource("/faults", "Have something go wrong", {201: _switched(FAULT)}, "POST", FAULT_SENT),
    _resource("/faults", "Lift all faults", {200: _told(_LIFTED)}, "DELETE"),
    _resource("/faults/{number}", "One fault", {200: _told(FAULT), 404: _UNKNOWN}),
    _resource("/faults/{number}", "Lift a fault", {200: _told(_LIFTED), 404: _UNKNOWN}, "DELETE"),
    _resource(
        "/users/{user}/authenticators",
        "A user's second factors",
        {200: _told(members({"authenticators": list_of(_AUTHENTICATOR)})), 422: _INVALID},
    ),
    _resource(
        "/users/{user}/authenticators",
        "Give a user one that counts at once",
        {200: _told(_AUTHENTICATOR)},
        "POST",
        _ENROLLED,
    ),
    _resource("/pushes", "Those that wait for an answer", {200: _told(members({"pushes": list_of(_PUSH)}))}),
    _resource("/pushes", "Answer one on the phone", {200: _told(_PUSH), 409: _NOT_NOW}, "POST", _ANSWER),
    _resource("/messages", "The outbox", {200: _told(members({"messages": list_of(_MESSAGE)}))}),
    _resource("/events", "The log", {200: _told(members({"events": list_of(_EVENT)}))}),
    _resource("/tally", "Counts since the start", {200: _told(_TALLY)}),
    _resource(
        "/refresh-tokens/{sha256}",
        "What a refresh token is worth",
        {200: _told(_EXAMINED), 404: _UNKNOWN, 422: _INVALID},
    ),
)
