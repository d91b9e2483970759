"""How control requests and their answers cross the wire: JSON objects in, JSON out, refusals that name the field."""

from __future__ import annotations

import hmac
import inspect
import json
from collections.abc import Callable
from typing import Any, TypeVar

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from host_tools.authority.core.errors import InvalidRequest
from host_tools.authority.errors import InvalidSetting, NotNow
from host_tools.authority.parameters import JSON, LARGEST_BODY, BodyTooLarge, authorization, whole_body

_NO_STORE = {"Cache-Control": "no-store"}
T = TypeVar("T")


class Refused(Exception):
    """A control request that is answered with this status and error."""

    def __init__(self, status: int, error: str, message: str, field: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.error = error
        self.field = field


def told(content: Any, status: int = 200) -> Response:
    return JSONResponse(content, status, _NO_STORE)


def refusal(refused: Refused, headers: dict[str, str] | None = None) -> Response:
    body = {"error": refused.error, "message": str(refused)}
    if refused.field is not None:
        body["field"] = refused.field
    return JSONResponse(body, refused.status, _NO_STORE | (headers or {}))


async def members(request: Request) -> dict[str, Any]:
    """The JSON object in the body. Raises Refused."""
    if request.headers.get("content-type", "").split(";")[0].strip().lower() != JSON:
        raise Refused(415, "unsupported_media_type", f"The Content-Type must be {JSON}.")
    try:
        found = json.loads(
            (await whole_body(request)).decode(), object_pairs_hook=_without_repeats, parse_constant=_no_number
        )
        json.dumps(found, ensure_ascii=False).encode()  # JSON's \\ud800 is a str that no database or reply takes
    except BodyTooLarge as large:
        raise Refused(413, "too_large", f"The body is larger than {LARGEST_BODY} bytes.") from large
    except InvalidRequest as incomplete:
        raise Refused(400, "malformed", incomplete.description) from incomplete
    except (ValueError, RecursionError) as malformed:  # a wrong encoding is a ValueError too
        raise Refused(400, "malformed", "The body is not JSON in UTF-8.") from malformed
    if not isinstance(found, dict):
        raise Refused(400, "malformed", "The body must be a JSON object.")
    return found


def called(target: Callable[..., T], given: dict[str, Any]) -> T:
    """`target` with these members as its arguments; what is unknown or missing is refused by name."""
    parameters = inspect.signature(target).parameters
    for name in given:
        if name not in parameters:
            known = f"known are {', '.join(parameters)}" if parameters else "nothing is asked"
            raise InvalidSetting(f"{name:.60}", f"is not known here; {known}")
    for name, parameter in parameters.items():
        if parameter.default is parameter.empty and name not in given:
            raise InvalidSetting(name, "is missing")
    return target(**given)


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    kept = dict(pairs)
    if len(kept) != len(pairs):
        names = [name for name, _ in pairs]
        repeated = next(name for name in names if names.count(name) > 1)
        raise Refused(400, "malformed", f"{repeated:.60} is there more than once", f"{repeated:.60}")
    return kept


def _no_number(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")


class Guarded:
    """Whoever does not send the token learns nothing, not even which paths there are."""

    def __init__(self, app: ASGIApp, token: str) -> None:
        self._app = app
        self._token = token.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        try:
            scheme, token = authorization(headers)
        except InvalidRequest:  # two headers, of which neither is the one
            scheme, token = "", ""
        if scheme == "bearer" and hmac.compare_digest(token.encode(), self._token):
            await self._app(scope, receive, send)
            return
        challenge = 'Bearer realm="control"' + (', error="invalid_token"' if "authorization" in headers else "")
        message = "Send the control token as `Authorization: Bearer TOKEN`; `stoa serve` prints it."
        refused = Refused(401, "unauthorized", message)
        await refusal(refused, {"WWW-Authenticate": challenge})(scope, receive, send)


async def _refused(request: Request, exception: Exception) -> Response:
    assert isinstance(exception, Refused)
    return refusal(exception)


async def _invalid(request: Request, exception: Exception) -> Response:
    assert isinstance(exception, InvalidSetting)
    return refusal(Refused(422, "invalid_setting", str(exception), exception.field))


async def _not_now(request: Request, exception: Exception) -> Response:
    return refusal(Refused(409, "not_now", str(exception)))


async def _not_found(request: Request, exception: Exception) -> Response:
    assert isinstance(exception, HTTPException)
    return refusal(Refused(exception.status_code, "not_found", "There is no such control."))


async def _fault(request: Request, exception: Exception) -> Response:
    return refusal(Refused(500, "fault", "A defect of the authority's own; its log has more."))


EXCEPTION_HANDLERS: dict[Any, Any] = {
    Refused: _refused,
    InvalidSetting: _invalid,
    NotNow: _not_now,
    HTTPException: _not_found,
    Exception: _fault,
}
