"""The scripts of a tenant file: what is taken, and what is said of one that cannot be used."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from host_tools.authority.scripts import LARGEST_SCRIPT, MOST_SCRIPTS, Script
from host_tools.authority.tenant_file import load, parse

from .tenant_files import problems

RULE = "function (user, context, callback) { callback(null, user, context); }"
ACTION = "exports.onExecutePostLogin = async (event, api) => {};"
SECRET = "a secret of the house"


@pytest.fixture
def folder(tmp_path) -> Path:
    (tmp_path / "scripts").mkdir()
    (tmp_path / "scripts" / "challenge.js").write_text(RULE)
    (tmp_path / "step up.js").write_bytes(b"\xef\xbb\xbf" + ACTION.encode())  # as a Windows editor begins it
    (tmp_path / "empty.js").write_text(" \n")
    (tmp_path / "latin.js").write_bytes(b"// \xe4")
    (tmp_path / "broken.js").write_text("function (user, context, callback) {\n  if (\n}\n")
    (tmp_path / "esc.js").write_text("function () { \x1b[31m }")
    (tmp_path / "largest.js").write_text(RULE + " " * (LARGEST_SCRIPT - len(RULE)))
    (tmp_path / "large.js").write_text(RULE + " " * (LARGEST_SCRIPT + 1 - len(RULE)))
    return tmp_path


def test_scripts_are_taken_in_the_files_order_rules_first(folder):
    text = f"""
    [[actions]]
    file = "step up.js"
    secrets = {{ KEY = "{SECRET}", "another key" = "" }}
    [[rules]]
    file = "scripts/challenge.js"
    [rules.configuration]
    KEY = "{SECRET}"
    [[rules]]
    file = "scripts/challenge.js"
    name = "The second"
    enabled = true
    [[rules]]
    file = "broken.js"
    enabled = false
    """
    (folder / "tenant.toml").write_text(text)
    assert load(folder / "tenant.toml").scripts == (
        Script("rule", "challenge", RULE, {"KEY": SECRET}),
        Script("rule", "The second", RULE),
        Script("action", "step up", ACTION, {"KEY": SECRET, "another key": ""}),
    )


def test_a_path_may_lead_from_the_root(folder):
    (script,) = parse(f"rules = [{{ file = '{folder / 'largest.js'}' }}]", "tenant.toml").scripts
    assert (script.name, len(script.text)) == ("largest", LARGEST_SCRIPT)


def test_the_words_a_script_is_given_are_in_no_repr(folder):
    settings = parse(f"rules = [{{ file = 'scripts/challenge.js', configuration.KEY = '{SECRET}' }}]", "", folder)
    assert settings.scripts[0].secrets == {"KEY": SECRET}
    assert SECRET not in repr(settings)


READABLE = "name a file of JavaScript in UTF-8"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("\n[[rules]]", '2: rules[0]: has no file; add file = "rule.js", a path from the folder of this file'),
        ("actions = [{}]", '1: actions[0]: has no file; add file = "action.js", a path from the folder of this file'),
        ("[[rules]]\nfile = 5", "2: rules[0].file: must be a text of 1 to 100 characters"),
        ("[[rules]]\nfile = ''", "2: rules[0].file: must be a text of 1 to 100 characters"),
        ("[[rules]]\nfile = ['a.js']", "2: rules[0].file: is an array; it takes a single value"),
        (
            '[[rules]]\nfile = "a\\u0000.js"',
            "2: rules[0].file: is 'a\\x00.js'; it must be a line that can be read",
        ),
        ("[[rules]]\nfile = 'no.js'", f"2: rules[0].file: cannot be read (No such file or directory); {READABLE}"),
        ("[[actions]]\nfile = 'scripts'", f"2: actions[0].file: cannot be read (Is a directory); {READABLE}"),
        ("[[rules]]\nfile = 'latin.js'", f"2: rules[0].file: cannot be read (it is not UTF-8); {READABLE}"),
        ("[[rules]]\nfile = 'empty.js'", "2: rules[0].file: is empty; write the script, or take it out"),
        (
            "[[rules]]\nfile = 'large.js'",
            "2: rules[0].file: has more than 102400 bytes, which is the most a script may have",
        ),
        (
            "[[rules]]\nname = 'x'\nfile = 'broken.js'",
            "3: rules[0].file: is no rule: SyntaxError: unexpected token in expression: '}' (line 3);"
            " correct broken.js",
        ),
        (
            "[[rules]]\nfile = 'esc.js'",
            "2: rules[0].file: is no rule: SyntaxError: unexpected token in expression: '?' (line 1); correct esc.js",
        ),
        (
            "[[rules]]\nfile = 'no.js'\nenabled = false",
            f"2: rules[0].file: cannot be read (No such file or directory); {READABLE}",
        ),
        (
            "[[rules]]\nfile = 'scripts/challenge.js'\nname = ''",
            "3: rules[0].name: must be a text of 1 to 100 characters",
        ),
        (
            "[[rules]]\nfile = 'scripts/challenge.js'\nname = \"a\\nb\"",
            "3: rules[0].name: is 'a\\nb'; it must be a line that can be read",
        ),
        (
            "[[rules]]\nfile = 'scripts/challenge.js'\nenabled = 'yes'",
            "3: rules[0].enabled: is 'yes'; it must be true or false",
        ),
        (
            "[[rules]]\nfile = 'scripts/challenge.js'\nsecrets.KEY = 'x'",
            "3: rules[0].secrets: is not known; known here are file, name, enabled, configuration",
        ),
        (
            "[[actions]]\nfile = 'step up.js'\nfiel = 'x'",
            "3: actions[0].fiel: is not known; is it file? known here are file, name, enabled, secrets",
        ),
        (
            "[[actions]]\nfile = 'step up.js'\n[actions.secrets]\nKEY = 5",
            "4: actions[0].secrets.KEY: must be a text of at most 4096 characters",
        ),
        (
            "[[actions]]\nfile = 'step up.js'\nsecrets = { 'a b' = ['x'] }",
            '3: actions[0].secrets."a b": is an array; it takes a single value',
        ),
        (
            "[[rules]]\nfile = 'scripts/challenge.js'\nconfiguration = 'x'",
            "3: rules[0].configuration: is a text; write it as a table, under [rules.configuration]",
        ),
        ("rules.file = 'a.js'", "1: rules: is a table; write each of them under [[rules]]"),
        ("actions = ['a.js']", "1: actions[0]: is a text; write it as a table, under [[actions]]"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_with_its_line(folder, text, told):
    assert problems(text, folder) == [told]


def test_a_secret_that_is_too_long_is_not_told(folder):
    text = f"[[actions]]\nfile = 'step up.js'\nsecrets.KEY = '{SECRET * 200}'"
    (told,) = problems(text, folder)
    assert told == "3: actions[0].secrets.KEY: must be a text of at most 4096 characters"


@pytest.mark.parametrize("kind", ["rules", "actions"])
def test_twenty_of_a_kind_are_the_most(folder, kind):
    one = {"rules": "file = 'scripts/challenge.js'", "actions": "file = 'step up.js'"}[kind]
    most = f"[[{kind}]]\n{one}\n" * MOST_SCRIPTS
    assert len(parse(most, "", folder).scripts) == 20
    assert problems(f"{most}[[{kind}]]\n{one}", folder) == [f"1: {kind}: are 21; a tenant has 20 at most"]


def test_all_scripts_that_are_wrong_are_told_at_once(folder):
    text = "[[rules]]\nfile = 'broken.js'\n[[rules]]\nfile = 'empty.js'\n[[actions]]\nfile = 'broken.js'\n"
    text += "[mfa]\nfactors = 9"
    assert [each.partition(": ")[0] for each in problems(text, folder)] == ["2", "4", "6", "8"]


def served(folder: Path, text: str) -> subprocess.CompletedProcess[str]:
    (folder / "tenant.toml").write_text(text)
    return subprocess.run(
        [sys.executable, "-m", "host_tools.cli", "serve", "--config", "tenant.toml"],
        capture_output=True,
        text=True,
        timeout=60,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": os.getcwd()},
    )


def test_a_server_whose_script_is_no_javascript_says_which_and_where_and_does_not_start(folder):
    run = served(folder, f"[[rules]]\nfile = 'broken.js'\nconfiguration.KEY = '{SECRET}'")
    assert (run.returncode, run.stdout, run.stderr) == (
        1,
        "",
        "stoa: tenant.toml:2: rules[0].file: is no rule: SyntaxError: unexpected token in expression: '}' (line 3);"
        " correct broken.js\n",
    )
