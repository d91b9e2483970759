"""/gateway/check: what a server in front is told. nginx takes 2xx, 401 and 403, and makes a 500 of anything else."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import unquote_to_bytes

import httpx2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from host_tools.authority.core.authority import Authority
from host_tools.authority.core.resource_policy import ResourceRule
from host_tools.authority.gateway.subrequest import path_of

from .api import AUDIENCE, CATS, DOGS, MFA, OPEN, api, asked, bearer, challenge, serving

AMBIGUOUS = "the path can be read in more than one way"
NO_RULE = "no rule of its policy names this"
NO_POLICY = "no policy has this prefix"
MISSING = "X-Original-Method or X-Original-URI is missing"
EVERYTHING = ResourceRule("GET", "/*", "none")


@pytest.fixture
def everything(authority: Authority, tenant):
    """Behind a policy that lets everybody in, so that all that is refused is so for its path."""
    with serving(authority, api(EVERYTHING, serves=None)) as http:
        yield http


def check(
    http: TestClient, uri: str | bytes | None, token: str | None = None, method: str | None = "GET", **headers: str
) -> httpx2.Response:
    told: dict[str, Any] = {"X-Original-URI": uri, "X-Original-Method": method} | headers
    sent = [(name, value) for name, value in told.items() if value is not None]
    reply = http.get("/gateway/check", headers=[*sent, *(bearer(token) if token else {}).items()])
    assert reply.status_code in (200, 401, 403), reply.text
    # Or the next request is answered with what this one was. A 401 is kept by nobody (RFC 9110 15.1).
    assert reply.status_code == 401 or reply.headers["cache-control"] == "no-store"
    return reply


def reason(reply: httpx2.Response) -> str:
    told: str = reply.headers["x-gateway-reason"]
    assert (reply.status_code, reply.json()) == (403, {"message": told})
    return told


def test_what_is_open_is_let_through_for_anybody(zoo, mint):
    for token in (None, "x", mint()):
        reply = check(zoo, "/catsdogs/", token)
        assert (reply.status_code, reply.content) == (200, b"")
        assert not [name for name in reply.headers if name.startswith("x-auth")]


def test_a_token_is_let_through_where_it_is_enough(zoo, mint):
    assert challenge(check(zoo, "/catsdogs/dogs/")) == 'Bearer realm="catsdogs"'
    assert check(zoo, "/catsdogs/dogs/", mint()).status_code == 200
    for bad in ("x", mint(exp=0), mint(typ="JWT"), mint(aud="other")):
        reply = check(zoo, "/catsdogs/dogs/", bad)
        assert (reply.status_code, challenge(reply)) == (
            401,
            'Bearer realm="catsdogs", error="invalid_token",'
            ' error_description="The access token is expired, malformed or not for this API."',
        )


def test_a_factor_is_asked_for_in_the_words_of_rfc_9470(zoo, mint, authority: Authority, clock):
    refused = check(zoo, "/catsdogs/cats/", mint())
    assert (refused.status_code, challenge(refused)) == (
        401,
        'Bearer realm="catsdogs", error="insufficient_user_authentication",'
        f' error_description="A second factor is required", acr_values="{MFA}", max_age="60"',
    )
    authority.session_factors.given("a session", "auth0|zeno", ["email"])
    clock.sleep_ns(60 * 10**9)
    assert check(zoo, "/catsdogs/cats/", mint()).status_code == 200
    clock.sleep_ns(10**9)
    assert check(zoo, "/catsdogs/cats/", mint()).status_code == 401


def test_or_refused_without_a_word(authority: Authority, tenant, mint):
    with serving(authority, api(CATS, refusal="bare")) as http:
        reply = check(http, "/catsdogs/cats/", mint())
        assert (reply.status_code, reply.json()) == (403, {"message": "Forbidden"})
        assert "www-authenticate" not in reply.headers


def test_a_scope_that_is_missing_is_named(authority: Authority, tenant, mint):
    with serving(authority, api(ResourceRule("GET", "/dogs/", scope="pat"))) as http:
        reply = check(http, "/catsdogs/dogs/", mint(scope="feed"))
        assert (reply.status_code, challenge(reply)) == (
            403,
            'Bearer realm="catsdogs", error="insufficient_scope",'
            ' error_description="The access token lacks a scope.", scope="pat"',
        )


def test_it_says_the_same_as_the_api_itself(zoo, mint, authority: Authority):
    authority.session_factors.given("a session", "auth0|zeno", ["email"])
    for token in (None, "x", mint(), mint(sid="b"), mint(exp=0)):
        for path in ("/catsdogs/", "/catsdogs/dogs/", "/catsdogs/cats/"):
            there, here = asked(zoo, path, token), check(zoo, path, token)
            assert here.status_code == there.status_code
            assert here.headers.get("www-authenticate") == there.headers.get("www-authenticate")


# Whose request it is.


def test_the_server_behind_is_told_whose_request_it_is(zoo, mint):
    told = check(zoo, "/catsdogs/dogs/", mint(scope="pat feed")).headers
    assert {name: value for name, value in told.items() if name.startswith("x-auth")} == {
        "x-auth-subject": "auth0|zeno",
        "x-auth-client": "app",
        "x-auth-scope": "pat feed",
    }


def test_what_is_not_said_is_not_told(zoo, mint):
    told = check(zoo, "/catsdogs/dogs/", mint(sub=None, client_id=None, scope="")).headers
    assert not [name for name in told if name.startswith("x-auth")]


@pytest.mark.parametrize("sub", ["a\r\nX-Auth-Scope: all", "a\nb", "a\0b", "zénon", "Ζήνων", "a\x7fb", "\U0001f600"])
def test_what_is_told_is_one_line_of_ascii(zoo, mint, sub):
    reply = check(zoo, "/catsdogs/dogs/", mint(sub=sub))
    assert reply.status_code == 200
    assert reply.headers["x-auth-subject"].isascii() and reply.headers["x-auth-subject"].isprintable()
    assert "x-auth-scope" not in reply.headers


def test_who_asks_tells_nothing_of_themselves(zoo, mint):
    """A header of that name from outside is not passed on as ours."""
    reply = check(zoo, "/catsdogs/", None, **{"X-Auth-Subject": "auth0|admin"})
    assert "x-auth-subject" not in reply.headers


# Anything but 200, 401 and 403 is a 500 of nginx's.


@pytest.mark.parametrize("uri", ["/catsdogs/dogs/", "/catsdogs/cats/"])
@pytest.mark.parametrize(
    "sent",
    [["Bearer"], ["Bearer "], ["Bearer a b"], ["Bearer a, Bearer b"], ["Bearer x", "Bearer x"], ["Bearer \u00e4"],
     ["Basic YTpi", "Bearer x"], ["Bearer " + "a" * 20_000], ["Bearer ..."], ["Bearer e30.e30.e30"]],
    ids=lambda sent: str(sent)[:30],
)  # fmt: skip
def test_a_malformed_token_is_a_401(zoo, uri, sent):
    headers = [("X-Original-URI", uri), ("X-Original-Method", "GET")]
    reply = zoo.get("/gateway/check", headers=[*headers, *(("Authorization", each.encode()) for each in sent)])
    assert reply.status_code == 401
    assert challenge(reply).startswith('Bearer realm="catsdogs", error="invalid_token", error_description="')


@pytest.mark.parametrize("header", ["", "Basic YTpi", "Negotiate x", "x"])
def test_credentials_of_another_kind_are_none(zoo, header):
    reply = check(zoo, "/catsdogs/dogs/", Authorization=header)
    assert (reply.status_code, challenge(reply)) == (401, 'Bearer realm="catsdogs"')


@pytest.mark.parametrize(
    ("method", "uri"), [(None, None), ("GET", None), (None, "/catsdogs/"), ("", "/catsdogs/"), ("GET", "")]
)
def test_who_does_not_say_what_is_asked_is_refused(zoo, mint, method, uri):
    assert reason(check(zoo, uri, mint(), method)) == MISSING


@pytest.mark.parametrize(
    "method", ["POST", "PUT", "DELETE", "OPTIONS", "get", " GET", "GET,POST", "GET\t", "\u00e4", "*"]
)
def test_a_method_that_no_rule_names_is_refused(zoo, mint, method):
    reply = check(zoo, "/catsdogs/dogs/", mint(), method.encode())
    assert method.strip() == "GET" or reason(reply) == NO_RULE


def test_head_is_a_get(zoo, mint):
    assert check(zoo, "/catsdogs/dogs/", mint(), "HEAD").status_code == 200
    assert check(zoo, "/catsdogs/dogs/", None, "HEAD").status_code == 401


@pytest.mark.parametrize("uri", ["/catsdogs", "/catsdogs/dogs", "/catsdogs/dogs//", "/catsdogs/x", "/catsdogs/Dogs/"])
def test_a_path_that_no_rule_names_is_refused(zoo, mint, uri):
    assert reason(check(zoo, uri, mint())) == (AMBIGUOUS if "//" in uri else NO_RULE)


@pytest.mark.parametrize(
    "uri", ["/", "/dogs/", "/catsdogsx/", "/catsdog", "/CatsDogs/", "/x/catsdogs/", "/gateway/check"]
)
def test_a_path_of_no_policy_is_refused(zoo, mint, uri):
    assert reason(check(zoo, uri, mint())) == NO_POLICY


@pytest.mark.parametrize(
    "uri", ["/catsdogs/cats/", "/catsdogs/%63ats/", "/catsdogs/cats/?", "/catsdogs/%63%61%74%73/?a"]
)
def test_an_escape_that_hides_nothing_is_read(zoo, mint, authority: Authority, uri):
    assert check(zoo, uri, mint()).status_code == 401
    authority.session_factors.given("a session", "auth0|zeno", ["email"])
    assert check(zoo, uri, mint()).status_code == 200


@pytest.mark.parametrize(
    "query", ["", "a=b", "/../cats/", "%2e%2e/cats/", "a=%", "//", "?", "\\", "a=%00", "#", "/catsdogs/"]
)
def test_the_query_is_not_looked_at(zoo, mint, query):
    assert check(zoo, f"/catsdogs/dogs/?{query}", mint()).status_code == 200
    assert check(zoo, f"/catsdogs/dogs/?{query}").status_code == 401


@pytest.mark.parametrize(
    "uri",
    [
        "/catsdogs/dogs/../cats/", "/catsdogs/dogs/..", "/catsdogs/./dogs/", "/catsdogs/dogs/.", "/../catsdogs/",
        "/catsdogs/dogs/..%2fcats/", "/catsdogs/dogs/..%2Fcats/", "/catsdogs/dogs%2f", "/catsdogs%2fdogs/",
        "/catsdogs/dogs/%2e%2e/cats/", "/catsdogs/dogs/%2E%2E/cats/", "/catsdogs/dogs/.%2e/cats/",
        "/catsdogs/dogs/%2e./cats/", "/catsdogs/%2e/dogs/", "/catsdogs/a%2eb",
        "//catsdogs/dogs/", "/catsdogs//dogs/", "/catsdogs/dogs//", "//",
        "/catsdogs\\dogs/", "/catsdogs/dogs/..\\cats/", "/catsdogs/dogs/..%5ccats/", "/catsdogs/%5C",
        "/catsdogs/dogs/%00", "/catsdogs/%09", "/catsdogs/%0a", "/catsdogs/%0d%0aX:%20y", "/catsdogs/%1f",
        "/catsdogs/%7f", "/catsdogs/%7F",
        "/catsdogs/%25", "/catsdogs/%252e%252e/", "/catsdogs/%2", "/catsdogs/%", "/catsdogs/%zz", "/catsdogs/%u002e",
        "/catsdogs/%ff", "/catsdogs/%c0%ae%c0%ae/", "/catsdogs/%ed%a0%80", "/catsdogs/%c3",
        "/catsdogs/#cats", "/catsdogs/#/../cats/", "/catsdogs/dogs/#?a",
        "http://127.0.0.1/catsdogs/", "https://other.example/catsdogs/", "catsdogs/", "*", "example:443", "?",
        "/catsdogs/ dogs/", "/catsdogs/dogs/ HTTP/1.1", "/catsdogs/\tdogs/", '/catsdogs/"',
        "/catsdogs/\x7f", "/catsdogs/\x01",
    ],
)  # fmt: skip
def test_a_path_that_others_may_take_for_another_is_refused(everything, uri):
    assert reason(check(everything, uri.encode())) == AMBIGUOUS


@pytest.mark.parametrize("uri", [b"/catsdogs/\xff", "/catsdogs/ä".encode(), b"/catsdogs/\x80", b"/catsdogs/\xc0\xae"])
def test_so_are_bytes_that_should_have_been_escaped(everything, uri):
    assert reason(check(everything, uri)) == AMBIGUOUS


@pytest.mark.parametrize(
    "uri", ["/catsdogs/dogs/..;/cats/", "/catsdogs/dogs/..;a=b/cats/", "/catsdogs/.;/", "/catsdogs/..;"]
)
def test_so_is_a_dot_segment_that_a_servlet_container_sees_behind_its_parameters(everything, uri):
    """Tomcat takes `;` and what follows it off each segment, and resolves what is left: there `..;` is `..`."""
    assert reason(check(everything, uri)) == AMBIGUOUS


@pytest.mark.parametrize(
    "uri",
    ["/catsdogs/", "/catsdogs/...", "/catsdogs/.a/", "/catsdogs/a..b", "/catsdogs/a;b=c", "/catsdogs/%C3%A4",
     "/catsdogs/%20", "/catsdogs/a:b@c", "/catsdogs/~!$&'()*+,=", "/catsdogs/%3f", "/catsdogs/%23",
     "/catsdogs/" + "a" * 4000],
)  # fmt: skip
def test_any_other_is_not(everything, uri):
    assert check(everything, uri).status_code == 200


def test_two_addresses_are_one_too_many(everything):
    """Which of them the server in front means, and which somebody has slipped in, nobody can tell."""
    sent = [("X-Original-Method", "GET"), ("X-Original-URI", "/catsdogs/a"), ("X-Original-URI", "/elsewhere")]
    assert everything.get("/gateway/check", headers=sent).status_code == 403


@given(
    uri=st.binary(max_size=40)
    | st.lists(
        st.sampled_from(
            ["/", "catsdogs", "dogs", "cats", ".", "..", "%2e", "%2f", "%5c", "\\", "%", "%25", "?", "#", ";", "%c3%a4",
             "%ff", "//", " ", "a", "http://x", "\x00", "\x7f"]
        ),
        max_size=8,
    ).map(lambda parts: ("/catsdogs/" + "".join(parts)).encode()),
    method=st.binary(max_size=10) | st.sampled_from([b"GET", b"HEAD", b"POST"]),
)  # fmt: skip
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_asked_it_is_let_through_or_refused(everything, uri, method):
    reply = everything.get("/gateway/check", headers=[("X-Original-URI", uri), ("X-Original-Method", method)])
    assert reply.status_code in (200, 403)
    if reply.status_code == 200:
        # Then all read it alike: nothing of it is resolved, joined or decoded twice.
        path = uri.decode("ascii").partition("?")[0]
        assert path.startswith("/catsdogs/") and method in (b"GET", b"HEAD")
        assert "//" not in path and "\\" not in path and "%25" not in path
        assert not {".", ".."} & {segment.partition(";")[0] for segment in path.split("/")}


@given(st.text(max_size=30).map(lambda text: f"/{text}"))
def test_a_path_is_read_once_and_for_all(uri):
    path = path_of(uri)
    if path is not None:
        assert "%" not in path and "\\" not in path and "//" not in path
        assert not {".", ".."} & set(path.split("/"))
        if path.isascii() and not set(path) & set(' "?#'):  # what a client would have to escape again
            assert path_of(path) == path


def as_nginx_looks_for_a_location(uri: str) -> str:
    """nginx.org, ngx_http_core_module, location: "against a normalized URI, after decoding the text encoded in the
    “%XX” form, resolving references to relative path components “.” and “..”, and possible compression of two or more
    adjacent slashes into a single slash". Compared once with what nginx 1.22 tells as $uri of 6,000 addresses."""
    decoded = unquote_to_bytes(re.split("[?#]", uri, maxsplit=1)[0]).decode(errors="replace")
    segments: list[str] = []
    for segment in re.sub("/+", "/", decoded).split("/")[1:]:
        if segment == "..":
            segments = segments[:-1]
        if segment not in (".", ".."):
            segments.append(segment)
    ends_above = decoded.rpartition("/")[2] in (".", "..")
    return "/" + "/".join(segments) + ("/" if ends_above and segments else "")


def test_the_model_of_nginx_reads_as_nginx_does():
    for uri, location in (
        ("/dogs/..%2fcats/?x", "/cats/"),
        ("/dogs/%2e%2e/cats/", "/cats/"),
        ("//dogs///", "/dogs/"),
        ("/./dogs/.", "/dogs/"),
        ("/dogs/a/..", "/dogs/"),
        ("/d%6fgs/#a", "/dogs/"),
    ):
        assert as_nginx_looks_for_a_location(uri) == location


@given(
    st.lists(
        st.sampled_from(
            [
                "/",
                "/",
                "cats",
                "dogs",
                ".",
                "..",
                "%2e",
                "%2F",
                "%63",
                "%25",
                "%",
                "?",
                "#",
                ";",
                "%c3%a4",
                "%ff",
                "\\",
                " ",
            ]
        ),
        max_size=8,
    ).map(lambda parts: "/" + "".join(parts))
)
def test_a_path_that_is_read_is_the_one_that_nginx_guards(uri):
    path = path_of(uri)
    assert path is None or path == as_nginx_looks_for_a_location(uri)


@given(st.lists(st.binary(max_size=30).filter(lambda value: b"\r" not in value and b"\n" not in value), max_size=3))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_authorizes_it_is_refused(zoo, values):
    sent = [(b"X-Original-URI", b"/catsdogs/dogs/"), (b"X-Original-Method", b"GET")]
    for scheme in (b"", b"Bearer "):
        headers = [*sent, *((b"Authorization", scheme + value) for value in values)]
        assert zoo.get("/gateway/check", headers=headers).status_code == 401


# Whose policy it is.


def test_the_longest_prefix_that_fits_is_whose_it_is(authority: Authority, tenant):
    outer = api(EVERYTHING, serves=None, prefix="/a", realm="outer")
    inner = api(DOGS, serves=None, prefix="/a/b", realm="inner")
    for order in ((outer, inner), (inner, outer)):
        with serving(authority, *order) as http:
            assert challenge(check(http, "/a/b/dogs/")) == 'Bearer realm="inner"'
            assert reason(check(http, "/a/b/")) == reason(check(http, "/a/b")) == NO_RULE
            for uri in ("/a/", "/a/bc/", "/a/c/b/dogs/", "/a/B/dogs/"):
                assert check(http, uri).status_code == 200


def test_what_is_served_below_another_api_is_whose_it_is_there_too(authority: Authority, tenant):
    """Or one address would be guarded by two policies: by one where it is served, by the other where it is asked."""
    outer, inner = api(prefix="/a"), api(OPEN, serves="bank", prefix="/a/dogs", realm="inner")
    for order in ((outer, inner), (inner, outer)):
        with serving(authority, *order) as http:
            assert check(http, "/a/dogs/").status_code == asked(http, "/a/dogs/").status_code == 200


def test_each_has_its_own_audience(authority: Authority, tenant, mint):
    with serving(authority, api(), api(DOGS, serves=None, prefix="/b", audience="https://b.example")) as http:
        assert check(http, "/b/dogs/", mint(aud="https://b.example")).status_code == 200
        assert check(http, "/catsdogs/dogs/", mint(aud="https://b.example")).status_code == 401
        assert check(http, "/b/dogs/", mint()).status_code == 401


def test_the_quotes_may_be_asked_for_too(zoo, tokens):
    assert check(zoo, "/api/quotes/today", tokens["access_token"]).status_code == 200


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_a_rule_has_its_method(authority: Authority, tenant, mint, method):
    with serving(authority, api(ResourceRule(method, "/x"), serves=None)) as http:
        for each in ("GET", "POST", "DELETE"):
            assert check(http, "/catsdogs/x", mint(), each).status_code == (200 if each == method else 403)


def test_a_token_that_is_good_once_is_spent_by_being_let_through(authority: Authority, tenant, mint):
    once = ResourceRule("POST", "/feed", scope="feed", once=True)
    with serving(authority, api(OPEN, DOGS, once, serves=None)) as http:
        token, other = mint(scope="feed"), mint(scope="feed", jti="other")
        assert check(http, "/catsdogs/dogs/", token).status_code == 200
        assert check(http, "/catsdogs/feed", mint(), "POST").status_code == 403
        assert check(http, "/catsdogs/feed", token, "POST").status_code == 200
        for uri, method in (("/catsdogs/feed", "POST"), ("/catsdogs/dogs/", "GET")):
            refused = check(http, uri, token, method)
            assert (refused.status_code, challenge(refused)) == (
                401,
                'Bearer realm="catsdogs", error="invalid_token",'
                ' error_description="The access token was good for one use, and has been used."',
            )
        assert check(http, "/catsdogs/", token).status_code == 200
        assert check(http, "/catsdogs/feed", other, "POST").status_code == 200


def test_audience_and_prefix_are_two_things(authority: Authority, tenant, mint):
    with serving(authority, api(DOGS, serves=None, audience="urn:x")) as http:
        assert check(http, "/catsdogs/dogs/", mint(aud="urn:x")).status_code == 200
        assert check(http, "/catsdogs/dogs/", mint(aud=AUDIENCE)).status_code == 401
