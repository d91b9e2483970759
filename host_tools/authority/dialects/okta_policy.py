"""A sign-on policy on the wire: `policy`, which Okta ships, and `policyEvaluation`, which seeds/003 proposed.

===================  ===================================  ========================================
mode                 policyEvaluation                     policy
===================  ===================================  ========================================
SESSION              a lifetime of 1 and more, its unit   allowed, the same lifetime in minutes
DEVICE               a lifetime of 0                      allowed, 0 minutes
ALWAYS               a lifetime of 0                      not allowed, 0 minutes
===================  ===================================  ========================================
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from host_tools.authority.core.records import Authenticator
from host_tools.authority.core.sign_on_policy import SignOnPolicy

# Whose evaluation leads to each state, where the tenant does not say.
_TYPES = {"MFA_REQUIRED": "OKTA_SIGN_ON", "MFA_ENROLL": "MFA_ENROLL"}


def shipped(policy: SignOnPolicy, remembers: bool, pushes: Mapping[str, bool]) -> dict[str, Any]:
    """`policy`. remembers: whether the box is to be ticked. pushes: by the factor's id, whether a push goes out by
    itself."""
    return {
        "allowRememberDevice": policy.may_remember,
        "rememberDeviceLifetimeInMinutes": policy.lifetime_minutes,
        "rememberDeviceByDefault": remembers,
        "factorsPolicyInfo": {factor_id: {"autoPushEnabled": sends} for factor_id, sends in pushes.items()},
    }


def evaluation(policy: SignOnPolicy, status: str, remembers: bool) -> dict[str, Any] | None:
    """`policyEvaluation`; None where the tenant tells none in this state."""
    if not policy.policy_evaluation or status not in _TYPES or (status == "MFA_ENROLL" and not policy.on_enroll):
        return None
    lifetime = policy.factor_lifetime if policy.lifetime_minutes else 0
    told = {
        "policyType": policy.policy_type or _TYPES[status],
        "factorPromptMode": policy.factor_prompt_mode,
        "factorLifeTime": lifetime,
        "factorLifeTimeUnit": policy.factor_lifetime_unit,
        "rememberDeviceByDefault": remembers,
    }
    return {name: _quoted(value) for name, value in told.items()} if policy.as_strings else told


def pushing(factors: Iterable[Authenticator], sends: bool) -> dict[str, bool]:
    """Of the factors, those that push."""
    return {f"opf{each.authenticator_id}": sends for each in factors if each.factor == "push"}


def _quoted(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
