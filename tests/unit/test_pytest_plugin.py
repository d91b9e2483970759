"""What `stoa_authority` gives to a test, and that nothing of one test is there in the next."""

from __future__ import annotations

import ssl
import time
from pathlib import Path
from types import SimpleNamespace

import httpx2
import pyotp
import pytest

from host_tools.authority import LoseReply, NotNow, SlowDown
from host_tools.clock import RealClock, VirtualClock
from host_tools.pytest_plugin import Answered, StoaAuthority
from host_tools.pytest_plugin import servers as module_of_servers
from host_tools.pytest_plugin.account import account
from host_tools.pytest_plugin.options import Options
from host_tools.pytest_plugin.servers import Servers
from host_tools.rehearsal.person import PersonStuck

DEVICE_CODE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"
MFA_OTP_GRANT = "http://auth0.com/oauth/grant-type/mfa-otp"
UNUSED = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
HOUSE = """
[mfa]
policy = "always"

[[users]]
username = "anna@stoa.example"
password = "an unlikely word"
authenticators = [{ factor = "otp" }]

[[users]]
username = "ben@stoa.example"
authenticators = []
"""


def post(authority: StoaAuthority, endpoint: str, **fields: str) -> dict[str, str]:
    """What a device hears there. endpoint: its name in the metadata."""
    # A context without any CA is made in no time.
    trust = ssl.create_default_context(cafile=authority.ca_file) if authority.ca_file else UNUSED
    with httpx2.Client(base_url=authority.issuer, verify=trust) as http:
        address = http.get(".well-known/openid-configuration").json()[endpoint]
        heard: dict[str, str] = http.post(address, data={"client_id": authority.client_id, **fields}).json()
    return heard


def ask(authority: StoaAuthority) -> dict[str, str]:
    """What a device is given to show."""
    return post(authority, "device_authorization_endpoint", scope=authority.scope)


def poll(authority: StoaAuthority, shown: dict[str, str]) -> str:
    """The error that the device hears, or "tokens"."""
    heard = post(authority, "token_endpoint", grant_type=DEVICE_CODE_GRANT, device_code=shown["device_code"])
    return heard.get("error", "tokens")


@pytest.fixture(scope="module")
def servers():
    made = Servers()
    yield made
    made.stop()


def test_nothing_of_one_test_is_in_the_next(servers: Servers) -> None:
    happened = []
    first = servers.lend(Options())
    user, issuer = first.username, first.issuer
    first.approve(ask(first)["user_code"])
    first.control.set_mfa("rule", strict=True)
    first.control.set_fault(SlowDown())
    first.control.enrol(user, "sms", "+15550100123")
    first.control.set_refresh_leeway(first.client_id, 60)
    first.control.set_access_token_lifetime(1)
    first.later(1000, lambda: happened.append("in the next test"))
    first.control.advance_clock(100)
    servers.take_back(first)

    second = servers.lend(Options())
    assert second.issuer == issuer  # the same server
    assert abs(second.time() - time.time()) < 60
    assert second.requests == [] and second.control.events() == [] and second.control.faults() == ()
    assert (second.control.mfa.mode, second.control.mfa.strict) == ("never", False)
    assert [each.factor for each in second.control.authenticators(user)] == ["otp"]
    assert second.control.client(second.client_id).refresh_leeway_s == 0
    assert second.control.access_token_lifetime_s == 86_400
    assert set(second.control.tally().values()) == {0}
    second.sleep(2000)
    assert happened == []
    servers.take_back(second)


@pytest.mark.parametrize(
    "options", [Options(), Options(tls=True), Options(mfa="rule"), Options("rfc", mfa="always")], ids=str
)
@pytest.mark.parametrize(("answer", "heard"), [("approve", "tokens"), ("deny", "access_denied")])
def test_a_person_answers(servers: Servers, options: Options, answer: str, heard: str) -> None:
    authority = servers.lend(options)
    shown = ask(authority)
    getattr(authority, answer)(shown["user_code"])
    assert poll(authority, shown) == heard
    servers.take_back(authority)


def test_a_person_comes_later(stoa_authority: StoaAuthority) -> None:
    shown = ask(stoa_authority)
    stoa_authority.later(7.5, lambda: stoa_authority.approve(shown["user_code"]))
    heard = []
    for _ in range(3):
        stoa_authority.sleep(5)
        heard.append(poll(stoa_authority, shown))
    assert heard == ["authorization_pending", "tokens", "invalid_grant"]
    polls = [each for each in stoa_authority.requests if each.path == "/oauth/token"]
    assert [(each.after_s, each.status) for each in polls] == [(5, 403), (10, 200), (15, 403)]


@pytest.mark.parametrize("answer", ["approve", "deny"])
@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"user_code": "BBBB-BBBB"}, "code"),
        ({"password": "wrong"}, "password"),
        ({"username": "nobody@stoa.example", "password": "x"}, "password"),
    ],
)
def test_a_person_who_gets_nowhere_says_why(
    stoa_authority: StoaAuthority, answer: str, changed: dict[str, str], said: str
) -> None:
    given = {"user_code": ask(stoa_authority)["user_code"], **changed}
    with pytest.raises(PersonStuck, match=said):
        getattr(stoa_authority, answer)(given.pop("user_code"), **given)


@pytest.fixture
def house(tmp_path: Path) -> Path:
    path = tmp_path / "house.toml"
    path.write_text(HOUSE)
    return path


@pytest.fixture
def stoa_options(request: pytest.FixtureRequest) -> dict[str, object]:
    """Overridden as a project would, for tests that have a tenant file."""
    return {"config": request.getfixturevalue("house")} if "house" in request.fixturenames else {}


def test_people_of_a_tenant_file(house: Path, stoa_authority: StoaAuthority) -> None:
    assert (stoa_authority.username, stoa_authority.password) == ("anna@stoa.example", "an unlikely word")
    shown = ask(stoa_authority)
    stoa_authority.approve(shown["user_code"])
    assert poll(stoa_authority, shown) == "tokens"
    stoa_authority.control.set_mfa("never")
    shown = ask(stoa_authority)
    stoa_authority.deny(shown["user_code"], username="ben@stoa.example")
    assert poll(stoa_authority, shown) == "access_denied"


def test_an_app_shows_codes_before_it_is_confirmed(house: Path, stoa_authority: StoaAuthority) -> None:
    ben = "ben@stoa.example"
    with pytest.raises(LookupError, match=r"ben@stoa\.example has no app .* control\.enrol"):
        stoa_authority.totp(ben)
    stoa_authority.control.set_mfa("never")
    shown = ask(stoa_authority)
    stoa_authority.approve(shown["user_code"], username=ben)
    tokens = post(stoa_authority, "token_endpoint", grant_type=DEVICE_CODE_GRANT, device_code=shown["device_code"])
    stoa_authority.control.set_mfa("rule")
    refused = post(stoa_authority, "token_endpoint", grant_type="refresh_token", refresh_token=tokens["refresh_token"])
    enrolled = httpx2.post(
        f"{stoa_authority.issuer}mfa/associate",
        json={"authenticator_types": ["otp"]},
        headers={"Authorization": f"Bearer {refused['mfa_token']}"},
    ).json()
    code = stoa_authority.totp(ben)
    assert code == pyotp.TOTP(enrolled["secret"]).at(int(stoa_authority.time()))
    granted = post(stoa_authority, "token_endpoint", grant_type=MFA_OTP_GRANT, mfa_token=refused["mfa_token"], otp=code)
    assert granted["access_token"]


def test_of_two_apps_the_confirmed_one_shows_the_code() -> None:
    later, now = (SimpleNamespace(factor="otp", secret=sign * 32, active=sign == "B") for sign in "AB")
    running = SimpleNamespace(control=SimpleNamespace(authenticators=lambda user: [later, now]))
    authority = StoaAuthority(running, VirtualClock(0), {}, [])
    assert authority.totp("anna@stoa.example") == pyotp.TOTP(now.secret).at(0)


def test_a_tenant_file_that_was_changed_is_read_again(servers: Servers, house: Path) -> None:
    for name in ("anna", "cleo"):
        house.write_text(HOUSE.replace("anna@", f"{name}@"))
        authority = servers.lend(Options(config=house))
        assert authority.username == f"{name}@stoa.example"
        servers.take_back(authority)


def test_there_are_never_many_servers(house: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module_of_servers, "_MOST", 2)
    servers = Servers()
    lent = []
    for mfa in ("never", "always", "never", "rule"):
        lent.append(servers.lend(Options(mfa=mfa)))
        servers.take_back(lent[-1])
    never, always, again, rule = (each.issuer for each in lent)
    assert never == again
    assert httpx2.get(f"{rule}activate").is_success and httpx2.get(f"{never}activate").is_success
    with pytest.raises(httpx2.ConnectError):  # the one that was not used for longest
        httpx2.get(f"{always}activate")
    servers.stop()


@pytest.mark.stoa(dialect="rfc", mfa="always")
class TestMarkers:
    def test_of_the_class(self, stoa_authority: StoaAuthority) -> None:
        assert stoa_authority.control.mfa.mode == "always"

    @pytest.mark.stoa(mfa="rule")
    def test_what_is_nearer_counts(self, stoa_authority: StoaAuthority) -> None:
        assert stoa_authority.control.mfa.mode == "rule"
        httpx2.post(f"{stoa_authority.issuer}mfa/challenge")
        assert stoa_authority.requests == [Answered(0, "POST", "/mfa/challenge", 404)]  # rfc still


@pytest.mark.stoa(clock="real")
def test_real_time_passes_by_itself(stoa_authority: StoaAuthority) -> None:
    assert abs(stoa_authority.time() - time.time()) < 5
    assert not stoa_authority.control.clock_can_be_set
    with pytest.raises(NotNow):
        stoa_authority.control.advance_clock(1)


def test_what_is_to_come_never_happens_in_the_next_test(servers: Servers, monkeypatch: pytest.MonkeyPatch) -> None:
    scheduled, happened = [], []
    monkeypatch.setattr(RealClock, "schedule", lambda clock, delay_ns, action: scheduled.append((delay_ns, action)))
    authority = servers.lend(Options(clock="real"))
    authority.later(1.5, lambda: happened.append("during"))
    ((delay_ns, action),) = scheduled
    action()
    servers.take_back(authority)
    action()
    assert (delay_ns, happened) == (1_500_000_000, ["during"])


def test_who_stops_the_server_is_told_and_the_next_has_another(servers: Servers) -> None:
    first = servers.lend(Options())
    first.running.stop()
    assert "has stopped" in account(first)
    with pytest.raises(NotNow, match="has stopped"):
        servers.take_back(first)
    second = servers.lend(Options())
    assert ask(second)["user_code"]
    servers.take_back(second)


def test_an_account_is_a_screenful(stoa_authority: StoaAuthority) -> None:
    assert account(stoa_authority).splitlines()[1:] == ["no request", "nothing in the log"]
    stoa_authority.control.set_fault(LoseReply("device_authorization", "before"))
    with httpx2.Client(base_url=stoa_authority.issuer) as http:
        for _ in range(60):
            http.get("nowhere/%1B[31m/" + "x" * 43)
        with pytest.raises(httpx2.RemoteProtocolError):
            http.post("oauth/device/code")
    lines = account(stoa_authority).splitlines()
    assert lines[1:3] == ["requests:", "    ... 21 before these"]
    assert lines[3] == "      0  404  GET  '/nowhere/\\x1b[31m/(...)'"
    assert lines[42] == "      0  no answer  POST /oauth/device/code"
    assert lines[44].startswith("fault ") and "LoseReply" in lines[44]
    assert len(lines) == 45
