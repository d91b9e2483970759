"""Reading what Okta's API is sent: a JSON object, whose members have the types they are to have.

Members that are not known are ignored, and one that is null counts as not sent, as with the vendor's own reader [I].
"""

from __future__ import annotations

import json
from typing import Any

from starlette.requests import Request

from host_tools.authority import parameters
from host_tools.authority.core.authn_errors import (
    BodyTooLong,
    InvalidMember,
    MediaTypeRefused,
    NotWellFormed,
    WrongParameterType,
)
from host_tools.authority.core.errors import InvalidRequest

_BLANK = "The field cannot be left blank"
_FLAGS = {"true": True, "false": False}


class Body:
    """An object in the body. Raises NotWellFormed for a member of another type."""

    def __init__(self, members: dict[str, Any]) -> None:
        self._members = members

    def text(self, name: str, longest: int | None = None) -> str | None:
        """Raises InvalidMember for one that is longer."""
        value = self._members.get(name)
        if value is not None and not isinstance(value, str):
            raise NotWellFormed
        if value is not None and longest is not None and len(value) > longest:
            raise InvalidMember(name, f"{name}: The field is longer than {longest} characters")
        return value

    def required(self, name: str) -> str:
        """Raises InvalidMember for one that is missing, or empty."""
        value = self.text(name)
        if not value:
            raise InvalidMember(name, f"{name}: {_BLANK}")
        return value

    def flag(self, name: str) -> bool:
        value = self._members.get(name)
        if value is not None and not isinstance(value, bool):
            raise NotWellFormed
        return bool(value)

    def part(self, name: str) -> Body:
        """The object that is this member; an empty one where there is none."""
        value = self._members.get(name)
        if value is not None and not isinstance(value, dict):
            raise NotWellFormed
        return Body(value or {})


async def read(request: Request) -> Body:
    """Raises MediaTypeRefused, BodyTooLong, NotWellFormed."""
    media_type = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if media_type != parameters.JSON:
        raise MediaTypeRefused
    try:
        text = (await parameters.whole_body(request)).decode()
        value = json.loads(text, object_pairs_hook=_without_repeats, parse_constant=_refused)
        json.dumps(value, ensure_ascii=False).encode()  # \ud800 in JSON is a str that no database or hash takes
    except parameters.BodyTooLarge as large:
        raise BodyTooLong from large
    except (InvalidRequest, ValueError, RecursionError) as malformed:
        raise NotWellFormed from malformed
    if not isinstance(value, dict):
        raise NotWellFormed
    return Body(value)


def parameter(request: Request, name: str) -> bool | None:
    """A flag in the address; None where it is not there. Raises WrongParameterType."""
    sent = request.query_params.get(name)
    if not sent:
        return None
    if sent.lower() not in _FLAGS:
        raise WrongParameterType(f"{name} is true or false.")
    return _FLAGS[sent.lower()]


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a member comes twice")
    return members


def _refused(constant: str) -> Any:
    raise ValueError(f"{constant} is not JSON")
