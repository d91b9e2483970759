"""`stoa config --check`: a settings.toml that is there, without a board and without a network."""

from __future__ import annotations

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from host_tools.device.configuring import tz_rules
from host_tools.device.configuring.settings_check import check
from stoa import settings
from tests.device.configuring import ACCOUNT, stoa, stoa_without_password


def test_a_good_one(tmp_path):
    path = tmp_path / "settings.toml"
    stoa(path, *ACCOUNT, "--no-check")
    assert stoa("--check", path) == (0, f"{path}: good\n", "")
    assert stoa("--check", tmp_path) == (0, f"{path}: good\n", "")


def test_every_problem_with_its_line_and_its_fix(tmp_path):
    path = tmp_path / "settings.toml"
    path.write_bytes(
        b'STOA_WIFI_SSID = ""\nSTOA_WIFI_PASSWORD = "correct horse"\nSTOA_ISUER = "https://id.example/"\n'
        b'"STOA_API" = "https://api.example/"\nSTOA_WAKE = "25:00"\nSTOA_QUIET = nobody\nSTOA_TZ = "UTC0"\n'
        b'STOA_TZ = "CET-1"\nCIRCUITPY_PYSTACK_SIZE = "4096"\n[table]\nSTOA_CLIENT_ID = "display"\n'
    )
    code, out, err = stoa_without_password("--check", path)
    assert (code, err) == (1, "")
    assert out.splitlines() == [
        f"{path}:1: error: STOA_WIFI_SSID is empty: give it a value in settings.toml",
        f"{path}:3: warning: STOA_ISUER is no setting of Stoa's: write STOA_ISSUER",
        f"{path}:4: warning: STOA_API is in quotes, and not found: take its quotes away",
        f'{path}:5: error: STOA_WAKE is not a time of day: write "00:00" to "23:59"',
        f'{path}:6: error: STOA_QUIET is on a line that CircuitPython cannot read: write it as STOA_QUIET = "value"',
        f"{path}:8: warning: STOA_TZ is set for the second time: take one of the two out; line 7 is the one that"
        " counts",
        f"{path}:9: warning: CIRCUITPY_PYSTACK_SIZE is no whole number, and CircuitPython leaves it out: write "
        "CIRCUITPY_PYSTACK_SIZE = 4096",
        f"{path}:11: warning: STOA_CLIENT_ID is below a [table], and not found: move it to the top",
        f"{path}: error: STOA_ISSUER is missing: add it to settings.toml",
        f"{path}: error: STOA_CLIENT_ID is missing: add it to settings.toml",
        f"{path}: error: STOA_API is missing: add it to settings.toml",
        f"{path}: 6 errors, 5 warnings",
    ]
    code, out, _ = stoa_without_password("--check", path, "--json")
    told = json.loads(out)
    assert (code, told["ok"], len(told["problems"])) == (1, False, 11)
    assert told["problems"][0] == {
        "level": "error",
        "key": "STOA_WIFI_SSID",
        "line": 1,
        "problem": "is empty",
        "fix": "give it a value in settings.toml",
    }


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b'\xef\xbb\xbfSTOA_API = "https://x/"\n', "begins with a byte order mark, which hides the first key"),
        (b"# no stack\n", "CIRCUITPY_PYSTACK_SIZE is missing"),
        (b"CIRCUITPY_PYSTACK_SIZE = 1536\n", "is small for the frames of a wake"),
        (b"CIRCUITPY_PYSTACK_SIZE = 0x600\n", "is small for the frames of a wake"),
        (b"CIRCUITPY_PYSTACK_SIZE = much\n", "CIRCUITPY_PYSTACK_SIZE is no whole number"),
        (b"hello\n", ":1: warning: settings.toml is no TOML: put it right, or `stoa config` will not edit"),
        (b'A = "\xff"\n', ":1: warning: settings.toml is not UTF-8"),
        (b"STOA_WAKE = 1\n# " + b"\0" * 512, ":2: error: settings.toml holds a NUL, as a power cut may leave it"),
        (b'STOA_TZ = "Atlantis/Poseidonis"\n', ":1: error: STOA_TZ has a number out of range: as CET-1"),
        (b'STOA_API = "https://x/\xff"\n', ":1: error: STOA_API is on a line that CircuitPython cannot read"),
    ],
)
def test_what_else_may_be_wrong(tmp_path, text, said):
    path = tmp_path / "settings.toml"
    path.write_bytes(text)
    assert said in stoa_without_password("--check", path)[1]


def test_a_nul_hides_all_that_follows_and_is_told_as_the_one_thing_that_is_wrong(tmp_path):
    path = tmp_path / "settings.toml"
    stoa(path, *ACCOUNT, "--no-check")
    path.write_bytes(b"\0\0\0\n" + path.read_bytes())
    assert stoa_without_password("--check", path) == (
        1,
        f"{path}:1: error: settings.toml holds a NUL, as a power cut may leave it, and CircuitPython reads no further:"
        f" move the file away, and write it anew by `stoa config`\n{path}: 1 error, 0 warnings\n",
        "",
    )


def test_one_of_a_kind_is_no_more(tmp_path):
    path = tmp_path / "settings.toml"
    stoa(path, *ACCOUNT, "--no-check")
    path.write_bytes(path.read_bytes().replace(b"= 4096", b"= 1536"))
    assert stoa("--check", path)[1].endswith(f"{path}: 0 errors, 1 warning\n")


@pytest.mark.parametrize("text", [b'STOA_WIFI_SSID = "porch"\rSTOA_WIFI_PASSWORD = ""\r', b'# note\x0cSTOA_API="x"\n'])
def test_other_ends_of_lines_than_circuitpython_s_are_found_wrong(tmp_path, text):
    path = tmp_path / "settings.toml"
    path.write_bytes(text)
    code, out, err = stoa_without_password("--check", path)
    assert code == 1 and f"{path}: error: STOA_API is missing" in out and err == ""


KEYS = ["STOA_API", "STOA_TZ", "STOA_WIFI_PASSWORD", "CIRCUITPY_PYSTACK_SIZE", "X"]
ODD = st.sampled_from([*KEYS, " = ", '"https://x/"', "4096", *'"#[\n', *"\ufeff\ud800\0\r\v\f\x1c\x85\u2028"])


@given(st.lists(ODD, max_size=20).map("".join))
@example('\ufeffSTOA_API = "https://x/"\n')
def test_no_file_is_too_odd_to_be_judged(text):
    assert check(text.encode(errors="surrogatepass"))


def test_a_zone_s_name_is_told_as_one(tmp_path):
    path = tmp_path / "settings.toml"
    stoa(path, *ACCOUNT, "--no-check")
    path.write_bytes(path.read_bytes() + b'STOA_TZ = "Europe/Berlin"\n')
    said = "STOA_TZ is a zone's name, and the display takes its rule: "
    said += 'write STOA_TZ = "CET-1CEST,M3.5.0,M10.5.0/3", or run `stoa config FILE --time-zone Europe/Berlin`\n'
    assert f": error: {said}" in stoa_without_password("--check", path)[1]
    assert stoa_without_password(path, "--no-check", "--yes") == (1, "", f"stoa: {said}")
    assert stoa(path, "--no-check", "--yes", "--time-zone", "Europe/Berlin")[0] == 0
    assert stoa_without_password("--check", path)[0] == 0


def test_a_zone_without_a_rule_is_told_too(monkeypatch):
    def none(name):
        raise tz_rules.ZoneUnknown(f"the tz database has no rule for {name}: give a rule, such as CET-1")

    monkeypatch.setattr(tz_rules, "rule_of", none)
    assert "the tz database has no rule for Europe/Berlin: give" in str(check(b'STOA_TZ = "Europe/Berlin"\n')[0])


def test_the_words_are_the_firmware_s():
    """Each of its own errors is found where the whole file is loaded, as the display does."""
    for problem in check(b'STOA_WIFI_SSID = "porch"\nSTOA_WIFI_PASSWORD = ""\nSTOA_ISSUER = "ftp://x"\n'):
        if problem.level == "error" and problem.line == 3:
            with pytest.raises(settings.SettingError) as raised:
                settings.load({"STOA_WIFI_SSID": "porch", "STOA_WIFI_PASSWORD": "", "STOA_ISSUER": "ftp://x"}.get)
            assert str(raised.value) == str(problem)
            return
    raise AssertionError("not found")


def test_no_file(tmp_path):
    code, _, err = stoa_without_password("--check", tmp_path / "settings.toml")
    assert code == 1 and f"there is no {tmp_path / 'settings.toml'}: " in err


def test_no_file_in_a_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    said = "stoa: there is no ./settings.toml: `stoa config .` makes one\n"
    assert stoa_without_password("--check", ".") == (1, "", said)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ([".", "--ssid", "x"], ". means nothing with --check"),
        (["--ssid", "x"], "--ssid means nothing with --check"),
        (["--wait", "60"], "--wait means nothing with --check"),
        (["--no-allow-http"], "--allow-http means nothing with --check"),
        (["-y"], "--yes means nothing with --check"),
    ],
)
def test_whoever_gives_more_has_something_else_in_mind(tmp_path, more, said):
    path = tmp_path / "settings.toml"
    stoa(path, *ACCOUNT, "--no-check")
    code, out, err = stoa("--check", path, *more)
    assert (code, out) == (2, "") and said in err
