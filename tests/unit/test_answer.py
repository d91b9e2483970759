"""Members of a token endpoint's answer, at their limits."""

from __future__ import annotations

import pytest

from stoa.auth import answer


@pytest.mark.parametrize(
    ("value", "read"),
    [("x", "x"), ("x" * 8, "x" * 8), ("x" * 9, None), ("", None), (" ~!", " ~!"), ("\x1f", None), ("\x7f", None)],
)
def test_text_is_printable_ascii_of_a_bounded_length(value, read):
    assert answer.text({"key": value}, "key", 8) == read


@pytest.mark.parametrize("value", [None, 5, True, b"x", ["x"], {}])
def test_text_is_a_string(value):
    assert answer.text({"key": value}, "key", 8) is None
    assert answer.text({}, "key", 8) is None


@pytest.mark.parametrize(
    ("value", "read"),
    [(1, 1), (99, 99), (100, 100), (101, 100), ("42", 42), (42.9, 42), (0, 7), (-1, 7), (True, 7), (False, 7)],
)
def test_seconds_are_whole_and_bounded(value, read):
    assert answer.seconds({"key": value}, "key", 7, 100) == read


@pytest.mark.parametrize(("sent", "kept"), [(86400, 86400), (2678400, 2678400), (2678401, 2678400), (None, 0)])
def test_an_access_token_is_good_for_a_month_at_most(sent, kept):
    kind, tokens = answer.read({"access_token": "at", "token_type": "Bearer", "expires_in": sent})
    assert (kind, tokens["expires_in"]) == ("tokens", kept)


def test_an_error_beside_tokens_is_an_error():
    assert answer.read({"access_token": "at", "token_type": "Bearer", "error": "slow_down"}) == ("error", "slow_down")
