"""`stoa config` by its options: what it writes, shows and refuses."""

from __future__ import annotations

import json
import stat

import pytest
import trustme

from host_tools.device.configuring.settings_check import check
from host_tools.device.configuring.settings_draft import QUESTIONS
from host_tools.device.finding import targets
from host_tools.device.finding.ports import Found
from host_tools.rehearsal.household import WIFI
from stoa import settings
from tests.device.configuring import ACCOUNT, PASSWORD, stoa, stoa_without_password, written
from tests.device.discovery_site import Site, server_context


def test_there_is_a_question_for_every_key_the_firmware_takes():
    assert {question.key for question in QUESTIONS} == {row[0] for row in settings.TABLE} | {"STOA_ALLOW_HTTP"}
    required = {row[0] for row in settings.TABLE if row[2] is settings.REQUIRED}
    assert {question.key for question in QUESTIONS if not question.may_be_left_out} == required


def test_what_it_writes_boots_the_virtual_board_to_its_pairing_screen(home, tmp_path):
    account, path = home.account, tmp_path / "settings.toml"
    options = ["--issuer", account.issuer, "--client-id", account.client_id, "--api", account.api]
    options += ["--audience", account.audience, "--scope", account.scope, "--ssid", WIFI.ssid]
    options += ["--time-zone", "Europe/Berlin", "--wake-at", "07:30"]
    code, _, err = stoa(path, *options, password=WIFI.password)
    assert (code, err) == (0, f"Asking {account.issuer}\n")
    assert check(path.read_bytes()) == []
    home.write_settings(path.read_bytes())
    home.wake_now()
    assert home.names() == ["pairing", "quote"]
    # 07:30 in Berlin, in winter, and a few minutes later for this display alone.
    home.wake()
    assert 6 * 60 + 30 <= home.clock.now_ns() // 60_000_000_000 % 1440 < 6 * 60 + 40


def test_a_new_file_is_its_owner_s_alone_and_sets_the_stack(tmp_path):
    path = tmp_path / "settings.toml"
    assert stoa(path, *ACCOUNT, "--no-check")[0] == 0
    assert written(path) == {
        "STOA_WIFI_SSID": "porch",
        "STOA_WIFI_PASSWORD": PASSWORD,
        "STOA_ISSUER": "https://id.example/",
        "STOA_CLIENT_ID": "display",
        "STOA_API": "https://api.example/quote",
    }
    assert b"\nCIRCUITPY_PYSTACK_SIZE = 4096\n" in path.read_bytes()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [entry.name for entry in tmp_path.iterdir()] == ["settings.toml"]


def test_what_changed_is_shown_and_the_rest_stays(tmp_path):
    path = tmp_path / "settings.toml"
    stoa(path, *ACCOUNT, "--no-check", "--audience", "quotes", "--time-zone", "Europe/Berlin")
    path.write_bytes(b"# Mine.\n" + path.read_bytes() + b'OTHER = "key" # kept\n')
    path.chmod(0o644)
    code, out, _ = stoa(path, "--no-check", "--client-id", "other", "--audience", "", "--time-zone", "EST5")
    assert code == 0
    assert out.splitlines() == [
        '- STOA_CLIENT_ID = "display"',
        '+ STOA_CLIENT_ID = "other"',
        '- STOA_AUDIENCE = "quotes"',
        '- STOA_TZ = "CET-1CEST,M3.5.0,M10.5.0/3"',
        '+ STOA_TZ = "EST5"',
        f"Written: {path}",
    ]
    text = path.read_bytes()
    assert text.startswith(b"# Mine.\n# Stoa's settings.") and text.endswith(b'OTHER = "key" # kept\n')
    # The zone's name went with its rule.
    assert b'STOA_TZ = "EST5"\n' in text and b"STOA_AUDIENCE" not in text
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_zone_s_name_stays_beside_its_rule_and_an_owner_s_comment_too(tmp_path):
    path = tmp_path / "settings.toml"
    stoa(path, *ACCOUNT, "--no-check", "--time-zone", "Europe/Berlin")
    assert b'STOA_TZ = "CET-1CEST,M3.5.0,M10.5.0/3" # Europe/Berlin\n' in path.read_bytes()
    path.write_bytes(path.read_bytes().replace(b"# Europe/Berlin", b"# where Grandmother lives"))
    stoa(path, "--no-check", "--time-zone", "Asia/Kolkata")
    assert b'STOA_TZ = "IST-5:30" # where Grandmother lives\n' in path.read_bytes()


def test_nothing_to_change_writes_nothing(tmp_path):
    path = tmp_path / "settings.toml"
    stoa(path, *ACCOUNT, "--no-check")
    before = path.stat().st_mtime_ns, path.stat().st_ino
    assert stoa(path, *ACCOUNT, "--no-check") == (0, f"Nothing to change: {path}\n", "")
    assert (path.stat().st_mtime_ns, path.stat().st_ino) == before


def test_an_owner_hears_that_another_account_pairs_anew(tmp_path):
    path, said = tmp_path / "settings.toml", "the display will ask to be paired anew\n"
    assert stoa(path, *ACCOUNT, "--no-check")[2] == ""
    # By the firmware's own rule: a slash at the end makes no other issuer.
    assert stoa(path, "--no-check", "--issuer", "https://id.example", "--audience", "quotes")[2] == ""
    assert stoa(path, "--no-check", "--client-id", "other")[2].endswith(said)
    assert stoa(path, "--no-check", "--issuer", "https://other.example/", "--json")[2].endswith(said)
    assert stoa(path, "--no-check")[2] == ""


def test_a_file_that_a_power_cut_left_without_its_content_is_written_anew(tmp_path):
    path = tmp_path / "settings.toml"
    path.write_bytes(b"\0" * 512)
    assert stoa(path, *ACCOUNT, "--no-check")[0] == 0
    assert path.read_bytes().startswith(b"# Stoa's settings.") and check(path.read_bytes()) == []


def test_a_file_with_nuls_and_more_is_left_alone(tmp_path):
    path = tmp_path / "settings.toml"
    path.write_bytes(b"# Mine.\n\0\0\0\n")
    code, _, err = stoa(path, *ACCOUNT, "--no-check")
    assert code == 1 and f"{path}, line 2 holds a NUL: put it right, or move the file away" in err
    assert path.read_bytes() == b"# Mine.\n\0\0\0\n"


def test_json_has_it_all_but_the_password(tmp_path):
    path = tmp_path / "settings.toml"
    code, out, _ = stoa(path, *ACCOUNT, "--no-check", "--json")
    told = json.loads(out)
    assert (code, told["written"], told["issuer"], told["target"]) == (0, True, None, str(path))
    assert {"key": "STOA_WIFI_PASSWORD", "old": None, "new": "********"} in told["changes"]
    assert {"key": "STOA_WIFI_SSID", "old": None, "new": "porch"} in told["changes"]


def test_without_a_terminal_what_is_missing_is_named_by_its_option(tmp_path):
    path = tmp_path / "settings.toml"
    code, _, err = stoa_without_password(path, "--no-check", "--ssid", "porch")
    assert code == 1 and err.count("\n") == 1
    for option in ("--password-stdin", "--issuer", "--client-id", "--api"):
        assert f"({option}" in err or f" {option}" in err
    assert "--ssid" not in err and "--audience" not in err
    assert not path.exists()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--issuer", "http://id.example/"], "STOA_ISSUER would send tokens unprotected: write https:// instead of"),
        (["--wake-at", "25:00"], 'STOA_WAKE is not a time of day: write "00:00" to "23:59"'),
        (["--time-zone", "Europe/Belrin"], "'Europe/Belrin' is no time zone; did you mean Europe/Berlin"),
        (["--scope", "openid"], "STOA_SCOPE lacks offline_access: add offline_access to it"),
        (["--client-id", "a\nb"], "the value for STOA_CLIENT_ID has a control character"),
        (["--ssid", "x" * 33], "STOA_WIFI_SSID is longer than 32 bytes"),
        (["--quiet-hours", "late"], "STOA_QUIET is not two times of day"),
        (["--push", "yes"], "STOA_PUSH is neither on nor off"),
        (["--ssid", ""], "STOA_WIFI_SSID is empty"),
    ],
)
def test_a_value_the_display_would_refuse_is_refused_in_its_words(tmp_path, options, said):
    path = tmp_path / "settings.toml"
    code, _, err = stoa(path, *ACCOUNT, "--no-check", *options)
    assert code == 1 and err.startswith(f"stoa: {said}") and err.count("\n") == 1
    assert not path.exists()


def test_plain_http_is_allowed_by_the_same_switch_as_on_the_display(tmp_path):
    path = tmp_path / "settings.toml"
    laboratory = [*ACCOUNT, "--issuer", "http://lab.example/", "--no-check"]
    assert stoa(path, *laboratory, "--allow-http")[0] == 0
    assert written(path)["STOA_ALLOW_HTTP"] == "1"
    code, _, err = stoa(path, "--no-allow-http", "--no-check")
    assert code == 1 and "STOA_ISSUER would send tokens unprotected" in err
    assert stoa(path, "--no-allow-http", "--issuer", "https://lab.example/", "--no-check")[0] == 0
    assert "STOA_ALLOW_HTTP" not in written(path)


def test_something_wrong_that_was_there_before_is_not_written_over_in_silence(tmp_path):
    path = tmp_path / "settings.toml"
    path.write_bytes(b"STOA_WAKE = soon\n")
    code, _, err = stoa(path, *ACCOUNT, "--no-check")
    # That is no TOML, either.
    assert code == 1 and f"{path}, line 1 is no TOML" in err
    path.write_bytes(b"STOA_WAKE = 'soon'\n")
    code, _, err = stoa(path, *ACCOUNT, "--no-check")
    assert code == 1 and "STOA_WAKE is on a line that CircuitPython cannot read" in err
    assert path.read_bytes() == b"STOA_WAKE = 'soon'\n"
    assert stoa(path, *ACCOUNT, "--no-check", "--wake-at", "6:15")[0] == 0


def test_a_file_that_cannot_be_read_is_left_alone(tmp_path):
    path = tmp_path / "settings.toml"
    broken = b'A = "1"\nSTOA_WIFI_PASSWORD = "correct horse\n'
    path.write_bytes(broken)
    code, _, err = stoa(path, *ACCOUNT, "--no-check", "--yes")
    assert code == 1 and f"{path}, line 2 is no TOML" in err
    assert path.read_bytes() == broken


def test_an_issuer_that_cannot_be_used_keeps_a_script_from_writing(tmp_path):
    path = tmp_path / "settings.toml"
    with Site() as site:
        site.publish(device_authorization_endpoint=None)
        options = [*ACCOUNT, "--issuer", site.issuer]
        code, out, err = stoa(path, *options)
        assert code == 1 and "nothing was written (--yes writes it)" in err
        assert "device_authorization_endpoint: no device_authorization_endpoint: turn the device" in out
        assert not path.exists()
        code, out, _ = stoa(path, *options, "--json")
        told = json.loads(out)
        assert (code, told["written"], told["issuer"]["failed"]) == (1, False, True)
        assert stoa(path, *options, "--yes")[0] == 0
    assert written(path)["STOA_ISSUER"] == site.issuer


def test_an_issuer_that_cannot_be_used_is_told_where_nothing_changes_too(tmp_path):
    path = tmp_path / "settings.toml"
    with Site() as site:
        options = [*ACCOUNT, "--issuer", site.issuer]
        assert stoa(path, *options, "--no-check")[0] == 0
        code, out, err = stoa(path, *options)
        assert code == 1 and f"Nothing to change: {path}" in out
        assert err.endswith(
            "\nstoa: the display could not sign in with what is there, see above (--yes lets it pass)\n"
        )
        assert stoa(path, *options, "-y")[0] == 0
        site.publish()
        assert stoa(path, *options)[0] == 0


def test_the_issuer_s_root_is_saved(tmp_path, monkeypatch):
    ca, trusted = trustme.CA(), tmp_path / "trusted.pem"
    ca.cert_pem.write_to_path(trusted)
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
    path, root = tmp_path / "settings.toml", tmp_path / "root.pem"
    with Site(server_context(ca)) as site:
        site.publish()
        code, out, _ = stoa(path, *ACCOUNT, "--issuer", site.issuer, "--save-root", root)
        assert code == 0 and "certificate: is good, up to the root" in out
    assert root.read_text().split() == trusted.read_text().split()


@pytest.mark.parametrize("extra", [["--yes"], ["--no-check"]])
def test_a_root_that_is_not_to_be_had(tmp_path, extra):
    path, root = tmp_path / "settings.toml", tmp_path / "root.pem"
    with Site() as site:
        site.publish()
        code, _, err = stoa(path, *ACCOUNT, "--issuer", site.issuer, "--save-root", root, *extra)
    assert code == 1 and ("no root certificate to save" in err or "--save-root needs" in err)
    assert not path.exists() and not root.exists()


def test_the_only_board_there_is_found(tmp_path, monkeypatch):
    found = Found("circuitpython", "Adafruit MagTag", port="/dev/ttyACM0", drive=tmp_path)
    monkeypatch.setattr(targets, "find_boards", lambda: [found])
    code, out, err = stoa(*ACCOUNT, "--no-check")
    assert (code, err) == (0, ""), err
    assert f"{tmp_path}" in out and written(tmp_path / "settings.toml")["STOA_WIFI_SSID"] == "porch"


def test_no_board_and_no_file_is_told(monkeypatch):
    monkeypatch.setattr(targets, "find_boards", lambda: [])
    code, _, err = stoa(*ACCOUNT, "--no-check")
    assert code == 3 and "no board was found: check that the cable carries data" in err
