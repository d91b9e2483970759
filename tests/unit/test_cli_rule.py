"""`stoa rule try`: what it prints and how it exits."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

RULES = Path(__file__).parents[1] / "authority" / "scripts"
REFRESH = ("--protocol", "oauth2-refresh-token")
DISPLAY = ("--client-metadata", "device_type=display")


def tried(file: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "host_tools.cli", "rule", "try", str(file), *options]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


def written(folder: Path, text: str) -> Path:
    file = folder / "script.js"
    file.write_text(text)
    return file


@pytest.mark.parametrize(
    ("name", "options", "decision"),
    [
        ("challenges_everything", REFRESH, "challenge"),
        ("spares_displays", (*REFRESH, *DISPLAY), "policy"),
        ("spares_displays", REFRESH, "challenge"),
        ("spares_displays", DISPLAY, "challenge"),
        ("step_up", ("--client", "app", "--scope", "transfer:funds"), "challenge"),
        ("step_up", ("--client", "app", "--scope", "view:balance"), "policy"),
    ],
)
def test_what_is_decided(name, options, decision):
    run = tried(RULES / f"{name}.js", *options, "--json")
    assert (run.returncode, run.stderr) == (0, "")
    told = json.loads(run.stdout)
    assert told["decision"] == decision
    assert told["kind"] == ("action" if name == "step_up" else "rule")


def test_it_is_told_in_words(tmp_path):
    script = "function (user, context, callback) { console.log('seen', context.protocol, '\\u001b[31m');"
    script += " context.multifactor = {provider: 'guardian', allowRememberBrowser: false};"
    script += " context.accessToken['https://x/a'] = [1]; callback(null, user, context); }"
    run = tried(written(tmp_path, script))
    assert (run.returncode, run.stderr) == (0, "")
    assert run.stdout.splitlines() == [
        "console: seen oauth2-device-code ?[31m",
        "rule: A second factor is asked for, whatever the tenant's policy says.",
        "  factors: push, otp, sms",
        "  a browser that has given one: is asked again",
        '  access token: "https://x/a" = [1]',
    ]


def test_a_script_that_fails_exits_with_one_and_says_where(tmp_path):
    run = tried(written(tmp_path, "function (u, c, callback) {\n  for (;;);\n}"))
    assert run.returncode == 1
    assert "  rule script: ran longer than 0.2 s (line 1)" in run.stdout.splitlines()  # that of the function
    told = json.loads(tried(written(tmp_path, "exports.onExecutePostLogin = 7"), "--json").stdout)
    assert (told["decision"], told["kind"]) == ("failed", "action")


def test_secrets_and_factors_are_handed_on(tmp_path):
    body = "api.access.deny([event.secrets.KEY, ...event.user.enrolledFactors.map((each) => each.type)].join())"
    file = written(tmp_path, f"exports.onExecutePostLogin = async (event, api) => {{ {body} }};")
    told = json.loads(tried(file, "--secret", "KEY=a=b", "--factor", "push", "--factor", "otp", "--json").stdout)
    assert (told["decision"], told["denied"]) == ("deny", "a=b,otp,push-notification")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--client-metadata", "device_type"), "takes NAME=VALUE, as device_type=display"),
        (("--client-metadata", "a=1", "--client-metadata", "a=2"), "names 'a' twice"),
        (("--factor", "face"), "--factor is one of otp, sms, email, push"),
    ],
)
def test_options_that_make_no_sense_are_told(options, said):
    run = tried(RULES / "step_up.js", *options)
    assert (run.returncode, run.stdout) == (1, "")
    assert said in run.stderr


@pytest.mark.parametrize(
    ("content", "said"),
    [(None, "cannot be read"), (b"", "is empty"), (b"\xff", "not UTF-8"), (b"x" * 102_401, "more than")],
)
def test_a_file_that_cannot_be_a_script_is_told(tmp_path, content, said):
    file = tmp_path / "script.js"
    if content is not None:
        file.write_bytes(content)
    run = tried(file)
    assert (run.returncode, run.stdout) == (1, "")
    assert re.match(r"stoa: .*script\.js ", run.stderr) and said in run.stderr
