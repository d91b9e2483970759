"""What a tenant decides here: policy, file, scripts, faults; who may ask from a browser; the log and the document."""

from __future__ import annotations

from dataclasses import replace

import httpx2
import pyotp
import pytest

from host_tools.authority import AuthorityError, LoseReply, RateLimit, StatusReply, start_authority
from host_tools.authority import openapi as documents
from host_tools.authority.app import create_app
from host_tools.authority.core.fault_kinds import ENDPOINTS
from host_tools.authority.core.records import Client
from host_tools.authority.core.user_mfa_records import PasswordTries, PresenceToken, UserMfa
from host_tools.authority.dialects import DIALECTS
from host_tools.authority.errors import InvalidSetting
from host_tools.authority.provisioning import put_users
from host_tools.authority.scripts import Engine, Script, ScriptsInForce
from host_tools.authority.tenant_settings import UserSettings
from host_tools.clock import NS
from tests.authority.conforming import Conforming
from tests.authority.conftest import ISSUER, quote_of_day
from tests.authority.tenant_files import problems

from .extrahorizon_wire import PRESENCE, SECOND_NS, TOKENS, Account, refused

ORIGIN = "https://app.example"
CHALLENGED = 400, 129, "MFA_REQUIRED_EXCEPTION"
LOGINS = {"never": False, "always": True, "adaptive": True, "rule": True}


@pytest.fixture
def willing(guarded):
    """Who has methods, and has turned MFA off again."""
    assert guarded.change("/disable").status_code == 200
    return guarded


@pytest.mark.parametrize(("mode", "asked"), LOGINS.items())
def test_a_policy_asks_who_has_methods_whatever_their_own_switch_says(willing, authority, clock, mode, asked):
    authority.mfa.mode = mode
    clock.sleep_ns(SECOND_NS)
    reply = willing.sign_in()
    assert (refused(reply) == CHALLENGED) if asked else (reply.status_code == 200)
    if asked:
        assert willing.mfa(reply.json()["mfa"]["token"], willing.totp, willing.next_code()).status_code == 200


@pytest.mark.parametrize("mode", LOGINS)
def test_it_asks_nobody_who_has_none(account, authority, clock, mode):
    authority.mfa.mode, authority.mfa.strict = mode, True
    clock.sleep_ns(SECOND_NS)
    assert account.sign_in().status_code == account.refresh().status_code == 200


@pytest.mark.parametrize("mode", LOGINS)
def test_no_policy_turns_off_what_a_user_has_turned_on(guarded, authority, mode):
    authority.mfa.mode = mode
    guarded.mfa_token()


@pytest.mark.parametrize(
    ("mode", "strict", "asked"),
    [("never", True, False), ("always", False, False), ("always", True, True), ("rule", False, True)],
)
def test_a_refresh_is_challenged_by_policy_alone(guarded, authority, mode, strict, asked):
    authority.mfa.mode, authority.mfa.strict, authority.mfa.factors = mode, strict, 3
    text_messages = authority.authenticators.enrol(f"auth0|{guarded.user_id}", "sms", "+15550100123")
    authority.authenticators.confirm(text_messages.authenticator)
    reply = guarded.refresh()
    if not asked:
        assert reply.status_code == 200
        return
    assert refused(reply) == CHALLENGED
    granted = guarded.mfa(reply.json()["mfa"]["token"], guarded.totp, guarded.next_code())
    assert granted.status_code == 200  # by one method, however many factors Auth0's grants would want
    assert granted.json()["refresh_token"] != guarded.refresh_token
    # The refresh that was held has used its token up: to bring it again is reuse.
    authority.mfa.mode = "never"
    assert guarded.refresh(granted.json()["refresh_token"]).status_code == 200
    assert refused(guarded.refresh())[1] == 119


def test_a_challenged_refresh_costs_nothing(guarded, authority):
    authority.mfa.mode = "rule"
    for _ in range(3):
        assert refused(guarded.refresh()) == CHALLENGED
    authority.mfa.mode = "never"
    assert guarded.refresh().status_code == 200


def test_a_script_denies_and_asks(willing, authority, clock):
    engine = Engine()
    scripts = ScriptsInForce(engine, authority.post_login, authority.issuer)
    try:
        scripts.put([Script("rule", "no", "function (u, c, callback) { callback(new UnauthorizedError('Not you')); }")])
        clock.sleep_ns(SECOND_NS)
        for denied in (willing.sign_in(), willing.refresh()):
            assert refused(denied) == (400, 10, "NO_PERMISSION_EXCEPTION")
            assert denied.json()["description"] == "Not you"
        text = "function (u, c, callback) { c.multifactor = {provider: 'any'}; callback(null, u, c); }"
        scripts.put([Script("rule", "mfa", text)])
        clock.sleep_ns(SECOND_NS)
        assert refused(willing.sign_in()) == refused(willing.refresh()) == CHALLENGED
    finally:
        engine.close()


# The tenant file.

FILE = """
[tenant]
access_token_lifetime_s = 300

[[users]]
username = "anna@stoa.example"
password = "an unlikely word"
recovery_code = "K6LG LV3R SH3V ERMK"
mfa_enabled = true

[[users.authenticators]]
factor = "otp"
totp_secret = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"

[[clients]]
client_id = "app"
grants = ["password", "refresh_token", "mfa"]
"""


@pytest.fixture
def file(tmp_path):
    written = tmp_path / "tenant.toml"
    written.write_text(FILE)
    return written


def test_a_tenant_may_start_with_mfa_on(clock, file, tmp_path):
    options = {"dialect": "extrahorizon", "config": file, "database": tmp_path / "stoa.sqlite"}
    code = pyotp.TOTP("JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP")
    for user_turns_it in ("off", "on"):
        with start_authority(clock, **options) as running, httpx2.Client(base_url=running.issuer) as http:
            tenant = replace(running.tenant, demo_password="an unlikely word")
            anna = Account(http, tenant, clock)
            asked = anna.sign_in().json()
            methods = {each["type"]: each for each in asked["mfa"]["methods"]}
            granted = anna.mfa(asked["mfa"]["token"], methods["totp"], code.at(clock.now_ns() // NS))
            anna.keep(granted)
            if user_turns_it == "off":  # for this run: the next start has what the file says
                anna.presence_token = anna.confirm_presence().json()["token"]
                assert anna.change("/disable").status_code == 200
            else:
                mfa_token = anna.mfa_token()
                assert anna.mfa(mfa_token, methods["recoveryCodes"], "k6lg-lv3r-sh3v-ermk").status_code == 200
        clock.sleep_ns(60 * NS)


def test_whom_a_file_does_not_list_there_is_the_demo_s(clock, tmp_path):
    (file := tmp_path / "tenant.toml").write_text('[tenant]\nname = "Nearly empty"')
    with start_authority(clock, dialect="extrahorizon", config=file) as running:
        (client,) = running.listed_tenant.clients
        assert (client.name, client.grants) == ("Stoa app", ("password", "refresh_token", "mfa"))
        assert running.control.authenticators(running.tenant.demo_user) == []
        assert running.control.access_token_lifetime_s == 86_400  # the file's own default


@pytest.mark.parametrize(("mfa_enabled", "enabled"), [(None, True), (True, True), (False, False)])
def test_what_the_file_leaves_out_stays_as_the_user_has_it(guarded, store, mfa_enabled, enabled):
    settings = UserSettings(guarded.tenant.demo_user, guarded.tenant.demo_password, mfa_enabled=mfa_enabled)
    put_users(store, [settings], only=True)
    assert guarded.setting()["enabled"] is enabled


@pytest.mark.parametrize("factors", ["", '[[users.authenticators]]\nfactor = "sms"\nname = "+15550100123"'])
def test_it_cannot_be_on_without_codes(factors):
    text = f'[[users]]\nusername = "anna@stoa.example"\nmfa_enabled = true\n{factors}'
    expected = "3: users[0].mfa_enabled: wants a factor that shows codes; add a [[users.authenticators]] of factor otp"
    assert problems(text) == [expected]
    assert "must be true or false" in problems(text.replace("true", '"yes"'))[0]


def test_who_is_in_the_file_no_more_leaves_nothing_behind(guarded, store):
    guarded.sign_in(password="wrong")
    assert all(store.find(kind) for kind in (UserMfa, PresenceToken, PasswordTries))
    put_users(store, [UserSettings("ben@stoa.example")], only=True)
    assert not any(store.find(kind) for kind in (UserMfa, PresenceToken, PasswordTries))


# What goes wrong, and who may ask.


def test_faults_strike_at_these_addresses(clock):
    with start_authority(clock, dialect="extrahorizon") as running, httpx2.Client(base_url=running.issuer) as http:
        account = Account(http, running.tenant, clock)
        account.keep(account.sign_in())
        control = running.control
        paths = ["", "/methods", f"/methods/{'0' * 24}/verification/confirm", "/enable"]
        of_mfa = [PRESENCE, *(account.path(each) for each in paths)]
        for endpoint, struck in (("token", [TOKENS]), ("mfa", of_mfa), ("userinfo", ["/users/v1/me"])):
            control.set_fault(RateLimit(endpoint, wait_s=7))
            for path in struck:
                limited = http.post(path, json={})
                assert (limited.status_code, limited.headers["retry-after"]) == (429, "7")
                assert refused_once(limited) == "TOO_MANY_REQUESTS_EXCEPTION"
            control.lift_faults()
            control.set_fault(LoseReply(endpoint, "after", times=1))
            with pytest.raises(httpx2.RemoteProtocolError):
                http.post(struck[-1], json={})
            control.set_fault(StatusReply(endpoint, 503, times=1, client_id=running.tenant.client_id))
            assert http.post(struck[-1], json={"client_id": "another"}).status_code < 500
            bearer = {"Authorization": f"Bearer {account.access_token}"}
            mine = http.post(struck[-1], json={"client_id": running.tenant.client_id}, headers=bearer)
            assert mine.status_code == 503


def refused_once(reply) -> str:
    body = reply.json()
    assert body.keys() == {"code", "name", "message"}
    return body["name"]


def test_a_lost_reply_to_a_right_code_has_let_in(clock):
    """The token is spent by it, and so is the code: a client that asks again hears so, and begins anew."""
    with start_authority(clock, dialect="extrahorizon") as running, httpx2.Client(base_url=running.issuer) as http:
        account = Account(http, running.tenant, clock)
        account.keep(account.sign_in())
        account.set_up()
        mfa_token, code = account.mfa_token(), account.recovery["codes"][0]
        running.control.set_fault(LoseReply("token", "after", times=1))
        with pytest.raises(httpx2.RemoteProtocolError):
            account.mfa(mfa_token, account.recovery, code)
        assert refused(account.mfa(mfa_token, account.recovery, code)) == (400, 131, "INVALID_MFA_TOKEN_EXCEPTION")
        assert running.control.tally()["families_live"] == 2


def test_a_fault_that_could_never_strike_is_refused(clock):
    with start_authority(clock, dialect="extrahorizon") as running:
        there = {"token", "userinfo", "mfa", "discovery", "api"}
        for endpoint in ENDPOINTS:
            if endpoint in there:
                running.control.set_fault(RateLimit(endpoint))
            else:
                with pytest.raises(InvalidSetting, match="it has token, userinfo, mfa, discovery, api"):
                    running.control.set_fault(RateLimit(endpoint))


def test_scripts_of_a_client_s_own_origin_may_ask(account, store, tenant):
    client = store.get(Client, tenant.client_id)
    assert client is not None
    store.put(replace(client, web_origins=ORIGIN))
    asked = {"Access-Control-Request-Headers": "authorization,content-type,x-user-agent"}
    for method, path in (
        ("POST", TOKENS),
        ("POST", PRESENCE),
        ("POST", account.path("/enable")),
        ("GET", account.path()),
    ):
        before = account.http.options(
            path, headers={"Origin": ORIGIN, "Access-Control-Request-Method": method, **asked}
        )
        assert (before.status_code, before.headers.get("access-control-allow-origin")) == (200, ORIGIN), path
        after = account.ask(method, path, {}, Origin=ORIGIN)
        assert after.headers["access-control-allow-origin"] == ORIGIN
        evil = account.ask(method, path, {}, Origin="https://evil.example")
        assert "access-control-allow-origin" not in evil.headers


def test_its_demo_user_has_no_second_factor_and_its_client_asks_for_passwords(clock):
    with start_authority(clock, dialect="extrahorizon") as running:
        assert running.tenant.totp_secret == ""
        assert running.control.authenticators(running.tenant.demo_user) == []
        (client,) = running.listed_tenant.clients
        assert client.grants == ("password", "refresh_token", "mfa")
        assert running.control.access_token_lifetime_s == 300
    with start_authority(clock, dialect="extrahorizon", access_token_ttl=60) as running:
        assert running.control.access_token_lifetime_s == 60
    with pytest.raises(AuthorityError, match="one of auth0, okta, rfc, extrahorizon"):
        start_authority(clock, dialect="extra-horizon")


def test_what_is_set_up_outlives_a_restart_and_a_snapshot_has_it(clock, tmp_path):
    secret, user_id = "", ""
    for run in range(2):
        options = {"dialect": "extrahorizon", "database": tmp_path / "stoa.sqlite"}
        with start_authority(clock, **options) as running, httpx2.Client(base_url=running.issuer) as http:
            account = Account(http, running.tenant, clock)
            if run == 0:
                account.keep(account.sign_in())
                before = running.snapshot()
                account.set_up()
                secret, user_id = account.totp["secret"], account.user_id
                after = running.snapshot()
                running.restore(before)
                assert account.setting()["methods"] == []
                running.restore(after)
            else:
                asked = account.sign_in().json()["mfa"]
                (totp,) = (each for each in asked["methods"] if each["type"] == "totp")
                granted = account.mfa(asked["token"], totp, pyotp.TOTP(secret).at(clock.now_ns() // NS))
                assert granted.json()["user_id"] == user_id
        clock.sleep_ns(60 * NS)


# The log and the document.


def test_no_secret_is_in_any_event(guarded, authority):
    mfa_token, wrong = guarded.mfa_token(), guarded.wrong_code()
    guarded.mfa(mfa_token, guarded.totp, wrong)
    guarded.mfa(mfa_token, guarded.totp, wrong)
    guarded.clock.sleep_ns(SECOND_NS)
    guarded.mfa(mfa_token, guarded.recovery, guarded.recovery["codes"][0])
    guarded.sign_in(password="a wrong guess")
    logged = repr([(each.kind, each.client_id, each.user_id, each.detail) for each in authority.events.newest(100)])
    secrets = {mfa_token, wrong, guarded.totp["secret"], guarded.presence_token, *guarded.recovery["codes"]}
    secrets |= {guarded.access_token, guarded.refresh_token, guarded.tenant.demo_password, "a wrong guess"}
    assert [secret for secret in secrets if secret in logged] == []
    kinds = [each.kind for each in reversed(authority.events.newest(100))]
    assert kinds == [
        "password_exchanged",
        "enrolment_started",
        "enrolment_started",
        "enrolment_completed",
        "mfa_enabled",
        "mfa_required",
        "mfa_failed",
        "mfa_delayed",
        "mfa_succeeded",
        "login_failed",
        "password_exchange_failed",
    ]


def test_its_real_replies_are_as_described(authority, tenant, clock):
    app = create_app(authority, quote_of_day, dialect="extrahorizon")
    document = documents.document(ISSUER, documents.operations(DIALECTS["extrahorizon"], controlled=False))
    with Conforming(app, ISSUER, document) as http:
        account = Account(http, tenant, clock)
        account.keep(account.sign_in())
        account.set_up()
        account.setting()
        account.ask("GET", "/users/v1/me")
        mfa_token = account.mfa_token()
        for method, code in ((account.totp, account.wrong_code()), (account.totp, "x"), ({"id": "x"}, "x")):
            account.mfa(mfa_token, method, code)
        clock.sleep_ns(SECOND_NS)
        account.mfa(mfa_token, {"id": "x"}, "x")
        account.mfa(mfa_token, account.totp, account.next_code())
        account.mfa(mfa_token, account.totp, "spent")
        account.remove(account.totp)
        account.remove({"id": "x"})
        account.remove({"id": "0" * 24})
        account.ask("GET", account.path(user_id="0" * 24))
        account.verify(account.totp, "x")
        account.add("sms")
        account.change("/disable")
        account.presence_token = "x"
        account.change("/enable")
        account.token(client_id=None, grant_type="refresh_token", refresh_token="x")
        account.token(client_id="nobody", grant_type="refresh_token", refresh_token="x")
        account.token(grant_type="refresh_token", refresh_token="x")
        account.token(grant_type="x")
        account.sign_in(password="wrong")
        account.sign_in()
        account.confirm_presence()
        http.post(TOKENS, content=b"x" * 70_000)
        http.get("/users/v1/me")
        clock.sleep_ns(300 * NS)
        account.ask("GET", account.path())
        http.get("/auth/v2/health")
    assert {status for status, _ in http.answered} == {200, 400, 401, 404, 413}
    assert {error for status, error in http.answered if error} == {
        *("mfa_required", "invalid_grant", "invalid_request", "invalid_client", "unsupported_grant_type")
    }
