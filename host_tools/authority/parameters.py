"""Reading a request's parameters: RFC 6749's rules and our limits, the same for every dialect and page."""

from __future__ import annotations

import json
from collections.abc import Iterable
from urllib.parse import parse_qsl

from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect, Request

from host_tools.authority.core.errors import InvalidRequest

LARGEST_BODY = 64 * 1024  # a token request is below 2 KB
_MOST_FIELDS = 50
_LONGEST_USER_AGENT = 500
_LISTS = ("authenticator_types", "oob_channels")  # of Auth0's MFA API (wire-facts 1.5); all else is a string
_SHAPE = f"The body must be a JSON object whose values are strings, or lists of words for {' and '.join(_LISTS)}."
_SPACE = set(" \t\r\n")
FORM = "application/x-www-form-urlencoded"
JSON = "application/json"


class BodyTooLarge(InvalidRequest):
    """RFC 9110 15.5.14: the request content is larger than the server is willing to process."""

    description = f"The body is larger than {LARGEST_BODY} bytes."


class MissingParameter(InvalidRequest):
    """RFC 6749 5.2: The request is missing a required parameter. `name`: which."""

    def __init__(self, name: str = "") -> None:
        super().__init__(f"Missing required parameter: {name}")
        self.name = name


class RepeatedParameter(InvalidRequest):
    """RFC 6749 3.2: parameters MUST NOT be included more than once."""

    description = "A parameter is included more than once."


class Parameters:
    """The parameters of one request. Sent without a value counts as not sent (RFC 6749 3.2)."""

    def __init__(self, pairs: Iterable[tuple[str, str]]) -> None:
        self._values: dict[str, str] = {}
        for name, value in pairs:
            if name in self._values:
                raise RepeatedParameter
            self._values[name] = value

    def get(self, name: str) -> str | None:
        return self._values.get(name) or None

    def all(self) -> dict[str, str]:
        """Those that were sent with a value."""
        return {name: value for name, value in self._values.items() if value}

    def required(self, name: str) -> str:
        value = self.get(name)
        if value is None:
            raise MissingParameter(name)
        return value


def authorization(headers: Headers) -> tuple[str, str]:
    """Scheme, in lower case, and what follows it, of the Authorization header (RFC 9110 11.4); both empty without one.

    Raises InvalidRequest where there is more than one.
    """
    sent = headers.getlist("authorization")
    if len(sent) > 1:
        raise InvalidRequest("More than one Authorization header.")
    scheme, _, value = sent[0].strip().partition(" ") if sent else ("", "", "")
    return scheme.lower(), value.strip()


def user_agent(headers: Headers) -> str:
    """What the client calls itself, as far as that is kept."""
    return headers.get("user-agent", "")[:_LONGEST_USER_AGENT]


async def read(request: Request, media_types: tuple[str, ...] = (FORM,)) -> Parameters:
    """The parameters in the body. Raises InvalidRequest, BodyTooLarge."""
    media_type = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if media_type not in media_types:
        raise InvalidRequest(f"The Content-Type must be {' or '.join(media_types)}.")
    try:
        text = (await whole_body(request)).decode()
        pairs = _json_pairs(text) if media_type == JSON else _form_pairs(text)
        for pair in pairs:
            "".join(pair).encode()  # JSON's \\ud800 is a str that no database or hash takes
    except UnicodeError as odd:
        raise InvalidRequest("The body is not UTF-8.") from odd
    return Parameters(pairs)


async def whole_body(request: Request) -> bytes:
    """Raises BodyTooLarge, or InvalidRequest when whoever sent it left in the middle."""
    body = bytearray()
    try:
        async for part in request.stream():
            body += part
            if len(body) > LARGEST_BODY:
                raise BodyTooLarge
    except ClientDisconnect as gone:  # a board that lost its power: nobody reads the refusal
        raise InvalidRequest("The body is not complete.") from gone
    return bytes(body)


def _form_pairs(text: str) -> list[tuple[str, str]]:
    try:
        return parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=_MOST_FIELDS)
    except UnicodeError:
        raise
    except ValueError as too_many:
        raise InvalidRequest("The body has too many parameters.") from too_many


def _json_pairs(text: str) -> list[tuple[str, str]]:
    try:
        # Kept as pairs: a dict would hide a name that comes twice. In a tuple, for `[]` is not `{}`.
        pairs = json.loads(text, object_pairs_hook=tuple)
    except (ValueError, RecursionError) as malformed:
        raise InvalidRequest("The body is not JSON.") from malformed
    if not isinstance(pairs, tuple):
        raise InvalidRequest(_SHAPE)
    return [(name, _text(name, value)) for name, value in pairs]


def _text(name: str, value: object) -> str:
    """A string as it is; a list of words (`"authenticator_types": ["otp"]`) as a form would send it."""
    if isinstance(value, str):
        return value
    if name in _LISTS and isinstance(value, list) and all(map(_is_word, value)):
        return " ".join(value)
    raise InvalidRequest(_SHAPE)


def _is_word(value: object) -> bool:
    return isinstance(value, str) and value != "" and not set(value) & _SPACE
