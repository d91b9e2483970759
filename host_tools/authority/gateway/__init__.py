"""Protected resources: APIs behind their policies, and the answers for servers that guard their own.

bearer.py reads tokens and refuses them, guarded.py puts a policy before an API of ours (quotes.py, bank.py,
cats_and_dogs.py), subrequest.py answers nginx, renewal.py has a second factor given anew. What lets through is decided
in the core: resource_policy.py, resources.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from starlette.routing import Route

from host_tools.authority.core.authority import Authority
from host_tools.authority.core.fault_kinds import Endpoint
from host_tools.authority.core.resources import Resource
from host_tools.authority.gateway import operations, renewal, subrequest
from host_tools.authority.gateway.bank import bank
from host_tools.authority.gateway.cats_and_dogs import cats_and_dogs
from host_tools.authority.gateway.guarded import Served, guarded
from host_tools.authority.gateway.quotes import Quote, QuoteOfDay, quotes
from host_tools.authority.gateway.subrequest import check_route
from host_tools.authority.tenant_settings import ApiSettings

__all__ = ["PATHS", "RENEWAL", "Quote", "QuoteOfDay", "endpoints_of", "routes"]

RENEWAL = (renewal.BEGIN, renewal.FINISH)
PATHS = (subrequest.PATH, *RENEWAL)  # those that are there whatever APIs there are


def routes(authority: Authority, apis: Sequence[ApiSettings], quote_of_day: QuoteOfDay) -> list[Route]:
    """What servers in front and their clients ask, and all below each served API's prefix."""
    # The longest prefix first, as the check has it: one API may lie below another.
    in_order = sorted(apis, key=lambda api: -len(api.policy.prefix))
    resources = [Resource(api.policy, authority) for api in in_order]
    found = [check_route(authority, resources), *renewal.routes(authority)]
    for api, resource in zip(in_order, resources, strict=True):
        if api.serves is not None:
            found += guarded(authority, resource, _served(api, authority, quote_of_day))
    return found


def endpoints_of(apis: Sequence[ApiSettings]) -> Mapping[str, Endpoint]:
    """What a fault strikes, by its path: the served APIs, without the pages for people that one has."""
    return {operation.path: "api" for operation in operations.served(apis)}


def _served(api: ApiSettings, authority: Authority, quote_of_day: QuoteOfDay) -> tuple[Served, ...]:
    match api.serves:
        case "bank":
            return bank(authority, api.policy)
        case "catsdogs":
            return cats_and_dogs()
        case _:
            return quotes(quote_of_day, authority.clock)
