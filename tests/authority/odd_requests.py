"""Bodies and headers that nobody honest sends, and requests that are right but for a thing or two."""

from __future__ import annotations

import base64
import json
from typing import Any
from urllib.parse import quote_from_bytes, urlencode

from hypothesis import strategies as st

from .conftest import DEVICE_CODE_GRANT

FORM = b"application/x-www-form-urlencoded"
JSON = b"application/json"
GRANT_TYPES = [
    DEVICE_CODE_GRANT,
    "refresh_token",
    "password",
    *(f"http://auth0.com/oauth/grant-type/mfa-{kind}" for kind in ("otp", "oob", "recovery-code")),
    "mfa",
]
NAMES = [
    *("grant_type", "client_id", "client_secret", "device_code", "refresh_token", "scope", "audience", "token"),
    *("username", "password", "mfa_token", "otp", "oob_code", "binding_code", "recovery_code"),
    *("authenticator_types", "oob_channels", "phone_number", "email", "challenge_type", "authenticator_id"),
    *("code", "method_id", "presenceToken", "type", "name", "tags"),  # Extra Horizon's
]
CLIENT, MFA_TOKEN, DEVICE_CODE = REAL = ("A-CLIENT", "AN-MFA-TOKEN", "A-DEVICE-CODE")  # stand for real ones
RIGHT = {
    **dict.fromkeys(NAMES, "x"),
    "client_id": CLIENT,
    "mfa_token": MFA_TOKEN,
    "device_code": DEVICE_CODE,
    "authenticator_types": "oob",
    "oob_channels": "sms",
    "phone_number": "+15551234567",
    "challenge_type": "otp oob",
}

odd_text = st.sampled_from(["\ud800", "a\udfffb", "\x00", "é", '"', "\n", " ", "\U0001f4a5", "x" * 5000])
any_text = st.text(st.characters(codec=None), max_size=20)  # lone surrogates too
quoted = st.binary(max_size=20).map(lambda value: quote_from_bytes(value).encode())
form_value = st.one_of(
    st.sampled_from([each.encode() for each in REAL]),
    st.sampled_from(
        [b"otp", b"oob", b"", b"%", b"%zz", b"%00", b"%ff", b"%ed%a0%80", b"+", b"%F0%9F%92%A5", b"otp oob"]
    ),
    st.sampled_from([each.encode() for each in GRANT_TYPES]),
    quoted,
    st.binary(max_size=20),
)
form_name = st.sampled_from([each.encode() for each in NAMES]) | quoted | st.binary(max_size=5)
form_body = st.lists(st.tuples(form_name, form_value), max_size=8).map(
    lambda pairs: b"&".join(name + b"=" + value for name, value in pairs)
)


class Members(list[tuple[str, Any]]):
    """A JSON object that may say a thing twice."""


json_leaf = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    any_text,
    st.sampled_from([*REAL, *GRANT_TYPES, "", "otp", "oob", 10**30]),
)
json_value = st.recursive(
    json_leaf,
    lambda inner: st.lists(inner, max_size=3) | st.lists(st.tuples(any_text, inner), max_size=3).map(Members),
    max_leaves=6,
)


def written(value: Any, ascii_only: bool) -> str:
    if isinstance(value, Members):
        inner = (f"{json.dumps(name, ensure_ascii=ascii_only)}:{written(each, ascii_only)}" for name, each in value)
        return "{" + ",".join(inner) + "}"
    if isinstance(value, list):
        return "[" + ",".join(written(each, ascii_only) for each in value) + "]"
    return json.dumps(value, ensure_ascii=ascii_only)


@st.composite
def nearly_right(draw: st.DrawFn) -> Members:
    """All that any endpoint asks for, but for a few."""
    right = {**RIGHT, "grant_type": draw(st.sampled_from(GRANT_TYPES))}
    # One value that is no text has all of it refused.
    value = draw(st.sampled_from([odd_text, odd_text, odd_text | any_text, json_value]))
    odd = draw(st.dictionaries(st.sampled_from(NAMES), value, min_size=1, max_size=4))
    missing = draw(st.sets(st.sampled_from(NAMES), max_size=2))
    return Members((name, value) for name, value in (right | odd).items() if name not in missing)


def as_form(members: Members) -> bytes:
    texts = ((name, value if isinstance(value, str) else repr(value)) for name, value in members)
    return urlencode([(name, value.encode("utf-8", "surrogatepass")) for name, value in texts]).encode()


@st.composite
def json_body(draw: st.DrawFn, names: list[str] = NAMES) -> bytes:
    member = st.tuples(st.sampled_from(names) | any_text, json_value | json_leaf)
    anything = st.lists(member, max_size=8).map(Members) | json_value
    bodies = [nearly_right()] * 3 if names is NAMES else []
    text = written(draw(st.one_of(*bodies, anything)), draw(st.sampled_from([True, True, False])))
    return text.encode(draw(st.sampled_from(["utf-8"] * 9 + ["utf-8-sig", "utf-16", "utf-32"])), "surrogatepass")


header_value = st.binary(max_size=40).map(lambda value: value.translate(None, b"\r\n"))
content_type = st.one_of(
    st.sampled_from([FORM, JSON] * 3),
    st.sampled_from(
        [
            FORM + b"; charset=utf-16",
            FORM.upper() + b";charset=\xff",
            JSON + b'; charset="utf-7',
            JSON + b";;;",
            b"multipart/form-data; boundary=x",
            b"text/plain",
            b";",
            b"",
        ]
    ),
    header_value,
)
authorization = st.one_of(
    st.binary(max_size=30).map(lambda value: b"Basic " + base64.b64encode(value)),
    st.tuples(quoted, quoted).map(lambda pair: b"Basic " + base64.b64encode(b":".join(pair))),
    st.sampled_from(
        [b"Basic", b"Basic ====", b"basic  Og==", b"Bearer", b"Bearer Fe26.2*", b"Bearer a b", b"Negotiate x"]
    ),
    st.text("abcABC019-_.=", max_size=60).map(lambda value: b"Bearer Fe26." + value.encode()),
    header_value.map(lambda value: b"Bearer " + value),
    header_value,
)


@st.composite
def headers(draw: st.DrawFn) -> list[tuple[bytes, bytes]]:
    named = [(b"Content-Type", each) for each in draw(st.lists(content_type, min_size=1, max_size=2))]
    named += [(b"Authorization", each) for each in draw(st.lists(authorization, max_size=2))]
    if draw(st.booleans()):
        named.append((b"X-Huge", b"x" * draw(st.sampled_from([1, 8_000, 30_000]))))
    return named
