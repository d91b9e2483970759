"""Quotes: what is one, what the API's answers mean, and the one kept for bad days."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stoa import quotes
from stoa.quotes import QuoteError, bearer_challenge, judge, recall, remember, validate
from tests.unit.drive import Drive
from tests.unit.flash import HOWS, SECTOR, Power, PowerCut

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


@pytest.fixture
def files():
    return cache()


def cache():
    """The two files as deployed."""
    assert quotes.PATHS == ("/cache-a/quote.bin", "/cache-b/quote.bin")
    return Drive(Power(), (quotes.initial_file(), quotes.initial_file()), paths=quotes.PATHS)


def test_remembered_and_recalled(files):
    assert recall(files.open) == (None, None)
    assert remember(files.open, QUOTE, '"e1"')
    assert recall(files.open) == (QUOTE, '"e1"')
    assert remember(files.open, {**QUOTE, "text": "Πάντα ῥεῖ"}, None)
    assert recall(files.open) == ({**QUOTE, "text": "Πάντα ῥεῖ"}, None)
    assert len(quotes.initial_file()) == 2 * SECTOR + 2048
    assert files.outside() == files.neighbours


def test_the_same_quote_is_not_written_again(files):
    remember(files.open, QUOTE, '"e1"')
    assert remember(files.open, QUOTE, '"e1"')
    assert files.writes == 1


def test_a_read_only_or_absent_file_is_borne(files):
    remember(files.open, QUOTE, None)
    files.read_only = True
    assert remember(files.open, {**QUOTE, "text": "another"}, None) is False
    assert recall(files.open) == (QUOTE, None)

    def nowhere(path, mode):
        raise OSError(2, "No such file/directory")

    assert remember(nowhere, QUOTE, None) is False
    assert recall(nowhere) == (None, None)


@pytest.mark.parametrize("how", HOWS)
def test_a_cut_leaves_the_quote_before_or_the_one_after(how):
    other = {**QUOTE, "text": "another"}
    found = []
    # The block with the record, then the directory's.
    for at in (1, 2):
        files = cache()
        remember(files.open, QUOTE, None)
        files.power.restore(at, how)
        with pytest.raises(PowerCut):
            remember(files.open, other, None)
        files.power.restore()
        found.append(recall(files.open)[0])
        assert found[-1] in (QUOTE, other)
        assert remember(files.open, other, None)
        assert recall(files.open) == (other, None)
    assert found[0] == (other if how == "after" else QUOTE)


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
    files = cache()
    assert remember(files.open, quote, etag)
    assert recall(files.open) == (quote, etag)
