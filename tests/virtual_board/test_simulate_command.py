"""`stoa simulate --days` and `--fault` as a user or a script runs them: real processes, real exit codes."""

import json
import os
import signal
import socket
import subprocess
import sys

import pytest
from PIL import Image

KEYS = {
    "wakes",
    "max_wakes_per_day",
    "panel_refreshes",
    "http_requests",
    "nvm_writes",
    "days_with_todays_quote",
    "charge_mah_per_day",
    "battery_days",
}


def command(*arguments):
    return [sys.executable, "-m", "host_tools.cli", "simulate", *arguments]


def simulate(*arguments, cwd):
    environment = {**os.environ, "PYTHONPATH": os.getcwd(), "COLUMNS": "100"}
    return subprocess.run(command(*arguments), capture_output=True, text=True, cwd=cwd, env=environment, timeout=110)


def only_line(text):
    (line,) = text.splitlines()
    return line


def test_days_as_one_line_of_json_and_a_picture(tmp_path):
    result = simulate(
        *("--days", "8", "--clock", "virtual", "--json", "--plot", "days.png"),
        *("--fault", "dns@2-3", "--fault", "brown-out@5", "--mfa", "rule@7-", "--away", "7-"),
        cwd=tmp_path,
    )
    assert result.returncode == 0, result.stderr
    figures = json.loads(only_line(result.stdout))
    assert set(figures) >= KEYS
    assert (figures["days"], figures["complete"]) == (8, True)
    assert figures["days_with_todays_quote"] == 4
    assert figures["wakes_by_reason"]["brown-out"] == 1
    assert figures["codes_shown"] > figures["approvals"] == 1
    assert [path.name for path in tmp_path.iterdir()] == ["days.png"]
    with Image.open(tmp_path / "days.png") as picture:
        assert (picture.format, picture.mode) == ("PNG", "RGB")


def test_days_in_words(tmp_path):
    result = simulate("--days", "2", cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert "today's quote    on 2 of 2 days" in result.stdout
    assert "420 mAh last" in result.stdout
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("ends_by", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_days_and_tells_what_there_was(tmp_path, ends_by):
    environment = {**os.environ, "PYTHONPATH": os.getcwd()}
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    arguments = command("--days", "3660", "--json", "--plot", "days.png")
    process = subprocess.Popen(arguments, cwd=tmp_path, env=environment, start_new_session=True, **streams)
    # The first word on its progress, ten seconds on: by then some days are over.
    assert process.stderr.readline().startswith("day ")
    os.killpg(process.pid, ends_by)
    told, errors = process.communicate(timeout=60)
    figures = json.loads(only_line(told))
    assert "Traceback" not in errors
    assert process.returncode == 130
    assert figures["complete"] is False
    assert 0 < figures["days"] == figures["days_with_todays_quote"] < 3660
    assert (tmp_path / "days.png").stat().st_size > 10_000


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--days", "5", "--clock", "real"], ["virtual time", "leave out --clock real"]),
        (["--days", "5", "--issuer", "http://127.0.0.1:1"], ["--days brings its own authority", "leave out --issuer"]),
        (["--days", "5", "--state", "board"], ["leave out --state"]),
        (["--days", "5", "--plot", "no/days.png"], ["cannot write no/days.png", "choose another --plot"]),
        (["--days", "5", "--fault", "wifi-abscent"], ["did you mean wifi-absent?"]),
        (["--days", "5", "--fault", "dns@7"], ["day 7 is not in this run of 5 days"]),
        (["--plot", "days.png"], ["for a run of --days alone", "leave out --plot"]),
        (["--once"], ["--state and --panel-png are needed", "--days"]),
        (
            ["--state", "s", "--panel-png", "p.png", "--clock", "virtual", "--mfa", "on"],
            ["never, always, adaptive, rule"],
        ),
        (
            ["--state", "s", "--panel-png", "p.png", "--issuer", "http://x", "--client-id", "c", "--mfa", "rule"],
            ["--mfa is for an authority of its own", "--clock virtual"],
        ),
    ],
)
def test_a_users_mistake_is_one_line_and_a_failure(tmp_path, arguments, words):
    result = simulate(*arguments, cwd=tmp_path)
    assert result.returncode == 1
    line = only_line(result.stderr)
    assert line.startswith("stoa: ")
    for word in words:
        assert word in line
    assert list(tmp_path.iterdir()) == []


def test_the_faults_are_listed(tmp_path):
    result = simulate("--fault", "help", cwd=tmp_path)
    assert result.returncode == 0
    assert "truncate:BYTES: " in result.stdout


KEPT = ("--clock", "virtual", "--state", "board", "--panel-png", "panel.png", "--once")


def test_a_fault_strikes_a_board_that_is_kept(tmp_path):
    lost = simulate(*KEPT, "--fault", "power:call:40:before", cwd=tmp_path)
    assert lost.returncode == 0, lost.stderr
    report = json.loads(only_line(lost.stdout))
    assert (report["reason"], report["next_wake"]) == ("power lost", None)
    well = json.loads(only_line(simulate(*KEPT, cwd=tmp_path).stdout))
    assert (well["screen"], well["woken_by"]) == ("quote", "power on")
    absent = simulate(*KEPT, "--fault", "wifi-absent", cwd=tmp_path)
    assert absent.returncode == 3
    report = json.loads(only_line(absent.stdout))
    assert (report["reason"], report["woken_by"]) == ("wifi", "alarm")


def test_a_board_that_is_kept_stays_paired(tmp_path):
    first = simulate(*KEPT, cwd=tmp_path)
    assert "name=pairing" in first.stderr
    second = simulate(*KEPT, cwd=tmp_path)
    assert second.returncode == 0, second.stderr
    report = json.loads(only_line(second.stdout))
    assert (report["woken_by"], report["reason"], report["screen"]) == ("alarm", "daily", "quote")
    assert "name=pairing" not in second.stderr


def test_a_port_that_is_taken_is_another_issuer(tmp_path):
    simulate(*KEPT, cwd=tmp_path)
    with socket.create_server(("127.0.0.1", int((tmp_path / "board" / "authority.port").read_text()))):
        moved = simulate(*KEPT, cwd=tmp_path)
    assert moved.returncode == 0, moved.stderr
    assert "name=pairing" in moved.stderr
    assert json.loads(only_line(moved.stdout))["screen"] == "quote"


def test_a_fault_that_does_not_strike_is_told(tmp_path):
    result = simulate(*KEPT, "--fault", "hang:wifi.conect", "--fault", "power:flash:99:torn", cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert json.loads(only_line(result.stdout))["faults_missed"] == ["hang:wifi.conect", "power:flash:99:torn"]
    assert "--fault hang:wifi.conect has not struck: " in result.stderr


def test_mfa_from_the_start_with_an_authority_of_its_own(tmp_path):
    result = simulate(*KEPT, "--mfa", "always", cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert json.loads(only_line(result.stdout))["screen"] == "quote"
