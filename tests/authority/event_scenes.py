"""How each kind of event comes about: a household, and a scene for each kind."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import pytest

from host_tools.authority.control import Controls
from host_tools.authority.core.authority import Authority
from host_tools.authority.core.mfa_errors import InvalidRecoveryCode
from host_tools.authority.core.object_ids import object_id
from host_tools.authority.core.token_endpoint import Credentials
from host_tools.authority.core.user_mfa_errors import LoginTooSoon, MfaMethodRequired, ReattemptDelay
from host_tools.authority.scripts import Engine, Script, ScriptsInForce
from host_tools.clock import NS, VirtualClock

from .authorize.application import SPA, Application
from .conftest import Browser, Display
from .mfa_wire import PHONE, SECRET, App, Person, code_of, give, text_of, wrong

Told = tuple[str | None, str | None, str]  # client, user, detail
WRONG_CODE = "BBBB-BBBB"


@dataclass
class Household:
    """An application, a display and a browser, the demo user with one-time codes, and Zeno with nothing yet."""

    app: App
    display: Display
    browser: Browser
    authority: Authority
    control: Controls
    clock: VirtualClock
    demo: Person
    zeno: Person

    @property
    def display_id(self) -> str:
        return self.display.tenant.client_id

    def texted(self) -> tuple[str, str]:
        """The mfa_token and the oob_code of a message to Zeno, who has a phone number now."""
        give(self.authority, self.zeno, "sms", PHONE)
        mfa_token = self.app.mfa_token(self.zeno)
        return mfa_token, self.app.challenged(mfa_token)

    def paired(self) -> str:
        """The demo user's refresh token, in the display."""
        begun = self.display.ask().json()
        self.browser.decide(begun["user_code"])
        refresh_token: str = self.display.poll(begun["device_code"]).json()["refresh_token"]
        return refresh_token

    def browser_application(self, **changed: bool) -> Application:
        """One that people are sent to from the browser, with nothing to ask them but their passwords."""
        self.authority.mfa.mode = "never"
        self.authority.store.put(replace(SPA, **changed))
        return Application(self.browser)

    @contextmanager
    def ruled(self, body: str) -> Iterator[None]:
        """With a rule of this body, in an engine that ends with it."""
        engine = Engine()
        try:
            text = f"function (user, context, callback) {{ {body} }}"
            scripts = ScriptsInForce(engine, self.authority.post_login, self.authority.issuer)
            scripts.put([Script("rule", "house", text)])
            yield
        finally:
            engine.close()

    def right_code(self, secret: str) -> str:
        return code_of(secret, self.clock)

    def own_mfa(self) -> None:
        """Zeno has set up a second factor of his own, and turned it on."""
        own, user_id = self.authority.user_mfa, self.zeno.user_id
        own.add_recovery_codes(user_id, "Recovery Codes", ())
        self.authority.authenticators.confirm(own.add_totp(user_id, "Google Authenticator", ()))
        own.enable(user_id)

    def recovery_code(self) -> str:
        """Zeno's, who has one-time codes now."""
        mfa_token = self.app.mfa_token(self.zeno)
        enrolled = self.app.enrol(mfa_token, "otp")
        assert self.app.otp(mfa_token, self.right_code(enrolled["secret"])).status_code == 200
        code: str = enrolled["recovery_codes"][0]
        return code


def login_succeeded(home: Household) -> Told:
    home.browser.sign_in(home.browser.type_code(home.display.ask().json()["user_code"]))
    return None, home.demo.user_id, ""


def login_failed(home: Household) -> Told:
    page = home.browser.type_code(home.display.ask().json()["user_code"])
    assert home.browser.send(page, username=home.demo.username, password="wrong").status_code == 400
    return None, home.demo.user_id, ""


def logout_succeeded(home: Household) -> Told:
    home.browser_application().code()
    for _ in range(2):  # who is signed out already is no event
        home.browser.http.get("/v2/logout", params={"client_id": "spa"}, follow_redirects=False)
    return "spa", home.demo.user_id, ""


def device_authorization_failed(home: Household) -> Told:
    assert home.display.ask(audience="https://elsewhere.example/").status_code == 400
    return home.display_id, None, "unknown audience"


def device_activation_failed(home: Household) -> Told:
    assert home.browser.type_code(WRONG_CODE).status_code == 400
    return None, None, "unknown user code"


def device_activation_cancelled(home: Household) -> Told:
    assert "Not connected" in home.browser.decide(home.display.ask().json()["user_code"], "deny").text
    return None, home.demo.user_id, ""


def device_code_exchanged(home: Household) -> Told:
    home.paired()
    return home.display_id, home.demo.user_id, ""


def device_code_exchange_failed(home: Household) -> Told:
    begun = home.display.ask().json()
    for _ in range(2):  # that nobody has answered yet is no failure
        assert home.display.poll(begun["device_code"]).status_code in (403, 429)
    home.clock.sleep_ns(900 * NS)
    assert home.display.poll(begun["device_code"]).json()["error"] == "expired_token"
    return home.display_id, None, "expired_token"


def code_exchanged(home: Household) -> Told:
    application = home.browser_application()
    assert application.redeem(application.code()).status_code == 200
    return "spa", home.demo.user_id, ""


def code_exchange_failed(home: Household) -> Told:
    assert home.browser_application().redeem("never issued").status_code == 403
    return "spa", None, ""


def code_reused(home: Household) -> Told:
    application = home.browser_application()
    code = application.code()
    assert [application.redeem(code).status_code for _ in range(2)] == [200, 403]
    return "spa", home.demo.user_id, ""


def consent_denied(home: Household) -> Told:
    application = home.browser_application(skips_consent=False)
    application.send(application.sign_in(application.ask()), decision="deny")
    return "spa", home.demo.user_id, ""


def authorization_failed(home: Household) -> Told:
    home.browser_application().ask(prompt="none")
    return "spa", None, "login_required"


def password_exchanged(home: Household) -> Told:
    home.authority.mfa.mode = "never"
    assert home.app.sign_in(home.zeno).status_code == 200
    return "app", home.zeno.user_id, ""


def password_exchange_failed(home: Household) -> Told:
    assert home.app.sign_in(home.zeno, password="wrong").status_code == 403
    return "app", None, ""


def refresh_token_exchanged(home: Household) -> Told:
    assert home.display.refresh(home.paired()).status_code == 200
    return home.display_id, home.demo.user_id, ""


def refresh_token_exchange_failed(home: Household) -> Told:
    assert home.display.refresh("never-issued").status_code == 403
    return home.display_id, None, ""


def refresh_token_reused(home: Household) -> Told:
    refresh_token = home.paired()
    assert [home.display.refresh(refresh_token).status_code for _ in range(3)] == [200, 403, 403]
    return home.display_id, home.demo.user_id, ""


def refresh_token_revoked(home: Household) -> Told:
    fields = {"client_id": home.display_id, "token": home.paired()}
    assert [home.app.http.post("/oauth/revoke", data=fields).status_code for _ in range(2)] == [200, 200]
    return home.display_id, home.demo.user_id, "families: 1"


def mfa_required(home: Household) -> Told:
    home.app.mfa_token(home.demo)
    return "app", home.demo.user_id, "oauth2-password"


def enrolment_started(home: Household) -> Told:
    home.app.enrol(home.app.mfa_token(home.zeno), "auth0")
    return None, home.zeno.user_id, "push"


def enrolment_completed(home: Household) -> Told:
    home.recovery_code()
    return None, home.zeno.user_id, "otp"


def authenticator_removed(home: Household) -> Told:
    bearer = home.app.mfa_access_token(home.zeno)
    email = give(home.authority, home.zeno, "email", home.zeno.username)
    for status in (204, 404):
        assert home.app.remove(bearer, f"email|dev_{email.authenticator_id}").status_code == status
    return None, home.zeno.user_id, "email"


def challenge_sent(home: Household) -> Told:
    home.texted()
    return "app", home.zeno.user_id, "sms"


def challenge_rejected(home: Household) -> Told:
    give(home.authority, home.zeno, "push", "Phone")
    home.app.challenged(home.app.mfa_token(home.zeno))
    home.control.answer_push(approve=False)
    return "app", home.zeno.user_id, "push"


def mfa_succeeded(home: Household) -> Told:
    mfa_token, oob_code = home.texted()
    assert home.app.oob(mfa_token, oob_code, binding_code=text_of(home.authority)).status_code == 200
    return "app", home.zeno.user_id, "sms"


def mfa_failed(home: Household) -> Told:
    mfa_token, oob_code = home.texted()
    typed = wrong(text_of(home.authority))
    assert home.app.oob(mfa_token, oob_code, binding_code=typed).status_code == 403
    return "app", home.zeno.user_id, "sms"


def one_time_code_limited(home: Household) -> Told:
    mfa_token = home.app.mfa_token(home.demo)
    assert [home.app.otp(mfa_token, "x").status_code for _ in range(11)] == [403] * 10 + [429]
    return None, home.demo.user_id, ""


def message_limited(home: Household) -> Told:
    mfa_token, _ = home.texted()
    assert [home.app.challenge(mfa_token).status_code for _ in range(10)] == [200] * 9 + [429]
    return "app", home.zeno.user_id, "sms"


def recovery_succeeded(home: Household) -> Told:
    code = home.recovery_code()
    assert home.app.recovery(home.app.mfa_token(home.zeno), code).status_code == 200
    return "app", home.zeno.user_id, ""


def recovery_failed(home: Household) -> Told:
    assert home.app.recovery(home.app.mfa_token(home.demo), "A" * 24).status_code == 403
    return "app", home.demo.user_id, ""


def recovery_limited(home: Household) -> Told:
    mfa_token = home.app.mfa_token(home.demo)
    assert [home.app.recovery(mfa_token, "A" * 24).status_code for _ in range(11)] == [403] * 10 + [429]
    return None, home.demo.user_id, ""


def script_failed(home: Household) -> Told:
    refresh_token = home.paired()
    with home.ruled("user.nothing.at.all;"):
        assert home.display.refresh(refresh_token).json()["error"] == "access_denied"
    detail = "rule house: threw TypeError: cannot read property 'at' of undefined (line 1)"
    return home.display_id, home.demo.user_id, detail


def denied_by_script(home: Household) -> Told:
    refresh_token = home.paired()
    with home.ruled("callback(new UnauthorizedError('Weekdays only'));"):
        assert home.display.refresh(refresh_token).json()["error_description"] == "Weekdays only"
    return home.display_id, home.demo.user_id, "oauth2-refresh-token"


def login_limited(home: Household) -> Told:
    home.authority.login_rate.take(home.zeno.username, is_login=True)
    with pytest.raises(LoginTooSoon):
        home.authority.login_rate.take(home.zeno.username, is_login=True)
    return None, home.zeno.user_id, "Login attempt too fast"


def mfa_delayed(home: Household) -> Told:
    home.own_mfa()
    grants, app = home.authority.user_mfa_grants, Credentials(home.app.client_id, SECRET)
    with pytest.raises(MfaMethodRequired) as asked:
        grants.password(app, home.zeno.username, home.zeno.password)
    codes = next(each for each in asked.value.methods if each.factor == "recovery-code")
    method_id = object_id(codes.authenticator_id)
    for refusal in (InvalidRecoveryCode, ReattemptDelay):
        with pytest.raises(refusal):
            grants.mfa(app, asked.value.mfa_token, method_id, "wrong")
    return "app", home.zeno.user_id, ""


def mfa_enabled(home: Household) -> Told:
    home.own_mfa()
    home.authority.user_mfa.enable(home.zeno.user_id)  # that it is on already is no event
    return None, home.zeno.user_id, ""


def mfa_disabled(home: Household) -> Told:
    home.own_mfa()
    for _ in range(2):
        home.authority.user_mfa.disable(home.zeno.user_id)
    return None, home.zeno.user_id, ""


def device_remembered(home: Household) -> Told:
    home.authority.device_choices.in_force = True  # as in the okta dialect
    for remember in (True, False):  # who does not wish it is no event
        home.authority.device_choices.verified(home.demo.user_id, "a device", remember)
    return None, home.demo.user_id, "session"


def authn_cancelled(home: Household) -> Told:
    begun = home.authority.authn.begin(home.demo.username, home.demo.password)
    home.authority.authn.cancel(begun.state_token)
    return None, home.demo.user_id, "mfa_required"


SCENES: dict[str, Callable[[Household], Told]] = {
    scene.__name__: scene
    for scene in (
        login_succeeded,
        login_failed,
        logout_succeeded,
        device_authorization_failed,
        device_activation_failed,
        device_activation_cancelled,
        device_code_exchanged,
        device_code_exchange_failed,
        code_exchanged,
        code_exchange_failed,
        code_reused,
        consent_denied,
        authorization_failed,
        password_exchanged,
        password_exchange_failed,
        refresh_token_exchanged,
        refresh_token_exchange_failed,
        refresh_token_reused,
        refresh_token_revoked,
        mfa_required,
        enrolment_started,
        enrolment_completed,
        authenticator_removed,
        challenge_sent,
        challenge_rejected,
        mfa_succeeded,
        mfa_failed,
        one_time_code_limited,
        message_limited,
        recovery_succeeded,
        recovery_failed,
        recovery_limited,
        script_failed,
        denied_by_script,
        login_limited,
        mfa_delayed,
        mfa_enabled,
        mfa_disabled,
        device_remembered,
        authn_cancelled,
    )
}
