"""What Extra Horizon's endpoints share: reading a call, who asks, answering in its JSON."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from host_tools.authority import parameters
from host_tools.authority.core import errors
from host_tools.authority.core.authority import Authority
from host_tools.authority.core.finer_errors import WrongClientSecret
from host_tools.authority.core.records import User
from host_tools.authority.core.token_endpoint import Credentials
from host_tools.authority.dialects import extrahorizon_body, oauth
from host_tools.authority.dialects.extrahorizon_body import Body
from host_tools.authority.dialects.extrahorizon_refusals import MissingClientCredentials, NotAuthenticated
from host_tools.authority.dialects.oauth import Refusal
from host_tools.authority.parameters import authorization

_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
_NS_PER_MS = 1_000_000


@dataclass(frozen=True)
class Asked:
    """A request. names: the parameters of its path."""

    body: Body
    names: Mapping[str, Any]
    address: str
    user_agent: str
    basic: Credentials | None

    @property
    def credentials(self) -> Credentials:
        """In the body, by HTTP Basic, or both, as the SDK sends a secret. Raises MissingClientCredentials, and
        InvalidClient where they name two clients."""
        named, secret = self.body.optional_text("client_id"), self.body.optional_text("client_secret")
        if self.basic is None:
            if not named:
                raise MissingClientCredentials
            return Credentials(named, secret)
        if named and named != self.basic.client_id:
            raise errors.InvalidClient
        if secret and secret != self.basic.secret:
            raise WrongClientSecret
        return self.basic


def token_endpoint(
    path: str, handler: Callable[[Asked], Response], refusal: Refusal, is_slow: Callable[[Body], bool]
) -> Route:
    """Whom a request comes from is for the handler to say. is_slow: which hash a password or run a script; all others
    are answered on the loop."""

    async def answer(request: Request) -> Response:
        body = await extrahorizon_body.read(request, takes_forms=True)
        asked = _asked(request, body)
        return await run_in_threadpool(handler, asked) if is_slow(body) else handler(asked)

    return _route(path, "POST", answer, refusal)


def users_endpoint(
    authority: Authority,
    path: str,
    method: str,
    handler: Callable[[Asked, User], Response],
    refusal: Refusal,
    is_slow: bool = False,
) -> Route:
    """For whoever has an access token, which is looked at before anything else is. is_slow: it hashes a password."""

    async def answer(request: Request) -> Response:
        scheme, value = authorization(request.headers)
        if scheme != "bearer" or not value:
            raise NotAuthenticated
        user = authority.issued_tokens.bearer(value)
        asked = _asked(request, await extrahorizon_body.read(request) if method == "POST" else Body({}))
        return await run_in_threadpool(handler, asked, user) if is_slow else handler(asked, user)

    return _route(path, method, answer, refusal)


def health(path: str, refusal: Refusal) -> Route:
    """For anybody: 200 and nothing."""

    async def answer(_: Request) -> Response:
        return Response(headers=oauth.NO_STORE)

    return _route(path, "GET", answer, refusal)


def _route(path: str, method: str, answer: Callable[[Request], Awaitable[Response]], refusal: Refusal) -> Route:
    """Every refusal, of the core or of the body itself, leaves as the vendor's."""

    async def endpoint(request: Request) -> Response:
        if request.method != method:
            reply = refusal(errors.InvalidRequest(f"The method has to be {method}"))
            reply.status_code = 405
            reply.headers["Allow"] = method
            return reply
        try:
            return await answer(request)
        except errors.OAuthError as error:
            return refusal(error)

    return Route(path, endpoint, methods=_METHODS)


def told(body: Mapping[str, Any]) -> JSONResponse:
    return JSONResponse(dict(body), headers=oauth.NO_STORE)


def moment(at: int) -> str:
    """As JavaScript's Date writes it: 2026-11-22T21:44:27.123Z."""
    milliseconds = at // _NS_PER_MS
    at_second = datetime.fromtimestamp(milliseconds // 1000, UTC)
    return f"{at_second:%Y-%m-%dT%H:%M:%S}.{milliseconds % 1000:03}Z"


def moments(**at: int | None) -> dict[str, str]:
    """Those that are known."""
    return {name: moment(value) for name, value in at.items() if value is not None}


def _asked(request: Request, body: Body) -> Asked:
    scheme, value = authorization(request.headers)
    return Asked(
        body,
        request.path_params,
        request.client.host if request.client else "",
        parameters.user_agent(request.headers),
        oauth.basic_credentials(value) if scheme == "basic" else None,
    )
