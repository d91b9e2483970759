"""/gateway/otp: a second factor given anew for a session that goes on (core/session_renewal.py).

seeds/004: "using our API force an update of the OTP". Cloudentity's own wire is not public; this one is ours.
"""

from __future__ import annotations

from datetime import UTC, datetime

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from host_tools.authority import parameters
from host_tools.authority.core import mfa_errors
from host_tools.authority.core.authority import Authority
from host_tools.authority.core.errors import InvalidRequest, InvalidToken, LimitReached, OAuthError
from host_tools.authority.core.resource_errors import MissingToken
from host_tools.authority.core.session_renewal import FACTORS
from host_tools.authority.gateway.bearer import access_token
from host_tools.authority.parameters import FORM, JSON, BodyTooLarge, Parameters
from host_tools.clock import NS

BEGIN, FINISH = "/gateway/otp", "/gateway/otp/verify"
_NO_STORE = {"Cache-Control": "no-store"}
_CHALLENGE = 'Bearer realm="gateway"'
STATUS: dict[type[OAuthError], int] = {
    OAuthError: 400,
    MissingToken: 401,
    InvalidToken: 401,
    mfa_errors.InvalidOtp: 403,
    mfa_errors.InvalidBindingCode: 403,
    BodyTooLarge: 413,
    LimitReached: 429,
}
# The core names Auth0's parameters; here there is `code` alone.
_SENTENCES: dict[type[OAuthError], str] = {
    mfa_errors.InvalidOtp: "The code is not right, or was used before.",
    mfa_errors.InvalidBindingCode: "The code is not right.",
    mfa_errors.BindingCodeRequired: "The code is not right.",
    mfa_errors.MalformedOobCode: "No code was sent that is still to be used. Ask for one.",
    mfa_errors.ExpiredOobCode: "The code is too old. Ask for another.",
}


def routes(authority: Authority) -> list[Route]:
    renewal = authority.session_renewal

    def begin(token: str, sent: Parameters) -> Response:
        begun = renewal.begin(token, _factor(sent))
        told = {"factor": begun.factor, "sent_to": begun.sent_to, "expires_in": begun.expires_in}
        status = 202 if begun.sent_to is not None else 200
        return JSONResponse({name: value for name, value in told.items() if value is not None}, status, _NO_STORE)

    def finish(token: str, sent: Parameters) -> Response:
        given_at = renewal.finish(token, _factor(sent), sent.required("code"))
        moment = datetime.fromtimestamp(given_at // NS, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        return JSONResponse({"given_at": moment}, headers=_NO_STORE)

    async def answered(request: Request) -> Response:
        if request.method != "POST":
            return refused(InvalidRequest("The method must be POST."), 405)
        try:
            token = access_token(request.headers)
            if token is None:
                raise MissingToken
            sent = await _sent(request)
            return await run_in_threadpool(begin if request.url.path == BEGIN else finish, token, sent)
        except OAuthError as error:
            return refused(error)

    methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
    return [Route(path, answered, methods=methods) for path in (BEGIN, FINISH)]


def refused(error: OAuthError, status: int | None = None) -> JSONResponse:
    found = status or next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)
    headers = dict(_NO_STORE)
    if isinstance(error, MissingToken | InvalidToken):
        headers["WWW-Authenticate"] = _CHALLENGE + (f', error="{error.error}"' if error.error else "")
    if isinstance(error, LimitReached):
        headers["Retry-After"] = str(error.retry_after_s)
    if status == 405:
        headers["Allow"] = "POST"
    if isinstance(error, MissingToken):
        return JSONResponse({"message": error.description}, found, headers)
    sentence = _SENTENCES.get(type(error), error.description)
    return JSONResponse({"error": error.error, "error_description": sentence}, found, headers)


async def _sent(request: Request) -> Parameters:
    """Nothing has to be sent to have a code sent by the first factor there is. Raises InvalidRequest."""
    if not request.headers.get("content-type") and not await parameters.whole_body(request):
        return Parameters(())
    return await parameters.read(request, (FORM, JSON))


def _factor(sent: Parameters) -> str | None:
    factor = sent.get("factor")
    if factor is not None and factor not in FACTORS:
        raise InvalidRequest(f"factor is one of {', '.join(FACTORS)}.")
    return factor
