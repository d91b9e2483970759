"""The control API: `/control/...`, for whoever has the control token. docs/control-api.md tells it to its users."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route

from host_tools.authority.checks import check_choice
from host_tools.authority.control import script_wire
from host_tools.authority.control.controls import Controls
from host_tools.authority.control.wire import EXCEPTION_HANDLERS, Guarded, Refused, called, members, refusal, told
from host_tools.authority.core.faults import FAULTS, ActiveFault, Fault
from host_tools.authority.core.records import Authenticator, Client, OobChallenge
from host_tools.authority.core.refresh_tokens import Presented
from host_tools.clock import NS, utc_text

PREFIX = "/control"
Members = dict[str, Any]
Handler = Callable[..., Any]  # of the path's parameters, and of the body where the method has one; gives JSON
_WITH_BODY = ("POST", "PUT", "PATCH")


def route(controls: Controls, issuer: str, token: str) -> Mount:
    """All of it, behind the token."""
    app = Starlette(routes=resources(controls, issuer), exception_handlers=EXCEPTION_HANDLERS)
    app.router.redirect_slashes = False
    return Mount(PREFIX, Guarded(app, token))


def resources(controls: Controls, issuer: str) -> list[Route]:
    wire = _Wire(controls, issuer)
    return [
        _resource("/state", GET=wire.state),
        _resource("/clock", GET=wire.clock, PUT=wire.set_clock),
        _resource("/clock/advance", POST=wire.advance_clock),
        _resource("/mfa", GET=wire.mfa, PUT=wire.set_mfa),
        _resource("/scripts", GET=wire.scripts, PUT=wire.put_scripts),
        _resource("/access-tokens", GET=wire.access_tokens, PUT=wire.set_access_tokens),
        _resource("/clients", GET=wire.clients),
        _resource("/clients/{client_id}", GET=wire.client, PATCH=wire.change_client),
        _resource("/revoke", POST=wire.revoke),
        _resource("/faults", GET=wire.faults, POST=wire.set_fault, DELETE=wire.lift_faults),
        _resource("/faults/{number}", GET=wire.fault, DELETE=wire.lift_fault),
        _resource("/users/{user}/authenticators", GET=wire.authenticators, POST=wire.enrol),
        _resource("/pushes", GET=wire.pushes, POST=wire.answer_push),
        _resource("/messages", GET=wire.messages),
        _resource("/events", GET=wire.events),
        _resource("/tally", GET=controls.tally),
        _resource("/refresh-tokens/{sha256}", GET=wire.refresh_token),
    ]


def _resource(path: str, **handlers: Handler) -> Route:
    """One address and the methods it knows; 405 names all of them."""
    allow = ", ".join([*handlers, *(["HEAD"] if "GET" in handlers else [])])

    async def endpoint(request: Request) -> Response:
        method = "GET" if request.method == "HEAD" else request.method
        handler = handlers.get(method)
        if handler is None:
            message = f"{request.method} is not known here; known are {allow}."
            return refusal(Refused(405, "method_not_allowed", message), {"Allow": allow})
        body = (await members(request),) if method in _WITH_BODY else ()
        found = await run_in_threadpool(handler, *body, **request.path_params)
        return told(found, 201 if method == "POST" and path == "/faults" else 200)

    return Route(path, endpoint, methods=["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"])


class _Wire:
    """Each control as JSON."""

    def __init__(self, controls: Controls, issuer: str) -> None:
        self._controls = controls
        self._issuer = issuer

    def state(self) -> Members:
        return {
            "issuer": self._issuer,
            "clock": self.clock(),
            "mfa": self.mfa(),
            "scripts": self.scripts(),
            "access_tokens": self.access_tokens(),
            **self.clients(),
            **self.faults(),
            "tally": self._controls.tally(),
        }

    def clock(self) -> Members:
        return {"now": self._controls.now, "can_be_set": self._controls.clock_can_be_set}

    def set_clock(self, sent: Members) -> Members:
        called(self._controls.set_clock, sent)
        return self.clock()

    def advance_clock(self, sent: Members) -> Members:
        called(self._controls.advance_clock, sent)
        return self.clock()

    def mfa(self) -> Members:
        mfa = self._controls.mfa
        return {
            "mode": mfa.mode,
            "strict": mfa.strict,
            "factors": mfa.factors,
            "tell_requirements": mfa.tell_requirements,
            "confidence": mfa.confidence or "judged",
        }

    def set_mfa(self, sent: Members) -> Members:
        called(self._controls.set_mfa, sent)
        return self.mfa()

    def scripts(self) -> Members:
        return script_wire.told(self._controls.scripts)

    def put_scripts(self, sent: Members) -> Members:
        script_wire.put(self._controls.scripts, sent)
        return self.scripts()

    def access_tokens(self) -> Members:
        return {"lifetime_s": self._controls.access_token_lifetime_s}

    def set_access_tokens(self, sent: Members) -> Members:
        called(self._controls.set_access_token_lifetime, sent)
        return self.access_tokens()

    def clients(self) -> Members:
        return {"clients": [_client(each) for each in self._controls.clients()]}

    def client(self, client_id: str) -> Members:
        found = [each for each in self._controls.clients() if each.client_id == client_id]
        if not found:
            raise Refused(404, "not_found", "There is no such client.")
        return _client(found[0])

    def change_client(self, sent: Members, client_id: str) -> Members:
        self.client(client_id)

        def change(refresh_leeway_s: int) -> None:
            self._controls.set_refresh_leeway(client_id, refresh_leeway_s)

        called(change, sent)
        return self.client(client_id)

    def revoke(self, sent: Members) -> Members:
        return {"families": called(self._controls.revoke, sent)}

    def faults(self) -> Members:
        return {"faults": [_fault(each) for each in self._controls.faults()]}

    def fault(self, number: str) -> Members:
        # Compared as text: past 4300 digits, Python makes no number of one.
        found = [each for each in self._controls.faults() if str(each.number) == number]
        if not found:
            raise Refused(404, "not_found", "No such fault is set.")
        return _fault(found[0])

    def set_fault(self, sent: Members) -> Members:
        kind = sent.pop("kind", None)
        check_choice("kind", kind, FAULTS)
        fault: Fault = called(FAULTS[kind], sent)
        return _fault(self._controls.set_fault(fault))

    def lift_fault(self, number: str) -> Members:
        self._controls.lift_fault(self.fault(number)["number"])
        return {"lifted": 1}

    def lift_faults(self) -> Members:
        return {"lifted": self._controls.lift_faults()}

    def authenticators(self, user: str) -> Members:
        return {"authenticators": [_authenticator(each) for each in self._controls.authenticators(user)]}

    def enrol(self, sent: Members, user: str) -> Members:
        enrolled = called(partial(self._controls.enrol, user), sent)
        made = _authenticator(enrolled.authenticator)
        return made if enrolled.recovery_code is None else made | {"recovery_code": enrolled.recovery_code}

    def pushes(self) -> Members:
        return {"pushes": [_push(each) for each in self._controls.pushes()]}

    def answer_push(self, sent: Members) -> Members:
        return _push(called(self._controls.answer_push, sent))

    def messages(self) -> Members:
        return {"messages": [_moments(asdict(each)) for each in self._controls.messages()]}

    def events(self) -> Members:
        return {"events": [_moments(asdict(each)) for each in self._controls.events()]}

    def refresh_token(self, sha256: str) -> Members:
        examined = self._controls.examine(sha256=sha256)
        if examined is None:
            raise Refused(404, "not_found", "No refresh token has this hash.")
        return _examined(examined)


def _client(client: Client) -> Members:
    return {
        "client_id": client.client_id,
        "name": client.name,
        "refresh_leeway_s": client.refresh_leeway_s,
        "refresh_lifetime_s": client.refresh_lifetime_s,
        "metadata": json.loads(client.metadata),
    }


def _authenticator(found: Authenticator) -> Members:
    told = {"authenticator_id": found.authenticator_id, "factor": found.factor, "active": bool(found.active)}
    if found.name:
        told["name"] = found.name
    # Of a one-time code app only: a recovery code is kept as a hash.
    return told | ({"totp_secret": found.secret} if found.factor == "otp" else {})


def _push(challenge: OobChallenge) -> Members:
    told = {"challenge_id": challenge.challenge_id, "user_id": challenge.user_id, "client_id": challenge.client_id}
    return told | {"status": challenge.status, "expires": utc_text(challenge.expires_at // NS)}


def _moments(record: Members) -> Members:
    """Nanoseconds (`sent_at`) as the texts in UTC that all of this API has (`sent`)."""
    return {
        name.removesuffix("_at"): utc_text(value // NS) if name.endswith("_at") else value
        for name, value in record.items()
    }


def _fault(active: ActiveFault) -> Members:
    return {"number": active.number, "kind": active.fault.kind, **asdict(active.fault), "struck": active.struck}


def _examined(examined: Presented) -> Members:
    family = examined.family
    return {
        "standing": examined.standing,
        "generation": examined.generation,
        "newest_generation": family.generation,
        "family_id": family.family_id,
        "client_id": family.client_id,
        "expires": None if family.expires_at is None else utc_text(family.expires_at // NS),
        "revoked": family.revoked_at is not None,
    }
