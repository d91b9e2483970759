"""GET /api/quotes/today: RFC 6750's answers, one quote a UTC day, the ETag."""

from __future__ import annotations

import pytest

from host_tools.clock import NS

from .conftest import START_NS

DAY_NS = 86_400 * NS


def test_the_quote_of_the_day(display, tokens):
    reply = display.quote(tokens["access_token"])
    assert reply.status_code == 200
    assert reply.headers["content-type"] == "application/json"
    assert reply.headers["date"] == "Sun, 22 Nov 2026 00:00:00 GMT"
    assert reply.json() == {
        "date": "2026-11-22",
        "text": "Whoever hurries, stumbles — “slowly”.",
        "author": "Seneca",
        "work": "Letters",
        "locus": "1.3",
    }


def test_it_is_the_same_all_day_and_another_tomorrow(display, tokens, clock):
    first = display.quote(tokens["access_token"])
    clock.sleep_ns(DAY_NS - 1 - (clock.now_ns() - START_NS))
    assert display.quote(tokens["access_token"]).json() == first.json()
    clock.sleep_ns(1)
    refreshed = display.refresh(tokens["refresh_token"]).json()
    second = display.quote(refreshed["access_token"])
    assert second.json()["date"] == "2026-11-23"
    assert second.json()["author"] == "Epictetus"
    assert second.headers["etag"] != first.headers["etag"]


def test_the_etag_is_strong_and_saves_the_body(display, tokens, clock):
    etag = display.quote(tokens["access_token"]).headers["etag"]
    assert etag.startswith('"')
    for sent in (etag, f'"other", {etag}', f"W/{etag}", "*"):
        reply = display.quote(tokens["access_token"], **{"If-None-Match": sent})
        assert (reply.status_code, reply.content, reply.headers["etag"]) == (304, b"", etag)
    for sent in ('"other"', etag.strip('"'), ""):
        assert display.quote(tokens["access_token"], **{"If-None-Match": sent}).status_code == 200


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Basic ZGVtbzpkZW1v"}, {"Authorization": ""}])
def test_without_a_token_there_is_a_challenge_and_no_error(http, headers):
    reply = http.get("/api/quotes/today", headers=headers)
    assert reply.status_code == 401
    assert reply.headers["www-authenticate"] == 'Bearer realm="api"'


def test_an_expired_token_is_invalid(display, tokens, clock):
    clock.sleep_ns(86_400 * NS - 1)
    assert display.quote(tokens["access_token"]).status_code == 200
    clock.sleep_ns(1)
    reply = display.quote(tokens["access_token"])
    assert reply.status_code == 401
    assert reply.headers["www-authenticate"].startswith('Bearer realm="api", error="invalid_token"')


@pytest.mark.parametrize("token", ["x", "a.b.c", "..", "eyJhbGciOiJub25lIn0.e30.", "bm8.bm8.bm8", "A" * 20_000])
def test_what_is_no_token_of_ours_is_invalid(display, token):
    reply = display.quote(token)
    assert (reply.status_code, reply.json()["error"]) == (401, "invalid_token")


def test_a_token_changed_in_one_place_is_invalid(display, tokens):
    header, payload, signature = tokens["access_token"].split(".")
    for changed in (f"{header}.{payload[:-2]}AA.{signature}", f"{header}.{payload}.{signature[:-4]}AAAA"):
        assert display.quote(changed).status_code == 401


def test_a_token_without_the_scope_is_told_which(display, tokens):
    less = display.refresh(tokens["refresh_token"], scope="offline_access").json()["access_token"]
    reply = display.quote(less)
    assert (reply.status_code, reply.json()["error"]) == (403, "insufficient_scope")
    challenge = reply.headers["www-authenticate"]
    assert 'error="insufficient_scope"' in challenge
    assert 'scope="read:quotes"' in challenge


@pytest.mark.parametrize("header", ["Bearer", "Bearer ", "Bearer a b"])
def test_a_malformed_header_is_an_invalid_request(http, header):
    reply = http.get("/api/quotes/today", headers={"Authorization": header})
    assert (reply.status_code, reply.json()["error"]) == (400, "invalid_request")


def test_two_authorization_headers_are_an_invalid_request(http, tokens):
    bearer = f"Bearer {tokens['access_token']}"
    reply = http.get("/api/quotes/today", headers=[("Authorization", bearer), ("Authorization", bearer)])
    assert reply.status_code == 400


def test_the_scheme_is_read_without_case(http, tokens):
    reply = http.get("/api/quotes/today", headers={"Authorization": f"bearer {tokens['access_token']}"})
    assert reply.status_code == 200


def test_a_token_in_the_address_is_not_taken(http, tokens):
    assert http.get("/api/quotes/today", params={"access_token": tokens["access_token"]}).status_code == 401
