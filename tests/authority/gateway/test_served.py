"""What the gateway serves itself: as the policy file is told, as the OpenAPI document is, and what else is answered."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from host_tools.authority.core.authority import Authority
from host_tools.authority.core.resource_policy import ResourcePolicy, ResourceRule
from host_tools.authority.core.resource_records import BankAccount
from host_tools.authority.gateway import endpoints_of, operations
from host_tools.authority.gateway.bank import bank
from host_tools.authority.gateway.cats_and_dogs import cats_and_dogs
from host_tools.authority.gateway.guarded import Served
from host_tools.authority.gateway.quotes import quotes
from host_tools.authority.tenant_settings import SERVED, SERVES, ApiSettings

from ..conftest import quote_of_day
from .api import AUDIENCE, Mint, asked, bearer, serving

# Every path of each, for anybody who has a token.
APIS = {
    serves: ApiSettings(
        ResourcePolicy(AUDIENCE, f"/{serves}", tuple(ResourceRule(*each) for each in SERVES[serves])),
        serves,  # type: ignore[arg-type]
    )
    for serves in SERVED
}
FOR_PEOPLE = {"/bank/", "/bank/bank.js", "/bank/bank.css"}
PATHS = [(method, f"/{serves}{path}") for serves in SERVED for method, path in SERVES[serves]]
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


@pytest.fixture
def http(authority: Authority, tenant) -> Iterator[TestClient]:
    with serving(authority, *APIS.values()) as client:
        yield client


def test_a_policy_is_told_what_is_really_served(authority: Authority):
    served: dict[str, tuple[Served, ...]] = {
        "quotes": quotes(quote_of_day, authority.clock),
        "bank": bank(authority, APIS["bank"].policy),
        "catsdogs": cats_and_dogs(),
    }
    assert {name: tuple((each.method, each.path) for each in told) for name, told in served.items()} == SERVES
    assert set(SERVES) == set(SERVED)


def test_all_of_it_is_described_but_for_the_page_and_what_it_is_made_of():
    told = [(each.method, each.path) for each in operations.served(list(APIS.values()))]
    assert sorted(told) == sorted((method, path) for method, path in PATHS if path not in FOR_PEOPLE)
    assert set(endpoints_of(list(APIS.values()))) == {path for _, path in told}


@pytest.mark.parametrize("left_out", PATHS, ids=str)
def test_what_no_rule_names_is_neither_there_nor_described(authority: Authority, tenant, mint: Mint, left_out):
    _, path = left_out
    apis = [
        ApiSettings(
            ResourcePolicy(
                AUDIENCE,
                each.policy.prefix,
                tuple(rule for rule in each.policy.rules if f"{each.policy.prefix}{rule.path}" != path),
            ),
            each.serves,
        )
        for each in APIS.values()
    ]
    assert path not in {each.path for each in operations.served(apis)}
    with serving(authority, *apis) as http:
        for method in METHODS:
            assert http.request(method, path, headers=bearer(mint())).status_code == 404


@pytest.mark.parametrize(("method", "path"), PATHS)
def test_another_method_is_told_which_there_are(http, mint: Mint, method, path):
    allowed = {"GET", "HEAD"} if method == "GET" else {method}
    for other in METHODS:
        for headers in ({}, bearer(mint())):
            reply = http.request(other, path, headers=headers)
            if other in allowed:
                assert reply.status_code != 405
                continue
            assert (reply.status_code, set(reply.headers["allow"].split(", "))) == (405, allowed)
            assert reply.headers["content-type"] == "application/json"
            assert other == "HEAD" or reply.json() == {"message": "Method Not Allowed"}


@pytest.mark.parametrize("path", [path for method, path in PATHS if method == "GET"])
@pytest.mark.parametrize("content", [b"x", b"[" * 20_000, b"a" * 70_000], ids=len)
def test_a_get_is_not_refused_for_its_body(http, mint: Mint, path, content):
    """RFC 9110 9.3.1: "content received in a GET request has no generally defined semantics"."""
    for sent in ({}, {"Content-Type": "application/json"}):
        reply = http.request("GET", path, content=content, headers=bearer(mint()) | sent)
        assert (reply.status_code, reply.content) == (200, asked(http, path, mint()).content)


@pytest.mark.parametrize(
    ("amount", "status"), [(1, 201), (100_000, 201), (100_001, 409), (10**12, 409), (10**12 + 1, 400)]
)
def test_amounts_have_an_end(http, mint: Mint, store, amount, status):
    reply = http.post("/bank/transfer", json={"to": "Zeno", "amount": amount}, headers=bearer(mint()))
    assert reply.status_code == status
    left = 100_000 - amount if status == 201 else 100_000
    assert asked(http, "/bank/balance", mint()).json()["balance"] == left
    assert [each.cents for each in store.find(BankAccount)] == ([left] if status == 201 else [])
