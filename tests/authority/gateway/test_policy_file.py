"""The policy file: its keys and defaults, all that is wrong with one, and the tenant file that names it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.routing import Mount

from host_tools.authority import AuthorityError
from host_tools.authority.app import create_app
from host_tools.authority.control import routes as control_api
from host_tools.authority.core.authority import Authority
from host_tools.authority.core.resource_policy import ResourcePolicy, ResourceRule
from host_tools.authority.policy_file import load, parse
from host_tools.authority.tenant_file import parse as parse_tenant
from host_tools.authority.tenant_settings import QUOTES_API, ApiSettings, TenantFileError

from ..conftest import quote_of_day
from ..tenant_files import are_told
from ..test_tenant_file_any_text import inline
from .api import api

HEAD = 'audience = "https://bank.example/api"\nprefix = "/bank"\n'
RULE = '[[rules]]\npath = "/balance"\n'
CATS = '[[rules]]\npath = "/cats/"\n'
TODAY = '[[rules]]\npath = "/today"\n'
# At the end of a tenant file: one for each audience of `folder`'s policies.
CLIENTS = "".join(
    f'\n[[clients]]\nclient_id = "{number}"\naudience = "{audience}"'
    for number, audience in enumerate(("https://bank.example/api", "b", "q", "c", "m"))
)
KNOWN = "known here are audience, prefix, serves, realm, freshness, refusal, rules"
KNOWN_OF_RULES = "known here are method, path, require, scopes, max_age_s, factors, once"
PREFIX = "write a path without a last slash, as /bank"
PATH = "write the path below the prefix, as /balance, or /cats/* for all below it"


def problems(text: str) -> list[str]:
    """What is said of this text, without the file's name."""
    with pytest.raises(TenantFileError) as told:
        parse(text, "bank.policy.toml")
    assert all(each.startswith("bank.policy.toml:") for each in told.value.problems)
    return [each.removeprefix("bank.policy.toml:") for each in told.value.problems]


def test_every_key():
    text = """
    audience = "https://bank.example/api"
    prefix = "/v1/bank~2"
    serves = "bank"
    realm = "The bank 2"
    freshness = "auth_time"
    refusal = "bare"
    [[rules]]
    method = "POST"
    path = "/transfer"
    require = "mfa"
    scopes = ["transfer:funds", "view:balance", "transfer:funds"]
    max_age_s = 300
    factors = ["push", "otp", "push"]
    once = true
    [[rules]]
    path = "/"
    require = "none"
    """
    assert parse(text, "") == ApiSettings(
        ResourcePolicy(
            "https://bank.example/api",
            "/v1/bank~2",
            (
                ResourceRule(
                    "POST", "/transfer", "mfa", "transfer:funds view:balance", 300, ("push", "otp"), once=True
                ),
                ResourceRule("GET", "/", "none"),
            ),
            freshness="auth_time",
            refusal="bare",
            realm="The bank 2",
        ),
        "bank",
    )


def test_what_is_left_out():
    assert parse(HEAD + RULE, "") == ApiSettings(
        ResourcePolicy(
            "https://bank.example/api",
            "/bank",
            (ResourceRule("GET", "/balance", "token", "", None, (), once=False),),
            freshness="session",
            refusal="rfc9470",
            realm="api",
        ),
        None,
    )


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_a_method_has_a_rule_of_its_own(method):
    (rule,) = parse(f'{HEAD}{RULE}method = "{method}"', "").policy.rules
    assert rule.method == method


@pytest.mark.parametrize(("max_age_s", "fits"), [(1, True), (31_622_400, True), (0, False), (31_622_401, False)])
def test_the_longest_age_is_as_long_as_a_factor_is_remembered(max_age_s, fits):
    text = f'{HEAD}{RULE}require = "mfa"\nmax_age_s = {max_age_s}'
    if fits:
        assert parse(text, "").policy.rules[0].max_age_s == max_age_s
    else:
        assert problems(text) == [
            f"6: rules[0].max_age_s: is {max_age_s}; it must be a whole number from 1 to 31622400"
        ]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", ['1: has no audience; add audience = "https://bank.example/api"', '1: has no prefix; add prefix = "/bank"',
              "1: rules: are none, so that nobody is let in; add [[rules]]"]),
        (RULE, ['1: has no audience; add audience = "https://bank.example/api"',
                '1: has no prefix; add prefix = "/bank"']),
    ],
)  # fmt: skip
def test_what_is_missing_of_the_file_itself_is_told_without_an_empty_key(text, told):
    assert problems(text) == told


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (HEAD, "1: rules: are none, so that nobody is let in; add [[rules]]"),
        (HEAD + "rules = []", "3: rules: are none, so that nobody is let in; add [[rules]]"),
        (HEAD + "rules = 5", "3: rules: is a number; write each of them under [[rules]]"),
        (HEAD + "[rules]", "3: rules: is a table; write each of them under [[rules]]"),
        (HEAD + "rules = ['/']", "3: rules[0]: is a text; write it as a table, under [[rules]]"),
        (HEAD + "[[rules]]", '3: rules[0]: has no path; add path = "/balance"'),
        (HEAD + "servse = 'bank'\n" + RULE, f"3: servse: is not known; is it serves? {KNOWN}"),
        (HEAD + "rule = []\n" + RULE, f"3: rule: is not known; is it rules? {KNOWN}"),
        (HEAD + "x = 1\n" + RULE, f"3: x: is not known; {KNOWN}"),
        (HEAD + RULE + "scope = 'a'", f"5: rules[0].scope: is not known; is it scopes? {KNOWN_OF_RULES}"),
        (HEAD + RULE + "x = 1", f"5: rules[0].x: is not known; {KNOWN_OF_RULES}"),
        (HEAD + "serves = 'zoo'\n" + RULE, "3: serves: is 'zoo'; it must be one of quotes, bank, catsdogs"),
        (HEAD + "freshness = 'new'\n" + RULE, "3: freshness: is 'new'; it must be one of session, auth_time"),
        (HEAD + "refusal = 5\n" + RULE, "3: refusal: is 5; it must be one of rfc9470, bare"),
        (HEAD + RULE + "method = 'HEAD'",
         "5: rules[0].method: is 'HEAD'; it must be one of GET, POST, PUT, PATCH, DELETE, OPTIONS"),
        (HEAD + RULE + "method = 'get'",
         "5: rules[0].method: is 'get'; it must be one of GET, POST, PUT, PATCH, DELETE, OPTIONS"),
        (HEAD + RULE + "require = 'auth'", "5: rules[0].require: is 'auth'; it must be one of none, token, mfa"),
        (HEAD + RULE + "require = true", "5: rules[0].require: is True; it must be one of none, token, mfa"),
        (HEAD + RULE + "scopes = 'a'", "5: rules[0].scopes: is a text; write it as an array, in [ ]"),
        (HEAD + RULE + "scopes = ['a',\n'b c']",
         "6: rules[0].scopes[1]: is 'b c'; a scope is a word of ASCII, as read:quotes"),
        (HEAD + RULE + "scopes = ['']", "5: rules[0].scopes[0]: is ''; a scope is a word of ASCII, as read:quotes"),
        (HEAD + RULE + "once = 1", "5: rules[0].once: is 1; it must be true or false"),
        (HEAD + RULE + "require = 'mfa'\nfactors = ['e-mail']",
         "6: rules[0].factors[0]: is 'e-mail'; it must be one of otp, sms, email, push"),
        (HEAD + RULE + "require = 'mfa'\nfactors = ['recovery-code']",
         "6: rules[0].factors[0]: is 'recovery-code'; it must be one of otp, sms, email, push"),
        (HEAD + RULE + "require = 'mfa'\nfactors = 'otp'",
         "6: rules[0].factors: is a text; write it as an array, in [ ]"),
        *((HEAD + RULE + f"require = 'mfa'\nmax_age_s = {value}",
           f"6: rules[0].max_age_s: is {shown}; it must be a whole number from 1 to 31622400")
          for value, shown in (("1.5", "1.5"), ("true", "True"), ("'60'", "'60'"))),
        (HEAD + RULE + "require = 'mfa'\nmax_age_s = [60]",
         "6: rules[0].max_age_s: is an array; it takes a single value"),
        # What a rule says that its `require` makes nothing of.
        *((HEAD + RULE + f"require = 'none'\n{key} = {value}",
           f'6: rules[0].{key}: is of require = "{needs}", and this rule has "none"; change one of them')
          for key, value, needs in (("scopes", "['a']", "token"), ("once", "true", "token"), ("max_age_s", "60", "mfa"),
                                    ("factors", "['otp']", "mfa"))),
        *((HEAD + RULE + f"require = 'token'\n{key} = {value}",
           f'6: rules[0].{key}: is of require = "mfa", and this rule has "token"; change one of them')
          for key, value in (("max_age_s", "60"), ("factors", "['otp']"))),
        (HEAD + RULE + "max_age_s = 60",
         '5: rules[0].max_age_s: is of require = "mfa", and this rule has "token"; change one of them'),
        # Twins: of which the second would never be asked.
        (HEAD + RULE + RULE, "6: rules[1].path: is that of rules[0] too; change one of them"),
        (HEAD + RULE + RULE + "method = 'GET'\nrequire = 'mfa'",
         "6: rules[1].path: is that of rules[0] too; change one of them"),
        (HEAD + "[[rules]]\npath = '/'\n" * 101, "3: rules: are 101; a policy has 100 at most"),
        ("audience = 'a b'\nprefix = '/a'\n" + RULE,
         "1: audience: is 'a b'; write it without spaces, as https://api.example/quotes"),
        ("audience = ''\nprefix = '/a'\n" + RULE, "1: audience: must be a text of 1 to 200 characters"),
        ("audience = 5\nprefix = '/a'\n" + RULE, "1: audience: must be a text of 1 to 200 characters"),
        ("audience = 'https://127.0.0.1:8080/mfa/'\nprefix = '/a'\n" + RULE,
         "1: audience: is 'https://127.0.0.1:8080/mfa/', which is the MFA API itself: only who gives a second factor"
         " gets a token for it; name the client's own API, as https://api.example/quotes"),
        # What is no TOML.
        (HEAD + RULE + "path = '/b'", "5: rules[0].path: is set in line 4 already; take one of the two out"),
        (HEAD + "= 5", "3: is no TOML (Invalid statement); correct it there"),
        (HEAD + "x = " + "[" * 5000,
         "1: is no policy file: it nests too deep; write tables and arrays of a few levels"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_with_line_key_and_remedy(text, told):
    assert problems(text) == [told]


@pytest.mark.parametrize(
    ("rules", "told"),
    [
        ("[[rules]]\npath = '/*'\n[[rules]]\npath = '/cats/'\nrequire = 'mfa'", "6: rules[1].path: "),
        ("[[rules]]\npath = '/*'\n[[rules]]\npath = '/cats/*'\nrequire = 'mfa'", "6: rules[1].path: "),
        ("[[rules]]\npath = '/a/*'\n[[rules]]\npath = '/a/b/c'", "6: rules[1].path: "),
        ("[[rules]]\npath = '/a/*'\n[[rules]]\npath = '/a/'", "6: rules[1].path: "),
        ("[[rules]]\npath = '/cats/'\nrequire = 'mfa'\n[[rules]]\npath = '/*'", None),
        ("[[rules]]\npath = '/a/*'\n[[rules]]\npath = '/a'", None),
        ("[[rules]]\npath = '/a/*'\n[[rules]]\npath = '/ab/c'", None),
        ("[[rules]]\npath = '/*'\n[[rules]]\npath = '/cats/'\nmethod = 'POST'", None),
    ],
)
def test_a_rule_that_would_never_be_asked_is_no_better_than_a_twin(rules, told):
    """Or the owner has written that cats take a second factor, and they take none."""
    if told is None:
        assert len(parse(HEAD + rules, "").policy.rules) == 2
    else:
        (said,) = problems(HEAD + rules)
        assert said.startswith(told)


@pytest.mark.parametrize(
    "prefix",
    ["/bank", "/a", "/a/b/c", "/v1.2/b_c~d-e", "/A", "/1", "/a" * 10, "/" + "a" * 100, "/a./b..c"],
)
def test_a_prefix_is_a_path(prefix):
    assert parse(f"audience = 'a'\nprefix = '{prefix}'\n{RULE}", "").policy.prefix == prefix


@pytest.mark.parametrize(
    "prefix",
    ["", "/", "bank", "/bank/", "//bank", "/a//b", "/a/../b", "/..", "/.", "/.well-known", "/a/.b", "/a b", "/a?b",
     "/a#b", "/%61", "/a%2fb", "/a\\\\b", "/ä", "/a*", "/a/*", "/a\\n", "/{a}", "/a" * 11, "/" + "a" * 101,
     "http://a/b", "/a:b", "/a;b"],
)  # fmt: skip
def test_no_other_prefix_is(prefix):
    (told,) = problems(f'audience = "a"\nprefix = "{prefix}"\n{RULE}')
    assert told.startswith("2: prefix: is '") and told.endswith(f"; {PREFIX}")


@pytest.mark.parametrize("prefix", ["5", "true", "1979-05-27"])
def test_no_other_value_is_a_prefix(prefix):
    (told,) = problems(f'audience = "a"\nprefix = {prefix}\n{RULE}')
    assert told.startswith("2: prefix: is ") and told.endswith(f"; {PREFIX}")


@pytest.mark.parametrize(
    "path",
    ["/", "/*", "/a", "/a/", "/a/*", "/cats/wild.json", "/...", "/.well-known/x", "/..a/", "/a.", "/a" * 10,
     "/" + "a" * 100, "/a_b~c-d"],
)  # fmt: skip
def test_a_path_is_one_below_the_prefix(path):
    (rule,) = parse(f"{HEAD}[[rules]]\npath = '{path}'", "").policy.rules
    assert rule.path == path


@pytest.mark.parametrize(
    "path",
    ["", "a", "*", "/a*", "/*/a", "/**", "/a/**", "//", "/a//", "/a//b", "/..", "/.", "/./", "/../", "/a/..", "/a/../b",
     "/a/./b", "/%61", "/a%2fb", "/a?b", "/a#b", "/a b", "/a\\\\b", "/ä", "/a\\n", "/a:b", "/a;b", "/{a}", "/a" * 11,
     "/" + "a" * 101],
)  # fmt: skip
def test_no_other_path_is(path):
    (told,) = problems(f'{HEAD}[[rules]]\npath = "{path}"')
    assert told.startswith("4: rules[0].path: is '") and told.endswith(f"; {PATH}")


@pytest.mark.parametrize("realm", ["a", "The bank 2.0", "a~b_c-d", "a" * 60])
def test_a_realm_is_a_name(realm):
    assert parse(f"{HEAD}realm = '{realm}'\n{RULE}", "").policy.realm == realm


@pytest.mark.parametrize("realm", ["", " a", 'a\\"b', "a\\\\b", "a,b", "ä", "a\\n", "a\\r\\nX: y", "-", "a" * 61])
def test_no_other_realm_could_stand_in_a_challenge(realm):
    (told,) = problems(f'{HEAD}realm = "{realm}"\n{RULE}')
    assert told.startswith("3: realm: is '") and told.endswith("; write a word of letters and digits, as bank")


def test_all_that_is_wrong_is_told_in_the_order_of_the_file():
    text = """audience = 5
prefix = "/bank/"
realm = ""
[[rules]]
once = "yes"
max_age_s = -1
path = "//"
[[rules]]
[[rules]]
path = "/a"
require = "none"
factors = ["x"]
[x]
"""
    assert [each.partition(": ")[0] + each.partition(": ")[2].partition(":")[0] for each in problems(text)] == [
        "1audience",
        "2prefix",
        "3realm",
        "5rules[0].once",
        "6rules[0].max_age_s",
        "6rules[0].max_age_s",
        "7rules[0].path",
        "8rules[1]",
        "12rules[2].factors[0]",
        "12rules[2].factors",
        "13x",
    ]


# The tenant file that names it.


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "apis").mkdir()
    (tmp_path / "bank.toml").write_text(HEAD + RULE)
    (tmp_path / "apis" / "cats.toml").write_text(f"audience = 'b'\nprefix = '/cats'\nserves = 'catsdogs'\n{CATS}")
    (tmp_path / "cats too.toml").write_text(f"audience = 'b'\nprefix = '/too'\nserves = 'catsdogs'\n{CATS}")
    (tmp_path / "quotes.toml").write_text(f"audience = 'q'\nprefix = '/q'\nserves = 'quotes'\n{TODAY}")
    (tmp_path / "another bank.toml").write_text(f"audience = 'c'\nprefix = '/bank'\n{RULE}")
    (tmp_path / "latin.toml").write_bytes(b"# ok\n# \xe4")
    (tmp_path / "marked.toml").write_bytes(b"\xef\xbb\xbf" + (HEAD + RULE).encode())
    (tmp_path / "large.toml").write_text("#" * (256 * 1024 + 1))
    (tmp_path / "none.toml").write_text("a = = 1")
    (tmp_path / "wrong.toml").write_text("audience = 5\nprefix = '/w'\n[[rules]]\npath = '/a'\nonce = 5")
    return tmp_path


def tenant_problems(folder: Path, text: str) -> list[str]:
    """Of a tenant file and of all that it names, without the folder's name."""
    with pytest.raises(TenantFileError) as told:
        parse_tenant(text + CLIENTS, "tenant.toml", folder)
    return [each.replace(f"{folder}{os.sep}", "") for each in told.value.problems]


def named(*files: str) -> str:
    return "".join(f'[[apis]]\npolicy = "{each}"\n' for each in files)


def test_policies_are_looked_for_beside_the_tenant_file(folder):
    settings = parse_tenant(named("bank.toml", "apis/cats.toml") + CLIENTS, "tenant.toml", folder)
    assert settings.apis == (QUOTES_API, load(folder / "bank.toml"), load(folder / "apis" / "cats.toml"))


def test_who_names_none_has_the_quotes(folder):
    assert parse_tenant("", "tenant.toml", folder).apis == (QUOTES_API,)


def test_a_policy_for_the_quotes_takes_the_place_of_theirs(folder):
    settings = parse_tenant(named("bank.toml", "quotes.toml") + CLIENTS, "tenant.toml", folder)
    assert [each.policy.prefix for each in settings.apis] == ["/bank", "/q"]


def test_a_byte_order_mark_is_no_mistake(folder):
    assert load(folder / "marked.toml") == load(folder / "bank.toml")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[[apis]]", 'tenant.toml:1: apis[0]: has no policy; add policy = "bank.policy.toml", a path from the folder'
                     " of this file"),
        ("[[apis]]\npolicy = 5", "tenant.toml:2: apis[0].policy: must be a text of 1 to 100 characters"),
        ('[[apis]]\npolicy = "a\\u0007"',
         "tenant.toml:2: apis[0].policy: is 'a\\x07'; it must be a line that can be read"),
        ("[[apis]]\npolicy = 'bank.toml'\nx = 1", "tenant.toml:3: apis[0].x: is not known; known here are policy"),
        ("apis = 5", "tenant.toml:1: apis: is a number; write each of them under [[apis]]"),
        ("[apis]\npolicy = 'bank.toml'", "tenant.toml:1: apis: is a table; write each of them under [[apis]]"),
        (named(*["bank.toml"] * 21), "tenant.toml:1: apis: are 21; a tenant has 20 at most"),
        (named("bank.toml", "another bank.toml"),
         "tenant.toml:4: apis[1].policy: is that of apis[0] too; change one of them"),
        (named("bank.toml", "bank.toml"), "tenant.toml:4: apis[1].policy: is that of apis[0] too; change one of them"),
        (named("bank.toml", "./bank.toml"),
         "tenant.toml:4: apis[1].policy: is that of apis[0] too; change one of them"),
        (named("apis/cats.toml", "cats too.toml"),
         "tenant.toml:4: apis[1].policy: is that of apis[0] too; change one of them"),
        (named("missing.toml"),
         "missing.toml: cannot be read (No such file or directory); name a policy file that may be read"),
        (named("apis"), "apis: cannot be read (Is a directory); name a policy file that may be read"),
        (named("latin.toml"), "latin.toml:2: is not UTF-8; save the file as UTF-8"),
        (named("large.toml"), "large.toml: has more than 262144 bytes; name a policy file, which is smaller"),
        (named("none.toml"), "none.toml:1: is no TOML (Invalid value); correct it there"),
    ],
)  # fmt: skip
def test_what_is_wrong_in_naming_one_is_told(folder, text, told):
    assert tenant_problems(folder, text) == [told]


def test_what_is_wrong_in_all_files_is_told_together(folder):
    text = f'nme = 5\n{named("wrong.toml", "none.toml", "missing.toml", "bank.toml", "bank.toml")}[tenant]\nname = ""'
    assert [each.partition("; ")[0] for each in tenant_problems(folder, text)] == [
        "tenant.toml:1: nme: is not known",
        "tenant.toml:11: apis[4].policy: is that of apis[3] too",
        "tenant.toml:13: tenant.name: must be a text of 1 to 100 characters",
        "wrong.toml:1: audience: must be a text of 1 to 200 characters",
        "wrong.toml:5: rules[0].once: is 5",
        "none.toml:1: is no TOML (Invalid value)",
        "missing.toml: cannot be read (No such file or directory)",
    ]


def test_the_prefix_of_the_quotes_is_taken_where_they_stay_as_they_are(folder):
    """Else theirs would decide in the place of the one that the owner has written."""
    (folder / "mine.toml").write_text("audience = 'm'\nprefix = '/api/quotes'\n[[rules]]\npath = '/today'\n")
    (told,) = tenant_problems(folder, named("mine.toml"))
    assert told.startswith("tenant.toml:2: apis[0].policy: ")
    (folder / "mine.toml").write_text(
        "audience = 'm'\nprefix = '/api/quotes'\nserves = 'quotes'\n[[rules]]\npath = '/today'\n"
    )
    (mine,) = parse_tenant(named("mine.toml") + CLIENTS, "tenant.toml", folder).apis
    assert mine.policy.audience == "m"


# Prefixes that the authority has itself.


@pytest.mark.parametrize("serves", ["bank", "catsdogs", "quotes"])
@pytest.mark.parametrize(
    "prefix",
    ["/gateway", "/gateway/check", "/oauth", "/oauth/token", "/mfa", "/mfa/challenge/x", "/assets", "/.well-known",
     "/authorize", "/activate", "/phone", "/outbox", "/sign-in", "/consent", "/userinfo", "/v2", "/oidc", "/control",
     "/openapi.json"],
)  # fmt: skip
def test_no_api_is_served_among_the_authoritys_own_addresses(authority: Authority, prefix, serves):
    control = Mount(control_api.PREFIX, routes=[])
    with pytest.raises(AuthorityError, match=rf"prefix {prefix} lies among .*; name another, as /{serves}$"):
        create_app(authority, quote_of_day, control=control, apis=[api(prefix=prefix, serves=serves)])


@pytest.mark.parametrize("prefix", ["/token", "/introspect", "/jwks", "/device_authorization", "/logout"])
def test_nor_among_those_of_another_dialect(authority: Authority, prefix):
    create_app(authority, quote_of_day, apis=[api(prefix="/token")])
    with pytest.raises(AuthorityError, match="lies among the authority's own addresses"):
        create_app(authority, quote_of_day, dialect="rfc", apis=[api(prefix=prefix)])


@pytest.mark.parametrize("prefix", ["/oauth", "/gateway", "/authorize"])
def test_what_another_server_answers_may_have_any_prefix(authority: Authority, prefix):
    create_app(authority, quote_of_day, apis=[api(prefix=prefix, serves=None)])


@pytest.mark.parametrize("prefix", ["/oauth2", "/gateways", "/api/bank", "/a/oauth", "/Gateway"])
def test_a_name_that_is_much_alike_is_another(authority: Authority, prefix):
    create_app(authority, quote_of_day, apis=[api(prefix=prefix)])


# Whatever it is given.

keys = st.sampled_from(
    ["audience", "prefix", "serves", "realm", "freshness", "refusal", "rules", "method", "path", "require", "scopes",
     "max_age_s", "factors", "once", "x", "a b", "é", ""]
)  # fmt: skip
scalars = (
    st.sampled_from(["/bank", "/", "/*", "GET", "mfa", "none", "token", "otp", "bank", "auth_time", "bare", "a"])
    | st.text(max_size=6)
    | st.integers()
    | st.booleans()
    | st.floats()
    | st.datetimes()
)
documents = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=4), max_leaves=20
)


def answered(text: str) -> None:
    try:
        settings = parse(text, "p.toml")
    except TenantFileError as refused:
        are_told(refused.problems, text, "p.toml")
    else:
        assert settings.policy.rules
        assert settings.policy.prefix.startswith("/")


@given(st.dictionaries(keys, documents, max_size=6))
def test_any_document_is_answered(document):
    answered("\n".join(f"{inline(key)} = {inline(value)}" for key, value in document.items()))


rules = st.fixed_dictionaries(
    {"path": st.sampled_from(["/", "/a", "/a/*", "/..", "//"])},
    optional={
        "method": st.sampled_from(["GET", "POST", "HEAD"]),
        "require": st.sampled_from(["none", "token", "mfa", "x"]),
        "scopes": st.lists(st.sampled_from(["a", "b", "a b"]), max_size=3),
        "max_age_s": st.integers(-1, 100),
        "factors": st.lists(st.sampled_from(["otp", "email", "x"]), max_size=2),
        "once": st.booleans(),
    },
)


@given(st.lists(rules, max_size=4))
def test_what_is_taken_makes_sense(told):
    text = HEAD + f"rules = [{', '.join(map(inline, told))}]"
    answered(text)
    try:
        found = parse(text, "p.toml").policy.rules
    except TenantFileError:
        return
    assert len({(rule.method, rule.path) for rule in found}) == len(found) == len(told)
    for rule in found:
        assert rule.require != "none" or not (rule.scope or rule.once)
        assert rule.require == "mfa" or (rule.max_age_s is None and not rule.factors)


@given(
    st.lists(
        st.sampled_from(["[", "]", "[[", "]]", "{", "}", "=", ",", ".", "\n", "'", '"', '"""', "\\", "#", " ", "rules",
                         "path", "prefix", "once", "1", "true", "\0", "\r", "\ud800", "0x" + "f" * 4000])
    ).map("".join)
    | st.text()
)  # fmt: skip
def test_any_text_is_answered(text):
    answered(text)
