"""Okta's sign-in API: /api/v1/authn and the factors under it (its documentation, "Authentication API").

Everything is a POST of a JSON object; the state token is in the body, what a person wishes of their device in the
address.
"""

from __future__ import annotations

import io
from collections.abc import Callable

import segno
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from host_tools.authority.core.authn_errors import (
    AuthenticationFailed,
    AuthnRefused,
    InvalidMember,
    LockedOut,
    UnknownAddress,
    UnlockNotAllowed,
    WrongMethod,
)
from host_tools.authority.core.authn_transactions import Standing
from host_tools.authority.core.authority import Authority
from host_tools.authority.core.faults import Endpoint
from host_tools.authority.core.otpauth import enrolment_uri
from host_tools.authority.dialects import oauth, okta_body, okta_factors
from host_tools.authority.dialects.okta_body import Body
from host_tools.authority.dialects.okta_refusals import api_refusal
from host_tools.authority.dialects.okta_transactions import PATH, Rendering

FACTOR = f"{PATH}/factors/{{factor_id}}"
QR = "/api/v1/users/{user_id}/factors/{factor_id}/qr/{qr}"
LONGEST_DEVICE_TOKEN = 32  # its documentation, "Context object"
LONGEST_RELAY_STATE = 2048
_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]

ENDPOINTS: dict[str, Endpoint] = {
    path: "mfa"
    for path in (
        PATH,
        f"{PATH}/introspect",
        f"{PATH}/factors",
        f"{FACTOR}/verify",
        f"{FACTOR}/verify/resend",
        f"{FACTOR}/lifecycle/activate",
        f"{FACTOR}/lifecycle/activate/poll",
        f"{FACTOR}/lifecycle/resend",
        f"{PATH}/previous",
        f"{PATH}/skip",
        f"{PATH}/cancel",
        f"{PATH}/recovery/unlock",
        QR,
    )
}
Handler = Callable[[Request, Body], Standing | Response]


def routes(authority: Authority) -> list[Route]:
    api = _Api(authority)
    return [
        api.post("", api.primary, is_slow=lambda body: body.text("password") is not None),
        api.post("/introspect", api.state),
        api.post("/factors", api.enrol),
        api.post("/factors/{factor_id}/verify", api.verify),
        api.post("/factors/{factor_id}/verify/resend", api.verify_resend),
        api.post("/factors/{factor_id}/lifecycle/activate", api.activate),
        api.post("/factors/{factor_id}/lifecycle/activate/poll", api.activate),
        api.post("/factors/{factor_id}/lifecycle/resend", api.activate_resend),
        api.post("/previous", api.previous),
        api.post("/skip", api.skip),
        api.post("/cancel", api.cancel),
        api.post("/recovery/unlock", api.unlock),
        api.picture(),
    ]


class _Api:
    def __init__(self, authority: Authority) -> None:
        self._authority = authority
        self._devices = authority.device_choices
        self._rendering = Rendering(authority.issuer, authority.device_choices)

    def post(self, way: str, handler: Handler, is_slow: Callable[[Body], bool] | None = None) -> Route:
        """An operation: every refusal, of the core or of the body itself, leaves as an API error.

        is_slow: which requests hash a password.
        """

        async def endpoint(request: Request) -> Response:
            try:
                if request.method != "POST":
                    raise WrongMethod
                body = await okta_body.read(request)
                if is_slow and is_slow(body):
                    told = await run_in_threadpool(handler, request, body)
                else:
                    told = handler(request, body)
            except AuthnRefused as refused:
                return _allowing("POST", refused)
            if isinstance(told, Response):
                return told
            return JSONResponse(self._rendering.body(told), headers=oauth.NO_STORE)

        return Route(f"{PATH}{way}", endpoint, methods=_METHODS)

    def picture(self) -> Route:
        """The QR code of an enrolment, for an image on the application's page: its address is its secret."""

        async def endpoint(request: Request) -> Response:
            try:
                if request.method != "GET":
                    raise WrongMethod
                return self._picture(request)
            except AuthnRefused as refused:
                return _allowing("GET", refused)

        return Route(QR, endpoint, methods=_METHODS)

    def primary(self, request: Request, body: Body) -> Standing | Response:
        """A password, or a look at where a sign-in stands."""
        username, password = body.text("username"), body.text("password")
        state_token, context, options = body.text("stateToken"), body.part("context"), body.part("options")
        device_token = context.text("deviceToken", LONGEST_DEVICE_TOKEN) or ""
        relay_state = body.text("relayState", LONGEST_RELAY_STATE) or ""
        enrols_more = options.flag("multiOptionalFactorEnroll")
        options.flag("warnBeforePasswordExpired")  # nobody's password expires here
        activation = body.text("token")
        if state_token and username is None and password is None:
            return self._authority.authn.look(state_token)
        if activation:  # nobody was sent any
            raise AuthenticationFailed
        if not username or not password:
            sentence = "The 'username' and 'password' attributes are required in this context."
            raise InvalidMember("authRequest", sentence)
        address = request.client.host if request.client else ""
        try:
            return self._authority.authn.begin(username, password, device_token, relay_state, enrols_more, address)
        except LockedOut:
            if not self._devices.policy.show_lockout_failures:
                raise
            return JSONResponse(self._rendering.locked_out(), headers=oauth.NO_STORE)

    def state(self, request: Request, body: Body) -> Standing:
        return self._authority.authn.look(body.required("stateToken"))

    def enrol(self, request: Request, body: Body) -> Standing:
        state_token = body.required("stateToken")
        kind = okta_factors.kind_named(body.required("factorType"), body.required("provider"))
        name = okta_factors.name_for(kind, body.part("profile").text("phoneNumber") or "")
        return self._authority.authn_enrolment.begin(state_token, kind.factor, name)

    def verify(self, request: Request, body: Body) -> Standing:
        remember = okta_body.parameter(request, "rememberDevice") or False
        auto_push = okta_body.parameter(request, "autoPush")
        state_token, passcode = body.required("stateToken"), body.text("passCode")
        return self._authority.authn_factors.verify(state_token, _factor(request), passcode, remember, auto_push)

    def verify_resend(self, request: Request, body: Body) -> Standing:
        return self._authority.authn_factors.resend(body.required("stateToken"), _factor(request))

    def activate(self, request: Request, body: Body) -> Standing:
        """With its first passcode; a push has none, and is asked after."""
        state_token, factor_id = body.required("stateToken"), request.path_params["factor_id"]
        passcode = body.text("passCode")
        if not factor_id.startswith("opf"):
            passcode = body.required("passCode")
        return self._authority.authn_enrolment.activate(state_token, _factor(request), passcode or "")

    def activate_resend(self, request: Request, body: Body) -> Standing:
        return self._authority.authn_enrolment.resend(body.required("stateToken"), _factor(request))

    def previous(self, request: Request, body: Body) -> Standing:
        return self._authority.authn.back(body.required("stateToken"))

    def skip(self, request: Request, body: Body) -> Standing:
        return self._authority.authn_enrolment.skip(body.required("stateToken"))

    def cancel(self, request: Request, body: Body) -> Response:
        relay_state = self._authority.authn.cancel(body.required("stateToken"))
        return JSONResponse({"relayState": relay_state} if relay_state else {}, headers=oauth.NO_STORE)

    def unlock(self, request: Request, body: Body) -> Response:
        """Where LOCKED_OUT leads. A bucket of tries refills by itself, and nobody can hasten it."""
        body.required("username")
        raise UnlockNotAllowed

    def _picture(self, request: Request) -> Response:
        found = self._authority.authn_enrolment.scanned(_factor(request), request.path_params["qr"])
        if found is None or found[1].user_id != request.path_params["user_id"]:
            raise UnknownAddress
        drawn = io.BytesIO()
        made = segno.make(enrolment_uri(self._authority.issuer, *found), error="m", micro=False)
        made.save(drawn, kind="png", scale=5, border=4)
        return Response(drawn.getvalue(), media_type="image/png", headers=oauth.NO_STORE)


def _factor(request: Request) -> str:
    """Raises UnknownFactor."""
    return okta_factors.authenticator_id(request.path_params["factor_id"])


def _allowing(method: str, refused: AuthnRefused) -> Response:
    reply = api_refusal(refused)
    if isinstance(refused, WrongMethod):
        reply.headers["Allow"] = method
    return reply
