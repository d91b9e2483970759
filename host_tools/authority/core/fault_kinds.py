"""The kinds of faults, each a record that has checked what it is made of.

What a struck request looks like is for whoever carries the fault out: the device grant, a dialect, or the wire.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Literal, get_args

from host_tools.authority.checks import check_choice, check_count, check_flag, check_text
from host_tools.authority.errors import InvalidSetting

Endpoint = Literal[
    "token",
    "device_authorization",
    "authorization",
    "revocation",
    "introspection",
    "userinfo",
    "mfa",
    "discovery",
    "jwks",
    "api",
]
Moment = Literal["before", "after"]
RetryAfter = Literal["seconds", "date", "none"]
StatusBody = Literal["oauth", "html", "empty"]
Malformation = Literal[
    "not_json",
    "cut_json",
    "empty",
    "not_utf8",
    "array",
    "nulls",
    "wrong_types",
    "text_numbers",
    "deep_json",
    "long_json",
    "other_type",
]

ENDPOINTS: tuple[str, ...] = get_args(Endpoint)
ANONYMOUS: tuple[str, ...] = ("discovery", "jwks")  # whoever asks for what is public says nothing of itself
MOST_TIMES = 1_000_000
LONGEST_WAIT_S = 31 * 86_400
LEAST_DELAY_MS, MOST_DELAY_MS = 10, 600_000
MOST_KEPT_BYTES = 1_000_000
LEAST_STATUS, MOST_STATUS = 400, 599
TOLD = r"^[ !#-\[\]-~]+$"  # RFC 6749 5.2: what `error` and `error_description` are written in
LONGEST_TEXT = 200


@dataclass(frozen=True)
class LoseReply:
    """The connection ends without a byte, before the request is processed or after it."""

    kind: ClassVar[str] = "lose_reply"
    endpoint: Endpoint
    moment: Moment
    times: int | None = None
    client_id: str | None = None

    def __post_init__(self) -> None:
        _check_whom(self.endpoint, self.times, self.client_id)
        check_choice("moment", self.moment, get_args(Moment))


@dataclass(frozen=True)
class RateLimit:
    """Refused unprocessed for being too many; the client is told to come back in `wait_s`, or is not told."""

    kind: ClassVar[str] = "rate_limit"
    endpoint: Endpoint
    times: int | None = None
    wait_s: int = 60
    retry_after: RetryAfter = "seconds"
    x_ratelimit: bool = True
    client_id: str | None = None

    def __post_init__(self) -> None:
        _check_whom(self.endpoint, self.times, self.client_id)
        check_count("wait_s", self.wait_s, 0, LONGEST_WAIT_S)
        check_choice("retry_after", self.retry_after, get_args(RetryAfter))
        check_flag("x_ratelimit", self.x_ratelimit)


@dataclass(frozen=True)
class SlowDown:
    """Every device poll of a known device code is answered slow_down, whatever a person has decided."""

    kind: ClassVar[str] = "slow_down"
    endpoint: ClassVar[Endpoint] = "token"
    times: int | None = None
    client_id: str | None = None

    def __post_init__(self) -> None:
        _check_whom(self.endpoint, self.times, self.client_id)


@dataclass(frozen=True)
class StatusReply:
    """Answered with this status, before the request is processed or after it: by the server itself, as an OAuth error,
    or by what stands before it, as a page or as nothing.

    error, error_description: of an OAuth error; None for what is usual with the status.
    """

    kind: ClassVar[str] = "status"
    endpoint: Endpoint
    status: int
    moment: Moment = "before"
    times: int | None = None
    body: StatusBody = "oauth"
    error: str | None = None
    error_description: str | None = None
    retry_after_s: int | None = None
    client_id: str | None = None

    def __post_init__(self) -> None:
        _check_whom(self.endpoint, self.times, self.client_id)
        check_choice("moment", self.moment, get_args(Moment))
        check_choice("body", self.body, get_args(StatusBody))
        for field, text in (("error", self.error), ("error_description", self.error_description)):
            if text is not None:
                _check_told(field, text)
                if self.body != "oauth":
                    raise InvalidSetting(field, f"is not told in a body that is {self.body}; leave it out")
        if self.retry_after_s is not None:
            check_count("retry_after_s", self.retry_after_s, 0, LONGEST_WAIT_S)
        check_count("status", self.status, LEAST_STATUS, MOST_STATUS)


@dataclass(frozen=True)
class DelayReply:
    """The reply comes `delay_ms` later. Before: the request waits, and is not processed if its client leaves. After: it
    is processed at once, and its reply waits."""

    kind: ClassVar[str] = "delay"
    endpoint: Endpoint
    delay_ms: int
    moment: Moment = "before"
    times: int | None = None
    client_id: str | None = None

    def __post_init__(self) -> None:
        _check_whom(self.endpoint, self.times, self.client_id)
        check_choice("moment", self.moment, get_args(Moment))
        check_count("delay_ms", self.delay_ms, LEAST_DELAY_MS, MOST_DELAY_MS)


@dataclass(frozen=True)
class TruncateReply:
    """Processed; the head of the reply promises its whole body, and the connection ends after `keep_bytes` of it.

    keep_bytes: None for half. The last byte never arrives.
    """

    kind: ClassVar[str] = "truncate"
    endpoint: Endpoint
    times: int | None = None
    keep_bytes: int | None = None
    client_id: str | None = None

    def __post_init__(self) -> None:
        _check_whom(self.endpoint, self.times, self.client_id)
        if self.keep_bytes is not None:
            check_count("keep_bytes", self.keep_bytes, 0, MOST_KEPT_BYTES)


@dataclass(frozen=True)
class MalformedReply:
    """Processed; the reply keeps its status and has another body, whole by its Content-Length."""

    kind: ClassVar[str] = "malformed"
    endpoint: Endpoint
    how: Malformation
    times: int | None = None
    client_id: str | None = None

    def __post_init__(self) -> None:
        _check_whom(self.endpoint, self.times, self.client_id)
        check_choice("how", self.how, get_args(Malformation))


Fault = LoseReply | RateLimit | SlowDown | StatusReply | DelayReply | TruncateReply | MalformedReply
FAULTS: dict[str, Callable[..., Fault]] = {kind.kind: kind for kind in get_args(Fault)}


def _check_whom(endpoint: str, times: int | None, client_id: str | None) -> None:
    """What all of them have: which requests are struck."""
    check_choice("endpoint", endpoint, ENDPOINTS)
    if times is not None:
        check_count("times", times, 1, MOST_TIMES)
    if client_id is not None:
        check_text("client_id", client_id, LONGEST_TEXT)
        if endpoint in ANONYMOUS:
            raise InvalidSetting(
                "client_id", f"would strike nothing: requests to {endpoint} name no client; leave it out"
            )


def _check_told(field: str, text: object) -> None:
    check_text(field, text, LONGEST_TEXT)
    if not isinstance(text, str) or not re.fullmatch(TOLD, text):
        raise InvalidSetting(field, 'must be of printable ASCII without " and \\ (RFC 6749 5.2)')
