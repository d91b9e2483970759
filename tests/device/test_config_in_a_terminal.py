"""`stoa config` with somebody to ask: what no option gives is asked, what is there is the default."""

from __future__ import annotations

import pytest

from tests.device.configuring import ACCOUNT, PASSWORD, stoa, written
from tests.device.discovery_site import Site
from tests.device.terminal import Terminal


@pytest.fixture(autouse=True)
def no_password_around(monkeypatch):
    monkeypatch.delenv("STOA_WIFI_PASSWORD", raising=False)


def test_everything_is_asked_and_a_slip_asked_again(tmp_path):
    path = tmp_path / "settings.toml"
    with Terminal(["config", str(path), "--no-check"], TZ="Asia/Kolkata") as terminal:
        terminal.answer("Wi-Fi network", "porch")
        terminal.answer("empty for an open network", "tooshrt")
        terminal.until("is not 8 to 64 characters long")
        terminal.answer("empty for an open network", PASSWORD)
        terminal.answer("Issuer", "http://id.example")
        terminal.until("write https:// instead of http://")
        terminal.answer("Issuer", "https://id.example/")
        terminal.answer("Client id", "display")
        terminal.answer("Audience", "")
        terminal.answer("Address of today's quote", "https://api.example/quote")
        terminal.answer("[06:00]", "7:15")
        terminal.answer("[Asia/Kolkata]", "Europe/Belrin")
        terminal.until("did you mean Europe/Berlin")
        terminal.answer("[Asia/Kolkata]", "Europe/Berlin")
        assert terminal.end() == 0
    assert PASSWORD not in terminal.shown and "tooshrt" not in terminal.shown
    assert f"Written: {path}" in terminal.shown
    found = written(path)
    assert (found["STOA_WIFI_PASSWORD"], found["STOA_WAKE"], found["STOA_ISSUER"]) == (
        PASSWORD,
        "7:15",
        "https://id.example/",
    )
    assert found["STOA_TZ"] == "CET-1CEST,M3.5.0,M10.5.0/3" and "STOA_AUDIENCE" not in found


def test_what_is_there_stays_by_pressing_return(tmp_path):
    path = tmp_path / "settings.toml"
    stoa(path, *ACCOUNT, "--no-check", "--audience", "quotes", "--wake-at", "07:15", "--time-zone", "Europe/Berlin")
    before = path.read_bytes()
    with Terminal(["config", str(path), "--no-check", "--client-id", "other"]) as terminal:
        terminal.answer("[porch]", "")
        terminal.answer("empty keeps the one that is there", "")
        terminal.answer("[https://id.example/]", "")
        terminal.answer("[quotes]", "")
        terminal.answer("[https://api.example/quote]", "")
        terminal.answer("[07:15]", "")
        terminal.answer("[Europe/Berlin]", "")
        assert terminal.end() == 0
    assert PASSWORD not in terminal.shown and "Client id" not in terminal.shown
    assert path.read_bytes() == before.replace(b'"display"', b'"other"')


def test_how_a_password_goes_is_told_where_it_is_asked_for(tmp_path):
    path = tmp_path / "settings.toml"
    stoa(path, *ACCOUNT, "--no-check")
    given = [*ACCOUNT, "--no-check", "--audience", "", "--wake-at", "", "--time-zone", ""]
    with Terminal(["config", str(path), *given]) as terminal:
        terminal.answer("empty keeps the one that is there; --open-network takes it out", "")
        assert terminal.end() == 0
    stoa(path, "--no-check", "--open-network", password=None)
    with Terminal(["config", str(path), *given]) as terminal:
        terminal.answer("empty for an open network", "")
        assert terminal.end() == 0
    assert written(path)["STOA_WIFI_PASSWORD"] == ""


def test_a_dash_leaves_out_what_may_be_left_out(tmp_path):
    path = tmp_path / "settings.toml"
    stoa(path, *ACCOUNT, "--no-check", "--audience", "quotes")
    given = [*ACCOUNT, "--no-check", "--wake-at", "06:00", "--time-zone", "UTC"]
    with Terminal(["config", str(path), *given], STOA_WIFI_PASSWORD=PASSWORD) as terminal:
        terminal.answer("[quotes]", "-")
        assert terminal.end() == 0
    assert "STOA_AUDIENCE" not in written(path)


@pytest.mark.parametrize(("answer", "code"), [("n", 1), ("y", 0)])
def test_an_issuer_that_cannot_be_used_is_asked_about(tmp_path, answer, code):
    path = tmp_path / "settings.toml"
    with Site() as site:
        given = [*ACCOUNT, "--issuer", site.issuer, "--audience", "a", "--wake-at", "06:00", "--time-zone", "UTC"]
        with Terminal(["config", str(path), *given], STOA_WIFI_PASSWORD=PASSWORD) as terminal:
            terminal.until("there is no discovery document, status 404")
            terminal.answer("Write the settings all the same?", answer)
            assert terminal.end() == code
    assert path.exists() == (code == 0)


@pytest.mark.parametrize("key", ["\x03", "\x04"], ids=["Ctrl-C", "Ctrl-D"])
@pytest.mark.parametrize("at", ["Wi-Fi network", "Wi-Fi password"])
def test_going_away_writes_nothing(tmp_path, key, at):
    path = tmp_path / "settings.toml"
    with Terminal(["config", str(path)]) as terminal:
        if at == "Wi-Fi password":
            terminal.answer("Wi-Fi network", "porch")
        terminal.until(at)
        terminal.until(": ")
        assert terminal.end(key) == 130
    assert not path.exists() and "Traceback" not in terminal.shown


def test_with_yes_nothing_is_asked(tmp_path):
    path = tmp_path / "settings.toml"
    with Terminal(["config", str(path), *ACCOUNT, "--no-check", "--yes"], STOA_WIFI_PASSWORD=PASSWORD) as terminal:
        assert terminal.end() == 0
    assert path.exists()


def test_it_is_not_read_from_a_terminal_that_shows_it(tmp_path):
    with Terminal(["config", str(tmp_path / "settings.toml"), "--password-stdin"]) as terminal:
        assert terminal.end() == 1
    assert "here what you type is shown" in terminal.shown
