"""The sign-on policy of a tenant file: Okta's, and so of the okta dialect alone."""

from __future__ import annotations

from host_tools.authority.checked_table import CheckedTable
from host_tools.authority.core.sign_on_policy import (
    LIFETIME_UNITS,
    POLICY_TYPES,
    PROMPT_MODES,
    LifetimeUnit,
    PromptMode,
    SignOnPolicy,
    longest_lifetime,
)
from host_tools.authority.tenant_values import choice, count, flag

_USUAL = SignOnPolicy()


def sign_on_policy(table: CheckedTable) -> SignOnPolicy:
    """The names are those of seeds/003, as this file writes names."""
    policy_type = table.take("policy_type", choice(POLICY_TYPES), None)
    mode: PromptMode = table.take("factor_prompt_mode", choice(PROMPT_MODES), _USUAL.factor_prompt_mode)
    unit: LifetimeUnit = table.take("factor_lifetime_unit", choice(LIFETIME_UNITS), _USUAL.factor_lifetime_unit)
    lifetime = table.take("factor_lifetime", count(1, longest_lifetime(unit)), _USUAL.factor_lifetime)
    by_default = table.take("remember_device_by_default", flag, _USUAL.remember_device_by_default)
    told = table.take("policy_evaluation", flag, _USUAL.policy_evaluation)
    on_enroll = table.take("policy_evaluation_on_enroll", flag, _USUAL.on_enroll)
    as_strings = table.take("policy_evaluation_as_strings", flag, _USUAL.as_strings)
    shows_lockouts = table.take("show_lockout_failures", flag, _USUAL.show_lockout_failures)
    if table.is_right("factor_prompt_mode"):
        if mode != "SESSION":
            for key in ("factor_lifetime", "factor_lifetime_unit"):
                if key in table:
                    table.wrong(f'contradicts factor_prompt_mode = "{mode}", which has no lifetime; take it out', key)
        elif "factor_lifetime_unit" in table and "factor_lifetime" not in table:
            table.wrong("has no number; add factor_lifetime", "factor_lifetime_unit")
        if mode == "ALWAYS" and by_default:
            table.wrong(
                'contradicts factor_prompt_mode = "ALWAYS", which remembers no device; take it out',
                "remember_device_by_default",
            )
    for key in ("policy_evaluation_on_enroll", "policy_evaluation_as_strings"):
        if not told and key in table and table.is_right("policy_evaluation"):
            table.wrong("is of policy_evaluation, which is false; take one of the two out", key)
    table.finish()
    return SignOnPolicy(
        policy_type=policy_type,
        factor_prompt_mode=mode,
        factor_lifetime=lifetime,
        factor_lifetime_unit=unit,
        remember_device_by_default=by_default,
        policy_evaluation=told,
        on_enroll=on_enroll,
        as_strings=as_strings,
        show_lockout_failures=shows_lockouts,
    )
