"""The second factor: which way it is given, and the page of each. Looking at a page sends nothing and tries nothing."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response
from starlette.routing import Route

from host_tools.authority.core.authority import Authority
from host_tools.authority.core.errors import PushUnanswered, Refusal, WayNotOpen
from host_tools.authority.core.mfa_api import OUT_OF_BAND
from host_tools.authority.core.records import OobChallenge
from host_tools.authority.pages import outbox, phone
from host_tools.authority.pages.browser import Visit, see
from host_tools.authority.pages.rendering import page
from host_tools.authority.pages.steps import ONWARD, PATHS, SIGN_OUT, Steps
from host_tools.authority.parameters import Parameters

START = PATHS["second factor"]
ENROL = f"{START}/enrol"
_SEND = f"{START}/send"
_WAYS = f"{START}/ways"
_RECOVERY_CODE = "/recovery-code"
_REMEMBER, _TICKED = "remember_device", "yes"

_TEMPLATES = {
    "otp": "one_time_code.html",
    "sms": "message_code.html",
    "email": "message_code.html",
    "push": "push.html",
    "recovery-code": "recovery_code.html",
}
_LABELS = {
    "otp": "Authenticator app",
    "sms": "Text message",
    "email": "E-mail",
    "push": "Approve on the phone",
    "recovery-code": "Recovery code",
}
# What a sign-in takes, as a script may have it.
_NAMES = {
    "otp": "an authenticator app",
    "sms": "a text message",
    "email": "an e-mail",
    "push": "an approval on the phone",
    "recovery-code": "a recovery code",
}


def routes(authority: Authority) -> list[Route]:
    pages, steps = _SecondFactor(authority), Steps(authority)
    return [
        steps.page("second factor", START, pages.way),
        steps.form("second factor", START, pages.given, pages.way, pages.given_before),
        steps.form("second factor", _SEND, pages.chosen, pages.way),
        steps.page("second factor", _WAYS, pages.ways),
        steps.page(None, _RECOVERY_CODE, pages.recovery_code),
        steps.post(_RECOVERY_CODE, pages.recovery_code_saved),
    ]


def state_of(authority: Authority, sent: OobChallenge | None) -> str:
    """What has become of what was sent: unsent, open, refused, or expired."""
    if sent is None:
        return "unsent"
    if authority.challenges.is_open(sent):
        return "open"
    return "refused" if sent.status == "rejected" else "expired"


def onward(visit: Visit, authority: Authority) -> Response:
    """Where a factor leads that was given: first to a recovery code that the person has not seen yet."""
    due = visit.next_step(authority)
    if due != "second factor" and authority.login_factors.recovery_code(visit.session, visit.secret):
        return see(_RECOVERY_CODE)
    return see(PATHS[due])


def framed(visit: Visit, authority: Authority, refusal: Refusal | None, **content: Any) -> dict[str, Any]:
    """What each of these pages needs."""
    return {
        "problem": refusal and str(refusal),
        "csrf_token": visit.csrf_token,
        "username": visit.username(authority),
        "sign_out": SIGN_OUT,
        "outbox": outbox.PATH,
        "phone": phone.PATH,
        "remember": None,
        **content,
    }


class _SecondFactor:
    def __init__(self, authority: Authority) -> None:
        self._authority = authority
        self._factors = authority.login_factors
        self._devices = authority.device_choices

    def way(self, visit: Visit, asked: Parameters, refusal: Refusal | None, note: str | None = None) -> Response:
        """The way that is asked for, or the first."""
        ways = self._factors.ways(visit.session)
        chosen = next((each for each in ways if each.key == asked.get("way")), None)
        if chosen is None and self._authority.login_enrolment.kinds(visit.session):
            return see(ENROL)
        held = self._factors.held(visit.session)
        takes = " or ".join(_NAMES[each] for each in held.factors_allowed.split())
        if not ways:
            return page("no_way.html", 403, **framed(visit, self._authority, refusal, takes=takes))
        chosen = chosen or ways[0]
        sent = self._factors.sent(visit.session, chosen.key)
        content = framed(
            visit,
            self._authority,
            refusal,
            action=START,
            send=_SEND,
            way=chosen.key,
            factor=chosen.factor,
            recipient=chosen.hint,
            state=state_of(self._authority, sent),
            challenge_id=sent.challenge_id if sent else "",
            note=note,
            other=_WAYS if len(ways) > 1 else None,
            other_label="Use another way",
            one_more=bool(held.factors_given),
            remember=self._offer(visit, asked if refusal or note else None),
            # Who has none of the factors that a script lets count, but the code that stands in for any.
            takes=takes if chosen.factor == "recovery-code" and len(ways) == 1 else "",
        )
        return page(_TEMPLATES[chosen.factor], **content)

    def given(self, visit: Visit, form: Parameters) -> Response:
        key, typed, ticked = form.get("way") or "", form.get("code") or "", form.get(_REMEMBER)
        if self._devices.in_force and ticked not in (None, _TICKED):
            return see(START)  # no form of ours
        try:
            visit.session = self._factors.give(visit.session, key, typed, visit.secret)
        except PushUnanswered as waiting:
            return self.way(visit, form, None, note=str(waiting))
        # Where one more is due, or this form gave nothing, nothing is remembered.
        given = visit.session.otp_at is not None and "mfa" in visit.session.amr.split()
        if self._devices.in_force and visit.session.user_id is not None and given:
            self._devices.verified(visit.session.user_id, visit.browser, ticked is not None)
        return onward(visit, self._authority)

    def _offer(self, visit: Visit, sent: Parameters | None) -> dict[str, Any] | None:
        """The box to tick, where a sign-on policy offers one. sent: the form, as the person had it a moment ago."""
        offer = self._devices.policy.offer() if self._devices.in_force else None
        if offer is None:
            return None
        ticked = self._devices.by_default(visit.session.user_id or "", visit.browser)
        return {
            "name": _REMEMBER,
            "value": _TICKED,
            "offer": offer,
            "ticked": ticked if sent is None else sent.get(_REMEMBER) is not None,
        }

    def given_before(self, visit: Visit, form: Parameters) -> Response | None:
        """The second click of a double click on a recovery code: the next one has not been seen yet."""
        return onward(visit, self._authority)

    def chosen(self, visit: Visit, form: Parameters) -> Response:
        """A way is chosen, or a message asked for once more."""
        way = next((each for each in self._factors.ways(visit.session) if each.key == form.get("way")), None)
        if way is None:
            raise WayNotOpen
        if way.factor in OUT_OF_BAND:
            visit.session = self._factors.send(visit.session, way.key, form.get("instead_of"))
        return see(f"{START}?way={way.key}")

    def ways(self, visit: Visit, asked: Parameters, refusal: Refusal | None) -> Response:
        ways = self._factors.ways(visit.session)
        if not ways:
            return see(START)
        listed = [{"key": each.key, "label": _LABELS[each.factor], "hint": each.hint} for each in ways]
        return page("ways.html", **framed(visit, self._authority, refusal, action=_SEND, ways=listed))

    def recovery_code(self, visit: Visit, asked: Parameters, refusal: Refusal | None) -> Response:
        """The new one, until the person has said that they saved it."""
        code = self._factors.recovery_code(visit.session, visit.secret)
        if code is None:
            return see(ONWARD)
        content = framed(visit, self._authority, refusal, action=_RECOVERY_CODE, code=in_fours(code))
        return page("new_recovery_code.html", **content)

    def recovery_code_saved(self, visit: Visit, form: Parameters) -> Response:
        self._factors.recovery_code_saved(visit.session)
        return see(ONWARD)


def in_fours(secret: str) -> str:
    """As it is read and typed."""
    return " ".join(secret[at : at + 4] for at in range(0, len(secret), 4))
