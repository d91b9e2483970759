"""The scripts in force: which are taken, and that those refused leave the others as they were."""

from __future__ import annotations

import pytest

from host_tools.authority import InvalidSetting
from host_tools.authority.scripts import LARGEST_SCRIPT, MOST_SCRIPTS, Script

from .test_actions import action
from .test_rules import PASS, rule

GOOD = Script("rule", "good", rule(PASS))
LARGE = rule(PASS) + " " * LARGEST_SCRIPT


@pytest.mark.parametrize(
    ("wrong", "field", "said"),
    [
        ([GOOD] * (MOST_SCRIPTS + 1), "rules", "are 21; a tenant has 20 at most"),
        ([Script("action", "a", action(""))] * 21, "actions", "are 21; a tenant has 20 at most"),
        ([GOOD, Script("rule", "large", LARGE)], "rules[1].text", "has more than 102400 characters"),
        ([GOOD, Script("action", "x", "(")], "actions[0].text", "is no action: SyntaxError: "),
        ([GOOD, Script("rule", "MFA", "function (")], "rules[1].text", "(line 1); correct MFA"),
    ],
)
def test_one_that_is_refused_changes_nothing(scripts, wrong, field, said):
    scripts.put([GOOD])
    with pytest.raises(InvalidSetting) as refused:
        scripts.put(wrong)
    assert refused.value.field == field
    assert str(refused.value).startswith(f"{field} ") and said in str(refused.value)
    assert scripts.all() == (GOOD,)


def test_twenty_of_each_kind_are_taken_and_none_is_no_judge(scripts, authority):
    both = [GOOD, Script("action", "a", action(""))] * MOST_SCRIPTS
    scripts.put(both)
    assert scripts.all() == tuple(both)
    scripts.put([])
    assert authority.post_login.judge is None
