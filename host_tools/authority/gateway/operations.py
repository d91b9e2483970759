"""What the gateway takes and answers, for the OpenAPI document."""

from __future__ import annotations

from collections.abc import Sequence

from host_tools.authority.core import mfa_errors
from host_tools.authority.core.errors import InvalidRequest, InvalidToken, LimitReached, OAuthError
from host_tools.authority.core.resource_policy import ResourcePolicy, ResourceRule
from host_tools.authority.core.session_renewal import FACTORS
from host_tools.authority.gateway import renewal, subrequest
from host_tools.authority.openapi_operation import (
    COUNT,
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
    parameter,
    refusal,
    refusals,
)
from host_tools.authority.parameters import FORM, JSON, BodyTooLarge
from host_tools.authority.tenant_settings import ApiSettings

_TAG = "Gateway"
_ACCESS_TOKEN = Security(
    "bearer",
    {"type": "http", "scheme": "bearer", "bearerFormat": "JWT", "description": "An access token for the API."},
)
_CACHED = {"cache-control": True, "etag": True}
_CHALLENGED = {"cache-control": True, "www-authenticate": True}
_NO_STORE = {"cache-control": True}
_MESSAGE = members({"message": TEXT})
_QUOTE = members(
    {"date": {"type": "string", "format": "date"}, **dict.fromkeys(("text", "author", "work", "locus"), TEXT)}
)
_MONEY = {"amount": {"type": "integer", "minimum": 1, "description": "In cents."}}
_BALANCE = members({"balance": COUNT, "currency": TEXT})
_DONE = members({"to": TEXT, **_MONEY, "currency": TEXT, "balance": COUNT})
_ANIMALS = members({"animals": list_of(TEXT)})
_ORDER = members({"to": {**SOME_TEXT, "maxLength": 100}, **_MONEY}, others=True)
_FACTOR = {"factor": {"type": "string", "enum": ["", *FACTORS]}}

# What each served API answers at a path below its prefix, when it lets through.
_ANSWERS: dict[tuple[str, str, str], tuple[str, dict[int, Reply]]] = {
    ("quotes", "GET", "/today"): (
        "Today's quote, by UTC",
        {
            200: Reply("The quote", (_QUOTE,), _CACHED),
            304: Reply("It is the one whose ETag was sent", headers=_CACHED),
        },
    ),
    ("bank", "GET", "/balance"): ("The balance, in cents", {200: Reply("The balance", (_BALANCE,), _NO_STORE)}),
    ("bank", "POST", "/transfer"): (
        "Transfer cents to somebody",
        {
            201: Reply("Done", (_DONE,), _NO_STORE),
            409: Reply("There is less in the account", (refusal(["insufficient_funds"]),), _NO_STORE),
        },
    ),
    **{
        ("catsdogs", "GET", path): ("Who is there", {200: Reply("Their names", (_ANIMALS,), _NO_STORE)})
        for path in ("/", "/dogs/", "/cats/")
    },
}


def operations(apis: Sequence[ApiSettings]) -> tuple[Operation, ...]:
    """Of the served APIs as their policies have them, and those that are there for any."""
    return (*_check_and_renewal(), *served(apis))


def served(apis: Sequence[ApiSettings]) -> tuple[Operation, ...]:
    return tuple(operation for api in apis for operation in _of(api))


def _of(api: ApiSettings) -> list[Operation]:
    found = []
    for (serves, method, path), (summary, answered) in _ANSWERS.items():
        rule = api.policy.rule(method, path) if serves == api.serves else None
        if rule is not None:
            found.append(_guarded(api.policy, rule, path, summary, answered))
    return found


def _guarded(
    policy: ResourcePolicy, rule: ResourceRule, path: str, summary: str, answered: dict[int, Reply]
) -> Operation:
    replies = {**answered, **(_refused(policy, rule) if rule.require != "none" else {})}
    takes_body = rule.method == "POST"
    if takes_body:
        unfit = Reply("Not an order of this shape", (refusal(["invalid_request"]),), _CHALLENGED)
        replies[400] = replies.get(400, unfit)
        replies[413] = Reply("The body is too large", (refusal(["invalid_request"]),), _CHALLENGED)
    cached = 304 in answered
    return Operation(
        _TAG,
        rule.method,
        f"{policy.prefix}{path}",
        summary,
        replies,
        body={JSON: _ORDER} if takes_body else {},
        parameters=(parameter("header", "If-None-Match", "RFC 9110 13.1.2", TEXT),) if cached else (),
        security=(_ACCESS_TOKEN,) if rule.require != "none" else (),
    )


def _refused(policy: ResourcePolicy, rule: ResourceRule) -> dict[int, Reply]:
    """RFC 6750 3.1, RFC 9470 3."""
    unauthorized = ["invalid_token"]
    forbidden: list[Schema] = [refusal(["insufficient_scope"])] if rule.scope else []
    wants_factor, is_bare = rule.require == "mfa", policy.refusal == "bare"
    if wants_factor and not is_bare:
        unauthorized.append("insufficient_user_authentication")
    if wants_factor and is_bare:
        forbidden.append(_MESSAGE)
    replies = {
        400: Reply(
            "More than one Authorization header, or a malformed one", (refusal(["invalid_request"]),), _CHALLENGED
        ),
        401: Reply(
            "No token, or one that is not good here",
            (_MESSAGE, refusal(unauthorized)),
            {"cache-control": False, "www-authenticate": True},
        ),
    }
    if forbidden:
        headers = {"cache-control": True, "www-authenticate": not (wants_factor and is_bare)}
        replies[403] = Reply("Not enough for this", tuple(forbidden), headers)
    return replies


def _check_and_renewal() -> tuple[Operation, ...]:
    checked = Operation(
        _TAG,
        "GET",
        subrequest.PATH,
        "Whether a request is let through that a server in front has taken (nginx: auth_request)",
        {
            200: Reply(
                "Let it through",
                headers={
                    "cache-control": True,
                    **dict.fromkeys(("x-auth-subject", "x-auth-client", "x-auth-scope"), False),
                },
            ),
            401: Reply(
                "Refuse it, with this WWW-Authenticate",
                (_MESSAGE, refusal(["invalid_token", "insufficient_user_authentication"])),
                {"cache-control": False, "www-authenticate": True},
            ),
            403: Reply(
                "Refuse it",
                (_MESSAGE, refusal(["insufficient_scope"])),
                {"cache-control": True, "www-authenticate": False, "x-gateway-reason": False},
            ),
        },
        parameters=(
            parameter("header", "X-Original-Method", "The method of the request.", TEXT),
            parameter("header", "X-Original-URI", "Its path and query, as they were sent.", TEXT),
        ),
        security=(_ACCESS_TOKEN,),
        anonymous=True,
    )
    begun = members({"factor": one_of(FACTORS)}, {"sent_to": TEXT, "expires_in": COUNT})
    wrong = (InvalidRequest, BodyTooLarge, InvalidToken, mfa_errors.UnsupportedChallengeType, LimitReached)
    begin = _renewing(
        renewal.BEGIN,
        "Have a code sent that renews the second factor of a session",
        {200: Reply("The user's app shows it", (begun,), _NO_STORE), 202: Reply("It is sent", (begun,), _NO_STORE)},
        wrong,
        members({}, _FACTOR, others=TEXT),
    )
    unfit = (
        mfa_errors.InvalidOtp,
        mfa_errors.InvalidBindingCode,
        mfa_errors.ExpiredOobCode,
        mfa_errors.MalformedOobCode,
    )
    finish = _renewing(
        renewal.FINISH,
        "Bring that code",
        {200: Reply("The session's second factor is of now", (members({"given_at": MOMENT}),), _NO_STORE)},
        (*wrong, *unfit),
        members({"code": SOME_TEXT}, _FACTOR, others=TEXT),
    )
    return checked, begin, finish


def _renewing(
    path: str, summary: str, answered: dict[int, Reply], refused: Sequence[type[OAuthError]], body: Schema
) -> Operation:
    examples = [(kind, renewal.refused(kind(60) if issubclass(kind, LimitReached) else kind())) for kind in refused]
    replies = {**answered, **refusals(examples, {})}
    anonymous = Reply("No token, or one that is not good", (_MESSAGE, *replies[401].shapes), replies[401].headers)
    replies[401] = anonymous
    bodies = {FORM: body, JSON: body}
    needs_body = bool(body["required"])
    return Operation(_TAG, "POST", path, summary, replies, bodies, security=(_ACCESS_TOKEN,), needs_body=needs_body)
