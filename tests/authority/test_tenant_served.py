"""A server that runs the tenant of docs/tenant-file.md's example, met over HTTP; and `stoa serve --config`."""

from __future__ import annotations

import json
import os
import queue
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx2
import pyotp
import pytest

from host_tools.authority import AuthorityError, RunningAuthority, Snapshot, start_authority
from host_tools.authority.tenant_file import load
from host_tools.authority.tenant_settings import TenantFileError
from host_tools.clock import NS, VirtualClock
from host_tools.rehearsal.person import approve

from .conftest import DEVICE_CODE_GRANT, START_NS, quote_of_day

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "tenant-file.md").read_text(encoding="utf-8")
EXAMPLE = re.search(r"```toml\n(.+?)```", PAGE, re.DOTALL).group(1)
RECOVERY_GRANT = "http://auth0.com/oauth/grant-type/mfa-recovery-code"
SECRET = "Wq3-u0_cIIhbnVrFVxEyAXx8"
IN_THE_FILE = ("an unlikely word", "K6LGLV3RSH3VERMKET8L7QKU", "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP", SECRET)


@dataclass(frozen=True)
class House:
    """The example's tenant, and what people and devices do with it."""

    authority: RunningAuthority
    clock: VirtualClock
    snapshot: Snapshot
    file: Path

    def post(self, path: str, **fields: Any) -> httpx2.Response:
        auth = fields.pop("auth", None)
        return httpx2.post(f"{self.authority.issuer}{path}", data=fields, auth=auth)

    def begun(self, client_id: str) -> dict[str, Any]:
        return self.post("oauth/device/code", client_id=client_id).json()

    def paired(self, client_id: str) -> str:
        """A refresh token, once Anna has allowed the display."""
        begun = self.begun(client_id)
        code = pyotp.TOTP("JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP").at(self.clock.now_ns() // NS)
        approve(begun["verification_uri"], begun["user_code"], "anna@stoa.example", "an unlikely word", lambda: code)
        fields = {"grant_type": DEVICE_CODE_GRANT, "device_code": begun["device_code"], "client_id": client_id}
        token: str = self.post("oauth/token", **fields).json()["refresh_token"]
        return token

    def refresh(self, client_id: str, token: str) -> httpx2.Response:
        return self.post("oauth/token", grant_type="refresh_token", client_id=client_id, refresh_token=token)

    def client_id(self, name: str) -> str:
        return next(each.client_id for each in self.authority.listed_tenant.clients if each.name == name)


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    file = tmp_path_factory.mktemp("tenant") / "tenant.toml"
    file.write_text(EXAMPLE, encoding="utf-8")
    clock = VirtualClock(START_NS)
    with start_authority(clock, config=file, quote_of_day=quote_of_day) as authority:
        yield House(authority, clock, authority.snapshot(), file)


@pytest.fixture
def house(started: House) -> House:
    started.authority.restore(started.snapshot)
    started.clock.set_ns(started.snapshot.taken_at)
    return started


def test_the_example_is_what_it_looks_like(house):
    settings = load(house.file)
    assert [user.username for user in settings.users] == ["anna@stoa.example", "ben@stoa.example"]
    assert [client.name for client in settings.clients] == ["Kitchen display", "Hall display", "The house's app"]
    assert settings.webhooks == ("http://127.0.0.1:9000/messages",)
    assert house.authority.listed_tenant.name == settings.name == "Our house"
    assert house.authority.tenant.client_id == house.client_id("Kitchen display")
    assert house.authority.control.access_token_lifetime_s == 3600


def test_codes_are_of_the_mask_and_found_by_whoever_types_them(house):
    begun = house.begun("hall")
    assert re.fullmatch(r"\d{3}-\d{3}-\d{3}", begun["user_code"])
    assert (begun["expires_in"], begun["interval"]) == (900, 5)
    assert house.paired("hall")


def test_a_client_that_does_not_rotate_keeps_its_token_for_ever(house):
    kitchen = house.client_id("Kitchen display")
    token = house.paired(kitchen)
    house.authority.set_mfa("never")
    for _ in range(3):
        house.clock.sleep_ns(400 * 86_400 * NS)
        answer = house.refresh(kitchen, token)
        assert answer.status_code == 200
        assert "refresh_token" not in answer.json()
        assert answer.json()["expires_in"] == 3600


def test_a_strict_policy_challenges_refreshes_and_says_what_would_do(house):
    token = house.paired("hall")
    refused = house.refresh("hall", token)
    assert (refused.status_code, refused.json()["error"]) == (403, "mfa_required")
    kinds = {each["type"] for each in refused.json()["mfa_requirements"]["challenge"]}
    assert kinds == {"otp", "phone", "recovery-code"}
    house.authority.set_mfa("always")  # nothing else is turned by that
    assert house.refresh("hall", token).status_code == 403
    house.authority.control.set_mfa("always", strict=False)
    assert house.refresh("hall", token).status_code == 200


def test_a_token_that_nobody_uses_ends_and_one_that_is_used_lives_to_its_lifetime(house):
    token = house.paired("hall")
    house.authority.set_mfa("never")
    for _ in range(17):  # 29 days and 18 hours, in steps of just below two days
        house.clock.sleep_ns((172_800 - 21_600) * NS)
        answer = house.refresh("hall", token)
        assert answer.status_code == 200
        token = answer.json()["refresh_token"]
    house.clock.sleep_ns(86_400 * NS)
    assert house.refresh("hall", token).json()["error"] == "invalid_grant"
    house.authority.restore(house.snapshot)
    house.clock.set_ns(house.snapshot.taken_at)
    token = house.paired("hall")
    house.authority.set_mfa("never")
    house.clock.sleep_ns((172_800 - 1) * NS)
    token = house.refresh("hall", token).json()["refresh_token"]
    house.clock.sleep_ns(172_800 * NS)
    assert house.refresh("hall", token).json()["error"] == "invalid_grant"


def test_the_token_before_the_newest_is_taken_within_its_leeway(house):
    token = house.paired("hall")
    house.authority.set_mfa("never")
    assert house.refresh("hall", token).status_code == 200
    house.clock.sleep_ns(59 * NS)
    assert house.refresh("hall", token).status_code == 200
    house.clock.sleep_ns(1 * NS)
    assert house.refresh("hall", token).json()["error"] == "invalid_grant"


def test_a_confidential_client_needs_its_secret_in_the_body_or_by_basic(house):
    house.authority.set_mfa("never")
    person = {"grant_type": "password", "username": "anna@stoa.example", "password": "an unlikely word"}

    def asked(**fields: Any) -> httpx2.Response:
        return house.post("oauth/token", **person, **fields)

    for refused in (
        asked(client_id="house-app"),
        asked(client_id="house-app", client_secret="wrong"),
        asked(auth=("house-app", "wrong")),
    ):
        assert (refused.status_code, refused.json()["error"]) == (401, "invalid_client")
    in_body = asked(client_id="house-app", client_secret=SECRET)
    by_basic = asked(auth=("house-app", SECRET))
    assert (in_body.status_code, by_basic.status_code) == (200, 200), in_body.text
    assert in_body.json()["scope"] == "read:quotes"
    assert house.post("oauth/device/code", client_id="house-app", client_secret=SECRET).json()["error"] == (
        "unauthorized_client"
    )
    assert asked(client_id="hall").json()["error"] == "unauthorized_client"


def test_a_recovery_code_of_the_file_lets_in_once(house):
    app = {"client_id": "house-app", "client_secret": SECRET}
    person = {"username": "anna@stoa.example", "password": "an unlikely word"}

    def recovered() -> httpx2.Response:
        challenged = house.post("oauth/token", grant_type="password", **app, **person)
        fields = {"mfa_token": challenged.json()["mfa_token"], "recovery_code": "K6LGLV3RSH3VERMKET8L7QKU"}
        return house.post("oauth/token", grant_type=RECOVERY_GRANT, **app, **fields)

    assert recovered().json().keys() >= {"access_token", "recovery_code"}
    assert recovered().json()["error"] == "invalid_grant"


def test_revoking_one_token_of_the_grant_ends_the_other(house):
    one, other = house.paired("hall"), None
    house.clock.sleep_ns(60 * NS)
    other = house.paired("hall")
    house.authority.set_mfa("never")
    assert house.post("oauth/revoke", client_id="hall", token=one).status_code == 200
    assert house.refresh("hall", other).json()["error"] == "invalid_grant"


def test_lifetime_and_interval_of_a_device_code_are_the_files(tmp_path):
    file = tmp_path / "tenant.toml"
    file.write_text("[device_flow]\nlifetime_s = 60\ninterval_s = 9\n", encoding="utf-8")
    clock = VirtualClock(START_NS)
    with start_authority(clock, config=file, quote_of_day=quote_of_day) as authority:
        client = {"client_id": authority.tenant.client_id}
        begun = httpx2.post(f"{authority.issuer}oauth/device/code", data=client).json()
        assert (begun["expires_in"], begun["interval"]) == (60, 9)
        fields = client | {"grant_type": DEVICE_CODE_GRANT, "device_code": begun["device_code"]}

        def polled() -> str:
            answer: str = httpx2.post(f"{authority.issuer}oauth/token", data=fields).json()["error"]
            return answer

        assert polled() == "authorization_pending"
        clock.sleep_ns(8 * NS)
        assert polled() == "slow_down"
        clock.sleep_ns(52 * NS)
        assert polled() == "expired_token"


@pytest.fixture
def posted() -> Iterator[tuple[str, queue.Queue[dict[str, Any]]]]:
    """The address of a subscriber, and what is posted to it."""
    arrived: queue.Queue[dict[str, Any]] = queue.Queue()

    class Subscriber(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            arrived.put(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *told: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Subscriber) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/messages", arrived
        server.shutdown()
        thread.join()


def test_the_subscribers_of_the_file_and_those_named_are_told_of_messages(tmp_path, posted):
    url, arrived = posted
    file = tmp_path / "tenant.toml"
    file.write_text(
        f"""
        mfa.policy = "always"
        outbox.subscribers = [{{ url = "{url}" }}]
        [[users]]
        username = "anna@stoa.example"
        password = "hers"
        authenticators = [{{ factor = "sms", name = "+15550100123" }}]
        [[clients]]
        client_id = "app"
        grants = ["password", "mfa"]
        """,
        encoding="utf-8",
    )
    with start_authority(VirtualClock(START_NS), config=file, webhooks=[f"{url}?named"]) as running:
        app = {"client_id": "app"}
        person = {"grant_type": "password", "username": "anna@stoa.example", "password": "hers"}
        held = httpx2.post(f"{running.issuer}oauth/token", data=app | person).json()["mfa_token"]
        asked = httpx2.post(f"{running.issuer}mfa/challenge", json=app | {"mfa_token": held, "challenge_type": "oob"})
        assert asked.status_code == 200, asked.text
        messages = [arrived.get(timeout=60), arrived.get(timeout=60)]
    assert [message["recipient"] for message in messages] == ["+15550100123"] * 2
    assert messages[0]["message_id"] == messages[1]["message_id"]


def test_what_is_asked_for_by_name_goes_before_the_file(house):
    with start_authority(
        VirtualClock(0), 0, None, "never", 60, config=house.file, quote_of_day=quote_of_day
    ) as running:
        mfa = running.control.mfa
        assert (mfa.mode, mfa.strict, running.control.access_token_lifetime_s) == ("never", True, 60)
    with pytest.raises(AuthorityError, match="an access token lifetime of 0 s is none; give 1 or more"):
        start_authority(VirtualClock(0), access_token_ttl=0, config=house.file)


def test_the_rfc_dialect_answers_at_its_own_addresses(house):
    with start_authority(
        VirtualClock(START_NS), dialect="rfc", config=house.file, quote_of_day=quote_of_day
    ) as running:
        found = httpx2.get(f"{running.issuer}.well-known/oauth-authorization-server").json()
        assert found["token_endpoint"] == f"{running.issuer}token"
        begun = httpx2.post(found["device_authorization_endpoint"], data={"client_id": "hall"}).json()
        fields = {"grant_type": DEVICE_CODE_GRANT, "device_code": begun["device_code"], "client_id": "hall"}
        pending = httpx2.post(found["token_endpoint"], data=fields)
        assert (pending.status_code, pending.json()["error"]) == (400, "authorization_pending")
        assert httpx2.post(f"{running.issuer}oauth/token", data=fields).status_code == 404
    with pytest.raises(AuthorityError, match="dialect is 'saml'; it must be one of auth0, okta, rfc"):
        start_authority(VirtualClock(START_NS), dialect="saml")


def test_a_file_that_is_wrong_is_told_before_anything_is_made(tmp_path):
    file, database = tmp_path / "tenant.toml", tmp_path / "stoa.sqlite"
    file.write_text("[mfa]\npolcy = 1\n", encoding="utf-8")
    with pytest.raises(TenantFileError, match=r"tenant.toml:2: mfa.polcy: is not known; is it policy\?"):
        start_authority(VirtualClock(0), database=database, config=file)
    assert not database.exists()


def test_with_a_database_the_file_decides_who_is_there(tmp_path, house):
    database = tmp_path / "stoa.sqlite"
    with start_authority(VirtualClock(START_NS), database=database) as demo:
        demo_client = demo.tenant.client_id
    with start_authority(
        VirtualClock(START_NS), database=database, config=house.file, quote_of_day=quote_of_day
    ) as one:
        kitchen, secret = one.tenant.client_id, one.listed_tenant.users[1].authenticators[0].totp_secret
        gone = httpx2.post(f"{one.issuer}oauth/device/code", data={"client_id": demo_client})
        assert gone.json()["error"] == "invalid_client"
        assert [each.secret for each in one.control.authenticators("ben@stoa.example")] == ["", secret]
    with start_authority(
        VirtualClock(START_NS), database=database, config=house.file, quote_of_day=quote_of_day
    ) as two:
        assert two.tenant.client_id == kitchen
        assert two.listed_tenant.users[1].authenticators[0].totp_secret == secret


# The command.


def stoa(*arguments: str, folder: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "host_tools.cli", "serve", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )


def until(process: subprocess.Popen[str], last: str) -> str:
    """What it prints, up to the line that begins so; then it is ended."""
    told = ""
    for line in process.stdout:
        told += line
        if line.startswith(last):
            break
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode == 0
    return told


def test_the_command_lists_all_and_prints_no_secret_of_the_file(tmp_path, house):
    told = until(stoa("--json", "--config", str(house.file), "--dialect", "rfc", folder=tmp_path), "{")
    listed = json.loads(told)
    assert [user["username"] for user in listed["users"]] == ["anna@stoa.example", "ben@stoa.example"]
    assert "password" not in listed["users"][0]
    assert len(listed["users"][1]["password"]) == 16
    assert [client["client_id"] for client in listed["clients"][1:]] == ["hall", "house-app"]
    assert listed["client_id"] == listed["clients"][0]["client_id"]
    assert listed["demo_password"] == listed["totp_secret"] == ""
    spoken = until(stoa("--config", house.file.name, folder=house.file.parent), "Requests")
    assert spoken.startswith("Our house, of tenant.toml:\n")
    assert re.search(
        r"^  user +ben@stoa.example, password \S{16}, factor push, totp_secret [A-Z2-7]{32}$", spoken, re.M
    )
    assert re.search(r"^  client +hall, Hall display$", spoken, re.MULTILINE)
    assert "demo_password" not in spoken
    for secret in IN_THE_FILE:
        assert secret not in told + spoken


def test_the_command_tells_each_problem_on_a_line_of_its_own(tmp_path):
    (tmp_path / "tenant.toml").write_text("[mfa]\npolcy = 1\nstrict = 1\n", encoding="utf-8")
    process = stoa("--config", "tenant.toml", folder=tmp_path)
    told, said = process.communicate(timeout=60)
    assert (process.returncode, told) == (1, "")
    assert said.splitlines() == [
        "stoa: tenant.toml:2: mfa.polcy: is not known; is it policy? known here are policy, strict, factors,"
        " tell_requirements, untrusted, confidence",
        "stoa: tenant.toml:3: mfa.strict: is 1; it must be true or false",
    ]


def test_without_a_file_nothing_is_loaded_to_read_one(tmp_path):
    program = (
        "import sys\n"
        "from host_tools.authority import start_authority\n"
        "from host_tools.clock import VirtualClock\n"
        "with start_authority(VirtualClock(0)):\n"
        "    print([name for name in sys.modules if name.partition('.')[0] == 'tomlkit' or 'tenant_file' in name])\n"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT)
    assert ran.stdout == "[]\n"
