"""Every page that a person can come to, with and without something to tell, and the way to each."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from urllib.parse import urlencode

import httpx2
from starlette.testclient import TestClient

from host_tools.authority.app import create_app
from host_tools.authority.core.authority import Authority
from host_tools.authority.core.policies import Directive
from host_tools.authority.core.post_login import Verdict
from host_tools.authority.core.records import Client, Factor, SigningKey, User
from host_tools.authority.core.sign_on_policy import SignOnPolicy
from host_tools.authority.pages import outbox, phone, rendering, steps
from host_tools.authority.store import SqliteStore
from host_tools.authority.tenant import Tenant, demo_tenant
from host_tools.clock import NS, VirtualClock

from .authorize.application import ASKED, GOODBYE, SPA
from .conftest import ISSUER, START_NS, Display, quote_of_day
from .mfa_wire import Person, add_person, code_in, code_of, give, wrong
from .page_markup import Markup

Reply = httpx2.Response
BASE = '{% extends "base.html" %}'


@dataclass(frozen=True)
class Names:
    """What people and tenants have called things, and the pages show."""

    client: str = "Bank"
    display: str = "Stoa display"
    person: str = "zeno@stoa.example"
    number: str = "+15551234567"
    address: str = "zeno@stoa.example"
    phone: str = "Phone"
    scope: str = "transfer:funds"
    state: str = "xyz"
    message: str = "123456 is your verification code for Stoa display."
    typed: str = "a@b.c"  # a user name that nobody has


@dataclass
class Scene:
    """Somebody in a browser at an authority in this process, for whom a display or an application has asked."""

    http: TestClient
    authority: Authority
    store: SqliteStore
    clock: VirtualClock
    tenant: Tenant
    person: Person
    names: Names
    recovery_code: str = ""
    begun: dict[str, str] = field(default_factory=dict)

    def see(self, path: str) -> Reply:
        return self.led_on(self.http.get(path))

    def send(self, page: Reply, *pressed: str, **fields: str) -> Reply:
        """Fill in the form that has these fields, and press the button of this name, its first where it has several."""
        form = Markup(page.text).form_with(*fields, *pressed)
        buttons = dict(reversed([each for each in form.buttons if each[0] in pressed]))
        return self.led_on(self.http.post(form.action, data=form.hidden | buttons | fields))

    def led_on(self, reply: Reply) -> Reply:
        """Where our own redirects end; one to an application is left as it is."""
        while reply.is_redirect and reply.headers["location"].startswith("/"):
            reply = self.http.get(reply.headers["location"])
        return reply

    def own(self, *factors: Factor, recovery: bool = False) -> None:
        self.authority.mfa.mode = "rule"
        names = {"sms": self.names.number, "email": self.names.address, "push": self.names.phone}
        for factor in factors:
            give(self.authority, self.person, factor, names.get(factor, ""))
        if factors and not recovery:
            for each in self.authority.authenticators.of(self.person.user_id, "recovery-code"):
                self.authority.authenticators.remove(self.person.user_id, each.authenticator_id)
        if recovery:
            self.recovery_code = self.authority.authenticators._new_recovery_code(self.person.user_id)

    def only(self, *factors: Factor) -> None:
        """A script lets these count and no others."""
        self.authority.post_login.judge = lambda attempt: Verdict(Directive(True, factors=factors))

    def code_typed(self, **asked: str) -> Reply:
        self.begun = Display(self.http, self.tenant).ask(**asked).json()
        return self.send(self.see(steps.START), user_code=self.begun["user_code"])

    def application_asks(self, **asked: str) -> Reply:
        named = {"state": self.names.state, "scope": f"openid {self.names.scope}"}
        return self.see(f"/authorize?{urlencode(ASKED | named | asked)}")

    def sign_in(self, page: Reply) -> Reply:
        return self.send(page, username=self.person.username, password=self.person.password)

    def signed_in(self) -> Reply:
        """For a display."""
        return self.sign_in(self.code_typed())

    def another_way(self, page: Reply, label: str) -> Reply:
        listed = self.see(_link(page, "another way"))
        buttons = re.findall(r'name="way" value="([^"]+)"[^>]*>([^<]*)', listed.text)
        return self.send(listed, way=next(value for value, words in buttons if words.strip().startswith(label)))

    def kind(self, kind: str) -> Reply:
        self.own()
        return self.send(self.signed_in(), kind=kind)

    def message_code(self) -> str:
        return code_in(self.authority.outbox.newest()[0].text)

    def answer_push(self, approve: bool) -> None:
        self.authority.challenges.answer(self.authority.challenges.pending()[0].challenge_id, approve)

    def one_time_code(self) -> str:
        [made] = self.authority.authenticators.of(self.person.user_id, "otp")
        return code_of(made.secret, self.clock)

    def write(self, messages: int) -> None:
        for number in range(messages):
            channel = ("sms", "email")[number % 2]
            recipient = (self.names.number, self.names.address)[number % 2]
            self.authority.outbox.send(self.person.user_id, channel, recipient, self.names.message)


@contextmanager
def scene(key: SigningKey, names: Names | None = None) -> Iterator[Scene]:
    names = names or Names()
    store, clock = SqliteStore(None), VirtualClock(START_NS)
    store.put(key)
    authority = Authority(store, clock, ISSUER)
    tenant = demo_tenant(store, ISSUER)
    store.put(replace(SPA, name=names.client, skips_consent=False, scopes=f"{SPA.scopes} {names.scope}"))
    person = replace(add_person(store), username=names.person)
    store.put(replace(store.find(User, user_id=person.user_id)[0], username=names.person))
    [display] = store.find(Client, client_id=tenant.client_id)
    store.put(replace(display, name=names.display))
    with TestClient(create_app(authority, quote_of_day), base_url=ISSUER, follow_redirects=False) as http:
        yield Scene(http, authority, store, clock, tenant, person, names)
    store.close()


def _link(page: Reply, words: str) -> str:
    """Where the link leads that has these words."""
    return next(
        href for href, label in re.findall(r'<a [^>]*?href="([^"]+)"[^>]*>([^<]*)', page.text) if words in label
    )


def _factor(*factors: Factor, recovery: bool = False) -> Callable[[Scene], Reply]:
    def reach(at: Scene) -> Reply:
        at.own(*factors, recovery=recovery)
        return at.signed_in()

    return reach


def _sent(factor: Factor) -> Callable[[Scene], Reply]:
    return lambda at: at.send(_factor(factor, recovery=True)(at), "go")


def _unknown(at: Scene) -> Reply:
    return at.send(at.code_typed(), username=at.names.typed, password="x")


def _recovery(at: Scene) -> Reply:
    return at.another_way(_factor("otp", recovery=True)(at), "Recovery code")


def _wrong_app_code(at: Scene) -> Reply:
    page = _factor("otp", "sms")(at)
    return at.send(page, code=wrong(at.one_time_code()))


def _app_enrolled(at: Scene, right: bool) -> Reply:
    page = at.kind("otp")
    key = re.search(r'<p class="code long"[^>]*>([A-Z2-7 ]+)', page.text)
    assert key
    code = code_of(key.group(1).replace(" ", ""), at.clock)
    return at.send(page, code=code if right else wrong(code))


def _too_late(reach: Callable[[Scene], Reply], seconds: int = 301) -> Callable[[Scene], Reply]:
    def late(at: Scene) -> Reply:
        page = reach(at)
        at.clock.sleep_ns(seconds * NS)
        return at.see(page.url.path)

    return late


def _push_refused(at: Scene) -> Reply:
    page = _sent("push")(at)
    at.answer_push(approve=False)
    return at.send(page, "go")


def _stand_in(at: Scene) -> Reply:
    at.only("push")
    return _factor("otp", recovery=True)(at)


def _one_more(at: Scene) -> Reply:
    at.authority.mfa.factors = 2
    page = _factor("otp", "sms")(at)
    return at.send(page, code=at.one_time_code())


def _no_way(at: Scene) -> Reply:
    at.only("push")
    return _factor("otp")(at)


def _log_out(at: Scene, signed_in: bool = True, **changed: str) -> Reply:
    if signed_in:
        _application_consent(at)
    asked = {"client_id": "spa", "post_logout_redirect_uri": GOODBYE, "state": at.names.state}
    return at.see(f"/oidc/logout?{urlencode(asked | changed)}")


def _remembering(reach: Callable[[Scene], Reply]) -> Callable[[Scene], Reply]:
    """With the box of a sign-on policy, ticked."""

    def reached(at: Scene) -> Reply:
        at.authority.device_choices.in_force = True
        at.authority.device_choices.policy = SignOnPolicy(remember_device_by_default=True)
        return reach(at)

    return reached


def _consent(at: Scene, **asked: str) -> Reply:
    return at.sign_in(at.code_typed(**asked))


def _application_consent(at: Scene, **asked: str) -> Reply:
    return at.sign_in(at.application_asks(**asked))


def _decided(at: Scene, decision: str) -> Reply:
    return at.send(_consent(at), decision=decision)


def _phone_answered(at: Scene) -> Reply:
    _sent("push")(at)
    return at.send(at.see(phone.PATH), "answer")


def _phone_with_pushes(at: Scene) -> Reply:
    _sent("push")(at)
    return at.see(phone.PATH)


def _phone_too_late(at: Scene) -> Reply:
    page = _phone_with_pushes(at)
    at.clock.sleep_ns(301 * NS)
    return at.send(page, "answer")


def _outbox(messages: int) -> Callable[[Scene], Reply]:
    def reach(at: Scene) -> Reply:
        at.write(messages)
        return at.see(outbox.PATH)

    return reach


def _denied(at: Scene) -> Reply:
    at.authority.post_login.judge = lambda attempt: Verdict(denied=at.names.message)
    return at.signed_in()


@dataclass(frozen=True)
class Sight:
    name: str
    template: str
    reach: Callable[[Scene], Reply]
    status: int = 200


_SIGHTS = [
    Sight("code", "code.html", lambda at: at.see(steps.START)),
    Sight("code, wrong", "code.html", lambda at: at.send(at.see(steps.START), user_code="BBBB-BBBB"), 400),
    Sight("code to compare", "code.html", lambda at: at.see(f"{steps.START}?user_code=BBBBCCCC")),
    Sight("sign in", "sign_in.html", lambda at: at.code_typed()),
    Sight("sign in, wrong", "sign_in.html", _unknown, 400),
    Sight("sign in for an application", "sign_in.html", lambda at: at.application_asks()),
    Sight(
        "sign in, hinted",
        "sign_in.html",
        lambda at: at.application_asks(login_hint=at.names.typed),
    ),
    Sight("app", "one_time_code.html", _factor("otp", "sms")),
    Sight("app, wrong", "one_time_code.html", _wrong_app_code, 400),
    Sight("app, to be remembered", "one_time_code.html", _remembering(_factor("otp", "sms"))),
    Sight("app, to be remembered, wrong", "one_time_code.html", _remembering(_wrong_app_code), 400),
    Sight("sms, to be remembered", "message_code.html", _remembering(_sent("sms"))),
    Sight("push, to be remembered", "push.html", _remembering(_sent("push"))),
    Sight("recovery code, to be remembered", "recovery_code.html", _remembering(_recovery)),
    Sight("sms unsent", "message_code.html", _factor("sms", recovery=True)),
    Sight("sms", "message_code.html", _sent("sms")),
    Sight("sms, wrong", "message_code.html", lambda at: at.send(_sent("sms")(at), code="x"), 400),
    Sight("sms too late", "message_code.html", _too_late(_sent("sms"))),
    Sight("e-mail unsent", "message_code.html", _factor("email")),
    Sight("e-mail", "message_code.html", _sent("email")),
    Sight("push unsent", "push.html", _factor("push")),
    Sight("push", "push.html", _sent("push")),
    Sight("push unanswered", "push.html", lambda at: at.send(_sent("push")(at), "go")),
    Sight("push refused", "push.html", _push_refused, 400),
    Sight("push too late", "push.html", _too_late(_sent("push"))),
    Sight("recovery code", "recovery_code.html", _recovery),
    Sight("recovery code, wrong", "recovery_code.html", lambda at: at.send(_recovery(at), code="A" * 24), 400),
    Sight("recovery code in place", "recovery_code.html", _stand_in),
    Sight("new recovery code", "new_recovery_code.html", lambda at: at.send(_recovery(at), code=at.recovery_code)),
    Sight("new recovery code of a first factor", "new_recovery_code.html", lambda at: _app_enrolled(at, True)),
    Sight("ways", "ways.html", lambda at: at.see(_link(_factor("otp", "sms", "email", "push")(at), "another way"))),
    Sight("one more", "message_code.html", _one_more),
    Sight("no way", "no_way.html", _no_way, 403),
    Sight("kinds", "enrol.html", _factor()),
    Sight("kinds, wrong", "enrol.html", lambda at: at.send(_factor()(at), kind="x"), 400),
    Sight("app to enrol", "enrol_app.html", lambda at: at.kind("otp")),
    Sight("app to enrol, wrong", "enrol_app.html", lambda at: _app_enrolled(at, False), 400),
    Sight("number", "enrol_recipient.html", lambda at: at.kind("sms")),
    Sight("number, wrong", "enrol_recipient.html", lambda at: at.send(at.kind("sms"), recipient=at.names.typed), 400),
    Sight("address", "enrol_recipient.html", lambda at: at.kind("email")),
    Sight(
        "address, wrong",
        "enrol_recipient.html",
        lambda at: at.send(at.kind("email"), recipient=f"x {at.names.typed}"),
        400,
    ),
    Sight("sms to enrol", "message_code.html", lambda at: at.send(at.kind("sms"), recipient=at.names.number)),
    Sight("e-mail to enrol", "message_code.html", lambda at: at.send(at.kind("email"), recipient="a@b.example")),
    Sight("push to enrol", "enrol_push.html", lambda at: at.kind("push")),
    Sight("push to enrol, unanswered", "enrol_push.html", lambda at: at.send(at.kind("push"), "go")),
    Sight("consent", "consent.html", _consent),
    Sight("consent to little", "consent.html", lambda at: _consent(at, scope="openid")),
    Sight("application's consent", "application_consent.html", _application_consent),
    Sight(
        "application's consent to little",
        "application_consent.html",
        lambda at: _application_consent(at, scope="openid"),
    ),
    Sight(
        "form to the application",
        "form_post.html",
        lambda at: at.send(_application_consent(at, response_mode="form_post"), decision="allow"),
    ),
    Sight(
        "message to the application",
        "web_message.html",
        lambda at: at.send(_application_consent(at, response_mode="web_message"), decision="allow"),
    ),
    Sight("sign out?", "log_out.html", _log_out),
    Sight("sign out, for nobody known?", "log_out.html", lambda at: _log_out(at, client_id="")),
    Sight("signed out", "signed_out.html", lambda at: at.see("/v2/logout")),
    Sight(
        "signed out, with nowhere to go",
        "signed_out.html",
        lambda at: _log_out(at, signed_in=False, post_logout_redirect_uri="https://evil.example/"),
        400,
    ),
    Sight("allowed", "done.html", lambda at: _decided(at, "allow")),
    Sight("denied", "done.html", lambda at: _decided(at, "deny")),
    Sight("problem", "problem.html", lambda at: at.see("/nowhere"), 404),
    Sight("denied by a script", "problem.html", _denied, 403),
    Sight("undirected", "undirected.html", lambda at: at.application_asks(client_id="other"), 400),
    Sight("outbox, empty", "outbox.html", _outbox(0)),
    Sight("outbox", "outbox.html", _outbox(2)),
    Sight("outbox, full", "outbox.html", _outbox(outbox.MOST + 1)),
    Sight("phone", "phone.html", lambda at: at.see(phone.PATH)),
    Sight("phone with pushes", "phone.html", _phone_with_pushes),
    Sight("phone, answered", "phone.html", _phone_answered),
    Sight("phone, too late", "phone.html", _phone_too_late, 400),
    Sight(
        "phone, from elsewhere", "phone_problem.html", lambda at: at.http.post(phone.PATH, data={"answer": "x"}), 403
    ),
]
SIGHTS = {each.name: each for each in _SIGHTS}


def page_templates() -> set[str]:
    """Those that are a page of their own; the others are parts of one."""
    folder = rendering._HERE / "templates"
    return {each.name for each in folder.glob("*.html") if each.read_text().startswith(BASE)}
