"""Retry-After and its cousin."""

from __future__ import annotations

from email.utils import formatdate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stoa.auth import retry_after

NOW = 784111777  # Sun, 06 Nov 1994 08:49:37 GMT, RFC 9110's own example


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({}, None),
        ({"retry-after": "120"}, 120),
        ({"retry-after": " 0 "}, 0),
        ({"retry-after": "99999999"}, 86400),
        ({"retry-after": "-5"}, None),
        ({"retry-after": "1.5"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": ""}, None),
        ({"retry-after": "9" * 400}, None),
        ({"retry-after": "Sun, 06 Nov 1994 08:50:37 GMT"}, 60),
        ({"retry-after": "Sun, 06 Nov 1994 08:00:00 GMT"}, 0),
        ({"x-ratelimit-reset": "30"}, 30),
        ({"retry-after": "5", "x-ratelimit-reset": "30"}, 5),
    ],
)
def test_seconds(headers, wait):
    assert retry_after.seconds(headers, NOW, 429) == wait


def test_the_rate_limits_reset_is_auth0s_epoch():
    assert retry_after.seconds({"x-ratelimit-reset": "1800000042"}, 1_800_000_000, 429) == 42


@given(st.integers(0, 4_102_444_800))
def test_every_date_the_standard_library_writes(moment):
    assert retry_after.http_date(formatdate(moment, usegmt=True)) == moment


@pytest.mark.parametrize(
    "text",
    [
        "Sunday, 06-Nov-94 08:49:37 GMT",
        "Sun Nov  6 08:49:37 1994",
        "Sun, 06 Nov 1994 08:49:37 CET",
        "Sun, 06 Nox 1994 08:49:37 GMT",
        "Sun, 32 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 24:49:37 GMT",
        "Sun, 06 Nov 1994 08:60:37 GMT",
        "Sun, 06 Nov 1994 08:49 GMT",
        "Sun, 06 Nov 1900 08:49:37 GMT",
    ],
)
def test_what_is_no_imf_fixdate(text):
    assert retry_after.http_date(text) is None


@pytest.mark.parametrize("status", [200, 403, 500, 503])
def test_a_window_that_is_told_with_every_answer_is_no_wish_to_be_left_alone(status):
    assert retry_after.seconds({"x-ratelimit-reset": "80000"}, NOW, status) is None
    assert retry_after.seconds({"retry-after": "60", "x-ratelimit-reset": "80000"}, NOW, status) == 60
