"""What applications send a browser here with: the parameters of an address, or a form of theirs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from host_tools.authority import parameters
from host_tools.authority.core.errors import InvalidRequest
from host_tools.authority.pages.answering import undirected
from host_tools.authority.pages.browser import see
from host_tools.authority.parameters import Parameters

_MOST_FIELDS = 50
_LONGEST_ADDRESS = 16_000

Answered = Callable[[Request, Parameters], Awaitable[Response]]


def asked_route(path: str, methods: list[str], answered: Answered) -> Route:
    """Where an application sends browsers. What cannot be read is told on a page: nobody knows where it came from.

    A form that may come as an address as well is led on to it: from another site it comes without our cookies, which
    are Lax, and would be taken for a new browser's.
    """

    async def endpoint(request: Request) -> Response:
        try:
            sent = await _sent(request)
        except InvalidRequest as malformed:
            return undirected(malformed.description)
        if request.method == "POST" and "GET" in methods:
            address = f"{path}?{urlencode(sent.all())}"
            return see(address) if len(address) <= _LONGEST_ADDRESS else undirected("This asks for too much.")
        return await answered(request, sent)

    return without_head(Route(path, endpoint, methods=methods))


def without_head(route: Route) -> Route:
    """One whose GET does something, which a HEAD is not to do (RFC 9110 9.2.1); Starlette would answer it alike."""
    assert route.methods is not None
    route.methods.discard("HEAD")
    return route


async def _sent(request: Request) -> Parameters:
    """Raises InvalidRequest."""
    if request.method == "POST":
        return await parameters.read(request)
    if len(request.query_params.multi_items()) > _MOST_FIELDS:
        raise InvalidRequest("The address has too many parameters.")
    return Parameters(request.query_params.multi_items())
