"""The second factor at the pages: each way it is given, each kind that is enrolled, and what goes wrong on the way."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from html import unescape
from urllib.parse import parse_qs, urlsplit

import httpx2
import jwt
import pytest
from starlette.testclient import TestClient

from host_tools.authority.core.authority import Authority
from host_tools.authority.core.errors import WayNotOpen
from host_tools.authority.core.mfa_errors import MalformedMfaToken
from host_tools.authority.core.policies import Directive
from host_tools.authority.core.post_login import Verdict
from host_tools.authority.core.records import LoginSession, MfaTransaction, User
from host_tools.clock import NS, VirtualClock
from host_tools.rehearsal.person import PersonStuck, approve

from .conftest import ISSUER, Browser, Display
from .mfa_wire import PHONE, Person, add_person, code_in, code_of, give, wrong
from .test_double_clicks import form_of, overlapping  # noqa: F401
from .test_pages import HOSTILE, heading

START = "/second-factor"
Page = httpx2.Response
NAMES = {"sms": PHONE, "email": "zeno@stoa.example", "push": "Phone", "otp": ""}


def forms(page: Page) -> dict[str, dict[str, str]]:
    """The forms of a page but that to sign out, by where they go: what they carry."""
    found = re.findall(r'<form method="post" action="([^"]+)"(.*?)</form>', page.text, re.DOTALL)
    hidden = r'<input type="hidden" name="([^"]+)" value="([^"]*)"'
    return {action: dict(re.findall(hidden, body)) for action, body in found if action != "/sign-out"}


def alert(page: Page) -> str | None:
    found = re.search(r'role="alert"[^>]*>(.*?)</p>', page.text, re.DOTALL)
    return found and unescape(found.group(1))


def status(page: Page) -> str | None:
    found = re.search(r'role="status">(.*?)</p>', page.text)
    return found and found.group(1)


def words(page: Page) -> str:
    return " ".join(unescape(re.sub("<[^>]*>", " ", page.text.split("<main>")[1].split("</main>")[0])).split())


def buttons(page: Page, name: str) -> list[tuple[str, str]]:
    """Value and words of each of its buttons of this name."""
    found = re.findall(rf'<button type="submit" name="{name}" value="([^"]+)"[^>]*>(.*?)</button>', page.text)
    return [(value, " ".join(unescape(re.sub("<[^>]*>", " ", label)).split())) for value, label in found]


def check_page(page: Page) -> None:
    """What holds for every page that anybody is shown."""
    policy = page.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; style-src 'self'; form-action 'self'; frame-ancestors 'none'")
    assert page.headers["cache-control"] == "no-store"
    for broken in ("<script", "style=", "<img", ">None<"):
        assert broken not in page.text, broken
    assert len(re.findall("<h1>", page.text)) == 1
    fields = re.findall(r'<input id="(\w+)"', page.text)
    assert re.findall(r'<label for="(\w+)"', page.text) == fields
    assert len(re.findall(r"\bautofocus\b", page.text)) <= 1
    ids = re.findall(r'\bid="([\w-]+)"', page.text)
    assert len(ids) == len(set(ids))
    for described in re.findall(r'aria-(?:describedby|labelledby)="([^"]+)"', page.text):
        assert set(described.split()) <= set(ids)
    if 'id="problem"' in page.text and fields:
        assert 'aria-invalid="true"' in page.text


@dataclass
class Signing:
    """Somebody who signs in for a display, in a browser, and is asked for a second factor."""

    browser: Browser
    display: Display
    authority: Authority
    clock: VirtualClock
    person: Person
    device_code: str = ""

    def begin(self) -> Page:
        begun = self.display.ask().json()
        self.device_code = begun["device_code"]
        page = self.browser.type_code(begun["user_code"])
        if 'name="password"' in page.text:
            page = self.browser.send(page, username=self.person.username, password=self.person.password)
        return page

    def send(self, page: Page, action: str = START, **fields: str) -> Page:
        return self.browser.http.post(action, data=forms(page)[action] | fields, follow_redirects=True)

    def choose(self, page: Page, label: str) -> Page:
        """Another way, by its words."""
        listed = self.browser.see(f"{START}/ways")
        [key] = [value for value, words in buttons(listed, "way") if words.startswith(label)]
        return self.send(listed, f"{START}/send", way=key)

    def messages(self) -> list[str]:
        """The codes that were sent, the newest first."""
        return [code_in(each.text) for each in self.authority.outbox.newest()]

    def one_time_code(self, ahead_s: int = 0) -> str:
        secret = next(each.secret for each in self.authority.authenticators.of(self.person.user_id, "otp"))
        return code_of(secret, self.clock, ahead_s)

    def answer_push(self, approve: bool = True) -> None:
        self.authority.challenges.answer(self.authority.challenges.pending()[0].challenge_id, approve)

    def amr(self, page: Page) -> list[str]:
        """What the device is told of, once it is allowed."""
        assert heading(page) == "Connect Stoa display?", words(page)
        assert heading(self.browser.send(page, decision="allow")) == "Connected"
        granted = self.display.poll(self.device_code).json()
        return jwt.decode(granted["access_token"], options={"verify_signature": False})["amr"]

    def through(self, factor: str, page: Page) -> Page:
        """From the page of this factor to the one after it."""
        if factor == "otp":
            return self.send(page, code=self.one_time_code())
        page = self.send(page, f"{START}/send")
        if factor == "push":
            self.answer_push()
            return self.send(page, go="yes")
        return self.send(page, code=self.messages()[0])


@pytest.fixture
def signing(browser, display, authority, clock, store, monkeypatch) -> Iterator[Callable[..., Signing]]:
    authority.mfa.mode = "rule"
    post, get, seen = browser.http.post, browser.http.get, []

    def noted(call):
        def made(*arguments, **keywords):
            seen.append(call(*arguments, **keywords))
            return seen[-1]

        return made

    monkeypatch.setattr(browser.http, "post", noted(post))
    monkeypatch.setattr(browser.http, "get", noted(get))

    def made(*factors: str, recovery: bool = False, person: Person | None = None) -> Signing:
        person = person or add_person(store)
        for factor in factors:
            give(authority, person, factor, NAMES[factor])
        if not recovery:
            for each in authority.authenticators.of(person.user_id, "recovery-code"):
                authority.authenticators.remove(person.user_id, each.authenticator_id)
        return Signing(browser, display, authority, clock, person)

    yield made
    for page in seen:
        assert page.status_code < 500
        if "<main>" in page.text:
            check_page(page)


@pytest.fixture
def recovery_code(authority) -> Callable[[Person], str]:
    """Have somebody own a new one, and tell it."""

    def made(person: Person) -> str:
        return authority.authenticators._new_recovery_code(person.user_id)

    return made


def only(authority: Authority, *factors: str) -> None:
    """A script lets these count and no others."""
    authority.post_login.judge = lambda attempt: Verdict(Directive(True, remembers=False, factors=factors))


FACTORS = [
    ("otp", "Confirm it is you", ["pwd", "otp", "mfa"]),
    ("sms", "Get a code", ["pwd", "sms", "mfa"]),
    ("email", "Get a code", ["pwd", "mca", "mfa"]),
    ("push", "Approve on your phone", ["pwd", "mca", "mfa"]),
]


# Each way.


@pytest.mark.parametrize(("factor", "shown", "amr"), FACTORS)
def test_each_factor_lets_in(signing, factor, shown, amr):
    login = signing(factor)
    page = login.begin()
    assert heading(page) == shown
    assert login.amr(login.through(factor, page)) == amr


def test_a_recovery_code_lets_in_and_brings_the_next(signing, recovery_code, store):
    login = signing("otp")
    code = recovery_code(login.person)
    page = login.send(login.choose(login.begin(), "Recovery code"), code=code.lower())
    assert heading(page) == "Save your recovery code"
    [following] = re.findall(r'id="recovery-code">([A-Z0-9 ]{29})</p>', page.text)
    for secret in (code, following.replace(" ", "")):
        assert secret.encode() not in store.image()
    page = login.send(page, "/recovery-code", saved="yes")
    assert heading(login.browser.see("/recovery-code")) == heading(page)  # it is not shown again
    assert login.amr(page) == ["pwd", "otp", "mfa"]
    page = login.choose(login.begin(), "Recovery code")
    refused = login.send(page, code=code)
    assert (refused.status_code, alert(refused)) == (400, "This recovery code is not right or was used before.")
    page = login.send(refused, code=following)
    assert heading(page) == "Save your recovery code"
    assert following not in page.text


def test_a_new_recovery_code_is_shown_until_it_is_saved(signing, recovery_code):
    login = signing("otp")
    code = recovery_code(login.person)
    page = login.choose(login.begin(), "Recovery code")
    first, second = (login.send(page, code=code) for _ in range(2))  # the second click of a double click
    assert heading(first) == heading(second) == "Save your recovery code"
    assert first.text == second.text == login.browser.see("/recovery-code").text
    login.browser.http.cookies.delete("stoa_session")
    assert first.text.split("recovery-code")[1][:20] not in login.browser.see("/recovery-code").text


ORDER = [
    "Authenticator app",
    "Approve on the phone Phone",
    "Text message to +1555XXXXXXX",
    "E-mail to zen***@stoa.example",
]


def test_all_of_the_users_ways_are_listed_in_the_order_in_which_they_are_tried(signing):
    login = signing("email", "sms", "push", "otp", recovery=True)
    assert heading(login.begin()) == "Confirm it is you"
    listed = login.browser.see(f"{START}/ways")
    assert [label for _, label in buttons(listed, "way")] == [*ORDER, "Recovery code"]


@pytest.mark.parametrize(
    ("factor", "label"), [("otp", "Auth"), ("push", "Approve"), ("sms", "Text"), ("email", "E-mail")]
)
def test_another_way_may_be_chosen(signing, factor, label):
    login = signing("email", "sms", "push", "otp")
    page = login.begin()
    assert f'href="{START}/ways"' in page.text
    page = login.choose(page, label)
    if factor == "push":
        login.answer_push()
        page = login.send(page, go="yes")
    else:
        page = login.send(page, code=login.one_time_code() if factor == "otp" else login.messages()[0])
    assert heading(page) == "Connect Stoa display?"


def test_the_codes_of_a_phone_come_after_its_push(signing):
    login = signing("push")
    page = login.begin()
    assert heading(page) == "Approve on your phone"
    page = login.choose(page, "Authenticator app")
    assert login.amr(login.send(page, code=login.one_time_code())) == ["pwd", "otp", "mfa"]


@pytest.mark.parametrize("factor", ["sms", "email", "push"])
def test_looking_sends_nothing(signing, authority, factor):
    login = signing(factor, recovery=True)
    page = login.begin()
    for path in (START, f"{START}/ways", f"{START}?way={forms(page)[f'{START}/send']['way']}"):
        login.browser.see(path)
    assert login.messages() == []
    assert authority.challenges.pending() == []


# What goes wrong.


def wrong_entry(login: Signing, factor: str) -> tuple[Page, str]:
    """The page of this factor, and what is not right there."""
    page = login.begin()
    if factor == "recovery-code":
        return login.choose(page, "Recovery code"), "A" * 24
    if factor == "otp":
        return page, wrong(login.one_time_code())
    return login.send(page, f"{START}/send"), wrong(login.messages()[0]) if login.messages() else ""


@pytest.mark.parametrize(
    ("factor", "told"),
    [
        ("otp", "This code is not right or was used before. Wait for the next one and try again."),
        ("sms", "This code is not right. Type the code of the newest message."),
        ("email", "This code is not right. Type the code of the newest message."),
        ("recovery-code", "This recovery code is not right or was used before."),
    ],
)
def test_ten_wrong_codes_stop_even_the_right_one_for_a_while(signing, clock, recovery_code, factor, told):
    login = signing("otp" if factor == "recovery-code" else factor, recovery=factor == "recovery-code")
    page, entry = wrong_entry(login, factor)
    for _ in range(10):
        page = login.send(page, code=entry)
        assert (page.status_code, alert(page)) == (400, told)
    right = {
        "otp": login.one_time_code,
        "recovery-code": lambda: recovery_code(login.person),
    }.get(factor, lambda: login.messages()[0])
    limited = login.send(page, code=right())
    assert (limited.status_code, limited.headers["retry-after"]) == (429, "360")
    assert alert(limited) == "Too many wrong tries. Wait 6 minutes and try again."
    clock.sleep_ns(360 * NS)
    if factor in ("sms", "email"):  # the message is too old by now
        limited = login.send(login.send(limited, code=right()), f"{START}/send")
        assert len(set(login.messages())) == 2
    assert login.send(limited, code=right()).status_code == 200


@pytest.mark.parametrize("factor", ["sms", "email"])
def test_a_message_is_good_for_five_minutes_and_sent_again(signing, clock, factor):
    login = signing(factor)
    page = login.send(login.begin(), f"{START}/send")
    clock.sleep_ns(300 * NS)
    page = login.send(page, code=login.messages()[0])
    assert (page.status_code, alert(page)) == (400, "This code is too old. Have a new one sent.")
    assert heading(login.browser.see(START)) == "Get a code"
    page = login.send(page, f"{START}/send")
    assert heading(login.send(page, code=login.messages()[0])) == "Connect Stoa display?"


def test_only_the_newest_message_counts(signing):
    login = signing("sms")
    page = login.send(login.begin(), f"{START}/send")
    page = login.send(page, f"{START}/send")  # "Send it again"
    newest, former = login.messages()
    if newest != former:
        page = login.send(page, code=former)
        assert page.status_code == 400
    assert heading(login.send(page, code=newest)) == "Connect Stoa display?"


def test_the_code_of_a_message_is_good_for_one_sign_in(signing):
    login = signing("sms")
    page = login.send(login.begin(), f"{START}/send")
    code = login.messages()[0]
    login.amr(login.send(page, code=code))
    page = login.begin()
    assert heading(page) == "Get a code"
    page = login.browser.http.post(START, data=forms(page)[f"{START}/send"] | {"code": code}, follow_redirects=True)
    assert alert(page) == "Nothing has been sent yet, or it is too long ago. Have it sent first."


@pytest.mark.parametrize(("factor", "refill"), [("sms", "3600"), ("email", "3600"), ("push", "360")])
def test_what_is_sent_has_a_limit(signing, clock, authority, factor, refill):
    login = signing(factor)
    page = login.begin()
    for _ in range(10):
        page = login.send(page, f"{START}/send")
        if factor == "push":
            login.answer_push(approve=False)
            page = login.browser.see(START)
    limited = login.send(page, f"{START}/send")
    assert (limited.status_code, limited.headers["retry-after"]) == (429, refill)
    assert alert(limited).startswith(f"Too much was sent to you already. Wait {int(refill) // 60} minutes")
    assert len(login.messages()) == (0 if factor == "push" else 10)
    clock.sleep_ns(int(refill) * NS)
    login.browser.http.cookies.delete("stoa_session")
    assert heading(login.send(login.begin(), f"{START}/send")) in ("Type the code", "Approve on your phone")


def test_a_push_that_nobody_has_answered_is_waited_for(signing):
    login = signing("push")
    page = login.send(login.begin(), f"{START}/send")
    assert 'href="/phone"' in page.text
    for _ in range(3):
        page = login.send(page, go="yes")
        assert (page.status_code, alert(page)) == (200, None)
        assert status(page) == "The phone has not answered yet."
    login.answer_push()
    assert heading(login.send(page, go="yes")) == "Connect Stoa display?"


def test_a_push_that_was_refused_is_told_and_may_be_sent_again(signing, authority):
    login = signing("push")
    page = login.send(login.begin(), f"{START}/send")
    login.answer_push(approve=False)
    page = login.send(page, go="yes")
    assert page.status_code == 400
    assert alert(page).startswith("The request was refused on the phone.")
    assert "The last request was refused" in words(login.browser.see(START))
    page = login.send(page, f"{START}/send")
    assert status(login.send(page, go="yes")) == "The phone has not answered yet."
    login.answer_push()
    assert heading(login.send(page, go="yes")) == "Connect Stoa display?"


def test_a_push_that_nobody_answers_in_time_is_told_and_may_be_sent_again(signing, clock):
    login = signing("push")
    page = login.send(login.begin(), f"{START}/send")
    clock.sleep_ns(300 * NS)
    page = login.send(page, go="yes")
    assert (page.status_code, alert(page)) == (400, "The phone did not answer in time. Send the request again.")
    page = login.send(page, f"{START}/send")
    login.answer_push()
    assert heading(login.send(page, go="yes")) == "Connect Stoa display?"


def test_a_push_is_good_for_one_sign_in(signing, authority):
    """An approval that was not used is no other browser's, and no other device's."""
    login = signing("push")
    login.send(login.begin(), f"{START}/send")
    login.answer_push()
    page = login.begin()
    assert "Send a request to the phone" in page.text
    login.send(page, f"{START}/send")
    assert len(authority.challenges.pending()) == 1


def test_a_device_that_has_gone_meanwhile_is_told(signing, clock):
    login = signing("otp")
    page = login.begin()
    clock.sleep_ns(900 * NS)
    for reply in (login.browser.see(START), login.send(page, code=login.one_time_code())):
        assert heading(reply) in ("That did not work", "Connect a device")
    assert heading(login.browser.see(START)) == "Connect a device"


def test_a_way_that_was_removed_meanwhile_is_open_no_more(signing, authority):
    login = signing("otp", "sms")
    page = login.choose(login.begin(), "Text message")
    [sms] = authority.authenticators.of(login.person.user_id, "sms")
    authority.authenticators.remove(login.person.user_id, sms.authenticator_id)
    page = login.send(page, code=login.messages()[0])
    assert (page.status_code, alert(page)) == (400, "This way is not open to you here. Use another one.")
    assert heading(page) == "Confirm it is you"


def test_somebody_elses_authenticator_is_no_way(signing, authority, store):
    other = give(authority, add_person(store, "cleo"), "sms", "+15559999999")
    login = signing("otp")
    page = login.begin()
    for action in (START, f"{START}/send"):
        token = forms(page)[START]["csrf_token"]
        fields = {"csrf_token": token, "way": other.authenticator_id, "code": "000000"}
        reply = login.browser.http.post(action, data=fields)
        assert (reply.status_code, alert(reply)) == (400, "This way is not open to you here. Use another one.")
    assert "9999999" not in login.browser.see(f"{START}?way={other.authenticator_id}").text
    assert authority.outbox.newest() == []


# Two factors.


def test_a_tenant_that_wants_two_factors_gets_two(signing, authority):
    authority.mfa.factors = 2
    login = signing("otp", "sms", "email")
    page = login.begin()
    first = page
    page = login.send(page, code=login.one_time_code())
    assert (heading(page), status(page)) == ("Get a code", "That was right. One more is asked for.")
    assert [label for _, label in buttons(login.browser.see(f"{START}/ways"), "way")] == ORDER[2:]
    again = login.send(first, code=login.one_time_code())  # the second click on the first factor
    assert (again.status_code, alert(again), heading(again)) == (200, None, "Get a code")
    assert login.amr(login.through("sms", page)) == ["pwd", "otp", "mfa", "sms"]


@pytest.mark.parametrize("factors", [("otp",), ("sms",)])
def test_who_has_one_factor_is_not_locked_out_where_two_are_wanted(signing, authority, factors):
    authority.mfa.factors = 2
    login = signing(*factors)
    assert heading(login.through(factors[0], login.begin())) == "Connect Stoa display?"


def test_a_recovery_code_stands_in_for_both(signing, authority, recovery_code):
    authority.mfa.factors = 2
    login = signing("otp", "sms")
    code = recovery_code(login.person)
    page = login.send(login.choose(login.begin(), "Recovery code"), code=code)
    assert login.amr(login.send(page, "/recovery-code")) == ["pwd", "otp", "mfa"]


# Enrolment.


def enrol(login: Signing, page: Page, kind: str, recipient: str = PHONE) -> Page:
    """From the choice to the page that confirms it."""
    assert heading(page) == "Add a second factor"
    page = login.send(page, f"{START}/enrol", kind=kind)
    if kind in ("sms", "email"):
        page = login.send(page, f"{START}/enrol/recipient", recipient=recipient)
    return page


def key_of(page: Page) -> str:
    return re.search(r'<p class="code long"[^>]*>([A-Z2-7 ]+)</p>', page.text).group(1).replace(" ", "")


def first_use(login: Signing, page: Page, kind: str) -> Page:
    confirm = f"{START}/enrol/confirm"
    if kind == "otp":
        return login.send(page, confirm, code=code_of(key_of(page), login.clock))
    if kind == "push":
        login.answer_push()
        return login.send(page, confirm, go="yes")
    return login.send(page, confirm, code=login.messages()[0])


KINDS = [
    ("otp", "Set up your authenticator app", ["pwd", "otp", "mfa"]),
    ("sms", "Type the code", ["pwd", "sms", "mfa"]),
    ("email", "Type the code", ["pwd", "mca", "mfa"]),
    ("push", "Set up your phone", ["pwd", "mca", "mfa"]),
]


@pytest.mark.parametrize(("kind", "shown", "amr"), KINDS)
@pytest.mark.parametrize("wanted", [1, 2])
def test_who_has_no_factor_enrols_one(signing, authority, clock, kind, shown, amr, wanted):
    authority.mfa.factors = wanted
    login = signing()
    page = enrol(login, login.begin(), kind, PHONE if kind == "sms" else login.person.username)
    assert heading(page) == shown
    page = first_use(login, page, kind)
    assert heading(page) == "Save your recovery code"
    code = re.search(r'id="recovery-code">([A-Z0-9 ]{29})</p>', page.text).group(1)
    assert login.amr(login.send(page, "/recovery-code", saved="yes")) == amr
    # It counts from now on, and so does the recovery code.
    authority.mfa.factors = 1
    clock.sleep_ns(60 * NS)
    page = login.begin()
    assert heading(page) != "Add a second factor"
    page = login.send(login.choose(page, "Recovery code"), code=code)
    assert heading(page) == "Save your recovery code"


def test_the_qr_says_what_the_key_says(signing):
    zxingcpp, Image = pytest.importorskip("zxingcpp"), pytest.importorskip("PIL.Image")
    login = signing()
    page = enrol(login, login.begin(), "otp")
    uri = unescape(re.search(r'href="(otpauth:[^"]+)"', page.text).group(1))
    assert parse_qs(urlsplit(uri).query)["secret"] == [key_of(page)]
    svg = re.search(r"<svg (?:viewBox=\"0 0 (\d+) \d+\")[^>]*>(.*?)</svg>", page.text.split('class="qr"')[1], re.DOTALL)
    side, path = int(svg.group(1)), re.search(r' d="(M[^"]+)"(?: class="[^"]*")?/?>(?!.*<path)', svg.group(2)).group(1)
    picture = Image.new("L", (side, side), 255)
    x = y = 0.0
    for move, numbers in re.findall(r"([MmhH])([-\d. ]+)", path):
        values = [float(each) for each in re.findall(r"-?[\d.]+", numbers)]
        if move in "Mm":
            x, y = (values[0], values[1]) if move == "M" else (x + values[0], y + values[1])
        else:
            for at in range(int(values[0])):
                picture.putpixel((int(x) + at, int(y)), 0)
            x += values[0]
    [read] = zxingcpp.read_barcodes(picture.resize((side * 4, side * 4)))
    assert read.text == uri


def test_before_it_is_confirmed_a_factor_proves_nothing(signing, authority):
    login = signing()
    page = enrol(login, login.begin(), "otp")
    refused = login.send(page, f"{START}/enrol/confirm", code=wrong(code_of(key_of(page), login.clock)))
    assert refused.status_code == 400
    assert key_of(refused) == key_of(page)
    assert heading(login.browser.see("/consent")) == "Add a second factor"
    assert not authority.authenticators.has_any(login.person.user_id)


def test_only_the_app_that_is_set_up_confirms_it(signing, authority):
    """Not the one-time codes of a phone that is to be confirmed as well, which nobody has approved on."""
    login = signing()
    page = enrol(login, login.begin(), "otp")
    enrol(login, login.browser.see(f"{START}/enrol"), "push")
    begun = authority.authenticators.of(login.person.user_id, "otp", active=False)
    [of_the_phone] = [each for each in begun if each.twin_id]
    refused = login.send(page, f"{START}/enrol/confirm", code=code_of(of_the_phone.secret, login.clock))
    assert refused.status_code == 400
    assert not authority.authenticators.has_any(login.person.user_id)
    assert heading(first_use(login, page, "otp")) == "Save your recovery code"


@pytest.mark.parametrize("kind", ["otp", "sms", "push"])
def test_what_another_login_began_is_not_confirmed_here(signing, kind):
    """Who knows the password alone would have its owner scan a key of theirs, by a link."""
    theirs = signing()
    link = str(enrol(theirs, theirs.begin(), kind).url)
    with TestClient(theirs.browser.http.app, base_url=ISSUER) as http:
        owner = replace(theirs, browser=replace(theirs.browser, http=http))
        owner.begin()
        assert heading(owner.browser.see(link)) == "Add a second factor"
        own = enrol(owner, owner.browser.see(f"{START}/enrol"), "email", "anna@stoa.example")
        shown = forms(own)[f"{START}/enrol/confirm"] | {"way": parse_qs(urlsplit(link).query)["way"][0]}
        for sent, more in [("send", {}), ("confirm", {"code": "123456"})]:
            reply = http.post(f"{START}/enrol/{sent}", data=shown | more, follow_redirects=True)
            assert heading(reply) == "Add a second factor"
        assert heading(first_use(owner, own, "email")) == "Save your recovery code"


@pytest.mark.parametrize(("factors", "has"), [(("push",), []), ((), ["otp"])])
def test_the_core_enrols_nothing_else_whatever_page_asks(signing, authority, store, factors, has):
    only(authority, *factors)
    login = signing(*has)
    login.begin()
    [session] = [each for each in store.find(LoginSession) if each.user_id]
    with pytest.raises(WayNotOpen):
        authority.login_enrolment.begin(session, "sms", PHONE, "secret")
    assert authority.authenticators.of(login.person.user_id, "sms", active=None) == []


def test_another_kind_may_be_chosen_after_all(signing, authority):
    login = signing()
    begun = enrol(login, login.begin(), "otp")
    page = enrol(login, login.browser.see(f"{START}/enrol"), "sms")
    page = first_use(login, page, "sms")
    assert {each.factor for each in authority.authenticators.of(login.person.user_id)} == {"sms", "recovery-code"}
    late = first_use(login, begun, "otp")  # in the other tab
    assert heading(late) == heading(page)
    assert {each.factor for each in authority.authenticators.of(login.person.user_id)} == {"sms", "recovery-code"}


@pytest.mark.parametrize(
    ("kind", "typed", "told"),
    [
        ("sms", "", "This is no phone number as it is dialled from abroad: + and 6 to 15 digits."),
        ("sms", "0155 5123", "This is no phone number as it is dialled from abroad: + and 6 to 15 digits."),
        ("email", "nobody", "This is no e-mail address. It has a name, an @ and a domain."),
    ],
)
def test_what_is_no_recipient_is_told_and_can_be_put_right(signing, kind, typed, told):
    login = signing()
    page = enrol(login, login.begin(), kind, typed)
    assert (page.status_code, alert(page)) == (400, told)
    assert f'value="{typed}"' in page.text
    page = login.send(page, f"{START}/enrol/recipient", recipient=PHONE if kind == "sms" else "a@b.example")
    assert heading(first_use(login, page, kind)) == "Save your recovery code"


def test_who_enrolled_elsewhere_meanwhile_gives_that(signing, authority):
    login = signing()
    page = enrol(login, login.begin(), "otp")
    give(authority, login.person, "sms", PHONE)
    reply = first_use(login, page, "otp")
    assert heading(reply) == "Get a code"
    assert heading(login.browser.see(f"{START}/enrol")) == "Get a code"
    token = forms(reply)[f"{START}/send"]["csrf_token"]
    for kind in ("otp", "push"):
        added = login.browser.http.post(f"{START}/enrol", data={"csrf_token": token, "kind": kind})
        assert heading(added) == "Get a code"
    assert authority.authenticators.of(login.person.user_id, "push", active=None) == []


def test_the_user_who_has_a_factor_cannot_add_one(signing, authority):
    login = signing("otp")
    token = forms(login.begin())[START]["csrf_token"]
    fields = {"csrf_token": token, "kind": "sms", "recipient": "+15550000000"}
    for path in ("enrol", "enrol/recipient", "enrol/confirm", "enrol/send"):
        login.browser.http.post(f"{START}/{path}", data=fields)
    assert [each.factor for each in authority.authenticators.of(login.person.user_id, active=None)] == ["otp"]
    assert login.messages() == []


# What a script lets count.


def test_only_what_a_script_lets_count_is_offered(signing, authority):
    only(authority, "push", "sms")
    login = signing("email", "sms", "push", "otp", recovery=True)
    page = login.begin()
    assert heading(page) == "Approve on your phone"
    labels = [label for _, label in buttons(login.browser.see(f"{START}/ways"), "way")]
    assert labels == [ORDER[1], ORDER[2], "Recovery code"]
    token = next(iter(forms(page).values()))["csrf_token"]
    fields = {"csrf_token": token, "way": "otp", "code": login.one_time_code()}
    refused = login.browser.http.post(START, data=fields)
    assert (refused.status_code, alert(refused)) == (400, "This way is not open to you here. Use another one.")
    assert login.amr(login.through("push", page)) == ["pwd", "mca", "mfa"]


def test_who_has_only_what_does_not_count_is_told_so(signing, authority):
    only(authority, "push", "sms")
    login = signing("otp")
    page = login.begin()
    assert (page.status_code, heading(page)) == (403, "You cannot go on here")
    assert "takes an approval on the phone or a text message, and you have not set that up." in alert(page)
    assert list(forms(page)) == []
    assert heading(login.browser.see(f"{START}/enrol")) == "You cannot go on here"
    assert heading(login.browser.see("/consent")) == "You cannot go on here"


def test_a_recovery_code_stands_in_for_what_counts(signing, authority, recovery_code):
    only(authority, "push")
    login = signing("otp")
    code = recovery_code(login.person)
    page = login.begin()
    assert heading(page) == "Use your recovery code"
    assert "takes an approval on the phone, and you have not set that up" in words(page)
    assert heading(login.send(page, code=code)) == "Save your recovery code"


@pytest.mark.parametrize(
    ("factors", "kinds"),
    [((), ["otp", "sms", "email", "push"]), (("push", "otp"), ["otp", "push"]), (("recovery-code",), [])],
)
def test_only_what_counts_may_be_enrolled(signing, authority, factors, kinds):
    only(authority, *factors)
    login = signing()
    page = login.begin()
    assert [kind for kind, _ in buttons(page, "kind")] == kinds
    if not kinds:
        assert (page.status_code, heading(page)) == (403, "You cannot go on here")
        return
    for kind in {"otp", "sms", "email", "push"} - set(kinds):
        refused = login.send(page, f"{START}/enrol", kind=kind)
        assert refused.status_code == 400
    assert heading(first_use(login, enrol(login, page, "push"), "push")) == "Save your recovery code"


# Two forms at once.


def test_a_double_click_sends_once(signing, overlapping):  # noqa: F811
    login = signing("sms")
    page = login.begin()
    where = overlapping(*[form_of(page)] * 2)
    assert {(each.status_code, urlsplit(each.headers["location"]).path) for each in where} == {(303, START)}
    assert len(login.messages()) == 1
    page = login.browser.see(START)
    again = (f"{START}/send", forms(page)[f"{START}/send"])
    overlapping(again, again)
    assert len(login.messages()) == 2


@pytest.mark.parametrize("factor", ["otp", "sms", "push"])
def test_two_clicks_at_once_give_a_factor_once(signing, overlapping, authority, factor):  # noqa: F811
    login = signing(factor)
    page = login.begin()
    if factor != "otp":
        page = login.send(page, f"{START}/send")
    if factor == "push":
        login.answer_push()
    code = {"otp": login.one_time_code, "sms": lambda: login.messages()[0], "push": lambda: ""}[factor]()
    replies = overlapping(*[form_of(page, code=code)] * 2)
    assert [(each.status_code, each.headers["location"]) for each in replies] == [(303, "/consent")] * 2
    kinds = [each.kind for each in authority.events.newest(20)]
    assert (kinds.count("mfa_succeeded"), kinds.count("mfa_failed")) == (1, 0)


def test_two_clicks_at_once_on_a_recovery_code_show_one_that_follows(signing, overlapping, recovery_code):  # noqa: F811
    login = signing("otp")
    code = recovery_code(login.person)
    page = login.choose(login.begin(), "Recovery code")
    replies = overlapping(*[form_of(page, code=code)] * 2)
    assert {each.headers["location"] for each in replies} == {"/recovery-code"}
    assert heading(login.browser.see("/recovery-code")) == "Save your recovery code"


@pytest.mark.parametrize("kind", ["otp", "sms", "push"])
def test_two_clicks_at_once_confirm_once(signing, overlapping, authority, kind):  # noqa: F811
    login = signing()
    page = enrol(login, login.begin(), kind)
    if kind == "push":
        login.answer_push()
    codes = {"otp": lambda: code_of(key_of(page), login.clock), "sms": lambda: login.messages()[0], "push": lambda: ""}
    form = (f"{START}/enrol/confirm", forms(page)[f"{START}/enrol/confirm"] | {"code": codes[kind]()})
    assert {each.headers["location"] for each in overlapping(form, form)} == {"/recovery-code"}
    kinds = [each.kind for each in authority.events.newest(20)]
    assert (kinds.count("enrolment_completed"), kinds.count("mfa_failed")) == (1, 0)


def test_two_clicks_on_a_number_send_one_code(signing, overlapping):  # noqa: F811
    login = signing()
    page = login.send(login.begin(), f"{START}/enrol", kind="sms")
    first, second = overlapping(*[form_of(page, recipient=PHONE)] * 2)
    assert first.headers["location"] == second.headers["location"]
    assert len(login.messages()) == 1


def test_two_wrong_codes_at_once_are_two_tries_and_the_right_one_is_none(signing, overlapping, authority):  # noqa: F811
    login = signing("otp")
    page = login.begin()
    right, other = login.one_time_code(), wrong(login.one_time_code())
    overlapping(*[form_of(page, code=other)] * 2, form_of(page, code=right), form_of(page, code=right))
    tries = sum(each.kind == "mfa_failed" for each in authority.events.newest(50))
    assert tries <= 2  # a wrong one that came after the right one is not even looked at
    login.begin()
    for _ in range(10 - tries):
        page = login.send(login.browser.see(START), code=other)
        assert page.status_code == 400
    assert login.send(page, code=other).status_code == 429


def test_a_factor_given_for_one_device_does_not_count_for_the_one_taken_up_meanwhile(signing, store):
    login = signing("sms")
    page = login.send(login.begin(), f"{START}/send")
    code = login.messages()[0]
    other = login.begin()  # in another tab
    assert heading(other) == "Get a code"
    late = login.send(page, code=code)
    assert heading(late) == "Get a code"  # of the other one: the code is not looked at
    assert alert(late) is None


# Forms from elsewhere, and entries that are meant to do harm.

FORMS = [START, f"{START}/send", f"{START}/enrol", f"{START}/enrol/recipient", f"{START}/enrol/confirm"]
FORMS += [f"{START}/enrol/send", "/recovery-code"]


@pytest.mark.parametrize("path", FORMS)
@pytest.mark.parametrize("has", ["otp", None])
@pytest.mark.parametrize("token", [None, "", "0" * 64])
def test_a_form_without_our_token_is_refused(signing, store, path, has, token):
    login = signing(*filter(None, [has]))
    login.begin()
    before = store.image()
    fields = {"way": "otp", "kind": "otp", "code": "000000", "recipient": PHONE}
    refused = login.browser.http.post(path, data=fields | ({} if token is None else {"csrf_token": token}))
    assert refused.status_code == 403
    assert "not opened here" in refused.text
    assert store.image() == before


ODD = [*HOSTILE, "", " ", "\x00", "💥", "٠١٢٣٤٥", "a" * 50_000, "../../x", "otp\r\nSet-Cookie: a=b"]


@pytest.mark.parametrize("path", FORMS)
@pytest.mark.parametrize("has", ["otp", "sms", "push", None])
def test_no_entry_does_harm(signing, path, has):
    """Nothing is reflected but a recipient in its own field, and there it is text."""
    login = signing(*filter(None, [has]))
    page = login.begin()
    token = next(iter(forms(page).values()))["csrf_token"]
    for name in ("way", "code", "kind", "recipient", "instead_of", "go"):
        for entry in ODD:
            valid = {"way": "otp", "code": "000000", "kind": "sms", "recipient": PHONE}
            if has is not None:
                valid["way"] = login.browser.see(START).text.split('name="way" value="')[1].split('"')[0]
            fields = {"csrf_token": token} | valid | {name: entry}
            reply = login.browser.http.post(path, data=fields, follow_redirects=False)
            assert reply.status_code in (200, 303, 400, 403, 413, 429)
            assert "alert(1)>" not in reply.text and ">49<" not in reply.text
            if reply.status_code == 303:
                assert re.fullmatch(
                    r"/(activate|second-factor|recovery-code|consent)[\w/-]*(\?(way|kind)=[\w-]+)?",
                    reply.headers["location"],
                )
            if name != "recipient" and len(entry) > 3:
                assert entry not in unescape(reply.text)


@pytest.mark.parametrize("entry", HOSTILE)
@pytest.mark.parametrize("kind", ["sms", "email"])
def test_a_hostile_recipient_stays_text(signing, entry, kind):
    login = signing()
    page = enrol(login, login.begin(), kind, entry)
    assert page.status_code == 400
    [field] = re.findall(r'<input id="recipient".*?>', page.text, re.DOTALL)
    assert unescape(re.search(r' value="([^"]*)"', field).group(1)) == entry
    assert page.text.count('<input id="') == 1


@pytest.mark.parametrize("path", [START, f"{START}/enrol/recipient", f"{START}/enrol/confirm"])
@pytest.mark.parametrize("has", ["otp", None])
def test_no_address_does_harm(signing, path, has):
    login = signing(*filter(None, [has]))
    login.begin()
    for entry in ODD[:-4]:
        page = login.browser.http.get(path, params={"way": entry, "kind": entry}, follow_redirects=True)
        assert page.status_code == 200
        assert not entry.strip(" \x00") or entry not in unescape(page.text)


def test_what_a_login_is_held_for_is_no_mfa_token(signing, authority, store):
    """The MFA API gives tokens for an mfa_token: nothing at the pages may be one."""
    login = signing("otp")
    login.send(login.begin(), code="000000")
    [held] = store.find(MfaTransaction)
    assert " " in held.token_hash
    for guess in (held.token_hash, held.token_hash.split()[1]):
        with pytest.raises(MalformedMfaToken):
            authority.login_factors._transactions.find(guess)


def test_what_is_long_over_is_forgotten(signing, store, clock):
    login = signing("otp")
    login.send(login.begin(), code=login.one_time_code())
    clock.sleep_ns(2 * 86_400 * NS)
    login.send(login.begin(), code=login.one_time_code())
    assert len(store.find(MfaTransaction)) == 1


@pytest.mark.parametrize(
    ("factor", "log"),
    [
        ("otp", [("mfa_failed", "otp"), ("mfa_succeeded", "otp")]),
        ("sms", [("challenge_sent", "sms"), ("mfa_failed", "sms"), ("mfa_succeeded", "sms")]),
        ("recovery-code", [("recovery_failed", ""), ("recovery_succeeded", ""), ("mfa_succeeded", "recovery-code")]),
    ],
)
def test_what_happens_is_in_the_log_with_client_and_user(signing, authority, tenant, recovery_code, factor, log):
    login = signing("otp" if factor == "recovery-code" else factor, recovery=factor == "recovery-code")
    page, entry = wrong_entry(login, factor)
    page = login.send(page, code=entry)
    right = {"otp": login.one_time_code, "recovery-code": lambda: recovery_code(login.person)}
    login.send(page, code=right.get(factor, lambda: login.messages()[0])())
    told = [each for each in reversed(authority.events.newest(50)) if each.kind.startswith(("mfa", "chall", "recov"))]
    assert [(each.kind, each.detail) for each in told] == log
    assert {(each.client_id, each.user_id) for each in told} == {(tenant.client_id, login.person.user_id)}


@pytest.mark.parametrize("ways", ["a message", "a first message", "a recovery code"])
def test_a_person_of_a_rehearsal_finds_the_way(paired, device, ways):
    """person.py knows nothing of these pages but what they tell a browser."""
    authority, tenant = paired.authority, paired.authority.tenant
    inner = authority._authority
    [user] = inner.store.find(User, username=tenant.demo_user)
    for each in inner.authenticators.of(user.user_id):
        inner.authenticators.remove(user.user_id, each.authenticator_id)
    recovery_code = ""
    if ways != "a first message":
        recovery_code = authority.control.enrol(tenant.demo_user, "sms", PHONE).recovery_code
    authority.set_mfa("rule")
    if ways == "a recovery code":
        inner.post_login.judge = lambda attempt: Verdict(Directive(True, factors=("recovery-code",)))
    begun = device.ask().json()

    def code() -> str:
        return recovery_code if ways == "a recovery code" else code_in(authority.control.messages()[0].text)

    told = begun["verification_uri"], begun["user_code"], tenant.demo_user, tenant.demo_password, code
    if ways == "a message":
        approve(*told)
        assert device.poll(begun["device_code"]).status_code == 200
    else:  # what nobody told it, it says
        with pytest.raises(PersonStuck, match="What do you want to use" if ways == "a first message" else "'code'"):
            approve(*told)
