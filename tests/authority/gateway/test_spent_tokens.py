"""A token that was good for one use, and has been used: it is worth nothing to the authority itself either. And one
request that a server in front asks about in steps uses it once."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from starlette.testclient import TestClient

from host_tools.authority.core.authority import Authority
from host_tools.authority.core.records import Client, fingerprint
from host_tools.authority.core.resource_policy import ResourceRule
from host_tools.authority.core.resource_records import SpentToken
from host_tools.authority.store import SqliteStore
from host_tools.authority.tenant import Tenant

from ..mfa_wire import add_person, give
from .api import CATS, Mint, api, asked, bearer, challenge, serving
from .test_subrequest import check

ONCE = ResourceRule("GET", "/dogs/", once=True)
USED = (
    'Bearer realm="catsdogs", error="invalid_token",'
    ' error_description="The access token was good for one use, and has been used."'
)
SECRET = "a resource server's secret"


@pytest.fixture
def http(authority: Authority, tenant: Tenant) -> Iterator[TestClient]:
    with serving(authority, api(ONCE, CATS)) as client:
        yield client


@pytest.fixture
def token(authority: Authority, store: SqliteStore, mint: Mint) -> str:
    """Of somebody who is there and has an e-mail for a second factor."""
    person = add_person(store)
    give(authority, person, "email", "zeno@stoa.example")
    return mint(sub=person.user_id, scope="openid")


# What a token opens at the authority: the method and the path, what is sent, the status for a good one.
OPENS = {
    "userinfo": ("GET", "/userinfo", None, 200),
    "a code is sent": ("POST", "/gateway/otp", {}, 202),
    "a code is brought": ("POST", "/gateway/otp/verify", {"code": "x"}, 400),
}


@pytest.mark.parametrize("at", OPENS)
@pytest.mark.parametrize("by", ["the API itself", "a server in front"])
def test_a_used_token_opens_nothing_of_the_authority_s(http, token, mint, at, by):
    method, path, sent, status = OPENS[at]

    def opens(held: str) -> tuple[int, str]:
        reply = http.request(method, path, json=sent, headers=bearer(held))
        return reply.status_code, reply.json().get("error", "")

    assert opens(token)[0] == status
    use = asked if by == "the API itself" else check
    assert use(http, "/catsdogs/dogs/", token).status_code == 200
    assert opens(token) == (401, "invalid_token")
    assert opens(mint(scope="openid", jti="another"))[0] == status


def test_and_is_not_active_any_more(authority: Authority, tenant: Tenant, store: SqliteStore, token, mint):
    """RFC 7662 2.2: `active` says whether it would be taken."""
    display = store.get(Client, tenant.client_id)
    store.put(replace(display, client_id="dogs", secret_hash=fingerprint(SECRET), grants=""))
    with serving(authority, api(ONCE), dialect="rfc") as http:

        def told(held: str) -> dict[str, object]:
            client = {"client_id": "dogs", "client_secret": SECRET}
            body: dict[str, object] = http.post("/introspect", data=client | {"token": held}).json()
            return body

        assert told(token)["active"] is True
        assert asked(http, "/catsdogs/dogs/", token).status_code == 200
        assert told(token) == {"active": False}
        assert told(mint(scope="openid", jti="another"))["active"] is True


# One request, of which a server in front asks in steps.


def statuses(http: TestClient, token: str, *request_ids: str | None) -> list[int]:
    told: list[dict[str, str]] = [{} if each is None else {"X-Request-ID": each} for each in request_ids]
    return [check(http, "/catsdogs/dogs/", token, **each).status_code for each in told]


@pytest.mark.parametrize(
    ("request_ids", "expected"),
    [
        (("a", "a", "a"), [200, 200, 200]),
        (("a", "b", "a"), [200, 401, 200]),
        (("a", None, "", "A", "aa", "a"), [200, 401, 401, 401, 401, 200]),
        ((None, None), [200, 401]),
        ((None, "a", "a"), [200, 401, 401]),
        (("", "", "a"), [200, 401, 401]),
        (("a" * 5000, "a" * 5000, "a" * 4999), [200, 200, 401]),
    ],
    ids=lambda value: str(value)[:40],
)
def test_the_steps_of_one_request_are_one_use(http, token, request_ids, expected):
    assert statuses(http, token, *request_ids) == expected


def test_who_used_it_is_kept_as_a_hash(http, token, store):
    assert statuses(http, token, "a request of its own") == [200]
    (spent,) = store.find(SpentToken)
    assert spent.request_hash == fingerprint("a request of its own")
    assert b"a request of its own" not in store.image()


def test_another_token_of_the_same_request_is_used_by_itself(http, token, mint):
    assert statuses(http, token, "a") == statuses(http, mint(jti="another"), "a") == [200]
    assert statuses(http, token, "b") == statuses(http, mint(jti="another"), "b") == [401]


def test_the_api_itself_has_one_step_and_asks_nobody_s_name(http, token):
    """Or a client that sends the same name each time would use its token as often as it likes."""
    headers = bearer(token) | {"X-Request-ID": "a"}
    assert [http.get("/catsdogs/dogs/", headers=headers).status_code for _ in range(2)] == [200, 401]
    assert challenge(check(http, "/catsdogs/dogs/", token, **{"X-Request-ID": "a"})) == USED


def test_a_name_opens_nothing_to_the_authority(http, token):
    assert statuses(http, token, "a") == [200]
    assert http.get("/userinfo", headers=bearer(token) | {"X-Request-ID": "a"}).status_code == 401


@pytest.mark.parametrize(("names", "let_through"), [("abcdef", 1), ("aaabbb", 3), ("aaaaaa", 6)])
def test_of_many_at_once_one_request_uses_it(http, token, names, let_through):
    together = threading.Barrier(len(names))

    def asks(name: str) -> int:
        together.wait()
        return statuses(http, token, name)[0]

    with ThreadPoolExecutor(len(names)) as pool:
        assert sorted(pool.map(asks, names)) == [200] * let_through + [401] * (len(names) - let_through)
