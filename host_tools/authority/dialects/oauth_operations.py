"""The operations that dialects share: what their endpoints take and answer. Statuses come from each one's `refusal`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from host_tools.authority.core import errors
from host_tools.authority.core.authorization_codes import InvalidCode, WrongVerifier
from host_tools.authority.core.errors import LimitReached, MfaRequired, Requirements, SlowDown
from host_tools.authority.dialects.oauth import CODE_GRANT, DEVICE_CODE_GRANT, REFRESH_GRANT, Refusal
from host_tools.authority.openapi_operation import (
    COUNT,
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
    refusals,
)
from host_tools.authority.parameters import FORM, BodyTooLarge

TAG = "OAuth"
NO_STORE = {"cache-control": True, "pragma": True}
# RFC 6749 2.3.1: a client that has a secret may send it so, instead of client_id and client_secret in the body.
CLIENT_SECRET = Security("client_secret", {"type": "http", "scheme": "basic"})
CLIENT: Mapping[str, Schema] = {
    "client_id": {**TEXT, "description": "Required, unless the client authenticates with HTTP Basic."},
    "client_secret": {**TEXT, "description": "Of a client that has one and does not use HTTP Basic."},
}
CALL: tuple[Refused, ...] = (errors.InvalidRequest, errors.InvalidClient)  # of any request that names its client
BODY: tuple[Refused, ...] = (*CALL, BodyTooLarge)


@dataclass(frozen=True)
class Grant:
    """A grant type: its parameters and what it refuses."""

    required: tuple[str, ...]
    optional: tuple[str, ...]
    refuses: tuple[Refused, ...]


GRANTS: dict[str, Grant] = {
    DEVICE_CODE_GRANT: Grant(
        ("device_code",),
        (),
        (
            errors.AuthorizationPending,
            errors.SlowDown,
            errors.AccessDenied,
            errors.DeniedByScript,
            errors.ExpiredToken,
            errors.InvalidGrant,
        ),
    ),
    CODE_GRANT: Grant(("code", "redirect_uri"), ("code_verifier",), (InvalidCode, WrongVerifier)),
    REFRESH_GRANT: Grant(
        ("refresh_token",),
        ("scope",),
        (errors.InvalidRefreshToken, errors.InvalidScope, errors.MfaRequired, errors.DeniedByScript),
    ),
}
_TOKENS = members(
    {"access_token": SOME_TEXT, "scope": TEXT, "expires_in": COUNT, "token_type": {"const": "Bearer"}},
    {
        "refresh_token": SOME_TEXT,
        "id_token": SOME_TEXT,
        "recovery_code": {**SOME_TEXT, "description": "The one that takes the place of the one just spent."},
    },
)
_BEGUN = members(
    {
        "device_code": SOME_TEXT,
        "user_code": SOME_TEXT,
        "verification_uri": {"type": "string", "format": "uri"},
        "verification_uri_complete": {"type": "string", "format": "uri"},
        "expires_in": COUNT,
        "interval": COUNT,
    }
)
_KEYS = members(
    {"keys": list_of(members(dict.fromkeys(("kty", "kid", "use", "alg", "n", "e"), SOME_TEXT)))}  # public members only
)
_USER = members({"sub": SOME_TEXT}, {**dict.fromkeys(("name", "nickname", "email"), TEXT), "email_verified": FLAG})
_ACCESS_TOKEN = Security("access_token", {"type": "http", "scheme": "bearer", "description": "With scope openid."})
_INTROSPECTED = members(
    {"active": FLAG},
    {
        **dict.fromkeys(("token_type", "iss", "sub", "client_id", "scope", "jti", "acr", "sid"), TEXT),
        **dict.fromkeys(("aud", "amr"), list_of(TEXT)),
        **dict.fromkeys(("exp", "iat", "auth_time"), COUNT),
    },
)


class Endpoints:
    """Builds operations of one dialect. shapes: see openapi_operation.refusals."""

    def __init__(self, refusal: Refusal, shapes: Mapping[str, Schema]) -> None:
        self._refusal = refusal
        self._shapes = shapes

    def refused(self, *kinds: Refused) -> dict[int, Reply]:
        return refusals([(kind, self._refusal(_example(kind))) for kind in dict.fromkeys(kinds)], self._shapes)

    def device_authorization(self, path: str) -> Operation:
        """RFC 8628 3.1."""
        audience = "The API; what the client gets when it names none is its own."
        body = sent((), ("scope", "audience", "resource"), {"audience": {**TEXT, "description": audience}})
        replies = self.refused(*BODY, errors.UnauthorizedClient, errors.InvalidTarget)
        return self._post(path, "Begin a device grant", _answer(_BEGUN, replies), {FORM: body})

    def token(self, path: str, grants: Mapping[str, Grant], media_types: tuple[str, ...] = (FORM,)) -> Operation:
        """RFC 6749 3.2, with these grant types."""
        kinds = [kind for grant in grants.values() for kind in grant.refuses]
        replies = self.refused(*BODY, errors.UnsupportedGrantType, errors.UnauthorizedClient, *kinds)
        body: Schema = {"oneOf": [_grant_body(grant_type, grant) for grant_type, grant in grants.items()]}
        return self._post(
            path, "Exchange a grant for tokens", _answer(_TOKENS, replies), dict.fromkeys(media_types, body)
        )

    def revocation(
        self, path: str, media_types: tuple[str, ...] = (FORM,), refuses: tuple[Refused, ...] = ()
    ) -> Operation:
        """RFC 7009 2. refuses: what is refused beside a wrong request."""
        replies = {200: Reply("Revoked, or never issued", headers=NO_STORE), **self.refused(*BODY, *refuses)}
        body = sent(("token",), ("token_type_hint",))
        return self._post(path, "Revoke a refresh token", replies, dict.fromkeys(media_types, body))

    def introspection(self, path: str) -> Operation:
        """RFC 7662 2."""
        replies = _answer(_INTROSPECTED, self.refused(*BODY))
        return self._post(path, "Ask what a token is worth", replies, {FORM: sent(("token",), ("token_type_hint",))})

    def userinfo(self, path: str) -> Operation:
        """OpenID Connect Core 5.3, with the refusals of browser_applications.userinfo_refusal."""
        replies = _answer(_USER, self.refused(errors.InvalidRequest, errors.InvalidToken, errors.InsufficientScope))
        return Operation(TAG, "GET", path, "Of whom an access token speaks", replies, security=(_ACCESS_TOKEN,))

    def metadata(self, path: str) -> Operation:
        """RFC 8414 2."""
        known = {"issuer": SOME_TEXT, "token_endpoint": SOME_TEXT, "device_authorization_endpoint": SOME_TEXT}
        return _document(path, "The endpoints", members(known, others={"type": ["string", "array", "boolean"]}))

    def keys(self, path: str) -> Operation:
        """RFC 7517 5."""
        return _document(path, "The keys that tokens are signed with", _KEYS)

    def _post(self, path: str, summary: str, replies: Mapping[int, Reply], body: Mapping[str, Schema]) -> Operation:
        return Operation(TAG, "POST", path, summary, replies, body, security=(CLIENT_SECRET,), anonymous=True)


def sent(
    required: Iterable[str], optional: Iterable[str] = (), described: Mapping[str, Schema] | None = None
) -> Schema:
    """The parameters of a call. RFC 6749 3.2: others are ignored, and one without a value counts as not sent."""
    all_described = {**CLIENT, **(described or {})}
    known = {name: all_described.get(name, SOME_TEXT) for name in required}
    may = {name: all_described.get(name, TEXT) for name in optional}
    return members(known, {**may, **CLIENT}, others=TEXT)


def _grant_body(grant_type: str, grant: Grant) -> Schema:
    described = {"grant_type": {"const": grant_type}}
    return {"title": grant_type, **sent(("grant_type", *grant.required), grant.optional, described)}


def _answer(body: Schema, refused: Mapping[int, Reply]) -> dict[int, Reply]:
    return {200: Reply("Granted", (body,), NO_STORE), **refused}


def _document(path: str, summary: str, body: Schema) -> Operation:
    return Operation(TAG, "GET", path, summary, {200: Reply("The document", (body,), {"cache-control": True})})


def _example(kind: Refused) -> errors.OAuthError:
    if issubclass(kind, LimitReached | SlowDown):
        return kind(60)
    if issubclass(kind, MfaRequired):
        return kind("Fe26.2*", Requirements((), ("otp",)))
    if issubclass(kind, errors.InsufficientScope):
        return kind("")
    return kind()
