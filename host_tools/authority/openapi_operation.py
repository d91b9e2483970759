"""What a part of the authority answers, as data: a table of operations beside its routes, for the OpenAPI document.

What is refused is not written down a second time: a part names the refusals of its core, and its own translation is
asked what each of them looks like.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.responses import Response

from host_tools.authority.core.errors import OAuthError

Schema = Mapping[str, Any]  # JSON Schema 2020-12, as OpenAPI 3.1 has it
Refused = type[OAuthError]

TEXT: Schema = {"type": "string"}
SOME_TEXT: Schema = {"type": "string", "minLength": 1}
COUNT: Schema = {"type": "integer", "minimum": 0}
FLAG: Schema = {"type": "boolean"}
MOMENT: Schema = {"type": "string", "format": "date-time"}
_NOT_TOLD = ("content-length", "content-type")


@dataclass(frozen=True)
class Security:
    """A way to be let in. `scheme`: OpenAPI's Security Scheme Object."""

    name: str
    scheme: Schema


@dataclass(frozen=True)
class Reply:
    """What one status brings.

    shapes: the bodies it may have, as JSON; none for an empty one. headers: whether each is there always.
    page: it may be a page for people instead.
    """

    description: str
    shapes: tuple[Schema, ...] = ()
    headers: Mapping[str, bool] = field(default_factory=dict)
    page: bool = False


@dataclass(frozen=True)
class Operation:
    """One method of one path.

    path: with the names of its parameters in braces. parameters: OpenAPI's Parameter Objects. body: by media type;
    `needs_body`: one has to be sent.
    security: any one of these lets in; `anonymous`: so does none.
    """

    tag: str
    method: str
    path: str
    summary: str
    replies: Mapping[int, Reply]
    body: Mapping[str, Schema] = field(default_factory=dict)
    parameters: tuple[Schema, ...] = ()
    security: tuple[Security, ...] = ()
    anonymous: bool = False
    needs_body: bool = True


def members(
    required: Mapping[str, Schema], optional: Mapping[str, Schema] | None = None, *, others: bool | Schema = False
) -> Schema:
    """A JSON object. others: what else it may have."""
    properties = {**required, **(optional or {})}
    return {"type": "object", "properties": properties, "required": [*required], "additionalProperties": others}


def list_of(items: Schema) -> Schema:
    return {"type": "array", "items": items}


def one_of(words: Iterable[str]) -> Schema:
    return {"type": "string", "enum": [*words]}


def or_null(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "null"}]}


def parameter(where: str, name: str, description: str, schema: Schema = SOME_TEXT) -> Schema:
    """where: `path` or `header`."""
    return {"name": name, "in": where, "required": where == "path", "description": description, "schema": schema}


def refusals(replies: Iterable[tuple[Refused, Response]], shapes: Mapping[str, Schema]) -> dict[int, Reply]:
    """By status, what it looks like when each of these is refused.

    shapes: the body of a code that has more in it than the two members of RFC 6749 5.2.
    """
    by_status: dict[int, list[tuple[Refused, Response]]] = {}
    for kind, reply in replies:
        by_status.setdefault(reply.status_code, []).append((kind, reply))
    return {status: _refusal(found, shapes) for status, found in sorted(by_status.items())}


def refusal(codes: Iterable[str]) -> Schema:
    """RFC 6749 5.2."""
    return members({"error": one_of(dict.fromkeys(codes)), "error_description": TEXT})


def exactly(body: Mapping[str, Any]) -> Schema:
    """An object of these values and no others."""
    return members({name: {"const": value} for name, value in body.items()})


def api_error(codes: Iterable[str]) -> Schema:
    """Okta's."""
    causes = list_of(members({"errorSummary": TEXT}))
    told = {"errorSummary": TEXT, "errorLink": SOME_TEXT, "errorId": SOME_TEXT, "errorCauses": causes}
    return members({"errorCode": one_of(dict.fromkeys(codes)), **told})


def together(one: Reply | None, other: Reply) -> Reply:
    """A status that has two reasons."""
    if one is None:
        return other
    names = {**one.headers, **other.headers}
    headers = {name: one.headers.get(name, False) and other.headers.get(name, False) for name in names}
    description = f"{one.description}\n{other.description}"
    return Reply(description, (*one.shapes, *other.shapes), headers, one.page or other.page)


def _refusal(found: list[tuple[Refused, Response]], shapes: Mapping[str, Schema]) -> Reply:
    codes: dict[str, None] = {}
    lines: dict[str, None] = {}
    names = [set(reply.headers) - set(_NOT_TOLD) for _, reply in found]
    for kind, reply in found:
        code = json.loads(bytes(reply.body))["error"]
        codes[code] = None
        lines[f"- `{code}`: {' '.join((inspect.getdoc(kind) or '').split())}"] = None
    plain = [code for code in codes if code not in shapes]
    return Reply(
        "\n".join(lines),
        (*([refusal(plain)] if plain else []), *(shapes[code] for code in codes if code in shapes)),
        {name: all(name in each for each in names) for name in sorted(set().union(*names))},
    )
