"""A policy file: what one API asks of who calls it. TOML to ApiSettings; docs/gateway.md is its reference.

A tenant file names it, `[[apis]] policy = "bank.policy.toml"`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

from host_tools.authority import checked_file
from host_tools.authority import tenant_values as values
from host_tools.authority.checked_table import CheckedTable, refuse_twins
from host_tools.authority.core.mfa_transactions import ENROLLABLE
from host_tools.authority.core.resource_policy import (
    BELOW,
    FRESHNESS,
    REFUSALS,
    REQUIREMENTS,
    ResourcePolicy,
    ResourceRule,
)
from host_tools.authority.core.session_factors import KEPT_S
from host_tools.authority.errors import InvalidSetting
from host_tools.authority.tenant_settings import QUOTES_API, SERVED, SERVES, ApiSettings, TenantFileError
from host_tools.authority.tenant_values import choice, count, flag

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
_KIND = "policy file"
_MOST_POLICIES = 20
_MOST_RULES = 100
_PREFIX = re.compile(r"(/[A-Za-z0-9][A-Za-z0-9._~-]{0,99}){1,10}")
# A segment is no dot or two of them, which a server before this one may take for another path (RFC 3986 5.2.4).
_PATH = re.compile(r"(/(?!\.{1,2}(/|$))[A-Za-z0-9._~-]{1,100}){0,10}(/|/\*)?")
_REALM = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._~-]{0,59}")
_RULE = ResourceRule("GET", "/")


def apis(top: CheckedTable, folder: Path, audiences: Collection[str], elsewhere: list[str]) -> tuple[ApiSettings, ...]:
    """The APIs of a tenant file, and the quotes', which every tenant has.

    audiences: those of the tenant's clients. elsewhere: what is wrong in policy files.
    """
    tables = top.tables("apis")
    if len(tables) > _MOST_POLICIES:
        top.wrong(f"are {len(tables)}; a tenant has {_MOST_POLICIES} at most", "apis")
        return (QUOTES_API,)
    told = [(table, _api(table, folder, elsewhere)) for table in tables]
    refuse_twins(told, "policy", lambda api: api and f"prefix {api.policy.prefix}")
    refuse_twins(told, "policy", lambda api: api and api.serves)
    named = tuple(api for _, api in told if api is not None)
    for table, api in told if top.is_right("clients") else ():
        asks = api is not None and any(rule.require != "none" for rule in api.policy.rules)
        if api is not None and asks and api.policy.audience not in audiences:
            table.wrong(
                f"is for {api.policy.audience}, the audience of no client, so that nobody has a token for it; give a"
                " client that audience",
                "policy",
            )
    if any(api.serves == "quotes" for api in named):
        return named
    for table, api in told:
        if api is not None and api.policy.prefix == QUOTES_API.policy.prefix:
            table.wrong(f'has the prefix of the quotes, {api.policy.prefix}; add serves = "quotes" to it', "policy")
    return (QUOTES_API, *named)


def load(path: Path) -> ApiSettings:
    """Raises TenantFileError."""
    text, name = checked_file.read(path, _KIND)
    return parse(text, name)


def parse(text: str, name: str) -> ApiSettings:
    """`name` is the file's, for the errors. Raises TenantFileError."""
    return checked_file.checked(text, name, _KIND, lambda top, _: _policy(top))


def _api(table: CheckedTable, folder: Path, elsewhere: list[str]) -> ApiSettings | None:
    if "policy" not in table:
        table.wrong('has no policy; add policy = "bank.policy.toml", a path from the folder of this file')
    file = table.take("policy", values.text, None)
    table.finish()
    if file is None:
        return None
    try:
        return load(folder / file)
    except TenantFileError as wrong:
        elsewhere += wrong.problems
        return None


def _policy(top: CheckedTable) -> ApiSettings:
    for key, example in (("audience", "https://bank.example/api"), ("prefix", "/bank")):
        if key not in top:
            top.wrong(f'has no {key}; add {key} = "{example}"')
    audience = top.take("audience", values.audience, "")
    prefix = top.take("prefix", _prefix, "")
    serves = top.take("serves", choice(SERVED), None)
    policy = ResourcePolicy(
        audience=audience,
        prefix=prefix,
        realm=top.take("realm", _realm, "api"),
        freshness=top.take("freshness", choice(FRESHNESS), "session"),
        refusal=top.take("refusal", choice(REFUSALS), "rfc9470"),
        rules=_rules(top),
    )
    if serves is not None and top.is_right("rules"):
        _check_served(top, policy, SERVES[serves])
    top.finish()
    return ApiSettings(policy, serves)


def _check_served(top: CheckedTable, policy: ResourcePolicy, served: Sequence[tuple[str, str]]) -> None:
    has = ", ".join(" ".join(each) for each in served)
    for at, rule in enumerate(policy.rules):
        if not any(rule.fits(method, path) for method, path in served):
            unserved = f"is {rule.path}, with {rule.method} nothing that is served here; there is {has}"
            top.wrong(unserved, "rules", at, "path")


def _rules(top: CheckedTable) -> tuple[ResourceRule, ...]:
    tables = top.tables("rules")
    if not tables and top.is_right("rules"):
        top.wrong("are none, so that nobody is let in; add [[rules]]", "rules")
    if len(tables) > _MOST_RULES:
        top.wrong(f"are {len(tables)}; a policy has {_MOST_RULES} at most", "rules")
        return ()
    told = [(table, _rule(table)) for table in tables]
    refuse_twins(told, "path", lambda rule: (rule.method, rule.path) if rule.path else None)
    for number, (table, rule) in enumerate(told):
        for at, (_, earlier) in enumerate(told[:number]):
            if rule.path and earlier.path.endswith(BELOW) and earlier.path != rule.path and earlier.covers(rule):
                table.wrong(f"is never asked, for rules[{at}] has all of it; write this rule before that one", "path")
                break
    return tuple(rule for _, rule in told)


def _rule(table: CheckedTable) -> ResourceRule:
    if "path" not in table:
        table.wrong('has no path; add path = "/balance"')
    rule = ResourceRule(
        method=table.take("method", choice(METHODS), _RULE.method),
        path=table.take("path", _path, ""),
        require=table.take("require", choice(REQUIREMENTS), _RULE.require),
        scope=" ".join(dict.fromkeys(table.items("scopes", values.scope, ()))),
        max_age_s=table.take("max_age_s", count(1, KEPT_S), None),
        factors=tuple(dict.fromkeys(table.items("factors", choice(ENROLLABLE), ()))),
        once=table.take("once", flag, _RULE.once),
    )
    if table.is_right("require"):
        for key, needs in (("scopes", "token"), ("once", "token"), ("max_age_s", "mfa"), ("factors", "mfa")):
            if key in table and rule.require not in (needs, "mfa"):
                table.wrong(f'is of require = "{needs}", and this rule has "{rule.require}"; change one of them', key)
    table.finish()
    return rule


def _prefix(field: str, value: Any) -> str:
    if not isinstance(value, str) or not _PREFIX.fullmatch(value):
        raise InvalidSetting(field, f"is {value!r:.60}; write a path without a last slash, as /bank")
    return value


def _path(field: str, value: Any) -> str:
    if not isinstance(value, str) or not value.startswith("/") or not _PATH.fullmatch(value):
        raise InvalidSetting(
            field, f"is {value!r:.60}; write the path below the prefix, as /balance, or /cats{BELOW} for all below it"
        )
    return value


def _realm(field: str, value: Any) -> str:
    """What a challenge names: nothing that would have to be escaped in it."""
    if not isinstance(value, str) or not _REALM.fullmatch(value):
        raise InvalidSetting(field, f"is {value!r:.60}; write a word of letters and digits, as bank")
    return value
