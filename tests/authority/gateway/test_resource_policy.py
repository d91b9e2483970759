"""The decision of a policy as a table: what a rule asks, what a token says, and what its session has given since."""

from __future__ import annotations

from typing import Any

import pytest

from host_tools.authority.core.errors import InsufficientScope
from host_tools.authority.core.resource_errors import InsufficientUserAuthentication
from host_tools.authority.core.resource_policy import ResourcePolicy, ResourceRule, refusal

from .api import MFA

NOW = 1_000_000
NONE, SCOPE, FACTOR, OLD = None, "insufficient_scope", "A second factor is required", "More recent authentication"


def decided(rule: ResourceRule, freshness: str = "session", given_at_s: int | None = None, **claims: Any) -> str | None:
    """What is said no for; None for a yes."""
    policy = ResourcePolicy("a", "/p", (rule,), freshness=freshness)  # type: ignore[arg-type]
    found = refusal(policy, rule, claims, given_at_s, NOW)
    if isinstance(found, InsufficientUserAuthentication):
        assert found.error == "insufficient_user_authentication"
        assert (found.max_age_s, found.acr_values) == (rule.max_age_s, MFA)
        return next(each for each in (FACTOR, OLD) if found.description.startswith(each))
    if found is not None:
        assert isinstance(found, InsufficientScope)
        assert found.scope == rule.scope
        return found.error
    return None


@pytest.mark.parametrize("freshness", ["session", "auth_time"])
@pytest.mark.parametrize("require", ["none", "token", "mfa"])
@pytest.mark.parametrize(
    ("wanted", "held", "outcome"),
    [
        ("", "", NONE),
        ("", None, NONE),
        ("", "read write", NONE),
        ("read", "read", NONE),
        ("read", "write read openid", NONE),
        ("read write", "write  read", NONE),
        ("read write", "read", SCOPE),
        ("read", "", SCOPE),
        ("read", None, SCOPE),
        ("read", "reader", SCOPE),
        ("read", "READ", SCOPE),
        ("read", "read:all", SCOPE),
        ("read", 5, SCOPE),
        ("read", True, SCOPE),
    ],
)
def test_all_words_of_the_scope_are_needed_whatever_else_is(freshness, require, wanted, held, outcome):
    rule = ResourceRule("GET", "/", require, scope=wanted)
    given = {"given_at_s": NOW, "auth_time": NOW, "amr": ["pwd", "otp", "mfa"]}
    claims = {} if held is None else {"scope": held}
    assert decided(rule, freshness, **given, **claims) == outcome


def test_the_scope_is_asked_before_the_factor():
    assert decided(ResourceRule("GET", "/", "mfa", scope="read")) == SCOPE


@pytest.mark.parametrize("require", ["none", "token"])
@pytest.mark.parametrize("freshness", ["session", "auth_time"])
def test_no_factor_is_asked_where_the_rule_does_not(require, freshness):
    assert decided(ResourceRule("GET", "/", require), freshness) is None


# What has been given since is what counts, whatever the token says of its login.
@pytest.mark.parametrize(
    ("max_age_s", "given_at_s", "outcome"),
    [
        (60, None, FACTOR),
        (60, NOW, NONE),
        (60, NOW - 59, NONE),
        (60, NOW - 60, NONE),
        (60, NOW - 61, OLD),
        (60, NOW - 10_000, OLD),
        (60, 0, OLD),
        (60, NOW + 5, NONE),  # by a clock that was put back
        (0, NOW, NONE),
        (0, NOW - 1, OLD),
        (None, None, FACTOR),
        (None, 0, NONE),
        (None, NOW - 10_000, NONE),
    ],
)
@pytest.mark.parametrize(
    "claims", [{}, {"amr": ["pwd"], "auth_time": NOW}, {"amr": ["pwd", "otp", "mfa"], "auth_time": 5}]
)
def test_by_the_session(max_age_s, given_at_s, outcome, claims):
    rule = ResourceRule("GET", "/", "mfa", max_age_s=max_age_s, factors=("email",))
    assert decided(rule, given_at_s=given_at_s, **claims) == outcome


# And here nothing that has been given since does.
@pytest.mark.parametrize(
    ("max_age_s", "auth_time", "outcome"),
    [
        (60, NOW, NONE),
        (60, NOW - 60, NONE),
        (60, NOW - 61, OLD),
        (0, NOW, NONE),
        (0, NOW - 1, OLD),
        (None, 0, NONE),
    ],
)
@pytest.mark.parametrize("given_at_s", [None, NOW, 0])
def test_by_the_time_of_the_login(max_age_s, auth_time, outcome, given_at_s):
    rule = ResourceRule("GET", "/", "mfa", max_age_s=max_age_s)
    said = decided(rule, "auth_time", given_at_s, amr=["pwd", "otp", "mfa"], auth_time=auth_time)
    assert said == outcome


# RFC 8176: e-mail and push are both `mca`; a recovery code is an `otp`.
@pytest.mark.parametrize(
    ("factors", "amr", "outcome"),
    [
        ((), ["pwd", "mfa"], NONE),
        ((), ["pwd", "otp"], FACTOR),  # one method alone is no second factor
        ((), ["mfa"], NONE),
        (("otp",), ["pwd", "otp", "mfa"], NONE),
        (("otp",), ["pwd", "sms", "mfa"], FACTOR),
        (("otp",), ["pwd", "mca", "mfa"], FACTOR),
        (("otp",), ["pwd", "mfa"], FACTOR),
        (("sms",), ["pwd", "sms", "mfa"], NONE),
        (("sms",), ["pwd", "otp", "mfa"], FACTOR),
        (("email",), ["pwd", "mca", "mfa"], NONE),
        (("push",), ["pwd", "mca", "mfa"], NONE),
        (("email",), ["pwd", "otp", "mfa"], FACTOR),
        (("email", "sms"), ["pwd", "sms", "mfa"], NONE),
        (("email", "sms"), ["pwd", "otp", "mfa"], FACTOR),
        (("recovery-code",), ["pwd", "otp", "mfa"], NONE),
    ],
)
def test_the_factor_of_the_login_by_its_method(factors, amr, outcome):
    rule = ResourceRule("GET", "/", "mfa", max_age_s=60, factors=factors)
    assert decided(rule, "auth_time", amr=amr, auth_time=NOW) == outcome


@pytest.mark.parametrize(
    "claims",
    [
        {},
        {"amr": ["pwd", "mfa"]},
        {"auth_time": NOW},
        {"amr": "pwd mfa", "auth_time": NOW},
        {"amr": "mfa", "auth_time": NOW},
        {"amr": {"mfa": 1}, "auth_time": NOW},
        {"amr": None, "auth_time": NOW},
        {"amr": [], "auth_time": NOW},
        {"amr": ["MFA"], "auth_time": NOW},
        {"amr": [["mfa"]], "auth_time": NOW},
        {"amr": ["mfa"], "auth_time": None},
        {"amr": ["mfa"], "auth_time": str(NOW)},
        {"amr": ["mfa"], "auth_time": float(NOW)},
        {"acr": MFA, "auth_time": NOW},
    ],
)
def test_a_login_that_is_told_oddly_had_no_factor(claims):
    assert decided(ResourceRule("GET", "/", "mfa", max_age_s=60), "auth_time", **claims) == FACTOR


def test_a_method_that_is_no_word_is_none_of_those_that_count():
    rule = ResourceRule("GET", "/", "mfa", factors=("otp",))
    assert decided(rule, "auth_time", amr=["mfa", ["otp"], {"otp": 1}], auth_time=NOW) == FACTOR


@pytest.mark.parametrize(
    ("path", "fitting", "others"),
    [
        ("/", ["/"], ["", "//", "/a", "/*"]),
        ("/cats/", ["/cats/"], ["/cats", "/cats//", "/cats/a", "/Cats/", "/", "cats/"]),
        ("/cats", ["/cats"], ["/cats/", "/catsa"]),
        ("/cats/*", ["/cats/", "/cats/a", "/cats/a/b", "/cats//", "/cats/*"], ["/cats", "/catsa/", "/dogs/", "/"]),
        ("/*", ["/", "/a", "/a/b", "//"], ["", "a"]),
    ],
)
def test_a_path_is_exact_or_all_below_it(path, fitting, others):
    rule = ResourceRule("GET", path)
    assert [each for each in [*fitting, *others] if rule.fits("GET", each)] == fitting


@pytest.mark.parametrize(
    ("method", "fitting"),
    [("GET", {"GET", "HEAD"}), ("POST", {"POST"}), ("PUT", {"PUT"}), ("DELETE", {"DELETE"}), ("PATCH", {"PATCH"})],
)
def test_get_has_head_with_it(method, fitting):
    methods = ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "get", "Head", ""]
    assert {each for each in methods if ResourceRule(method, "/").fits(each, "/")} == fitting


def test_the_first_rule_that_fits_decides():
    rules = (
        ResourceRule("GET", "/cats/wild", "mfa"),
        ResourceRule("GET", "/cats/*", "token"),
        ResourceRule("GET", "/cats/tame", "none"),
        ResourceRule("POST", "/cats/*", "mfa"),
    )
    policy = ResourcePolicy("a", "/p", rules)
    assert policy.rule("GET", "/cats/wild") is rules[0]
    assert policy.rule("HEAD", "/cats/tame") is rules[1]
    assert policy.rule("POST", "/cats/tame") is rules[3]
    for method, path in (("DELETE", "/cats/tame"), ("GET", "/cats"), ("GET", "/"), ("GET", "/p/cats/tame")):
        assert policy.rule(method, path) is None
