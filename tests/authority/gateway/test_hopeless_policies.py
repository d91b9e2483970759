"""Policies that can never work, each told when the server starts, with its line and what helps: for an API that nobody
has a token for, for what is not served, for the quotes without today's."""

from __future__ import annotations

from pathlib import Path

import pytest

from host_tools.authority.policy_file import parse
from host_tools.authority.tenant_file import parse as parse_tenant
from host_tools.authority.tenant_settings import AUDIENCE, SERVES, TenantFileError

from .test_policy_file import problems

BANK = "https://bank.example/api"
NAMED = '[[apis]]\npolicy = "bank.policy.toml"\n'
OPEN = "[[rules]]\npath = '/'\nrequire = 'none'\n"
CLOSED = "[[rules]]\npath = '/balance'\n"
NOBODY_S = (
    f"tenant.toml:2: apis[0].policy: is for {BANK}, the audience of no client, so that nobody has a token for it;"
    " give a client that audience"
)
SERVED = {name: ", ".join(" ".join(each) for each in served) for name, served in SERVES.items()}


def client(audience: str | None, client_id: str = "app") -> str:
    of = "" if audience is None else f'audience = "{audience}"\n'
    return f'[[clients]]\nclient_id = "{client_id}"\n{of}'


def told(folder: Path, text: str, rules: str = CLOSED, audience: str = BANK) -> tuple[str, ...]:
    """What is said of a tenant file that names this policy; nothing for one that is right."""
    (folder / "bank.policy.toml").write_text(f'audience = "{audience}"\nprefix = "/bank"\n{rules}')
    try:
        parse_tenant(text, "tenant.toml", folder)
    except TenantFileError as wrong:
        return wrong.problems
    return ()


@pytest.mark.parametrize("rules", [CLOSED, OPEN + CLOSED, CLOSED + "require = 'mfa'\n", OPEN.replace("none", "token")])
@pytest.mark.parametrize(
    "clients",
    [
        "",  # the demo display's tokens are for the quotes
        client(None),
        client("https://bank.example/api/"),
        client("https://BANK.example/api"),
        client("https://other.example") + client("https://another.example", "other"),
    ],
)
def test_of_an_audience_that_no_client_has_nobody_has_a_token(tmp_path, clients, rules):
    assert told(tmp_path, NAMED + clients, rules) == (NOBODY_S,)


@pytest.mark.parametrize("clients", [client(BANK), client("https://other.example") + client(BANK, "other")])
def test_one_client_that_has_it_is_enough(tmp_path, clients):
    assert told(tmp_path, NAMED + clients) == ()
    assert told(tmp_path, clients + NAMED) == ()


def test_who_writes_no_client_has_the_display_s_audience(tmp_path):
    assert told(tmp_path, NAMED, audience=AUDIENCE) == ()


@pytest.mark.parametrize("clients", ["", client(None), client("https://other.example")])
def test_what_is_open_to_anybody_is_for_nobody_s_token(tmp_path, clients):
    assert told(tmp_path, NAMED + clients, OPEN) == ()


@pytest.mark.parametrize("serves", ["quotes", "catsdogs", "bank"])
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/no-such"),
        ("GET", "/no-such/*"),
        ("POST", "/"),
        ("POST", "/today"),
        ("OPTIONS", "/transfer"),
        ("DELETE", "/*"),
        ("GET", "/transfer"),
        ("GET", "/dogs"),
        ("GET", "/Cats/"),
    ],
)
def test_a_rule_for_what_is_not_served_is_told_with_what_is(serves, method, path):
    """Its owner believes something guarded, or there, that is not."""
    (right, *_) = (each for verb, each in SERVES[serves] if verb == "GET")
    text = f"""audience = "{BANK}"
prefix = "/a"
serves = "{serves}"
[[rules]]
path = "{right}"
[[rules]]
method = "{method}"
path = "{path}"
"""
    assert problems(text) == [
        f"8: rules[1].path: is {path}, with {method} nothing that is served here; there is {SERVED[serves]}"
    ]
    # Of another server's paths nothing is known.
    assert parse(text.replace("serves", "# serves"), "").policy.rules[1].path == path


@pytest.mark.parametrize("serves", ["quotes", "catsdogs", "bank"])
def test_all_that_is_served_may_be_named_alone_and_together(serves):
    head = f'audience = "a"\nprefix = "/a"\nserves = "{serves}"\n'
    each = [f'[[rules]]\nmethod = "{method}"\npath = "{path}"\n' for method, path in SERVES[serves]]
    below = [f'[[rules]]\nmethod = "{method}"\npath = "/*"\n' for method in dict(SERVES[serves])]
    for rules in (*each, "".join(each), *below, "".join(each + below)):
        assert parse(head + rules, "").serves == serves


@pytest.mark.parametrize(
    "rules",
    ["[[rules]]\npath = '/yesterday'", "[[rules]]\nmethod = 'POST'\npath = '/today'", "[[rules]]\npath = '/today/'",
     "[[rules]]\nmethod = 'POST'\npath = '/*'"],
)  # fmt: skip
def test_quotes_without_today_s_are_refused(rules):
    """The display asks for them."""
    (said,) = problems(f'audience = "a"\nprefix = "/a"\nserves = "quotes"\n{rules}')
    line = 4 + rules[: rules.index("path")].count("\n")
    assert said.startswith(f"{line}: rules[0].path: is ") and said.endswith("; there is GET /today")


@pytest.mark.parametrize("rules", ["", "rules = []", "[[rules]]"])
def test_a_policy_without_a_rule_says_so_and_nothing_else(rules):
    for serves in SERVES:
        (said,) = problems(f'audience = "a"\nprefix = "/a"\nserves = "{serves}"\n{rules}')
        assert ("are none" in said) or ("has no path" in said)


def test_what_hopes_in_vain_behind_a_rule_for_everything_is_told_where_something_is_served_too():
    text = 'audience = "a"\nprefix = "/a"\nserves = "catsdogs"\n[[rules]]\npath = "/*"\n[[rules]]\npath = "/cats/"\n'
    assert problems(text + 'require = "mfa"') == [
        "7: rules[1].path: is never asked, for rules[0] has all of it; write this rule before that one"
    ]
