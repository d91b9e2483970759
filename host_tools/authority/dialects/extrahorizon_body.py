"""Reading what is sent to Extra Horizon: JSON objects, and forms at the token endpoint, which its own page shows.

The refusals have numbers of their own there (extrahorizon_refusals.py). Members that nobody asks for are ignored.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from starlette.requests import Request

from host_tools.authority import parameters
from host_tools.authority.core.errors import InvalidRequest
from host_tools.authority.parameters import FORM, JSON, BodyTooLarge

LONGEST_TEXT = 1024  # of a password, as at the pages; and of all else
MOST_WORDS = 20


class EmptyBody(InvalidRequest):
    """The request has no body."""

    description = "The body is empty"


class BodyFormat(InvalidRequest):
    """The body is not of a type that is taken, or not what its type says, or no object."""

    description = "The body is not a JSON object"


class MissingFields(InvalidRequest):
    """A required field is missing, or empty."""

    description = "A required field is missing"


class FieldFormat(InvalidRequest):
    """A field is of another type, or longer than is taken."""

    description = "A field is not of the right format"


class Body:
    """The members of a request's body."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = values

    def text(self, name: str) -> str:
        """Raises MissingFields, FieldFormat."""
        value = self.optional_text(name)
        if not value:
            raise MissingFields(f"The field {name} is required")
        return value

    def optional_text(self, name: str) -> str | None:
        """Raises FieldFormat."""
        if name not in self._values:
            return None
        value = self._values[name]
        if not isinstance(value, str) or len(value) > LONGEST_TEXT:
            raise FieldFormat(f"The field {name} has to be a text of at most {LONGEST_TEXT} characters")
        return value

    def choice(self, name: str, choices: Iterable[str]) -> str:
        """Raises MissingFields, FieldFormat."""
        value = self.text(name)
        if value not in choices:
            raise FieldFormat(f"The field {name} has to be one of {', '.join(choices)}")
        return value

    def words(self, name: str) -> tuple[str, ...]:
        """A list of texts, empty where it is not sent. Raises FieldFormat."""
        values = self._values.get(name, [])
        fit = isinstance(values, list) and len(values) <= MOST_WORDS
        if not fit or not all(isinstance(each, str) and len(each) <= LONGEST_TEXT for each in values):
            raise FieldFormat(f"The field {name} has to be a list of at most {MOST_WORDS} texts")
        return tuple(values)


async def read(request: Request, takes_forms: bool = False) -> Body:
    """Raises EmptyBody, BodyFormat, BodyTooLarge."""
    media_type = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if media_type == FORM and takes_forms:
        try:
            return Body((await parameters.read(request)).all())
        except BodyTooLarge:
            raise
        except InvalidRequest as malformed:
            raise BodyFormat(malformed.description) from malformed
    content = await parameters.whole_body(request)
    if not content.strip():
        raise EmptyBody
    if media_type != JSON:
        raise BodyFormat(f"The Content-Type has to be {f'{JSON} or {FORM}' if takes_forms else JSON}")
    return Body(_members(content))


def _members(content: bytes) -> dict[str, Any]:
    try:
        text = content.decode()
        members: Any = json.loads(text, object_pairs_hook=_once)
        json.dumps(members, ensure_ascii=False).encode()  # JSON's \\ud800 is a str that no database or hash takes
    except UnicodeError as odd:
        raise BodyFormat("The body is not UTF-8") from odd
    except (ValueError, RecursionError) as malformed:
        raise BodyFormat from malformed
    if not isinstance(members, dict):
        raise BodyFormat
    return members


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        raise BodyFormat("A field is included more than once")
    return members
