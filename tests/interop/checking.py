"""What the checks of the requirements have in common: which servers a check runs on, and what a refusal looks like."""

from __future__ import annotations

import math
import re
import string
from collections.abc import Callable, Collection
from typing import Any

import httpx2
import jwt
import pytest

from tests.interop.requirements import server_rows

ROWS = {row.id: row for row in server_rows()}
# RFC 6749 5.2: a description is printable ASCII without the quotation mark and the backslash.
DESCRIPTION = set(string.printable[:95]) - set('"\\')
# RFC 6749 10.10: a guess may succeed with 2**-128 at most and should with no more than 2**-160.
LEAST_BITS = 160
SAMPLE = 300  # so many tokens show 62 or more of 64 signs in nearly each place
# The tests of this run that have passed, as (file, name).
PASSED = pytest.StashKey[set[tuple[object, str]]]()


def shows(row_id: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Run this check on each server that the row says it runs on."""
    return pytest.mark.parametrize("server", ROWS[row_id].runs_on(), indirect=True)


def cells_not_run(request: pytest.FixtureRequest) -> set[str]:
    """Of the checks selected from this file, each server of a row on which it has not passed by now."""
    selected = {getattr(item, "originalname", "") for item in request.session.items if item.path == request.path}
    passed = {name for path, name in request.session.stash.get(PASSED, set()) if path == request.path}
    cells = {f"{row.test}[{name}]" for row in ROWS.values() if row.test in selected for name in row.runs_on()}
    return cells - passed


def refused(reply: httpx2.Response, *errors: str) -> None:
    """It is one of these errors, in the shape of RFC 6749 5.2, with whatever status a client error has."""
    assert reply.is_client_error, reply.text
    assert reply.headers["content-type"].partition(";")[0] == "application/json"
    body = reply.json()
    assert body["error"] in errors, body
    assert set(body.get("error_description", "")) <= DESCRIPTION


def bits(tokens: Collection[str]) -> float:
    """The entropy that these leave room for: of each place, as much as the signs that have stood there do.

    What they all have in common counts for nothing. Whether signs and places are drawn evenly and apart from each
    other, nobody can tell from outside.
    """
    assert all(re.fullmatch(r"[\w.~+/=-]+", token) for token in tokens)
    return sum(math.log2(len(set(place))) for place in zip(*tokens, strict=True))


def granted(tokens: dict[str, Any]) -> set[str]:
    """The scopes of the access token."""
    return set(jwt.decode(tokens["access_token"], options={"verify_signature": False})["scope"].split())
