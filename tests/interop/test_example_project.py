"""The pytest plugin as others have it: in the wheel of this checkout, in a project that is not ours.

The environment of its own sees the packages that Stoa needs, but not this checkout.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import pytest

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "docs" / "example-project"
PAGE = ROOT / "docs" / "testing-your-client.md"


@dataclass(frozen=True)
class Ran:
    """A run of pytest: its exit code, all it said, and of each test what is wrong with it ("" for nothing)."""

    exit_code: int
    said: str
    tests: dict[str, str]


@dataclass(frozen=True)
class Installed:
    """An environment in which Stoa is the wheel."""

    wheel: Path
    python: Path

    def run(self, folder: Path, *arguments: str) -> Ran:
        junit = folder / "junit.xml"
        ran = subprocess.run(
            [self.python, "-m", "pytest", "-p", "no:cacheprovider", f"--junitxml={junit}", *arguments],
            cwd=folder,
            env=_environment(),
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )
        tests: dict[str, str] = {}
        for case in ElementTree.parse(junit).iter("testcase"):
            wrong = [each.get("message", "") for each in case if each.tag in ("failure", "error", "skipped")]
            name = case.attrib["name"]
            tests[name] = "; ".join(filter(None, (tests.get(name), *wrong)))
        return Ran(ran.returncode, ran.stdout + ran.stderr, tests)

    def say(self, folder: Path, program: str) -> str:
        said = subprocess.run(
            [self.python, "-c", program], cwd=folder, env=_environment(), capture_output=True, text=True, check=True
        )
        return said.stdout.strip()


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "PYTHON"))}


def _pip(*arguments: str | Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "pip", *arguments, "--quiet", "--no-index", "--no-deps", "--disable-pip-version-check"],
        check=True,
        capture_output=True,
    )


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    made = tmp_path_factory.mktemp("installed")
    _pip("wheel", "--no-build-isolation", "--wheel-dir", made, ROOT)
    (wheel,) = made.glob("*.whl")
    venv = made / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", venv], check=True)
    python = venv / "bin" / "python"
    _pip("--python", python, "install", wheel)
    # After the wheel, and by its name: what .pth files in there say is not done, so that the checkout stays unseen.
    site = Path(sysconfig.get_path("purelib", vars={"base": str(venv)}))
    (site / "needed.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return Installed(wheel, python)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return Path(shutil.copytree(EXAMPLE, tmp_path / "doorplate", ignore=shutil.ignore_patterns("__pycache__")))


def wrong(ran: Ran) -> set[str]:
    return {name for name, message in ran.tests.items() if message}


def test_the_wheel_has_every_file_of_the_package(installed: Installed) -> None:
    there = {path for path in (ROOT / "host_tools").rglob("*") if path.is_file() and "__pycache__" not in path.parts}
    assert {".html", ".css", ".toml"} <= {path.suffix for path in there}
    packed = set(zipfile.ZipFile(installed.wheel).namelist())
    assert not {str(path.relative_to(ROOT)) for path in there} - packed


def test_what_is_imported_is_the_wheel(installed: Installed, project: Path) -> None:
    file = installed.say(project, "import host_tools.pytest_plugin as plugin; print(plugin.__file__)")
    assert Path(file).is_relative_to(installed.python.parents[1])
    path = installed.say(project, "import sys; print(*sys.path, sep='\\n')").splitlines()
    assert str(ROOT) not in path


@pytest.mark.parametrize("options", [(), ("-n2",)], ids=["alone", "two workers"])
def test_the_example_passes(installed: Installed, project: Path, options: tuple[str, ...]) -> None:
    ran = installed.run(project, "-W", "error", *options)
    assert (ran.exit_code, wrong(ran)) == (0, set()), ran.said
    assert len(ran.tests) >= 13


def test_the_page_runs_as_pasted(installed: Installed, project: Path) -> None:
    for at, block in enumerate(re.findall(r"^```python\n(.*?)^```", PAGE.read_text(), re.DOTALL | re.MULTILINE)):
        (project / "tests" / f"test_page_{at}.py").write_text(block)
    ran = installed.run(project, *(str(path) for path in sorted((project / "tests").glob("test_page_*.py"))))
    assert (ran.exit_code, wrong(ran)) == (0, set()), ran.said
    assert len(ran.tests) == 7


# Of the example's client: what is there, what a forgetful author would have written, and the test that notices.
BUGS = {
    "drops the token at mfa_required": (
        'if error == "invalid_grant":',
        'if error in {"invalid_grant", *NEEDS_PERSON}:',
        "test_at_mfa_required_the_token_is_kept",
    ),
    "keeps the token that was rotated away": (
        'answer.get("refresh_token", self.refresh_token)',
        'self.refresh_token or answer["refresh_token"]',
        "test_a_token_that_was_rotated_is_kept",
    ),
    "asks too often": ("self._sleep(interval)", "self._sleep(1)", "test_it_asks_no_sooner_than_it_may"),
    "does not slow down": ("interval += SLOW_DOWN_S", "pass", "test_told_to_slow_down_it_does"),
    "takes silence for a no": (
        'raise TryLater(f"no answer: {silent}") from silent',
        'return {"error": "invalid_grant"}',
        "test_a_lost_reply_is_forgiven_within_the_leeway",
    ),
}


@pytest.mark.parametrize("bug", BUGS)
def test_a_bug_in_the_client_is_found(installed: Installed, project: Path, bug: str) -> None:
    right, mistaken, test = BUGS[bug]
    client = project / "doorplate.py"
    assert client.read_text().count(right) == 1
    client.write_text(client.read_text().replace(right, mistaken))
    ran = installed.run(project, f"tests/test_doorplate.py::{test}")
    assert (ran.exit_code, wrong(ran)) == (1, {test}), ran.said
    assert "- stoa authority -" in ran.said


FAILING = """
import json
import urllib.error
import urllib.request
from pathlib import Path

from test_doorplate import glass, plate


def test_fails(stoa_authority, glass, plate):
    plate.read(stoa_authority.api_url)
    stoa_authority.sleep(86_400)
    stoa_authority.control.set_mfa("rule")
    plate.read(stoa_authority.api_url)
    try:
        urllib.request.urlopen(stoa_authority.issuer + plate.refresh_token)
    except urllib.error.HTTPError as refused:
        refused.close()
    told = stoa_authority.tenant.totp_secret, stoa_authority.password, stoa_authority.running.control_token
    Path("secrets.json").write_text(json.dumps([*told, *glass.codes, Path(plate._tokens_file).read_text()]))
    assert False
"""


def test_a_failure_tells_what_the_authority_was_asked_and_no_secret(installed: Installed, project: Path) -> None:
    (project / "tests" / "test_fails.py").write_text(FAILING)
    ran = installed.run(project, "tests/test_fails.py::test_fails")
    assert wrong(ran) == {"test_fails"}, ran.said
    section = ran.said.split("- stoa authority -")[1].split("short test summary")[0]
    for line in (
        r"http://127\.0\.0\.1:\d+/ at \S+Z, mfa rule; seconds since the test began",
        r"      5  200  POST /oauth/token",
        r"  86405  403  POST /oauth/token",
        r"  86410  404  GET  /\(\.\.\.\)",
        r"  86405  mfa_required  oauth2-refresh-token client \S+ \S+",
        r"  86405  login_succeeded  \S+",
    ):
        assert re.search(f"^{line}$", section, re.MULTILINE), (line, section)
    *secrets, tokens = json.loads((project / "secrets.json").read_text())
    secrets += [json.loads(tokens)[name] for name in ("access_token", "refresh_token")]
    assert len(secrets) == 7
    assert not [secret for secret in secrets if secret in section]


# What is written above a test that asks for `stoa_authority`, and what it is answered.
MISTAKES = {
    '@pytest.mark.stoa(dialekt="rfc")': "@pytest.mark.stoa: dialekt is no option of stoa_authority; there are dialect, "
    "config, tls, clock, mfa",
    '@pytest.mark.stoa("rfc")': "@pytest.mark.stoa takes options by name alone: dialect, config, tls, clock, mfa",
    '@pytest.mark.stoa(dialect="saml")': "stoa_authority: dialect is 'saml'; it must be one of auth0, okta, rfc",
    '@pytest.mark.stoa(mfa="sometimes")': "stoa_authority: mfa is 'sometimes'; it must be one of never, always",
    '@pytest.mark.stoa(clock="sundial")': "@pytest.mark.stoa: clock is 'sundial'; it must be one of virtual, real",
    '@pytest.mark.stoa(tls="yes")': "@pytest.mark.stoa: tls is 'yes'; it must be True or False",
    "@pytest.mark.stoa(config=True)": "@pytest.mark.stoa: config is True; it must be the path of a tenant file",
    '@pytest.mark.stoa(config="none.toml")': "none.toml: cannot be read (No such file or directory)",
    '@pytest.mark.stoa(config="wrong.toml")': "wrong.toml:2: mfa.policy: is 'perhaps'; it must be one of",
    '@pytest.mark.parametrize("stoa_options", [{"tsl": 1}])': "the fixture stoa_options: tsl is no option of",
    '@pytest.mark.parametrize("stoa_options", ["rfc"])': "the fixture stoa_options gives a str; give a dict of dialect",
}


@pytest.fixture(scope="module")
def mistaken(installed: Installed, tmp_path_factory: pytest.TempPathFactory) -> Ran:
    folder = tmp_path_factory.mktemp("mistaken")
    (folder / "wrong.toml").write_text('[mfa]\npolicy = "perhaps"\n')
    tests = [f"{mistake}\ndef test_{at}(stoa_authority): ..." for at, mistake in enumerate(MISTAKES)]
    (folder / "test_mistakes.py").write_text("\n".join(["import pytest", *tests]))
    return installed.run(folder)


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistaken_option_is_told(mistaken: Ran, mistake: str) -> None:
    at = list(MISTAKES).index(mistake)
    ((name, message),) = ((name, told) for name, told in mistaken.tests.items() if name.split("[")[0] == f"test_{at}")
    assert "UsageError" in message and MISTAKES[mistake] in message, name


IDLE = """
import sys

def test_what_is_loaded():
    assert {name for name in sys.modules if name.startswith("host_tools")} == WANTED
"""
LIGHT = {"host_tools", *(f"host_tools.pytest_plugin{of}" for of in ("", ".authority", ".options"))}


@pytest.mark.parametrize(("options", "loaded"), [((), LIGHT), (("-p", "no:stoa"), set())], ids=["with it", "without"])
def test_who_does_not_use_it_hardly_has_it(
    installed: Installed, tmp_path: Path, options: tuple[str, ...], loaded: set[str]
) -> None:
    (tmp_path / "test_idle.py").write_text(IDLE.replace("WANTED", repr(loaded)))
    ran = installed.run(tmp_path, "-W", "error", "--strict-config", "--strict-markers", *options)
    assert (ran.exit_code, wrong(ran)) == (0, set()), ran.said


INI = """
import pytest

def test_all_of_it(stoa_authority):
    assert (stoa_authority.username, stoa_authority.password) == ("anna@stoa.example", "an unlikely word")
    assert stoa_authority.issuer.startswith("https:")
    assert stoa_authority.control.mfa.mode == "always"
    assert not stoa_authority.control.clock_can_be_set

@pytest.mark.stoa(config=None, tls=False, clock="virtual", mfa=None)
def test_none_of_it(stoa_authority):
    assert stoa_authority.username == "demo@stoa.example"
    assert stoa_authority.issuer.startswith("http:")
    assert stoa_authority.control.mfa.mode == "never"
    assert stoa_authority.control.clock_can_be_set
"""


def test_the_ini_file_says_it_for_all(installed: Installed, tmp_path: Path) -> None:
    (tmp_path / "tests").mkdir()
    (tmp_path / "house.toml").write_text('[[users]]\nusername = "anna@stoa.example"\npassword = "an unlikely word"\n')
    (tmp_path / "pytest.ini").write_text(
        "[pytest]\nstoa_config = house.toml\nstoa_tls = true\nstoa_mfa = always\nstoa_clock = real\n"
    )
    (tmp_path / "tests" / "test_ini.py").write_text(INI)
    ran = installed.run(tmp_path)
    assert (ran.exit_code, wrong(ran)) == (0, set()), ran.said
