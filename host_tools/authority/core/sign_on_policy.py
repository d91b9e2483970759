"""Okta's sign-on policy: how long a second factor counts on the device on which it was given. A pure table.

=========  ===============================  =============================================  ======================
mode       a person is asked again          what the person is offered                     Okta's lifetime
=========  ===============================  =============================================  ======================
SESSION    once the lifetime is over        not to be challenged for the next 15 minutes   of the unit, 1 and more
DEVICE     never on that device             not to be challenged on this device again      0: it has no end
ALWAYS     at each sign-in                  nothing                                        none
=========  ===============================  =============================================  ======================

Modes and units are those of seeds/003; what it proposed to show is what `offer` says. Nobody is remembered who has not
wished to be.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

PolicyType = Literal["OKTA_SIGN_ON", "MFA_ENROLL", "APP_SIGN_ON"]
PromptMode = Literal["SESSION", "ALWAYS", "DEVICE"]
LifetimeUnit = Literal["MINUTES", "HOURS", "DAYS"]

POLICY_TYPES: tuple[str, ...] = get_args(PolicyType)
PROMPT_MODES: tuple[str, ...] = get_args(PromptMode)
LIFETIME_UNITS: tuple[str, ...] = get_args(LifetimeUnit)
USUAL_LIFETIME = 15  # minutes: the policy of Okta's own example
MOST_DAYS = 365  # [I] no page of Okta's names a longest lifetime

_MINUTES: dict[str, int] = {"MINUTES": 1, "HOURS": 60, "DAYS": 1440}
_WORDS: dict[str, tuple[str, str]] = {
    "MINUTES": ("minute", "minutes"),
    "HOURS": ("hour", "hours"),
    "DAYS": ("day", "days"),
}


@dataclass(frozen=True)
class SignOnPolicy:
    """policy_type: None for the one that leads to each state: a sign-on policy to a challenge, MFA_ENROLL to enrolling.

    factor_lifetime: of mode SESSION; the others have none. remember_device_by_default: whether the box is ticked.
    policy_evaluation: whether the seed's object is told beside the one that Okta ships, and on_enroll (its first open
    question) where a factor is to be enrolled as well; as_strings: with every value quoted, as the seed writes them.
    show_lockout_failures: whether who tries too often hears LOCKED_OUT in place of the answer to a wrong password.
    """

    policy_type: PolicyType | None = None
    factor_prompt_mode: PromptMode = "SESSION"
    factor_lifetime: int = USUAL_LIFETIME
    factor_lifetime_unit: LifetimeUnit = "MINUTES"
    remember_device_by_default: bool = False
    policy_evaluation: bool = True
    on_enroll: bool = True
    as_strings: bool = True
    show_lockout_failures: bool = False

    @property
    def may_remember(self) -> bool:
        return self.factor_prompt_mode != "ALWAYS"

    @property
    def lifetime_minutes(self) -> int:
        """How long a factor counts; 0 where it has no end, or none is remembered."""
        return self.factor_lifetime * _MINUTES[self.factor_lifetime_unit] if self.factor_prompt_mode == "SESSION" else 0

    def still_counts(self, elapsed_s: int) -> bool:
        """Whether a factor counts that was given so long ago by who wished to be remembered."""
        if self.factor_prompt_mode == "SESSION":
            return elapsed_s < self.lifetime_minutes * 60
        return self.may_remember

    def offer(self) -> str | None:
        """What a person is offered, as the words beside a box to tick; None where there is nothing to offer."""
        if self.factor_prompt_mode == "DEVICE":
            return "Do not challenge me on this device again"
        if self.factor_prompt_mode == "ALWAYS":
            return None
        one, many = _WORDS[self.factor_lifetime_unit]
        lifetime = one if self.factor_lifetime == 1 else f"{self.factor_lifetime} {many}"
        return f"Do not challenge me on this device for the next {lifetime}"


def longest_lifetime(unit: LifetimeUnit) -> int:
    return MOST_DAYS * _MINUTES["DAYS"] // _MINUTES[unit]
