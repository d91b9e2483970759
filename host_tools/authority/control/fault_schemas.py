"""What the control API takes and tells of faults, for the OpenAPI document: the members of core/fault_kinds.py."""

from __future__ import annotations

from collections.abc import Mapping
from typing import get_args

from host_tools.authority.core.fault_kinds import (
    ANONYMOUS,
    ENDPOINTS,
    LEAST_DELAY_MS,
    LEAST_STATUS,
    LONGEST_TEXT,
    LONGEST_WAIT_S,
    MOST_DELAY_MS,
    MOST_KEPT_BYTES,
    MOST_STATUS,
    MOST_TIMES,
    TOLD,
    Malformation,
    Moment,
    RetryAfter,
    StatusBody,
)
from host_tools.authority.openapi_operation import COUNT, FLAG, Schema, members, one_of, or_null


def _counted(least: int, most: int) -> Schema:
    return {"type": "integer", "minimum": least, "maximum": most}


def _text(description: str, **more: str) -> Schema:
    return {"type": "string", "minLength": 1, "maxLength": LONGEST_TEXT, "description": description, **more}


_AT = {"endpoint": {**one_of(ENDPOINTS), "description": "One that this dialect has."}}
_WHEN = {"moment": one_of(get_args(Moment))}
_TOLD = or_null(_text("Of an oauth body.", pattern=TOLD))
_KINDS: dict[str, tuple[Mapping[str, Schema], Mapping[str, Schema]]] = {  # what a kind has to have, and may have
    "lose_reply": ({**_AT, **_WHEN}, {}),
    "rate_limit": (
        _AT,
        {"wait_s": _counted(0, LONGEST_WAIT_S), "retry_after": one_of(get_args(RetryAfter)), "x_ratelimit": FLAG},
    ),
    "slow_down": ({}, {}),
    "status": (
        {**_AT, "status": _counted(LEAST_STATUS, MOST_STATUS)},
        {
            **_WHEN,
            "body": one_of(get_args(StatusBody)),
            "error": _TOLD,
            "error_description": _TOLD,
            "retry_after_s": or_null(_counted(0, LONGEST_WAIT_S)),
        },
    ),
    "delay": ({**_AT, "delay_ms": _counted(LEAST_DELAY_MS, MOST_DELAY_MS)}, _WHEN),
    "truncate": (_AT, {"keep_bytes": or_null(_counted(0, MOST_KEPT_BYTES))}),
    "malformed": ({**_AT, "how": one_of(get_args(Malformation))}, {}),
}
_WHOM = {
    "times": or_null(_counted(1, MOST_TIMES)),
    "client_id": or_null(
        _text(f"One that is there, at an endpoint where clients name themselves: not {' or '.join(ANONYMOUS)}.")
    ),
}
FAULT_SENT: Schema = {
    "oneOf": [
        members({"kind": {"const": kind}, **required}, {**optional, **_WHOM})
        for kind, (required, optional) in _KINDS.items()
    ]
}
FAULT: Schema = {
    "oneOf": [
        members({"number": COUNT, "kind": {"const": kind}, **required, **optional, **_WHOM, "struck": COUNT})
        for kind, (required, optional) in _KINDS.items()
    ]
}
