"""A push rehearsed as docs/commands.md has it: two commands, a person with a browser, and their phone."""

import json
import subprocess

import httpx2
import pytest

from host_tools.rehearsal.person import approve
from tests.virtual_board.running_command import stoa

PAIRS = "it asks a person to open "
RINGS = "it asks a person to approve on their phone"


@pytest.fixture
def served(tmp_path):
    """What `stoa serve` has printed, and a client of its control API."""
    with stoa("serve", "--access-token-ttl", "3600", "--json", cwd=tmp_path, stderr=subprocess.DEVNULL) as serving:
        told = json.loads(serving.stdout.readline())
        bearer = {"Authorization": f"Bearer {told['control_token']}"}
        with httpx2.Client(base_url=told["control_url"], headers=bearer) as control:
            yield told, control


def one_wake(told, folder, answered):
    """A wake of the display: its report, and what was said. answered: how a line begins -> what is done about it."""
    options = ("--issuer", told["issuer"], "--client-id", told["client_id"])
    with stoa("simulate", *options, "--state", "board", "--panel-png", "panel.png", "--once", cwd=folder) as display:
        said = []
        for line in display.stderr:
            said.append(line.rstrip())
            for beginning, do in answered.items():
                if line.startswith(beginning):
                    do(line.rstrip())
        report = display.stdout.read()
        display.wait(20)
    assert display.returncode == 0, said
    return json.loads(report), said


@pytest.mark.parametrize(("says_yes", "outcome", "codes"), [(True, "granted", 0), (False, "denied", 1)])
def test_a_display_a_person_and_a_phone(served, tmp_path, says_yes, outcome, codes):
    told, control = served
    asked = []

    def opens(line):
        asked.append(line)
        # Or the page would want a one-time code too.
        assert control.put("/mfa", json={"mode": "never"}).status_code == 200
        uri, _, code = line.removeprefix(PAIRS).partition(" and to enter ")
        approve(uri, code, told["demo_user"], told["demo_password"], lambda: "none is asked for")

    def taps(line):
        assert control.post("/pushes", json={"approve": says_yes}).status_code == 200

    report, _ = one_wake(told, tmp_path, {PAIRS: opens})
    assert (report["screen"], len(asked)) == ("quote", 1)

    path = f"/users/{told['demo_user']}/authenticators"
    assert control.post(path, json={"factor": "push"}).status_code == 200
    assert control.put("/mfa", json={"mode": "rule"}).status_code == 200
    report, said = one_wake(told, tmp_path, {RINGS: taps, PAIRS: opens})
    assert (report["screen"], len(asked)) == ("quote", 1 + codes)
    assert said.count(RINGS) == 1
    assert any(line.startswith("stoa push ") and f"outcome={outcome}" in line for line in said)
