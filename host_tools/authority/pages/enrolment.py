"""A first factor, for who must give one and has none: choose a kind, set it up, and give it once."""

from __future__ import annotations

import segno
from starlette.responses import Response
from starlette.routing import Route

from host_tools.authority.core.authority import Authority
from host_tools.authority.core.errors import PushUnanswered, Refusal, WayNotOpen
from host_tools.authority.core.otpauth import enrolment_uri
from host_tools.authority.core.records import Authenticator, Factor
from host_tools.authority.pages.browser import Visit, see
from host_tools.authority.pages.rendering import page
from host_tools.authority.pages.second_factor import ENROL, framed, in_fours, onward, state_of
from host_tools.authority.pages.second_factor import START as SECOND_FACTOR
from host_tools.authority.pages.steps import Steps
from host_tools.authority.parameters import Parameters

_RECIPIENT = f"{ENROL}/recipient"
_CONFIRM = f"{ENROL}/confirm"
_SEND = f"{ENROL}/send"
_TEMPLATES = {
    "otp": "enrol_app.html",
    "sms": "message_code.html",
    "email": "message_code.html",
    "push": "enrol_push.html",
}
_KINDS: dict[Factor, tuple[str, str]] = {
    "otp": ("Authenticator app", "shows a new code each half minute"),
    "sms": ("Text message", "a code comes to your phone number"),
    "email": ("E-mail", "a code comes to your address"),
    "push": ("Approval on the phone", "a request comes there, and you tap once"),
}


def routes(authority: Authority) -> list[Route]:
    pages, steps = _Enrolment(authority), Steps(authority)
    return [
        steps.page("second factor", ENROL, pages.kinds),
        steps.form("second factor", ENROL, pages.chosen, pages.kinds),
        steps.page("second factor", _RECIPIENT, pages.recipient),
        steps.form("second factor", _RECIPIENT, pages.recipient_sent, pages.recipient),
        steps.page("second factor", _CONFIRM, pages.confirm),
        steps.form("second factor", _CONFIRM, pages.confirmed, pages.confirm, pages.confirmed_before),
        steps.form("second factor", _SEND, pages.sent_again, pages.confirm),
    ]


class _Enrolment:
    def __init__(self, authority: Authority) -> None:
        self._authority = authority
        self._enrolment = authority.login_enrolment

    def kinds(self, visit: Visit, asked: Parameters, refusal: Refusal | None) -> Response:
        kinds = self._enrolment.kinds(visit.session)
        if not kinds:
            return see(SECOND_FACTOR)
        listed = [(each, *_KINDS[each]) for each in kinds]
        return page("enrol.html", **framed(visit, self._authority, refusal, action=ENROL, kinds=listed))

    def chosen(self, visit: Visit, form: Parameters) -> Response:
        kind = self._kind(visit, form)
        if kind is None:
            raise WayNotOpen
        if kind in ("sms", "email"):
            return see(f"{_RECIPIENT}?kind={kind}")
        return self._begun(visit, kind, "")

    def recipient(self, visit: Visit, asked: Parameters, refusal: Refusal | None) -> Response:
        """Where codes are to go: a phone number, or an address, the user's own to begin with."""
        kind = self._kind(visit, asked)
        if kind not in ("sms", "email"):
            return see(ENROL)
        typed = (asked.get("recipient") or "") if refusal else ""
        content = framed(
            visit,
            self._authority,
            refusal,
            action=_RECIPIENT,
            kind=kind,
            recipient=typed if refusal or kind == "sms" else visit.username(self._authority),
            other=ENROL,
            other_label="Choose another kind",
        )
        return page("enrol_recipient.html", **content)

    def recipient_sent(self, visit: Visit, form: Parameters) -> Response:
        kind = self._kind(visit, form)
        if kind not in ("sms", "email"):
            return see(ENROL)
        return self._begun(visit, kind, form.get("recipient") or "")

    def confirm(self, visit: Visit, asked: Parameters, refusal: Refusal | None, note: str | None = None) -> Response:
        """Set it up, and give it for the first time."""
        made = self._enrolment.begun(visit.session, asked.get("way") or "")
        if made is None:  # another was begun in its place
            return see(ENROL)
        sent = self._enrolment.sent(visit.session, made)
        content = framed(
            visit,
            self._authority,
            refusal,
            action=_CONFIRM,
            send=_SEND,
            way=made.authenticator_id,
            factor=made.factor,
            recipient=made.name,
            state=state_of(self._authority, sent),
            challenge_id=sent.challenge_id if sent else "",
            note=note,
            other=ENROL,
            other_label="Choose another kind",
            one_more=False,
        )
        if made.factor in ("otp", "push"):
            uri = enrolment_uri(self._authority.issuer, content["username"], made)
            content |= {"qr": _qr(uri), "uri": uri, "secret": in_fours(made.secret)}
        return page(_TEMPLATES[made.factor], **content)

    def confirmed(self, visit: Visit, form: Parameters) -> Response:
        key, typed = form.get("way") or "", form.get("code") or ""
        try:
            visit.session = self._enrolment.confirm(visit.session, key, typed, visit.secret)
        except PushUnanswered as waiting:
            return self.confirm(visit, form, None, note=str(waiting))
        return onward(visit, self._authority)

    def confirmed_before(self, visit: Visit, form: Parameters) -> Response | None:
        """The second click of a double click: the recovery code has not been seen yet."""
        return onward(visit, self._authority)

    def sent_again(self, visit: Visit, form: Parameters) -> Response:
        key = form.get("way") or ""
        visit.session = self._enrolment.send(visit.session, key, form.get("instead_of"))
        made = self._enrolment.begun(visit.session, key)
        return self._confirming(made)

    def _begun(self, visit: Visit, kind: Factor, recipient: str) -> Response:
        return self._confirming(self._enrolment.begin(visit.session, kind, recipient, visit.secret))

    def _confirming(self, made: Authenticator | None) -> Response:
        return see(f"{_CONFIRM}?way={made.authenticator_id}" if made else SECOND_FACTOR)

    def _kind(self, visit: Visit, sent: Parameters) -> Factor | None:
        return next((each for each in self._enrolment.kinds(visit.session) if each == sent.get("kind")), None)


def _qr(text: str) -> str:
    """As SVG within the page: the content security policy allows no image."""
    made = segno.make(text, error="m", micro=False)
    return made.svg_inline(border=4, light="#fff", omitsize=True, svgclass=None, lineclass=None)
