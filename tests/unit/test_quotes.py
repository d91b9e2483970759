"""Quotes: what is one, what the API's answers mean, and the one kept for bad days."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stoa import quotes
from stoa.quotes import QuoteError, bearer_challenge, judge, recall, remember, validate

QUOTE = {
    "date": "2026-11-22",
    "text": "It takes the whole of life to learn how to live.",
    "author": "Seneca",
    "work": "On the Shortness of Life",
    "locus": "7.3",
}


def test_a_quote_and_nothing_else_comes_through():
    assert validate({**QUOTE, "id": 7}) == QUOTE


@pytest.mark.parametrize("body", [None, [], "text", 5])
def test_not_an_object(body):
    with pytest.raises(QuoteError, match="not a JSON object"):
        validate(body)


@pytest.mark.parametrize(
    ("change", "detail"),
    [
        *[({key: value}, "no " + key) for key in QUOTE for value in (None, 5, "", "  ", ["x"])],
        ({"text": "x" * 481}, "text too long"),
        ({"author": "x" * 61}, "author too long"),
        ({"text": "a\nb"}, "text has a control character"),
        ({"text": "a\x1b[2J"}, "text has a control character"),
        ({"text": "a\x85"}, "text has a control character"),
        ({"text": "a\ud800"}, "text has a control character"),
        ({"text": "\U0001f9d8" * 480}, "too long"),
        ({"date": "22.11.2026"}, "date is not YYYY-MM-DD"),
        ({"date": "2026-11-2x"}, "date is not YYYY-MM-DD"),
        ({"date": "2026-1-22"}, "date is not YYYY-MM-DD"),
    ],
)
def test_refused(change, detail):
    with pytest.raises(QuoteError) as caught:
        validate({**QUOTE, **change})
    assert caught.value.detail == detail


@pytest.mark.parametrize(("key", "limit"), [("text", 480), ("author", 60), ("work", 80), ("locus", 40)])
def test_the_longest_fields(key, limit):
    assert validate({**QUOTE, key: "x" * limit})[key] == "x" * limit
    with pytest.raises(QuoteError, match=key + " too long"):
        validate({**QUOTE, key: "x" * (limit + 1)})


def bearer(text):
    return {"www-authenticate": "Bearer " + text}


CASES = [
    (200, {"etag": '"abc"'}, QUOTE, ("new", QUOTE, '"abc"')),
    (200, {}, QUOTE, ("new", QUOTE, None)),
    (200, {"etag": '"' + "x" * 200 + '"'}, QUOTE, ("new", QUOTE, None)),
    (200, {"etag": '"a b"'}, QUOTE, ("new", QUOTE, None)),
    (200, {}, None, ("later", "not a JSON object")),
    (304, {}, None, ("same",)),
    (401, bearer('error="invalid_token", error_description="expired"'), None, ("refresh",)),
    (401, bearer('realm="api"'), None, ("refresh",)),
    (401, {}, None, ("refresh",)),
    (401, bearer('error="invented"'), None, ("refresh",)),
    (401, {"www-authenticate": 'Basic realm="x"'}, None, ("refresh",)),
    (
        401,
        bearer('error="insufficient_user_authentication", error_description="More, recent", max_age="5"'),
        None,
        ("human", {"max_age": 5, "acr_values": None}),
    ),
    (
        401,
        bearer('error="insufficient_user_authentication", acr_values="mfa phr", max_age="never"'),
        None,
        ("human", {"max_age": None, "acr_values": "mfa phr"}),
    ),
    (403, bearer('error="insufficient_scope", scope="read:quotes"'), None, ("misconfigured", "insufficient_scope")),
    (401, bearer("error=insufficient_scope"), None, ("misconfigured", "insufficient_scope")),
    (403, {}, None, ("later", "status 403")),
    (404, {}, None, ("later", "status 404")),
    (429, {}, None, ("later", "status 429")),
    (503, {}, QUOTE, ("later", "status 503")),
]


@pytest.mark.parametrize(("status", "headers", "body", "outcome"), CASES)
def test_judge(status, headers, body, outcome):
    assert judge(status, headers, body) == outcome


def test_every_row_of_answers_is_judged():
    hit = set()
    for status, headers, _, _ in CASES:
        key = (status, bearer_challenge(headers.get("www-authenticate", "")).get("error"))
        hit.add(key if key in quotes.ANSWERS else (status, None))
    assert set(quotes.ANSWERS) <= hit


@pytest.mark.parametrize(
    ("header", "params"),
    [
        ("", {}),
        ("Bearer", {}),
        ('Basic realm="a", Bearer error="invalid_token"', {"error": "invalid_token"}),
        ('bearer ERROR = "x"', {"error": ""}),
        ('Bearer a="say \\"hi\\", b=c", d=e', {"a": 'say "hi", b=c', "d": "e"}),
        ('Bearer a="x", Basic realm="y"', {"a": "x"}),
        ('Bearer a="unclosed', {"a": "unclosed"}),
        ('Bearer a="1", a="2"', {"a": "1"}),
        ("Forbearer a=b", {}),
        ('Bearer a="' + "x" * 201 + '"', {}),
    ],
)
def test_challenges(header, params):
    found = bearer_challenge(header)
    if params == {"error": ""}:
        assert "error" in found or found == {}
    else:
        assert found == params


@given(st.text(max_size=80))
def test_no_header_breaks_the_parser(text):
    for value in bearer_challenge("Bearer " + text).values():
        assert 0 < len(value) <= 200


class Files:
    """One preallocated file, written in place."""

    def __init__(self, content):
        self.content = bytearray(content)
        self.read_only = False
        self.writes = 0

    def open(self, path, mode):
        import io

        assert path == "/cache/quote.bin"
        if mode == "r+b" and self.read_only:
            raise OSError(30, "Read-only filesystem")
        files = self

        class File(io.BytesIO):
            def write(self, data):
                files.writes += 1
                files.content[self.tell() : self.tell() + len(data)] = data
                return super().write(data)

        return File(bytes(self.content))


def test_remembered_and_recalled():
    files = Files(quotes.initial_file())
    assert recall(files.open) == (None, None)
    assert remember(files.open, QUOTE, '"e1"')
    assert recall(files.open) == (QUOTE, '"e1"')
    assert remember(files.open, {**QUOTE, "text": "Πάντα ῥεῖ"}, None)
    assert recall(files.open) == ({**QUOTE, "text": "Πάντα ῥεῖ"}, None)
    assert len(files.content) == len(quotes.initial_file())


def test_the_same_quote_is_not_written_again():
    files = Files(quotes.initial_file())
    remember(files.open, QUOTE, '"e1"')
    assert remember(files.open, QUOTE, '"e1"')
    assert files.writes == 1


def test_a_read_only_or_absent_file_is_borne():
    files = Files(quotes.initial_file())
    remember(files.open, QUOTE, None)
    files.read_only = True
    assert remember(files.open, {**QUOTE, "text": "another"}, None) is False
    assert recall(files.open) == (QUOTE, None)

    def nowhere(path, mode):
        raise OSError(2, "No such file/directory")

    assert remember(nowhere, QUOTE, None) is False
    assert recall(nowhere) == (None, None)


def test_a_torn_write_leaves_the_quote_before():
    files = Files(quotes.initial_file())
    remember(files.open, QUOTE, None)
    before = bytes(files.content)
    remember(files.open, {**QUOTE, "text": "another"}, None)
    changed = [i for i in range(len(before)) if before[i] != files.content[i]]
    files.content[changed[len(changed) // 2]] ^= 1
    assert recall(files.open) == (QUOTE, None)


@settings(max_examples=50)
@given(
    st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1, max_size=480).filter(str.strip),
    st.none() | st.from_regex(r'"[!#-~]{0,100}"', fullmatch=True),
)
def test_whatever_is_valid_comes_back(text, etag):
    try:
        quote = validate({**QUOTE, "text": text})
    except QuoteError as error:
        assert error.detail == "too long"
        return
    files = Files(quotes.initial_file())
    assert remember(files.open, quote, etag)
    assert recall(files.open) == (quote, etag)
