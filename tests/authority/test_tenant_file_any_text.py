"""Whatever it is given for a tenant file, it answers with settings or with what is wrong."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from host_tools.authority import AuthorityError
from host_tools.authority.tenant_file import parse

from .tenant_files import are_told

names = st.sampled_from(
    ["tenant", "device_flow", "mfa", "users", "clients", "outbox", "subscribers", "authenticators", "refresh_token",
     "metadata", "name", "username", "password", "factor", "totp_secret", "mask", "charset", "untrusted", "url",
     "leeway", "scopes", "default_scopes", "client_id", "secret", "grants", "token_lifetime", "expiration_type",
     "rules", "actions", "file", "enabled", "configuration", "secrets", "x"]
)  # fmt: skip
scalars = (
    st.sampled_from(
        ["otp", "sms", "push", "email", "a@b", "digits", "***-***-***", "always", "non-expiring", "http://a"]
    )
    | st.text(max_size=6)
    | st.integers()
    | st.booleans()
    | st.floats()
    | st.datetimes()
)
documents = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=4),
    max_leaves=20,
)


def inline(value: Any) -> str:
    """A value as TOML, on one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name} = {inline(each)}" for name, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(inline, value)) + "]"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return '"' + "".join(f"\\U{ord(letter):08x}" if ord(letter) < 0xD800 else letter for letter in value) + '"'
    return value.isoformat() if hasattr(value, "isoformat") else repr(value)


def answered(text: str) -> None:
    try:
        settings = parse(text, "tenant.toml")
    except AuthorityError as refused:
        are_told(refused.problems, text, "tenant.toml")
    else:
        assert settings.users
        assert settings.clients


@given(st.dictionaries(names, documents, max_size=5))
def test_any_document_is_answered(document):
    answered("\n".join(f"{name} = {inline(value)}" for name, value in document.items()))


@given(st.lists(st.sampled_from(["[", "]", "[[", "]]", "{", "}", "=", ",", ".", "\n", "'", '"', '"""', "'''", "\\", "#",
                                 " ", "users", "clients", "mfa", "mask", "1", "true", "\0", "\r", "0x" + "f" * 4000]))
       | st.text())  # fmt: skip
def test_any_text_is_answered(pieces):
    answered("".join(pieces))
