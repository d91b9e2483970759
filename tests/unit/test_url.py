"""URLs, taken apart as urequests would and refused where it would go wrong."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stoa import url


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("https://id.example/", ("https", "id.example", 443, "/")),
        ("https://id.example", ("https", "id.example", 443, "/")),
        ("http://localhost:8400/a/b?c=d", ("http", "localhost", 8400, "/a/b?c=d")),
        ("https://h?x=/y", ("https", "h", 443, "/?x=/y")),
        ("http://127.0.0.1:80", ("http", "127.0.0.1", 80, "/")),
        ("https://h:1/!~", ("https", "h", 1, "/!~")),
        ("https://h:65535/" + "x" * 496, ("https", "h", 65535, "/" + "x" * 496)),
    ],
)
def test_split(text, parts):
    assert url.split(text) == parts


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (None, "is not a URL"),
        ("", "is not a URL"),
        ("id.example", "must start with https://"),
        ("ftp://id.example/", "must start with https://"),
        ("HTTPS://id.example/", "must start with https://"),
        ("https://", "has no host"),
        ("https:///path", "has no host"),
        ("https://.example/", "has no host"),
        ("https://:80/", "has no host"),
        ("https://h:/", "has a bad port"),
        ("https://h:0/", "has a bad port"),
        ("https://h:65536/", "has a bad port"),
        ("https://h:8x/", "has a bad port"),
        ("https://h:²/", "has a character no URL has"),
        ("https://h/a b", "has a character no URL has"),
        ("https://h/a\r\nX: y", "has a character no URL has"),
        ("https://user@h/", "has a user name (@)"),
        ("https://h/#part", "has a fragment (#)"),
        ("https://[::1]/", "has an IPv6 address"),
        ("https://h,i/", "has a bad host"),
        ("https://h/" + "x" * 510, "is too long"),
    ],
)
def test_refused(text, problem):
    with pytest.raises(ValueError) as caught:
        url.split(text)
    assert str(caught.value) == problem
    assert len(problem) <= 40


@given(
    st.sampled_from(["http", "https"]),
    st.from_regex(r"[a-z0-9][a-z0-9.-]{0,20}", fullmatch=True),
    st.none() | st.integers(1, 65535),
    st.from_regex(r"(/[a-z0-9._~-]{0,5}){0,3}(\?[a-z0-9=&/:.]{0,10})?", fullmatch=True),
)
def test_agrees_with_the_standard_library(scheme, host, port, rest):
    text = f"{scheme}://{host}{'' if port is None else f':{port}'}{rest}"
    theirs = urlsplit(text)
    found = url.split(text)
    assert found[:2] == (theirs.scheme, theirs.hostname)
    assert found[2] == (theirs.port or {"http": 80, "https": 443}[scheme])
    assert found[3].partition("?")[0] == (theirs.path or "/")
    assert found[3].partition("?")[2] == theirs.query


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.9.9.9"])
def test_loopback(host):
    assert url.is_loopback(host)


@pytest.mark.parametrize(
    "host", ["127.0.0.1.evil.example", "localhost.evil.example", "127.0.0", "128.0.0.1", "127.0.0.256", "127.a.b.c"]
)
def test_not_loopback(host):
    assert not url.is_loopback(host)
