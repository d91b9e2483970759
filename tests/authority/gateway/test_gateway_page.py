"""docs/gateway.md, and the policy file's parser: each says what the other does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from host_tools.authority.policy_file import parse
from host_tools.authority.tenant_settings import SERVES

from .test_policy_file import HEAD, RULE, problems

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "gateway.md").read_text(encoding="utf-8")
FILE, RULES = "The policy file", "`[[rules]]` of a policy"


def rows(section: str) -> dict[str, tuple[str, str]]:
    """Each key of a section's table: what is said of it, and of leaving it out."""
    (text,) = re.findall(rf"^#+ {re.escape(section)}\n(.*?)(?=^#|\Z)", PAGE, re.MULTILINE | re.DOTALL)
    return {key: (said, left_out) for key, said, left_out in re.findall(r"^\| `(\w+)` \| (.*) \| (.*) \|$", text, re.M)}


def refused(section: str, line: str) -> str:
    """What is said of a policy that has this line too."""
    (told,) = problems(f"{HEAD}{line}\n{RULE}" if section == FILE else f"{HEAD}{RULE}{line}")
    return told


@pytest.mark.parametrize("section", [FILE, RULES])
def test_the_page_has_every_key_and_no_other(section):
    told = refused(section, "zzzzzzzzz = 1")
    assert told.partition("known here are ")[2].split(", ") == list(rows(section))


@pytest.mark.parametrize(
    ("section", "line", "beside"),
    [
        (FILE, "serves = 'zzz'", set()),
        (FILE, "freshness = 'zzz'", set()),
        (FILE, "refusal = 'zzz'", set()),
        (RULES, "method = 'zzz'", {"HEAD"}),  # which comes with GET
        (RULES, "require = 'zzz'", set()),
        (RULES, "factors = ['zzz']\nrequire = 'mfa'", {"mfa"}),  # which it is of
    ],
)
def test_and_every_word_that_a_key_takes(section, line, beside):
    taken = refused(section, line).partition("must be one of ")[2].split(", ")
    said = re.findall("`([A-Za-z0-9_]+)`", rows(section)[line.partition(" ")[0]][0])
    assert sorted(said) == sorted([*taken, *beside])


def test_and_what_each_api_serves():
    said = rows(FILE)["serves"][0]
    for name, served in SERVES.items():
        paths = re.search(rf"`{name}` \(([^)]*)\)", said)
        assert paths is not None
        # Without what its page is made of.
        assert re.findall("`([^`]*)`", paths[1]) == [path for _, path in served if not path.startswith("/bank.")]


def test_and_what_is_meant_where_a_key_is_left_out():
    policy = parse(HEAD + RULE, "").policy
    for section, usual, without in ((FILE, vars(policy), ""), (RULES, vars(policy.rules[0]), f"{HEAD}[[rules]]")):
        for key, (_, left_out) in rows(section).items():
            if left_out == "it must be there":
                assert any(f"has no {key}; " in each or f"{key}: are none" in each for each in problems(without))
            elif stands := re.fullmatch('`"?([^"`]*)"?`', left_out):
                assert str(usual[key]).lower() == stands[1].lower()
