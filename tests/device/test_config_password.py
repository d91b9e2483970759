"""`stoa config` and the Wi-Fi password: the ways it comes, and the ways it is not shown."""

from __future__ import annotations

import io
import sys

import pytest

from tests.device.configuring import ACCOUNT, PASSWORD, stoa, stoa_without_password, written


@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
def test_the_password_comes_by_a_file(tmp_path, end):
    path, file = tmp_path / "settings.toml", tmp_path / "password"
    file.write_text(PASSWORD + end, newline="")
    assert stoa_without_password(path, *ACCOUNT, "--no-check", "--password-file", file)[0] == 0
    assert written(path)["STOA_WIFI_PASSWORD"] == PASSWORD


def test_the_password_comes_by_a_pipe(tmp_path, monkeypatch):
    path = tmp_path / "settings.toml"
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"correct horse\n")))
    assert stoa_without_password(path, *ACCOUNT, "--no-check", "--password-stdin")[0] == 0
    assert written(path)["STOA_WIFI_PASSWORD"] == PASSWORD


def test_an_open_network_has_none(tmp_path):
    path = tmp_path / "settings.toml"
    assert stoa(path, *ACCOUNT, "--no-check", "--open-network")[0] == 0
    assert written(path)["STOA_WIFI_PASSWORD"] == ""


def test_the_password_comes_one_way_only(tmp_path):
    code, _, err = stoa_without_password(tmp_path / "settings.toml", "--open-network", "--password-stdin")
    assert code == 1 and "only one of them" in err


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"\xff\xfe", "is not UTF-8"),
        (b"correct horse\ncorrect horse\n", "has a control character"),
        (b"short\n", "is not 8 to 64 characters long"),
    ],
)
def test_a_file_that_holds_no_password(tmp_path, content, said):
    file = tmp_path / "password"
    file.write_bytes(content)
    code, _, err = stoa_without_password(tmp_path / "settings.toml", *ACCOUNT, "--no-check", "--password-file", file)
    assert code == 1 and said in err


def test_no_password_file(tmp_path):
    file = tmp_path / "password"
    code, _, err = stoa_without_password(tmp_path / "settings.toml", *ACCOUNT, "--no-check", "--password-file", file)
    assert code == 2 and "--password-file" in err


def test_there_is_no_option_with_the_password_itself(tmp_path):
    assert stoa_without_password(tmp_path / "settings.toml", "--password", "x")[0] == 2


def test_a_password_that_goes_is_shown_to_go(tmp_path):
    path = tmp_path / "settings.toml"
    stoa(path, *ACCOUNT, "--no-check")
    out = stoa_without_password(path, "--no-check", "--open-network")[1]
    assert out.splitlines()[:2] == ['- STOA_WIFI_PASSWORD = "********"', '+ STOA_WIFI_PASSWORD = ""']
