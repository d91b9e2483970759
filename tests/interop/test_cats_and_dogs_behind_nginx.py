"""seeds/004, section 5: curl asks a real nginx, which asks the gateway by `auth_request`.

> GET /catsdogs/ should require no authentication. GET /catsdogs/dogs/ should require the OAuth token in the previous
> step. GET /catsdogs/cats/ will work until the MFA timeout in the policy expires. Then you'll need to either invalidate
> your session with Cloudentity and log in again, or using our API force an update of the OTP.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx2
import pytest

from host_tools.authority import RunningAuthority, examples, start_authority
from host_tools.clock import NS, VirtualClock
from tests.interop import nginx

CLIENT = "catsdogs"
WITH_FACTOR = ("diogenes@stoa.example", "out of my sun")
WITHOUT = ("hipparchia@stoa.example", "no house at all")
BARE_CHALLENGE = 'Bearer realm="catsdogs"'
STALE = (
    'Bearer realm="catsdogs", error="insufficient_user_authentication",'
    ' error_description="More recent authentication is required",'
    ' acr_values="http://schemas.openid.net/pape/policies/2007/06/multi-factor", max_age="60"'
)


@dataclass(frozen=True)
class Reply:
    status: int
    body: str
    headers: dict[str, list[str]] = field(default_factory=dict)

    @property
    def challenges(self) -> list[str]:
        return self.headers.get("www-authenticate", [])


@dataclass
class Street:
    """curl before nginx before the gateway."""

    authority: RunningAuthority
    clock: VirtualClock
    socket: Path
    http: httpx2.Client

    def get(self, path: str, token: str | None = None, *options: str) -> Reply:
        bearer = [] if token is None else ["-H", f"Authorization: Bearer {token}"]
        command = ["curl", "-s", "-i", "--path-as-is", "--unix-socket", str(self.socket), *bearer, *options]
        told = subprocess.run([*command, f"http://localhost{path}"], capture_output=True, check=True, timeout=30)
        head, _, body = told.stdout.decode().partition("\r\n\r\n")
        first, *lines = head.split("\r\n")
        headers: dict[str, list[str]] = {}
        for line in lines:
            name, _, value = line.partition(": ")
            headers.setdefault(name.lower(), []).append(value)
        return Reply(int(first.split()[1]), body, headers)

    def log_in(self, username: str, password: str) -> str:
        """The tutorial's step 4: a token, by the password and, of who has one, the code that was mailed."""
        fields = {"client_id": CLIENT, "username": username, "password": password}
        reply = self.http.post("/oauth/token", data={"grant_type": "password", **fields})
        if reply.status_code == 403:
            mfa_token = reply.json()["mfa_token"]
            asked = {"client_id": CLIENT, "mfa_token": mfa_token, "challenge_type": "oob"}
            oob_code = self.http.post("/mfa/challenge", data=asked).json()["oob_code"]
            given = {"client_id": CLIENT, "mfa_token": mfa_token, "oob_code": oob_code, "binding_code": self.mailed()}
            grant_type = "http://auth0.com/oauth/grant-type/mfa-oob"
            reply = self.http.post("/oauth/token", data={"grant_type": grant_type, **given})
        assert reply.status_code == 200, reply.text
        return str(reply.json()["access_token"])

    def mailed(self) -> str:
        """The code of the newest e-mail."""
        control = {"Authorization": f"Bearer {self.authority.control_token}"}
        (newest, *_) = self.http.get("/control/messages", headers=control).json()["messages"]
        return re.search("[0-9]{6}", newest["text"])[0]

    def renew(self, token: str) -> None:
        """ "Using our API force an update of the OTP"."""
        bearer = {"Authorization": f"Bearer {token}"}
        begun = self.http.post("/gateway/otp", headers=bearer)
        assert (begun.status_code, begun.json()["factor"]) == (202, "email")
        finished = self.http.post("/gateway/otp/verify", headers=bearer, data={"code": self.mailed()})
        assert finished.status_code == 200, finished.text

    def passes(self, seconds: int) -> None:
        self.clock.sleep_ns(seconds * NS)


@pytest.fixture(params=["session-rfc9470", "session-bare", "auth_time-rfc9470", "auth_time-bare"])
def options(request) -> tuple[str, str]:
    freshness, refusal = request.param.split("-")
    return freshness, refusal


@contextmanager
def opened(copy: Path, policy: dict[str, str], config: dict[str, str] | None = None) -> Iterator[Street]:
    """A copy of the example, in whose policy and nginx.conf something stands for something else."""
    assert shutil.which("curl"), "curl is missing; install it"
    shutil.copytree(examples.folder("catsdogs"), copy)
    rules = copy / "catsdogs.policy.toml"
    rules.write_text(changed(rules.read_text(), policy))
    clock = VirtualClock.starting_now()
    with start_authority(clock, config=copy / "tenant.toml") as authority:
        listens = {"127.0.0.1:8000": "{listen}", "http://127.0.0.1:8080": authority.issuer.rstrip("/")}
        text = changed((copy / "nginx.conf").read_text(), listens | (config or {}))
        with nginx.running(text, copy) as socket, httpx2.Client(base_url=authority.issuer) as http:
            yield Street(authority, clock, socket, http)


def changed(text: str, instead: dict[str, str]) -> str:
    for was, now in instead.items():
        assert was in text, was
        text = text.replace(was, now)
    return text


@pytest.fixture
def street(options, tmp_path) -> Iterator[Street]:
    """The example, with the policy's two options as asked for."""
    freshness, refusal = options
    policy = {'freshness = "session"': f'freshness = "{freshness}"', 'refusal = "rfc9470"': f'refusal = "{refusal}"'}
    with opened(tmp_path / "example", policy) as running:
        yield running


def test_the_tutorial_is_walked(street, options):
    freshness, refusal = options
    stale = Reply(401, "", {"www-authenticate": [STALE]}) if refusal == "rfc9470" else Reply(403, "")

    def refused(reply: Reply) -> bool:
        return (reply.status, reply.challenges) == (stale.status, stale.challenges) and "Bastet" not in reply.body

    # Anonymous.
    assert street.get("/catsdogs/").status == 200
    for path in ("/catsdogs/dogs/", "/catsdogs/cats/"):
        reply = street.get(path)
        assert (reply.status, reply.challenges) == (401, [BARE_CHALLENGE])
    # A token, with a factor of now.
    token = street.log_in(*WITH_FACTOR)
    assert street.get("/catsdogs/dogs/", token).body == "Argos, Cerberus, Maira\n"
    assert street.get("/catsdogs/cats/", token).body == "Bastet, Felix, Tybalt\n"
    street.passes(60)
    assert street.get("/catsdogs/cats/", token).status == 200
    # Stale: the dogs are as before.
    street.passes(1)
    assert refused(street.get("/catsdogs/cats/", token))
    assert street.get("/catsdogs/dogs/", token).status == 200
    # An OTP by the API: it renews the session, and not what the token says.
    street.renew(token)
    assert street.get("/catsdogs/cats/", token).status == (200 if freshness == "session" else stale.status)
    street.passes(61)
    assert refused(street.get("/catsdogs/cats/", token))
    # Logging in again does for both.
    assert street.get("/catsdogs/cats/", street.log_in(*WITH_FACTOR)).status == 200


def test_who_has_no_second_factor_meets_dogs_alone(street, options):
    token = street.log_in(*WITHOUT)
    assert street.get("/catsdogs/dogs/", token).status == 200
    assert street.get("/catsdogs/cats/", token).status == (401 if options[1] == "rfc9470" else 403)


@pytest.mark.parametrize("options", [("session", "rfc9470")])
@pytest.mark.parametrize(
    "path",
    [
        "/catsdogs/dogs/..%2fcats/",
        "/catsdogs/dogs/%2e%2e/cats/",
        "/catsdogs/dogs/../cats/",
        "/catsdogs//cats/",
        "/catsdogs/./cats/",
        "/catsdogs/cats/index.html",
        "/catsdogs/cats/%00",
        "/catsdogs/%63ats/?/catsdogs/dogs/",
        "/catsdogs/nobody",
        "/catsdogs",
    ],
)
def test_no_other_spelling_of_the_path_leads_to_the_cats(street, path):
    """A token without a factor, for whom the cats are not: by what nginx makes of the path it may be the cats'."""
    reply = street.get(path, street.log_in(*WITHOUT))
    assert reply.status in (400, 401, 403, 404)
    assert "Bastet" not in reply.body


@pytest.mark.parametrize("options", [("session", "rfc9470")])
def test_what_is_malformed_is_refused_and_is_no_500(street):
    token = street.log_in(*WITH_FACTOR)
    wrong = ["Bearer", "Bearer a b", "Bearer x", "Basic eA==", f"Bearer {token}x", f"bearer{token}"]
    for header in wrong:
        assert street.get("/catsdogs/dogs/", None, "-H", f"Authorization: {header}").status == 401
    assert street.get("/catsdogs/dogs/", token, "-H", f"Authorization: Bearer {token}").status in (400, 401)
    for method in ("POST", "PUT", "DELETE", "NONSENSE"):
        assert street.get("/catsdogs/dogs/", token, "-X", method).status in (403, 405)
    assert street.get("/catsdogs/dogs/", token, "-I").status == 200


# A token that is good for one use, at a folder: for its index nginx asks a second time within the same request.
ONCE = {'path = "/dogs/"': 'path = "/dogs/"\nonce = true'}
SAYS_WHICH = "proxy_set_header X-Request-ID $request_id;"


def test_a_token_that_is_good_once_has_a_folder_s_index_once(tmp_path):
    with opened(tmp_path / "example", ONCE) as street:
        token, other = street.log_in(*WITH_FACTOR), street.log_in(*WITHOUT)
        assert street.get("/catsdogs/dogs/", token).body == "Argos, Cerberus, Maira\n"
        for path in ("/catsdogs/dogs/", "/catsdogs/cats/"):
            reply = street.get(path, token)
            assert (reply.status, 'error="invalid_token"' in reply.challenges[0]) == (401, True)
        assert street.get("/catsdogs/dogs/", other).status == 200
        assert street.get("/catsdogs/dogs/", other).status == 401


def test_which_request_it_is_is_what_nginx_says_and_not_its_client(tmp_path):
    with opened(tmp_path / "example", ONCE) as street:
        token, named = street.log_in(*WITHOUT), ("-H", "X-Request-ID: mine")
        assert [street.get("/catsdogs/dogs/", token, *named).status for _ in range(2)] == [200, 401]
        # Nor is it the connection: of two requests on one, each is its own.
        and_again = ("-w", " %{http_code}", "http://localhost/catsdogs/dogs/")
        reply = street.get("/catsdogs/dogs/", street.log_in(*WITHOUT), *and_again)
        assert (reply.status, reply.body.endswith(" 401")) == (200, True)


def test_an_nginx_that_does_not_say_has_no_use_for_such_a_rule(tmp_path):
    """The index is one more use, and refused: this is what the line of nginx.conf is for."""
    with opened(tmp_path / "example", ONCE, {SAYS_WHICH: ""}) as street:
        assert street.get("/catsdogs/dogs/", street.log_in(*WITHOUT)).status == 401
