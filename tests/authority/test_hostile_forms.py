"""Hostile input on every form and address of the pages: no fault, nothing reflected, nothing changed, nobody sent away.

What is right but for one thing is what is sent: whatever is ignored of a form would otherwise let the rest through.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from itertools import product
from typing import Any
from urllib.parse import quote, quote_from_bytes, urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.routing import Route

from host_tools.authority import snapshot as snapshots
from host_tools.authority.core.records import (
    Authenticator,
    AuthorizationCode,
    Consent,
    DeviceGrant,
    KnownBrowser,
    LoginSession,
    OobChallenge,
    RefreshToken,
)
from host_tools.authority.pages import logout, rendering
from tests.campaign import extent, sample

from .authorize.application import ASKED, CALLBACK, GOODBYE, IMPLICIT, ORIGIN
from .form_pages import SIGHTS, Names, Reply, Scene, page_templates, scene
from .mfa_wire import code_of
from .odd_requests import FORM, form_value
from .page_markup import Form, Markup

pytestmark = pytest.mark.timeout(20)  # hundreds of requests each: what hangs is seen

MARK = "h0st1le"
PRODUCT = "1787569"  # what a template engine would make of 1337*1337
TEXTS = {
    "a script": f'"><script>{MARK}()</script>',
    "an attribute": f"' onfocus={MARK}() autofocus x='",
    "a template": f"{{{{1337*1337}}}}${{1337*1337}}#{{1337*1337}}<%= 1337*1337 %>{MARK}",
    "an escaped NUL": f"%00{MARK}",
    "NUL": f"\0{MARK}\0",
    "a header": f"x\r\nSet-Cookie: {MARK}=1\r\n\r\n<script>{MARK}()</script>",
    "other scripts": f"\u202e{MARK}\u200b\ufeff\u2066💥é٠١٢٣",
    "SQL": f"' OR '1'='1'; DROP TABLE users; --{MARK}",
    "a path": f"../../../../etc/passwd?{MARK}#",
    "a script's address": f"javascript:{MARK}()",
    "another host": f"//evil.example/{MARK}",
    "another address": f"https://evil.example/{MARK}",
    "digits": "9" * 5000,
    "long": MARK * 1000,
    "empty": "",
    "blank": " \t\n",
}
ENTRIES: dict[str, bytes] = {name: quote(text, safe="").encode() for name, text in TEXTS.items()} | {
    "raw NUL": b"\0" + MARK.encode(),
    "no UTF-8": b"%ff%fe" + MARK.encode(),
    "raw bytes": b"\xff\xfe\x80" + MARK.encode(),
    "a lone surrogate": b"%ED%A0%80" + MARK.encode(),
    "half an escape": MARK.encode() + b"%zz%",
    "64 KB": b"h" * 65_536,
    "100 KB": MARK.encode() * 14_000,
}
BODIES: dict[str, tuple[bytes | None, Callable[[bytes], bytes]]] = {
    "JSON": (b"application/json", lambda body: json.dumps({"csrf_token": MARK}).encode()),
    "a form said to be JSON": (b"application/json", lambda body: body),
    "multipart": (b"multipart/form-data; boundary=x", lambda body: b"--x\r\n\r\n" + body + b"\r\n--x--"),
    "no type": (None, lambda body: body),
    "text": (b"text/plain", lambda body: body),
    "an odd type": (b";\xff", lambda body: body),
    "10,000 fields": (FORM, lambda body: body + b"".join(b"&f%d=%s" % (n, MARK.encode()) for n in range(10_000))),
    "every field twice": (FORM, lambda body: body + b"&" + body),
    "arrays": (FORM, lambda body: re.sub(rb"(\w+)=", rb"\1[]=", body)),
    "no names": (FORM, lambda body: re.sub(rb"\w+=", b"=", body)),
    "no token": (FORM, lambda body: re.sub(rb"csrf_token=\w+", b"", body)),
    "nothing": (FORM, lambda body: b""),
    "separators": (FORM, lambda body: b"&=&;=;" * 100),
}
PAGE_HEADERS = {"cache-control": "no-store", "referrer-policy": "no-referrer", "x-content-type-options": "nosniff"}
POLICY = re.compile(
    r"default-src 'none'; style-src 'self'; form-action 'self'( https://app\.example)?; frame-ancestors 'none'; "
    r"base-uri 'none'"
)
# The one page with a script: it has no form, and an application may frame it.
MESSAGE_POLICY = re.compile(
    rf"default-src 'none'; style-src 'self'; script-src 'sha256-[\w+/=]{{44}}'; form-action 'none'; "
    rf"frame-ancestors {re.escape(ORIGIN)}; base-uri 'none'"
)
FOR_APPLICATIONS = ("form_post.html", "web_message.html")
OWN = [name for name, sight in SIGHTS.items() if sight.template not in FOR_APPLICATIONS]
AT_ONCE, LOGOUT = "/v2/logout", "/oidc/logout"


def standing(at: Scene) -> list[Any]:
    """Who is signed in, and what has been given, allowed or answered."""
    store = at.store
    return [
        sorted((each.user_id or "", each.amr, each.outcome or "") for each in store.find(LoginSession) if each.user_id),
        [each.status for each in store.find(DeviceGrant)],
        sorted(each.authenticator_id for each in store.find(Authenticator) if each.active),
        [each.status for each in store.find(OobChallenge) if each.status != "pending"],
        *(store.find(kind) for kind in (AuthorizationCode, Consent, RefreshToken, KnownBrowser)),
    ]


class Attack:
    """A scene to which every request finds back."""

    def __init__(self, at: Scene, page: Reply) -> None:
        self.at = at
        self.page = page
        self._snapshot = snapshots.take(at.authority)
        self._cookies = dict(at.http.cookies)
        self._before = standing(at)
        self._signed_out = [[], *self._before[1:]]
        self._paths = [urlsplit(path).path for path in page_routes(at)]

    def request(self, method: str, path: str, shows: str = "", **sent: Any) -> Reply:
        """Whatever is sent, nothing comes of it. shows: the field whose own entry its page may show again.

        At two addresses a person may be signed out of it, which is what they are for.
        """
        reply = self.at.http.request(method, path, **sent)
        signs_out = (method, urlsplit(path).path) in (("GET", AT_ONCE), ("POST", logout.CONFIRMED))
        assert standing(self.at) == self._before or (signs_out and standing(self.at) == self._signed_out)
        snapshots.put_back(self.at.authority, self._snapshot)
        self.at.http.cookies = self._cookies
        self.check(reply, shows)
        return reply

    def check(self, reply: Reply, shows: str) -> None:
        assert reply.status_code < 500
        for cookie in reply.headers.get_list("set-cookie"):
            assert re.match(r"stoa_(session|browser)=[\w-]{43};", cookie), cookie
            assert "HttpOnly" in cookie and "SameSite=lax" in cookie
        location = reply.headers.get("location")
        if location is not None:
            assert re.fullmatch(r"[!-~]+", location) and not set(location) & set("<>\"'`\\")
            own = re.match(r"(/[^?#]*)", location)
            outside = re.match(re.escape(CALLBACK) + "[?#]", location) or re.match(
                re.escape(GOODBYE) + r"(\?|$)", location
            )
            assert (own and own.group(1) in self._paths) or outside, location
            # A form of an application's comes back as an address, with all that it sent.
            assert not own or own.group(1) in ("/authorize", LOGOUT) or MARK not in location
        others = [value for name, value in reply.headers.multi_items() if name != "location"]
        assert MARK not in str(others)
        if reply.headers.get("content-type", "").startswith("text/html"):
            self.check_page(reply, shows)
        else:
            assert MARK not in reply.text

    def check_page(self, reply: Reply, shows: str) -> None:
        assert {name: reply.headers[name] for name in PAGE_HEADERS} == PAGE_HEADERS
        assert PRODUCT not in reply.text
        markup = Markup(reply.text)
        if MESSAGE_POLICY.fullmatch(reply.headers["content-security-policy"]):
            assert reply.text.count(f"<script>{rendering.WEB_MESSAGE_SCRIPT}</script>") == 1
            markup.elements.remove(("script", {}))
            [told] = [attributes for _, attributes in markup.elements if attributes.get("id") == "answer"]
            message = json.loads(told.pop("data-message") or "")
            assert MARK not in str(told) and set(message) == {"type", "response"}
            assert {name for name, value in message["response"].items() if MARK in value} <= {shows}
        else:
            assert POLICY.fullmatch(reply.headers["content-security-policy"])
        assert MARK not in " ".join(markup.words)
        for tag, attributes in markup.elements:
            assert tag not in ("script", "img", "iframe", "object", "embed", "base", "style")
            for name, value in attributes.items():
                assert not name.startswith("on") and name != "style"
                assert name not in ("href", "action") or not (value or "").startswith(("javascript:", "//"))
                if MARK in (value or ""):
                    assert (tag, name, attributes["name"]) == ("input", "value", shows)


@contextmanager
def attacked(key: object, name: str) -> Iterator[Attack]:
    with scene(key) as at:
        yield Attack(at, SIGHTS[name].reach(at))


def page_routes(at: Scene) -> dict[str, set[str]]:
    """The methods of each address that is a page's."""
    found: dict[str, set[str]] = {}
    for each in at.http.app.routes:
        if isinstance(each, Route) and each.endpoint.__module__.startswith("host_tools.authority.pages"):
            found.setdefault(each.path, set()).update(each.methods or ())
    return found


def right(at: Scene, page: Reply, form: Form) -> dict[str, str]:
    """What a person would send by this form."""
    known = {
        "user_code": at.begun.get("user_code", ""),
        "username": at.person.username,
        "password": at.person.password,
        "recipient": at.names.number if form.hidden.get("kind") == "sms" else at.names.address,
        "code": _right_code(at, page) if "code" in form.typed else "",
        "remember_device": "yes",
    }
    return form.hidden | dict(form.buttons[:1]) | {name: known[name] for name in form.typed}


def _right_code(at: Scene, page: Reply) -> str:
    if key := re.search(r'<p class="code long"[^>]*>([A-Z2-7 ]+)', page.text):
        return code_of(key.group(1).replace(" ", ""), at.clock)
    if "Recovery code" in page.text:
        return at.recovery_code
    return at.message_code() if at.authority.outbox.newest() else at.one_time_code()


def body_of(fields: Mapping[str, str], changed: Mapping[str, bytes] | None = None) -> bytes:
    encoded = {name: quote(value, safe="").encode() for name, value in fields.items()} | (changed or {})
    return b"&".join(name.encode() + b"=" + value for name, value in encoded.items())


def own_forms(page: Reply) -> list[Form]:
    return [form for form in Markup(page.text).forms if form.action.startswith("/")]


# That nothing is left out.


def test_each_page_is_what_it_is_said_to_be_and_none_is_missing(key_record, monkeypatch):
    rendered: list[str] = []
    templates = page_templates()
    get_template = rendering._templates.get_template
    monkeypatch.setattr(
        rendering._templates, "get_template", lambda name, *_: rendered.append(name) or get_template(name)
    )
    for sight in SIGHTS.values():
        with scene(key_record) as at:
            reply = sight.reach(at)
        shown = [each for each in rendered if each in templates][-1]
        assert (shown, reply.status_code) == (sight.template, sight.status), sight.name
    assert {sight.template for sight in SIGHTS.values()} == templates


def test_every_form_is_among_them(key_record):
    actions = set()
    for sight in SIGHTS.values():
        with scene(key_record) as at:
            actions |= {form.action for form in own_forms(sight.reach(at))}
            posts = {path for path, methods in page_routes(at).items() if "POST" in methods}
    assert actions | {"/authorize", LOGOUT} == posts


@pytest.mark.parametrize(
    "name",
    ["sign in", "app", "sms", "recovery code", "app to enrol", "consent", "application's consent", "phone with pushes"],
)
def test_the_very_same_form_does_what_it_is_for_when_it_is_right(key_record, name):
    with scene(key_record) as at:
        page = SIGHTS[name].reach(at)
        before = standing(at)
        form = own_forms(page)[0]
        reply = at.http.post(form.action, content=body_of(right(at, page, form)), headers={"Content-Type": FORM})
        assert reply.status_code == 303
        assert standing(at) != before


# Forms.


@pytest.mark.parametrize("name", OWN)
def test_no_entry_of_a_form_does_harm(key_record, name):
    with attacked(key_record, name) as attack:
        for form in own_forms(attack.page):
            fields = right(attack.at, attack.page, form)
            for field in form.names:
                for entry in ENTRIES.values():
                    if field == "remember_device" and not entry:
                        continue  # that is a box not ticked, of a form that is right
                    body = body_of(fields, {field: entry})
                    shows = field if field in ("username", "recipient") else ""
                    attack.request("POST", form.action, shows, content=body, headers={"Content-Type": FORM})


@pytest.mark.parametrize("name", OWN)
def test_no_body_does_harm(key_record, name):
    with attacked(key_record, name) as attack:
        for form in own_forms(attack.page):
            body = body_of(right(attack.at, attack.page, form))
            for media_type, changed in BODIES.values():
                headers = {"Content-Type": media_type} if media_type else {}
                reply = attack.request("POST", form.action, content=changed(body), headers=headers)
                assert reply.status_code in (400, 403, 413)


COOKIES = {
    "long": b"stoa_session=" + MARK.encode() * 4000,
    "NUL": b"stoa_session=\0" + MARK.encode(),
    "no ASCII": b"stoa_session=\xff\xc3\xa9" + MARK.encode(),
    "octal": rb'stoa_session="\015\012Set-Cookie:\040h0st1le"',
    "a script": f'stoa_session="><script>{MARK}</script>'.encode(),
    "SQL": b"stoa_session=' OR '1'='1",
    "empty": b"stoa_session=",
    "no value": b"stoa_session",
    "many": b"; ".join(b"stoa_session=%d" % number for number in range(500)),
    "separators": b";;;===;;;",
}


@pytest.mark.parametrize("name", sample(OWN, 2))
def test_no_cookie_does_harm(key_record, name):
    """With the token of another session, and with a cookie that never was one."""
    with attacked(key_record, name) as attack, scene(key_record) as other:
        foreign = Markup(other.see("/activate").text).forms[0].hidden["csrf_token"]
        for form in own_forms(attack.page):
            fields = right(attack.at, attack.page, form)
            body, headers = body_of(fields), {"Content-Type": FORM}
            for token in (foreign, "", "0" * 64, "é"):
                sent = body_of(fields | {"csrf_token": token})
                # A login page that is sent late leads on who is signed in already; it needs no token for that.
                refused = attack.request("POST", form.action, content=sent, headers=headers)
                assert refused.status_code == 403
            for cookie in (*COOKIES.values(), None):
                attack.at.http.cookies.clear()
                sent_along = headers if cookie is None else headers | {"Cookie": cookie}
                refused = attack.request("POST", form.action, content=body, headers=sent_along)
                # Who is not signed in needs no token to be sent on by the form that signs out.
                assert refused.status_code in ((303, 400) if form.action == logout.CONFIRMED else (403,))
                attack.at.http.cookies.clear()
                attack.request("GET", form.action, headers=sent_along)


@pytest.mark.parametrize("cookie", COOKIES.values(), ids=COOKIES)
def test_a_browsers_own_cookie_is_not_reflected(key_record, cookie):
    with attacked(key_record, "consent") as attack:
        session = f"stoa_session={attack.at.http.cookies['stoa_session']}; ".encode()
        for path in page_routes(attack.at):
            attack.at.http.cookies.clear()
            hostile = cookie.replace(b"stoa_session", b"stoa_browser")
            attack.request("GET", path, headers={"Cookie": session + hostile})


# Addresses.


READ = ["way", "kind", "user_code", "answered", "next", "way[]"]


@pytest.mark.parametrize(
    ("parameter", "name"), sample(product(READ, ["code", "app", "kinds", "sms to enrol", "consent"]), 4)
)
def test_no_address_does_harm(key_record, name, parameter):
    with attacked(key_record, name) as attack:
        for path in page_routes(attack.at):
            for entry in ENTRIES.values():
                attack.request("GET", f"{path}?{parameter}={quote_from_bytes(entry[:60_000], safe='%')}")
            attack.request("GET", path + "?" + "&".join([f"{parameter}={MARK}"] * 3000))


@pytest.mark.parametrize("name", ["code", "consent"])
def test_no_method_does_harm(key_record, name):
    with attacked(key_record, name) as attack:
        for path, methods in page_routes(attack.at).items():
            for method in ("HEAD", "GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "PROPFIND", MARK):
                reply = attack.request(method, path)
                if method not in methods:
                    assert reply.status_code == 405
                    assert set(reply.headers["allow"].split(", ")) <= methods


PARAMETERS = [*ASKED, "response_mode", "prompt", "max_age", "resource", "login_hint", "request", "request_uri", "x"]
RESPONSES = ["code", "implicit", "form_post", "web_message"]


@pytest.mark.parametrize(
    ("parameter", "response", "name"), sample(product(PARAMETERS, RESPONSES, ["code", "application's consent"]), 3)
)
def test_no_parameter_of_an_authorization_request_does_harm(key_record, parameter, response, name):
    """What the application itself sent goes back to it, encoded; nothing goes anywhere else."""
    changed = {"code": {}, "implicit": IMPLICIT}.get(response, {"response_mode": response})
    with attacked(key_record, name) as attack:
        for entry in ENTRIES.values():
            asked = body_of(ASKED | changed, {parameter: entry})
            shows = {"state": "state", "audience": "error_description"}.get(parameter, "")
            query = quote_from_bytes(asked[:60_000], safe="%=&")
            attack.request("GET", f"/authorize?{query}", shows)
            attack.request("POST", "/authorize", shows, content=asked, headers={"Content-Type": FORM})


LOGOUT_ASKED = {"client_id": "spa", "post_logout_redirect_uri": GOODBYE, "state": "xyz", "id_token_hint": "a.b.c"}


@pytest.mark.parametrize("parameter", [*LOGOUT_ASKED, "logout_hint", "ui_locales", "returnTo", "federated"])
@pytest.mark.parametrize("name", ["code", "application's consent"])
def test_no_parameter_of_a_logout_does_harm(key_record, parameter, name):
    """Nobody signed in, and somebody, who is asked. What the application sent is in the question's form."""
    with attacked(key_record, name) as attack:
        for entry in ENTRIES.values():
            asked = body_of(LOGOUT_ASKED, {parameter: entry})
            shows = parameter if parameter in ("state", "post_logout_redirect_uri") else ""
            query = quote_from_bytes(asked[:60_000], safe="%=&")
            attack.request("GET", f"{LOGOUT}?{query}", shows)
            attack.request("POST", LOGOUT, shows, content=asked, headers={"Content-Type": FORM})
            attack.request("GET", f"{AT_ONCE}?{query.replace('post_logout_redirect_uri', 'returnTo')}")


@pytest.mark.parametrize("body", BODIES)
def test_no_body_of_an_authorization_request_does_harm(key_record, body):
    media_type, changed = BODIES[body]
    with attacked(key_record, "code") as attack:
        headers = {"Content-Type": media_type} if media_type else {}
        attack.request("POST", "/authorize", content=changed(body_of(ASKED)), headers=headers)


# What people and tenants have called things.


def says_who_is_signed_in(template: str) -> bool:
    return 'include "account.html"' in (rendering._HERE / "templates" / template).read_text()


# Where each is shown again, by template.
SHOWN_IN = {
    "client": {"application_consent.html", "sign_in.html", "log_out.html", "signed_out.html"},
    "display": {"consent.html", "phone.html"},
    "scope": {"application_consent.html"},
    "phone": {"push.html", "ways.html"},
    "typed": {"sign_in.html", "enrol_recipient.html"},
    "state": {"form_post.html", "log_out.html", "web_message.html"},
    "message": {"outbox.html", "problem.html"},
    "number": {"outbox.html"},
    "address": {"outbox.html", "message_code.html", "ways.html"},
    "person": {"phone.html", "log_out.html", *(each for each in page_templates() if says_who_is_signed_in(each))},
}


def test_what_is_shown_again_stays_text_and_is_shown_where_it_is_said(key_record):
    hostile = Names(**{field: TEXTS["a script"].replace(MARK, f"{MARK}-{field}-") for field in SHOWN_IN})
    shown_in = {field: set() for field in SHOWN_IN}
    for sight in SIGHTS.values():
        with scene(key_record, hostile) as at:
            reply = sight.reach(at)
        markup = Markup(reply.text)
        if sight.template == "web_message.html":  # the one script there is
            assert f"<script>{rendering.WEB_MESSAGE_SCRIPT}</script>" in reply.text
            markup.elements.remove(("script", {}))
        assert not {tag for tag, _ in markup.elements} & {"script", "img"}, sight.name
        assert not [name for _, attributes in markup.elements for name in attributes if name.startswith("on")]
        if reply.status_code == sight.status:  # else a page before it has refused what it was given
            for field, templates in shown_in.items():
                templates |= {sight.template} if f"{MARK}-{field}-" in reply.text else set()
    assert shown_in == SHOWN_IN


# Anything at all.


@pytest.mark.timeout(extent(20, 300))
@settings(max_examples=extent(40, 1000), suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(data=st.data())
def test_no_request_does_harm(key_record, data):
    with attacked(key_record, data.draw(st.sampled_from(OWN))) as attack:
        form = data.draw(st.sampled_from([*own_forms(attack.page), Form("/activate", {"csrf_token": ""})]))
        odd = data.draw(st.dictionaries(st.sampled_from(["x", "way[]", "next", *form.names]), form_value, max_size=3))
        # A form that is right does what it is for, so that one of those that count never is.
        field = data.draw(st.sampled_from(form.names))
        wrong = form_value if field == "csrf_token" else st.sampled_from([*ENTRIES.values()])
        body = body_of(right(attack.at, attack.page, form), odd | {field: data.draw(wrong)})
        shows = field if field in ("username", "recipient") else ""
        attack.request("POST", form.action, shows, content=body, headers={"Content-Type": FORM})
